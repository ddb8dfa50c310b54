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

/// The same answer for one data class of any number of subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictLine {
    /// The data category.
    pub category: Category,
    /// In which capacity the data was given.
    pub subject_type: SubjectType,
    /// Where it was collected, if the service map says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<str>>,
    /// Whose data, by the ledger's references; data about nobody resolved has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectRef>,
    /// How many subjects more got this answer whom the ledger does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unresolved: u64,
    /// The answer.
    pub treatment: Treatment,
    /// Every rule that determined it.
    pub rules: Vec<RuleId>,
    /// The clauses that those rules rest on.
    pub clauses: Vec<Arc<str>>,
    /// Why not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rules that would have made it a yes, with what each lacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<(RuleId, Reason)>,
    /// The facts that the answer was found on, by name; what is not here was unknown or not asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Arc<str>, FactWord>,
    /// The facts among them that nobody knew, and that the bundle assumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Arc<str>>,
}

impl VerdictLine {
    /// The line of a verdict, about nobody yet: fill in `subjects` or `unresolved`, and `facts`.
    #[must_use]
    pub fn new(category: Category, subject_type: SubjectType, verdict: &Verdict) -> Self {
        Self {
            category,
            subject_type,
            origin: None,
            subjects: Vec::new(),
            unresolved: 0,
            treatment: verdict.treatment,
            rules: verdict.rules.to_vec(),
            clauses: verdict.clauses.to_vec(),
            reason: verdict.reason,
            near: verdict.near.to_vec(),
            facts: BTreeMap::new(),
            assumed: Vec::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}
