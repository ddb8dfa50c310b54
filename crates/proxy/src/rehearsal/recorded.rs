//! What an exchange wrote to the ledger, held against what the case says.

use std::collections::BTreeMap;

use consentry_model::{ConsentEvent, LedgerEvent, Moment, Occurrence, Owed, RecipientId};
use consentry_policy::{Bundle, Case};
use jiff::tz::TimeZone;

use super::people::named_by;
use super::result::Differences;
use super::stage::Played;

/// Compares without any order, and without the times at which things happened. That something was collected or disclosed
/// is written by itself: a case may say so, and need not.
pub(super) fn recorded(bundle: &Bundle, case: &Case, played: &Played, out: &mut Differences) {
    let zone = &bundle.settings.zone;
    let topmost = bundle.vocabulary.topmost_purposes();
    let mut expected: Vec<String> = Vec::new();
    let mut by_itself: BTreeMap<String, usize> = BTreeMap::new();
    for given in &case.expect.recorded {
        for event in given.events_for(&topmost) {
            let text = format!("{} {}", given.person, text(&event, zone));
            if is_automatic(&event) {
                *by_itself.entry(text.clone()).or_default() += 1;
            }
            expected.push(text);
        }
    }
    let mut found = Vec::new();
    for (who, event) in &played.written {
        let text = format!("{} {}", named_by(who.reveal()), text(event, zone));
        if is_automatic(event) {
            match by_itself.get_mut(&text) {
                Some(left) if *left > 0 => *left -= 1,
                Some(_) | None => continue,
            }
        }
        found.push(text);
    }
    expected.sort();
    found.sort();
    out.same("recorded", &expected, &found, |texts| {
        if texts.is_empty() { "nothing".to_owned() } else { texts.join("; ") }
    });
}

fn is_automatic(event: &LedgerEvent) -> bool {
    matches!(
        event,
        LedgerEvent::Occurrence { what: Occurrence::Collected { .. } | Occurrence::Disclosed { .. }, .. }
    )
}

/// An event without the time at which it happened; a day on which something is due is part of what it says.
fn text(event: &LedgerEvent, zone: &TimeZone) -> String {
    match event {
        LedgerEvent::Consent(ConsentEvent { purpose, state, kind, recipient, .. }) => {
            let kind = if state.is_valid() { format!(" {kind}") } else { String::new() };
            format!("{state}{kind} {purpose}{}", to(recipient.as_ref()))
        }
        LedgerEvent::Objection { purpose, recipient, .. } => {
            format!("objected {purpose}{}", to(recipient.as_ref()))
        }
        LedgerEvent::Contract { state, .. } => format!("contract {}", state.code()),
        LedgerEvent::Restriction { on, .. } => format!("restriction {on}"),
        LedgerEvent::Erasure { .. } => "erased".to_owned(),
        LedgerEvent::Suppression { on, .. } => format!("suppression {on}"),
        LedgerEvent::Attribute { name, value, .. } => format!("has {name} {value}"),
        LedgerEvent::Occurrence { what, .. } => occurrence(what),
        LedgerEvent::Duty { what, due, .. } => format!("{}{}", owed(what), by(*due, zone)),
    }
}

fn occurrence(what: &Occurrence) -> String {
    match what {
        Occurrence::Collected { category, origin } => {
            let at = origin.as_ref().map(|origin| format!(" at {origin}")).unwrap_or_default();
            format!("gave {category}{at}")
        }
        Occurrence::Told { recipient } => format!("told about {recipient}"),
        Occurrence::Notified { version } => format!("notified of {version}"),
        Occurrence::Informed => "informed".to_owned(),
        Occurrence::Sent { topic } => format!("sent {topic}"),
        Occurrence::Disclosed { category, recipient } => format!("{category} disclosed to {recipient}"),
    }
}

/// The obligation under which something is kept has no word in a case.
fn owed(what: &Owed) -> String {
    match what {
        Owed::Answer { right } => format!("owed {right}"),
        Owed::Erasure { recipient } => format!("erasure pending at {recipient}"),
        Owed::Keeping { category, .. } => format!("keeps {category}"),
    }
}

fn by(due: Option<Moment>, zone: &TimeZone) -> String {
    let day = |due: Moment| {
        let at = jiff::Timestamp::from_millisecond(due.unix_millis()).ok()?;
        Some(format!(" by {}", at.to_zoned(zone.clone()).date()))
    };
    due.and_then(day).unwrap_or_default()
}

fn to(recipient: Option<&RecipientId>) -> String {
    recipient.map(|r| format!(" for {r}")).unwrap_or_default()
}
