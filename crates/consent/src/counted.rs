//! Whether an event counts, and as of when. Events are dated by a clock, and a clock may have been ahead and was set
//! back. In which order they were recorded is certain, whatever it showed.
//!
//! * What was dated ahead on purpose, after the moment at which it was recorded, counts from its date.
//! * Everything else happened before it was recorded, and so before whatever was recorded after it. Where its date is
//!   later than that, or still to come, a clock was wrong, and nobody knows when it happened. What opens something
//!   counts from its date, and is then as old as it can be. What closes something counts at once, and bears its date: that
//!   it must be older would be said by requests that overlap and by a clock that was behind, too. So a clock undoes no
//!   no, and none permits more than the dates alone.

use consentry_model::{
    ConsentState, ContractState, LedgerEvent, Moment, Occurrence, RecordedEvent, SubjectState,
};

/// An event that counts.
#[derive(Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) recorded: &'a RecordedEvent,
    /// As of when: what is compared with other events' times. Of what closes something it may be still to come.
    pub(crate) as_of: Moment,
}

/// What an event does for whoever wants data, which tells on which side to err.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bearing {
    /// It opens something until it is closed later, or binds the more the older it is.
    Opens,
    /// It closes something, or has something owed or counted.
    Closes,
    /// It tells a value, of which the one recorded last is the newest.
    Tells,
    /// It opens something from then on, and the more the older it is.
    Informs,
}

/// The events that count at `at`, the one recorded last first.
pub(crate) fn counted(state: &SubjectState, at: Moment) -> impl Iterator<Item = Counted<'_>> {
    let mut happened_by = Moment::LAST;
    state.events.iter().rev().filter_map(move |recorded| {
        let as_of = as_of(recorded, happened_by, at);
        happened_by = happened_by.min(recorded.recorded_at);
        as_of.map(|as_of| Counted { recorded, as_of })
    })
}

/// As of when an event counts, if it does, where whatever was recorded later says that it happened by then.
fn as_of(recorded: &RecordedEvent, happened_by: Moment, at: Moment) -> Option<Moment> {
    let effective = recorded.event.effective();
    let counts = effective <= at;
    if recorded.is_dated_ahead() {
        return counts.then_some(effective);
    }
    match bearing(&recorded.event) {
        Bearing::Opens => counts.then(|| effective.min(happened_by)),
        Bearing::Closes => Some(effective),
        Bearing::Tells => Some(effective.min(happened_by)),
        Bearing::Informs => counts.then_some(effective),
    }
}

const fn bearing(event: &LedgerEvent) -> Bearing {
    match event {
        LedgerEvent::Consent(consent) => match consent.state {
            ConsentState::Given
            | ConsentState::Renewed
            | ConsentState::Unknown
            | ConsentState::Requested
            | ConsentState::Deferred => Bearing::Opens,
            ConsentState::Refused
            | ConsentState::Withdrawn
            | ConsentState::Expired
            | ConsentState::Revoked
            | ConsentState::Invalidated => Bearing::Closes,
        },
        LedgerEvent::Contract { state, .. } => match state {
            ContractState::Requested | ContractState::Active => Bearing::Opens,
            ContractState::None | ContractState::Ended => Bearing::Closes,
        },
        LedgerEvent::Restriction { on, .. } | LedgerEvent::Suppression { on, .. } => {
            if *on {
                Bearing::Closes
            } else {
                Bearing::Opens
            }
        }
        LedgerEvent::Objection { .. } | LedgerEvent::Erasure { .. } | LedgerEvent::Duty { .. } => {
            Bearing::Closes
        }
        LedgerEvent::Attribute { .. } => Bearing::Tells,
        LedgerEvent::Occurrence { what, .. } => match what {
            Occurrence::Collected { .. } => Bearing::Opens,
            Occurrence::Told { .. } | Occurrence::Notified { .. } | Occurrence::Informed => Bearing::Informs,
            Occurrence::Sent { .. } | Occurrence::Disclosed { .. } => Bearing::Closes,
        },
    }
}
