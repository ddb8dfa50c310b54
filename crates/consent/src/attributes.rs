//! What is recorded about a person that rules ask: region, date of birth, type, employer.

use std::collections::BTreeSet;

use consentry_model::{LedgerEvent, LedgerRevision, Moment, SubjectState};

use crate::counted::counted;

/// The value that an attribute has: the latest by (effective time, revision). Nothing says what is not recorded. What a
/// clock that was ahead recorded counts at once, or an older value would, and is older than what was recorded after it.
#[must_use]
pub fn attribute<'a>(state: &'a SubjectState, name: &str, at: Moment) -> Option<&'a str> {
    let latest = stated(state, name, at).max_by_key(|(as_of, revision, _)| (*as_of, *revision));
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
    counted(state, at).filter_map(move |counted| match &counted.recorded.event {
        LedgerEvent::Attribute { name, value, .. } if name == asked => {
            Some((counted.as_of, counted.recorded.revision, value.as_str()))
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
