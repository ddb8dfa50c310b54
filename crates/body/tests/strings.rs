//! What lies in strings of JSON: compared with a model that puts it in the place of the strings first.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use std::sync::Arc;

use consentry_body::{
    BodyFault, Limits, Pseudonyms, Reading, RecordSubject, Redactor, Report, Step, SubjectIx,
};
use consentry_model::{ClassId, Emptied, Field, FieldMap, Format, MaskForm, NodeId, Treatment, Wrap};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

mod support;
use support::random::{doc, limits, verdict};
use support::reference::{Child, Doc, Model};
use support::{KEY, class, coded, laddered, scope};

const WRAPS: [(&str, Wrap); 10] = [
    ("a", Wrap::Json),
    ("a.b", Wrap::Base64Json),
    ("b", Wrap::Base64),
    ("c", Wrap::Base64Json),
    ("tags", Wrap::Json),
    ("rows[].c", Wrap::Json),
    ("rows[].a", Wrap::Base64),
    ("rows[].rows", Wrap::Json),
    ("rows[].rows[].c", Wrap::Base64Json),
    ("rows", Wrap::Json),
];
const LEAVES: [&str; 12] = [
    "a.b.c",
    "a.c",
    "a.*",
    "b",
    "c.*",
    "tags[]",
    "rows[].id",
    "rows[].a",
    "rows[].c.**",
    "rows[].c.id",
    "rows[].rows[].a",
    "rows[].rows[].c.b",
];

fn field() -> impl Strategy<Value = Field> {
    select(vec![
        Field::Open,
        class(0),
        laddered(1, None, Some(MaskForm::LastFour)),
        coded(2, None, Some(MaskForm::LastFour)),
    ])
}

fn map() -> impl Strategy<Value = Arc<FieldMap>> {
    (vec(field(), LEAVES.len()), any::<u16>(), any::<u16>(), any::<u8>()).prop_map(
        |(fields, leaves, wraps, more)| {
            let mut builder = FieldMap::builder();
            for (at, (path, field)) in LEAVES.into_iter().zip(fields).enumerate() {
                if leaves >> at & 1 == 1 {
                    builder = builder.clone().leaf(path, field).unwrap_or(builder);
                    if wraps >> at & 3 == 3 {
                        builder = builder.clone().null_when_withheld(path).unwrap_or(builder);
                    }
                }
            }
            for (at, (path, wrap)) in WRAPS.into_iter().enumerate() {
                if wraps >> at & 1 == 1 {
                    builder = builder.clone().wrapped(path, wrap).unwrap_or(builder);
                }
            }
            for (at, path) in ["rows[]", "rows[].rows[]"].into_iter().enumerate() {
                if more >> at & 1 == 1 {
                    builder = builder.clone().records(path, scope("id", Emptied::Omit)).unwrap_or(builder);
                }
            }
            Arc::new(builder.build())
        },
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |six: &[u8]| {
        let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
        char::from(DIGITS[usize::from_str_radix(&six, 2).unwrap()])
    };
    let text: String = bits.as_bytes().chunks(6).map(digit).collect();
    format!("{text}{}", "=".repeat(text.len().next_multiple_of(4) - text.len()))
}

fn unbase64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String =
        text.trim_end_matches('=').chars().map(|c| format!("{:06b}", DIGITS.find(c).unwrap())).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
        .collect()
}

fn string(text: &str) -> Doc {
    Doc::Text(serde_json::to_string(text).unwrap(), text.to_owned())
}

/// The document with strings in the place of what is declared inside of some; `None` where no string could hold it.
fn wrapped(doc: &Doc, map: &FieldMap, node: Option<NodeId>) -> Option<Doc> {
    let children = |children: &[Child], each: &dyn Fn(&Child) -> Option<NodeId>| {
        let one = |c: &Child| Some(Child { value: wrapped(&c.value, map, each(c))?, ..c.clone() });
        children.iter().map(one).collect::<Option<Vec<_>>>()
    };
    let inside = match doc {
        Doc::Array(all, space) => {
            // The inner arrays of a leaf's array are that leaf's.
            let items = node.and_then(|node| map.items(node));
            Doc::Array(children(all, &|_| items)?, space.clone())
        }
        Doc::Object(all, space) => {
            Doc::Object(children(all, &|c| map.member(node?, &c.name))?, space.clone())
        }
        Doc::Text(..) | Doc::Integer(_) | Doc::Other(_) => doc.clone(),
    };
    match (node.and_then(|node| map.wrap_at(node)), &inside) {
        (None, _) | (_, Doc::Integer(_) | Doc::Other(_)) => Some(inside),
        (Some(Wrap::Base64), Doc::Text(_, text)) => Some(string(&base64(text.as_bytes()))),
        (Some(Wrap::Base64), _) => None,
        (Some(Wrap::Json), doc) => Some(string(&doc.render())),
        (Some(Wrap::Base64Json), doc) => Some(string(&base64(doc.render().as_bytes()))),
    }
}

/// What is left, with what lies in strings in their place.
fn unwrapped(value: Value, map: &FieldMap, node: Option<NodeId>) -> Value {
    let value = match (value, node.and_then(|node| map.wrap_at(node))) {
        (Value::String(text), Some(Wrap::Base64)) => {
            return Value::String(String::from_utf8(unbase64(&text)).unwrap());
        }
        (Value::String(text), Some(Wrap::Json)) => serde_json::from_str(&text).unwrap(),
        (Value::String(text), Some(Wrap::Base64Json)) => serde_json::from_slice(&unbase64(&text)).unwrap(),
        (value, _) => value,
    };
    match value {
        Value::Array(all) => {
            let items = node.and_then(|node| map.items(node));
            all.into_iter().map(|value| unwrapped(value, map, items)).collect()
        }
        Value::Object(all) => {
            let one = |(name, value): (String, Value)| {
                let inner = unwrapped(value, map, node.and_then(|node| map.member(node, &name)));
                (name, inner)
            };
            Value::Object(all.into_iter().map(one).collect())
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

/// Without the number that the other reader cannot hold.
fn read_by_all(doc: Doc) -> Doc {
    let all = |all: Vec<Child>| {
        all.into_iter().map(|c| Child { value: read_by_all(c.value.clone()), ..c }).collect()
    };
    match doc {
        Doc::Other(raw) if raw == "1e400" => Doc::Other("1e40".to_owned()),
        Doc::Array(inner, space) => Doc::Array(all(inner), space),
        Doc::Object(inner, space) => Doc::Object(all(inner), space),
        scalar @ (Doc::Text(..) | Doc::Integer(_) | Doc::Other(_)) => scalar,
    }
}

fn run(
    map: &Arc<FieldMap>,
    limits: Limits,
    body: &[u8],
    pieces: &[usize],
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
) -> Result<(Vec<u8>, Report), BodyFault> {
    let redactor = Redactor::new(&Reading::of(Format::Json), Arc::clone(map), limits);
    let mut redactor = redactor.unwrap().with_pseudonyms(Pseudonyms::new(&KEY));
    let (mut out, mut rest, mut sizes) = (Vec::new(), body, pieces.iter().copied().cycle());
    loop {
        match redactor.step().map_err(|e| e.kind())? {
            Step::NeedInput if rest.is_empty() => redactor.end().map_err(|e| e.kind())?,
            Step::NeedInput => {
                let (piece, after) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
                redactor.push(piece).map_err(|e| e.kind())?;
                rest = after;
            }
            Step::NeedVerdicts(window) => {
                let decide = |subject: SubjectIx, class: ClassId| {
                    assert!(window.groups.contains(&(subject, class)));
                    verdict(window.subject(subject).unwrap(), class)
                };
                out.extend_from_slice(&redactor.release(&decide).map_err(|e| e.kind())?);
            }
            Step::Done => return Ok((out, redactor.report().clone())),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_lies_in_strings_is_decided_on_like_what_stands_in_their_place(
        doc in doc(), map in map(), limits in limits(), seed: u64, pieces in vec(1_usize..40, 0..4),
    ) {
        let doc = read_by_all(doc);
        let Some(body) = wrapped(&doc, &map, Some(map.root())) else { return Ok(()) };
        let body = body.render();
        let verdict = verdict(seed);
        let mut model = Model { map: &map, verdict: &verdict, report: Report::default() };
        let want = model.body(&doc);
        let ran = run(&map, limits, body.as_bytes(), &pieces, &verdict);
        match want {
            Some(want) => {
                let (out, report) = ran.unwrap();
                prop_assert_eq!(report, model.report);
                let left = serde_json::from_slice(&out).unwrap();
                let want: Value = serde_json::from_str(&want).unwrap();
                prop_assert_eq!(unwrapped(left, &map, Some(map.root())), want);
                let (clear, report) = run(&map, limits, body.as_bytes(), &pieces, &|_, _| Treatment::Clear).unwrap();
                prop_assert_eq!(String::from_utf8(clear).unwrap() == body, report.undeclared == 0, "{}", &body);
            }
            None => prop_assert!(matches!(ran.unwrap_err(), BodyFault::Undeclared | BodyFault::NothingLeft)),
        }
    }
}
