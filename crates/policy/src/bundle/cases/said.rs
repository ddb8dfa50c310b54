//! The smaller words of a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::Reason;
use jiff::Timestamp;
use serde_json::Value;

use super::case::{CaseOutcome, Sent};
use crate::text::{Kind, Node, Object, Reader};

/// Reads `with`: what the request brings besides its body, and how it arrives.
pub(super) fn with(with: &Object<'_>, sent: &mut Sent, reader: &mut Reader) {
    for (key, span, value) in with.entries() {
        let part = key.split_once('.').filter(|(_, name)| !name.is_empty());
        match part {
            Some(("header", name)) => text(&mut sent.headers, name, value, reader),
            Some(("query", name)) => text(&mut sent.query, name, value, reader),
            Some(("cookie", name)) => text(&mut sent.cookies, name, value, reader),
            Some(("token", "assurance")) => sent.assurance = reader.word(value).map(str::to_owned),
            Some(("token", name)) => {
                sent.claims.extend(claim(value, reader).map(|claim| (name.to_owned(), claim)));
            }
            Some(("transport", "tls")) => {
                let known = ["none", "tls1.2", "tls1.3"].map(|word| (word, word));
                sent.tls = reader.one_of(value, "version of TLS", &known).map(str::to_owned);
            }
            Some(("transport", "signed")) => sent.signed = reader.boolean(value) == Some(true),
            _ => {
                let known = [
                    "header.NAME",
                    "query.NAME",
                    "cookie.NAME",
                    "token.NAME",
                    "token.assurance",
                    "transport.tls",
                    "transport.signed",
                ];
                reader.unknown("unknown-key", *span, "key of `with`", key, known);
            }
        }
    }
}

fn text(into: &mut BTreeMap<String, String>, name: &str, value: &Node, reader: &mut Reader) {
    if let Some(text) = reader.word(value) {
        into.insert(name.to_owned(), text.to_owned());
    }
}

/// A claim is a text, a whole number, true or false, or a list of texts.
fn claim(value: &Node, reader: &mut Reader) -> Option<Value> {
    match &value.kind {
        Kind::Bool(b) => Some((*b).into()),
        Kind::Int(i) => Some((*i).into()),
        Kind::List(items) => items.iter().map(|n| reader.word(n).map(Value::from)).collect(),
        Kind::Null | Kind::Float | Kind::Text(_) | Kind::Map(_) => reader.word(value).map(Value::from),
    }
}

/// Reads `then`.
pub(super) fn then(node: &Node, reader: &mut Reader) -> Option<CaseOutcome> {
    let text = reader.word(node)?;
    if let Some(code) = text.strip_prefix("load error ") {
        let plain = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if plain {
            return Some(CaseOutcome::LoadError(Arc::from(code)));
        }
    }
    match text.split_once(' ') {
        None if text == "allow" => Some(CaseOutcome::Allow),
        None if text == "redact" => Some(CaseOutcome::Redact),
        Some(("refuse", code)) => match Reason::parse(code) {
            Some(reason) => Some(CaseOutcome::Refuse(reason)),
            None => {
                let known = Reason::ALL.iter().map(|r| r.code());
                reader.unknown("unknown-reason", node.span, "reason", code, known);
                None
            }
        },
        _ => {
            let message = "an outcome is `allow`, `redact`, `refuse REASON` or `load error CODE`";
            reader.error("not-an-outcome", node.span, message);
            None
        }
    }
}

/// A mapping of texts.
pub(super) fn texts(node: &Node, reader: &mut Reader) -> BTreeMap<String, String> {
    let Some(object) = reader.mapping(node) else { return BTreeMap::new() };
    let mut out = BTreeMap::new();
    for (key, _, value) in object.entries() {
        text(&mut out, key, value, reader);
    }
    out
}

/// Reads `sets`: each cookie as text, or as a mapping of its value and how long it lives.
pub(super) fn cookies(node: &Node, reader: &mut Reader) -> BTreeMap<String, String> {
    let Some(object) = reader.mapping(node) else { return BTreeMap::new() };
    let mut out = BTreeMap::new();
    for (name, _, value) in object.entries() {
        match value.kind {
            Kind::Map(_) => out.extend(cookie(value, reader).map(|line| (name.clone(), line))),
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) => {
                text(&mut out, name, value, reader);
            }
        }
    }
    out
}

/// Reads `{value: v, expires: 2099-01-01, max_age: 60}` as `v; Expires=…; Max-Age=60`.
fn cookie(node: &Node, reader: &mut Reader) -> Option<String> {
    let object = reader.object(node, &["value", "expires", "max_age"], "a cookie that is set")?;
    let mut line =
        reader.need(&object, "value", "a cookie that is set").and_then(|n| reader.word(n))?.to_owned();
    if let Some(node) = object.get("expires") {
        let millis = reader.date(node)?.unix_millis();
        let at = Timestamp::from_millisecond(millis).ok()?;
        line.push_str(&at.strftime("; Expires=%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    if let Some(node) = object.get("max_age") {
        line.push_str(&format!("; Max-Age={}", reader.integer(node)?));
    }
    Some(line)
}

pub(super) fn number<N: TryFrom<i64>>(node: &Node, reader: &mut Reader) -> Option<N> {
    let read = reader.integer(node)?;
    let fits = N::try_from(read).ok();
    if fits.is_none() {
        reader.error("out-of-range", node.span, format!("{read} is out of range here"));
    }
    fits
}

pub(super) fn json(node: &Node, reader: &mut Reader) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Float => {
            reader.error("wrong-shape", node.span, "a number in a case is a whole one; write others as text");
            Value::Null
        }
        Kind::Bool(b) => (*b).into(),
        Kind::Int(i) => (*i).into(),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(items) => items.iter().map(|n| json(n, reader)).collect(),
        Kind::Map(entries) => entries.iter().map(|(k, _, v)| (k.clone(), json(v, reader))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Diagnostics;

    fn read<T>(text: &str, read: impl Fn(&Node, &mut Reader) -> T) -> (T, bool) {
        let mut reader = Reader::new(Diagnostics::default());
        let found = read(&Node::parse(text, 0).unwrap(), &mut reader);
        (found, !reader.found.has_errors())
    }

    #[test]
    fn an_outcome_that_is_none_is_an_error() {
        let rows = [
            ("allow", Some(CaseOutcome::Allow)),
            ("redact", Some(CaseOutcome::Redact)),
            ("refuse erased", Some(CaseOutcome::Refuse(Reason::Erased))),
            ("load error bases-meet", Some(CaseOutcome::LoadError("bases-meet".into()))),
            ("load error", None),
            ("load error Bases", None),
            ("refuse", None),
            ("refuse nothing", None),
            ("deny", None),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text, then), (expected.clone(), expected.is_some()), "{text}");
        }
    }

    #[test]
    fn a_cookie_is_set_with_its_attributes() {
        let rows = [
            ("{a: x}", "x"),
            ("{a: x; Max-Age=60}", "x; Max-Age=60"),
            ("{a: {value: x}}", "x"),
            ("{a: {value: x, max_age: 60}}", "x; Max-Age=60"),
            ("{a: {value: x, expires: 2099-01-01}}", "x; Expires=Thu, 01 Jan 2099 00:00:00 GMT"),
        ];
        for (text, line) in rows {
            let (set, good) = read(text, cookies);
            assert!(good && set == BTreeMap::from([("a".to_owned(), line.to_owned())]), "{text}: {set:?}");
        }
    }

    #[test]
    fn what_a_request_brings_is_told_by_its_place() {
        let text = "{header.X-A: a, query.b: b, cookie.c: c, token.assurance: low, token.groups: [x, y], \
                    token.age: 17, token.staff: true, transport.tls: none, transport.signed: true}";
        let (sent, good) = read(text, |node, reader| {
            let mut sent = Sent::default();
            let object = reader.mapping(node).unwrap();
            with(&object, &mut sent, reader);
            sent
        });
        assert!(good);
        assert_eq!(sent.headers["X-A"], "a");
        assert_eq!((&*sent.query["b"], &*sent.cookies["c"]), ("b", "c"));
        assert_eq!(
            (sent.assurance.as_deref(), sent.tls.as_deref(), sent.signed),
            (Some("low"), Some("none"), true)
        );
        assert_eq!(sent.claims["groups"], serde_json::json!(["x", "y"]));
        assert_eq!((&sent.claims["age"], &sent.claims["staff"]), (&Value::from(17), &Value::from(true)));
    }
}
