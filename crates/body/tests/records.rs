//! What a record tells of itself: whom it names, and what else bears on the decision.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

use std::sync::Arc;

use consentry_body::{BodyFault, Limits, RecordSubject, redact};
use consentry_model::{ClassId, Emptied, Field, FieldMap, Scalar, Treatment};

mod support;
use support::{capturing, class, map, run, scope, text};

const CLEAR: Treatment = Treatment::Clear;
const WITHHELD: Treatment = Treatment::Withheld;

/// The subjects of the one window of a body, in the order in which they were found.
fn subjects(map: &Arc<FieldMap>, body: &str) -> Vec<RecordSubject> {
    let mut seen = Vec::new();
    redact(map, Limits::default(), body.as_bytes(), |window| {
        seen.extend(window.subjects.clone());
        |_, _| CLEAR
    })
    .unwrap();
    seen
}

/// The identifier of a record and what was captured of it.
fn record(subject: &RecordSubject) -> (Option<&str>, &[Option<Scalar>]) {
    match subject {
        RecordSubject::Record { id, captured, .. } => (id.as_deref(), captured),
        RecordSubject::Request => panic!("the request's"),
    }
}

fn ids(map: &Arc<FieldMap>, body: &str) -> Vec<Option<String>> {
    subjects(map, body).iter().map(|s| record(s).0.map(str::to_owned)).collect()
}

/// Runs the body whole and byte by byte, in one window and in many, and compares.
fn check(
    map: &Arc<FieldMap>,
    body: &str,
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
    want: Result<&str, BodyFault>,
) {
    for window_bytes_max in [1, 20, 1000] {
        let limits = Limits { window_bytes_max, ..Limits::default() };
        for pieces in [&[][..], &[1]] {
            let ran = run(map, limits, body.as_bytes(), pieces, verdict);
            let ran = ran.map(|(out, _)| text(&out)).map_err(|(out, fault)| (text(&out), fault));
            assert_eq!(ran, want.map(str::to_owned).map_err(|fault| (String::new(), fault)), "{body}");
        }
    }
}

#[test]
fn members_are_captured_wherever_they_stand() {
    let leaves = [
        ("rows[].mail", class(0)),
        ("rows[].open", Field::Open),
        ("rows[].all.**", Field::Open),
        ("rows[].kids[].mail", class(0)),
    ];
    let text = |s: &str| Some(Scalar::Text(s.into()));
    let int = |n| Some(Scalar::Int(n));
    let cases = [
        // Law 1: what is not there, or is not what a decision can use, is unknown.
        ("x", r#"{"mail":1}"#, None),
        ("x", r#"{"mail":1,"x":[1]}"#, None),
        ("x", r#"{"mail":1,"x":{}}"#, None),
        ("x", r#"{"mail":1,"x":{"x":1}}"#, None),
        ("x", r#"{"mail":1,"X":1,"x ":1,"":1}"#, None),
        ("x", r#"{"mail":1,"all":{"x":1}}"#, None),
        ("x", r#"{"mail":1,"kids":[{"x":1}]}"#, None),
        ("x", r#"{"mail":1,"x":1.5}"#, None),
        ("x", r#"{"mail":1,"x":1.0}"#, None),
        ("x", r#"{"mail":1,"x":1e2}"#, None),
        ("x", r#"{"mail":1,"x":9223372036854775808}"#, None),
        ("x.y", r#"{"mail":1,"x":1}"#, None),
        ("x.y", r#"{"mail":1,"x":[{"y":1}]}"#, None),
        ("x.y", r#"{"mail":1,"y":1,"x":{"z":{"y":1}}}"#, None),
        ("x.y", r#"{"mail":1,"x":{"x":1},"y":1}"#, None),
        ("x.y", r#"{"mail":1,"x":{"z":1},"z":{"y":1}}"#, None),
        ("x.y", r#"{"mail":1,"x":{},"z":{"y":1}}"#, None),
        ("x.y", r#"{"mail":1,"z":[{"x":{"y":1}}]}"#, None),
        ("x.z.y", r#"{"mail":1,"x":[{"y":1,"z":{"y":1}}]}"#, None),
        // Of each kind.
        ("x", r#"{"mail":1,"x":9223372036854775807}"#, int(i64::MAX)),
        ("x", r#"{"mail":1,"x":-9223372036854775808}"#, int(i64::MIN)),
        ("x", r#"{"mail":1,"x":0}"#, int(0)),
        ("x", r#"{"mail":1,"x":-0}"#, None),
        ("x", r#"{"mail":1,"x":null}"#, Some(Scalar::Null)),
        ("x", r#"{"mail":1,"x":true}"#, Some(Scalar::Bool(true))),
        ("x", r#"{"mail":1,"x":false}"#, Some(Scalar::Bool(false))),
        ("x", r#"{"mail":1,"x":""}"#, text("")),
        ("x", r#"{"mail":1,"x":"1"}"#, text("1")),
        ("x", r#"{"mail":1,"\u0078":"\u00e9\n\"\ud83d\ude00"}"#, text("\u{e9}\n\"\u{1f600}")),
        // Undeclared, open, personal; before the value that it bears on, and after.
        ("x", r#"{"x":1,"mail":1}"#, int(1)),
        ("open", r#"{"mail":1,"open":1}"#, int(1)),
        ("mail", r#"{"mail":1}"#, int(1)),
        ("all.x.y", r#"{"mail":1,"all":{"z":{"y":2},"x":{"z":3,"y":1}}}"#, int(1)),
        ("x.y.z", r#"{"x":{"a":[{"y":2}],"y":{"y":3,"z":1}},"mail":1}"#, int(1)),
        ("x.y", r#"{"x":{"x":{"y":2},"y":1,"z":{"y":3}},"y":4,"mail":1}"#, int(1)),
        // A record around another: each has its own.
        ("x", r#"{"kids":[{"x":2}],"mail":1,"x":1}"#, int(1)),
    ];
    for (path, row, want) in cases {
        let records = [
            ("rows[]", capturing("id", Emptied::Keep, &[path])),
            ("rows[].kids[]", capturing("id", Emptied::Keep, &["x"])),
        ];
        let seen = subjects(&map(&leaves, &records), &format!("{{\"x\":7,\"rows\":[{row}]}}"));
        assert_eq!(seen.iter().map(|s| record(s).1).collect::<Vec<_>>(), [&[want][..]], "{path} of {row}");
    }
}

#[test]
fn captures_keep_their_order_and_may_meet() {
    let paths = ["b", "a", "id", "c", "c.d", "c.e", "nowhere", "c.d"];
    let map = map(&[("rows[].mail", class(0))], &[("rows[]", capturing("id", Emptied::Keep, &paths))]);
    let seen = subjects(&map, r#"{"rows":[{"a":1,"mail":1,"c":{"e":5,"d":"x"},"id":"p","b":2}]}"#);
    let (int, x) = (|n| Some(Scalar::Int(n)), Some(Scalar::Text("x".into())));
    let want = [int(2), int(1), Some(Scalar::Text("p".into())), None, x.clone(), int(5), None, x];
    assert_eq!(seen.iter().map(record).collect::<Vec<_>>(), [(Some("p"), &want[..])]);
}

#[test]
fn records_about_one_subject_are_decided_apart_where_what_was_captured_differs() {
    let leaves = [("rows[].mail", class(0)), ("rows[].id", Field::Open), ("rows[].at", Field::Open)];
    let map = map(&leaves, &[("rows[]", capturing("id", Emptied::Keep, &["at"]))]);
    let body = r#"{"rows":[{"id":1,"mail":1,"at":"x"},{"id":1,"mail":2,"at":"y"},{"at":"x","mail":3,"id":1},{"id":1,"mail":4}]}"#;
    assert_eq!(subjects(&map, body).len(), 3);
    let at = |subject: &RecordSubject, _| match record(subject).1 {
        [Some(Scalar::Text(at))] if **at == *"x" => CLEAR,
        _ => WITHHELD,
    };
    let want =
        r#"{"rows":[{"id":1,"mail":1,"at":"x"},{"id":1,"at":"y"},{"at":"x","mail":3,"id":1},{"id":1}]}"#;
    check(&map, body, &at, Ok(want));
}

#[test]
fn law_1_a_captured_member_that_stands_twice_is_a_fault() {
    let map = map(&[("rows[].mail", class(0))], &[("rows[]", capturing("id", Emptied::Keep, &["x.y"]))]);
    for row in [r#"{"mail":1,"x":{"y":1,"y":1}}"#, r#"{"x":{"y":1},"mail":1,"\u0078":{"y":2}}"#] {
        for pieces in [&[][..], &[1]] {
            let body = format!("{{\"rows\":[{row}]}}");
            let ran = run(&map, Limits::default(), body.as_bytes(), pieces, &|_, _| CLEAR);
            assert_eq!(ran.unwrap_err(), (vec![], BodyFault::DuplicateKey), "{row}");
        }
    }
}

#[test]
fn law_13_what_was_captured_is_not_printed() {
    let map =
        map(&[("rows[].mail", class(0))], &[("rows[]", capturing("id", Emptied::Keep, &["x", "y", "z"]))]);
    let seen = subjects(&map, r#"{"rows":[{"id":"ann","mail":1,"x":"secret","y":4711,"z":true}]}"#);
    let printed = format!("{seen:?} {:?}", record(&seen[0]).1);
    assert!(!["ann", "secret", "4711", "true"].iter().any(|value| printed.contains(value)), "{printed}");
}

#[test]
fn the_root_object_may_be_one_record() {
    let leaves = [
        ("mail", class(0)),
        ("in.mail", class(1)),
        ("n", Field::Open),
        ("rows[].mail", class(2)),
        ("list[]", class(3)),
    ];
    let records = [("", capturing("who.id", Emptied::Keep, &["at"])), ("rows[]", scope("id", Emptied::Omit))];
    let map = map(&leaves, &records);
    let body = r#" {"mail":1, "in":{"mail":2},"rows":[{"mail":3,"id":"q"},{"mail":4}],"list":[5,6],"n":7,"at":8,"who":{"id":"p"}} "#;
    let seen = subjects(&map, body);
    let want = [(Some("q"), &[][..]), (None, &[]), (Some("p"), &[Some(Scalar::Int(8))])];
    assert_eq!(seen.iter().map(record).collect::<Vec<_>>(), want);
    for (who, want) in [
        (Some("p"), r#" {"mail":1, "in":{"mail":2},"rows":[],"list":[5,6],"n":7} "#),
        (Some("q"), r#" { "in":{},"rows":[{"mail":3}],"list":[],"n":7} "#),
        (None, r#" { "in":{},"rows":[{"mail":4}],"list":[],"n":7} "#),
        (Some("else"), r#" { "in":{},"rows":[],"list":[],"n":7} "#),
    ] {
        check(&map, body, &|subject, _| if record(subject).0 == who { CLEAR } else { WITHHELD }, Ok(want));
    }
}

#[test]
fn a_root_record_is_held_back_whole() {
    let rows: Vec<_> = (0..50).map(|n| format!(r#"{{"id":{n},"mail":"x"}}"#)).collect();
    let body = format!(r#"{{"mail":1,"rows":[{}],"id":1}}"#, rows.join(","));
    let leaves =
        [("mail", class(0)), ("rows[].mail", class(0)), ("rows[].id", Field::Open), ("id", Field::Open)];
    let records = [("", scope("id", Emptied::Keep)), ("rows[]", scope("id", Emptied::Keep))];
    let map = map(&leaves, &records);
    let small = Limits { window_bytes_max: 1, window_subjects_max: 1, ..Limits::default() };
    for pieces in [&[][..], &[1], &[30, 7]] {
        let (out, report) = run(&map, small, body.as_bytes(), pieces, &|_, _| CLEAR).unwrap();
        assert_eq!((out.len(), text(&out).as_str(), report.records), (1, body.as_str(), 51));
        let limits = Limits { record_bytes_max: body.len() - 1, ..small };
        let ran = run(&map, limits, body.as_bytes(), pieces, &|_, _| CLEAR);
        assert_eq!(ran.unwrap_err(), (vec![], BodyFault::RecordTooLarge));
    }
}

#[test]
fn law_1_a_root_that_is_no_object_is_no_record() {
    for (leaf, body) in [
        ("a", "1"),
        ("a", "[]"),
        ("a", "[{\"a\":1}]"),
        ("[].a", "[{\"a\":1}]"),
        ("[]", "[1]"),
        ("**", "[{\"a\":1}]"),
        ("**", "\"a\""),
        ("**", "null"),
    ] {
        for field in [Field::Open, class(0)] {
            for subject in ["id", ""] {
                let map = map(&[(leaf, field)], &[("", scope(subject, Emptied::Keep))]);
                check(&map, body, &|_, _| CLEAR, Err(BodyFault::Undeclared));
            }
        }
    }
}

#[test]
fn an_emptied_root_record_stays_or_is_nothing() {
    let leaves = [("mail", class(0)), ("rows[].mail", class(1)), ("n", Field::Open)];
    let (omit, keep, nothing) = (Emptied::Omit, Emptied::Keep, Err(BodyFault::NothingLeft));
    for (emptied, body, mail, rows, want) in [
        (keep, r#"{"mail":1,"n":2}"#, WITHHELD, WITHHELD, Ok(r#"{"n":2}"#)),
        (keep, r#"{"mail":1}"#, WITHHELD, WITHHELD, Ok("{}")),
        (omit, r#" {"mail":1,"n":2} "#, WITHHELD, WITHHELD, nothing),
        (omit, r#"{"mail":1,"rows":[{"mail":1}],"n":2}"#, WITHHELD, WITHHELD, nothing),
        (omit, r#"{"mail":1,"rows":[{"mail":1}]}"#, WITHHELD, CLEAR, Ok(r#"{"rows":[{"mail":1}]}"#)),
        (omit, r#"{"mail":1,"rows":[{"mail":1}]}"#, CLEAR, WITHHELD, Ok(r#"{"mail":1,"rows":[]}"#)),
        // Nothing personal was there.
        (omit, r#"{"n":2,"x":1}"#, WITHHELD, WITHHELD, Ok(r#"{"n":2}"#)),
        (omit, "{ }", WITHHELD, WITHHELD, Ok("{ }")),
    ] {
        let map = map(&leaves, &[("", scope("id", emptied)), ("rows[]", scope("id", omit))]);
        check(&map, body, &|_, class| if class == ClassId(0) { mail } else { rows }, want);
    }
    // A root that is one datum about whom it names.
    let map = map(&[("**", class(0))], &[("", capturing("id", keep, &["at"]))]);
    let seen = subjects(&map, r#"{"id":"p","at":1}"#);
    assert_eq!(record(&seen[0]), (Some("p"), &[Some(Scalar::Int(1))][..]));
    check(&map, r#"{"id":"p"}"#, &|_, _| WITHHELD, nothing);
}

fn addressees() -> Arc<FieldMap> {
    let leaves = [("to[]", class(0)), ("cc[]", class(0)), ("bcc[]", class(1)), ("text", class(2))];
    let itself = || scope("", Emptied::Keep);
    map(&leaves, &[("to[]", itself()), ("cc[]", itself()), ("bcc[]", itself())])
}

#[test]
fn an_element_may_itself_be_the_identifier() {
    let nobody = || vec![None];
    let some = |names: &[&str]| names.iter().map(|n| Some((*n).to_owned())).collect::<Vec<_>>();
    for (body, want) in [
        (r#"{"to":["a@x","b@y","a@x"]}"#, some(&["a@x", "b@y"])),
        (r#"{"to":["\u0061@x", 7, -9007199254740991]}"#, some(&["a@x", "7", "-9007199254740991"])),
        (r#"{"to":[9007199254740993,-0,-12345678901234567890]}"#, nobody()),
        // The same name in another list is another record.
        (r#"{"to":["a@x"],"bcc":["a@x"],"cc":["a@x"]}"#, some(&["a@x", "a@x", "a@x"])),
        // Law 1: what is no identifier names nobody.
        (r#"{"to":[""]}"#, nobody()),
        (r#"{"to":[null,true,1.5,1e2]}"#, nobody()),
        (r#"{"to":[[]]}"#, nobody()),
        // A list in the list is about nobody, and its elements about whom they name: both must be permitted.
        (r#"{"to":[["a@x"]]}"#, vec![None, Some("a@x".to_owned())]),
        // Of another shape than declared.
        (r#"{"to":[{"a":"a@x"}]}"#, vec![]),
        (r#"{"to":"a@x"}"#, vec![]),
    ] {
        assert_eq!(ids(&addressees(), body), want, "{body}");
    }
}

#[test]
fn an_element_that_is_withheld_goes_and_the_commas_stay_right() {
    let body = r#"{"to":["a@x", "b@y" ,"c@z"],"text":"hello","cc":[ "b@y"],"bcc":["c@z","b@y"]}"#;
    for (who, want) in [
        ("a@x", r#"{"to":["a@x"],"cc":[],"bcc":[]}"#),
        ("b@y", r#"{"to":[ "b@y" ],"cc":[ "b@y"],"bcc":["b@y"]}"#),
        ("c@z", r#"{"to":["c@z"],"cc":[],"bcc":["c@z"]}"#),
        ("nobody", r#"{"to":[],"cc":[],"bcc":[]}"#),
    ] {
        let verdict = |subject: &RecordSubject, _| match subject {
            RecordSubject::Record { id: Some(id), .. } if **id == *who => CLEAR,
            RecordSubject::Record { .. } | RecordSubject::Request => WITHHELD,
        };
        check(&addressees(), body, &verdict, Ok(want));
    }
    let nested = r#"{"to":[["a@x",["b@y"]],"b@y"]}"#;
    let not = |who: Option<&'static str>| {
        move |subject: &RecordSubject, _| if record(subject).0 == who { WITHHELD } else { CLEAR }
    };
    check(&addressees(), nested, &not(Some("b@y")), Ok(r#"{"to":[["a@x",[]]]}"#));
    check(&addressees(), nested, &not(None), Ok(r#"{"to":["b@y"]}"#));
}

#[test]
fn elements_are_counted_as_records_and_cut_into_windows() {
    let body = r#"{"to":["a@x","b@y","c@z",null],"cc":["a@x"],"text":"hello"}"#;
    let verdict = |subject: &RecordSubject, _| match subject {
        RecordSubject::Record { id: None, .. } => WITHHELD,
        RecordSubject::Record { id: Some(id), .. } if id.starts_with('a') => WITHHELD,
        RecordSubject::Record { .. } | RecordSubject::Request => CLEAR,
    };
    for (window_subjects_max, windows) in [(1, 5..=7), (100, 1..=1)] {
        let limits = Limits { window_subjects_max, ..Limits::default() };
        let (out, report) = run(&addressees(), limits, body.as_bytes(), &[3], &verdict).unwrap();
        assert!(windows.contains(&out.len()), "{}", out.len());
        assert_eq!(text(&out), r#"{"to":["b@y","c@z"],"cc":[],"text":"hello"}"#);
        assert_eq!((report.records, report.omitted, report.personal_kept), (5, 3, 3));
        assert_eq!(
            report.withheld.iter().map(|(p, n)| (&**p, *n)).collect::<Vec<_>>(),
            [("cc[]", 1), ("to[]", 2)]
        );
    }
}

#[test]
fn an_element_that_names_itself_belongs_to_no_record_around_it() {
    let leaves = [("rows[].mail", class(0)), ("rows[].to[]", class(0))];
    let records = [
        ("rows[]", capturing("id", Emptied::Omit, &["at"])),
        ("rows[].to[]", capturing("", Emptied::Omit, &["at"])),
    ];
    let map = map(&leaves, &records);
    let body = r#"{"rows":[{"id":"p","at":1,"to":["a@x","b@y"],"mail":1},{"id":"q","to":["c@z"]}]}"#;
    let seen = subjects(&map, body);
    let at = [Some(Scalar::Int(1))];
    // It has no members to capture.
    let want = [(Some("a@x"), &[None][..]), (Some("b@y"), &[None]), (Some("p"), &at), (Some("c@z"), &[None])];
    assert_eq!(seen.iter().map(record).collect::<Vec<_>>(), want);
    let only = |who: &'static str| {
        move |subject: &RecordSubject, _| if record(subject).0 == Some(who) { CLEAR } else { WITHHELD }
    };
    check(&map, body, &only("b@y"), Ok(r#"{"rows":[{"to":["b@y"]}]}"#));
    check(&map, body, &only("p"), Ok(r#"{"rows":[{"to":[],"mail":1}]}"#));
    check(&map, body, &only("q"), Ok(r#"{"rows":[]}"#));
}
