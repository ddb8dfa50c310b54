//! The answer to one question, and the fold of the answers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Reason, Treatment};

/// The id of a rule, as the bundle writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// Takes an id as the bundle writes it.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The answer for one data class of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// The most revealing treatment that the rules permit.
    pub treatment: Treatment,
    /// Every rule that determined it, in the bundle's order: the permissions for a yes, the prohibitions for a no,
    /// none when nothing permits.
    pub rules: Arc<[RuleId]>,
    /// The clauses that those rules rest on.
    pub clauses: Arc<[Arc<str>]>,
    /// Why not clear; `None` for clear.
    pub reason: Option<Reason>,
    /// On a no: the rules that would have made it a yes, and what each still lacked, for evidence and `explain`
    /// only.
    pub near: Arc<[(RuleId, Reason)]>,
}

impl Verdict {
    /// Withheld for a reason, by no rule.
    #[must_use]
    pub fn withheld(reason: Reason) -> Self {
        Self {
            treatment: Treatment::Withheld,
            rules: [].into(),
            clauses: [].into(),
            reason: Some(reason),
            near: [].into(),
        }
    }
}

/// What became of a request: the fold of its verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything clear.
    Allow,
    /// Some of it withheld, dropped, masked or truncated.
    Redact,
    /// Nothing left, an error, or an undescribed request.
    Refuse,
}

impl Outcome {
    /// The word in cases and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Redact => "redact",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
