//! One line of the list of answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Category, Reason, RuleId, SubjectRef, SubjectType, Treatment, Verdict};
use serde::{Deserialize, Serialize};

/// In which direction a body went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the caller to the service.
    Request,
    /// From the service to the caller.
    Response,
}

/// The value of a fact that identifies nobody, kept so that the decision can be replayed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactWord {
    /// Of a Boolean fact.
    Bool(bool),
    /// Of a number.
    Int(i64),
    /// A word of the fact's type.
    Word(Arc<str>),
}

/// Facts by name.
pub type FactWords = BTreeMap<Arc<str>, FactWord>;

/// The same answer for data classes of any number of subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictLine {
    /// The data categories, each once.
    pub categories: Vec<Category>,
    /// In which capacity the data was given.
    pub subject_type: SubjectType,
    /// Where it was collected, if the service map says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<str>>,
    /// How many subjects more got this answer whom the ledger does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unresolved: u64,
    /// The answer.
    pub treatment: Treatment,
    /// Every rule that determined it.
    pub rules: Arc<[RuleId]>,
    /// The clauses that those rules rest on.
    pub clauses: Arc<[Arc<str>]>,
    /// Why not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rules that would have made it a yes, with what each lacked.
    #[serde(default = "none", skip_serializing_if = "is_none")]
    pub near: Arc<[(RuleId, Reason)]>,
    /// The facts that the answer was found on; what is not here was unknown or not asked. `None` stands for those of the
    /// line before in the same record, if there is one, and is how equal ones are written; when a record is read they
    /// are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Arc<FactWords>>,
    /// The facts among them that nobody knew, and that the bundle assumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Arc<str>>,
    /// Whose data, by the ledger's references; data about nobody resolved has none. They come last: a [`Wording`] ends
    /// with them.
    ///
    /// [`Wording`]: crate::Wording
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectRef>,
}

impl VerdictLine {
    /// The line of a verdict, about nobody yet: fill in `subjects` or `unresolved`, and `facts`.
    #[must_use]
    pub fn new(category: Category, subject_type: SubjectType, verdict: &Verdict) -> Self {
        Self {
            categories: vec![category],
            subject_type,
            origin: None,
            unresolved: 0,
            treatment: verdict.treatment,
            rules: Arc::clone(&verdict.rules),
            clauses: Arc::clone(&verdict.clauses),
            reason: verdict.reason,
            near: Arc::clone(&verdict.near),
            facts: None,
            assumed: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// The facts that the answer was found on, of a line that was read.
    pub fn known(&self) -> impl Iterator<Item = (&Arc<str>, &FactWord)> {
        self.facts.iter().flat_map(|facts| facts.iter())
    }
}

/// Leaves the facts of a line out where the line before has the same.
pub(crate) fn leave_out_repeated(lines: &mut [VerdictLine]) {
    let mut before: Option<Arc<FactWords>> = None;
    for line in lines {
        // Without any a line would seem to have those of the line before.
        let facts = line.facts.get_or_insert_default();
        let same = before.as_ref().is_some_and(|there| Arc::ptr_eq(there, facts) || there == facts);
        if same {
            line.facts = None;
        } else {
            before = Some(Arc::clone(facts));
        }
    }
}

/// Fills in the facts of lines where the line before has the same.
pub(crate) fn fill_in_repeated(lines: &mut [VerdictLine]) {
    let mut before: Option<Arc<FactWords>> = None;
    for line in lines {
        match &line.facts {
            Some(facts) => before = Some(Arc::clone(facts)),
            None => line.facts.clone_from(&before),
        }
    }
}

fn none() -> Arc<[(RuleId, Reason)]> {
    [].into()
}

fn is_none(near: &Arc<[(RuleId, Reason)]>) -> bool {
    near.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}
