//! How often something may happen to a person, and what came of asking for a place.

use consentry_model::{LedgerEvent, LedgerRevision, Moment, Occurrence, SubjectState};

use crate::{Appended, LedgerError, LedgerErrorKind, sent_since};

/// How many messages may be sent to one person from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// About which topic; `None` counts the messages about every one.
    pub topic: Option<String>,
    /// From when they count, inclusive. A message that is dated ahead counts too.
    pub since: Moment,
    /// How many there may be; with none there is never a place.
    pub times: u32,
}

/// What came of asking for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// There was one, and the event holds it.
    Placed(Appended),
    /// There was none left under one of the limits at this revision, and nothing was written.
    Exhausted {
        /// The position of the first limit that left none.
        limit: usize,
        /// How many entries the ledger held when they were counted.
        revision: LedgerRevision,
    },
    /// The identifier names nobody, and nothing was written.
    Unresolved,
}

/// The position of the first limit that leaves no place.
pub(crate) fn exhausted(limits: &[Limit], state: &SubjectState) -> Option<usize> {
    limits.iter().position(|limit| !limit.has_room(state))
}

/// Checks that every limit counts the event, and that there is one.
pub(crate) fn check(limits: &[Limit], event: &LedgerEvent) -> Result<(), LedgerError> {
    if limits.is_empty() {
        return Err(NOT_COUNTED);
    }
    limits.iter().try_for_each(|limit| limit.check(event))
}

impl Limit {
    fn has_room(&self, state: &SubjectState) -> bool {
        sent_since(state, self.topic.as_deref(), self.since, Moment::LAST) < self.times
    }

    /// Checks that the event is one of those that are counted: another would take no place.
    fn check(&self, event: &LedgerEvent) -> Result<(), LedgerError> {
        let counts = match event {
            LedgerEvent::Occurrence { what: Occurrence::Sent { topic }, effective } => {
                *effective >= self.since && self.topic.as_ref().is_none_or(|asked| asked == topic)
            }
            LedgerEvent::Occurrence { .. }
            | LedgerEvent::Consent(_)
            | LedgerEvent::Objection { .. }
            | LedgerEvent::Contract { .. }
            | LedgerEvent::Restriction { .. }
            | LedgerEvent::Erasure { .. }
            | LedgerEvent::Suppression { .. }
            | LedgerEvent::Attribute { .. }
            | LedgerEvent::Duty { .. } => false,
        };
        if counts { Ok(()) } else { Err(NOT_COUNTED) }
    }
}

const NOT_COUNTED: LedgerError =
    LedgerError::new(LedgerErrorKind::Conflict, "no limit counts the event that is to hold a place");
