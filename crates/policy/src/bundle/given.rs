//! The sentences in which a case says what the ledger holds.

use consentry_model::{
    Category, ConsentEvent, ConsentKind, ConsentState, ContractState, LedgerEvent, Moment, Occurrence, Owed,
    Purpose, RecipientId,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::COUNTRIES;
use super::days::in_zone;
use crate::text::{Reader, Span};

/// One sentence: about whom, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The sentence as written.
    pub sentence: String,
    /// The person's name.
    pub person: String,
    /// What the ledger holds, one event after the other.
    pub events: Vec<LedgerEvent>,
    /// Whether the consent among the events is one to any purpose. Its own purpose is then no more than a word that no
    /// vocabulary has: [`events_for`](Self::events_for) puts purposes in its place.
    pub any_purpose: bool,
    /// Whether something in it has no day. What a request left behind may be told so, since its time is not compared;
    /// what was there before may not.
    pub recorded_only: bool,
}

impl Given {
    /// What the ledger holds, a consent to any purpose told of each of the topmost purposes of a vocabulary.
    #[must_use]
    pub fn events_for<'p>(&self, topmost: impl IntoIterator<Item = &'p Purpose> + Clone) -> Vec<LedgerEvent> {
        let told = |event: &LedgerEvent| match event {
            LedgerEvent::Consent(consent) if self.any_purpose => topmost
                .clone()
                .into_iter()
                .map(|purpose| {
                    LedgerEvent::Consent(ConsentEvent { purpose: purpose.clone(), ..consent.clone() })
                })
                .collect(),
            LedgerEvent::Consent(_)
            | LedgerEvent::Objection { .. }
            | LedgerEvent::Contract { .. }
            | LedgerEvent::Restriction { .. }
            | LedgerEvent::Erasure { .. }
            | LedgerEvent::Suppression { .. }
            | LedgerEvent::Attribute { .. }
            | LedgerEvent::Occurrence { .. }
            | LedgerEvent::Duty { .. } => vec![event.clone()],
        };
        self.events.iter().flat_map(told).collect()
    }
}

const FORMS: [&str; 27] = [
    "NAME gave KIND consent to PURPOSE|any [for RECIPIENT] on DATE [until DATE]",
    "NAME refused PURPOSE [for RECIPIENT] on DATE",
    "NAME withdrew PURPOSE [for RECIPIENT] on DATE",
    "NAME objected to PURPOSE [for RECIPIENT] on DATE",
    "NAME opted out of PURPOSE [for RECIPIENT] on DATE",
    "NAME has a STATE consent to PURPOSE [for RECIPIENT] on DATE [until DATE]",
    "NAME asked for a contract on DATE",
    "NAME has a contract since DATE [until DATE]",
    "NAME is restricted since DATE",
    "NAME is suppressed since DATE",
    "NAME was erased on DATE [except CATEGORY until DATE]",
    "NAME lives in COUNTRY",
    "NAME was born on DATE",
    "NAME is a TYPE",
    "NAME has RELATION VALUE",
    "NAME gave CATEGORY on DATE [at ORIGIN]",
    "NAME was told about RECIPIENT on DATE",
    "NAME was notified of VERSION on DATE",
    "NAME was informed on DATE (about cookies)",
    "NAME was sent TOPIC on DATE",
    "NAME had CATEGORY disclosed to RECIPIENT on DATE",
    "and of what was recorded, besides these without `on DATE`:",
    "NAME is restricted",
    "NAME is suppressed",
    "NAME was erased [except CATEGORY until DATE]",
    "erasure of NAME pending at RECIPIENT",
    "NAME is owed RIGHT by DATE",
];

/// The day of a sentence that names none. A recorded one may leave it open: everything else is compared.
pub(super) const OPEN_DAY: Moment = Moment::BEGINNING;

/// In the place of a purpose: every one.
const ANY: &str = "any";

/// Attributes that have a sentence of their own, and words that begin another one.
const NOT_RELATIONS: [&str; 5] = ["a", "an", "region", "born", "type"];

/// Reads a sentence; one that is none of the forms is an error that shows them.
pub(crate) fn read_given(sentence: &str, span: Span, reader: &mut Reader) -> Option<Given> {
    let read = parse(sentence);
    if read.is_none() {
        let help = format!("the forms are:\n{}", FORMS.join("\n"));
        reader.error_help("not-a-sentence", span, "this sentence cannot be read", "no known form", help);
    }
    let zone = &reader.zone;
    read.map(|given| {
        let events = given.events.into_iter().map(|event| in_zone(event, zone)).collect();
        Given { events, ..given }
    })
}

fn parse(sentence: &str) -> Option<Given> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let (person, events) = match words.as_slice() {
        ["erasure", "of", person, "pending", "at", recipient] => {
            (person, vec![duty(Owed::Erasure { recipient: RecipientId::new(recipient) }, None, OPEN_DAY)])
        }
        [person, rest @ ..] => {
            let events = said(rest).or_else(|| stands(rest)).or_else(|| is(rest)).or_else(|| happened(rest));
            (person, events?)
        }
        [] => return None,
    };
    let to_any = |event: &LedgerEvent| matches!(event, LedgerEvent::Consent(c) if c.purpose.as_str() == ANY);
    Some(Given {
        sentence: sentence.to_owned(),
        person: (*person).to_owned(),
        any_purpose: events.iter().any(to_any),
        recorded_only: events.iter().any(is_open),
        events,
    })
}

/// Consents, objections and contracts.
fn said(words: &[&str]) -> Option<Vec<LedgerEvent>> {
    let event = match words {
        ["gave", kind, "consent", "to", purpose, tail @ ..] => {
            yes(ConsentKind::parse(kind)?, purpose, Tail::read(tail, &["for", "on", "until"])?)?
        }
        ["gave", a, b, "consent", "to", purpose, tail @ ..] => {
            let kind = ConsentKind::parse(&format!("{a}-{b}"))?;
            yes(kind, purpose, Tail::read(tail, &["for", "on", "until"])?)?
        }
        [verb @ ("refused" | "withdrew"), purpose, tail @ ..] => {
            let state = if *verb == "refused" { ConsentState::Refused } else { ConsentState::Withdrawn };
            consent(state, ConsentKind::OptIn, one(purpose)?, Tail::read(tail, &["for", "on"])?)
        }
        ["objected", "to", purpose, tail @ ..] | ["opted", "out", "of", purpose, tail @ ..] => {
            let tail = Tail::read(tail, &["for", "on"])?;
            LedgerEvent::Objection {
                effective: tail.day(),
                purpose: one(purpose)?,
                recipient: tail.recipient,
            }
        }
        ["has", "a" | "an", state, "consent", "to", purpose, tail @ ..] => {
            let tail = Tail::read(tail, &["for", "on", "until"])?;
            consent(ConsentState::parse(state)?, ConsentKind::OptIn, one(purpose)?, tail)
        }
        ["asked", "for", "a", "contract", tail @ ..] => {
            let effective = Tail::read(tail, &["on"])?.day();
            LedgerEvent::Contract { state: ContractState::Requested, effective }
        }
        ["has", "a", "contract", "since", from] => contract(ContractState::Active, from)?,
        ["has", "a", "contract", "since", from, "until", to] => {
            return Some(vec![contract(ContractState::Active, from)?, contract(ContractState::Ended, to)?]);
        }
        _ => return None,
    };
    Some(vec![event])
}

/// Restriction, suppression, erasure and what is owed.
fn stands(words: &[&str]) -> Option<Vec<LedgerEvent>> {
    let since = |tail: &[&str]| match tail {
        [] => Some(OPEN_DAY),
        ["since", from] => day(from),
        _ => None,
    };
    let events = match words {
        ["is", "restricted", tail @ ..] => {
            vec![LedgerEvent::Restriction { on: true, effective: since(tail)? }]
        }
        ["is", "suppressed", tail @ ..] => {
            vec![LedgerEvent::Suppression { on: true, effective: since(tail)? }]
        }
        ["is", "owed", right, "by", due] => {
            vec![duty(Owed::Answer { right: (*right).to_owned() }, Some(day(due)?), OPEN_DAY)]
        }
        ["was", "erased", before @ .., "except", category, "until", due] => {
            let effective = Tail::read(before, &["on"])?.day();
            let keeping =
                Owed::Keeping { category: Category::new(category).ok()?, obligation: String::new() };
            vec![LedgerEvent::Erasure { effective }, duty(keeping, Some(day(due)?), effective)]
        }
        ["was", "erased", tail @ ..] => {
            vec![LedgerEvent::Erasure { effective: Tail::read(tail, &["on"])?.day() }]
        }
        _ => return None,
    };
    Some(events)
}

/// What the person is. It holds from the beginning: the sentence names no day.
fn is(words: &[&str]) -> Option<Vec<LedgerEvent>> {
    let (name, value) = match words {
        ["lives", "in", country] if COUNTRIES.contains(country) => ("region", (*country).to_owned()),
        ["was", "born", "on", on] => ("born", date(on)?.to_string()),
        ["is", "a" | "an", kind] if is_name(kind) => ("type", (*kind).to_owned()),
        ["has", relation, value] if is_name(relation) && !NOT_RELATIONS.contains(relation) => {
            (*relation, (*value).to_owned())
        }
        _ => return None,
    };
    Some(vec![LedgerEvent::Attribute { name: name.to_owned(), value, effective: OPEN_DAY }])
}

/// What happened between the controller and the person.
fn happened(words: &[&str]) -> Option<Vec<LedgerEvent>> {
    let (what, effective) = match words {
        ["gave", category, "on", on, tail @ ..] => {
            let origin = match tail {
                [] => None,
                ["at", origin] => Some((*origin).to_owned()),
                _ => return None,
            };
            (Occurrence::Collected { category: Category::new(category).ok()?, origin }, day(on)?)
        }
        // Cookies are no recipient: whoever is told about them is informed.
        ["was", "told", "about", recipient, tail @ ..] if *recipient != "cookies" => {
            (Occurrence::Told { recipient: RecipientId::new(recipient) }, Tail::read(tail, &["on"])?.day())
        }
        ["was", "notified", "of", version, tail @ ..] => {
            (Occurrence::Notified { version: (*version).to_owned() }, Tail::read(tail, &["on"])?.day())
        }
        ["was", "informed", tail @ ..] => (Occurrence::Informed, Tail::read(tail, &["on"])?.day()),
        ["was", "sent", topic, tail @ ..] => {
            (Occurrence::Sent { topic: (*topic).to_owned() }, Tail::read(tail, &["on"])?.day())
        }
        ["had", category, "disclosed", "to", recipient, tail @ ..] => {
            let (category, recipient) = (Category::new(category).ok()?, RecipientId::new(recipient));
            (Occurrence::Disclosed { category, recipient }, Tail::read(tail, &["on"])?.day())
        }
        _ => return None,
    };
    Some(vec![LedgerEvent::Occurrence { what, effective }])
}

/// Whether an event has no day although it happened on one.
fn is_open(event: &LedgerEvent) -> bool {
    let effective = match event {
        LedgerEvent::Attribute { .. } => return false,
        LedgerEvent::Consent(consent) => consent.effective,
        LedgerEvent::Objection { effective, .. }
        | LedgerEvent::Contract { effective, .. }
        | LedgerEvent::Restriction { effective, .. }
        | LedgerEvent::Erasure { effective }
        | LedgerEvent::Suppression { effective, .. }
        | LedgerEvent::Occurrence { effective, .. }
        | LedgerEvent::Duty { effective, .. } => *effective,
    };
    effective == OPEN_DAY
}

/// What may follow the main words, each once and in any order.
#[derive(Default)]
struct Tail {
    recipient: Option<RecipientId>,
    on: Option<Moment>,
    until: Option<Moment>,
}

impl Tail {
    fn read(words: &[&str], allowed: &[&str]) -> Option<Self> {
        let mut out = Self::default();
        let mut pairs = words.chunks_exact(2);
        for pair in &mut pairs {
            let [key, value] = pair else { return None };
            if !allowed.contains(key) {
                return None;
            }
            let again = match *key {
                "for" => out.recipient.replace(RecipientId::new(value)).is_some(),
                "on" => out.on.replace(day(value)?).is_some(),
                "until" => out.until.replace(day(value)?).is_some(),
                _ => return None,
            };
            if again {
                return None;
            }
        }
        (pairs.remainder().is_empty()).then_some(out)
    }

    fn day(&self) -> Moment {
        self.on.unwrap_or(OPEN_DAY)
    }
}

fn yes(kind: ConsentKind, purpose: &str, tail: Tail) -> Option<LedgerEvent> {
    Some(consent(ConsentState::Given, kind, Purpose::new(purpose).ok()?, tail))
}

/// One purpose: a no to any has other words, an objection or a suppression.
fn one(purpose: &str) -> Option<Purpose> {
    Purpose::new(purpose).ok().filter(|purpose| purpose.as_str() != ANY)
}

fn consent(state: ConsentState, kind: ConsentKind, purpose: Purpose, tail: Tail) -> LedgerEvent {
    LedgerEvent::Consent(ConsentEvent {
        purpose,
        state,
        kind,
        effective: tail.day(),
        recipient: tail.recipient,
        valid_until: tail.until,
        notice: None,
    })
}

fn contract(state: ContractState, from: &str) -> Option<LedgerEvent> {
    Some(LedgerEvent::Contract { state, effective: day(from)? })
}

fn duty(what: Owed, due: Option<Moment>, effective: Moment) -> LedgerEvent {
    LedgerEvent::Duty { what, due, effective }
}

fn is_name(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    word.starts_with(|c: char| c.is_ascii_lowercase()) && word.bytes().all(plain)
}

/// A day as cases write it, and in no other form.
fn date(word: &str) -> Option<Date> {
    word.parse::<Date>().ok().filter(|date| date.to_string() == word)
}

fn day(word: &str) -> Option<Moment> {
    let start = date(word)?.to_zoned(TimeZone::UTC).ok()?;
    Some(Moment::from_unix_millis(start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAN: &str = "2026-01-01";
    const FEB: &str = "2026-02-01";

    fn on(word: &str) -> Moment {
        day(word).unwrap()
    }

    fn category(key: &str) -> Category {
        Category::new(key).unwrap()
    }

    fn recipient(name: &str) -> RecipientId {
        RecipientId::new(name)
    }

    fn attribute(name: &str, value: &str) -> LedgerEvent {
        LedgerEvent::Attribute { name: name.into(), value: value.into(), effective: OPEN_DAY }
    }

    fn occurrence(what: Occurrence, effective: Moment) -> LedgerEvent {
        LedgerEvent::Occurrence { what, effective }
    }

    fn check(sentence: &str, events: &[LedgerEvent], recorded_only: bool) {
        let Some(given) = parse(sentence) else { panic!("cannot be read: {sentence}") };
        assert_eq!((given.sentence.as_str(), given.person.as_str()), (sentence, "ann"));
        assert_eq!(given.events, events, "{sentence}");
        assert_eq!((given.recorded_only, given.any_purpose), (recorded_only, false), "{sentence}");
    }

    #[test]
    fn what_is_no_form_is_not_read() {
        for sentence in [
            "",
            "ann",
            "ann is",
            "ann objected to marketing on",
            "ann objected to marketing on 2026-01-01 until 2026-02-01",
            "ann objected to any on 2026-01-01",
            "ann refused any on 2026-01-01",
            "ann refused marketing on 2026-01-01 on 2026-02-01",
            "ann withdrew",
            "ann asked for a contract on Sunday",
            "ann asked for a contract for acme on 2026-01-01",
            "ann has a contract",
            "ann has a contract since",
            "ann gave strong consent to marketing on 2026-01-01",
            "ann gave opt-in consent to marketing on 2026-13-01",
            "ann gave opt-in consent to marketing on 20260101",
            "ann gave opt-in consent to Marketing on 2026-01-01",
            "ann has a valid consent to marketing on 2026-01-01",
            "ann is restricted on 2026-01-01",
            "ann is suppressed until 2026-01-01",
            "ann is a restricted since 2026-01-01",
            "ann is consumer",
            "ann is a",
            "ann is a Consumer",
            "ann was erased since 2026-01-01",
            "ann was erased except user.financial until",
            "ann was erased except user.financial",
            "ann was erased except User until 2030-02-28",
            "ann lives in Paris",
            "ann lives in fr",
            "ann lives in XX",
            "ann lives in US since 2026-01-01",
            "ann was born on 1990",
            "ann was born on 1990-02-30",
            "ann was born 1990-01-01",
            "ann has region FR",
            "ann has born yesterday",
            "ann has type consumer",
            "ann has Employer acme",
            "ann has employer",
            "ann has employer acme inc",
            "ann gave user.name",
            "ann gave user.name on 2026-01-01 at",
            "ann gave user.name on 2026-01-01 by web",
            "ann gave User on 2026-01-01",
            "ann was told about acme on",
            "ann was told about cookies on 2026-01-01",
            "ann was notified of",
            "ann was informed about 2026-01-01",
            "ann was sent",
            "ann had user.name disclosed on 2026-01-01",
            "ann had User disclosed to acme on 2026-01-01",
            "ann is owed access",
            "ann is owed access by soon",
            "erasure of ann pending",
            "erasure of ann pending at",
            "erasure of ann is pending at acme",
        ] {
            assert_eq!(parse(sentence), None, "{sentence}");
        }
    }

    #[test]
    fn what_was_said_reads() {
        let event = |state, kind| ConsentEvent {
            purpose: Purpose::new("marketing").unwrap(),
            state,
            kind,
            recipient: None,
            effective: on(JAN),
            valid_until: None,
            notice: None,
        };
        let opt_in = || event(ConsentState::Given, ConsentKind::OptIn);
        let soft = event(ConsentState::Given, ConsentKind::SoftOptIn);
        let withdrawn = || event(ConsentState::Withdrawn, ConsentKind::OptIn);
        for (sentence, expected) in [
            ("ann gave opt-in consent to marketing on 2026-01-01", opt_in()),
            (
                "ann gave soft opt-in consent to marketing on 2026-01-01 until 2026-02-01",
                ConsentEvent { valid_until: Some(on(FEB)), ..soft },
            ),
            ("ann refused marketing on 2026-01-01", event(ConsentState::Refused, ConsentKind::OptIn)),
            (
                "ann withdrew marketing for adnet on 2026-01-01",
                ConsentEvent { recipient: Some(recipient("adnet")), ..withdrawn() },
            ),
            ("ann withdrew marketing", ConsentEvent { effective: OPEN_DAY, ..withdrawn() }),
            (
                "ann has an invalidated consent to marketing on 2026-01-01",
                event(ConsentState::Invalidated, ConsentKind::OptIn),
            ),
            (
                "ann has a given consent to marketing on 2026-01-01 until 2026-02-01",
                ConsentEvent { valid_until: Some(on(FEB)), ..opt_in() },
            ),
        ] {
            let open = expected.effective == OPEN_DAY;
            check(sentence, &[LedgerEvent::Consent(expected)], open);
        }
        let objection = |recipient, effective| LedgerEvent::Objection {
            purpose: Purpose::new("marketing").unwrap(),
            recipient,
            effective,
        };
        check("ann objected to marketing on 2026-01-01", &[objection(None, on(JAN))], false);
        check("ann objected to marketing", &[objection(None, OPEN_DAY)], true);
        let of_adnet = objection(Some(recipient("adnet")), on(JAN));
        check("ann opted out of marketing for adnet on 2026-01-01", &[of_adnet], false);
        let contract = |state, effective| LedgerEvent::Contract { state, effective };
        let (active, ended) =
            (contract(ContractState::Active, on(JAN)), contract(ContractState::Ended, on(FEB)));
        check("ann asked for a contract", &[contract(ContractState::Requested, OPEN_DAY)], true);
        check(
            "ann asked for a contract on 2026-01-01",
            &[contract(ContractState::Requested, on(JAN))],
            false,
        );
        check("ann has a contract since 2026-01-01", std::slice::from_ref(&active), false);
        check("ann has a contract since 2026-01-01 until 2026-02-01", &[active, ended], false);
    }

    #[test]
    fn restriction_suppression_erasure_and_what_is_owed_read() {
        let keeping = || Owed::Keeping { category: category("user.financial"), obligation: String::new() };
        let (answer, erasure) =
            (Owed::Answer { right: "access".into() }, Owed::Erasure { recipient: recipient("acme") });
        let restriction = |effective| LedgerEvent::Restriction { on: true, effective };
        let suppression = |effective| LedgerEvent::Suppression { on: true, effective };
        let erased = |effective| LedgerEvent::Erasure { effective };
        check("ann is restricted since 2026-01-01", &[restriction(on(JAN))], false);
        check("ann is restricted", &[restriction(OPEN_DAY)], true);
        check("ann is suppressed since 2026-01-01", &[suppression(on(JAN))], false);
        check("ann is suppressed", &[suppression(OPEN_DAY)], true);
        check("ann was erased on 2026-01-01", &[erased(on(JAN))], false);
        check("ann was erased", &[erased(OPEN_DAY)], true);
        check(
            "ann was erased except user.financial until 2026-02-01",
            &[erased(OPEN_DAY), duty(keeping(), Some(on(FEB)), OPEN_DAY)],
            true,
        );
        check(
            "ann was erased on 2026-01-01 except user.financial until 2026-02-01",
            &[erased(on(JAN)), duty(keeping(), Some(on(FEB)), on(JAN))],
            false,
        );
        check("erasure of ann pending at acme", &[duty(erasure, None, OPEN_DAY)], true);
        check("ann is owed access by 2026-02-01", &[duty(answer, Some(on(FEB)), OPEN_DAY)], true);
    }

    #[test]
    fn what_somebody_is_reads_and_holds_from_the_beginning() {
        for (sentence, name, value) in [
            ("ann lives in FR", "region", "FR"),
            ("ann was born on 1990-01-01", "born", "1990-01-01"),
            ("ann was born on 2024-02-29", "born", "2024-02-29"),
            ("ann is a consumer", "type", "consumer"),
            ("ann is an affiliate_partner", "type", "affiliate_partner"),
            ("ann has employer acme", "employer", "acme"),
            ("ann has product P-1", "product", "P-1"),
        ] {
            check(sentence, &[attribute(name, value)], false);
        }
    }

    #[test]
    fn what_happened_reads() {
        let collected = |origin: Option<&str>| Occurrence::Collected {
            category: category("user.name"),
            origin: origin.map(str::to_owned),
        };
        let told = || Occurrence::Told { recipient: recipient("acme") };
        let notified = || Occurrence::Notified { version: "2026-01".into() };
        let sent = || Occurrence::Sent { topic: "billing-tips".into() };
        let disclosed =
            || Occurrence::Disclosed { category: category("user.name"), recipient: recipient("acme") };
        for (sentence, what) in [
            ("ann gave user.name on 2026-01-01", collected(None)),
            ("ann gave user.name on 2026-01-01 at website", collected(Some("website"))),
            ("ann was told about acme on 2026-01-01", told()),
            ("ann was notified of 2026-01 on 2026-01-01", notified()),
            ("ann was informed on 2026-01-01", Occurrence::Informed),
            ("ann was sent billing-tips on 2026-01-01", sent()),
            ("ann had user.name disclosed to acme on 2026-01-01", disclosed()),
        ] {
            check(sentence, &[occurrence(what, on(JAN))], false);
        }
        for (sentence, what) in [
            ("ann was told about acme", told()),
            ("ann was notified of 2026-01", notified()),
            ("ann was informed", Occurrence::Informed),
            ("ann was sent billing-tips", sent()),
            ("ann had user.name disclosed to acme", disclosed()),
        ] {
            check(sentence, &[occurrence(what, OPEN_DAY)], true);
        }
    }

    #[test]
    fn a_consent_to_any_purpose_is_told_of_each_topmost_one() {
        let topmost = ["essential", "marketing"].map(|key| Purpose::new(key).unwrap());
        for (sentence, effective) in [
            ("ann gave implied consent to any", OPEN_DAY),
            ("ann gave implied consent to any on 2026-01-01", on(JAN)),
        ] {
            let given = parse(sentence).unwrap();
            assert_eq!((given.any_purpose, given.recorded_only), (true, effective == OPEN_DAY), "{sentence}");
            let told = given.events_for(&topmost);
            let of = |event: &LedgerEvent| {
                let LedgerEvent::Consent(c) = event else { panic!("{event:?}") };
                (c.purpose.to_string(), c.kind, c.state, c.effective)
            };
            let expected = topmost
                .each_ref()
                .map(|p| (p.to_string(), ConsentKind::Implied, ConsentState::Given, effective));
            assert_eq!(told.iter().map(of).collect::<Vec<_>>(), expected, "{sentence}");
        }
        let one = parse("ann gave implied consent to marketing on 2026-01-01").unwrap();
        assert_eq!(one.events_for(&topmost), one.events, "of one purpose it is that one");
    }
}
