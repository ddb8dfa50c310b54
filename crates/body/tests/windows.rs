//! Windows, limits and turns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use consentry_body::{BodyFault, JsonRedactor, Limits, RecordSubject, Step, SubjectIx, redact};
use consentry_model::{ClassId, Emptied, Field, Treatment};

mod support;
use support::{class, map, run, scope, text};

const CLEAR: Treatment = Treatment::Clear;

fn rows() -> std::sync::Arc<consentry_model::FieldMap> {
    let leaves =
        [("rows[].id", Field::Open), ("rows[].a", class(0)), ("rows[].b", class(1)), ("n", Field::Open)];
    map(&leaves, &[("rows[]", scope("id", Emptied::Omit))])
}

fn body(records: usize) -> String {
    let rows: Vec<_> = (0..records).map(|n| format!(r#"{{"id":{n},"a":"x","b":[1]}}"#)).collect();
    format!(r#"{{"n":{records},"rows":[{}]}}"#, rows.join(","))
}

#[test]
fn a_window_names_each_subject_and_each_pair_once() {
    let body = br#"{"rows":[{"a":1,"id":7,"b":1},{"id":"7","a":[1,2]},{"a":1},{"id":8},{"b":1,"id":null}]}"#;
    let mut seen = Vec::new();
    redact(&rows(), Limits::default(), body, |window| {
        seen.push(window.clone());
        |_, _| CLEAR
    })
    .unwrap();
    let [window] = &*seen else { panic!("{seen:?}") };
    let ids: Vec<_> = window
        .subjects
        .iter()
        .map(|s| match s {
            RecordSubject::Record { scope, id, .. } if scope.index() == 1 => id.as_deref(),
            RecordSubject::Record { .. } | RecordSubject::Request => panic!("{s:?}"),
        })
        .collect();
    // A record without a personal value needs no verdict.
    assert_eq!(ids, [Some("7"), None]);
    let pair = |s, c| (SubjectIx(s), ClassId(c));
    assert_eq!(window.groups, [pair(0, 0), pair(0, 1), pair(1, 0), pair(1, 1)]);
}

#[test]
fn windows_end_between_records_at_either_limit() {
    let body = body(50);
    let wide = Limits::default();
    for (limits, windows) in [
        (wide, 1..=1),
        (Limits { window_subjects_max: 1, ..wide }, 50..=51),
        (Limits { window_subjects_max: 10, ..wide }, 5..=6),
        (Limits { window_bytes_max: 1, ..wide }, 52..=55),
        (Limits { window_bytes_max: 300, ..wide }, 4..=6),
    ] {
        for pieces in [&[][..], &[1], &[7, 100]] {
            let (out, _) = run(&rows(), limits, body.as_bytes(), pieces, &|_, _| CLEAR).unwrap();
            assert!(windows.contains(&out.len()), "{} windows under {limits:?}", out.len());
            assert_eq!(text(&out), body);
            assert!(out.iter().all(|w| w.len() <= limits.window_bytes_max.saturating_add(40)));
        }
    }
}

#[test]
fn law_1_what_cannot_be_held_is_a_fault() {
    let wide = Limits::default();
    let long = format!(r#"{{"rows":[{{"id":1}},{{"a":"{}"}}]}}"#, "x".repeat(100));
    let names: String = (0..50).map(|n| format!("\"member-{n}\":1,")).collect();
    let names = format!("{{{names}\"rows\":[]}}");
    let number = format!("{{\"n\":{}}}", "1".repeat(100));
    let unscoped = map(&[("l[]", class(0))], &[]);
    let list = format!("{{\"l\":[{}1]}}", "1,".repeat(60));
    for (map, body) in [(rows(), &long), (rows(), &names), (rows(), &number), (unscoped, &list)] {
        for pieces in [&[][..], &[1], &[64, 3]] {
            let limits = Limits { record_bytes_max: 100, window_bytes_max: 10, ..wide };
            let (_, fault) = run(&map, limits, body.as_bytes(), pieces, &|_, _| CLEAR).unwrap_err();
            assert_eq!(fault, BodyFault::RecordTooLarge, "{body}");
            let limits = Limits { record_bytes_max: body.len(), ..wide };
            assert!(run(&map, limits, body.as_bytes(), pieces, &|_, _| CLEAR).is_ok(), "{body}");
        }
    }
    // Many records that each fit pass, however long the body.
    let limits = Limits { record_bytes_max: 40, window_bytes_max: 100, ..wide };
    let body = body(1000);
    let (out, report) = run(&rows(), limits, body.as_bytes(), &[50], &|_, _| CLEAR).unwrap();
    assert_eq!((text(&out), report.records), (body, 1000));
}

#[test]
fn depth_is_counted_from_the_outermost() {
    let map = map(&[("**", Field::Open)], &[]);
    for (depth_max, body, fits) in
        [(0, "1", true), (0, "[]", false), (1, "[]", true), (1, "[{}]", false), (2, "[{},[]]", true)]
    {
        let limits = Limits { depth_max, ..Limits::default() };
        let ran = run(&map, limits, body.as_bytes(), &[], &|_, _| CLEAR);
        assert_eq!(ran.map(|_| ()).map_err(|(_, f)| f), if fits { Ok(()) } else { Err(BodyFault::TooDeep) });
    }
}

#[test]
fn law_12_nothing_leaves_but_by_release_and_only_in_its_turn() {
    let mut redactor = JsonRedactor::new(rows(), Limits::default());
    assert_eq!(redactor.release(&|_, _| CLEAR).unwrap_err().kind(), BodyFault::OutOfTurn);
    assert_eq!(redactor.step().unwrap_err().kind(), BodyFault::OutOfTurn, "an error stays");

    let mut redactor = JsonRedactor::new(rows(), Limits::default());
    redactor.push(body(1).as_bytes()).unwrap();
    assert_eq!(redactor.step().unwrap(), Step::NeedInput);
    redactor.end().unwrap();
    let Step::NeedVerdicts(window) = redactor.step().unwrap() else { panic!() };
    assert_eq!(redactor.step().unwrap(), Step::NeedVerdicts(window), "asked again, it needs the same");
    assert_eq!(redactor.report().records, 0, "nothing is reported before it is released");
    assert_eq!(redactor.release(&|_, _| CLEAR).unwrap(), body(1));
    assert_eq!(redactor.step().unwrap(), Step::Done);
    assert_eq!(redactor.report().records, 1);
    assert_eq!(redactor.release(&|_, _| CLEAR).unwrap_err().kind(), BodyFault::OutOfTurn);

    for late in [JsonRedactor::end, |r: &mut JsonRedactor| r.push(b"{}")] {
        let mut redactor = JsonRedactor::new(rows(), Limits::default());
        redactor.end().unwrap();
        assert_eq!(late(&mut redactor).unwrap_err().kind(), BodyFault::OutOfTurn);
    }
}

#[test]
fn after_a_fault_a_window_that_was_released_stays_the_last() {
    let limits = Limits { window_subjects_max: 1, ..Limits::default() };
    let body = r#"{"rows":[{"id":1,"a":1},{"id":2,"a":1},{"id":3,"a":1,"a":1}]}"#;
    let (out, fault) = run(&rows(), limits, body.as_bytes(), &[], &|_, _| CLEAR).unwrap_err();
    assert_eq!(fault, BodyFault::DuplicateKey);
    assert_eq!(text(&out), r#"{"rows":[{"id":1,"a":1},{"id":2,"a":1}"#);
}
