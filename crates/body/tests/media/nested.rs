//! JSON and base64 inside of strings.

use std::sync::Arc;

use consentry_body::{BodyFault, Limits};
use consentry_model::{FieldMap, Format, Wrap};

use crate::support::{EMAIL, NAME, OPEN, check, clear, masked, run, scope, withheld};

fn map() -> Arc<FieldMap> {
    let mut builder = FieldMap::builder();
    for (path, field) in [
        ("rows[].id", OPEN),
        ("rows[].doc.mail", EMAIL),
        ("rows[].doc.n", OPEN),
        ("rows[].doc.deep.name", NAME),
        ("rows[].b64", NAME),
        ("rows[].both[].mail", EMAIL),
    ] {
        builder = builder.leaf(path, field).unwrap();
    }
    builder = builder
        .wrapped("rows[].doc", Wrap::Json)
        .unwrap()
        .wrapped("rows[].doc.deep", Wrap::Base64Json)
        .unwrap();
    builder = builder
        .wrapped("rows[].b64", Wrap::Base64)
        .unwrap()
        .wrapped("rows[].both", Wrap::Base64Json)
        .unwrap();
    Arc::new(builder.records("rows[]", scope("doc.id", &[])).unwrap().build())
}

/// `{"name":"Ann"}`.
const DEEP: &str = "eyJuYW1lIjoiQW5uIn0=";

#[test]
fn what_lies_in_a_string_is_decided_on_and_written_back() {
    let rows = |row: &str| format!("{{\"rows\": [{row}]}}");
    for (row, verdict, left) in [
        (
            r#"{"doc":"{\"mail\":\"ann@x.org\",\"n\":1,\"ssn\":2}"}"#.to_owned(),
            &masked as crate::support::Verdict<'_>,
            r#"{"doc":"{\"mail\":\"a***@x.org\",\"n\":1}"}"#.to_owned(),
        ),
        (r#"{"doc":"{\u0022n\u0022: 1}"}"#.to_owned(), &clear, r#"{"doc":"{\"n\": 1}"}"#.to_owned()),
        (
            format!(r#"{{"doc":"{{\"n\":1,\"deep\":\"{DEEP}\"}}"}}"#),
            &clear,
            format!(r#"{{"doc":"{{\"n\":1,\"deep\":\"{DEEP}\"}}"}}"#),
        ),
        (r#"{"id":1,"b64":"QW5u"}"#.to_owned(), &clear, r#"{"id":1,"b64":"QW5u"}"#.to_owned()),
        // `[{"mail":"ann@x.org"}]` and `[{"mail":"a***@x.org"}]`.
        (
            r#"{"both":"W3sibWFpbCI6ImFubkB4Lm9yZyJ9XQ=="}"#.to_owned(),
            &masked,
            r#"{"both":"W3sibWFpbCI6ImEqKipAeC5vcmcifV0="}"#.to_owned(),
        ),
        // What cannot be read is withheld as a whole.
        (r#"{"id":1,"doc":"hello"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":"1,\"ssn\":2"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":"{\"n\":1,\"n\":2}"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":"{\"n\":1} x"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":"\"n\""}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":""}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"doc":null}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"b64":"QW5"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"b64":"/w=="}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
        (r#"{"id":1,"both":"W10"}"#.to_owned(), &clear, r#"{"id":1}"#.to_owned()),
    ] {
        check(Format::Json, &map(), &[(&rows(&row), verdict, Ok(&rows(&left)))]);
    }
    let body = rows(&format!(r#"{{"doc":"{{\"n\":1,\"deep\":\"{DEEP}\"}}"}}"#));
    check(Format::Json, &map(), &[(&body, &withheld, Ok("{\"rows\": []}"))]);
}

#[test]
fn white_space_around_what_lies_in_a_string_stays_in_it() {
    // ` [{"mail":"ann@x.org"}]` and a line feed, and the same with the address masked.
    let (clear_both, masked_both) =
        ("IFt7Im1haWwiOiJhbm5AeC5vcmcifV0K", "IFt7Im1haWwiOiJhKioqQHgub3JnIn1dCg==");
    for (row, left) in [
        (r#"{"doc":"{\"n\":1}\n"}"#.to_owned(), r#"{"doc":"{\"n\":1}\n"}"#.to_owned()),
        (r#"{"doc": "\r\n\t {\"n\":1}" }"#.to_owned(), r#"{"doc": "\r\n\t {\"n\":1}" }"#.to_owned()),
        (
            r#"{ "id" : 1 , "doc" : " {\n \"n\" : 1 } " }"#.to_owned(),
            r#"{ "id" : 1 , "doc" : " {\n \"n\" : 1 } " }"#.to_owned(),
        ),
        (r#"{"doc":"\n{\"ssn\":1, \"n\":1}\n"}"#.to_owned(), r#"{"doc":"\n{ \"n\":1}\n"}"#.to_owned()),
        (r#"{"id":1, "doc":"\n5\n"}"#.to_owned(), r#"{"id":1}"#.to_owned()),
        (format!(r#"{{"id":1,"both": "{clear_both}"}}"#), format!(r#"{{"id":1,"both": "{masked_both}"}}"#)),
    ] {
        let rows = |row: &str| format!("{{\"rows\": [{row}]}}");
        check(Format::Json, &map(), &[(&rows(&row), &masked, Ok(&rows(&left)))]);
        // Lines and events end where they ended.
        let line = |row: &str| format!("{}\n", rows(row));
        check(Format::JsonLines, &map(), &[(&line(&row), &masked, Ok(&line(&left)))]);
        let small = Limits { window_bytes_max: 1, ..Limits::default() };
        let ran = run(Format::Json, &map(), small, rows(&row).as_bytes(), &[2], &masked).unwrap();
        assert_eq!(String::from_utf8(ran.0).unwrap(), rows(&left));
    }
    let builder = FieldMap::builder().leaf("data.doc.n", OPEN).unwrap().wrapped("data.doc", Wrap::Json);
    let events = Arc::new(builder.unwrap().build());
    let event = "data: {\"doc\":\"\\r\\n\\r\\n{\\\"n\\\":1}\\r\"}\n\n";
    check(Format::Events, &events, &[(event, &clear, Ok(event))]);
}

#[test]
fn whom_a_record_is_about_may_lie_in_a_string() {
    let body = r#"{"rows": [{"doc":"{\"mail\":\"a@x.org\",\"id\":\"7\"}"},{"doc":"{\"mail\":\"b@x.org\",\"id\":\"8\"}"}]}"#;
    let left = r#"{"rows": [{"doc":"{\"mail\":\"b@x.org\"}"}]}"#;
    check(Format::Json, &map(), &[(body, &crate::support::only("8"), Ok(left))]);
}

#[test]
fn law_1_what_is_broken_around_a_string_stops_the_body() {
    for (body, fault) in [
        (r#"{"rows": [{"doc":{"mail":"ann@x.org"}}]}"#, BodyFault::Undeclared),
        (r#"{"rows": [{"b64":["QW5u"]}]}"#, BodyFault::Undeclared),
        (r#"{"rows": [{"doc":"{\"n\":1}"]}"#, BodyFault::Malformed),
        (r#"{"rows": [{"doc":"{\"n\":1}"#, BodyFault::Truncated),
        (r#"{"rows": [{"doc":"\ud800"}]}"#, BodyFault::Malformed),
        (r#"{"rows": [{"doc":"\x"}]}"#, BodyFault::Malformed),
        ("{\"rows\": [{\"doc\":\"a\nb\"}]}", BodyFault::Malformed),
        (r#"{"rows": [{"doc":"{}","doc":"{}"}]}"#, BodyFault::DuplicateKey),
        (r#"{"rows": [{"doc":"{}","d\u006fc":"{}"}]}"#, BodyFault::DuplicateKey),
    ] {
        check(Format::Json, &map(), &[(body, &clear, Err(fault))]);
    }
    let small = Limits { record_bytes_max: 20, ..Limits::default() };
    let body = r#"{"rows": [{"doc":"{\"n\":123456789}"}]}"#;
    let ran = run(Format::Json, &map(), small, body.as_bytes(), &[3], &clear);
    assert_eq!(ran.unwrap_err().1, BodyFault::RecordTooLarge);
    let deep = Limits { depth_max: 4, ..Limits::default() };
    let body = r#"{"rows": [{"doc":"{\"n\":[[1]]}"}]}"#;
    assert_eq!(
        run(Format::Json, &map(), deep, body.as_bytes(), &[], &clear).unwrap_err().1,
        BodyFault::TooDeep
    );
}
