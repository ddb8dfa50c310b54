//! The decision program: for one cell (requester and recipient, act, purpose, data class) everything static is folded
//! away by Cedar's type-aware partial evaluation, and what is left is a few masks and values over a fact word.
//!
//! The result names the complete set of determining rules, as Cedar's own diagnostics do. What cannot be reduced is
//! evaluated by Cedar; the test suite compares the two on random facts.

use std::collections::BTreeMap;

use cedar_policy::{Effect, PartialEntityUid, PartialRequest, Policy, PolicySet};
use consentry_model::{Facts, Moment, RuleId, Treatment};

use super::cedar::{Answer, Compiled};
use super::cedar_text::no_of;
use super::decide::Question;
use super::reduce::{Atom, Cube, Irreducible, Reducer, clauses};
use crate::bundle::{Bundle, DataClass};
use crate::rules::Rule;

/// The compiled answer to one question.
pub(crate) enum Cell {
    /// Masks and values.
    Program(Program),
    /// Cedar itself, on the whole set.
    Irreducible,
}

/// Masks and values for each treatment that the category knows.
pub(crate) struct Program {
    atoms: Vec<Atom>,
    steps: Vec<(Treatment, Vec<Entry>)>,
}

struct Entry {
    rule: RuleId,
    permits: bool,
    cubes: Vec<Cube>,
}

impl Cell {
    /// Compiles the cell of a question whose words the bundle knows.
    pub(crate) fn compile(
        compiled: &Compiled,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
        steps: &[Treatment],
    ) -> Self {
        program(compiled, bundle, question, class, steps).map_or(Self::Irreducible, Self::Program)
    }
}

impl Program {
    /// The answer for one treatment.
    pub(crate) fn ask(&self, treatment: Treatment, facts: &Facts, now: Moment) -> Answer {
        let word = self.word(facts, now);
        let Some((_, entries)) = self.steps.iter().find(|(t, _)| *t == treatment) else {
            return Answer::Error;
        };
        let fires = |entry: &&Entry| entry.cubes.iter().any(|c| word & c.mask == c.value);
        let fired = |permits: bool| {
            let entries = entries.iter().filter(|e| e.permits == permits);
            entries.filter(fires).map(|e| e.rule.clone()).collect::<Vec<_>>()
        };
        let against = fired(false);
        if !against.is_empty() {
            return Answer::No(against);
        }
        let permitting = fired(true);
        if permitting.is_empty() { Answer::No(permitting) } else { Answer::Yes(permitting) }
    }

    fn word(&self, facts: &Facts, now: Moment) -> u64 {
        self.atoms.iter().rev().fold(0, |word, atom| word << 1 | u64::from(atom.holds(facts, now)))
    }
}

fn program(
    compiled: &Compiled,
    bundle: &Bundle,
    question: &Question,
    class: &DataClass,
    steps: &[Treatment],
) -> Result<Program, Irreducible> {
    let live = residuals(compiled, bundle, question, class)?;
    let constants = BTreeMap::from([
        ("act", question.act.code().to_owned()),
        ("subject_type", class.subject_type.as_str().to_owned()),
    ]);
    let mut reducer = Reducer::new(&bundle.schema, constants);
    let mut out = Vec::new();
    for treatment in steps {
        reducer.fix("treatment", treatment.code());
        let mut entries = Vec::new();
        for (rule, permits, residual) in &live {
            let cubes = match residual {
                None => vec![Cube { mask: 0, value: 0 }],
                Some(clauses) => reducer.cubes(clauses)?,
            };
            if !cubes.is_empty() {
                entries.push(Entry { rule: rule.clone(), permits: *permits, cubes });
            }
        }
        entries.sort_by_key(|e| compiled.position(&e.rule));
        out.push((*treatment, entries));
    }
    Ok(Program { atoms: reducer.atoms().to_vec(), steps: out })
}

type Live = (RuleId, bool, Option<Vec<cedar_policy::pst::Clause>>);

/// The policies that partial evaluation leaves: always firing, or with a condition on facts.
fn residuals(
    compiled: &Compiled,
    bundle: &Bundle,
    question: &Question,
    class: &DataClass,
) -> Result<Vec<Live>, Irreducible> {
    let slice = compiled.policies_where(|id| relevant(bundle, id, question, class));
    let set = PolicySet::from_policies(slice).map_err(|_| Irreducible)?;
    let (principal, action, resource) = compiled.uids(question, class);
    let request = PartialRequest::new(
        PartialEntityUid::from_concrete(principal),
        action,
        PartialEntityUid::from_concrete(resource),
        None,
        compiled.schema(),
    )
    .map_err(|_| Irreducible)?;
    let response =
        set.tpe(&request, compiled.partial_entities(), compiled.schema()).map_err(|_| Irreducible)?;
    if response.error_forbids().next().is_some() || response.error_permits().next().is_some() {
        return Err(Irreducible);
    }
    let id = |id: &cedar_policy::PolicyId| RuleId::new(id.as_ref());
    let mut live: Vec<Live> = Vec::new();
    live.extend(response.true_permits().map(|p| (id(p), true, None)));
    live.extend(response.true_forbids().map(|p| (id(p), false, None)));
    for policy in response.residual_policies() {
        if live.iter().any(|(rule, ..)| *rule == id(policy.id())) {
            continue;
        }
        let permits = policy.effect() == Effect::Permit;
        live.push((id(policy.id()), permits, Some(clauses(&policy)?)));
    }
    Ok(live)
}

/// Whether a policy's scope can match the cell at all, its dates aside: what partial evaluation would find, sooner.
fn relevant(bundle: &Bundle, id: &RuleId, question: &Question, class: &DataClass) -> bool {
    let rule = bundle.rules.iter().find(|r| r.id == *id || no_of(&r.id) == *id);
    rule.is_none_or(|rule| scope_can_match(bundle, rule, question, class))
}

fn scope_can_match(bundle: &Bundle, rule: &Rule, question: &Question, class: &DataClass) -> bool {
    let vocabulary = &bundle.vocabulary;
    let (purpose, category) = (question.purpose.as_str(), class.category.as_str());
    rule.purposes.as_ref().is_none_or(|v| v.iter().any(|p| vocabulary.purposes.touches(purpose, p.as_str())))
        && rule
            .data
            .as_ref()
            .is_none_or(|v| v.iter().any(|c| vocabulary.categories.touches(category, c.as_str())))
        && (rule.of.is_empty() || rule.of.contains(&class.subject_type))
        && (rule.by.is_empty() || rule.by.contains(&question.requester))
        && (rule.acts.is_empty() || rule.acts.contains(&question.act))
        && (rule.to.is_empty()
            || rule
                .to
                .iter()
                .any(|above| vocabulary.recipient_is(question.recipient.as_str(), above.as_str())))
}

impl Compiled {
    fn policies_where(&self, keep: impl Fn(&RuleId) -> bool) -> Vec<Policy> {
        let all = self.policies();
        all.filter(|p| keep(&RuleId::new(p.id().as_ref()))).cloned().collect()
    }
}
