//! The engine: one question in, one verdict out. Pure, synchronous, without I/O.

use std::sync::Arc;

use consentry_model::{
    Act, ClassId, ConsentState, Facts, Ladder, Moment, Purpose, Reason, RecipientId, RequesterId, RuleId,
    Treatment, Verdict,
};

use super::cedar::{Answer, Compiled, EngineError};
use super::kept::{Eras, Kept, Questions};
use super::program::Cell;
use super::reasons::id_against;
use super::spoken::Asked;
use crate::bundle::{Bundle, DataClass};
use crate::rules::Verb;

/// May this requester, for this recipient, do this act with this class of data for this purpose?
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Who asks.
    pub requester: RequesterId,
    /// In which capacity the data is received.
    pub recipient: RecipientId,
    /// What is done.
    pub act: Act,
    /// Why.
    pub purpose: Purpose,
    /// With what.
    pub class: ClassId,
}

/// What is known of a person's wish; it colours the reason and never the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// Whether the ledger knows the person, or the route is about nobody in particular.
    pub resolved: bool,
    /// The state of the consent to the asked purpose; `None` without any record.
    pub consent: Option<ConsentState>,
    /// Whether an objection stands.
    pub objected: bool,
}

impl Person {
    /// Nobody in particular: the ledger cannot hold anything.
    pub const ANONYMOUS: Self = Self { resolved: true, consent: None, objected: false };
    /// Somebody whom the ledger does not know.
    pub const UNRESOLVED: Self = Self { resolved: false, consent: None, objected: false };
}

/// What one rule had to say, for `explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// The rule.
    pub rule: RuleId,
    /// `true` for a rule that permits, `false` for one that stops or binds.
    pub permits: bool,
    /// Whether it spoke: known, or unknown.
    pub spoke: Option<bool>,
}

/// Everything that was said to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The verdict.
    pub verdict: Verdict,
    /// The rules whose scope fits, in the bundle's order.
    pub lines: Vec<TraceLine>,
}

/// A bundle, compiled.
///
/// ```
/// use consentry_policy::{Bundle, Engine, Sources};
///
/// let text = "bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}\n";
/// let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text)])).unwrap();
/// let engine = Engine::new(bundle)?;
/// assert!(engine.cedar_policies().contains("core-erased"));
/// # Ok::<(), consentry_policy::EngineError>(())
/// ```
pub struct Engine {
    bundle: Bundle,
    compiled: Compiled,
    eras: Eras,
    kept: Questions,
}

impl Engine {
    /// Compiles a bundle.
    ///
    /// # Errors
    /// When the generated policies do not pass Cedar's strict validation.
    pub fn new(bundle: Bundle) -> Result<Self, EngineError> {
        Self::compile(bundle, false)
    }

    /// Compiles a bundle beside a rule that permits everything: only prohibitions and obligations can still refuse. For
    /// the tests of prohibitions; nothing that serves requests calls it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn tempted(bundle: Bundle) -> Result<Self, EngineError> {
        Self::compile(bundle, true)
    }

    fn compile(bundle: Bundle, tempted: bool) -> Result<Self, EngineError> {
        let compiled = Compiled::new(&bundle, tempted)?;
        let eras = Eras::of(&bundle.rules);
        Ok(Self { bundle, compiled, eras, kept: Questions::default() })
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The Cedar policies, as text: the reference semantics.
    #[must_use]
    pub fn cedar_policies(&self) -> String {
        self.compiled.texts.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The strict schema that the policies are validated against.
    #[must_use]
    pub fn cedar_schema(&self) -> &str {
        &self.compiled.schema_text
    }

    /// Facts with everything unknown, ready to be stated.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts::unknown(&self.bundle.schema)
    }

    /// The reason that holds whoever the person is; `None` as long as somebody's state could make it a yes. Of `facts`
    /// only what the request states is looked at, because the caller gives no others.
    #[must_use]
    pub fn hopeless(&self, question: &Question, request_facts: &Facts, now: Moment) -> Option<Reason> {
        let Some(class) = self.bundle.service.class(question.class) else {
            return Some(Reason::EvaluationError);
        };
        if !self.compiled.knows(question) {
            return Some(Reason::RecipientNotPermitted);
        }
        let kept = self.kept(question, class);
        kept.hopeless.get_or(request_facts, (), self.eras.at(now), || {
            let facts = with_class(request_facts, class);
            let asked = self.asked(question, class, Treatment::Clear, &facts, now);
            let steps: Vec<_> = self.ladder(class).steps().collect();
            let temptation = self.compiled.texts.iter().any(|t| t.id.as_str() == "tempted");
            asked.hopeless(&steps).filter(|_| !(temptation && asked.none_against()))
        })
    }

    /// The verdict for one data class of one person.
    #[must_use]
    pub fn decide(&self, question: &Question, facts: &Facts, person: Person, now: Moment) -> Verdict {
        let Some(class) = self.bundle.service.class(question.class) else {
            return withheld(Reason::EvaluationError);
        };
        if !self.compiled.knows(question) {
            return withheld(Reason::RecipientNotPermitted);
        }
        let kept = self.kept(question, class);
        kept.verdicts.get_or(facts, person, self.eras.at(now), || {
            self.verdict(question, class, &kept.cell, facts, &person, now)
        })
    }

    /// The verdict, and every rule that had something to say.
    #[must_use]
    pub fn trace(&self, question: &Question, facts: &Facts, person: Person, now: Moment) -> Trace {
        let verdict = self.decide(question, facts, person, now);
        let mut lines = Vec::new();
        if let Some(class) = self.bundle.service.class(question.class) {
            let facts = with_class(facts, class);
            let asked = self.asked(question, class, Treatment::Clear, &facts, now);
            for rule in &self.bundle.rules {
                if matches!(rule.verb, Verb::Permit { .. }) && asked.lacks(rule).is_some() {
                    let spoke = asked.for_it(rule);
                    lines.push(TraceLine { rule: rule.id.clone(), permits: true, spoke });
                }
                match asked.against(rule) {
                    Some(false) => {}
                    spoke => lines.push(TraceLine { rule: id_against(rule), permits: false, spoke }),
                }
            }
        }
        Trace { verdict, lines }
    }

    fn verdict(
        &self,
        question: &Question,
        class: &DataClass,
        cell: &Cell,
        facts: &Facts,
        person: &Person,
        now: Moment,
    ) -> Verdict {
        let facts = with_class(facts, class);
        let mut first_no: Option<Vec<RuleId>> = None;
        for treatment in self.ladder(class).steps() {
            match self.ask(question, class, cell, treatment, &facts, now) {
                Answer::Error => return withheld(Reason::EvaluationError),
                Answer::Yes(rules) => {
                    let clear = treatment == Treatment::Clear;
                    let asked = self.asked(question, class, Treatment::Clear, &facts, now);
                    let reason = (!clear).then(|| asked.why_not(person).reason);
                    return self.verdict_of(treatment, rules, reason, Vec::new());
                }
                Answer::No(rules) => _ = first_no.get_or_insert(rules),
            }
        }
        let asked = self.asked(question, class, Treatment::Clear, &facts, now);
        let why = asked.why_not(person);
        self.verdict_of(Treatment::Withheld, first_no.unwrap_or_default(), Some(why.reason), why.near)
    }

    /// Asks the cell's program, or Cedar where it could not be reduced to one.
    fn ask(
        &self,
        question: &Question,
        class: &DataClass,
        cell: &Cell,
        treatment: Treatment,
        facts: &Facts,
        now: Moment,
    ) -> Answer {
        match cell {
            Cell::Program(program) => program.ask(treatment, facts, now),
            Cell::Irreducible => self.compiled.ask(&self.bundle, question, class, treatment, facts, now),
        }
    }

    fn kept(&self, question: &Question, class: &DataClass) -> Arc<Kept> {
        self.kept.get_or(question, || {
            let steps: Vec<_> = self.ladder(class).steps().collect();
            Cell::compile(&self.compiled, &self.bundle, question, class, &steps)
        })
    }

    fn verdict_of(
        &self,
        treatment: Treatment,
        rules: Vec<RuleId>,
        reason: Option<Reason>,
        near: Vec<(RuleId, Reason)>,
    ) -> Verdict {
        let mut clauses: Vec<Arc<str>> = Vec::new();
        let nearest = near.iter().map(|(id, _)| id).take_while(|_| rules.is_empty());
        for id in rules.iter().chain(nearest) {
            let id = RuleId::new(id.as_str().trim_end_matches("/no"));
            for clause in self.bundle.rule(&id).into_iter().flat_map(|r| &r.clauses) {
                if !clauses.contains(clause) {
                    clauses.push(Arc::clone(clause));
                }
            }
        }
        Verdict { treatment, rules: rules.into(), clauses: clauses.into(), reason, near: near.into() }
    }

    fn ladder(&self, class: &DataClass) -> Ladder {
        self.bundle.vocabulary.ladder(&class.category)
    }

    fn asked<'a>(
        &'a self,
        question: &'a Question,
        class: &'a DataClass,
        treatment: Treatment,
        facts: &'a Facts,
        now: Moment,
    ) -> Asked<'a> {
        Asked { bundle: &self.bundle, question, class, treatment, facts, now }
    }
}

impl Asked<'_> {
    fn none_against(&self) -> bool {
        self.bundle.rules.iter().all(|r| self.against(r) != Some(true))
    }
}

fn with_class(facts: &Facts, class: &DataClass) -> Facts {
    let mut facts = facts.clone();
    for (id, value) in &class.facts {
        facts.set(*id, Some(*value));
    }
    facts
}

fn withheld(reason: Reason) -> Verdict {
    Verdict {
        treatment: Treatment::Withheld,
        rules: [].into(),
        clauses: [].into(),
        reason: Some(reason),
        near: [].into(),
    }
}
