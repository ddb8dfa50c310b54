//! JSON on lines and in sequences.

use std::sync::Arc;

use consentry_body::{BodyFault, Limits, Reading, Redactor, Step};
use consentry_model::Format;

use crate::support::{EMAIL, NAME, OPEN, check, clear, map, masked, only, run, scope, withheld};

#[test]
fn each_line_is_a_record_of_its_own() {
    let map = map(&[("id", OPEN), ("name", NAME), ("mail", EMAIL)], Some(("", scope("id", &[]))));
    check(
        Format::JsonLines,
        &map,
        &[
            ("", &clear, Ok("")),
            ("{\"id\":1,\"name\":\"Ann\"}\n", &clear, Ok("{\"id\":1,\"name\":\"Ann\"}\n")),
            ("{\"id\":1,\"name\":\"Ann\"}", &clear, Ok("{\"id\":1,\"name\":\"Ann\"}")),
            ("\n \n{\"id\":1}\r\n\r\n", &clear, Ok("\n \n{\"id\":1}\r\n\r\n")),
            (
                "{\"id\":1,\"name\":\"Ann\",\"x\":2}\n{\"name\":\"Bob\",\"id\":2}\n{\"name\":\"Cy\"}\n",
                &only("2"),
                Ok("{\"name\":\"Bob\",\"id\":2}\n"),
            ),
            (
                "{\"id\":1,\"mail\":\"ann@x.org\",\"name\":\"Ann\"}\n",
                &masked,
                Ok("{\"id\":1,\"mail\":\"a***@x.org\"}\n"),
            ),
            ("{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2}\n", &withheld, Ok("{\"id\":2}\n")),
        ],
    );
}

#[test]
fn law_1_a_line_that_is_wrong_stops_the_body() {
    let records = map(&[("id", OPEN), ("name", NAME)], Some(("", scope("id", &[]))));
    check(
        Format::JsonLines,
        &records,
        &[
            ("{\"id\":1}\n{\"id\":\n2}\n", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\n{\"id\":2", &clear, Err(BodyFault::Truncated)),
            ("{\"id\":1} {\"id\":2}\n", &clear, Err(BodyFault::TrailingBytes)),
            ("{\"id\":1},\n", &clear, Err(BodyFault::TrailingBytes)),
            ("[{\"id\":1}]\n", &clear, Err(BodyFault::Undeclared)),
            ("{\"id\":1,\"id\":2}\n", &clear, Err(BodyFault::DuplicateKey)),
            ("\u{feff}{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
            ("name,id\n1,2\n", &clear, Err(BodyFault::Malformed)),
            ("\u{1e}{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
        ],
    );
    let numbers = map(&[("**", NAME)], None);
    check(
        Format::JsonLines,
        &numbers,
        &[
            ("1\n2\n", &clear, Ok("1\n2\n")),
            ("1\n2", &clear, Err(BodyFault::Truncated)),
            ("1\n2 ", &clear, Ok("1\n2 ")),
            ("1\n\"2\"", &withheld, Ok("")),
        ],
    );
    for (body, fault) in [
        (&b"{\"id\":\"\xff\"}\n"[..], BodyFault::InvalidUtf8),
        (b"\xff\xfe{\0}\0\n\0", BodyFault::Malformed),
        (b"{\0\"\0", BodyFault::Malformed),
    ] {
        let ran = run(Format::JsonLines, &records, Limits::default(), body, &[3], &clear);
        assert_eq!(ran.unwrap_err(), (Vec::new(), fault), "{body:?}");
    }
    let small = Limits { record_bytes_max: 10, ..Limits::default() };
    for (body, fits) in [("{\"id\":1}\n", true), ("{\"id\":123}\n", false)] {
        let ran = run(Format::JsonLines, &records, small, body.as_bytes(), &[4], &clear);
        assert_eq!(ran.is_ok(), fits, "{body}");
    }
}

/// JSON takes a carriage return for white space; many who read lines take one for the end of a line.
#[test]
fn law_1_a_line_ends_with_a_line_feed_for_every_reader() {
    let leaves = [("id", OPEN), ("name", NAME), ("meta.**", OPEN)];
    let map = map(&leaves, Some(("", scope("id", &[]))));
    let two = "{\"id\":1,\"meta\":{\"x\":\r{\"id\":2,\"name\":\"Bob\"}\r}}\n";
    check(
        Format::JsonLines,
        &map,
        &[
            (two, &clear, Err(BodyFault::Malformed)),
            (&two.replace('\r', ""), &clear, Ok(&two.replace('\r', ""))),
            ("{\"id\":1}\r{\"id\":2}\n", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\r\r\n", &clear, Err(BodyFault::Malformed)),
            ("\r{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\r \n", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\r", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\n\r", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\n\r{\"id\":2}", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\n \r \n", &clear, Err(BodyFault::Malformed)),
            ("\r\r\n{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
            ("{\"id\":1}\r\n\r\n{\"id\":2}\n", &clear, Ok("{\"id\":1}\r\n\r\n{\"id\":2}\n")),
            ("{\"id\":1,\"meta\":\"\\r\"}\r\n", &clear, Ok("{\"id\":1,\"meta\":\"\\r\"}\r\n")),
        ],
    );
    // Where texts begin with a sign of their own, what stands in one ends none.
    let sequence = "\u{1e}{\"id\":1,\"meta\":\r[\n1]}\r\n";
    check(Format::JsonSequence, &map, &[(sequence, &clear, Ok(sequence))]);
}

#[test]
fn texts_of_a_sequence_are_read_like_lines() {
    let map = map(&[("id", OPEN), ("name", NAME)], Some(("", scope("id", &[]))));
    check(
        Format::JsonSequence,
        &map,
        &[
            ("", &clear, Ok("")),
            (
                "\u{1e}{\"id\":1,\n\"name\":\"Ann\"}\n\u{1e}{\"id\":2,\"name\":\"Bob\"}\n",
                &only("2"),
                Ok("\u{1e}{\"id\":2,\"name\":\"Bob\"}\n"),
            ),
            ("\u{1e}\u{1e}{\"id\":1}\n", &clear, Ok("\u{1e}\u{1e}{\"id\":1}\n")),
            ("{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
            ("\n\u{1e}{\"id\":1}\n", &clear, Err(BodyFault::Malformed)),
            ("\u{1e}{\"id\":1}", &clear, Err(BodyFault::Truncated)),
            ("\u{1e}{\"id\":1\u{1e}{\"id\":2}\n", &clear, Err(BodyFault::Truncated)),
            ("\u{1e}{\"id\":1}\n{\"id\":2}\n", &clear, Err(BodyFault::TrailingBytes)),
            ("\u{1e}\n", &clear, Err(BodyFault::Malformed)),
        ],
    );
}

#[test]
fn lines_fill_windows_and_a_subject_is_asked_about_once_in_each() {
    let map = map(&[("id", OPEN), ("name", NAME)], Some(("", scope("id", &[]))));
    let body: String = (0..20).map(|n| format!("{{\"id\":{},\"name\":\"n\"}}\n", n % 3)).collect();
    let reading = Reading::of(Format::JsonLines);
    let limits = Limits { window_subjects_max: 2, ..Limits::default() };
    let mut redactor = Redactor::new(&reading, map, limits).unwrap();
    redactor.push(body.as_bytes()).unwrap();
    redactor.end().unwrap();
    let mut sizes = Vec::new();
    while let Step::NeedVerdicts(window) = redactor.step().unwrap() {
        sizes.push(window.subjects.len());
        redactor.release(&|_, _| consentry_model::Treatment::Clear).unwrap();
    }
    assert!(sizes.iter().all(|n| *n <= 2) && sizes.len() > 2, "{sizes:?}");
}

#[test]
fn law_1_in_another_charset_nothing_but_ascii_is_the_same_text() {
    let map = map(&[("id", OPEN), ("name", NAME)], None);
    for (format, body) in [
        (Format::Json, "{\"id\":1,\"name\":\"Ann\",\"x\":\"y\"}"),
        (Format::JsonLines, "{\"id\":1}\n{\"name\":\"Ann\"}\n"),
        (Format::JsonSequence, "\u{1e}{\"id\":1}\n"),
        (Format::Csv, "id,name\n1,Ann\n"),
    ] {
        let reading = Reading { ascii: true, ..Reading::of(format) };
        let read = |bytes: &[u8]| {
            let mut redactor = Redactor::new(&reading, Arc::clone(&map), Limits::default()).unwrap();
            let mut out = Vec::new();
            for piece in bytes.chunks(3) {
                redactor.push(piece)?;
            }
            redactor.end()?;
            while let Step::NeedVerdicts(_) = redactor.step()? {
                out.extend_from_slice(&redactor.release(&|_, _| consentry_model::Treatment::Clear)?);
            }
            Ok::<_, consentry_body::BodyError>(out)
        };
        assert!(read(body.as_bytes()).is_ok(), "{format:?}");
        for at in 0..=body.len() {
            for other in ["\u{e9}", "\u{feff}"] {
                let wrong = [&body[..at], other, &body[at..]].concat();
                let error = read(wrong.as_bytes()).unwrap_err();
                assert_eq!((error.kind(), error.offset()), (BodyFault::InvalidUtf8, at as u64), "{wrong:?}");
            }
        }
        let mut redactor = Redactor::new(&reading, Arc::clone(&map), Limits::default()).unwrap();
        let error = redactor.push(b"\xff").unwrap_err();
        assert_eq!((redactor.push(b"1"), redactor.end()), (Err(error), Err(error)), "{format:?}");
        assert_eq!(redactor.step().unwrap_err(), error, "{format:?}");
    }
}
