//! What the controller owes a person, as of a moment.

use std::collections::BTreeSet;

use consentry_model::{LedgerEvent, Moment, Owed, SubjectState};

use crate::counted::counted;

/// What is owed to the person and until when, each once, in a fixed order.
///
/// An answer and an erasure stay owed when they are late: no event says yet that they were given. Keeping ends with its
/// date, exclusive: from then on nothing obliges to keep what else was erased. Without a date it does not end.
#[must_use]
pub fn owed(state: &SubjectState, at: Moment) -> Vec<(Owed, Option<Moment>)> {
    let duties = counted(state, at).filter_map(|counted| match &counted.recorded.event {
        LedgerEvent::Duty { what, due, .. } => Some((what.clone(), *due)),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Occurrence { .. } => None,
    });
    let is_over = |what: &Owed, due: Option<Moment>| match what {
        Owed::Keeping { .. } => due.is_some_and(|due| due <= at),
        Owed::Answer { .. } | Owed::Erasure { .. } => false,
    };
    let distinct: BTreeSet<_> = duties.filter(|(what, due)| !is_over(what, *due)).collect();
    distinct.into_iter().collect()
}
