//! How an entry is written and read back.

use consentry_model::{LedgerEvent, SubjectRef};

use crate::{LedgerError, LedgerErrorKind};

/// What the `kind` column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// The body is a [`LedgerEvent`].
    Event,
    /// The subject was created without any event; there is no body.
    Registered,
    /// Another identifier was linked; the body names the subject that was merged for it, if one was.
    Linked,
}

impl EntryKind {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Registered => "registered",
            Self::Linked => "linked",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        [Self::Event, Self::Registered, Self::Linked].into_iter().find(|k| k.code() == code)
    }
}

/// The body of an event.
pub(super) fn encode(event: &LedgerEvent) -> Result<String, LedgerError> {
    serde_json::to_string(event)
        .map_err(|_| LedgerError::new(LedgerErrorKind::Conflict, "an event cannot be written down"))
}

/// Reads an entry back: `None` for one that is no event. What is not exactly what [`encode`] writes is an error: a
/// member that this version does not know might be the very one that says no.
pub(super) fn decode(kind: &str, body: &str) -> Result<Option<LedgerEvent>, LedgerError> {
    match EntryKind::parse(kind) {
        Some(EntryKind::Event) => {
            let event: LedgerEvent = serde_json::from_str(body).map_err(|_| UNREADABLE)?;
            if encode(&event)? == body { Ok(Some(event)) } else { Err(UNREADABLE) }
        }
        Some(EntryKind::Registered) if body.is_empty() => Ok(None),
        Some(EntryKind::Linked) if body.is_empty() || SubjectRef::parse(body).is_some() => Ok(None),
        Some(EntryKind::Registered | EntryKind::Linked) | None => Err(UNREADABLE),
    }
}

/// Reads a stored reference back.
pub(super) fn reference(bytes: &[u8]) -> Result<SubjectRef, LedgerError> {
    let bytes = <[u8; 16]>::try_from(bytes)
        .map_err(|_| LedgerError::corrupt("a stored subject reference cannot be read back"))?;
    Ok(SubjectRef::from_bytes(bytes))
}

const UNREADABLE: LedgerError = LedgerError::corrupt("a stored event cannot be read back");
