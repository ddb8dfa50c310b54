//! Contract, restriction, suppression and erasure as of a moment.

use consentry_model::{ContractState, LedgerEvent, Moment, SubjectState};

/// Where the contract with the subject stands: as the latest event by (effective time, revision) says, and
/// [`ContractState::None`] without any.
#[must_use]
pub fn contract(state: &SubjectState, at: Moment) -> ContractState {
    let events = state.events.iter().filter_map(|(revision, event)| match event {
        LedgerEvent::Contract { state, effective } if *effective <= at => {
            Some((*effective, *revision, *state))
        }
        LedgerEvent::Contract { .. }
        | LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    });
    events.max_by_key(|(effective, revision, _)| (*effective, *revision)).map_or(ContractState::None, |e| e.2)
}

/// Whether processing is restricted: the latest event by effective time decides, and of several with the same
/// effective time one that restricts.
#[must_use]
pub fn restricted(state: &SubjectState, at: Moment) -> bool {
    let said = |event: &LedgerEvent| match event {
        LedgerEvent::Restriction { on, effective } => Some((*effective, *on)),
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
        LedgerEvent::Suppression { on, effective } => Some((*effective, *on)),
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
    state
        .events
        .iter()
        .any(|(_, event)| matches!(event, LedgerEvent::Erasure { effective } if *effective <= at))
}

/// Whether the latest of what is said is a yes; at one moment, whether any of it is.
fn is_on(state: &SubjectState, at: Moment, said: impl Fn(&LedgerEvent) -> Option<(Moment, bool)>) -> bool {
    let told = state.events.iter().filter_map(|(_, event)| said(event));
    told.filter(|(effective, _)| *effective <= at).max().is_some_and(|(_, on)| on)
}
