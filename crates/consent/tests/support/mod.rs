//! Short ways to write events down.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test that panics is a test that fails"
)]

use consentry_model::{
    Category, ConsentEvent, ConsentKind, ConsentState, Identifier, LedgerEvent, LedgerRevision, Lineage,
    Moment, Occurrence, Owed, Purpose, RecipientId, RecordedEvent, Space, SubjectRef, SubjectState,
};

/// Every purpose the tests know.
pub(crate) const PURPOSES: [&str; 7] = ["m", "m.c", "m.c.e", "m.c.e.w", "m.c.s", "m.x", "other"];

pub(crate) fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

pub(crate) fn purpose(key: &str) -> Purpose {
    Purpose::new(key).unwrap()
}

pub(crate) fn id(space: &str, value: &str) -> Identifier {
    Identifier::new(Space::new(space), value)
}

pub(crate) fn said(key: &str, state: ConsentState, millis: i64) -> ConsentEvent {
    ConsentEvent {
        purpose: purpose(key),
        state,
        kind: ConsentKind::OptIn,
        recipient: None,
        effective: at(millis),
        valid_until: None,
        notice: None,
    }
}

pub(crate) fn yes(key: &str, millis: i64) -> LedgerEvent {
    LedgerEvent::Consent(said(key, ConsentState::Given, millis))
}

pub(crate) fn event(key: &str, state: ConsentState, millis: i64) -> LedgerEvent {
    LedgerEvent::Consent(said(key, state, millis))
}

pub(crate) fn yes_until(key: &str, millis: i64, until: i64) -> LedgerEvent {
    LedgerEvent::Consent(ConsentEvent {
        valid_until: Some(at(until)),
        ..said(key, ConsentState::Given, millis)
    })
}

pub(crate) fn yes_as(key: &str, kind: ConsentKind, millis: i64) -> LedgerEvent {
    LedgerEvent::Consent(ConsentEvent { kind, ..said(key, ConsentState::Given, millis) })
}

pub(crate) fn event_for(recipient: &str, key: &str, state: ConsentState, millis: i64) -> LedgerEvent {
    let recipient = Some(RecipientId::new(recipient));
    LedgerEvent::Consent(ConsentEvent { recipient, ..said(key, state, millis) })
}

pub(crate) fn objection(key: &str, millis: i64) -> LedgerEvent {
    LedgerEvent::Objection { purpose: purpose(key), recipient: None, effective: at(millis) }
}

/// A history in which each event counts by its own date: no clock that recorded it bears on it.
pub(crate) fn state(events: &[LedgerEvent]) -> SubjectState {
    let dated: Vec<_> = events.iter().map(|event| (i64::MIN, event.clone())).collect();
    recorded(&dated)
}

/// A history with what the clock showed when each event was recorded.
pub(crate) fn recorded(events: &[(i64, LedgerEvent)]) -> SubjectState {
    let numbered = (1..).map(LedgerRevision).zip(events);
    let events = numbered.map(|(revision, (recorded, event))| RecordedEvent {
        revision,
        recorded_at: at(*recorded),
        event: event.clone(),
    });
    SubjectState { subject: SubjectRef::from_bytes([7; 16]), events: events.collect() }
}

/// The lineage of a key by its segments, among [`PURPOSES`].
pub(crate) fn lineage(asked: &str) -> Lineage {
    let asked = purpose(asked);
    let mut ancestors = Vec::new();
    let mut above = asked.parent();
    while let Some(key) = above {
        above = key.parent();
        ancestors.push(key);
    }
    let below = PURPOSES.into_iter().map(purpose).filter(|p| *p != asked && p.is_within(&asked)).collect();
    Lineage::new(asked, ancestors, below)
}

pub(crate) fn category(key: &str) -> Category {
    Category::new(key).unwrap()
}

fn occurrence(what: Occurrence, millis: i64) -> LedgerEvent {
    LedgerEvent::Occurrence { what, effective: at(millis) }
}

pub(crate) fn born(day: &str, millis: i64) -> LedgerEvent {
    LedgerEvent::Attribute { name: "born".into(), value: day.into(), effective: at(millis) }
}

pub(crate) fn collected(key: &str, millis: i64) -> LedgerEvent {
    occurrence(Occurrence::Collected { category: category(key), origin: None }, millis)
}

pub(crate) fn told(recipient: &str, millis: i64) -> LedgerEvent {
    occurrence(Occurrence::Told { recipient: RecipientId::new(recipient) }, millis)
}

pub(crate) fn notified(version: &str, millis: i64) -> LedgerEvent {
    occurrence(Occurrence::Notified { version: version.into() }, millis)
}

pub(crate) fn sent(topic: &str, millis: i64) -> LedgerEvent {
    occurrence(Occurrence::Sent { topic: topic.into() }, millis)
}

pub(crate) fn disclosed(key: &str, recipient: &str, millis: i64) -> LedgerEvent {
    let what = Occurrence::Disclosed { category: category(key), recipient: RecipientId::new(recipient) };
    occurrence(what, millis)
}

pub(crate) fn duty(what: Owed, due: Option<i64>, millis: i64) -> LedgerEvent {
    LedgerEvent::Duty { what, due: due.map(at), effective: at(millis) }
}
