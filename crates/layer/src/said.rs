//! What a request's body says, in one shape for every media type: for facts, events and whatever is looked for in it.

use consentry_body::{Piece, Reading, pieces};
use consentry_model::{Format, Reason};
use serde_json::{Map, Value};

/// What a body says that its redactor has read to the end without an error.
pub(crate) fn said(reading: &Reading, bytes: &[u8], depth_max: usize) -> Result<Value, Reason> {
    let rows = || pieces(reading, bytes).into_iter().map(|row| object(row, depth_max));
    match reading.format {
        Format::Json => serde_json::from_slice(bytes).map_err(|_| Reason::BodyMalformed),
        Format::JsonLines => texts(bytes),
        // Between texts only: within one a control character is escaped.
        Format::JsonSequence => {
            texts(&bytes.iter().map(|b| if *b == 0x1e { b' ' } else { *b }).collect::<Vec<_>>())
        }
        Format::Form | Format::Multipart => rows().next().unwrap_or(Ok(Value::Null)),
        Format::Csv => rows().collect::<Result<_, _>>().map(Value::Array),
        Format::Whole => Ok(text(bytes)),
        Format::Events => Ok(Value::Null),
    }
}

fn texts(bytes: &[u8]) -> Result<Value, Reason> {
    let all = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    all.collect::<Result<_, _>>().map(Value::Array).map_err(|_| Reason::BodyMalformed)
}

fn text(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or(Value::Null, |text| Value::String(text.to_owned()))
}

/// The fields of a form as members: `a.b` lies in `a`, and a name that is a list's, or comes twice, is one.
fn object(row: Vec<(String, Piece)>, depth_max: usize) -> Result<Value, Reason> {
    let mut out = Map::new();
    for (name, piece) in row {
        let value = match piece {
            Piece::Text(text) => Value::String(text),
            Piece::Json(bytes) => serde_json::from_slice(&bytes).map_err(|_| Reason::BodyMalformed)?,
            Piece::File(bytes) => text(&bytes),
        };
        let (path, listed) = name.strip_suffix("[]").map_or((name.as_str(), false), |path| (path, true));
        let mut names: Vec<&str> = path.split('.').collect();
        if names.len() > depth_max {
            return Err(Reason::BodyMalformed);
        }
        let last = names.pop().unwrap_or_default();
        let mut at = &mut out;
        for name in names {
            let inner = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
            // A field that is a text and has fields in it has two readings.
            at = inner.as_object_mut().ok_or(Reason::BodyMalformed)?;
        }
        match at.get_mut(last) {
            None if listed => _ = at.insert(last.to_owned(), Value::Array(vec![value])),
            None => _ = at.insert(last.to_owned(), value),
            Some(Value::Object(_)) => return Err(Reason::BodyMalformed),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Value::Object(out))
}

/// Whether a text of a form says what is wanted of a member: there is no other shape in it.
pub(crate) fn says(found: Option<&Value>, wanted: &Value) -> bool {
    let Some(text) = found.and_then(Value::as_str) else { return false };
    match wanted {
        Value::Bool(b) => text == if *b { "true" } else { "false" },
        Value::Number(number) => text == number.to_string(),
        Value::String(word) => text == word,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_says_the_same_in_every_media_type() {
        let form = |boundary: Option<&str>, format| Reading { format, boundary: boundary.map(Into::into) };
        let parts = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"b\"\r\nContent-Type: application/json\r\n\r\n{\"c\":2}\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nhi\r\n--b--";
        for (reading, body, expected) in [
            (Reading::of(Format::Json), "[1]", Ok(json!([1]))),
            (Reading::of(Format::JsonLines), "{\"a\":1}\n\n{\"a\":2}\n", Ok(json!([{"a": 1}, {"a": 2}]))),
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
            (form(Some("b"), Format::Multipart), parts, Ok(json!({"a": "1", "b": {"c": 2}, "f": "hi"}))),
            (Reading::of(Format::Csv), "a,b\n1,2\n", Ok(json!([{"a": "1", "b": "2"}]))),
            (Reading::of(Format::Whole), "card 4111", Ok(json!("card 4111"))),
        ] {
            assert_eq!(said(&reading, body.as_bytes(), 8), expected, "{body}");
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
            assert_eq!(says(Some(&found), &wanted), same, "{found} {wanted}");
        }
        assert!(!says(None, &json!("yes")));
    }
}
