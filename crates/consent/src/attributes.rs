//! What is recorded about a person that rules ask: region, date of birth, type, employer.

use std::collections::BTreeSet;

use consentry_model::{LedgerEvent, LedgerRevision, Moment, SubjectState};

/// The value that an attribute has: the latest by (effective time, revision). Nothing says what is not recorded.
#[must_use]
pub fn attribute<'a>(state: &'a SubjectState, name: &str, at: Moment) -> Option<&'a str> {
    let latest = stated(state, name, at).max_by_key(|(effective, revision, _)| (*effective, *revision));
    latest.map(|(_, _, value)| value)
}

/// Every value that an attribute was ever given up to `at`: the relations of a person, of which one does not end
/// another.
#[must_use]
pub fn attributes<'a>(state: &'a SubjectState, name: &str, at: Moment) -> BTreeSet<&'a str> {
    stated(state, name, at).map(|(_, _, value)| value).collect()
}

fn stated<'a>(
    state: &'a SubjectState,
    asked: &str,
    at: Moment,
) -> impl Iterator<Item = (Moment, LedgerRevision, &'a str)> {
    state.events.iter().filter_map(move |(revision, event)| match event {
        LedgerEvent::Attribute { name, value, effective } if name == asked && *effective <= at => {
            Some((*effective, *revision, value.as_str()))
        }
        LedgerEvent::Attribute { .. }
        | LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Occurrence { .. }
        | LedgerEvent::Duty { .. } => None,
    })
}
