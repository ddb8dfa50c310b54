//! What a request's body says, in one shape for every media type: for facts, events and whatever is looked for in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use consentry_body::{Piece, Reading, Said, columns, pieces};
use consentry_model::{FieldMap, Format, MediaTypes, Reason};
use serde_json::Value;

use crate::head::Head;
use crate::media::Media;
use crate::target::loosely;

/// How a body is read for what it says.
pub(crate) struct ReadAs {
    reading: Reading,
    map: Arc<FieldMap>,
    depth_max: usize,
}

impl ReadAs {
    pub(crate) const fn new(reading: Reading, map: Arc<FieldMap>, depth_max: usize) -> Self {
        Self { reading, map, depth_max }
    }

    /// What it says, strings within it opened.
    pub(crate) fn said(&self, bytes: &[u8]) -> Result<Said, Reason> {
        let said = said(&self.reading, bytes, self.depth_max)?;
        Ok(opened(said, self.reading.format, &self.map, self.depth_max))
    }
}

/// The parts of a form that are JSON.
pub(crate) fn json_parts(reading: &Reading, bytes: &[u8]) -> BTreeSet<String> {
    let pieces = if reading.format == Format::Multipart { pieces(reading, bytes) } else { Vec::new() };
    let json = pieces.into_iter().filter(|(_, piece)| matches!(piece, Piece::Json(_)));
    json.map(|(name, _)| name.strip_suffix("[]").unwrap_or(&name).to_owned()).collect()
}

/// What a body says that its redactor has read to the end without an error.
fn said(reading: &Reading, bytes: &[u8], depth_max: usize) -> Result<Said, Reason> {
    let texts = |bytes: &[u8]| Said::each(bytes, depth_max).map(Said::List).ok_or(Reason::BodyMalformed);
    match reading.format {
        Format::Json => Said::one(bytes, depth_max).ok_or(Reason::BodyMalformed),
        // Another reader ends a line there.
        Format::JsonLines if has_bare_return(bytes) => Err(Reason::BodyMalformed),
        Format::JsonLines => texts(bytes),
        // Between texts only: within one a control character is escaped.
        Format::JsonSequence => {
            texts(&bytes.iter().map(|b| if *b == 0x1e { b' ' } else { *b }).collect::<Vec<_>>())
        }
        Format::Form | Format::Multipart => object(pieces(reading, bytes), depth_max),
        Format::Csv => table(columns(bytes), depth_max),
        Format::Whole => Ok(text(bytes)),
        Format::Events => Ok(Said::Null),
    }
}

/// Whether a carriage return stands anywhere but before a line feed.
fn has_bare_return(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|b| *b == b'\n').peekable();
    std::iter::from_fn(|| {
        let line = lines.next()?;
        let ends = lines.peek().is_some();
        Some(if ends { line.strip_suffix(b"\r").unwrap_or(line) } else { line })
    })
    .any(|line| line.contains(&b'\r'))
}

/// The same with what the map declares inside of strings in their place. Each text of several is a body of its own.
fn opened(said: Said, format: Format, map: &FieldMap, depth_max: usize) -> Said {
    match (said, format) {
        (Said::List(texts), Format::JsonLines | Format::JsonSequence) => {
            Said::List(texts.into_iter().map(|text| text.opened(map, depth_max)).collect())
        }
        (said, _) => said.opened(map, depth_max),
    }
}

/// Bytes that need be no text. What in them is one is looked into all the same.
fn text(bytes: &[u8]) -> Said {
    Said::Text(String::from_utf8_lossy(bytes).into_owned())
}

/// The fields of a form as members.
fn object(row: Vec<(String, Piece)>, depth_max: usize) -> Result<Said, Reason> {
    let field = |(name, piece)| {
        let is_closed = !matches!(piece, Piece::Text(_));
        let value = match piece {
            Piece::Text(text) => Said::Text(text),
            Piece::Json(bytes) => Said::one(&bytes, depth_max).ok_or(Reason::BodyMalformed)?,
            // It is no text by which anybody is named or anything agreed to, and is looked into all the same.
            Piece::File(bytes) => Said::Object(BTreeMap::from([(String::new(), text(&bytes))]).into()),
        };
        Ok((name, value, is_closed))
    };
    members(row.into_iter().map(field), depth_max)
}

/// The columns of a table as members, each with what its rows say of it. A name is there once, and is looked at once, however
/// many rows follow it, or none.
fn table(columns: Vec<(String, Vec<String>)>, depth_max: usize) -> Result<Said, Reason> {
    let list = |texts: Vec<String>| Said::List(texts.into_iter().map(Said::Text).collect());
    members(columns.into_iter().map(|(name, texts)| Ok((name, list(texts), false))), depth_max)
}

/// Names and what they say: `a.b` lies in `a`, and a name that is a list's, or comes twice, is one. Nothing lies in what is
/// closed but what came with it.
fn members(
    fields: impl Iterator<Item = Result<(String, Said, bool), Reason>>,
    depth_max: usize,
) -> Result<Said, Reason> {
    let (mut out, mut closed) = (BTreeMap::new(), BTreeSet::new());
    for field in fields {
        let (name, value, is_closed) = field?;
        let (path, listed) = name.strip_suffix("[]").map_or((name.as_str(), false), |path| (path, true));
        let mut names: Vec<&str> = path.split('.').collect();
        // What came as a whole has nothing in it that comes beside it.
        let within = |(dot, _): (usize, &str)| path.get(..dot).is_some_and(|above| closed.contains(above));
        if names.len() > depth_max || path.match_indices('.').any(within) {
            return Err(Reason::BodyMalformed);
        }
        if is_closed {
            closed.insert(path.to_owned());
        }
        let last = names.pop().unwrap_or_default();
        let mut at = &mut out;
        for name in names {
            let inner = at.entry(name.to_owned()).or_insert_with(|| Field::Inside(BTreeMap::new()));
            // A field that is a text and has fields in it has two readings.
            let Field::Inside(members) = inner else { return Err(Reason::BodyMalformed) };
            at = members;
        }
        match at.get_mut(last) {
            None if listed => _ = at.insert(last.to_owned(), Field::Says(Said::List(vec![value]))),
            None => _ = at.insert(last.to_owned(), Field::Says(value)),
            Some(Field::Inside(_)) => return Err(Reason::BodyMalformed),
            Some(Field::Says(Said::List(list))) => list.push(value),
            Some(Field::Says(first)) => {
                *first = Said::List(vec![std::mem::replace(first, Said::Null), value]);
            }
        }
    }
    Ok(Field::Inside(out).said())
}

/// A field on the way: one that says something, or the fields in it.
enum Field {
    Says(Said),
    Inside(BTreeMap<String, Field>),
}

impl Field {
    fn said(self) -> Said {
        match self {
            Self::Says(said) => said,
            Self::Inside(fields) => {
                let members: BTreeMap<_, _> =
                    fields.into_iter().map(|(name, field)| (name, field.said())).collect();
                Said::Object(members.into())
            }
        }
    }
}

/// Something else stands in a body than leads to a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Astray;

/// What stands at a path, if anything is said of it. Elements of a list on the way may each say something, and a text may hold
/// it: nobody knows what another reader takes of that.
pub(crate) fn reach<'s>(said: &'s Said, path: &[String]) -> Result<Option<&'s Said>, Astray> {
    let mut at = said;
    for name in path {
        match at {
            Said::Object(members) => match members.get(name) {
                Some(member) => at = member,
                None => return Ok(None),
            },
            Said::Null => return Ok(None),
            Said::Bool(_) | Said::Integer(_) | Said::Number(_) | Said::Text(_) | Said::List(_) => {
                return Err(Astray);
            }
        }
    }
    Ok(Some(at))
}

/// Whether a member says what is wanted of it. Where it is flat, in a form, there is no other shape than a text.
pub(crate) fn says(found: Option<&Said>, wanted: &Value, is_flat: bool) -> bool {
    let text = found.and_then(Said::text);
    match wanted {
        Value::String(word) => text == Some(word),
        Value::Bool(_) | Value::Number(_) if is_flat => text == Some(&wanted.to_string()),
        Value::Bool(b) => found == Some(&Said::Bool(*b)),
        // A whole number is written in one way.
        Value::Number(number) => found == Some(&Said::Integer(number.to_string().into())),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether whoever does not look closely may take a member for saying what is wanted of it: a no that may be one is one. A truth
/// is written in several ways, and of several values one is enough.
fn may_say(found: &Said, wanted: &Value) -> bool {
    const YES: [&str; 4] = ["true", "1", "on", "yes"];
    const NO: [&str; 4] = ["false", "0", "off", "no"];
    let word = match found {
        Said::List(items) => return items.iter().any(|item| may_say(item, wanted)),
        Said::Text(text) => loosely(text),
        Said::Integer(digits) => digits.to_string(),
        Said::Bool(truth) => truth.to_string(),
        // A file of JSON is a field to some.
        Said::Object(members) => match members.get("").and_then(Said::text) {
            Some(text) => match Said::one(text.as_bytes(), 1) {
                Some(Said::Object(_)) => return false,
                Some(inside) => return may_say(&inside, wanted),
                None => loosely(text),
            },
            None => return false,
        },
        Said::Null | Said::Number(_) => return false,
    };
    match wanted {
        Value::Bool(truth) => (if *truth { YES } else { NO }).contains(&word.as_str()),
        Value::String(wanted) => word == loosely(wanted),
        Value::Number(wanted) => word == wanted.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The same of what stands at a path, and of each line, row or element of a list on the way.
pub(crate) fn may_say_at(said: &Said, path: &[String], wanted: &Value) -> bool {
    match (said, path) {
        (_, []) => may_say(said, wanted),
        (Said::List(items), _) => items.iter().any(|item| may_say_at(item, path, wanted)),
        (_, [name, rest @ ..]) => said.member(name).is_some_and(|member| may_say_at(member, rest, wanted)),
    }
}

/// The same of a parameter, which can be decoded in more than one way, and in which a truth is a word too.
pub(crate) fn may_say_in_words(readings: Vec<String>, wanted: &Value) -> bool {
    let wanted = match wanted.as_str() {
        Some("true") => &Value::Bool(true),
        Some("false") => &Value::Bool(false),
        _ => wanted,
    };
    readings.into_iter().any(|reading| may_say(&Said::Text(reading), wanted))
}

/// The body of a one-click unsubscription (RFC 8058, section 3.1), as a form of either kind: it says nothing and goes nowhere,
/// but a mail client sends it, and a no must always arrive.
pub(crate) fn is_one_click(content_type: Option<&str>, body: &[u8]) -> bool {
    if body == b"List-Unsubscribe=One-Click" {
        return true;
    }
    let parts = MediaTypes::read(["multipart/form-data"]).ok();
    let media = parts.and_then(|types| Media::read(content_type, &types));
    let fields = media.map(|media| pieces(&media.reading, body)).unwrap_or_default();
    let click = Piece::Text("One-Click".to_owned());
    matches!(&fields[..], [(name, piece)] if name == "List-Unsubscribe" && *piece == click)
}

/// A table without the mark that some programs begin one with: to whoever does not know it the first column has another name.
pub(crate) fn unmarked(bytes: Bytes, format: Format) -> Bytes {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if format == Format::Csv => bytes.slice_ref(rest),
        Some(_) | None => bytes,
    }
}

/// Whether a body of no bytes is one that was left out: JSON, which has no empty text. It says no more than `{}` does.
pub(crate) fn is_left_out(head: &Head, types: &MediaTypes) -> bool {
    let is_json = |media: Media| media.reading.format == Format::Json;
    let may_be_json = if head.has("content-type") {
        Media::read(head.header("content-type"), types).is_some_and(is_json)
    } else {
        types.has(Format::Json)
    };
    may_be_json && !head.has("content-encoding")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said_by(value: &Value) -> Said {
        Said::one(value.to_string().as_bytes(), 8).unwrap()
    }

    #[test]
    fn a_body_says_the_same_in_every_media_type() {
        let form = |boundary: Option<&str>, format| Reading {
            boundary: boundary.map(Into::into),
            ..Reading::of(format)
        };
        let parts = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"b\"\r\nContent-Type: application/json\r\n\r\n{\"c\":2}\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nhi\r\n--b--";
        for (reading, body, expected) in [
            (Reading::of(Format::Json), "[1]", Ok(json!([1]))),
            (Reading::of(Format::JsonLines), "{\"a\":1}\n\n{\"a\":2}\n", Ok(json!([{"a": 1}, {"a": 2}]))),
            (Reading::of(Format::JsonLines), "1\r\n\r\n2", Ok(json!([1, 2]))),
            (Reading::of(Format::JsonLines), "[1,\r2]\n", Err(Reason::BodyMalformed)),
            (Reading::of(Format::JsonLines), "1\r\r\n", Err(Reason::BodyMalformed)),
            (Reading::of(Format::JsonLines), "1\n\r", Err(Reason::BodyMalformed)),
            (Reading::of(Format::JsonSequence), "\u{1e}1\n\u{1e}2\n", Ok(json!([1, 2]))),
            (
                Reading::of(Format::Form),
                "a.b=1&c=x+y&t[]=1&d=1&d=2",
                Ok(json!({"a": {"b": "1"}, "c": "x y", "t": ["1"], "d": ["1", "2"]})),
            ),
            (Reading::of(Format::Form), "", Ok(json!({}))),
            (Reading::of(Format::Form), "a=1&a.b=2", Err(Reason::BodyMalformed)),
            (Reading::of(Format::Form), "a.b=2&a=1", Err(Reason::BodyMalformed)),
            (Reading::of(Format::Form), "a.a.a.a.a.a.a.a.a=1", Err(Reason::BodyMalformed)),
            (
                form(Some("b"), Format::Multipart),
                parts,
                Ok(json!({"a": "1", "b": {"c": 2}, "f": {"": "hi"}})),
            ),
            (Reading::of(Format::Csv), "a,b\n1,2\n3,\n", Ok(json!({"a": ["1", "3"], "b": ["2", ""]}))),
            (Reading::of(Format::Csv), "\u{feff}a,b\n1,2\n", Ok(json!({"a": ["1"], "b": ["2"]}))),
            (Reading::of(Format::Csv), "\u{feff}\"a\",b\n1,\"2\"\n", Ok(json!({"a": ["1"], "b": ["2"]}))),
            (Reading::of(Format::Csv), "a.b,c[]\n1,2\n", Ok(json!({"a": {"b": ["1"]}, "c": [["2"]]}))),
            (Reading::of(Format::Csv), "a\n", Ok(json!({"a": []}))),
            (Reading::of(Format::Csv), "a,a.b\n", Err(Reason::BodyMalformed)),
            (Reading::of(Format::Whole), "card 4111", Ok(json!("card 4111"))),
        ] {
            let expected = expected.map(|value| said_by(&value));
            assert_eq!(said(&reading, body.as_bytes(), 8), expected, "{body}");
        }
    }

    /// How many bytes of names and texts are held.
    fn held(said: &Said) -> usize {
        match said {
            Said::Null | Said::Bool(_) => 0,
            Said::Integer(text) | Said::Number(text) => text.len(),
            Said::Text(text) => text.len(),
            Said::List(items) => items.iter().map(held).sum(),
            Said::Object(members) => members.iter().map(|(name, member)| name.len() + held(member)).sum(),
        }
    }

    #[test]
    fn law_1_of_a_table_no_more_is_held_than_it_is_long() {
        let long = "a".repeat(10_000);
        for (names, row) in
            [(&*format!("email,{long}"), ",\n"), (&*format!("x.{long},x.b"), "1,2\n"), ("a", "1\n")]
        {
            let body = format!("{names}\n{}", row.repeat(999));
            let said = said(&Reading::of(Format::Csv), body.as_bytes(), 8).unwrap();
            assert!(held(&said) <= body.len(), "{} of {}", held(&said), body.len());
        }
    }

    #[test]
    fn law_1_one_place_of_a_form_is_not_said_twice() {
        let text = |name: &'static str| (name, Piece::Text("1".to_owned()));
        let json = |name: &'static str, text: &'static str| (name, Piece::Json(text.into()));
        let file = |name: &'static str| (name, Piece::File("{}".into()));
        let object = |row: &[&(&str, Piece)]| {
            object(row.iter().map(|(name, piece)| ((*name).to_owned(), piece.clone())).collect(), 8).is_ok()
        };
        for (one, other, is_one) in [
            (json("o", "{\"x\":1}"), text("o.x"), false),
            (json("o", "{\"y\":1}"), text("o.x"), false),
            (json("o", "{\"y\":{}}"), json("o.y.z", "1"), false),
            (json("o.y", "{}"), text("o.y.z"), false),
            (json("o[]", "{}"), text("o.x"), false),
            (json("o", "[]"), text("o.x"), false),
            (json("o", "1"), text("o.x"), false),
            (file("o"), text("o.x"), false),
            (file("o"), file("o."), false),
            (text("o"), text("o.x"), false),
            (json("o.y", "{\"x\":1}"), text("o.x"), true),
            (json("o", "{\"x\":1}"), text("ox.x"), true),
        ] {
            let (there, back) = (object(&[&one, &other]), object(&[&other, &one]));
            assert_eq!((there, back), (is_one, is_one), "{} {}", one.0, other.0);
        }
    }

    #[test]
    fn law_1_a_text_of_a_form_is_compared_as_a_text() {
        for (found, wanted, same) in [
            (json!("true"), json!(true), true),
            (json!("on"), json!(true), false),
            (json!("7"), json!(7), true),
            (json!("07"), json!(7), false),
            (json!("yes"), json!("yes"), true),
            (json!(["yes"]), json!("yes"), false),
        ] {
            assert_eq!(says(Some(&said_by(&found)), &wanted, true), same, "{found} {wanted}");
        }
        assert!(!says(None, &json!("yes"), true));
    }

    #[test]
    fn law_1_a_no_that_may_be_one_is_one() {
        for (found, wanted, may) in [
            (json!("no"), json!(false), true),
            (json!(" NO\n"), json!(false), true),
            (json!("no\u{0}"), json!(false), true),
            (json!("n\u{200b}o"), json!(false), true),
            (json!("\u{feff}0"), json!(false), true),
            (json!("n\u{fe0f}o"), json!(false), true),
            (json!("n\u{e0041}o\u{34f}"), json!(false), true),
            (json!("n o"), json!(false), false),
            (json!("none"), json!(false), false),
            (json!("o\u{ad}ut"), json!("out"), true),
            (json!("sa\u{200c}ya"), json!("sa\u{200c}ya"), true),
            (json!("saya"), json!("sa\u{200c}ya"), true),
            (json!(["x", "off"]), json!(false), true),
        ] {
            assert_eq!(may_say(&said_by(&found), &wanted), may, "{found} {wanted}");
        }
    }

    #[test]
    fn law_1_a_member_of_json_is_compared_as_what_it_is() {
        for (found, wanted, same) in [
            ("true", json!(true), true),
            ("\"true\"", json!(true), false),
            ("false", json!(true), false),
            ("7", json!(7), true),
            ("\"7\"", json!(7), false),
            ("7.0", json!(7), false),
            ("7e0", json!(7), false),
            ("1e400", json!(7), false),
            ("-0", json!(0), false),
            ("[7]", json!(7), false),
            ("\"yes\"", json!("yes"), true),
            ("null", json!("yes"), false),
        ] {
            let said = Said::one(found.as_bytes(), 8).unwrap();
            assert_eq!(says(Some(&said), &wanted, false), same, "{found} {wanted}");
        }
    }

    #[test]
    fn law_1_a_number_that_no_type_holds_states_nothing_and_stops_nothing() {
        let read = |body: &[u8], format| said(&Reading::of(format), body, 8);
        for (body, format) in [
            (&b"[1e400, -1e999999, 123456789012345678901234567890]"[..], Format::Json),
            (b"{\"a\":1e400}\n1e400\n", Format::JsonLines),
            (b"\x1e1e400\n", Format::JsonSequence),
        ] {
            assert!(read(body, format).is_ok(), "{body:?}");
        }
        assert_eq!(read(b"{\"a\":1,\"a\":2}", Format::Json), Err(Reason::BodyMalformed));
    }

    #[test]
    fn bytes_that_are_no_text_are_looked_into() {
        let file = b"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n\xff 4111111111111111\r\n--b--";
        let parts = Reading { boundary: Some("b".into()), ..Reading::of(Format::Multipart) };
        let found = said_by(&json!({"f": {"": "\u{fffd} 4111111111111111"}}));
        assert_eq!(said(&parts, file, 8), Ok(found));
        let whole = said(&Reading::of(Format::Whole), b"\xe9 4111", 8);
        assert_eq!(whole, Ok(said_by(&json!("\u{fffd} 4111"))));
    }
}
