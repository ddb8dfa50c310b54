//! The records that belong to no request.

use std::collections::BTreeMap;

use consentry_model::{BundleDigest, LedgerEvent, LedgerRevision, Reason, SubjectRef};
use serde::{Deserialize, Serialize};

use crate::id::RecordId;

/// A record that the process commits on its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A bundle came into force.
    PolicyInstalled(PolicyInstalled),
    /// A bundle was offered and not installed.
    PolicyRefused(PolicyRefused),
    /// Something that binds what is decided about a person was written to the ledger.
    ConsentChanged(ConsentChanged),
}

macro_rules! notes {
    ($($name:ident)*) => {$(
        impl From<$name> for Note {
            fn from(note: $name) -> Self {
                Self::$name(note)
            }
        }
    )*};
}
notes!(PolicyInstalled PolicyRefused ConsentChanged);

/// A process opened the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogOpened {
    /// A random name of this opening.
    pub boot: String,
    /// The format that is written.
    pub format: String,
    /// How many records there were.
    pub previous_size: u64,
    /// The root over them, in hex.
    pub previous_root: String,
}

/// A group that a crash had left incomplete was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogRecovered {
    /// How many bytes were cut off. None of them had been acknowledged to anybody.
    pub bytes_dropped: u64,
}

/// The log could not be written for a while, and now can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogOutage {
    /// Since when, as RFC 3339.
    pub since: String,
    /// Until when, as RFC 3339.
    pub until: String,
    /// How many requests ended meanwhile whose last record is lost.
    pub closings_lost: u64,
    /// How many records were refused; nothing was released on their account.
    pub commits_failed: u64,
    /// How many requests were refused for want of evidence.
    pub requests_refused: u64,
}

/// A bundle came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PolicyInstalled {
    /// The bundle.
    pub bundle: BundleDigest,
    /// Whose it is.
    pub controller: String,
    /// Its version, as its maker counts.
    pub version: String,
}

impl PolicyInstalled {
    /// The record of an installation.
    #[must_use]
    pub fn new(bundle: BundleDigest, controller: &str, version: &str) -> Self {
        Self { bundle, controller: controller.into(), version: version.into() }
    }
}

/// A bundle was offered and not installed; the one before stays in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PolicyRefused {
    /// Why: file, place and word, and no personal data.
    pub why: String,
}

impl PolicyRefused {
    /// The record of a refusal; a text over 4,096 bytes is cut.
    #[must_use]
    pub fn new(why: &str) -> Self {
        Self {
            why: why.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 4096).map(|(_, c)| c).collect(),
        }
    }
}

/// Requests that were refused before anybody was known to have made them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// From when, as RFC 3339.
    pub since: String,
    /// Until when, as RFC 3339.
    pub until: String,
    /// How many, by reason.
    pub counts: BTreeMap<Reason, u64>,
}

/// Something that binds what is decided about a person was written to the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsentChanged {
    /// Whose.
    pub subject: SubjectRef,
    /// The ledger's revision that holds it; whatever is decided at or after it is bound by it.
    pub revision: LedgerRevision,
    /// The ticket of the request that said it; `None` where it came another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RecordId>,
    /// What was written, as the ledger holds it.
    pub change: LedgerEvent,
}

impl ConsentChanged {
    /// The record of what a ledger's entry changes: a consent, an objection, a contract, a restriction, a suppression or an
    /// erasure. `None` for what is only noted of a person, which has no place in evidence: what they were called or born,
    /// what happened, and what is owed.
    #[must_use]
    pub fn of(
        subject: SubjectRef,
        revision: LedgerRevision,
        request: Option<RecordId>,
        entry: &LedgerEvent,
    ) -> Option<Self> {
        match entry {
            LedgerEvent::Consent(_)
            | LedgerEvent::Objection { .. }
            | LedgerEvent::Contract { .. }
            | LedgerEvent::Restriction { .. }
            | LedgerEvent::Suppression { .. }
            | LedgerEvent::Erasure { .. } => Some(Self { subject, revision, request, change: entry.clone() }),
            LedgerEvent::Attribute { .. } | LedgerEvent::Occurrence { .. } | LedgerEvent::Duty { .. } => None,
        }
    }
}
