//! The last record of a request.

use std::sync::Arc;

use consentry_model::Reason;
use serde::{Deserialize, Serialize};

use super::verdict_line::is_zero;

/// How a ticket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The whole answer was handed to the transport.
    Delivered,
    /// The request was refused.
    Refused,
    /// Something broke, here or behind us.
    Failed,
    /// The caller went away, or nobody closed the ticket.
    Abandoned,
}

impl End {
    /// The word in records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A field, by its path in the field map, and how often something was done to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathCount(pub Arc<str>, pub u64);

/// The last record of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Closing {
    /// How it ended.
    pub end: End,
    /// The status that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The true reason of a refusal or failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whether the ruling was only reported, not carried out; the ticket fills it in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report_only: bool,
    /// How many bytes of body were handed to the transport.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// How many records the answer held, dropped ones among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records: u64,
    /// How many records were dropped from it, and from the request.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// How many values left masked, truncated or pseudonymised, in either direction.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub altered: u64,
    /// How many values were withheld because no field map names them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undeclared: u64,
    /// Which declared fields were withheld, and how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<PathCount>,
    /// How many paths more were withheld than the record had room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withheld_more: u64,
}

impl Closing {
    /// A closing that says how it ended and nothing else; fill in what is known.
    #[must_use]
    pub const fn new(end: End) -> Self {
        Self {
            end,
            status: None,
            reason: None,
            report_only: false,
            bytes: 0,
            records: 0,
            omitted: 0,
            altered: 0,
            undeclared: 0,
            withheld: Vec::new(),
            withheld_more: 0,
        }
    }

    /// How many values did not leave as they were.
    pub(crate) fn redactions(&self) -> u64 {
        self.withheld
            .iter()
            .fold(self.altered.saturating_add(self.undeclared), |sum, PathCount(_, n)| sum.saturating_add(*n))
    }
}
