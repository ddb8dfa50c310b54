//! What happened between the controller and a person, as of a moment.

use std::collections::BTreeSet;

use consentry_model::{Category, LedgerEvent, Moment, Occurrence, RecipientId, SubjectState};

use crate::counted::counted;

/// Whether the person was told about cookies at or before `at`.
#[must_use]
pub fn informed(state: &SubjectState, at: Moment) -> bool {
    earliest(state, at, |what| matches!(what, Occurrence::Informed)).is_some()
}

/// When the person was first told of a recipient that matches: whoever was told once is told. The caller says which
/// names speak of the recipient that is asked about.
#[must_use]
pub fn told_of(state: &SubjectState, matches: &dyn Fn(&RecipientId) -> bool, at: Moment) -> Option<Moment> {
    earliest(state, at, |what| matches!(what, Occurrence::Told { recipient } if matches(recipient)))
}

/// When the person was first told of a version of the policy.
#[must_use]
pub fn notified_of(state: &SubjectState, asked: &str, at: Moment) -> Option<Moment> {
    earliest(state, at, |what| matches!(what, Occurrence::Notified { version } if version == asked))
}

/// Since when a datum of a category that is covered is there: the earliest time on record. Where one was given several
/// times the oldest binds the most: by the older notice, and for a term that ends sooner.
#[must_use]
pub fn collected_at(state: &SubjectState, covers: &dyn Fn(&Category) -> bool, at: Moment) -> Option<Moment> {
    earliest(state, at, |what| matches!(what, Occurrence::Collected { category, .. } if covers(category)))
}

/// How many messages were sent to the person from `since` (inclusive) to `at` (inclusive), about one topic or about
/// any. One that a clock that was ahead dated after `at` counts, too.
#[must_use]
pub fn sent_since(state: &SubjectState, topic: Option<&str>, since: Moment, at: Moment) -> u32 {
    let counts = |what: &Occurrence| matches!(what, Occurrence::Sent { topic: of } if topic.is_none_or(|topic| of == topic));
    let sent = occurrences(state, at).filter(|(as_of, what)| *as_of >= since && counts(what));
    u32::try_from(sent.count()).unwrap_or(u32::MAX)
}

/// Everybody to whom data of the person was disclosed.
#[must_use]
pub fn disclosed_to(state: &SubjectState, at: Moment) -> BTreeSet<RecipientId> {
    let to = |what: &Occurrence| match what {
        Occurrence::Disclosed { recipient, .. } => Some(recipient.clone()),
        Occurrence::Collected { .. }
        | Occurrence::Told { .. }
        | Occurrence::Notified { .. }
        | Occurrence::Informed
        | Occurrence::Sent { .. } => None,
    };
    occurrences(state, at).filter_map(|(_, what)| to(what)).collect()
}

fn earliest(state: &SubjectState, at: Moment, is_meant: impl Fn(&Occurrence) -> bool) -> Option<Moment> {
    occurrences(state, at).filter(|(_, what)| is_meant(what)).map(|(as_of, _)| as_of).min()
}

fn occurrences(state: &SubjectState, at: Moment) -> impl Iterator<Item = (Moment, &Occurrence)> {
    counted(state, at).filter_map(move |counted| match &counted.recorded.event {
        LedgerEvent::Occurrence { what, .. } => Some((counted.as_of, what)),
        LedgerEvent::Consent(_)
        | LedgerEvent::Objection { .. }
        | LedgerEvent::Contract { .. }
        | LedgerEvent::Restriction { .. }
        | LedgerEvent::Erasure { .. }
        | LedgerEvent::Suppression { .. }
        | LedgerEvent::Attribute { .. }
        | LedgerEvent::Duty { .. } => None,
    })
}
