//! What holds of every document, map, verdict and way to cut the input.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use consentry_body::{BodyFault, Limits, RecordSubject, Report};
use consentry_model::{ClassId, Treatment};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

mod support;
use support::random::{any_map, doc, limits, personal_map, verdict};
use support::reference::{Model, texts};
use support::{run, text};

/// Every string that another reader finds, the names of members among them.
fn strings(read: &Value, into: &mut Vec<String>) {
    match read {
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, into)),
        Value::Object(members) => {
            into.extend(members.keys().cloned());
            members.values().for_each(|value| strings(value, into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_redactor_does_what_the_model_does(
        doc in doc(), map in any_map(), limits in limits(), seed: u64, pieces in vec(1_usize..40, 0..4),
    ) {
        let body = doc.render();
        let verdict = verdict(seed);
        // What is asked is the same too: whom each record names, and what was captured.
        let (want_asked, asked) = (RefCell::default(), RefCell::default());
        let noting = |into: &RefCell<BTreeSet<_>>, subject: &RecordSubject, class| {
            into.borrow_mut().insert((subject.clone(), class));
            verdict(subject, class)
        };
        let (by_model, by_redactor) = (|s: &_, c| noting(&want_asked, s, c), |s: &_, c| noting(&asked, s, c));
        let mut model = Model { map: &map, verdict: &by_model, report: Report::default() };
        let want = model.body(&doc);
        let report = model.report;
        let ran = run(&map, limits, body.as_bytes(), &pieces, &by_redactor);
        match want {
            Some(want) => {
                let (out, got) = ran.unwrap();
                prop_assert!(asked == want_asked, "not the same is asked");
                let out = text(&out);
                prop_assert_eq!(&out, &want);
                prop_assert_eq!(got, report);
                prop_assert_ne!(support::oracle::read(out.as_bytes()), support::oracle::Answer::NotJson);
            }
            None => {
                let (out, fault) = ran.unwrap_err();
                prop_assert!(out.is_empty());
                prop_assert!(matches!(fault, BodyFault::Undeclared | BodyFault::NothingLeft));
            }
        }
    }

    #[test]
    fn with_every_verdict_against_it_no_personal_string_is_in_the_output(
        doc in doc(), map in personal_map(), limits in limits(), against in prop_oneof![Just(Treatment::Withheld), Just(Treatment::Truncated), Just(Treatment::Pseudonymised)],
    ) {
        let body = doc.render();
        if let Ok((out, report)) = run(&map, limits, body.as_bytes(), &[], &|_, _| against) {
            let out = text(&out);
            let mut there = BTreeMap::new();
            texts(&doc, &mut there);
            // As it stands there, and as whoever reads it undoes what is escaped in it.
            let read = serde_json::from_str(&out).unwrap();
            let mut left = vec![out];
            strings(&read, &mut left);
            for text in there.keys().filter(|t| t.starts_with("secret-")) {
                prop_assert!(!left.iter().any(|left| left.contains(text.as_str())), "{} is in {:?}", text, left);
            }
            prop_assert!(against != Treatment::Withheld || report.personal_kept == 0);
        }
    }

    #[test]
    fn a_second_time_changes_nothing(doc in doc(), map in any_map(), limits in limits(), seed: u64) {
        // By class alone: a record that lost the name of its subject is nobody's the second time.
        let of = verdict(seed);
        // And without codes: a code is a value like any other, and gets a code of its own.
        let verdict = |_: &RecordSubject, class: ClassId| match of(&RecordSubject::Request, class) {
            Treatment::Pseudonymised => Treatment::Masked,
            other @ (Treatment::Clear | Treatment::Truncated | Treatment::Masked | Treatment::Withheld) => other,
        };
        if let Ok((once, _)) = run(&map, limits, doc.render().as_bytes(), &[], &verdict) {
            let once = once.concat();
            let (twice, report) = run(&map, limits, &once, &[], &verdict).unwrap();
            prop_assert_eq!(text(&twice), String::from_utf8(once).unwrap());
            prop_assert_eq!((report.undeclared, report.omitted), (0, 0));
        }
    }

    #[test]
    fn all_clear_and_all_declared_is_the_same_bytes(doc in doc(), map in any_map(), limits in limits()) {
        let body = doc.render();
        if let Ok((out, report)) = run(&map, limits, body.as_bytes(), &[], &|_, _| Treatment::Clear) {
            prop_assert_eq!(text(&out) == body, report.undeclared == 0);
            prop_assert_eq!(report.undeclared == 0, report.is_untouched());
        }
    }

    #[test]
    fn small_limits_refuse_or_change_nothing(
        doc in doc(), map in any_map(), seed: u64, record_bytes_max in 0_usize..200, depth_max in 0_usize..5,
        pieces in vec(1_usize..40, 0..4),
    ) {
        let body = doc.render();
        let verdict = verdict(seed);
        let small = Limits { record_bytes_max, depth_max, ..Limits::default() };
        let cut = run(&map, small, body.as_bytes(), &pieces, &verdict);
        let whole = run(&map, small, body.as_bytes(), &[], &verdict);
        prop_assert_eq!(&cut, &whole);
        match (cut, run(&map, Limits::default(), body.as_bytes(), &[], &verdict)) {
            (Err((_, BodyFault::RecordTooLarge | BodyFault::TooDeep)), _) => {}
            (small, wide) => prop_assert_eq!(small, wide),
        }
    }
}
