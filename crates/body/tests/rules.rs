//! Each rule of redaction, by example.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use consentry_body::{BodyFault, Limits, RecordSubject};
use consentry_model::{ClassId, Emptied, Field, FieldMap, MaskForm, Treatment, TruncateForm};

mod support;
use std::sync::Arc;
use support::{class, laddered, map, run, scope, text};

const CLEAR: Treatment = Treatment::Clear;
const WITHHELD: Treatment = Treatment::Withheld;

/// Runs the body whole and byte by byte, in one window and in many, and compares.
fn check(
    map: &Arc<FieldMap>,
    body: &str,
    verdict: &dyn Fn(&RecordSubject, ClassId) -> Treatment,
    want: &str,
) {
    for window_bytes_max in [1, 20, 1000] {
        let limits = Limits { window_bytes_max, ..Limits::default() };
        for pieces in [&[][..], &[1]] {
            let (out, _) = run(map, limits, body.as_bytes(), pieces, verdict).unwrap();
            assert_eq!(text(&out), want, "{body}");
        }
    }
}

fn id(subject: &RecordSubject) -> &str {
    match subject {
        RecordSubject::Request => "the request's",
        RecordSubject::Record { id, .. } => id.as_deref().unwrap_or("nobody"),
    }
}

#[test]
fn law_1_undeclared_members_go_whatever_the_verdicts_say() {
    let map = map(
        &[
            ("a", class(0)),
            ("open", Field::Open),
            ("in.b", Field::Open),
            ("any.*", Field::Open),
            ("l[].x", Field::Open),
        ],
        &[],
    );
    for (body, want) in [
        (r#"{"a":1,"x":2}"#, r#"{"a":1}"#),
        (r#"{"x":2,"a":1}"#, r#"{"a":1}"#),
        (r#"{ "x":2 , "a":1 }"#, r#"{ "a":1 }"#),
        (r#"{"x":1,"y":{"a":1},"z":[{}]}"#, r#"{}"#),
        (r#"{"\u0061":1,"\u0078":2}"#, r#"{"\u0061":1}"#),
        (r#"{"A":1,"a ":2}"#, r#"{}"#),
        // Deeper than a leaf covers.
        (r#"{"a":{"b":1},"open":{}}"#, r#"{}"#),
        (r#"{"a":["s",[1,[null]],true]}"#, r#"{"a":["s",[1,[null]],true]}"#),
        (r#"{"a":[{"b":1},"s",{}],"open":[1,{},[2,{"x":[]}]]}"#, r#"{"a":["s"],"open":[1,[2]]}"#),
        // Between two that stay.
        (r#"{"any":{"p":1,"q":{"s":1},"r":2}}"#, r#"{"any":{"p":1,"r":2}}"#),
        (r#"{"open":[1,{"s":1},2 , {} , 3]}"#, r#"{"open":[1,2 , 3]}"#),
        (r#"{"open":1,"x":[2],"a":3}"#, r#"{"open":1,"a":3}"#),
        // Of another shape than declared.
        (r#"{"in":"s"}"#, r#"{}"#),
        (r#"{"in":[{"b":1}]}"#, r#"{}"#),
        (r#"{"in":true,"l":{"x":1}}"#, r#"{}"#),
        (r#"{"l":[1,{"x":1,"y":2},[{"x":1}]]}"#, r#"{"l":[{"x":1}]}"#),
        (r#"{"any":{"p":1,"q":[2],"r":{"s":1}}}"#, r#"{"any":{"p":1,"q":[2]}}"#),
    ] {
        check(&map, body, &|_, _| CLEAR, want);
    }
}

#[test]
fn a_null_instead_of_what_is_declared_is_a_value_of_all_that_is() {
    let map = map(
        &[
            ("n.a", Field::Open),
            ("n.in.b[]", Field::Open),
            ("p.a", class(0)),
            ("p.b.*", class(1)),
            ("p.c", Field::Open),
            ("l[].x", Field::Open),
            ("m[].x", class(0)),
            ("who[].x", class(0)),
            ("all.**", class(1)),
        ],
        &[("who[]", scope("id", Emptied::Omit))],
    );
    let only_first = |_: &RecordSubject, class: ClassId| if class.0 == 0 { CLEAR } else { WITHHELD };
    let masked = |_: &RecordSubject, _: ClassId| Treatment::Masked;
    let clear = |_: &RecordSubject, _: ClassId| CLEAR;
    let withheld = |_: &RecordSubject, _: ClassId| WITHHELD;
    for (body, verdict, want) in [
        // Nothing personal is declared below.
        (r#"{"n":null}"#, &withheld as &dyn Fn(&RecordSubject, ClassId) -> Treatment, r#"{"n":null}"#),
        (r#"{"n":{"in":null , "a":1}}"#, &withheld, r#"{"n":{"in":null , "a":1}}"#),
        (r#"{"n":{"in":{"b":null}}}"#, &withheld, r#"{"n":{"in":{"b":null}}}"#),
        (r#"{"l":[null,{"x":1}, null ]}"#, &withheld, r#"{"l":[null,{"x":1}, null ]}"#),
        (r#"{"l":null,"n":false}"#, &withheld, r#"{"l":null}"#),
        // Each of those below may be seen, or one may not.
        (r#"{"p":null,"n":1}"#, &clear, r#"{"p":null}"#),
        (r#"{"p":null,"l":[]}"#, &only_first, r#"{"l":[]}"#),
        (r#"{"p":null,"l":[]}"#, &masked, r#"{"l":[]}"#),
        (r#"{"p":{"b":null}}"#, &clear, r#"{"p":{"b":null}}"#),
        (r#"{"p":{"b":null}}"#, &only_first, r#"{"p":{}}"#),
        (r#"{"m":[null,{"x":1}]}"#, &only_first, r#"{"m":[null,{"x":1}]}"#),
        (r#"{"m":[null,{"x":1}],"l":[]}"#, &withheld, r#"{"m":[{}],"l":[]}"#),
        // Records are of somebody, and nobody is named here.
        (r#"{"who":null,"l":[]}"#, &clear, r#"{"l":[]}"#),
        (r#"{"who":[null],"l":[]}"#, &clear, r#"{"who":[],"l":[]}"#),
        // What else stands instead is undeclared.
        (r#"{"n":0,"p":"null","l":"","m":true,"n2":null}"#, &clear, r#"{}"#),
    ] {
        check(&map, body, verdict, want);
    }
}

#[test]
fn law_1_a_body_that_is_undeclared_as_a_whole_is_a_fault() {
    for (leaf, body) in
        [("a", "1"), ("a", "[]"), ("a", "[{\"a\":1}]"), ("[].a", "{\"a\":1}"), ("[].a", "null")]
    {
        let map = map(&[(leaf, Field::Open)], &[]);
        let ran = run(&map, Limits::default(), body.as_bytes(), &[], &|_, _| CLEAR);
        assert_eq!(ran.unwrap_err(), (vec![], BodyFault::Undeclared), "{body}");
    }
    let nothing = Arc::new(FieldMap::builder().build());
    let ran = run(&nothing, Limits::default(), b"{}", &[], &|_, _| CLEAR);
    assert_eq!(ran.unwrap_err().1, BodyFault::Undeclared);
}

#[test]
fn a_body_that_is_one_withheld_datum_is_a_fault() {
    let map = map(&[("**", class(0))], &[]);
    for body in ["1", "\"s\"", "[1,2]", "{\"a\":1}", "[]"] {
        let ran = run(&map, Limits::default(), body.as_bytes(), &[], &|_, _| WITHHELD);
        assert_eq!(ran.unwrap_err(), (vec![], BodyFault::NothingLeft), "{body}");
    }
}

#[test]
fn withheld_members_and_elements_go_and_the_commas_stay_right() {
    let map = map(
        &[
            ("a", class(0)),
            ("b", class(1)),
            ("c", Field::Open),
            ("d", Field::Open),
            ("l[]", class(0)),
            ("t.**", class(0)),
        ],
        &[],
    );
    for (body, want) in [
        (r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2,"c":3}"#),
        (r#"{"b":2,"a":1,"c":3}"#, r#"{"b":2,"c":3}"#),
        (r#"{"c":3, "b":2, "a":1}"#, r#"{"c":3, "b":2}"#),
        (r#"{ "a":1 }"#, r#"{}"#),
        (r#"{"c":1,"a":2,"d":3}"#, r#"{"c":1,"d":3}"#),
        (r#"{"a":[1,"x",[2]],"c":4}"#, r#"{"c":4}"#),
        (r#"{"l":[1,2,3],"b":1}"#, r#"{"l":[],"b":1}"#),
        (r#"{"c":1,"l":[ [1] ,2],"b":1}"#, r#"{"c":1,"l":[],"b":1}"#),
        (r#"{"t":{"x":[{}]},"c":1}"#, r#"{"c":1}"#),
        (r#"{"t":[{"x":1},[2]],"c":1}"#, r#"{"c":1}"#),
    ] {
        check(&map, body, &|_, class| if class == ClassId(0) { WITHHELD } else { CLEAR }, want);
    }
}

#[test]
fn null_stands_where_the_map_says_so_and_the_value_was() {
    let built = |nulls: &[&str]| {
        let leaves = ["a", "tags", "list[]", "o.**", "rows[].x", "rows[].y"];
        let builder = leaves.iter().fold(FieldMap::builder(), |b, path| b.leaf(path, class(0)).unwrap());
        let builder = builder.leaf("n", Field::Open).unwrap().records("rows[]", scope("id", Emptied::Omit));
        Arc::new(nulls.iter().fold(builder.unwrap(), |b, path| b.null_when_withheld(path).unwrap()).build())
    };
    let map = built(&["a", "tags", "list[]", "o.**", "rows[].x"]);
    for (body, want) in [
        (r#"{"n":1,"a":"s","n2":2}"#, r#"{"n":1,"a":null}"#),
        (r#"{ "a" : "s" , "n" : 1 }"#, r#"{ "a" : null , "n" : 1 }"#),
        (r#"{"n":1}"#, r#"{"n":1}"#),
        (r#"{"a":null,"n":1}"#, r#"{"a":null,"n":1}"#),
        (r#"{"tags":["s",[1],{"u":1}],"n":1}"#, r#"{"tags":null,"n":1}"#),
        (r#"{"n":1,"tags":[ ] }"#, r#"{"n":1,"tags":null }"#),
        (r#"{"tags":[],"a":[	],"n":1}"#, r#"{"tags":null,"a":null,"n":1}"#),
        (r#"{"tags": [ 1 ,[ ] ] ,"n":1}"#, r#"{"tags": null ,"n":1}"#),
        (r#"{"n":1,"list":["s",{"u":1},["t"]]}"#, r#"{"n":1,"list":[null,null]}"#),
        (r#"{"n":1,"o":{"deep":["s"]}}"#, r#"{"n":1,"o":null}"#),
        // What is undeclared is gone as ever.
        (r#"{"a":{"u":1},"n":1}"#, r#"{"n":1}"#),
        // A record of which nothing is left goes with its nulls.
        (r#"{"n":1,"rows":[{"x":1,"y":2},{"x":3}]}"#, r#"{"n":1,"rows":[]}"#),
    ] {
        check(&map, &body.replace("\\t", "\t"), &|_, _| WITHHELD, want);
    }
    let half = |subject: &RecordSubject, _| if id(subject) == "1" { CLEAR } else { WITHHELD };
    let body = r#"{"rows":[{"x":1,"id":1},{"x":2,"id":2}]}"#;
    check(&map, body, &half, r#"{"rows":[{"x":1}]}"#);
    check(&built(&[]), r#"{"n":1,"a":"s","list":["s"]}"#, &|_, _| WITHHELD, r#"{"n":1,"list":[]}"#);
}

#[test]
fn truncated_and_masked_values_are_strings_that_the_form_can_read() {
    let forms = laddered(0, Some(TruncateForm::Ip), Some(MaskForm::Email));
    let map = map(&[("v", forms), ("bare", class(0)), ("t.**", forms), ("c", Field::Open)], &[]);
    let (cut, mask) = (Treatment::Truncated, Treatment::Masked);
    for (treatment, body, want) in [
        (cut, r#"{"v": "192.0.2.7" ,"c":1}"#, r#"{"v": "192.0.2.0" ,"c":1}"#),
        (mask, r#"{"v":"ann@x.org"}"#, r#"{"v":"a***@x.org"}"#),
        (mask, r#"{"v":"\u0061nn@x.org"}"#, r#"{"v":"a***@x.org"}"#),
        (mask, r#"{"v":"\u00e9\u0076a@x.org"}"#, r#"{"v":"é***@x.org"}"#),
        (cut, r#"{"v":["192.0.2.7","no",["::1",7]],"c":1}"#, r#"{"v":["192.0.2.0",["::"]],"c":1}"#),
        (cut, r#"{"v":["no"],"c":1}"#, r#"{"v":[],"c":1}"#),
        (mask, r#"{"v":"no address","c":1}"#, r#"{"c":1}"#),
        (mask, r#"{"v":7}"#, r#"{}"#),
        (mask, r#"{"v":null}"#, r#"{}"#),
        (mask, r#"{"v":true,"bare":"ann@x.org"}"#, r#"{}"#),
        (cut, r#"{"bare":["192.0.2.7"]}"#, r#"{}"#),
        (mask, r#"{"t":"ann@x.org"}"#, r#"{"t":"a***@x.org"}"#),
        (mask, r#"{"t":{"mail":"ann@x.org"}}"#, r#"{}"#),
        (mask, r#"{"t":["ann@x.org",{"mail":"ann@x.org"}]}"#, r#"{"t":["a***@x.org"]}"#),
    ] {
        check(&map, body, &|_, _| treatment, want);
    }
}

#[test]
fn each_value_belongs_to_the_nearest_record_wherever_its_subject_stands() {
    let map = map(
        &[
            ("mail", class(0)),
            ("rows[].mail", class(0)),
            ("rows[].in.mail", class(0)),
            ("rows[].kids[].mail", class(0)),
            ("rows[].who.id", Field::Open),
        ],
        &[("rows[]", scope("who.id", Emptied::Keep)), ("rows[].kids[]", scope("name", Emptied::Keep))],
    );
    for (body, ids) in [
        (r#"{"mail":1}"#, "the request's"),
        (r#"{"rows":[{"mail":1,"who":{"id":"p"}}]}"#, "p"),
        (r#"{"rows":[{"who":{"id":"p"},"in":{"mail":1}}]}"#, "p"),
        (r#"{"rows":[{"who":{"x":[{"id":"q"}],"y":{"id":"q"},"id":"p"},"mail":1,"id":"q"}]}"#, "p"),
        (r#"{"rows":[{"mail":1,"who":{"id":"\u0070\n"}}]}"#, "p\n"),
        (r#"{"rows":[{"mail":1,"who":{"id":0123456789}}]}"#, ""),
        // A number names nobody to whom a reader that keeps it as a fraction of 53 bits would take another one.
        (r#"{"rows":[{"mail":1,"who":{"id":9007199254740991}}]}"#, "9007199254740991"),
        (r#"{"rows":[{"mail":1,"who":{"id":-9007199254740991}}]}"#, "-9007199254740991"),
        (r#"{"rows":[{"mail":1,"who":{"id":9007199254740992}}]}"#, "nobody"),
        (r#"{"rows":[{"who":{"id":9007199254740993},"mail":1}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":-9007199254740992}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":10000000000000000}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":-12345678901234567890}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":-0}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":0}}]}"#, "0"),
        (r#"{"rows":[{"mail":1,"who":{"id":"9007199254740993"}}]}"#, "9007199254740993"),
        (r#"{"rows":[{"mail":1,"who":{"id":"-0"}}]}"#, "-0"),
        (r#"{"rows":[{"mail":1,"who":{"id":1.0}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":1e3}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":""}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":null}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":true}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":["p"]}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":{"id":{"id":"p"}}}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":[{"id":"p"}]}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1,"who":"p"}]}"#, "nobody"),
        (r#"{"rows":[{"mail":1}],"who":{"id":"p"}}"#, "nobody"),
        // A nested record, its subject undeclared and so removed, but read.
        (r#"{"rows":[{"kids":[{"mail":1,"name":"k"}],"who":{"id":"p"}}]}"#, "k"),
        (r#"{"rows":[{"kids":[{"mail":1}],"name":"k","who":{"id":"p"}}]}"#, "nobody"),
        (r#"{"rows":[{"kids":[{"who":{"id":"k"},"name":"j"}],"mail":1,"who":{"id":"p"}}]}"#, "p"),
    ] {
        let seen = std::cell::RefCell::new(String::new());
        let verdict = |subject: &RecordSubject, _| {
            *seen.borrow_mut() = id(subject).to_owned();
            CLEAR
        };
        let ran = run(&map, Limits::default(), body.as_bytes(), &[1], &verdict);
        assert_eq!(ran.is_err(), ids.is_empty(), "{body}");
        assert_eq!(*seen.borrow(), ids, "{body}");
    }
}

#[test]
fn each_record_is_treated_by_its_own_subject() {
    let map = map(
        &[("total", Field::Open), ("rows[].id", Field::Open), ("rows[].mail", class(0)), ("by", class(0))],
        &[("rows[]", scope("id", Emptied::Keep))],
    );
    let body = r#"{"by":"me", "rows":[{"id":1,"mail":"a"}, {"mail":"b","id":2}, {"mail":"c"}], "total":3}"#;
    for (who, want) in [
        ("1", r#"{ "rows":[{"id":1,"mail":"a"}, {"id":2}, {}], "total":3}"#),
        ("2", r#"{ "rows":[{"id":1}, {"mail":"b","id":2}, {}], "total":3}"#),
        ("nobody", r#"{ "rows":[{"id":1}, {"id":2}, {"mail":"c"}], "total":3}"#),
        ("the request's", r#"{"by":"me", "rows":[{"id":1}, {"id":2}, {}], "total":3}"#),
    ] {
        check(&map, body, &|subject, _| if id(subject) == who { CLEAR } else { WITHHELD }, want);
    }
}

#[test]
fn where_each_object_is_a_record_anything_else_names_nobody() {
    for (leaf, body, want) in [
        ("l[]", r#"{"l":["a",["b"],{"id":"p"}]}"#, r#"{"l":["a",["b"]]}"#),
        ("l[].**", r#"{"l":["a",{"id":"p"},["b"]]}"#, r#"{"l":["a",["b"]]}"#),
    ] {
        let map = map(&[(leaf, class(0))], &[("l[]", scope("id", Emptied::Omit))]);
        check(&map, body, &|subject, _| if id(subject) == "nobody" { CLEAR } else { WITHHELD }, want);
    }
}

#[test]
fn emptied_records_go_or_stay_as_the_map_says() {
    let leaves = [
        ("rows[].id", Field::Open),
        ("rows[].mail", class(0)),
        ("rows[].kids[].name", class(1)),
        ("rows[].kids[].n", Field::Open),
    ];
    let body = r#"[{"id":1,"mail":"a"}, {"id":2}, {"id":3,"kids":[{"name":"x","n":1},{"n":2}]}, {"id":4,"mail":{}}]"#;
    let (omit, keep) = (Emptied::Omit, Emptied::Keep);
    for (outer, inner, mail, name, want) in [
        (omit, omit, WITHHELD, WITHHELD, r#"[ {"id":2}, {"id":4}]"#),
        (
            omit,
            omit,
            WITHHELD,
            CLEAR,
            r#"[ {"id":2}, {"id":3,"kids":[{"name":"x","n":1},{"n":2}]}, {"id":4}]"#,
        ),
        (omit, omit, CLEAR, WITHHELD, r#"[{"id":1,"mail":"a"}, {"id":2}, {"id":4}]"#),
        (
            keep,
            omit,
            CLEAR,
            WITHHELD,
            r#"[{"id":1,"mail":"a"}, {"id":2}, {"id":3,"kids":[{"n":2}]}, {"id":4}]"#,
        ),
        (
            keep,
            keep,
            WITHHELD,
            WITHHELD,
            r#"[{"id":1}, {"id":2}, {"id":3,"kids":[{"n":1},{"n":2}]}, {"id":4}]"#,
        ),
    ] {
        let map = map(&leaves, &[("rows[]", scope("id", outer)), ("rows[].kids[]", scope("id", inner))]);
        let verdict = |_: &RecordSubject, class| if class == ClassId(0) { mail } else { name };
        check(&map, &format!("{{\"rows\":{body}}}"), &verdict, &format!("{{\"rows\":{want}}}"));
    }
}

#[test]
fn the_report_counts_by_the_maps_own_paths() {
    let email = laddered(0, None, Some(MaskForm::Email));
    let map = map(
        &[("rows[].mail", email), ("rows[].n", class(1)), ("tags", class(2)), ("free[]", class(2))],
        &[("rows[]", scope("id", Emptied::Omit))],
    );
    let body = r#"{"rows":[{"mail":"a@x.org","n":1,"z":{"y":1}},{"mail":"no"},{"mail":["b@x.org",1],"n":2}],
        "tags":[1,2],"free":[1,2],"undeclared":1}"#;
    let verdict = |_: &RecordSubject, class| match class {
        ClassId(0) => Treatment::Masked,
        ClassId(1) => CLEAR,
        _ => WITHHELD,
    };
    for window_bytes_max in [1, 1000] {
        let limits = Limits { window_bytes_max, ..Limits::default() };
        let (_, report) = run(&map, limits, body.as_bytes(), &[], &verdict).unwrap();
        let withheld = [("free[]", 2), ("rows[].mail", 2), ("tags", 1)];
        assert_eq!(report.withheld.iter().map(|(p, n)| (&**p, *n)).collect::<Vec<_>>(), withheld);
        let altered: Vec<_> = report.altered.iter().map(|((p, t), n)| (&**p, *t, *n)).collect();
        assert_eq!(altered, [("rows[].mail", Treatment::Masked, 2)]);
        assert_eq!((report.personal_kept, report.undeclared, report.records, report.omitted), (4, 2, 3, 1));
    }
}
