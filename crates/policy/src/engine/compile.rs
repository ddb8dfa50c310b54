//! Cells → decision programs. Cedar's type-aware partial evaluation folds away requester, recipient, purpose and
//! category; what it leaves is shared by all acts, subject types and classes of one category, whose words and attested
//! facts are put in afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, RwLock};

use cedar_policy::pst::Clause;
use cedar_policy::{
    Effect, EntityId, EntityUid, PartialEntityUid, PartialRequest, Policy, PolicyId, PolicySet,
};
use consentry_model::{Facts, Purpose, RuleId, Treatment};

use super::atoms::{Atom, Atoms};
use super::cedar::Compiled;
use super::cedar_text::no_of;
use super::decide::Question;
use super::formula::Formula;
use super::program::{Entry, Fires, Program};
use super::reduce::{Irreducible, Names, Reducer, clauses};
use crate::bundle::{Bundle, DataClass};

/// Compiles the cells of one bundle.
pub(crate) struct Compiler {
    atoms: Atoms,
    /// Where the rule of a policy stands in the bundle, by the policy's id.
    rules: BTreeMap<RuleId, usize>,
    /// Every entity that some policy names; `None` when that cannot be read, and each question stands for itself.
    named: Option<HashSet<EntityUid>>,
    left: RwLock<HashMap<Key, Arc<[Left]>>>,
}

/// What partial evaluation folds away, as far as policies can tell: of requester and recipient, of the purpose and of
/// the category, those entities and groups that some policy names. Questions with the same key have the same residuals.
type Key = [Vec<EntityUid>; 3];

/// A policy that partial evaluation leaves.
struct Left {
    rule: RuleId,
    permits: bool,
    when: When,
}

enum When {
    Always,
    If(Vec<Clause>),
    /// Partial evaluation did not work out.
    Beyond,
}

impl Compiler {
    pub(crate) fn new(compiled: &Compiled, bundle: &Bundle) -> Self {
        let names = Names::of(&bundle.facts.schema);
        let asked: Vec<BTreeSet<Atom>> = compiled
            .policies()
            .map(|policy| clauses(policy).map_or_else(|_| BTreeSet::new(), |c| names.atoms(&c)))
            .collect();
        let mut rules = BTreeMap::new();
        for (at, rule) in bundle.rules.iter().enumerate() {
            rules.insert(rule.id.clone(), at);
            rules.insert(no_of(&rule.id), at);
        }
        let named = compiled.policies().map(|p| Some(named(&p.to_json().ok()?))).collect::<Option<Vec<_>>>();
        let named = named.map(|all| all.into_iter().flatten().collect());
        Self { atoms: Atoms::new(asked, &bundle.facts.schema), rules, named, left: RwLock::default() }
    }

    /// The fact words of the bundle.
    pub(crate) fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// The program of a question whose words the bundle knows. What is attested of its class is part of it.
    pub(crate) fn program(
        &self,
        compiled: &Compiled,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
        attested: &Facts,
        steps: &[Treatment],
    ) -> Program {
        let left = self.left(compiled, bundle, question, class);
        let names = Names::of(&bundle.facts.schema);
        let mut reducer = Reducer {
            names: &names,
            atoms: &self.atoms,
            words: BTreeMap::from([
                ("act", question.act.code().to_owned()),
                ("subject_type", class.subject_type.as_str().to_owned()),
            ]),
            facts: attested,
        };
        let mut out = Vec::new();
        for treatment in steps {
            reducer.words.insert("treatment", treatment.code().to_owned());
            let entries = left.iter().filter_map(|left| self.entry(compiled, &reducer, left));
            let mut entries: Vec<Entry> = entries.collect();
            entries.sort_by_key(|e| compiled.position(&e.rule));
            out.push((*treatment, entries));
        }
        Program::new(out)
    }

    /// A policy in one treatment; `None` when it cannot fire.
    fn entry(&self, compiled: &Compiled, reducer: &Reducer<'_>, left: &Left) -> Option<Entry> {
        let formula = match &left.when {
            When::Always => Ok(Formula::Constant(true)),
            When::If(clauses) => reducer.clauses(clauses),
            When::Beyond => Err(Irreducible),
        };
        let fires = match formula {
            Ok(Formula::Constant(false)) => return None,
            Ok(formula) => match formula.cubes(&self.atoms) {
                Some(cubes) if cubes.is_empty() => return None,
                Some(cubes) => Fires::On(cubes),
                None => Fires::As(formula),
            },
            Err(Irreducible) => Fires::Beyond(Box::new(only(compiled, &left.rule))),
        };
        Some(Entry { rule: left.rule.clone(), permits: left.permits, fires })
    }

    fn left(
        &self,
        compiled: &Compiled,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
    ) -> Arc<[Left]> {
        let key = self.key(compiled, question, class);
        let there = self.left.read().ok().and_then(|left| left.get(&key).cloned());
        there.unwrap_or_else(|| {
            let slice = self.slice(compiled, bundle, question, class);
            let found: Arc<[Left]> = residuals(compiled, question, class, &slice)
                .unwrap_or_else(|Irreducible| slice.iter().map(|p| Left::of(p, When::Beyond)).collect())
                .into();
            if let Ok(mut left) = self.left.write() {
                left.insert(key, Arc::clone(&found));
            }
            found
        })
    }

    fn key(&self, compiled: &Compiled, question: &Question, class: &DataClass) -> Key {
        let (principal, action, resource) = compiled.uids(question, class);
        [principal, action, resource].map(|uid| {
            let Some((named, mut seen)) = self.named.as_ref().zip(compiled.above(&uid)) else {
                return vec![uid];
            };
            seen.push(uid);
            seen.retain(|uid| named.contains(uid));
            seen.sort_unstable();
            seen
        })
    }

    /// The policies whose purposes and data can match: what partial evaluation would find, sooner.
    fn slice(
        &self,
        compiled: &Compiled,
        bundle: &Bundle,
        question: &Question,
        class: &DataClass,
    ) -> Vec<Policy> {
        let vocabulary = &bundle.vocabulary;
        let (purpose, category) = (question.purpose.as_str(), class.category.as_str());
        let can_match = |policy: &&Policy| {
            let rule = self.rules.get(&RuleId::new(policy.id().as_ref()));
            rule.and_then(|at| bundle.rules.get(*at)).is_none_or(|rule| {
                let (purposes, data) = (rule.purposes.as_ref(), rule.data.as_ref());
                let touches = |p: &Purpose| vocabulary.purposes.touches(purpose, p.as_str());
                purposes.is_none_or(|v| v.iter().any(touches))
                    && data
                        .is_none_or(|v| v.iter().any(|c| vocabulary.categories.touches(category, c.as_str())))
            })
        };
        compiled.policies().filter(can_match).cloned().collect()
    }
}

impl Left {
    fn of(policy: &Policy, when: When) -> Self {
        Self { rule: RuleId::new(policy.id().as_ref()), permits: policy.effect() == Effect::Permit, when }
    }
}

/// The policies that partial evaluation leaves: always firing, or with a condition on facts.
fn residuals(
    compiled: &Compiled,
    question: &Question,
    class: &DataClass,
    slice: &[Policy],
) -> Result<Vec<Left>, Irreducible> {
    let set = PolicySet::from_policies(slice.iter().cloned()).map_err(|_| Irreducible)?;
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
    let always =
        |id: &PolicyId, permits| Left { rule: RuleId::new(id.as_ref()), permits, when: When::Always };
    let mut left: Vec<Left> = Vec::new();
    left.extend(response.true_permits().map(|id| always(id, true)));
    left.extend(response.true_forbids().map(|id| always(id, false)));
    for policy in response.residual_policies() {
        if !left.iter().any(|l| l.rule == RuleId::new(policy.id().as_ref())) {
            let when = clauses(&policy).map_or(When::Beyond, When::If);
            left.push(Left::of(&policy, when));
        }
    }
    Ok(left)
}

/// The entities that a policy names, by its form in JSON.
fn named(json: &serde_json::Value) -> Vec<EntityUid> {
    let mut out = Vec::new();
    let mut waiting = vec![json];
    while let Some(value) = waiting.pop() {
        match value {
            serde_json::Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(serde_json::Value::as_str);
                if let (Some(ty), Some(id)) = (text("type"), text("id"))
                    && let Ok(ty) = ty.parse()
                {
                    out.push(EntityUid::from_type_name_and_id(ty, EntityId::new(id)));
                }
                waiting.extend(members.values());
            }
            serde_json::Value::Array(items) => waiting.extend(items),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    out
}

/// One policy by itself, for Cedar. A set without it would never fire, so that a policy that is not there fails.
fn only(compiled: &Compiled, rule: &RuleId) -> PolicySet {
    let policy = compiled.policies().filter(|p| RuleId::new(p.id().as_ref()) == *rule).cloned();
    PolicySet::from_policies(policy).unwrap_or_default()
}
