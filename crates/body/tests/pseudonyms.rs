//! Keyed codes in the place of values.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_body::{JsonRedactor, Limits, Pseudonyms, Report, Step, redact};
use consentry_model::{ClassId, Emptied, Field, FieldMap, MaskForm, Treatment};

mod support;
use support::reference::code;
use support::{KEY, class, coded, laddered, map, run, scope, text};

const CODED: Treatment = Treatment::Pseudonymised;

/// The output under a key, or under none, of a body that is there as a whole.
fn under(key: Option<[u8; 32]>, map: &Arc<FieldMap>, body: &str) -> (String, Report) {
    let mut redactor = JsonRedactor::new(Arc::clone(map), Limits::default());
    if let Some(key) = key {
        redactor = redactor.with_pseudonyms(Pseudonyms::new(&key));
    }
    redactor.push(body.as_bytes()).unwrap();
    redactor.end().unwrap();
    let Step::NeedVerdicts(_) = redactor.step().unwrap() else { panic!() };
    let out = redactor.release(&|_, _| CODED).unwrap();
    assert_eq!(redactor.step().unwrap(), Step::Done);
    (String::from_utf8(out.to_vec()).unwrap(), redactor.report().clone())
}

#[test]
fn strings_and_numbers_become_codes_and_nothing_else_does() {
    let map = map(
        &[
            ("v", coded(0, None, None)),
            ("w", coded(1, None, None)),
            ("t.**", coded(0, None, None)),
            ("bare", class(0)),
            ("masked", laddered(0, None, Some(MaskForm::LastFour))),
            ("c", Field::Open),
        ],
        &[],
    );
    // By another implementation.
    let ann = "ps_72tv2r5iew6zjnyq6idml65qcr";
    for (body, want) in [
        (r#"{"v": "ann@x.org" ,"c":1}"#, format!(r#"{{"v": "{ann}" ,"c":1}}"#)),
        (r#"{"v":"\u0061nn\u0040x.org"}"#, format!(r#"{{"v":"{ann}"}}"#)),
        (r#"{"w":"ann@x.org"}"#, r#"{"w":"ps_nl3ckrgcwhf5d4bw5n55vxelbf"}"#.to_owned()),
        (r#"{"v":7,"c":7}"#, r#"{"v":"ps_z3oace3oru2nxgimhu76uabova","c":7}"#.to_owned()),
        (r#"{"v":"7"}"#, r#"{"v":"ps_z3oace3oru2nxgimhu76uabova"}"#.to_owned()),
        (r#"{"v":""}"#, r#"{"v":"ps_pybsgjsp4x2nqibke3e6tqkrz5"}"#.to_owned()),
        (r#"{"v":-1.50e3}"#, format!(r#"{{"v":"{}"}}"#, code(&KEY, ClassId(0), "-1.50e3"))),
        (r#"{"v":["ann@x.org",["ann@x.org",null]]}"#, format!(r#"{{"v":["{ann}",["{ann}"]]}}"#)),
        (r#"{"t":"ann@x.org"}"#, format!(r#"{{"t":"{ann}"}}"#)),
        // A code is a value like any other.
        (r#"{"v":"ps_72tv2r5iew6zjnyq6idml65qcr"}"#, format!(r#"{{"v":"{}"}}"#, code(&KEY, ClassId(0), ann))),
        // Law 1: what has no code, or may have none, is withheld.
        (r#"{"v":null,"c":1}"#, r#"{"c":1}"#.to_owned()),
        (r#"{"v":true,"w":false}"#, "{}".to_owned()),
        (r#"{"t":{"v":"ann@x.org"}}"#, "{}".to_owned()),
        (r#"{"bare":"ann@x.org","masked":"ann@x.org"}"#, "{}".to_owned()),
    ] {
        let (out, _) = under(Some(KEY), &map, body);
        assert_eq!(out, want, "{body}");
        for pieces in [&[][..], &[1], &[3]] {
            let (out, _) = run(&map, Limits::default(), body.as_bytes(), pieces, &|_, _| CODED).unwrap();
            assert_eq!(text(&out), want, "{body}");
        }
    }
}

#[test]
fn law_1_without_a_key_what_would_be_a_code_is_withheld() {
    let leaves = [("rows[].v", coded(0, None, Some(MaskForm::LastFour))), ("rows[].n", Field::Open)];
    let body = r#"{"rows":[{"v":"ann@x.org","n":1},{"v":["a",7],"n":2},{"v":null,"n":3}]}"#;
    let keep = map(&leaves, &[("rows[]", scope("id", Emptied::Keep))]);
    let (out, report) = under(None, &keep, body);
    assert_eq!(out, r#"{"rows":[{"n":1},{"n":2},{"n":3}]}"#);
    assert_eq!((report.personal_kept, report.withheld["rows[].v"]), (0, 3));
    let omit = map(&leaves, &[("rows[]", scope("id", Emptied::Omit))]);
    assert_eq!(under(None, &omit, body).0, r#"{"rows":[]}"#);
    let (out, _) = redact(&omit, Limits::default(), body.as_bytes(), |_| |_, _| CODED).unwrap();
    assert_eq!(out, r#"{"rows":[]}"#);
}

#[test]
fn a_code_is_kept_and_counted_by_its_treatment() {
    let leaves =
        [("rows[].v", coded(0, None, None)), ("rows[].n", Field::Open), ("to[]", coded(0, None, None))];
    let map = map(&leaves, &[("rows[]", scope("v", Emptied::Omit)), ("to[]", scope("", Emptied::Omit))]);
    let (out, report) =
        under(Some(KEY), &map, r#"{"rows":[{"v":"p","n":1},{"v":null,"n":2}],"to":["p",true]}"#);
    let p = code(&KEY, ClassId(0), "p");
    assert_eq!(out, format!(r#"{{"rows":[{{"v":"{p}","n":1}}],"to":["{p}"]}}"#));
    assert_eq!((report.personal_kept, report.omitted, report.records), (2, 2, 4));
    let altered: Vec<_> = report.altered.iter().map(|((path, t), n)| (&**path, *t, *n)).collect();
    assert_eq!(altered, [("rows[].v", CODED, 1), ("to[]", CODED, 1)]);
    assert!(!report.is_untouched());
}

#[test]
fn one_value_has_one_code_under_one_key_and_no_other_value_or_key_or_class_has_it() {
    let map = map(&[("a[]", coded(0, None, None)), ("b[]", coded(256, None, None))], &[]);
    let mut keys = vec![[0; 32], KEY];
    for at in [0, 31] {
        keys.push(KEY);
        keys.last_mut().unwrap()[at] ^= 1;
    }
    let mut seen = BTreeSet::new();
    for key in &keys {
        let (out, _) = under(Some(*key), &map, r#"{"a":["p","q","P",1,"p "],"b":["p","q","P",1,"p "]}"#);
        assert_eq!(under(Some(*key), &map, r#"{"a":["p","q","P",1,"p "],"b":["p","q","P",1,"p "]}"#).0, out);
        seen.extend(out.split('"').filter(|part| part.starts_with("ps_")).map(str::to_owned));
    }
    assert_eq!(seen.len(), keys.len() * 10);
    assert!(seen.iter().all(|code| code.len() == 29));
}

/// What a map numbers otherwise after a change of the bundle is the same class by its name.
#[test]
fn a_class_keeps_its_codes_under_another_number() {
    let code = |number: u16, names: &[&str]| {
        let map = map(&[("v", coded(number, None, None))], &[]);
        let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
        let key = Pseudonyms::new(&KEY).with_names(names.into());
        let mut redactor = JsonRedactor::new(map, Limits::default()).with_pseudonyms(key);
        redactor.push(br#"{"v":"ann@x.org"}"#).and_then(|()| redactor.end()).unwrap();
        redactor.step().unwrap();
        redactor.release(&|_, _| CODED).unwrap()
    };
    let before = code(0, &["email of customer"]);
    for (number, names, same) in [
        (1, &["name of customer", "email of customer"][..], true),
        (0, &["email of visitor"], false),
        (1, &["email of customer", "name of customer"], false),
        (1, &["email of customer"], false),
        (0, &[], false),
    ] {
        assert_eq!(code(number, names) == before, same, "{number} {names:?}");
    }
}

#[test]
fn law_13_a_key_is_not_printed() {
    let redactor = JsonRedactor::new(map(&[("a", class(0))], &[]), Limits::default());
    let printed =
        format!("{:?} {:?}", Pseudonyms::new(&[7; 32]), redactor.with_pseudonyms(Pseudonyms::new(&[7; 32])));
    assert!(printed.starts_with("Pseudonyms(<redacted>) JsonRedactor"), "{printed}");
    assert!(!printed.contains("7, 7"), "{printed}");
}
