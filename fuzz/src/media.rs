//! Bodies of every media type: no cut of the input changes what leaves, what left can be read again unchanged, and nothing in it
//! is withheld, as another reader reads it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use consentry_body::{BodyError, Limits, Reading, Redactor, Step, SubjectIx, Window};
use consentry_model::{ClassId, Field, FieldMap, Format, Ladder, MaskForm, Treatment};
use serde_json::Value;

/// What everybody may not see.
const WITHHELD: &str = "ssn";

/// Every format but bare JSON, which has a target of its own.
const FORMATS: [Format; 7] = [
    Format::JsonLines,
    Format::JsonSequence,
    Format::Events,
    Format::Form,
    Format::Multipart,
    Format::Csv,
    Format::Whole,
];

fn map(format: Format) -> Arc<FieldMap> {
    static MAPS: OnceLock<[Arc<FieldMap>; 3]> = OnceLock::new();
    let maps = MAPS.get_or_init(|| {
        let masked = Ladder { masked: Some(MaskForm::Email), ..Ladder::default() };
        let fields = |below: &str| {
            let leaves = [
                ("id", Field::Open),
                ("name", Field::Class(ClassId(0), Ladder::default())),
                ("email", Field::Class(ClassId(1), masked)),
                (WITHHELD, Field::Class(ClassId(2), Ladder::default())),
            ];
            let mut map = FieldMap::builder();
            for (name, field) in leaves {
                map = map.leaf(&format!("{below}{name}"), field).unwrap();
            }
            Arc::new(map.build())
        };
        let whole = FieldMap::builder().leaf("**", Field::Class(ClassId(0), Ladder::default())).unwrap();
        [fields(""), fields("data."), Arc::new(whole.build())]
    });
    let [fields, events, whole] = maps;
    Arc::clone(match format {
        Format::Events => events,
        Format::Whole => whole,
        Format::Json
        | Format::JsonLines
        | Format::JsonSequence
        | Format::Form
        | Format::Multipart
        | Format::Csv => fields,
    })
}

/// The first byte says which format, the second how the input is cut.
pub fn run(data: &[u8]) {
    let [format, cut, body @ ..] = data else { return };
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    let one = redact(format, body, usize::MAX);
    let kind = |r: &Result<Bytes, BodyError>| r.clone().map_err(|error| error.kind());
    let cut = redact(format, body, usize::from(*cut) + 1);
    assert_eq!(kind(&one), kind(&cut), "{format:?}: a cut changed the result");
    let Ok(out) = one else { return };
    assert_eq!(redact(format, &out, usize::MAX).as_ref(), Ok(&out), "{format:?}: a second time changed it");
    assert!(!tells(format, &String::from_utf8_lossy(&out)), "{format:?}: {}", out.escape_ascii());
}

/// Whether a body tells what is withheld.
fn tells(format: Format, body: &str) -> bool {
    let mut texts = Vec::new();
    match format {
        Format::Json | Format::Whole => {}
        Format::JsonLines => texts.extend(body.split('\n').map(str::to_owned)),
        Format::JsonSequence => texts.extend(body.split('\u{1e}').map(str::to_owned)),
        Format::Events => {
            let body = body.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
            for event in body.split("\n\n") {
                let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
                let data: Vec<&str> = data.map(|data| data.strip_prefix(' ').unwrap_or(data)).collect();
                texts.push(data.join("\n"));
            }
            texts.retain(|text| text != "[DONE]");
        }
        Format::Form => {
            let mut names = body.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
            return names.any(|name| plain(name) == WITHHELD);
        }
        Format::Multipart => {
            let body = format!("\r\n{body}");
            return body.split("\r\n--b").skip(1).any(is_of_withheld);
        }
        Format::Csv => {
            let rows = rows(body.trim_start_matches('\u{feff}'));
            let column = rows.first().and_then(|names| names.iter().position(|name| name == WITHHELD));
            let cell = |row: &Vec<String>| row.get(column?).cloned();
            return rows.iter().skip(1).filter_map(cell).any(|cell| !cell.is_empty());
        }
    }
    texts.iter().filter(|text| !text.trim().is_empty()).any(|text| match serde_json::from_str(text) {
        Ok(value) => names_it(&value),
        // A number that is beyond the other reader.
        Err(error) => !error.to_string().contains("out of range"),
    })
}

/// Whether a member anywhere is called so.
fn names_it(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| name == WITHHELD || names_it(value)),
        Value::Array(values) => values.iter().any(names_it),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A name of a form without its spelling.
fn plain(name: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), name.as_bytes());
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a part of a form is called so.
fn is_of_withheld(part: &str) -> bool {
    let head = part.split("\r\n\r\n").next().unwrap_or_default();
    let mut quoted = false;
    let mut parameters = head.split(|c: char| {
        quoted ^= c == '"';
        !quoted && matches!(c, ';' | '\r' | '\n')
    });
    parameters.any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("name") && value.trim().trim_matches('"') == WITHHELD
    })
}

/// The cells of a table.
fn rows(body: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = body.chars().filter(|c| *c != '\r').peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    row.push(cell);
    rows.push(row);
    rows
}

fn redact(format: Format, body: &[u8], piece: usize) -> Result<Bytes, BodyError> {
    let boundary = (format == Format::Multipart).then(|| "b".into());
    let limits = Limits { record_bytes_max: 2048, depth_max: 16, fields_max: 16, ..Limits::default() };
    let mut redactor = Redactor::new(&Reading { boundary, ..Reading::of(format) }, map(format), limits)?;
    let mut pieces = body.chunks(piece);
    let mut out = Vec::new();
    loop {
        match redactor.step()? {
            Step::NeedInput => match pieces.next() {
                Some(piece) => redactor.push(piece)?,
                None => redactor.end()?,
            },
            Step::NeedVerdicts(window) => out.extend_from_slice(&redactor.release(&verdicts(&window))?),
            Step::Done => return Ok(out.into()),
        }
    }
}

fn verdicts(_: &Window) -> impl Fn(SubjectIx, ClassId) -> Treatment {
    |_, class| match class {
        ClassId(0) => Treatment::Clear,
        ClassId(1) => Treatment::Masked,
        _ => Treatment::Withheld,
    }
}
