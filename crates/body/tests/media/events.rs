//! Server-sent events.

use consentry_body::{BodyFault, Limits, Reading, Redactor, Step};
use consentry_model::Format;

use crate::support::{EMAIL, NAME, OPEN, check, clear, map, masked, only, run, scope, withheld};

#[test]
fn an_event_passes_as_it_is_or_is_written_anew() {
    let leaves =
        [("data.id", OPEN), ("data.name", NAME), ("data.mail", EMAIL), ("event", OPEN), ("id", OPEN)];
    let map = map(&leaves, Some(("data", scope("id", &[]))));
    check(
        Format::Events,
        &map,
        &[
            ("", &clear, Ok("")),
            (
                "event: new\nid: 5\ndata: {\"id\":1,\ndata:\"name\":\"Ann\"}\n\n",
                &clear,
                Ok("event: new\nid: 5\ndata: {\"id\":1,\ndata:\"name\":\"Ann\"}\n\n"),
            ),
            (
                "event: new\r\ndata: {\"id\":1,\r\ndata: \"mail\":\"ann@x.org\"}\r\nid\r\n\r\n",
                &masked,
                Ok("event: new\ndata: {\"id\":1,\ndata: \"mail\":\"a***@x.org\"}\nid\n\n"),
            ),
            (
                "data: {\"id\":1,\"name\":\"Ann\"}\n\ndata: {\"id\":2,\"name\":\"Bob\"}\n\n",
                &only("2"),
                Ok("data: {\"id\":2,\"name\":\"Bob\"}\n\n"),
            ),
            ("data: {\"id\":1}\rdata:\r\r", &clear, Ok("data: {\"id\":1}\rdata:\r\r")),
            (": ann@x.org\n\n:\n\n", &clear, Ok(":\n\n:\n\n")),
            // Empty data keeps a connection open.
            ("event: new\ndata:\n\ndata\n\n", &withheld, Ok("event: new\ndata:\n\ndata\n\n")),
            ("data:\nx: ann\n\n", &clear, Ok("data: \n\n")),
            ("retry: 10\nx: ann\nData: 1\nid: 1\n\n", &clear, Ok("id: 1\n\n")),
            ("id: 1\0\ndata: {\"id\":1}\n\n", &clear, Ok("data: {\"id\":1}\n\n")),
            ("\u{feff}id: 1\n\n", &clear, Ok("id: 1\n\n")),
            ("\n\r\n\r", &clear, Ok("\n\r\n\r")),
            // That a stream is over tells nothing of anybody; whatever stands beside it goes.
            ("data: [DONE]\n\n", &withheld, Ok("data: [DONE]\n\n")),
            (
                "data: {\"id\":1,\"name\":\"Ann\"}\n\nid: 7\r\nevent: end\r\ndata:[DONE]\r\n: ann\r\nx: ann\r\n\r\n",
                &withheld,
                Ok("data: [DONE]\n\n"),
            ),
            // What is no whole event at the end is none.
            ("id: 1\n\ndata: {\"id\":1,\"name\":\"Ann\"}\n", &clear, Ok("id: 1\n\n")),
            ("data: {\"id\":1,\"name\":\"Ann\"}\n\n", &withheld, Ok("")),
        ],
    );
}

#[test]
fn law_1_an_event_that_is_wrong_stops_the_stream() {
    let records = map(&[("data.id", OPEN), ("data.name", NAME)], Some(("data", scope("id", &[]))));
    check(
        Format::Events,
        &records,
        &[
            ("data: {\"id\":1\n\n", &clear, Err(BodyFault::Malformed)),
            ("data: DONE\n\n", &clear, Err(BodyFault::Malformed)),
            ("data: [DONE] \n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: [DONE] ann\n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: [done]\n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: [DONE]\ndata:\n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: [DONE]\ndata: {\"id\":1}\n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: hello\n\n", &clear, Err(BodyFault::Malformed)),
            ("data:\ndata:\n\n", &clear, Err(BodyFault::Malformed)),
            ("data:  \n\n", &clear, Err(BodyFault::Malformed)),
            ("data: 1\n\n", &clear, Err(BodyFault::Undeclared)),
            ("data: {\"id\":1}\ndata: {\"id\":2}\n\n", &clear, Err(BodyFault::TrailingBytes)),
            ("data: {\"id\":1,\"id\":1}\n\n", &clear, Err(BodyFault::DuplicateKey)),
            ("data: \u{feff}{\"id\":1}\n\n", &clear, Err(BodyFault::Malformed)),
        ],
    );
    let ran = run(Format::Events, &records, Limits::default(), b"data: \"\xff\"\n\n", &[], &clear);
    assert_eq!(ran.unwrap_err().1, BodyFault::InvalidUtf8);
    let nothing = map(&[("id", OPEN)], None);
    assert_eq!(
        run(Format::Events, &nothing, Limits::default(), b"", &[], &clear).unwrap_err().1,
        BodyFault::Undeclared
    );
    // A category beside the data passes in no case: nobody could be found whose it is.
    let named = map(&[("id", NAME), ("data.x", OPEN)], None);
    check(Format::Events, &named, &[("id: ann\n\n", &clear, Ok("\n"))]);
}

#[test]
fn a_comment_that_keeps_a_connection_open_is_passed_on_alone() {
    let map = map(&[("data.n", OPEN), ("data.name", NAME), ("id", OPEN)], Some(("data", scope("n", &[]))));
    check(
        Format::Events,
        &map,
        &[
            (": ping\n", &withheld, Ok(":\n")),
            (":\n", &withheld, Ok(":\n")),
            (": ping\r\n: ping\r:\r\n", &withheld, Ok(":\n:\n:\n")),
            ("\u{feff}: ann@x.org\n", &withheld, Ok(":\n")),
            ("\u{feff}\n: ann@x.org\n", &withheld, Ok("\n:\n")),
            (": ann\ndata: {\"n\":1}\n\n", &withheld, Ok(":\ndata: {\"n\":1}\n\n")),
            // What stands in an event goes with it.
            ("id: 1\n: ann\ndata: {\"n\":1}\n\n", &withheld, Ok("id: 1\n:\ndata: {\"n\":1}\n\n")),
            ("id: 1\n: ann\ndata: {\"n\":1,\"name\":\"Ann\"}\n\n: ann\n", &withheld, Ok(":\n")),
            // A mark that is not the first thing is part of a name.
            (": a\n\u{feff}: ann\n\n", &withheld, Ok(":\n\n")),
            // Nobody knows what else the line was to say.
            (": ping", &clear, Ok("")),
            (":\n: ping", &clear, Ok(":\n")),
        ],
    );
    let ran = run(Format::Events, &map, Limits::default(), b": \xff\n", &[], &clear);
    assert_eq!(ran.unwrap_err().1, BodyFault::InvalidUtf8);
    let pings = ": ping\n".repeat(100);
    let small = Limits { record_bytes_max: 16, ..Limits::default() };
    for pieces in [&[1][..], &[7], &[]] {
        let (out, report) = run(Format::Events, &map, small, pings.as_bytes(), pieces, &clear).unwrap();
        assert_eq!((out, report.undeclared), (":\n".repeat(100).into_bytes(), 100), "{pieces:?}");
    }
}

#[test]
fn whoever_reads_a_stream_need_not_wait_for_the_next_event() {
    let map = map(&[("data.n", OPEN)], None);
    let mut redactor = Redactor::new(&Reading::of(Format::Events), map, Limits::default()).unwrap();
    redactor.push(b"data: {\"n\":1}\n\ndata: {\"n\"").unwrap();
    assert!(matches!(redactor.step().unwrap(), Step::NeedVerdicts(_)));
    assert_eq!(
        redactor.release(&|_, _| consentry_model::Treatment::Withheld).unwrap(),
        "data: {\"n\":1}\n\n"
    );
    assert_eq!(redactor.step().unwrap(), Step::NeedInput);
    // A sign of life is of use at once.
    redactor.push(b":2}\n\n: pi").unwrap();
    assert!(matches!(redactor.step().unwrap(), Step::NeedVerdicts(_)));
    redactor.release(&|_, _| consentry_model::Treatment::Withheld).unwrap();
    assert_eq!(redactor.step().unwrap(), Step::NeedInput);
    redactor.push(b"ng\n").unwrap();
    let Step::NeedVerdicts(window) = redactor.step().unwrap() else { panic!("the comment is held back") };
    assert!(window.subjects.is_empty() && window.groups.is_empty());
    assert_eq!(redactor.release(&|_, _| consentry_model::Treatment::Withheld).unwrap(), ":\n");
    assert_eq!(redactor.step().unwrap(), Step::NeedInput);
}

#[test]
fn whoever_reads_lines_waits_for_the_next_ones_unless_that_is_said() {
    for (format, live, first, rest) in [
        (Format::JsonLines, true, "{\"n\":1}\n", "{\"n\""),
        (Format::JsonLines, false, "{\"n\":1}\n", "{\"n\""),
        (Format::JsonSequence, true, "\u{1e}{\"n\":1}\n", "\u{1e}{\"n\""),
        (Format::Csv, true, "n\n1\n", "2"),
        (Format::Csv, false, "n\n1\n", "2"),
    ] {
        let reading = Reading { live, ..Reading::of(format) };
        let mut redactor = Redactor::new(&reading, map(&[("n", OPEN)], None), Limits::default()).unwrap();
        redactor.push(first.as_bytes()).unwrap();
        redactor.push(rest.as_bytes()).unwrap();
        if !live {
            assert_eq!(redactor.step().unwrap(), Step::NeedInput, "{format:?}");
            continue;
        }
        assert!(matches!(redactor.step().unwrap(), Step::NeedVerdicts(_)), "{format:?}");
        assert_eq!(
            redactor.release(&|_, _| consentry_model::Treatment::Withheld).unwrap(),
            first,
            "{format:?}"
        );
        assert_eq!(redactor.step().unwrap(), Step::NeedInput, "{format:?}");
    }
}
