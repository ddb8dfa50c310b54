//! The engine: one question in, one verdict out. Pure, synchronous, without I/O.

use std::sync::Arc;

use consentry_model::{
    Act, ClassId, ConsentState, FactValue, Facts, Moment, Purpose, Reason, RecipientId, RequesterId, RuleId,
    Treatment, Verdict,
};

use super::cedar::{Compiled, EngineError};
use super::cells::{Cell, FactWord};
use super::compile::Compiler;
use super::kept::Cells;
use super::reasons::{id_against, rank};
use super::spoken::Asked;
use crate::bundle::{Bundle, DataClass};
use crate::rules::{Rule, Verb};

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
    pub(super) compiled: Compiled,
    pub(super) compiler: Compiler,
    pub(super) cells: Cells,
    /// The rules that lay down obligations, by their place in the bundle.
    pub(super) obliging: Box<[usize]>,
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
        let compiler = Compiler::new(&compiled, &bundle);
        let obliges = |(at, rule): (usize, &Rule)| matches!(rule.verb, Verb::Require(_)).then_some(at);
        let obliging = bundle.rules.iter().enumerate().filter_map(obliges).collect();
        Ok(Self { bundle, compiled, compiler, cells: Cells::default(), obliging })
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
        Facts::unknown(&self.bundle.facts.schema)
    }

    /// The reason that holds whoever the person is; `None` as long as somebody's state could make it a yes. Of `facts`
    /// only what the request states is looked at, because the caller gives no others.
    #[must_use]
    pub fn hopeless(&self, question: &Question, request_facts: &Facts, now: Moment) -> Option<Reason> {
        self.hopeless_on(question, &self.word(request_facts, now), request_facts, now)
    }

    /// The same with the word of the facts and the time at hand.
    #[must_use]
    pub fn hopeless_on(
        &self,
        question: &Question,
        word: &FactWord,
        request_facts: &Facts,
        now: Moment,
    ) -> Option<Reason> {
        let Some(class) = self.bundle.service.class(question.class) else {
            return Some(Reason::EvaluationError);
        };
        if self.bundle.native.iter().any(|policy| policy.permits) {
            // What a native policy would say of somebody is not known before it is asked.
            return None;
        }
        if !self.compiled.knows(question) {
            return Some(Reason::RecipientNotPermitted);
        }
        if let Some(questions) = self.for_each_type(question) {
            let reasons: Option<Vec<Reason>> =
                questions.iter().map(|q| self.hopeless_on(q, word, request_facts, now)).collect();
            let gravest = |reasons: Vec<Reason>| reasons.into_iter().min_by_key(|r| rank(*r));
            return reasons.map(|all| gravest(all).unwrap_or(Reason::SubjectTypeUnknown));
        }
        let Ok(cell) = self.cell(question) else { return Some(Reason::EvaluationError) };
        cell.hopeless.get_or(&word.0, || {
            let facts = with_class(&self.bundle, request_facts, class);
            let asked = self.asked(question, class, Treatment::Clear, &facts, now);
            let steps: Vec<_> = class.ladder.steps().collect();
            let temptation = self.compiled.texts.iter().any(|t| t.id.as_str() == "tempted");
            asked.hopeless(&steps).filter(|_| !(temptation && asked.none_against()))
        })
    }

    /// The verdict for one data class of one person.
    #[must_use]
    pub fn decide(&self, question: &Question, facts: &Facts, person: Person, now: Moment) -> Verdict {
        self.decide_on(question, &self.word(facts, now), facts, person, now)
    }

    /// The same with the word of the facts and the time at hand.
    #[must_use]
    pub fn decide_on(
        &self,
        question: &Question,
        word: &FactWord,
        facts: &Facts,
        person: Person,
        now: Moment,
    ) -> Verdict {
        match self.cell(question) {
            Ok(cell) => (*self.verdict(&cell, word, facts, person, now)).clone(),
            Err(reason) => Verdict::withheld(reason),
        }
    }

    /// Whether the answer to a question follows from the word of the facts and from what colours its reason, and from
    /// nothing else: two people of whom these are the same get the same one. What is left to Cedar in part does not.
    #[must_use]
    pub fn follows_from_word(&self, question: &Question) -> bool {
        // Where there is no cell the answer is why.
        self.cell(question).map_or(true, |cell| !cell.program.is_beyond())
    }

    /// The verdict, and every rule that had something to say.
    #[must_use]
    pub fn trace(&self, question: &Question, facts: &Facts, person: Person, now: Moment) -> Trace {
        let verdict = self.decide(question, facts, person, now);
        let mut lines = Vec::new();
        if let Some(class) = self.bundle.service.class(question.class) {
            let facts = with_class(&self.bundle, facts, class);
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

    /// The verdict, found afresh.
    pub(super) fn find_verdict(
        &self,
        cell: &Cell,
        word: &FactWord,
        facts: &Facts,
        person: &Person,
        now: Moment,
    ) -> Verdict {
        let question = cell.question();
        let found = self.bundle.service.class(question.class).zip(self.decision(cell, word, facts, now));
        let Some((class, found)) = found else { return Verdict::withheld(Reason::EvaluationError) };
        let rules = cell.rules(&found).cloned().collect();
        let facts = with_class(&self.bundle, facts, class);
        let asked = self.asked(question, class, Treatment::Clear, &facts, now);
        match found.treatment() {
            Treatment::Clear => self.verdict_of(Treatment::Clear, rules, None, Vec::new()),
            Treatment::Withheld => {
                let why = asked.why_not(person);
                self.verdict_of(Treatment::Withheld, rules, Some(why.reason), why.near)
            }
            between @ (Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised) => {
                self.verdict_of(between, rules, Some(asked.why_not(person).reason), Vec::new())
            }
        }
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
            for clause in self.bundle.clauses_of(&id) {
                if !clauses.contains(clause) {
                    clauses.push(Arc::clone(clause));
                }
            }
        }
        Verdict { treatment, rules: rules.into(), clauses: clauses.into(), reason, near: near.into() }
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

/// The facts of a question, with what the service map states of the class. Whatever is not said to be about a group is
/// one person's.
pub(super) fn with_class(bundle: &Bundle, facts: &Facts, class: &DataClass) -> Facts {
    let mut facts = facts.clone();
    facts.set(bundle.facts.core.shape, Some(FactValue::Word(0)));
    for (id, value) in &class.facts {
        facts.set(*id, Some(*value));
    }
    facts
}
