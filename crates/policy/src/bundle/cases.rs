//! Cases: short stories that a lawyer can read and extend, each with the outcome that must follow.

use std::collections::BTreeMap;

use consentry_model::{Moment, Outcome, Reason, Treatment};
use serde_json::Value;

use super::given::{Given, read_given};
use crate::text::{Kind, Node, Object, Reader};

/// What must come out of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// Everything clear.
    Allow,
    /// Some of it not.
    Redact,
    /// Refused, with this reason in the evidence.
    Refuse(Reason),
}

impl CaseOutcome {
    /// The outcome without its reason.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Allow => Outcome::Allow,
            Self::Redact => Outcome::Redact,
            Self::Refuse(_) => Outcome::Refuse,
        }
    }
}

/// What must come out besides the outcome. Each list is exact: what is removed and not listed fails the case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Fields of the request that do not reach the upstream.
    pub dropped: Vec<String>,
    /// Fields of the response that are not delivered, by their path in the service map.
    pub withheld: Vec<String>,
    /// How many records are left out.
    pub omitted: u64,
    /// Cookies that do not travel.
    pub stripped: Vec<String>,
    /// Fields that are delivered in a lesser treatment.
    pub left: BTreeMap<String, Treatment>,
    /// Sentences that the ledger holds afterwards.
    pub recorded: Vec<Given>,
    /// Members that the problem body shows.
    pub shows: BTreeMap<String, String>,
    /// The status, where it is not the usual one.
    pub status: Option<u16>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What happens, in one sentence.
    pub name: String,
    /// The clause it tests.
    pub clause: String,
    /// The day of the story, from its first moment in UTC; the runner's own today when it says nothing.
    pub at: Option<Moment>,
    /// A requester, `anyone`, or a person's name: that person, proved.
    pub who: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The declared purpose.
    pub why: Option<String>,
    /// The JSON body that is sent.
    pub sends: Option<Value>,
    /// Headers that are sent.
    pub headers: BTreeMap<String, String>,
    /// Query parameters that are sent.
    pub query: BTreeMap<String, String>,
    /// Cookies that are sent.
    pub cookies: BTreeMap<String, String>,
    /// The assurance that the token states.
    pub assurance: Option<String>,
    /// The people it is about.
    pub about: Vec<String>,
    /// What the ledger holds.
    pub given: Vec<Given>,
    /// The upstream's JSON answer; made up from the service map when the case says nothing.
    pub answer: Option<Value>,
    /// Cookies that the upstream sets.
    pub sets: BTreeMap<String, String>,
    /// Beside a rule that permits everything: only a prohibition can still refuse.
    pub tempted: bool,
    /// The ledger does not answer.
    pub ledger_down: bool,
    /// The outcome.
    pub then: CaseOutcome,
    /// What else must come out.
    pub expect: Expectation,
}

const KEYS: [&str; 23] = [
    "case",
    "clause",
    "at",
    "who",
    "asks",
    "why",
    "sends",
    "with",
    "about",
    "given",
    "answer",
    "sets",
    "tempted",
    "ledger_down",
    "then",
    "dropped",
    "withheld",
    "omitted",
    "stripped",
    "left",
    "recorded",
    "shows",
    "status",
];

/// Reads a `cases` section.
pub(crate) fn read_cases(node: &Node, reader: &mut Reader) -> Vec<(Case, crate::text::Span)> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let Some(object) = reader.object(item, &KEYS, "a case") else { continue };
        if let Some(case) = read_case(&object, reader) {
            out.push((case, item.span));
        }
    }
    out
}

fn read_case(object: &Object<'_>, reader: &mut Reader) -> Option<Case> {
    let mut word = |key: &str| {
        let node = reader.need(object, key, "a case")?;
        reader.word(node).map(str::to_owned)
    };
    let (name, clause, who, asks) = (word("case"), word("clause"), word("who"), word("asks"));
    let then = reader.need(object, "then", "a case").and_then(|n| read_then(n, reader));
    let asks = asks?;
    let Some((method, path)) = asks.split_once(' ').filter(|(_, p)| p.starts_with('/')) else {
        let span = object.get("asks").map_or(object.span, |n| n.span);
        reader.error("not-a-request", span, "a case asks with a method and a path: `GET /customers/ann`");
        return None;
    };
    let with = object.get("with").and_then(|n| reader.mapping(n));
    let mut sent = Sent::default();
    if let Some(with) = with {
        sent.read(&with, reader);
    }
    let names = |key: &str, reader: &mut Reader| -> Vec<String> {
        let read = object.get(key).map(|n| reader.words(n)).unwrap_or_default();
        read.into_iter().map(|(w, _)| w.to_owned()).collect()
    };
    let about = names("about", reader);
    let sentences = |key: &str, reader: &mut Reader| -> Vec<Given> {
        let read = object.get(key).map(|n| reader.words(n)).unwrap_or_default();
        read.into_iter().filter_map(|(w, span)| read_given(w, span, reader)).collect()
    };
    let flag = |key: &str, reader: &mut Reader| object.get(key).and_then(|n| reader.boolean(n)) == Some(true);
    Some(Case {
        name: name?,
        clause: clause?,
        at: object.get("at").and_then(|n| reader.date(n)),
        who: who?,
        method: method.to_owned(),
        path: path.to_owned(),
        why: object.get("why").and_then(|n| reader.word(n)).map(str::to_owned),
        sends: object.get("sends").map(|n| json(n, reader)),
        headers: sent.headers,
        query: sent.query,
        cookies: sent.cookies,
        assurance: sent.assurance,
        about: about.into_iter().filter(|n| n != "nobody").collect(),
        given: sentences("given", reader),
        answer: object.get("answer").map(|n| json(n, reader)),
        sets: object.get("sets").map(|n| text_map(n, reader)).unwrap_or_default(),
        tempted: flag("tempted", reader),
        ledger_down: flag("ledger_down", reader),
        then: then?,
        expect: Expectation {
            dropped: names("dropped", reader),
            withheld: names("withheld", reader),
            omitted: object.get("omitted").and_then(|n| number(n, reader)).unwrap_or(0),
            stripped: names("stripped", reader),
            left: object.get("left").map(|n| left(n, reader)).unwrap_or_default(),
            recorded: sentences("recorded", reader),
            shows: object.get("shows").map(|n| text_map(n, reader)).unwrap_or_default(),
            status: object.get("status").and_then(|n| number(n, reader)),
        },
    })
}

#[derive(Default)]
struct Sent {
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
    assurance: Option<String>,
}

impl Sent {
    fn read(&mut self, with: &Object<'_>, reader: &mut Reader) {
        for (key, span, value) in with.entries() {
            let Some(text) = reader.word(value).map(str::to_owned) else { continue };
            match key.split_once('.') {
                Some(("header", name)) => _ = self.headers.insert(name.to_owned(), text),
                Some(("query", name)) => _ = self.query.insert(name.to_owned(), text),
                Some(("cookie", name)) => _ = self.cookies.insert(name.to_owned(), text),
                Some(("token", "assurance")) => self.assurance = Some(text),
                _ => {
                    let known = ["header.NAME", "query.NAME", "cookie.NAME", "token.assurance"];
                    reader.unknown("unknown-key", *span, "key of `with`", key, known);
                }
            }
        }
    }
}

fn read_then(node: &Node, reader: &mut Reader) -> Option<CaseOutcome> {
    let text = reader.word(node)?;
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
            let message = "an outcome is `allow`, `redact` or `refuse REASON`";
            reader.error("not-an-outcome", node.span, message);
            None
        }
    }
}

fn text_map(node: &Node, reader: &mut Reader) -> BTreeMap<String, String> {
    let Some(object) = reader.mapping(node) else { return BTreeMap::new() };
    let mut out = BTreeMap::new();
    for (key, _, value) in object.entries() {
        if let Some(word) = reader.word(value) {
            out.insert(key.clone(), word.to_owned());
        }
    }
    out
}

fn left(node: &Node, reader: &mut Reader) -> BTreeMap<String, Treatment> {
    let Some(object) = reader.mapping(node) else { return BTreeMap::new() };
    let choices = [Treatment::Truncated, Treatment::Masked].map(|t| (t.code(), t));
    let mut out = BTreeMap::new();
    for (key, _, value) in object.entries() {
        if let Some(treatment) = reader.one_of(value, "treatment", &choices) {
            out.insert(key.clone(), treatment);
        }
    }
    out
}

fn number<N: TryFrom<i64>>(node: &Node, reader: &mut Reader) -> Option<N> {
    let read = reader.integer(node)?;
    let fits = N::try_from(read).ok();
    if fits.is_none() {
        reader.error("out-of-range", node.span, format!("{read} is out of range here"));
    }
    fits
}

fn json(node: &Node, reader: &mut Reader) -> Value {
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
