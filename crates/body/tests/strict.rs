//! What is not strictly one JSON text never passes, and nothing of it leaves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use consentry_body::{BodyFault, Limits};
use consentry_model::{Field, Treatment};

mod support;
use support::{class, map, run, scope, text};

#[test]
fn law_1_what_can_be_read_in_two_ways_or_in_none_is_a_fault() {
    use BodyFault::{DuplicateKey, InvalidUtf8, Malformed, TooDeep, TrailingBytes, Truncated};
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let many: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
    let twice_of_many = format!("{{{many}\"k3\":0}}");
    let cases: &[(&[u8], BodyFault)] = &[
        (b"", Truncated),
        (b" \n", Truncated),
        (b"{", Truncated),
        (b"[1,", Truncated),
        (b"{\"a\"", Truncated),
        (b"\"abc", Truncated),
        (b"\"abc\\", Truncated),
        (b"tru", Truncated),
        (b"-", Truncated),
        (b"1.", Truncated),
        (b"1e+", Truncated),
        (b"\xef\xbb\xbf{}", Malformed),
        (b"{,}", Malformed),
        (b"[1,]", Malformed),
        (b"[,1]", Malformed),
        (b"[1 2]", Malformed),
        (b"{\"a\":1,}", Malformed),
        (b"{\"a\" 1}", Malformed),
        (b"{\"a\"}", Malformed),
        (b"{a:1}", Malformed),
        (b"{'a':1}", Malformed),
        (b"{1:1}", Malformed),
        (b"[1}", Malformed),
        (b"{\"a\":1]", Malformed),
        (b"]", Malformed),
        (b":", Malformed),
        (b"01", TrailingBytes),
        (b"[01]", Malformed),
        (b"[-]", Malformed),
        (b"[+1]", Malformed),
        (b"[.5]", Malformed),
        (b"[1.]", Malformed),
        (b"[1e]", Malformed),
        (b"[1.5.5]", Malformed),
        (b"[0x1]", Malformed),
        (b"[NaN]", Malformed),
        (b"[nul]", Malformed),
        (b"[True]", Malformed),
        (b"[truex]", Malformed),
        (b"[1]/**/", TrailingBytes),
        (b"{}{}", TrailingBytes),
        (b"1 2", TrailingBytes),
        (b"{}\0", TrailingBytes),
        (b"[1\x0b]", Malformed),
        (b"[1\xc2\xa0]", Malformed),
        (b"\"a\nb\"", Malformed),
        (b"\"a\0\"", Malformed),
        (b"\"\\x\"", Malformed),
        (b"\"\\u12\"", Malformed),
        (b"\"\\ud800\"", Malformed),
        (b"\"\\ud800\\ud800\"", Malformed),
        (b"\"\\udc00\"", Malformed),
        (b"{\"\\ud800\":1}", Malformed),
        (b"\"\xff\"", InvalidUtf8),
        (b"\"\xc0\x80\"", InvalidUtf8),
        (b"\"\xed\xa0\x80\"", InvalidUtf8),
        (b"\"\xf4\x90\x80\x80\"", InvalidUtf8),
        (b"\"\xe2\x82\"", InvalidUtf8),
        (b"{\"\xe9\":1}", InvalidUtf8),
        (b"{\"a\":1,\"a\":2}", DuplicateKey),
        (b"{\"a\":1,\"\\u0061\":2}", DuplicateKey),
        (b"{\"x\":[{\"b\":{\"\":1,\"\":1}}]}", DuplicateKey),
        (twice_of_many.as_bytes(), DuplicateKey),
        (deep.as_bytes(), TooDeep),
    ];
    for (body, fault) in cases {
        // The same in what passes, in what is a person's, in a record, and in what is removed.
        for (leaves, wrap) in [
            (&[("**", Field::Open)][..], None),
            (&[("**", class(0))], None),
            (&[("a", class(0))], Some(("{\"undeclared\":", "}"))),
            (&[("rows[].a", class(0))], Some(("{\"rows\":[{\"undeclared\":", "}]}"))),
        ] {
            let wrapped = wrap.map(|(before, after)| [before.as_bytes(), body, after.as_bytes()].concat());
            // Where the body is cut short, what is wrapped around it makes it wrong in another way.
            let exact = wrap.is_none();
            let whole = wrapped.as_deref().unwrap_or(body);
            let records: &[_] = &[("rows[]", scope("id", Default::default()))];
            let map = map(leaves, if exact { &[] } else { records });
            for pieces in [&[][..], &[1], &[2, 3]] {
                let (out, there) =
                    run(&map, Limits::default(), whole, pieces, &|_, _| Treatment::Clear).unwrap_err();
                let shown = String::from_utf8_lossy(whole);
                assert!(out.is_empty(), "{shown}");
                assert!(there == *fault || !exact, "{there:?} for {shown}");
            }
        }
    }
}

#[test]
fn what_is_well_formed_passes_byte_for_byte() {
    for body in [
        "0",
        "-0",
        "-0.0e-0",
        "123456789012345678901234567890.10E+400",
        "null",
        " true\t",
        "\"\"",
        "\r\n{ }\n",
        "[ ]",
        "[[],{},[ {} ]]",
        r#"{"":{"":[null,false]}}"#,
        r#"["\u00e9\/\ud83d\ude00\u0000", "é€😀"]"#,
        "{ \"a\" : 1 ,\n\t\"b\":[ 1 , 2 ] }",
        "\"\u{7f}\u{80}\u{ffff}\"",
    ] {
        for field in [Field::Open, class(0)] {
            let map = map(&[("**", field)], &[]);
            for pieces in [&[][..], &[1], &[3, 1]] {
                let ran = run(&map, Limits::default(), body.as_bytes(), pieces, &|_, _| Treatment::Clear);
                let (out, report) = ran.unwrap();
                assert_eq!(text(&out), body);
                assert!(report.is_untouched());
            }
        }
    }
}

#[test]
fn law_13_errors_and_debug_output_hold_no_content() {
    let map = map(&[("rows[].a", class(0))], &[("rows[]", scope("id", Default::default()))]);
    let mut redactor = consentry_body::JsonRedactor::new(map, Limits::default());
    redactor.push(br#"{"rows":[{"id":"ann","a":"secret"}]}"#).unwrap();
    redactor.end().unwrap();
    let step = redactor.step().unwrap();
    let printed = format!("{step:?} {redactor:?}");
    assert!(!printed.contains("ann") && !printed.contains("secret"), "{printed}");
    assert!(printed.contains("<redacted>"));
    redactor.release(&|_, _| Treatment::Clear).unwrap();
    let error = redactor.push(b"ann").unwrap_err();
    assert_eq!(error.kind(), BodyFault::OutOfTurn);
    assert!(!format!("{error} {error:?}").contains("ann"));
}

#[test]
fn an_error_says_where() {
    let map = map(&[("rows[].a", Field::Open)], &[("rows[]", scope("id", Default::default()))]);
    let body = br#"{"rows":[{"a":1},{"a":2},{"a":3,"a":4}]}"#;
    for window_bytes_max in [1, 1000] {
        let limits = Limits { window_bytes_max, ..Limits::default() };
        let mut redactor = consentry_body::JsonRedactor::new(map.clone(), limits);
        redactor.push(body).unwrap();
        let error = loop {
            match redactor.step() {
                Ok(consentry_body::Step::NeedVerdicts(_)) => {
                    redactor.release(&|_, _| Treatment::Withheld).unwrap();
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.offset()), (BodyFault::DuplicateKey, 32));
    }
}
