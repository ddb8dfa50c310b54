//! The sentences in which a case says what the ledger holds.

use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, LedgerEvent, Moment, Purpose, RecipientId,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::text::{Reader, Span};

/// One sentence: about whom, and the event it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The sentence as written.
    pub sentence: String,
    /// The person's name.
    pub person: String,
    /// What the ledger holds, one event after the other.
    pub events: Vec<LedgerEvent>,
}

const FORMS: [&str; 9] = [
    "NAME gave KIND consent to PURPOSE [for RECIPIENT] on DATE [until DATE]",
    "NAME refused PURPOSE [for RECIPIENT] on DATE",
    "NAME withdrew PURPOSE [for RECIPIENT] on DATE",
    "NAME objected to PURPOSE [for RECIPIENT] on DATE",
    "NAME has a STATE consent to PURPOSE on DATE",
    "NAME asked for a contract on DATE",
    "NAME has a contract since DATE [until DATE]",
    "NAME is restricted since DATE",
    "NAME was erased on DATE",
];

/// The day of a sentence that names none. A recorded one may leave it open: everything else is compared.
const OPEN_DAY: Moment = Moment::BEGINNING;

/// Reads a sentence; one that is none of the forms is an error that shows the nearest.
pub(crate) fn read_given(sentence: &str, span: Span, reader: &mut Reader) -> Option<Given> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let read = parse(&words).map(|(person, events)| Given {
        sentence: sentence.to_owned(),
        person: person.to_owned(),
        events,
    });
    if read.is_none() {
        let help = format!("the forms are:\n{}", FORMS.join("\n"));
        reader.error_help("not-a-sentence", span, "this sentence cannot be read", "no known form", help);
    }
    read
}

fn parse<'w>(words: &[&'w str]) -> Option<(&'w str, Vec<LedgerEvent>)> {
    let [person, rest @ ..] = words else { return None };
    let events = match rest {
        ["gave", kind, "consent", "to", purpose, tail @ ..] => {
            let tail = Tail::read(tail)?;
            vec![consent(ConsentState::Given, ConsentKind::parse(kind)?, purpose, tail)?]
        }
        ["gave", a, b, "consent", "to", purpose, tail @ ..] => {
            let kind = ConsentKind::parse(&format!("{a}-{b}"))?;
            vec![consent(ConsentState::Given, kind, purpose, Tail::read(tail)?)?]
        }
        [verb @ ("refused" | "withdrew"), purpose, tail @ ..] => {
            let state = if *verb == "refused" { ConsentState::Refused } else { ConsentState::Withdrawn };
            vec![consent(state, ConsentKind::OptIn, purpose, Tail::read(tail)?)?]
        }
        ["objected", "to", purpose, tail @ ..] | ["opted", "out", "of", purpose, tail @ ..] => {
            let tail = Tail::read(tail)?;
            vec![LedgerEvent::Objection {
                purpose: Purpose::new(purpose).ok()?,
                recipient: tail.recipient,
                effective: tail.on.unwrap_or(OPEN_DAY),
            }]
        }
        ["asked", "for", "a", "contract", tail @ ..] => {
            let effective = Tail::read(tail)?.on.unwrap_or(OPEN_DAY);
            vec![LedgerEvent::Contract { state: ContractState::Requested, effective }]
        }
        ["has", "a", "contract", "since", from] => vec![contract(ContractState::Active, from)?],
        ["has", "a", "contract", "since", from, "until", to] => {
            vec![contract(ContractState::Active, from)?, contract(ContractState::Ended, to)?]
        }
        ["has", "a" | "an", state, "consent", "to", purpose, tail @ ..] => {
            let state = ConsentState::parse(state)?;
            vec![consent(state, ConsentKind::OptIn, purpose, Tail::read(tail)?)?]
        }
        ["is", "restricted", "since", on] => {
            vec![LedgerEvent::Restriction { on: true, effective: day(on)? }]
        }
        ["was", "erased", "on", on] => vec![LedgerEvent::Erasure { effective: day(on)? }],
        _ => return None,
    };
    Some((*person, events))
}

#[derive(Default)]
struct Tail {
    recipient: Option<RecipientId>,
    on: Option<Moment>,
    until: Option<Moment>,
}

impl Tail {
    fn read(words: &[&str]) -> Option<Self> {
        let mut out = Self::default();
        let mut pairs = words.chunks_exact(2);
        for pair in &mut pairs {
            match pair {
                ["for", name] => out.recipient = Some(RecipientId::new(name)),
                ["on", on] => out.on = Some(day(on)?),
                ["until", until] => out.until = Some(day(until)?),
                _ => return None,
            }
        }
        (pairs.remainder().is_empty()).then_some(out)
    }
}

fn consent(state: ConsentState, kind: ConsentKind, purpose: &str, tail: Tail) -> Option<LedgerEvent> {
    Some(LedgerEvent::Consent(ConsentEvent {
        purpose: Purpose::new(purpose).ok()?,
        state,
        kind,
        recipient: tail.recipient,
        effective: tail.on.unwrap_or(OPEN_DAY),
        valid_until: tail.until,
        notice: None,
    }))
}

fn contract(state: ContractState, from: &str) -> Option<LedgerEvent> {
    Some(LedgerEvent::Contract { state, effective: day(from)? })
}

fn day(word: &str) -> Option<Moment> {
    let date: Date = word.parse().ok()?;
    let start = date.to_zoned(TimeZone::UTC).ok()?;
    Some(Moment::from_unix_millis(start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_what_is_none_does_not() {
        for (sentence, events) in [
            ("ann gave opt-in consent to marketing on 2026-01-01", 1),
            ("ann gave soft opt-in consent to marketing on 2026-01-01 until 2026-02-01", 1),
            ("ann refused marketing on 2026-01-01", 1),
            ("ann withdrew marketing for adnet on 2026-01-01", 1),
            ("ann objected to marketing on 2026-01-01", 1),
            ("ann opted out of marketing on 2026-01-01", 1),
            ("ann objected to marketing", 1),
            ("ann objected to marketing on", 0),
            ("ann asked for a contract", 1),
            ("ann asked for a contract on 2026-01-01", 1),
            ("ann asked for a contract on Sunday", 0),
            ("ann has a contract since 2026-01-01 until 2026-02-01", 2),
            ("ann has an invalidated consent to marketing on 2026-01-01", 1),
            ("ann is restricted since 2026-01-01", 1),
            ("ann was erased on 2026-01-01", 1),
            ("ann gave strong consent to marketing on 2026-01-01", 0),
            ("ann gave opt-in consent to marketing on 2026-13-01", 0),
            ("ann has a valid consent to marketing on 2026-01-01", 0),
            ("ann", 0),
            ("", 0),
        ] {
            let words: Vec<_> = sentence.split_whitespace().collect();
            assert_eq!(parse(&words).map_or(0, |(_, e)| e.len()), events, "{sentence}");
        }
    }
}
