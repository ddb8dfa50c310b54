//! Contract, restriction and erasure as of a moment.

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
        | LedgerEvent::Erasure { .. } => None,
    });
    events.max_by_key(|(effective, revision, _)| (*effective, *revision)).map_or(ContractState::None, |e| e.2)
}

/// Whether processing is restricted: the latest event by effective time decides, and of several with the same
/// effective time one that restricts.
#[must_use]
pub fn restricted(state: &SubjectState, at: Moment) -> bool {
    let events = state.events.iter().filter_map(|(_, event)| match event {
        LedgerEvent::Restriction { on, effective } if *effective <= at => Some((*effective, *on)),
        LedgerEvent::Restriction { .. }
        | LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Erasure { .. } => None,
    });
    events.max().is_some_and(|(_, on)| on)
}

/// Whether the person's data was erased at or before `at`. Nothing recorded later undoes it.
#[must_use]
pub fn erased(state: &SubjectState, at: Moment) -> bool {
    state
        .events
        .iter()
        .any(|(_, event)| matches!(event, LedgerEvent::Erasure { effective } if *effective <= at))
}
