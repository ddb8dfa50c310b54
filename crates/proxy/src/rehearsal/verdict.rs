//! Holding what came out against what the case says. Each list is exact.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use consentry_model::{Outcome, Reason, RequesterId, Treatment};
use consentry_policy::{Bundle, Case, CaseOutcome, Change, Route};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

use super::behind::Answer;
use super::compare::{self, Taken};
use super::people::{address, is_person};
use super::recorded::recorded;
use super::request::{route_of, sent};
use super::result::{Difference, Differences};
use super::stage::Played;
use super::writing::Writing;

/// Headers that every client sends and that reach no service unless its route declares them: that they stay here says
/// nothing of the bundle.
const NEVER_FORWARDED: [&str; 14] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "dnt",
    "forwarded",
    "origin",
    "pragma",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];
/// What every answer over HTTP/1.1 says of itself; each cookie is looked at on its own.
const OWN_HEADERS: [header::HeaderName; 4] =
    [header::CONTENT_LENGTH, header::DATE, header::SET_COOKIE, header::TRANSFER_ENCODING];
/// What every answer that passed the layer says besides, word for word.
const EXPECTED_HEADERS: [(header::HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "private, no-store"),
    (header::CONTENT_TYPE, "application/json"),
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
];
/// What every answer depends on. What its route and its bundle read besides follows.
const VARIES: &str = "accept-encoding, authorization, baggage, cookie, data-purpose, sec-gpc, txn-token";

/// What was taken on the way there and on the way back.
#[derive(Default)]
struct Removed {
    dropped: BTreeSet<String>,
    stripped: BTreeSet<String>,
    /// Elements that were left out of what was sent.
    unsent: Vec<Value>,
    /// Fields that arrived at the service altered.
    sent: BTreeMap<String, Treatment>,
    answer: Taken,
    /// What obligations made of the answer.
    changed: BTreeSet<Change>,
    /// What arrived although nobody sent it so.
    odd: BTreeSet<String>,
}

impl Removed {
    fn is_nothing(&self) -> bool {
        let Taken { missing, altered, omitted, added: _ } = &self.answer;
        // A header that an obligation adds takes nothing from anybody; a cookie that lives shorter is less than was sent.
        let shortened = self.changed.iter().any(|change| matches!(change, Change::CookieMaxAge(..)));
        self.dropped.is_empty()
            && self.stripped.is_empty()
            && self.unsent.is_empty()
            && self.sent.is_empty()
            && missing.is_empty()
            && altered.is_empty()
            && omitted.is_empty()
            && !shortened
    }

    /// What arrived altered, on either side.
    fn left(&self) -> BTreeMap<String, Treatment> {
        let all = self.sent.iter().chain(&self.answer.altered);
        all.map(|(path, treatment)| (path.clone(), *treatment)).collect()
    }

    fn omitted(&self) -> impl Iterator<Item = &Value> {
        self.unsent.iter().chain(&self.answer.omitted)
    }
}

/// Everything that came out otherwise.
pub(super) fn judge(bundle: &Bundle, case: &Case, played: &Played) -> Vec<Difference> {
    let mut out = Differences::default();
    let route = route_of(bundle, case);
    let refused = played.told.refused();
    let removed = if refused.is_some() { Removed::default() } else { removed(case, route, played) };
    let found = match refused {
        Some(reason) => CaseOutcome::Refuse(reason),
        None if removed.is_nothing() => CaseOutcome::Allow,
        None => CaseOutcome::Redact,
    };
    out.same("outcome", &case.then, &found, outcome_text);
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
    evidence(case, played, &removed, found.outcome(), &mut out);
    recorded(bundle, case, played, &mut out);
    if case.expect.version.is_some() {
        out.same("version", &case.expect.version, &version(bundle, played), |v| {
            v.clone().unwrap_or_else(|| "none in the evidence".to_owned())
        });
    }
    let shown = members(&played.body);
    for (name, expected) in &case.expect.shows {
        let found = shown.get(name).and_then(Value::as_str).map(str::to_owned);
        out.same("shows", &Some(expected.clone()), &found, |v| format!("{name} = {v:?}"));
    }
    out.0
}

/// The version of the policy that the evidence rests on: it names the bundle, and the bundle its version.
fn version(bundle: &Bundle, played: &Played) -> Option<String> {
    let named = played.told.head.as_ref().and_then(|head| head.bundle.as_ref());
    named.filter(|digest| **digest == bundle.digest).map(|_| bundle.version.clone())
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
    let omitted = u64::try_from(removed.omitted().count()).unwrap_or(u64::MAX);
    out.same("omitted", &expect.omitted, &omitted, u64::to_string);
    if !expect.omitted_names.is_empty() {
        omitted_names(case, removed, out);
    }
    out.same("left", &expect.left, &removed.left(), left);
    let changed: BTreeSet<Change> = expect.changed.iter().cloned().collect();
    out.same("changed", &changed, &removed.changed, changes);
    let odd: BTreeSet<String> = removed.answer.added.union(&removed.odd).cloned().collect();
    out.same("added or altered on the way", &BTreeSet::new(), &odd, list);
}

/// Whoever is left out goes by a name of the case, or by what tells a group from the others.
fn omitted_names(case: &Case, removed: &Removed, out: &mut Differences) {
    let names = case.expect.omitted_names.iter().chain(&case.about);
    let name_of = |element: &Value| {
        let found = names.clone().find(|name| compare::says(element, &[name, &address(name)]));
        found.cloned().unwrap_or_else(|| "somebody else".to_owned())
    };
    let mut expected = case.expect.omitted_names.clone();
    let mut found: Vec<String> = removed.omitted().map(name_of).collect();
    expected.sort();
    found.sort();
    out.same("omitted", &expected, &found, |names| names.join(", "));
}

fn refusal(bundle: &Bundle, case: &Case, played: &Played, reason: Reason, out: &mut Differences) {
    let harmless = route_of(bundle, case).and_then(|route| route.refused_status);
    if harmless == Some(played.status) && played.body.is_empty() {
        let expected = case.expect.status.unwrap_or(played.status);
        out.same("status", &expected, &played.status, u16::to_string);
    } else {
        problem(bundle, case, played, reason, out);
    }
    let ruled = played.told.head.as_ref().is_none_or(|head| head.outcome == Outcome::Refuse);
    if ruled && played.reached.is_some() {
        out.add("upstream", "not to be called", "called");
    }
}

/// What the caller may hear.
fn problem(bundle: &Bundle, case: &Case, played: &Played, reason: Reason, out: &mut Differences) {
    let code = members(&played.body).get("code").and_then(Value::as_str).map(str::to_owned);
    let told_reasons =
        bundle.requesters.get(&RequesterId::new(&case.who)).is_some_and(|requester| requester.told_reasons);
    let strangers = [reason.told_to_strangers(), Reason::NotPermitted];
    let may_hear = match (told_reasons, is_person(case, bundle)) {
        (true, _) => vec![reason],
        (false, true) => [&strangers[..], &[reason]].concat(),
        (false, false) => strangers.to_vec(),
    };
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
}

/// The evidence must tell the same story.
fn evidence(case: &Case, played: &Played, removed: &Removed, found: Outcome, out: &mut Differences) {
    let expected = if found == Outcome::Refuse { &["refused", "failed"][..] } else { &["delivered"] };
    let ends = played.told.ends();
    let stranger = !played.told.strangers.is_empty();
    if !stranger && !expected.contains(&ends.as_str()) {
        out.add("evidence ends", expected.join(" or "), ends);
    }
    let omitted = u64::try_from(removed.omitted().count()).unwrap_or(u64::MAX);
    let told = played.told.closings.first().map_or(0, |closing| closing.omitted);
    out.same("omitted, by the evidence", &omitted, &told, u64::to_string);
    let assumed: BTreeSet<String> = case.expect.assumed.iter().cloned().collect();
    // An assumption is said once where it matters, not by every story about somebody whose age nobody knows.
    if !assumed.is_empty() {
        out.same("assumed", &assumed, &played.told.assumed(), list);
    }
}

fn removed(case: &Case, route: Option<&Route>, played: &Played) -> Removed {
    let mut out = Removed::default();
    request_side(case, route, played, &mut out);
    let set = set_cookies(&played.headers);
    for (name, line) in &case.sets {
        match set.get(name) {
            None => _ = out.stripped.insert(name.clone()),
            Some(there) if max_age(line) == max_age(there) && expires(line) == expires(there) => {}
            Some(there) => {
                let seconds = max_age(there).unwrap_or(i64::MAX);
                out.changed.insert(Change::CookieMaxAge(name.clone(), seconds));
            }
        }
    }
    out.changed.extend(changed_headers(&played.headers, &played.answer));
    match &played.answer {
        Answer::Says(answer, writing) => {
            let nothing =
                if writing.is_records() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            let delivered = writing.read(&played.body).unwrap_or(nothing);
            out.answer = taken(answer, &delivered, writing);
        }
        Answer::Page if played.body == Answer::PAGE => {}
        Answer::Nothing if played.body.is_empty() => {}
        Answer::Page => _ = out.odd.insert("the page".to_owned()),
        Answer::Nothing => _ = out.odd.insert("a body that the service did not send".to_owned()),
    }
    out
}

fn request_side(case: &Case, route: Option<&Route>, played: &Played, out: &mut Removed) {
    let Some(reached) = &played.reached else { return };
    let headers = &reached.head.headers;
    let declared =
        |name: &str| route.is_some_and(|route| route.request_headers.iter().any(|f| f.name == name));
    for name in case.headers.keys().map(|name| name.to_ascii_lowercase()) {
        let silent = NEVER_FORWARDED.contains(&name.as_str()) || name.starts_with("sec-");
        if !headers.contains_key(&name) && (declared(&name) || !silent) {
            out.dropped.insert(format!("header.{name}"));
        }
    }
    let query = reached.head.uri.query().unwrap_or_default();
    let there = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let asked = case.path.split_once('?').map_or("", |(_, query)| query);
    let in_path = asked.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
    let parameters = case.query.keys().map(String::as_str).chain(in_path);
    out.dropped.extend(parameters.filter(|name| !there(name)).map(|name| format!("query.{name}")));
    if let Some((sent, writing)) = sent(route, case) {
        let arrived = writing.read(&reached.body).unwrap_or(Value::Null);
        let Taken { missing, altered, omitted, added } = taken(sent, &arrived, &writing);
        out.dropped.extend(missing);
        out.odd.extend(added);
        (out.sent, out.unsent) = (altered, omitted);
    }
    let line = headers.get(header::COOKIE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let travels = |name: &str| line.split("; ").any(|pair| pair.split('=').next() == Some(name));
    out.stripped.extend(case.cookies.keys().filter(|name| !travels(name)).cloned());
}

/// What was taken of a body that said this: as it was written, and by the paths of the service map.
fn taken(said: &Value, arrived: &Value, writing: &Writing) -> Taken {
    let before = writing.read(writing.write(said).as_bytes()).unwrap_or_else(|| said.clone());
    let Taken { missing, altered, omitted, added } = compare::taken(&before, arrived);
    let path = |path: String| writing.path(&path).to_owned();
    Taken {
        missing: missing.into_iter().map(path).collect(),
        altered: altered.into_iter().map(|(at, treatment)| (path(at), treatment)).collect(),
        omitted,
        added: added.into_iter().map(path).collect(),
    }
}

/// The cookies that an answer sets, each with its whole line.
fn set_cookies(headers: &HeaderMap) -> BTreeMap<String, String> {
    let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.filter_map(|line| Some((line.split_once('=')?.0.to_owned(), line.to_owned()))).collect()
}

/// What an attribute of a cookie says, the last one if there are several.
fn attribute<'l>(line: &'l str, wanted: &str) -> Option<&'l str> {
    let pairs = line.split(';').skip(1).filter_map(|attribute| attribute.trim().split_once('='));
    pairs.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).last().map(|(_, value)| value)
}

fn max_age(line: &str) -> Option<i64> {
    attribute(line, "max-age").and_then(|value| value.parse().ok())
}

fn expires(line: &str) -> Option<&str> {
    attribute(line, "expires")
}

/// The headers that the service behind did not send.
fn changed_headers(headers: &HeaderMap, answer: &Answer) -> BTreeSet<Change> {
    let is_kind = |value: &HeaderValue| match answer {
        Answer::Says(_, writing) => value.to_str().is_ok_and(|kind| writing.is(kind)),
        Answer::Page | Answer::Nothing => false,
    };
    let varies = |value: &HeaderValue| {
        let more = value.to_str().ok().and_then(|all| all.strip_prefix(VARIES));
        more.is_some_and(|more| more.is_empty() || more.starts_with(", "))
    };
    let own = |name: &header::HeaderName, value: &HeaderValue| {
        OWN_HEADERS.contains(name)
            || (*name == header::CONTENT_TYPE && is_kind(value))
            || (*name == header::VARY && varies(value))
            || EXPECTED_HEADERS.iter().any(|(n, text)| n == name && *text == value)
    };
    let others = headers.iter().filter(|(name, value)| !own(name, value));
    let text = |value: &HeaderValue| value.to_str().unwrap_or("what is no text").to_owned();
    others.map(|(name, value)| Change::Header(name.as_str().to_owned(), text(value))).collect()
}

/// The members of a problem body.
fn members(body: &Bytes) -> BTreeMap<String, Value> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn outcome_text(outcome: &CaseOutcome) -> String {
    match outcome {
        CaseOutcome::Allow => "allow".to_owned(),
        CaseOutcome::Redact => "redact".to_owned(),
        CaseOutcome::Refuse(reason) => format!("refuse {reason}"),
        CaseOutcome::LoadError(code) => format!("load error {code}"),
    }
}

fn list(paths: &BTreeSet<String>) -> String {
    if paths.is_empty() { "nothing".to_owned() } else { paths.iter().cloned().collect::<Vec<_>>().join(", ") }
}

fn left(fields: &BTreeMap<String, Treatment>) -> String {
    let all: Vec<String> = fields.iter().map(|(path, treatment)| format!("{path} {treatment}")).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn changes(all: &BTreeSet<Change>) -> String {
    let text = |change: &Change| match change {
        Change::Header(name, value) => format!("header.{name}: {value}"),
        Change::CookieMaxAge(name, seconds) => format!("cookie.{name}.max_age: {seconds}"),
    };
    list(&all.iter().map(text).collect())
}
