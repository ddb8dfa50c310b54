//! Bodies as they go over the wire. A case tells what they say, and the service map in which format they come.

use std::borrow::Cow;
use std::collections::BTreeSet;

use consentry_model::{Format, MediaTypes};
use serde_json::{Map, Value};

/// What stands between the parts of a form.
const BOUNDARY: &str = "part-of-a-rehearsal";
/// What stands before each text of a JSON sequence (RFC 7464).
const SEPARATOR: char = '\u{1e}';
/// The members of an event that are no data.
const EVENT_FIELDS: [&str; 3] = ["event", "id", "retry"];

/// How a body is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Writing {
    media_type: String,
    format: Format,
    /// The names of a form that stand for several values.
    lists: BTreeSet<String>,
}

impl Writing {
    /// As JSON, where a body may be that; else as the first type that it may have. A case that names a content type has its
    /// body written so, whether the body may have it or not.
    pub(super) fn of(types: &MediaTypes, named: Option<&str>, value: &Value) -> Self {
        let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = |(_, format): &(&str, Format)| *format == Format::Json;
        let usual = || types.listed().find(is_json).or_else(|| types.listed().next());
        let usual = || usual().map_or("application/json", |(name, _)| name).to_owned();
        let media_type = named.map_or_else(usual, essence);
        let format = types.format(&media_type).or_else(|| Format::of(&media_type)).unwrap_or(Format::Whole);
        Self { media_type, format, lists: lists(value) }
    }

    /// JSON, as everybody writes it.
    pub(super) fn json() -> Self {
        Self::of(&MediaTypes::json(), None, &Value::Null)
    }

    /// The whole content type.
    pub(super) fn content_type(&self) -> String {
        match self.format {
            Format::Multipart => format!("{}; boundary={BOUNDARY}", self.media_type),
            Format::Csv => format!("{}; charset=utf-8", self.media_type),
            Format::Json
            | Format::JsonLines
            | Format::JsonSequence
            | Format::Events
            | Format::Form
            | Format::Whole => self.media_type.clone(),
        }
    }

    /// Whether a content type is this one, whatever its parameters.
    pub(super) fn is(&self, content_type: &str) -> bool {
        content_type.split(';').next() == Some(&*self.media_type)
    }

    /// Whether the body is a list of records, each of which has the paths that the service map says.
    pub(super) const fn is_records(&self) -> bool {
        match self.format {
            Format::JsonLines | Format::JsonSequence | Format::Events | Format::Csv => true,
            Format::Json | Format::Form | Format::Multipart | Format::Whole => false,
        }
    }

    /// The path of a field as the service map says it.
    pub(super) fn path<'p>(&self, path: &'p str) -> &'p str {
        if self.is_records() { path.strip_prefix("[].").unwrap_or(path) } else { path }
    }

    /// What is to be sent so that a body says this.
    pub(super) fn write(&self, value: &Value) -> String {
        let each = |one: fn(&Value) -> String| records(value).iter().map(one).collect();
        match self.format {
            Format::Json => value.to_string(),
            Format::JsonLines => each(|record| format!("{record}\n")),
            Format::JsonSequence => each(|record| format!("{SEPARATOR}{record}\n")),
            Format::Events => each(event),
            Format::Form => form(value),
            Format::Multipart => parts(value),
            Format::Csv => table(records(value)),
            Format::Whole => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        }
    }

    /// What a body says; nothing where it is not written so.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Value> {
        let text = std::str::from_utf8(bytes).ok()?;
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        let all = |texts: &mut dyn Iterator<Item = &str>| texts.map(json).collect::<Option<Vec<_>>>();
        match self.format {
            Format::Json => json(text),
            Format::JsonLines => {
                all(&mut text.lines().filter(|line| !line.trim().is_empty())).map(Value::from)
            }
            Format::JsonSequence => {
                all(&mut text.split(SEPARATOR).filter(|one| !one.trim().is_empty())).map(Value::from)
            }
            Format::Events => {
                let events: Option<Vec<_>> = text.split("\n\n").map(read_event).collect();
                Some(events?.into_iter().flatten().collect())
            }
            Format::Form => Some(self.members(url_pairs(text))),
            Format::Multipart => read_parts(text).map(|parts| self.members(parts)),
            Format::Csv => read_table(text).map(Value::from),
            Format::Whole => Some(text.into()),
        }
    }

    /// The object of these members; a name that stands for several values has a list.
    fn members(&self, pairs: Vec<(String, Value)>) -> Value {
        let mut out = Map::new();
        for (name, value) in pairs {
            let name = name.strip_suffix("[]").map_or(&*name, |name| name);
            if self.lists.contains(name) {
                let list = out.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
            } else {
                out.insert(name.to_owned(), value);
            }
        }
        Value::Object(out)
    }
}

/// The records of a body, or the only one.
fn records(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A scalar as a form or a table says it.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Cow::Owned(value.to_string())
        }
    }
}

/// Every leaf with its name, as a form writes both: names divided by dots, and an element of a list on its own.
fn leaves(value: &Value, name: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                let inner = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                leaves(value, &inner, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, name, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push((name.to_owned(), text(value).into_owned()));
        }
    }
}

fn lists(value: &Value) -> BTreeSet<String> {
    fn find(value: &Value, name: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    let inner = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                    find(value, &inner, out);
                }
            }
            Value::Array(_) => _ = out.insert(name.to_owned()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut out = BTreeSet::new();
    find(value, "", &mut out);
    out
}

fn event(value: &Value) -> String {
    let mut out = String::new();
    for name in EVENT_FIELDS {
        if let Some(said) = value.get(name) {
            out.push_str(&format!("{name}: {}\n", text(said)));
        }
    }
    if let Some(data) = value.get("data") {
        out.push_str(&format!("data: {data}\n"));
    }
    out.push('\n');
    out
}

/// An event, or nothing where nothing is left of one; none where its data is no JSON.
fn read_event(event: &str) -> Option<Option<Value>> {
    let (mut out, mut data) = (Map::new(), Vec::new());
    for line in event.lines() {
        let Some((name, said)) = line.split_once(':').filter(|(name, _)| !name.is_empty()) else { continue };
        let said = said.strip_prefix(' ').unwrap_or(said);
        if name == "data" {
            data.push(said);
        } else {
            out.insert(name.to_owned(), said.into());
        }
    }
    if !data.is_empty() {
        out.insert("data".to_owned(), serde_json::from_str(&data.join("\n")).ok()?);
    }
    Some((!out.is_empty()).then_some(Value::Object(out)))
}

fn form(value: &Value) -> String {
    let mut pairs = Vec::new();
    leaves(value, "", &mut pairs);
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn url_pairs(text: &str) -> Vec<(String, Value)> {
    form_urlencoded::parse(text.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned().into())).collect()
}

/// The parts of a form: an object is a part of JSON.
fn parts(value: &Value) -> String {
    let mut out = String::new();
    let mut part = |name: &str, kind: &str, content: &str| {
        out.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{kind}\r\n{content}\r\n"
        ));
    };
    for (name, value) in value.as_object().into_iter().flatten() {
        let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in several {
            if value.is_object() {
                part(name, "Content-Type: application/json\r\n", &value.to_string());
            } else {
                part(name, "", &text(value));
            }
        }
    }
    out.push_str(&format!("--{BOUNDARY}--\r\n"));
    out
}

fn read_parts(text: &str) -> Option<Vec<(String, Value)>> {
    let divider = format!("--{BOUNDARY}");
    let (parts, _) = text.rsplit_once(&format!("{divider}--"))?;
    let parts = parts.split(&divider).skip(1);
    let part = |part: &str| {
        let (head, content) = part.strip_prefix("\r\n")?.strip_suffix("\r\n")?.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        let json = head.to_ascii_lowercase().contains("application/json");
        let value = if json { serde_json::from_str(content).ok()? } else { content.into() };
        Some((name.to_owned(), value))
    };
    parts.map(part).collect()
}

/// A row of the names that any record has, and a row for each record.
fn table(records: &[Value]) -> String {
    let mut columns: Vec<&String> = Vec::new();
    for name in records.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let row = |cells: Vec<Cow<'_, str>>| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(",") + "\r\n"
    };
    let names = row(columns.iter().map(|name| Cow::Borrowed(name.as_str())).collect());
    let cells = |record: &Value| {
        row(columns.iter().map(|name| record.get(*name).map_or(Cow::Borrowed(""), text)).collect())
    };
    std::iter::once(names).chain(records.iter().map(cells)).collect()
}

/// The rows of a table; an empty cell says nothing.
fn read_table(text: &str) -> Option<Vec<Value>> {
    let mut rows = rows(text).into_iter();
    let names = rows.next()?;
    let record = |cells: Vec<String>| {
        let there = names.iter().cloned().zip(cells).filter(|(_, cell)| !cell.is_empty());
        Value::Object(there.map(|(name, cell)| (name, cell.into())).collect())
    };
    Some(rows.map(record).collect())
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn writing(media_type: &str, value: &Value) -> Writing {
        Writing::of(&MediaTypes::json(), Some(media_type), value)
    }

    #[test]
    fn a_body_is_written_as_its_type_says_and_read_as_it_was_written() {
        for (media_type, value, written, read) in [
            ("application/json", json!({"a": [1, null]}), r#"{"a":[1,null]}"#, json!({"a": [1, null]})),
            ("application/x-ndjson", json!([{"a": 1}, 2]), "{\"a\":1}\n2\n", json!([{"a": 1}, 2])),
            ("application/json-seq", json!({"a": 1}), "\u{1e}{\"a\":1}\n", json!([{"a": 1}])),
            (
                "text/event-stream",
                json!([{"event": "new", "data": {"a": 1}}, {"data": []}]),
                "event: new\ndata: {\"a\":1}\n\ndata: []\n\n",
                json!([{"event": "new", "data": {"a": 1}}, {"data": []}]),
            ),
            (
                "application/x-www-form-urlencoded",
                json!({"a": {"b": "c & d"}, "tags": ["x", true], "one": [1]}),
                "a.b=c+%26+d&tags=x&tags=true&one=1",
                json!({"a.b": "c & d", "tags": ["x", "true"], "one": ["1"]}),
            ),
            (
                "text/csv; header=present",
                json!([{"a": "1, \"2\"", "b": null}, {"c": 3}]),
                "\"a\",\"b\",\"c\"\r\n\"1, \"\"2\"\"\",\"\",\"\"\r\n\"\",\"\",\"3\"\r\n",
                json!([{"a": "1, \"2\""}, {"c": "3"}]),
            ),
            ("application/pdf", json!("%PDF"), "%PDF", json!("%PDF")),
        ] {
            let writing = writing(media_type, &value);
            assert_eq!(writing.write(&value), written, "{media_type}");
            assert_eq!(writing.read(written.as_bytes()), Some(read), "{media_type}");
        }
        let parts = json!({"who": {"email": "a@b"}, "note": "n", "tags": ["x", "y"]});
        let form = writing("multipart/form-data", &parts);
        assert_eq!(form.read(form.write(&parts).as_bytes()), Some(parts));
    }

    #[test]
    fn what_is_not_written_so_says_nothing() {
        for (media_type, text) in [
            ("application/json", "{"),
            ("application/x-ndjson", "{}\n{\n"),
            ("application/json-seq", "\u{1e}{}\n\u{1e}["),
            ("text/event-stream", "data: {\n\n"),
            ("multipart/form-data", "note"),
            ("text/csv", ""),
        ] {
            assert_eq!(writing(media_type, &Value::Null).read(text.as_bytes()), None, "{media_type}");
        }
    }

    #[test]
    fn a_body_comes_as_json_where_it_may_and_else_as_the_first_of_its_types() {
        let forms = MediaTypes::read(["multipart/form-data", "application/x-www-form-urlencoded"]).unwrap();
        let both = MediaTypes::read(["text/csv", "application/merge-patch+json"]).unwrap();
        for (types, named, expected) in [
            (&MediaTypes::json(), None, "application/json"),
            (&forms, None, "multipart/form-data; boundary=part-of-a-rehearsal"),
            (&forms, Some("application/x-www-form-urlencoded"), "application/x-www-form-urlencoded"),
            (&forms, Some("Text/CSV; charset=utf-8"), "text/csv; charset=utf-8"),
            (&both, None, "application/merge-patch+json"),
        ] {
            assert_eq!(Writing::of(types, named, &Value::Null).content_type(), expected);
        }
    }
}
