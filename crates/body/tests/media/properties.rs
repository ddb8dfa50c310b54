//! What holds of every body, verdict and way to cut the input, in every format: compared with a model of rows.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use consentry_body::{Limits, RecordSubject};
use consentry_model::{ClassId, FieldMap, Format, Treatment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{EMAIL, NAME, OPEN, clear, map, run, scope};

/// A row: names and values, in order.
type Fields = Vec<(&'static str, String)>;

const FORMATS: [Format; 6] =
    [Format::JsonLines, Format::JsonSequence, Format::Events, Format::Form, Format::Multipart, Format::Csv];
/// `id` and `plan` are open, `name` and `mail` are classes, `ssn` is undeclared.
const NAMES: [&str; 5] = ["id", "plan", "name", "mail", "ssn"];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..9_u8).prop_map(|n| format!("secret-{n}")),
        2 => (0..9_u8).prop_map(|n| format!("secret-{n}@x.org")),
        2 => vec(select(vec!['a', ' ', ',', '"', '&', '=', '%', '+', '\u{e9}', ';', '\\', '-', ':', '{']), 1..6)
            .prop_map(|chars| chars.into_iter().collect::<String>() + "secret-x"),
    ]
}

/// Rows that all have the same names, in one order: a table knows no others.
fn rows() -> impl Strategy<Value = Vec<Fields>> {
    let names = vec(any::<bool>(), NAMES.len())
        .prop_map(|take| NAMES.into_iter().zip(take).filter(|(_, t)| *t).map(|(n, _)| n).collect::<Vec<_>>());
    (names.prop_shuffle(), vec(vec(value(), NAMES.len()), 1..5)).prop_map(|(names, values)| {
        let row = |values: Vec<String>| names.iter().copied().zip(values).collect();
        values.into_iter().map(row).collect()
    })
}

fn declared(format: Format, records: bool, all: bool) -> Arc<FieldMap> {
    let prefix = if format == Format::Events { "data." } else { "" };
    let mut leaves = vec![("id", OPEN), ("plan", OPEN), ("name", NAME), ("mail", EMAIL)];
    if all {
        leaves.push(("ssn", OPEN));
    }
    let leaves: Vec<_> = leaves.into_iter().map(|(path, field)| (format!("{prefix}{path}"), field)).collect();
    let leaves: Vec<_> = leaves.iter().map(|(path, field)| (path.as_str(), *field)).collect();
    let at = if format == Format::Events { "data" } else { "" };
    map(&leaves, records.then(|| (at, scope("id", &[]))))
}

/// A verdict that depends on the class and the id alone.
fn verdict(seed: u64) -> impl Fn(&RecordSubject, ClassId) -> Treatment {
    move |subject, class| {
        let mut hasher = DefaultHasher::new();
        let id = match subject {
            RecordSubject::Record { id, .. } => id.clone(),
            RecordSubject::Request => None,
        };
        (seed, id, class).hash(&mut hasher);
        match hasher.finish() % 3 {
            0 => Treatment::Clear,
            1 => Treatment::Withheld,
            _ => Treatment::Masked,
        }
    }
}

fn json(row: &Fields, seed: u64) -> String {
    let escaped = |text: &str| -> String {
        let one = |(at, c): (usize, char)| {
            if seed >> (at % 60) & 7 == 1 || c == '"' || c == '\\' {
                format!("\\u{:04x}", u32::from(c))
            } else {
                c.to_string()
            }
        };
        text.chars().enumerate().map(one).collect()
    };
    let members: Vec<_> =
        row.iter().map(|(k, v)| format!("\"{}\": \"{}\"", escaped(k), escaped(v))).collect();
    format!("{{{}}}", members.join(if seed & 1 == 0 { "," } else { " ,\t" }))
}

fn percent(text: &str, seed: u64) -> String {
    let one = |(at, b): (usize, u8)| match b {
        b' ' => "+".to_owned(),
        b if !b.is_ascii_alphanumeric() || seed >> (at % 60) & 7 == 1 => format!("%{b:02x}"),
        b => char::from(b).to_string(),
    };
    text.bytes().enumerate().map(one).collect()
}

fn cell(text: &str, seed: u64) -> String {
    let must = text.contains(['"', ',', '\n']);
    if must || seed & 2 == 0 { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// An event whose lines end in any of the three ways, of one line of data or of two.
fn event(data: &str, seed: u64) -> String {
    let end = ["\n", "\r\n", "\r"][(seed >> 8) as usize % 3];
    let data = if seed & 8 == 0 { data.to_owned() } else { data.replacen('{', &format!("{{{end}data:"), 1) };
    format!("data:{data}{end}{end}")
}

fn render(format: Format, rows: &[Fields], seed: u64) -> String {
    let end = if seed & 4 == 0 { "\n" } else { "\r\n" };
    match format {
        Format::JsonLines => rows.iter().map(|row| json(row, seed) + end).collect(),
        Format::JsonSequence => rows.iter().map(|row| format!("\u{1e}{}\n", json(row, seed))).collect(),
        Format::Events => rows.iter().map(|row| event(&json(row, seed), seed)).collect(),
        Format::Form => {
            let pair = |(k, v): &(&str, String)| format!("{}={}", percent(k, seed), percent(v, seed));
            rows[0].iter().map(pair).collect::<Vec<_>>().join("&")
        }
        Format::Multipart => {
            let part = |(k, v): &(&str, String)| {
                format!("--b\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n")
            };
            rows[0].iter().map(part).collect::<String>() + "--b--\r\n"
        }
        Format::Csv => {
            let line = |cells: Vec<String>| cells.join(",") + end;
            let names = line(rows[0].iter().map(|(k, _)| cell(k, seed)).collect());
            let body = rows.iter().map(|row| line(row.iter().map(|(_, v)| cell(v, seed)).collect()));
            names + &body.collect::<String>()
        }
        Format::Json | Format::Whole => panic!("not here"),
    }
}

/// What another reader finds in a body.
fn decode(format: Format, body: &[u8]) -> Vec<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).unwrap();
    let object = |text: &str| -> Vec<(String, String)> {
        let read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
        read.into_iter().map(|(k, v)| (k, v.as_str().unwrap().to_owned())).collect()
    };
    let unpercent = |text: &str| {
        let (mut out, bytes, mut at) = (Vec::new(), text.as_bytes(), 0);
        while at < bytes.len() {
            match bytes[at] {
                b'+' => out.push(b' '),
                b'%' => {
                    out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
                    at += 2;
                }
                b => out.push(b),
            }
            at += 1;
        }
        String::from_utf8(out).unwrap()
    };
    let row = |line: &str| {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        cells
    };
    match format {
        Format::JsonLines => text.lines().map(object).collect(),
        Format::JsonSequence => text.split('\u{1e}').skip(1).map(object).collect(),
        Format::Events => {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            let data = |event: &str| event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            text.split_terminator("\n\n").map(data).map(|data: String| object(&data)).collect()
        }
        Format::Form if text.is_empty() => vec![Vec::new()],
        Format::Form => {
            let pair = |pair: &str| pair.split_once('=').map(|(k, v)| (unpercent(k), unpercent(v))).unwrap();
            vec![text.split('&').map(pair).collect()]
        }
        Format::Multipart => {
            let parts = text.split("--b\r\n").skip(1).map(|part| {
                let (head, content) = part.split_once("\r\n\r\n").unwrap();
                let name = head.split('"').nth(1).unwrap().to_owned();
                let content = content.strip_suffix("--b--\r\n").unwrap_or(content);
                (name, content.strip_suffix("\r\n").unwrap().to_owned())
            });
            vec![parts.collect()]
        }
        Format::Csv => {
            let mut lines = text.lines().map(row);
            let names = lines.next().unwrap();
            lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
        }
        Format::Json | Format::Whole => panic!("not here"),
    }
}

/// What must be left of the rows.
fn model(
    format: Format,
    rows: &[Fields],
    records: bool,
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
) -> Vec<Vec<(String, String)>> {
    let single = matches!(format, Format::Form | Format::Multipart);
    let mut out = Vec::new();
    for row in rows.iter().take(if single { 1 } else { usize::MAX }) {
        let id = row.iter().find(|(k, _)| *k == "id").map(|(_, v)| v.as_str().into());
        let scope = consentry_model::ScopeId::REQUEST;
        let subject = RecordSubject::Record { scope, id, captured: Vec::new() };
        let subject = if records { subject } else { RecordSubject::Request };
        let (mut left, mut personal, mut kept) = (Vec::new(), 0, 0);
        for (name, value) in row {
            let class = match *name {
                "ssn" => continue,
                "id" | "plan" => {
                    left.push(((*name).to_owned(), value.clone()));
                    continue;
                }
                "name" => ClassId(0),
                _ => ClassId(1),
            };
            personal += 1;
            let mask = |v: &str| {
                let (local, domain) = v.split_once('@')?;
                let first = local.chars().next()?;
                Some(format!("{first}***@{domain}"))
            };
            let value = match verdict(&subject, class) {
                Treatment::Clear => Some(value.clone()),
                Treatment::Masked if class == ClassId(1) => mask(value),
                Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised | Treatment::Withheld => {
                    None
                }
            };
            kept += usize::from(value.is_some());
            // A table keeps its columns.
            let value = if format == Format::Csv { Some(value.unwrap_or_default()) } else { value };
            left.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        if !records || personal == 0 || kept > 0 {
            out.push(left);
        }
    }
    out
}

fn sorted(rows: Vec<Vec<(String, String)>>) -> Vec<Vec<(String, String)>> {
    let mut rows = rows;
    rows.iter_mut().for_each(|row| row.sort());
    rows
}

/// A multipart value may not hold its own divider, and an address with two signs has no mask.
fn fits(rows: &[Fields]) -> bool {
    rows.iter().flatten().all(|(_, v)| !v.contains("--b"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_what_the_model_leaves(
        format in select(FORMATS.to_vec()), rows in rows(), records: bool, seed: u64, pieces in vec(1_usize..40, 0..4),
        window_bytes_max in 1_usize..200,
    ) {
        prop_assume!(fits(&rows));
        let body = render(format, &rows, seed);
        let (map, verdict) = (declared(format, records, false), verdict(seed));
        let want = model(format, &rows, records, &verdict);
        let limits = Limits { window_bytes_max, ..Limits::default() };
        let ran = run(format, &map, limits, body.as_bytes(), &pieces, &verdict);
        let whole = run(format, &map, Limits::default(), body.as_bytes(), &[], &verdict);
        if want.is_empty() && matches!(format, Format::Form | Format::Multipart) {
            prop_assert!(whole.is_err());
        }
        match (ran, whole) {
            (Ok((out, report)), Ok((whole, of_whole))) => {
                prop_assert_eq!(&out, &whole);
                prop_assert_eq!(&report, &of_whole);
                prop_assert_eq!(sorted(decode(format, &out)), sorted(want));
                prop_assert_eq!(report.omitted as usize + decode(format, &out).len(),
                    if matches!(format, Format::Form | Format::Multipart) { 1 } else { rows.len() });
            }
            (ran, whole) => {
                prop_assert!(ran.unwrap_err().1 == whole.unwrap_err().1);
                // Nothing at all is declared, or left.
                prop_assert!(want.iter().all(Vec::is_empty));
            }
        }
    }

    #[test]
    fn no_withheld_value_is_in_what_leaves(format in select(FORMATS.to_vec()), rows in rows(), records: bool, seed: u64) {
        let rows: Vec<Fields> = rows.into_iter().map(|row| row.into_iter()
            .map(|(k, v)| (k, if matches!(k, "id" | "plan") { "open".to_owned() } else { v })).collect()).collect();
        prop_assume!(fits(&rows));
        let body = render(format, &rows, seed);
        let map = declared(format, records, false);
        if let Ok((out, report)) = run(format, &map, Limits::default(), body.as_bytes(), &[], &|_, _| Treatment::Withheld) {
            prop_assert!(!String::from_utf8_lossy(&out).contains("secret"));
            for (_, value) in decode(format, &out).into_iter().flatten() {
                prop_assert!(!value.contains("secret"));
            }
            prop_assert_eq!(report.personal_kept, 0);
        }
    }

    #[test]
    fn all_clear_and_all_declared_is_the_same_bytes(
        format in select(FORMATS.to_vec()), rows in rows(), records: bool, seed: u64, pieces in vec(1_usize..40, 0..4),
    ) {
        prop_assume!(fits(&rows) && rows.iter().all(|row| !row.is_empty()));
        let body = render(format, &rows, seed);
        let map = declared(format, records, true);
        let (out, report) = run(format, &map, Limits::default(), body.as_bytes(), &pieces, &clear).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), body);
        prop_assert!(report.is_untouched());
    }

    #[test]
    fn a_second_time_changes_nothing(format in select(FORMATS.to_vec()), rows in rows(), records: bool, seed: u64) {
        prop_assume!(fits(&rows));
        let of = verdict(seed);
        let by_class = |_: &RecordSubject, class: ClassId| of(&RecordSubject::Request, class);
        let map = declared(format, records, false);
        if let Ok((once, _)) = run(format, &map, Limits::default(), render(format, &rows, seed).as_bytes(), &[], &by_class)
            && !once.is_empty()
        {
            let (twice, report) = run(format, &map, Limits::default(), &once, &[], &by_class).unwrap();
            prop_assert_eq!(&twice, &once);
            prop_assert_eq!(report.undeclared, 0);
        }
    }

    #[test]
    fn bytes_that_were_changed_give_one_answer_however_they_are_cut(
        format in select(FORMATS.to_vec()), rows in rows(), seed: u64, record_bytes_max in 1_usize..300,
        changes in vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 0..4), pieces in vec(1_usize..9, 1..4),
    ) {
        let mut body = render(format, &rows, seed).into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(body.len() + 1);
            match how {
                0 => body.insert(at, byte),
                1 => body.truncate(at),
                _ if at < body.len() => body[at] = b"\r\n\",&=:{}-b%\x1e "[usize::from(byte) % 14],
                _ => body.push(byte),
            }
        }
        let map = declared(format, true, false);
        let limits = Limits { record_bytes_max, ..Limits::default() };
        let withheld = |_: &RecordSubject, _| Treatment::Withheld;
        let cut = run(format, &map, limits, &body, &pieces, &withheld);
        let whole = run(format, &map, limits, &body, &[], &withheld);
        match (cut, whole) {
            (Ok((cut, _)), Ok((whole, _))) => prop_assert_eq!(cut, whole),
            (Err((_, cut)), Err((_, whole))) => prop_assert_eq!(cut, whole),
            (cut, whole) => prop_assert!(false, "{:?} {:?}", cut.is_ok(), whole.is_ok()),
        }
    }
}
