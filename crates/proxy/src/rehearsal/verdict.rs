//! Holding what came out against what the case says. Each list is exact.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{ConsentEvent, LedgerEvent, Outcome, Reason, RequesterId, Treatment};
use consentry_policy::{Bundle, Case, CaseOutcome};
use serde_json::Value;

use super::compare::{self, Taken};
use super::people::is_person;
use super::play::{Played, members};
use super::result::{Difference, Differences};

/// What was taken on the way there and on the way back.
#[derive(Default)]
struct Removed {
    dropped: BTreeSet<String>,
    stripped: BTreeSet<String>,
    answer: Taken,
    /// What arrived although nobody sent it so.
    odd: BTreeSet<String>,
}

impl Removed {
    fn is_nothing(&self) -> bool {
        let Taken { missing, altered, omitted, added: _ } = &self.answer;
        self.dropped.is_empty()
            && self.stripped.is_empty()
            && missing.is_empty()
            && altered.is_empty()
            && *omitted == 0
    }
}

/// Everything that came out otherwise.
pub(super) fn judge(bundle: &Bundle, case: &Case, played: &Played) -> Vec<Difference> {
    let mut out = Differences::default();
    let refused = played.told.refused();
    let removed = if refused.is_some() { Removed::default() } else { removed(case, played) };
    let found = match refused {
        Some(reason) => CaseOutcome::Refuse(reason),
        None if removed.is_nothing() => CaseOutcome::Allow,
        None => CaseOutcome::Redact,
    };
    out.same("outcome", &case.then, &found, |o| outcome_text(*o));
    lists(case, &removed, &mut out);
    match refused {
        Some(reason) => refusal(bundle, case, played, reason, &mut out),
        None => {
            let expected = case.expect.status.unwrap_or(200);
            out.same("status", &expected, &played.status, u16::to_string);
            if played.reached.is_none() {
                out.add("upstream", "to be called", "not called");
            }
        }
    }
    evidence(played, &removed, found, &mut out);
    ledger(case, played, &mut out);
    let shown = members(&played.body);
    for (name, expected) in &case.expect.shows {
        let found = shown.get(name).and_then(Value::as_str).map(str::to_owned);
        out.same("shows", &Some(expected.clone()), &found, |v| format!("{name} = {v:?}"));
    }
    out.0
}

fn lists(case: &Case, removed: &Removed, out: &mut Differences) {
    let expect = &case.expect;
    let set = |list: &[String]| -> BTreeSet<String> {
        list.iter()
            .map(|path| if path.starts_with("header.") { path.to_ascii_lowercase() } else { path.clone() })
            .collect()
    };
    out.same("dropped", &set(&expect.dropped), &removed.dropped, list);
    out.same("withheld", &set(&expect.withheld), &removed.answer.missing, list);
    out.same("stripped", &set(&expect.stripped), &removed.stripped, list);
    out.same("omitted", &expect.omitted, &removed.answer.omitted, u64::to_string);
    out.same("left", &expect.left, &removed.answer.altered, left);
    let odd: BTreeSet<String> = removed.answer.added.union(&removed.odd).cloned().collect();
    out.same("added or altered on the way", &BTreeSet::new(), &odd, list);
}

fn refusal(bundle: &Bundle, case: &Case, played: &Played, reason: Reason, out: &mut Differences) {
    let code = members(&played.body).get("code").and_then(Value::as_str).map(str::to_owned);
    let told_reasons =
        bundle.requesters.get(&RequesterId::new(&case.who)).is_some_and(|requester| requester.told_reasons);
    let mut may_hear = vec![reason.told_to_strangers(), Reason::NotPermitted];
    if told_reasons || is_person(case, bundle) {
        may_hear.push(reason);
    }
    let heard = code.as_deref().and_then(Reason::parse);
    match heard {
        Some(heard) if may_hear.contains(&heard) => {
            let expected = case.expect.status.unwrap_or_else(|| heard.status());
            out.same("status", &expected, &played.status, u16::to_string);
        }
        Some(_) | None => {
            let allowed: Vec<&str> = may_hear.iter().map(|r| r.code()).collect();
            out.add("told to the caller", allowed.join(" or "), code.unwrap_or_else(|| "no code".to_owned()));
        }
    }
    let ruled = played.told.head.as_ref().is_none_or(|head| head.outcome == Outcome::Refuse);
    if ruled && played.reached.is_some() {
        out.add("upstream", "not to be called", "called");
    }
}

/// The evidence must tell the same story.
fn evidence(played: &Played, removed: &Removed, found: CaseOutcome, out: &mut Differences) {
    let expected =
        if found.outcome() == Outcome::Refuse { &["refused", "failed"][..] } else { &["delivered"] };
    let ends = played.told.ends();
    let stranger = !played.told.strangers.is_empty();
    if !stranger && !expected.contains(&ends.as_str()) {
        out.add("evidence ends", expected.join(" or "), ends);
    }
    let omitted = played.told.closings.first().map_or(0, |closing| closing.omitted);
    out.same("omitted, by the evidence", &removed.answer.omitted, &omitted, u64::to_string);
}

fn removed(case: &Case, played: &Played) -> Removed {
    let mut out = Removed::default();
    if let Some(reached) = &played.reached {
        let headers = &reached.head.headers;
        let missing = case.headers.keys().filter(|name| !headers.contains_key(name.as_str()));
        out.dropped.extend(missing.map(|name| format!("header.{}", name.to_ascii_lowercase())));
        let query = reached.head.uri.query().unwrap_or_default();
        let there = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        out.dropped.extend(case.query.keys().filter(|name| !there(name)).map(|name| format!("query.{name}")));
        if let Some(sent) = &case.sends {
            let arrived = serde_json::from_slice(&reached.body).unwrap_or(Value::Null);
            let Taken { missing, altered, omitted, added } = compare::taken(sent, &arrived);
            out.dropped.extend(missing);
            out.odd.extend(altered.into_keys().chain(added));
            if omitted > 0 {
                out.odd.insert(format!("{omitted} elements that were sent"));
            }
        }
        let line = headers.get(http::header::COOKIE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let travels = |name: &str| line.split("; ").any(|pair| pair.split('=').next() == Some(name));
        out.stripped.extend(case.cookies.keys().filter(|name| !travels(name)).cloned());
    }
    out.stripped.extend(case.sets.keys().filter(|name| !played.cookies_set.contains(name)).cloned());
    if let Some(answer) = &played.answer {
        let delivered = serde_json::from_slice(&played.body).unwrap_or(Value::Object(serde_json::Map::new()));
        out.answer = compare::taken(answer, &delivered);
    } else if !played.body.is_empty() {
        out.odd.insert("a body that the service did not send".to_owned());
    }
    out
}

fn ledger(case: &Case, played: &Played, out: &mut Differences) {
    let expected = case
        .expect
        .recorded
        .iter()
        .flat_map(|given| given.events.iter().map(|event| (given.person.clone(), event_text(event))));
    let before: BTreeMap<&String, usize> = played.before.iter().map(|(n, e)| (n, e.len())).collect();
    let found = played.after.iter().flat_map(|(name, events)| {
        let known = before.get(name).copied().unwrap_or(0);
        events.iter().skip(known).map(|event| (name.clone(), event_text(event)))
    });
    let sorted = |events: Vec<(String, String)>| {
        let mut texts: Vec<String> = events.into_iter().map(|(n, e)| format!("{n} {e}")).collect();
        texts.sort();
        texts
    };
    let (expected, found) = (sorted(expected.collect()), sorted(found.collect()));
    out.same("recorded", &expected, &found, |texts| {
        if texts.is_empty() { "nothing".to_owned() } else { texts.join("; ") }
    });
    if played.entries != found.len() as u64 {
        let gained = format!("{} entries", played.entries);
        out.add("recorded of others", format!("{} entries", found.len()), gained);
    }
}

/// An event without its times.
fn event_text(event: &LedgerEvent) -> String {
    match event {
        LedgerEvent::Consent(ConsentEvent { purpose, state, kind, recipient, .. }) => {
            let kind = if state.is_valid() { kind.code() } else { "" };
            format!("{state} {kind} {purpose}{}", to(recipient.as_ref()))
        }
        LedgerEvent::Objection { purpose, recipient, .. } => {
            format!("objected {purpose}{}", to(recipient.as_ref()))
        }
        LedgerEvent::Contract { state, .. } => format!("contract {}", state.code()),
        LedgerEvent::Restriction { on, .. } => format!("restriction {on}"),
        LedgerEvent::Erasure { .. } => "erased".to_owned(),
    }
}

fn to(recipient: Option<&consentry_model::RecipientId>) -> String {
    recipient.map(|r| format!(" for {r}")).unwrap_or_default()
}

fn outcome_text(outcome: CaseOutcome) -> String {
    match outcome {
        CaseOutcome::Allow => "allow".to_owned(),
        CaseOutcome::Redact => "redact".to_owned(),
        CaseOutcome::Refuse(reason) => format!("refuse {reason}"),
    }
}

fn list(paths: &BTreeSet<String>) -> String {
    if paths.is_empty() { "nothing".to_owned() } else { paths.iter().cloned().collect::<Vec<_>>().join(", ") }
}

fn left(fields: &BTreeMap<String, Treatment>) -> String {
    let all: Vec<String> = fields.iter().map(|(path, treatment)| format!("{path} {treatment}")).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
