//! Forms as a URL writes them.

use consentry_body::{BodyFault, Limits, RecordSubject};
use consentry_model::{Format, Scalar};

use crate::support::{EMAIL, NAME, OPEN, check, clear, map, masked, run, scope, withheld};

#[test]
fn pairs_pass_as_they_are_or_not_at_all() {
    let map = map(
        &[
            ("name", NAME),
            ("mail", EMAIL),
            ("plan", OPEN),
            ("tags[]", OPEN),
            ("a.b", NAME),
            ("_charset_", OPEN),
        ],
        None,
    );
    check(
        Format::Form,
        &map,
        &[
            ("", &clear, Ok("")),
            ("name=Ann+S&plan=%70ro", &clear, Ok("name=Ann+S&plan=%70ro")),
            ("name=Ann+S&plan=%70ro", &withheld, Ok("plan=%70ro")),
            ("n%61me=Ann&plan=pro", &withheld, Ok("plan=pro")),
            ("mail=ann%40x.org&plan=", &masked, Ok("mail=a***%40x.org&plan=")),
            ("mail=nobody&plan=1", &masked, Ok("plan=1")),
            ("plan=1&ssn=2&x%5By%5D=3", &clear, Ok("plan=1")),
            ("ssn=2", &clear, Ok("")),
            ("tags[]=a&tags%5B%5D=b&tags=c", &clear, Ok("tags[]=a&tags%5B%5D=b&tags=c")),
            ("a.b=1&a=2&a[b]=3&plan[]=4", &clear, Ok("a.b=1")),
            ("_charset_=UTF-8&plan=1", &clear, Ok("_charset_=UTF-8&plan=1")),
            ("name=a=b", &clear, Ok("name=a=b")),
        ],
    );
}

#[test]
fn law_1_a_form_with_two_readings_is_refused() {
    let map = map(&[("name", NAME), ("plan", OPEN), ("_charset_", OPEN)], None);
    check(
        Format::Form,
        &map,
        &[
            ("name=Ann&name=Bob", &clear, Err(BodyFault::DuplicateKey)),
            ("name=Ann&n%61me=Bob", &clear, Err(BodyFault::DuplicateKey)),
            ("x=1&x=2", &clear, Err(BodyFault::DuplicateKey)),
            ("x=1&x%5B%5D=2", &clear, Err(BodyFault::DuplicateKey)),
            ("name=Ann&name[]=Bob", &clear, Err(BodyFault::DuplicateKey)),
            ("name", &clear, Err(BodyFault::Malformed)),
            ("=Ann", &clear, Err(BodyFault::Malformed)),
            ("name=Ann&", &clear, Err(BodyFault::Malformed)),
            ("&name=Ann", &clear, Err(BodyFault::Malformed)),
            ("name=Ann&&plan=1", &clear, Err(BodyFault::Malformed)),
            ("name=Ann;plan=1", &clear, Err(BodyFault::Malformed)),
            ("name=%4", &clear, Err(BodyFault::Malformed)),
            ("name=%zz", &clear, Err(BodyFault::Malformed)),
            ("name=%ff", &clear, Err(BodyFault::Malformed)),
            ("name=%00%41%00", &clear, Ok("name=%00%41%00")),
            ("name=Ann\r\n", &clear, Err(BodyFault::Malformed)),
            ("\u{feff}name=Ann", &clear, Err(BodyFault::Malformed)),
            ("name=\u{e9}", &clear, Err(BodyFault::Malformed)),
            ("{\"name\":\"Ann\"}", &clear, Err(BodyFault::Malformed)),
            ("name=Ann&_charset_=utf-16", &clear, Err(BodyFault::PartUnreadable)),
        ],
    );
    let few = Limits { fields_max: 2, ..Limits::default() };
    for (body, fault) in [("plan=1&a=2", None), ("plan=1&a=2&b=3", Some(BodyFault::TooManyFields))] {
        let ran = run(Format::Form, &map, few, body.as_bytes(), &[], &clear);
        assert_eq!(ran.err().map(|(_, fault)| fault), fault, "{body}");
    }
    let small = Limits { record_bytes_max: 8, ..Limits::default() };
    let ran = run(Format::Form, &map, small, b"plan=1234", &[2], &clear);
    assert_eq!(ran.unwrap_err(), (Vec::new(), BodyFault::RecordTooLarge));
}

#[test]
fn a_form_that_is_a_record_names_its_subject_and_what_bears_on_it() {
    let leaves = [("id", OPEN), ("a.b", NAME)];
    let map = map(&leaves, Some(("", scope("id", &["a.x", "many"]))));
    for (body, id, captured) in [
        ("a.b=1&id=7&a.x=y", Some("7"), Some("y")),
        ("a.b=1&id=&a.x=", None, Some("")),
        ("a.b=1&id[]=7", None, None),
    ] {
        let look = |subject: &RecordSubject, _| {
            let RecordSubject::Record { id: there, captured: found, .. } = subject else {
                panic!("{subject:?}")
            };
            assert_eq!(there.as_deref(), id, "{body}");
            assert_eq!(found[..], [captured.map(|t| Scalar::Text(t.into())), None], "{body}");
            consentry_model::Treatment::Withheld
        };
        let ran = run(Format::Form, &map, Limits::default(), body.as_bytes(), &[], &look);
        assert_eq!(ran.unwrap_err().1, BodyFault::NothingLeft, "{body}");
    }
}
