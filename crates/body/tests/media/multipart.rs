//! Forms in parts.

use std::sync::Arc;

use consentry_body::{BodyFault, Limits};
use consentry_model::{FieldMap, Format};

use crate::support::{EMAIL, NAME, OPEN, Verdict, check, clear, map, masked, only, run, scope, withheld};

fn part(head: &str, content: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{content}\r\n")
}

fn named(name: &str, content: &str) -> String {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), content)
}

fn json(name: &str, content: &str) -> String {
    part(
        &format!("Content-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json"),
        content,
    )
}

fn body(parts: &[String]) -> String {
    format!("{}--b--\r\n", parts.concat())
}

const FILE: &str =
    "Content-Disposition: form-data; name=\"cv\"; filename=\"ann.pdf\"\r\nContent-Type: application/pdf";
const TEXT: &str = "Content-Disposition: form-data; name=\"plan\"\r\nContent-Type: text/plain; charset=";
const JSON: &str =
    "Content-Disposition: form-data; name=\"who\"; filename=\"ann.json\"\r\nContent-Type: application/json";

#[test]
fn parts_pass_as_they_are_or_not_at_all() {
    let map = map(
        &[
            ("plan", OPEN),
            ("name", NAME),
            ("mail", EMAIL),
            ("cv", NAME),
            ("who.mail", EMAIL),
            ("who.plan", OPEN),
            ("pics[]", OPEN),
        ],
        None,
    );
    let plan = named("plan", "pro\n\r\n1");
    let rows = [
        (
            body(&[plan.clone(), named("name", "Ann")]),
            &clear as Verdict<'_>,
            body(&[plan.clone(), named("name", "Ann")]),
        ),
        (body(&[plan.clone(), named("name", "Ann")]), &withheld, body(std::slice::from_ref(&plan))),
        (body(&[part(&format!("{TEXT}UTF8"), "pro")]), &clear, body(&[part(&format!("{TEXT}utf-8"), "pro")])),
        // What is the same in UTF-8 is in UTF-8.
        (
            body(&[
                part(&format!("{TEXT}us-ascii"), "pro"),
                part(&format!("{JSON};charset=ISO-8859-1"), "{\"plan\":1}"),
            ]),
            &clear,
            body(&[
                part(TEXT.trim_end_matches("; charset="), "pro"),
                part(&JSON.replace("ann.json", "blob"), "{\"plan\":1}"),
            ]),
        ),
        (body(&[named("mail", "ann@x.org")]), &masked, body(&[named("mail", "a***@x.org")])),
        (
            body(&[plan.clone(), named("ssn", "1"), named("a[b]", "1")]),
            &clear,
            body(std::slice::from_ref(&plan)),
        ),
        (body(&[plan.clone(), part(FILE, "%PDF\0")]), &clear, body(&[plan.clone(), part(FILE, "%PDF\0")])),
        (body(&[plan.clone(), part(FILE, "%PDF\0")]), &masked, body(std::slice::from_ref(&plan))),
        (
            body(&[named("pics", "1"), named("pics", "2")]),
            &clear,
            body(&[named("pics", "1"), named("pics", "2")]),
        ),
        (
            body(&[part(JSON, r#"{"mail":"ann@x.org","plan":1,"ssn":2}"#)]),
            &masked,
            body(&[part(&JSON.replace("ann.json", "blob"), r#"{"mail":"a***@x.org","plan":1}"#)]),
        ),
        // What is declared inside of it can be read where it is JSON.
        (body(&[plan.clone(), named("who", r#"{"plan":1}"#)]), &clear, body(std::slice::from_ref(&plan))),
        (
            format!(
                "before\r\n{}after ann@x.org",
                body(&[part("content-disposition:form-data; name=\"plan\"\r\nX-Who: ann", "1")])
            ),
            &clear,
            body(&[named("plan", "1")]),
        ),
    ];
    for (from, verdict, to) in &rows {
        check(Format::Multipart, &map, &[(from, *verdict, Ok(to))]);
    }
}

#[test]
fn law_1_a_part_of_json_is_read_like_the_member_that_it_would_be() {
    let leaves = [
        ("plan", OPEN),
        ("name", NAME),
        ("mail", EMAIL),
        ("tags[]", OPEN),
        ("any.**", OPEN),
        ("other", OPEN),
    ];
    let (record, map) = (map(&leaves, Some(("", scope("id", &[])))), map(&leaves, None));
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    // What leaves of a part, in which direction soever: its content, nothing, or no part at all.
    for (name, content, left) in [
        ("plan", "1", Ok(Some("1"))),
        ("plan", " [1,\t[\"x\"]]\r\n", Ok(Some(" [1,\t[\"x\"]]\r\n"))),
        ("plan", r#"{"ssn":"078-05-1120"}"#, Ok(None)),
        ("plan", r#"[1,{"ssn":1},2]"#, Ok(Some("[1,2]"))),
        ("tags", r#"{"a":1}"#, Ok(None)),
        ("any", r#"{"a":{"b":1}}"#, Ok(Some(r#"{"a":{"b":1}}"#))),
        ("any.x", r#"{"a":{"b":1}}"#, Ok(Some(r#"{"a":{"b":1}}"#))),
        ("mail", r#""ann@x.org""#, Ok(Some(r#""a***@x.org""#))),
        ("mail", r#""ann""#, Ok(None)),
        ("mail", r#"{"ssn":1}"#, Ok(None)),
        ("name", r#""Ann""#, Ok(None)),
        ("ssn", r#"{"a":1}"#, Ok(None)),
        ("plan", r#"{"ssn":1,"ssn":2}"#, Err(BodyFault::DuplicateKey)),
        ("plan", r#"{"ssn":1,"s\u0073n":2}"#, Err(BodyFault::DuplicateKey)),
        ("name", r#"{"ssn":1,"ssn":2}"#, Err(BodyFault::DuplicateKey)),
        ("tags", r#"{"a":1,"a":2}"#, Err(BodyFault::DuplicateKey)),
        ("any", r#"{"a":{"b":1,"b":2}}"#, Err(BodyFault::DuplicateKey)),
        ("ssn", r#"{"a":1,"a":2}"#, Err(BodyFault::DuplicateKey)),
        ("plan", r#"{"ssn":1"#, Err(BodyFault::Truncated)),
        ("ssn", "", Err(BodyFault::Truncated)),
        ("plan", "{ssn:1}", Err(BodyFault::Malformed)),
        ("ssn", "[1,]", Err(BodyFault::Malformed)),
        ("name", "1 2", Err(BodyFault::TrailingBytes)),
        ("plan", r#""\ud800""#, Err(BodyFault::Malformed)),
        ("plan", &deep(64), Ok(Some(&*deep(64)))),
        ("plan", &deep(65), Err(BodyFault::TooDeep)),
        ("any", &deep(65), Err(BodyFault::TooDeep)),
        ("ssn", &deep(65), Err(BodyFault::TooDeep)),
    ] {
        let other = named("other", "1");
        let from = body(&[other.clone(), json(name, content)]);
        let parts = |left: Option<&str>| {
            body(&[Some(other.clone()), left.map(|left| json(name, left))].map(Option::unwrap_or_default))
        };
        let to = left.map(parts);
        check(Format::Multipart, &map, &[(&from, &masked, to.as_deref().map_err(|fault| *fault))]);
    }
    let latin = [json("ssn", "\"").as_bytes().trim_ascii_end(), b"\xe9\"\r\n--b--"].concat();
    let ran = run(Format::Multipart, &map, Limits::default(), &latin, &[], &masked);
    assert_eq!(ran.unwrap_err().1, BodyFault::InvalidUtf8);
    // Nobody decided on the name of a file of which something was taken.
    let file =
        |name: &str, content: &str| part(&JSON.replace("who", "plan").replace("ann.json", name), content);
    for (from, to) in [("[1]", file("ann.json", "[1]")), ("[1,{}]", file("blob", "[1]"))] {
        check(Format::Multipart, &map, &[(&body(&[file("ann.json", from)]), &clear, Ok(&body(&[to])))]);
    }
    let odd = json("plan", "1").replace("application/json", "application/vnd.4111111111111111+json");
    check(Format::Multipart, &map, &[(&body(&[odd]), &clear, Ok(&body(&[json("plan", "1")])))]);
    // A form that is a record is left out when nothing personal is left of it, wherever that stood.
    let both = body(&[named("plan", "1"), json("name", "\"Ann\"")]);
    let rest = body(&[named("plan", "1")]);
    check(Format::Multipart, &map, &[(&both, &withheld, Ok(&rest))]);
    check(
        Format::Multipart,
        &record,
        &[(&both, &withheld, Err(BodyFault::NothingLeft)), (&both, &clear, Ok(&both))],
    );
}

/// What leaves of a value, in which direction soever: as a member of a JSON body, and as a part.
fn left(
    map: &Arc<FieldMap>,
    name: &str,
    value: &str,
    verdict: Verdict<'_>,
) -> [Result<Option<String>, BodyFault>; 4] {
    let opens = name.replace('.', "\":{\"");
    let closes = "}".repeat(name.split('.').count());
    let member = (format!("{{\"other\":1,\"{opens}\":"), closes);
    let (start, end) = json(name, "|").split_once('|').map(|(s, e)| (s.to_owned(), e.to_owned())).unwrap();
    let part = (named("other", "1") + &start, end + "--b--\r\n");
    let whole = Limits { window_bytes_max: usize::MAX, ..Limits::default() };
    [(Format::Json, &member), (Format::Multipart, &part)]
        .map(|(format, (before, after))| {
            [Limits::default(), whole].map(|limits| {
                let body = format!("{before}{value}{after}");
                let (out, _) =
                    run(format, map, limits, body.as_bytes(), &[], verdict).map_err(|(_, fault)| fault)?;
                let out = String::from_utf8(out).unwrap();
                Ok(out
                    .strip_prefix(&**before)
                    .and_then(|rest| rest.strip_suffix(&**after))
                    .map(str::to_owned))
            })
        })
        .concat()
        .try_into()
        .unwrap()
}

#[test]
fn law_1_a_part_of_json_leaves_what_the_member_would_leave() {
    let map = |leaves: &[&str], record: Option<(&str, &str)>, null: Option<&str>| {
        let mut builder = FieldMap::builder().leaf("other", OPEN).unwrap();
        for path in leaves {
            builder = builder.leaf(path, if path.ends_with('e') { OPEN } else { EMAIL }).unwrap();
        }
        if let Some((path, subject)) = record {
            builder = builder.record(path, scope(subject, &[])).unwrap();
        }
        Arc::new(null.into_iter().fold(builder, |b, path| b.null_when_withheld(path).unwrap()).build())
    };
    let rows = r#"[{"code":"2","mail":"a@x.org","z":1}, {"code":"3","mail":"b"},{}]"#;
    for (map, name, values) in [
        (
            map(&["m[].code", "m[].mail"], None, None),
            "m",
            &[rows, "[]", "[1]", "{\"code\":1}", "1", "null"][..],
        ),
        (map(&["m[].code", "m[].mail"], Some(("m[]", "code")), None), "m", &[rows, "[]", "[[{}]]"]),
        (map(&["m[].code", "m[].mail"], None, Some("m[].mail")), "m", &[rows]),
        (map(&["o.m[].code", "o.m[].mail"], Some(("o.m[]", "code")), None), "o.m", &[rows, "{}"]),
        (map(&["m[][]"], None, None), "m", &[r#"[["a@x.org","b"],[],1,{}]"#, "[\"a@x.org\"]", "\"a@x.org\""]),
        (map(&["m[][].code", "m[][].mail"], None, None), "m", &[&*format!("[{rows},{rows},1]"), rows]),
        (map(&["m[][].code", "m[][].mail"], Some(("m[][]", "code")), None), "m", &[&*format!("[{rows}]")]),
        (map(&["m[]"], None, None), "m", &[r#"["a@x.org",2,{"a":1},["b@x.org"]]"#, "\"a@x.org\"", "{}"]),
        (
            map(&["m[]"], Some(("m[]", "")), None),
            "m",
            &[r#"["2", "a@x.org","2",3,null]"#, "\"2\"", "[[\"2\"]]"],
        ),
        (map(&["m[]"], None, Some("m[]")), "m", &[r#"["a@x.org",2,null]"#]),
        (map(&["m[].*"], None, None), "m", &[rows]),
        (map(&["m[].**"], None, None), "m", &[rows, "[1,[2]]", "1"]),
        (
            map(&["m.code", "m.mail"], Some(("m", "code")), None),
            "m",
            &[r#"{"code":"2","mail":"a@x.org"}"#, "[]"],
        ),
        (map(&["m.*"], None, None), "m", &[r#"{"a":"a@x.org","b":{}}"#, rows, "1"]),
        (map(&["m.**"], None, None), "m", &[rows, "1"]),
        (map(&["mail"], None, None), "mail", &[rows, "\"a@x.org\"", "[[\"a@x.org\",{}]]", "{}"]),
        (map(&["code"], None, None), "code", &[rows, "1"]),
        (map(&[], None, None), "m", &[rows, "1"]),
    ] {
        for value in values {
            for verdict in [&clear as Verdict<'_>, &withheld, &masked, &only("2")] {
                let [member, whole, part, part_whole] = left(&map, name, value, verdict);
                assert_eq!((&part, &part_whole), (&member, &whole), "{name} {value}");
            }
        }
    }
    // What is declared in a list is read in a part, and no more.
    let lists = map(&["m[].code", "m[].mail"], None, None);
    let [_, _, part, _] = left(&lists, "m", rows, &masked);
    let masked_rows = r#"[{"code":"2","mail":"a***@x.org"}, {"code":"3"},{}]"#;
    assert_eq!(part, Ok(Some(masked_rows.to_owned())));
    for twice in [[json("m", rows), json("m", rows)], [json("m", "[]"), named("m[]", "1")]] {
        check(Format::Multipart, &lists, &[(&body(&twice), &clear, Err(BodyFault::DuplicateKey))]);
    }
    // A text is no list of objects, and neither is what is spelled as an element.
    for other in [named("m", rows), named("m[]", "1"), json("m[]", "{\"code\":1}")] {
        let (from, to) = (body(&[named("other", "1"), other]), body(&[named("other", "1")]));
        check(Format::Multipart, &lists, &[(&from, &clear, Ok(&to))]);
    }
}

#[test]
fn law_1_one_place_of_a_form_comes_once() {
    let map = map(&[("o.id", OPEN), ("o.mail", EMAIL), ("x.**", OPEN), ("plan", OPEN)], None);
    let file = |name: &str| part(&FILE.replace("name=\"cv\"", &format!("name=\"{name}\"")), "{}");
    let whole = r#"{"mail":"ann@x.org"}"#;
    for (one, other) in [
        (json("o", whole), named("o.mail", "bob@x.org")),
        (json("o", whole), named("o.id", "1")),
        (json("o", whole), json("o.mail", "\"bob@x.org\"")),
        (json("o", "{}"), file("o.id")),
        (named("o", whole), named("o.mail", "bob@x.org")),
        (file("o"), named("o.mail", "bob@x.org")),
        (json("x", "{}"), named("x.y.z", "1")),
        (json("x.y", "{}"), named("x.y.z", "1")),
        (json("x[]", "{}"), named("x.y", "1")),
        (json("ssn", "{}"), named("ssn.x", "1")),
    ] {
        for parts in [[one.clone(), other.clone()], [other, one]] {
            let parts = body(&[&parts[..1], &[named("plan", "1")], &parts[1..]].concat());
            check(Format::Multipart, &map, &[(&parts, &clear, Err(BodyFault::DuplicateKey))]);
        }
    }
    for parts in [
        [json("o", whole), named("x.o", "1")],
        [named("x.y", "1"), json("x.z", "{}")],
        [named("o.id", "1"), named("o.mail", "ann@x.org")],
    ] {
        check(Format::Multipart, &map, &[(&body(&parts), &clear, Ok(&body(&parts)))]);
    }
}

#[test]
fn law_1_parts_with_two_readings_are_refused() {
    let map = map(&[("plan", OPEN), ("name", NAME), ("who.mail", EMAIL), ("_charset_", OPEN)], None);
    let plan = named("plan", "1");
    let typed = |media: &str, content: &str| {
        part(&format!("Content-Disposition: form-data; name=\"plan\"\r\nContent-Type: {media}"), content)
    };
    for (body, fault) in [
        (String::new(), BodyFault::Truncated),
        ("--b--\r\n".to_owned(), BodyFault::Malformed),
        (plan.clone(), BodyFault::Truncated),
        (body(&[plan.clone(), plan.clone()]), BodyFault::DuplicateKey),
        (body(&[named("x", "1"), named("x", "2")]), BodyFault::DuplicateKey),
        (body(&[named("ssn", "1")]), BodyFault::Undeclared),
        (
            body(&[named("plan", "1\n--b\nContent-Disposition: form-data; name=\"ssn\"\n\n2")]),
            BodyFault::Malformed,
        ),
        (body(&[part("Content-Type: text/plain", "1")]), BodyFault::Malformed),
        (body(&[typed("multipart/mixed; boundary=c", "--c--")]), BodyFault::PartUnreadable),
        (body(&[typed("text/plain; charset=utf-16", "1")]), BodyFault::PartUnreadable),
        // In lower case it would be a divider.
        (body(&[typed("image/x--B", "1")]), BodyFault::Malformed),
        (body(&[typed("text/plain; charset=iso-8859-1", "\u{e9}")]), BodyFault::PartUnreadable),
        (body(&[typed("text/plain; charset=us-ascii", "\u{e9}")]), BodyFault::PartUnreadable),
        (body(&[typed("application/json; charset=us-ascii", "\"\u{e9}\"")]), BodyFault::PartUnreadable),
        (body(&[typed("text/plain; charset=iso-8859-15", "1")]), BodyFault::PartUnreadable),
        (body(&[typed("application/json; charset=utf-16", "1")]), BodyFault::PartUnreadable),
        (body(&[plan.clone(), named("_charset_", "utf-16")]), BodyFault::PartUnreadable),
        (
            body(&[part(
                "Content-Disposition: form-data; name=\"plan\"\r\nContent-Transfer-Encoding: base64",
                "MQ==",
            )]),
            BodyFault::PartUnreadable,
        ),
        (body(&[part(JSON, "{\"mail\":1,\"mail\":2}")]), BodyFault::DuplicateKey),
        (body(&[part(JSON, "{\"mail\":1")]), BodyFault::Truncated),
        (body(&[part(JSON, "\u{feff}{}")]), BodyFault::Malformed),
        (r#"{"plan":1}"#.to_owned(), BodyFault::Truncated),
        (body(std::slice::from_ref(&plan)).replace("\r\n", "\n"), BodyFault::Malformed),
    ] {
        check(Format::Multipart, &map, &[(&body, &clear, Err(fault))]);
    }
    let latin = b"--b\r\nContent-Disposition: form-data; name=\"plan\"\r\n\r\n\xe9\r\n--b--";
    let ran = run(Format::Multipart, &map, Limits::default(), latin, &[], &clear);
    assert_eq!(ran.unwrap_err().1, BodyFault::InvalidUtf8);
    let few = Limits { fields_max: 1, ..Limits::default() };
    let two = body(&[plan, named("x", "1")]);
    assert_eq!(
        run(Format::Multipart, &map, few, two.as_bytes(), &[], &clear).unwrap_err().1,
        BodyFault::TooManyFields
    );
}
