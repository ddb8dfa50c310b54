//! Contract, restriction, suppression and erasure as of a moment.

use consentry_model::{ContractState, LedgerEvent, Moment, SubjectState};

use crate::counted::counted;

/// Where the contract with the subject stands: as the latest event by (effective time, revision) says, and
/// [`ContractState::None`] without any.
#[must_use]
pub fn contract(state: &SubjectState, at: Moment) -> ContractState {
    let events = counted(state, at).filter_map(|counted| match &counted.recorded.event {
        LedgerEvent::Contract { state, .. } => Some((counted.as_of, counted.recorded.revision, *state)),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    });
    events.max_by_key(|(as_of, revision, _)| (*as_of, *revision)).map_or(ContractState::None, |e| e.2)
}

/// Whether processing is restricted: the latest event by effective time decides, and of several with the same
/// effective time one that restricts.
#[must_use]
pub fn restricted(state: &SubjectState, at: Moment) -> bool {
    let said = |event: &LedgerEvent| match event {
        LedgerEvent::Restriction { on, .. } => Some(*on),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    };
    is_on(state, at, said)
}

/// Whether nothing may be sent to the person: the latest event by effective time decides, and of several with the
/// same effective time one that suppresses.
#[must_use]
pub fn suppressed(state: &SubjectState, at: Moment) -> bool {
    let said = |event: &LedgerEvent| match event {
        LedgerEvent::Suppression { on, .. } => Some(*on),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    };
    is_on(state, at, said)
}

/// Whether the person's data was erased at or before `at`. Nothing recorded later undoes it.
#[must_use]
pub fn erased(state: &SubjectState, at: Moment) -> bool {
    counted(state, at).any(|counted| matches!(counted.recorded.event, LedgerEvent::Erasure { .. }))
}

/// Whether the latest of what is said is a yes; at one moment, whether any of it is.
fn is_on(state: &SubjectState, at: Moment, said: impl Fn(&LedgerEvent) -> Option<bool>) -> bool {
    let told = counted(state, at).filter_map(|counted| Some((counted.as_of, said(&counted.recorded.event)?)));
    told.max().is_some_and(|(_, on)| on)
}
