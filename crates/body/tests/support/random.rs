//! Random documents, maps and verdicts.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use consentry_body::{Limits, RecordSubject};
use consentry_model::{ClassId, Emptied, Field, FieldMap, MaskForm, RecordScope, Treatment, TruncateForm};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::reference::{Child, Doc};
use super::{capturing, class, coded, laddered};

const NAMES: [&str; 7] = ["a", "b", "c", "id", "rows", "tags", "\u{e9}\"x"];
const PATHS: [&str; 30] = [
    "a",
    "a.b",
    "a.b.c",
    "a.**",
    "*",
    "b",
    "c.*",
    "c.id",
    "id",
    "tags",
    "tags[]",
    "tags[]",
    "tags[].a",
    "tags[].**",
    "rows[].tags[].**",
    "rows[].a",
    "rows[].b",
    "rows[].b.a",
    "rows[].id",
    "rows[].tags",
    "rows[].tags[]",
    "rows[].c.id",
    "rows[].c.**",
    "rows[].*",
    "rows[].rows[].a",
    "rows[].rows[].id",
    "rows[].rows[].*",
    "rows[].**",
    "rows[]",
    "rows[].rows[].rows[].a",
];
const ROOT_PATHS: [&str; 6] = ["[].a", "[].id", "[].rows[].a", "[].*", "[].c.**", "[]"];

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r ")].prop_map(str::to_owned)
}

/// A text as a JSON string, with some of its characters escaped.
fn quoted(text: &str, seed: u64) -> String {
    let mut out = String::from("\"");
    for (at, c) in text.chars().enumerate() {
        let escape = u32::from(c) < 0x20 || c == '"' || c == '\\' || seed >> (at % 60) & 7 == 1;
        if escape {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out + "\""
}

fn text() -> impl Strategy<Value = Doc> {
    let text = prop_oneof![
        4 => (0_u32..1_000_000).prop_map(|n| format!("secret-{n:06}x")),
        2 => select(vec!["p1", "p2", "p3", "", "10115", "SW1A 1AA", "x"]).prop_map(str::to_owned),
        1 => "\\PC{0,10}",
        1 => any::<Vec<char>>().prop_map(|v| v.into_iter().take(6).collect()),
    ];
    (text, any::<u64>()).prop_map(|(text, seed)| Doc::Text(quoted(&text, seed), text))
}

fn scalar() -> impl Strategy<Value = Doc> {
    prop_oneof![
        5 => text(),
        2 => select(vec!["1", "2", "-0", "9007199254740991", "9007199254740992", "-9223372036854775808", "9223372036854775808", "12345678901234567890123"]).prop_map(|n| Doc::Integer(n.to_owned())),
        3 => select(vec!["1.50", "1e400", "-0.0E-1", "null", "true", "false"]).prop_map(|n| Doc::Other(n.to_owned())),
    ]
}

pub(crate) fn doc() -> impl Strategy<Value = Doc> {
    let inner =
        scalar().prop_recursive(5, 60, 6, |value| prop_oneof![2 => array(value.clone()), 3 => object(value)]);
    // Mostly shapes that the maps know.
    let record = object(inner.clone());
    let rows = array(object(inner.clone())).prop_map(|rows| vec![("rows", rows)]).boxed();
    let body =
        (record.clone(), rows.clone(), rows).prop_map(|(body, rows, deeper)| with(with(body, rows), deeper));
    prop_oneof![6 => body, 2 => array(record), 1 => inner]
}

fn array(value: impl Strategy<Value = Doc> + 'static) -> BoxedStrategy<Doc> {
    (vec((space(), value, space()), 0..5), space())
        .prop_map(|(values, empty)| {
            let child = |(before, value, after)| Child { name: String::new(), before, value, after };
            Doc::Array(values.into_iter().map(child).collect(), empty)
        })
        .boxed()
}

fn object(value: impl Strategy<Value = Doc> + 'static) -> BoxedStrategy<Doc> {
    let names = Just(NAMES.to_vec()).prop_shuffle();
    (names, vec((any::<u64>(), space(), space(), space(), value), 0..6), space())
        .prop_map(|(names, values, empty)| {
            let child =
                |(name, (seed, around, before, after, value)): (&str, (u64, String, String, String, Doc))| {
                    let before = format!("{before}{}{around}:{around}", quoted(name, seed));
                    Child { name: name.to_owned(), before, value, after }
                };
            Doc::Object(names.into_iter().zip(values).map(child).collect(), empty)
        })
        .boxed()
}

/// Puts values in the place of members, or adds them.
fn with(doc: Doc, values: Vec<(&str, Doc)>) -> Doc {
    let Doc::Object(mut members, empty) = doc else { return doc };
    for (name, value) in values {
        match members.iter_mut().find(|m| m.name == name) {
            // The first of a record list gets a record list of its own.
            Some(there) => match (&mut there.value, value) {
                (Doc::Array(rows, _), value) if !rows.is_empty() => {
                    let row = std::mem::replace(&mut rows[0].value, Doc::Other("null".to_owned()));
                    rows[0].value = match row {
                        Doc::Object(mut inner, space) if inner.iter().all(|m| m.name != "rows") => {
                            inner.push(member("rows", value));
                            Doc::Object(inner, space)
                        }
                        other @ (Doc::Object(..)
                        | Doc::Array(..)
                        | Doc::Text(..)
                        | Doc::Integer(_)
                        | Doc::Other(_)) => other,
                    };
                }
                (slot, value) => *slot = value,
            },
            None => members.push(member(name, value)),
        }
    }
    Doc::Object(members, empty)
}

fn member(name: &str, value: Doc) -> Child {
    Child { name: name.to_owned(), before: format!("\"{name}\":"), value, after: String::new() }
}

fn field() -> impl Strategy<Value = Field> {
    let forms = |n, cut, mask| laddered(n, cut, mask);
    select(vec![
        Field::Open,
        Field::Open,
        class(0),
        class(1),
        forms(2, None, Some(MaskForm::LastFour)),
        forms(3, Some(TruncateForm::Postcode), None),
        forms(4, Some(TruncateForm::Postcode), Some(MaskForm::LastFour)),
        coded(5, None, None),
        coded(6, Some(TruncateForm::Postcode), Some(MaskForm::LastFour)),
    ])
}

/// A map of some of the paths; those that clash with an earlier one are left out.
pub(crate) fn any_map() -> impl Strategy<Value = Arc<FieldMap>> {
    map_of(field().boxed())
}

/// The same without open leaves.
pub(crate) fn personal_map() -> impl Strategy<Value = Arc<FieldMap>> {
    map_of(field().prop_filter("open", |f| *f != Field::Open).boxed())
}

fn map_of(field: BoxedStrategy<Field>) -> impl Strategy<Value = Arc<FieldMap>> {
    let lists = vec!["rows[]", "rows[].rows[]", "tags[]", "rows[].tags[]"];
    let with_root = [&lists[..], &[""]].concat();
    let lists = prop_oneof![4 => Just(lists), 1 => Just(with_root)];
    let object_root = (vec((select(PATHS.to_vec()), field.clone()), 1..14), lists);
    let lists = vec!["[]", "[].rows[]", "[].c"];
    let array_root = (vec((select(ROOT_PATHS.to_vec()), field.clone()), 1..5), Just(lists));
    let whole = (vec((Just("**"), field), 1..2), Just(vec!["[]", ""]));
    let nulls = prop_oneof![2 => Just(0), 1 => any::<u16>()];
    (prop_oneof![8 => object_root, 2 => array_root, 1 => whole], vec(records(), 5), nulls).prop_map(
        |((leaves, lists), records, nulls)| {
            let mut builder = FieldMap::builder();
            for (at, (path, field)) in leaves.into_iter().enumerate() {
                builder = builder.clone().leaf(path, field).unwrap_or(builder);
                if nulls >> at & 1 == 1 {
                    builder = builder.clone().null_when_withheld(path).unwrap_or(builder);
                }
            }
            for (path, scope) in lists.into_iter().zip(records) {
                let Some(scope) = scope else { continue };
                builder = builder.clone().records(path, scope).unwrap_or(builder);
            }
            Arc::new(builder.build())
        },
    )
}

/// A scope, or none. The paths of the captures meet each other's, and the subject's.
fn records() -> impl Strategy<Value = Option<RecordScope>> {
    let emptied = prop_oneof![Just(Emptied::Omit), Just(Emptied::Keep)];
    let subject = select(vec!["id", "c.id", "a", ""]);
    let captures = prop_oneof![
        1 => Just(Vec::new()),
        2 => vec(select(vec!["a", "b", "c", "id", "c.id", "a.b", "a.b.c", "rows", "\u{e9}\"x", "nowhere"]), 1..4),
    ];
    (any::<bool>(), subject, emptied, captures)
        .prop_map(|(there, subject, emptied, captures)| there.then(|| capturing(subject, emptied, &captures)))
}

/// Limits that the random documents keep, and that cut them into windows.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    (prop_oneof![1_usize..200, Just(1 << 20)], 1_usize..5).prop_map(
        |(window_bytes_max, window_subjects_max)| Limits {
            window_bytes_max,
            window_subjects_max,
            ..Limits::default()
        },
    )
}

/// A verdict for each pair, by lot but always the same.
pub(crate) fn verdict(seed: u64) -> impl Fn(&RecordSubject, ClassId) -> Treatment {
    move |subject, class| {
        let mut hasher = DefaultHasher::new();
        (seed, subject, class).hash(&mut hasher);
        Treatment::ALL[(hasher.finish() % 5) as usize]
    }
}
