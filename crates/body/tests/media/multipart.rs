//! Forms in parts.

use consentry_body::{BodyFault, Limits};
use consentry_model::Format;

use crate::support::{EMAIL, NAME, OPEN, check, clear, map, masked, run, withheld};

fn part(head: &str, content: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{content}\r\n")
}

fn named(name: &str, content: &str) -> String {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), content)
}

fn body(parts: &[String]) -> String {
    format!("{}--b--\r\n", parts.concat())
}

const FILE: &str =
    "Content-Disposition: form-data; name=\"cv\"; filename=\"ann.pdf\"\r\nContent-Type: application/pdf";
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
            &clear as crate::support::Verdict<'_>,
            body(&[plan.clone(), named("name", "Ann")]),
        ),
        (body(&[plan.clone(), named("name", "Ann")]), &withheld, body(std::slice::from_ref(&plan))),
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
        (body(&[typed("text/plain; charset=iso-8859-1", "1")]), BodyFault::PartUnreadable),
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
