//! The fast lane against the tokens alone: the same windows, bytes, counts and faults, on bodies that are right, and on
//! the same with some bytes changed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use std::sync::Arc;

use consentry_model::{
    ClassId, Emptied, Field, FieldMap, Ladder, MaskForm, RecordScope, Space, Treatment, TruncateForm,
};

use crate::{BodyError, JsonRedactor, Limits, Pseudonyms, RecordSubject, Report, Step, Window};

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const SCALARS: [&str; 24] = [
    "1",
    "-0",
    "12.50",
    "1e9",
    "true",
    "null",
    "\"\"",
    "\"p1\"",
    "\"p2\"",
    "\"10115\"",
    "\"SW1A 1AA\"",
    "17",
    "\"4111 1111 1111 1234\"",
    "\"caf\u{e9}\"",
    "\"a\\nb\"",
    "\"\\u00e9\"",
    "\"x,y}]\"",
    "\"sixteen bytes ok\"",
    "\"a text that is longer than one block of sixteen, and than two\"",
    "\"\u{1f600}\"",
    "\"\\\"q\\\"\"",
    "false",
    "\"12345678\"",
    "0",
];
const NAMES: [&str; 10] = [
    "id",
    "a",
    "b",
    "c",
    "tags",
    "rows",
    "extra",
    "caf\u{e9}",
    "\\u0061",
    "a name that is quite a bit longer than usual",
];

fn value(dice: &mut Dice, depth: usize, out: &mut String) {
    match dice.below(if depth > 3 { 6 } else { 9 }) {
        0..6 => out.push_str(dice.pick(&SCALARS)),
        6 | 7 => object(dice, depth + 1, out),
        _ => {
            out.push('[');
            for n in 0..dice.below(4) {
                out.push_str(if n > 0 { "," } else { "" });
                value(dice, depth + 1, out);
            }
            out.push(']');
        }
    }
}

fn object(dice: &mut Dice, depth: usize, out: &mut String) {
    out.push('{');
    let from = dice.below(NAMES.len());
    for n in 0..dice.below(7) {
        out.push_str(if n > 0 { "," } else { "" });
        out.push_str(dice.pick(&["", "", "", " ", "\n  "]));
        out.push_str(&format!("\"{}\":", NAMES[(from + n) % NAMES.len()]));
        out.push_str(dice.pick(&["", "", " "]));
        value(dice, depth, out);
    }
    out.push('}');
}

/// Most often a scalar, and now and then something empty, or an object with more names than are kept at once.
fn other_value(dice: &mut Dice) -> String {
    match dice.below(24) {
        0 => "[]".to_owned(),
        1 | 2 => "{}".to_owned(),
        3 | 4 => {
            let names: Vec<_> = (0..60 + dice.below(80)).map(|n| format!("\"n{n}\":{n}")).collect();
            format!("{{{}}}", names.join(","))
        }
        _ => dice.pick(&SCALARS).to_owned(),
    }
}

/// A list of records that are mostly written alike, as lists are.
fn body(dice: &mut Dice) -> Vec<u8> {
    let mut out = String::from(dice.pick(&["{\"rows\":[", "{\"n\":1,\"rows\":[", "{ \"rows\" : [\n"]));
    let mut model = String::new();
    object(dice, 1, &mut model);
    for n in 0..dice.below(40) {
        out.push_str(if n > 0 { "," } else { "" });
        out.push_str(dice.pick(&["", "", "", "", " "]));
        match dice.below(12) {
            0 => value(dice, 1, &mut out),
            1 => {
                model.clear();
                object(dice, 1, &mut model);
                out.push_str(&model);
            }
            // The same with other values.
            _ => {
                let (one, other) = (other_value(dice), dice.pick(&SCALARS));
                out.push_str(&model.replace("17", &one).replace("\"p1\"", other));
            }
        }
    }
    out.push_str(dice.pick(&["]}", "] }\n", "],\"b\":{\"id\":1}}"]));
    let mut out = out.into_bytes();
    if dice.below(2) == 0 {
        spoil(dice, &mut out);
    }
    out
}

/// Changes some bytes.
fn spoil(dice: &mut Dice, out: &mut Vec<u8>) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(out.len());
        match dice.below(3) {
            0 => out[at] = b"\"\\,:{}[] 0a\x00\x80\xff\xe9"[dice.below(15)],
            1 => drop(out.remove(at)),
            _ => out.insert(at, b"\"\\,:{}[] 0a\x00\x80\xff\xe9"[dice.below(15)]),
        }
    }
}

fn map(dice: &mut Dice, records: bool) -> Arc<FieldMap> {
    let class =
        |n, truncated, masked| Field::Class(ClassId(n), Ladder { truncated, masked, pseudonymised: n == 70 });
    let mut map = FieldMap::builder().leaf("n", Field::Open).unwrap();
    for (path, field) in [
        ("rows[].id", Field::Open),
        ("rows[].a", class(0, Some(TruncateForm::Postcode), Some(MaskForm::LastFour))),
        ("rows[].b.**", class(70, None, None)),
        ("rows[].c.a", class(1, None, Some(MaskForm::LastFour))),
        ("rows[].c.*", Field::Open),
        ("rows[].tags[]", class(2, None, None)),
        ("rows[].rows[].a", class(0, Some(TruncateForm::Postcode), None)),
        ("rows[].rows[].id", class(3, None, None)),
        ("rows[].extra.**", Field::Open),
        ("b.id", class(1, None, None)),
    ] {
        // Some are undeclared.
        if dice.below(5) > 0 {
            map = map.leaf(path, field).unwrap();
        }
    }
    if !records {
        return Arc::new(map.build());
    }
    let captures = if dice.below(3) == 0 { vec![vec!["c".into(), "b".into()]] } else { vec![] };
    let emptied = if dice.below(2) == 0 { Emptied::Omit } else { Emptied::Keep };
    let subject: Vec<Box<str>> =
        if dice.below(4) == 0 { vec!["c".into(), "id".into()] } else { vec!["id".into()] };
    let scope = RecordScope { subject, space: Space::new("test"), emptied, captures };
    if dice.below(3) == 0 {
        map = map.records("rows[].rows[]", scope.clone()).unwrap();
    }
    Arc::new(map.records("rows[]", scope).unwrap().build())
}

type Ran = (Vec<(Window, Vec<u8>)>, Result<Report, BodyError>);

fn run(map: &Arc<FieldMap>, limits: Limits, mut rest: &[u8], sizes: &[usize], tokens_only: bool) -> Ran {
    let mut redactor = JsonRedactor::new(Arc::clone(map), limits).with_pseudonyms(Pseudonyms::new(&[7; 32]));
    redactor.tokens_only = tokens_only;
    let (mut windows, mut sizes) = (Vec::new(), sizes.iter().cycle());
    loop {
        match redactor.step() {
            Err(error) => return (windows, Err(error)),
            Ok(Step::Done) => return (windows, Ok(redactor.report().clone())),
            Ok(Step::NeedInput) if rest.is_empty() => redactor.end().unwrap(),
            Ok(Step::NeedInput) => {
                let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                redactor.push(piece).unwrap();
                rest = after;
            }
            Ok(Step::NeedVerdicts(window)) => {
                let verdict = |subject: crate::SubjectIx, class: ClassId| {
                    let known = match window.subject(subject).unwrap() {
                        RecordSubject::Request => 0,
                        RecordSubject::Record { id, .. } => id.as_ref().map_or(1, |id| id.len()),
                    };
                    Treatment::ALL[(known + usize::from(class.0)) % 5]
                };
                match redactor.release(&verdict) {
                    Ok(out) => windows.push((window, out.to_vec())),
                    Err(error) => return (windows, Err(error)),
                }
            }
        }
    }
}

/// Runs a body through the tokens, and cut like this through the fast lane: both say the same. Whether it passes.
fn is_same(map: &Arc<FieldMap>, limits: Limits, body: &[u8], cuts: &[Vec<usize>]) -> bool {
    let want = run(map, limits, body, &[usize::MAX], true);
    for sizes in cuts {
        let got = run(map, limits, body, sizes, false);
        assert!(got == want, "{sizes:?}: {}\n{got:?}\n{want:?}", String::from_utf8_lossy(body));
    }
    want.1.is_ok()
}

#[test]
fn law_1_the_fast_lane_does_what_the_tokens_do() {
    let mut dice = Dice(1);
    let mut whole = 0;
    for _ in 0..6_000 {
        let (map, body) = (map(&mut dice, true), body(&mut dice));
        let limits = Limits {
            window_bytes_max: [100, 1_000, 1 << 18][dice.below(3)],
            record_bytes_max: [200, 2_000, 1 << 20][dice.below(3)],
            depth_max: [4, 64][dice.below(2)],
            window_subjects_max: [2, 256][dice.below(2)],
            ..Limits::default()
        };
        let cuts = [vec![usize::MAX], vec![1 + dice.below(300)], vec![1 + dice.below(5), 1 + dice.below(40)]];
        whole += usize::from(is_same(&map, limits, &body, &cuts));
    }
    assert!(whole > 1_000, "only {whole} bodies pass");
}

/// What is held back as one begins anew behind each record, however many are taken at once.
#[test]
fn many_records_that_are_alike_are_not_taken_for_one_that_is_too_large() {
    let mut dice = Dice(3);
    let mut whole = 0;
    for n in 0..1_200 {
        let map = map(&mut dice, true);
        let record = format!(r#"{{"id":"p{}", "b":"{}"}}"#, n % 7, "x".repeat(dice.below(60)));
        let other = dice.pick(&["", ",{}", r#",{"b":1}"#, r#",{"id":"q","c":{"b":[1,2]}}"#]);
        let between = dice.pick(&[",", ", ", "\n,\n"]);
        let records = vec![record; 2 + n % 31].join(between);
        let end = dice.pick(&["]}", "] }", " ]\n}\n", r#"],"n":17}"#, r#"], "b" : {"id":"p1"} }"#]);
        let body = format!(r#"{{"rows":[{records}{other}{end}"#).into_bytes();
        let limits = Limits {
            window_bytes_max: [300, 1 << 18][dice.below(2)],
            record_bytes_max: [90, 120, 200][dice.below(3)],
            window_subjects_max: [2, 256][dice.below(2)],
            ..Limits::default()
        };
        let cuts = [vec![usize::MAX], vec![1 + dice.below(300)]];
        whole += usize::from(is_same(&map, limits, &body, &cuts));
    }
    assert!(whole > 1_000, "only {whole} bodies pass");
}

/// Maps without records: what a body was like is kept for the next one.
#[test]
fn law_1_what_was_learnt_of_bodies_changes_nothing() {
    let mut dice = Dice(2);
    let (mut whole, mut learnt) = (0, 0);
    for _ in 0..1_500 {
        let map = map(&mut dice, false);
        let mut model = String::from("{\"n\":17,\"rows\":[");
        for n in 0..dice.below(4) {
            model.push_str(if n > 0 { "," } else { "" });
            object(&mut dice, 1, &mut model);
        }
        model.push_str("],\"b\":{\"id\":\"p1\"}");
        model.push_str(dice.pick(&["}", "}\n", ",\"extra\":{\"a\":[17]}}", ",\"undeclared\":17}"]));
        for _ in 0..6 {
            let one = other_value(&mut dice);
            let mut body = model.replace("17", &one).replace("\"p1\"", dice.pick(&SCALARS)).into_bytes();
            if dice.below(3) == 0 {
                spoil(&mut dice, &mut body);
            }
            let limits = Limits {
                record_bytes_max: [100, 1 << 20][dice.below(2)],
                depth_max: [3, 4, 64][dice.below(3)],
                ..Limits::default()
            };
            let cuts = [vec![usize::MAX], vec![1 + dice.below(300)]];
            whole += usize::from(is_same(&map, limits, &body, &cuts));
            let mut redactor = JsonRedactor::new(Arc::clone(&map), limits);
            redactor.push(&body).unwrap();
            learnt += usize::from(redactor.step().is_ok() && redactor.is_learnt());
        }
    }
    assert!(whole > 1_000 && learnt > 500, "only {whole} bodies pass, and {learnt} are like others");
}

/// What is removed has a place before the scalar that comes next, whatever stands in it, and however it was read.
#[test]
fn law_1_an_empty_array_that_goes_is_cut_where_it_stands() {
    let scope = |emptied| RecordScope {
        subject: vec!["id".into()],
        space: Space::new("test"),
        emptied,
        captures: vec![],
    };
    let class = Field::Class(ClassId(2), Ladder { truncated: None, masked: None, pseudonymised: false });
    for emptied in [Emptied::Omit, Emptied::Keep] {
        for names in [0, 1, 64, 65, 66, 100, 128, 129] {
            for a in ["", r#""a":"x","#] {
                let mut map = FieldMap::builder().records("rows[]", scope(emptied)).unwrap();
                for path in ["rows[].id", "rows[].b", "rows[].y.**"] {
                    map = map.leaf(path, Field::Open).unwrap();
                }
                let map = Arc::new(map.leaf("rows[].a", class).unwrap().build());
                let member = |n| format!(r#""n{n}":{n}"#);
                let many = (0..names).map(member).collect::<Vec<_>>().join(",");
                let record =
                    |y: &str| format!(r#"{{"id":"p1",{a}"x":[],"b":1,{a}"y":{{{y}}}}}"#).replacen(a, "", 1);
                let (some, more) = ([(); 3].map(|()| record("")), [(); 3].map(|()| record(&many)));
                let rows = [some.join(","), more.join(","), record("")].join(",");
                let body = format!(r#"{{"rows":[{rows}]}}"#);
                assert!(is_same(&map, Limits::default(), body.as_bytes(), &[vec![usize::MAX]]), "{body}");
            }
        }
    }
}

/// How much is remembered does not grow with what stands in arrays that only have to be right.
#[test]
fn what_is_remembered_of_a_record_is_bounded() {
    let scope = RecordScope {
        subject: vec!["id".into()],
        space: Space::new("test"),
        emptied: Emptied::Keep,
        captures: vec![],
    };
    let map = FieldMap::builder().records("rows[]", scope).unwrap().leaf("rows[].id", Field::Open).unwrap();
    let map = Arc::new(map.build());
    for (members, scalars, remembered) in [(3, 100, true), (3, 200, false), (70, 440, false), (600, 0, false)]
    {
        let member = |n| format!(r#""x{n}":[{}]"#, vec!["1"; scalars].join(","));
        let row = format!(r#"{{"id":"p",{}}}"#, (0..members).map(member).collect::<Vec<_>>().join(","));
        let body = format!(r#"{{"rows":[{}]}}"#, vec![row; 5].join(","));
        let mut redactor = JsonRedactor::new(Arc::clone(&map), Limits::default());
        redactor.push(body.as_bytes()).unwrap();
        redactor.end().unwrap();
        redactor.step().unwrap();
        assert_eq!(redactor.remembers(), remembered, "{members} members of {scalars}");
    }
}

/// A body's template outlives the body: of what it held there stays nothing but names that are not anybody's.
#[test]
fn law_13_names_that_nobody_declared_are_not_kept_beyond_a_body() {
    let class = Field::Class(ClassId(1), Ladder { truncated: None, masked: None, pseudonymised: false });
    for (path, body, kept) in [
        ("open.**", r#"{"n":1,"open":{"alice":1}}"#, true),
        ("own.**", r#"{"n":1,"own":{"alice":1}}"#, false),
        ("flat", r#"{"n":1,"flat":{"alice":1}}"#, false),
        ("flat", r#"{"n":1,"other":{"alice":1}}"#, false),
        ("flat", r#"{"n":1,"alice":1}"#, false),
    ] {
        let field = if path == "own.**" { class } else { Field::Open };
        let map = FieldMap::builder().leaf("n", Field::Open).unwrap().leaf(path, field).unwrap();
        let map = Arc::new(map.build());
        for _ in 0..3 {
            let mut redactor = JsonRedactor::new(Arc::clone(&map), Limits::default());
            redactor.push(body.as_bytes()).unwrap();
            redactor.end().unwrap();
            redactor.step().unwrap();
        }
        let there = format!("{:?}", map.memo::<crate::learnt::Learnt>().unwrap());
        let alice = format!("{:?}", b"alice");
        assert_eq!(there.contains(alice.trim_matches(['[', ']'])), kept, "{path} {body}");
    }
}
