//! YAML → [`Case`].

use std::collections::BTreeMap;

use consentry_model::Treatment;
use serde_json::Value;

use super::case::{Case, CaseOutcome, Change, Expectation, Sent};
use super::said;
use crate::bundle::given::{Given, read_given};
use crate::bundle::parties::ANYONE;
use crate::text::{Kind, Node, Object, Reader, Span};

const KEYS: [&str; 30] = [
    "case",
    "clause",
    "at",
    "host",
    "who",
    "asks",
    "why",
    "sends",
    "with",
    "about",
    "given",
    "if_bundle_had",
    "answer",
    "answer_status",
    "sets",
    "tempted",
    "ledger_down",
    "then",
    "dropped",
    "withheld",
    "omitted",
    "stripped",
    "left",
    "changed",
    "assumed",
    "recorded",
    "shows",
    "status",
    "version",
    "disputed",
];

/// Names in `about` that stand for no person: nobody in particular, and the whole of a population.
const NO_PERSONS: [&str; 2] = ["nobody", "everybody"];

/// Reads a `cases` section.
pub(crate) fn read_cases(node: &Node, reader: &mut Reader) -> Vec<(Case, Span)> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let Some(object) = reader.object(item, &KEYS, "a case") else { continue };
        if let Some(case) = read_case(&object, reader) {
            out.push((case, item.span));
        }
    }
    out
}

/// Who asks for what: nobody for anything where the bundle is not to load.
struct Asked {
    who: String,
    method: String,
    path: String,
}

fn read_case(object: &Object<'_>, reader: &mut Reader) -> Option<Case> {
    let mut word = |key: &str| {
        let node = reader.need(object, key, "a case")?;
        reader.word(node).map(str::to_owned)
    };
    let (name, clause) = (word("case"), word("clause"));
    let then = reader.need(object, "then", "a case").and_then(|n| said::then(n, reader));
    let loads = !matches!(then, Some(CaseOutcome::LoadError(_)));
    let asked = asked(object, loads, reader);
    let if_bundle_had = object.get("if_bundle_had").map(|n| said::json(n, reader));
    if !loads && if_bundle_had.is_none() {
        let message = "a case about a load error says what the bundle had: `if_bundle_had`";
        reader.error("load-error-of-what", object.span, message);
    }
    let mut sent = Sent::default();
    if let Some(with) = object.get("with").and_then(|n| reader.mapping(n)) {
        said::with(&with, &mut sent, reader);
    }
    let about = names(object, "about", reader);
    let text =
        |key: &str, reader: &mut Reader| object.get(key).and_then(|n| reader.word(n)).map(str::to_owned);
    let flag = |key: &str, reader: &mut Reader| object.get(key).and_then(|n| reader.boolean(n)) == Some(true);
    let asked = asked?;
    Some(Case {
        name: name?,
        clause: clause?,
        at: object.get("at").and_then(|n| reader.date(n)),
        who: asked.who,
        method: asked.method,
        path: asked.path,
        host: text("host", reader),
        why: text("why", reader),
        sends: object.get("sends").map(|n| said::json(n, reader)),
        headers: sent.headers,
        query: sent.query,
        cookies: sent.cookies,
        assurance: sent.assurance,
        claims: sent.claims,
        tls: sent.tls,
        signed: sent.signed,
        about: about.into_iter().filter(|n| !NO_PERSONS.contains(&n.as_str())).collect(),
        given: sentences(object, "given", reader),
        // JSON is YAML, too.
        if_bundle_had: if_bundle_had.as_ref().map(Value::to_string),
        answer: object.get("answer").map(|n| said::json(n, reader)),
        answer_status: object.get("answer_status").and_then(|n| said::number(n, reader)),
        sets: object.get("sets").map(|n| said::cookies(n, reader)).unwrap_or_default(),
        tempted: flag("tempted", reader),
        ledger_down: flag("ledger_down", reader),
        then: then?,
        expect: expectation(object, reader),
        disputed: text("disputed", reader),
    })
}

fn asked(object: &Object<'_>, loads: bool, reader: &mut Reader) -> Option<Asked> {
    if !loads {
        return Some(Asked { who: ANYONE.to_owned(), method: String::new(), path: String::new() });
    }
    let mut word = |key: &str| {
        let node = reader.need(object, key, "a case")?;
        Some((reader.word(node)?.to_owned(), node.span))
    };
    let (who, asks) = (word("who"), word("asks"));
    if object.get("about").is_none() {
        reader.error_help(
            "key-missing",
            object.span,
            "a case needs `about`",
            "whose data is it?",
            "name the people, or say `nobody` or `everybody`",
        );
    }
    let (asks, span) = asks?;
    let Some((method, path)) = asks.split_once(' ').filter(|(_, p)| p.starts_with('/')) else {
        reader.error("not-a-request", span, "a case asks with a method and a path: `GET /customers/ann`");
        return None;
    };
    Some(Asked { who: who?.0, method: method.to_owned(), path: path.to_owned() })
}

fn expectation(object: &Object<'_>, reader: &mut Reader) -> Expectation {
    let (omitted, omitted_names) = object.get("omitted").map(|n| omitted(n, reader)).unwrap_or_default();
    Expectation {
        dropped: names(object, "dropped", reader),
        withheld: names(object, "withheld", reader),
        omitted,
        omitted_names,
        stripped: names(object, "stripped", reader),
        left: object.get("left").map(|n| left(n, reader)).unwrap_or_default(),
        changed: object.get("changed").map(|n| changed(n, reader)).unwrap_or_default(),
        assumed: names(object, "assumed", reader),
        recorded: sentences(object, "recorded", reader),
        shows: object.get("shows").map(|n| said::texts(n, reader)).unwrap_or_default(),
        status: object.get("status").and_then(|n| said::number(n, reader)),
        version: object.get("version").and_then(|n| reader.word(n)).map(str::to_owned),
    }
}

fn names(object: &Object<'_>, key: &str, reader: &mut Reader) -> Vec<String> {
    let read = object.get(key).map(|n| reader.words(n)).unwrap_or_default();
    read.into_iter().map(|(w, _)| w.to_owned()).collect()
}

fn sentences(object: &Object<'_>, key: &str, reader: &mut Reader) -> Vec<Given> {
    let mut out = Vec::new();
    for (word, span) in object.get(key).map(|n| reader.words(n)).unwrap_or_default() {
        let Some(given) = read_given(word, span, reader) else { continue };
        if key == "given" && given.recorded_only {
            // Without a day it would have been so since the beginning of time.
            let message = "this sentence has no day; only what a case records may leave it out";
            reader.error("sentence-without-day", span, message);
        }
        out.push(given);
    }
    out
}

/// How many are left out, or which.
fn omitted(node: &Node, reader: &mut Reader) -> (u64, Vec<String>) {
    if let Kind::Int(_) = node.kind {
        return (said::number(node, reader).unwrap_or(0), Vec::new());
    }
    let names: Vec<String> = reader.words(node).into_iter().map(|(w, _)| w.to_owned()).collect();
    (names.len() as u64, names)
}

fn left(node: &Node, reader: &mut Reader) -> BTreeMap<String, Treatment> {
    let Some(object) = reader.mapping(node) else { return BTreeMap::new() };
    let between = [Treatment::Truncated, Treatment::Masked, Treatment::Pseudonymised];
    let mut out = BTreeMap::new();
    for (key, _, value) in object.entries() {
        if let Some(treatment) = reader.one_of(value, "treatment", &between.map(|t| (t.code(), t))) {
            out.insert(key.clone(), treatment);
        }
    }
    out
}

/// Reads `{header.X: value, cookie.NAME.max_age: seconds}`.
fn changed(node: &Node, reader: &mut Reader) -> Vec<Change> {
    let Some(object) = reader.mapping(node) else { return Vec::new() };
    let mut out = Vec::new();
    for (key, span, value) in object.entries() {
        let cookie = key.strip_prefix("cookie.").and_then(|rest| rest.strip_suffix(".max_age"));
        match (key.strip_prefix("header."), cookie) {
            (Some(name), _) if !name.is_empty() => {
                let text = reader.word(value).map(str::to_owned);
                out.extend(text.map(|text| Change::Header(name.to_ascii_lowercase(), text)));
            }
            (_, Some(name)) if !name.is_empty() => {
                let seconds = reader.integer(value);
                out.extend(seconds.map(|seconds| Change::CookieMaxAge(name.to_owned(), seconds)));
            }
            _ => reader.unknown("unknown-key", *span, "change", key, ["header.NAME", "cookie.NAME.max_age"]),
        }
    }
    out
}
