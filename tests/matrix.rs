//! One request, five policies, different outcomes: an advertiser asks each controller for the readers of its newsletter.
#![allow(clippy::panic, reason = "what cannot be set up fails the test")]

use std::fmt::Write as _;

use consentry_tests::stories::{BUNDLES, bundle, outcome, play, sources};

/// The request and what is known of ann, the same everywhere: she opted in to the controller's own newsletter, opted out of
/// nothing, is grown up and lives in the US.
const REQUEST: &str = "
    who: ad-partner
    asks: GET /feeds/contacts
    why: marketing.advertising.third_party
    about: ann
    answer: {contacts: [{email: ann@example.org}]}
";
const GIVEN: [&str; 3] = [
    "ann lives in US",
    "ann was born on 1980-01-01",
    "ann gave opt-in consent to marketing.communications.email on 2026-01-02",
];

/// What one policy makes of it.
struct Row {
    bundle: &'static str,
    /// The clause that decides.
    clause: &'static str,
    /// What else the request brings.
    with: &'static str,
    /// What else is known of ann.
    given: &'static [&'static str],
    /// What comes of it; a list that ann is left out of is `redact` and empty.
    then: &'static str,
}

const fn row(
    bundle: &'static str,
    clause: &'static str,
    with: &'static str,
    given: &'static [&'static str],
    then: &'static str,
) -> Row {
    Row { bundle, clause, with, given, then }
}

const GPC: &str = "header.Sec-GPC: \"1\"";
const TOLD_FIRST: &[&str] = &[
    "ann is a registered_user",
    "ann was told about third_party on 2026-01-01",
    "ann gave user.contact.email on 2026-01-02",
];
const TOLD_LATER: &[&str] = &[
    "ann is a registered_user",
    "ann was told about third_party on 2026-01-03",
    "ann gave user.contact.email on 2026-01-02",
];
const VISITOR: &[&str] = &[
    "ann is a visitor",
    "ann was told about third_party on 2026-01-01",
    "ann gave user.contact.email on 2026-01-02",
];

const MATRIX: [Row; 10] = [
    row("panopta", "panopta-14", "", &[], "refuse recipient-not-permitted"),
    row("panoptics", "panoptics-86", "", &[], "refuse recipient-not-permitted"),
    row("zabbix", "zabbix-19", "", &[], "refuse recipient-not-permitted"),
    row("practicepanther", "practicepanther-23", "", &[], "allow"),
    row("practicepanther", "practicepanther-23", GPC, &[], "refuse opted-out"),
    row("contactmonkey", "contactmonkey-08", "", VISITOR, "redact"),
    row("contactmonkey", "contactmonkey-05", "", &["ann is a registered_user"], "redact"),
    row("contactmonkey", "contactmonkey-05", "", TOLD_LATER, "redact"),
    row("contactmonkey", "contactmonkey-05", "", TOLD_FIRST, "allow"),
    row("contactmonkey", "contactmonkey-05", GPC, TOLD_FIRST, "refuse opted-out"),
];

/// The rows of one bundle as its cases.
fn stories(name: &str) -> String {
    let mut out = "cases:\n".to_owned();
    for (at, row) in MATRIX.iter().enumerate().filter(|(_, row)| row.bundle == name) {
        let _ = write!(out, "  - case: matrix {at}\n    clause: {}{REQUEST}    given:\n", row.clause);
        for sentence in GIVEN.iter().chain(row.given) {
            let _ = writeln!(out, "      - {sentence}");
        }
        let _ = writeln!(out, "    then: {}", row.then);
        if !row.with.is_empty() {
            let _ = writeln!(out, "    with: {{{}}}", row.with);
        }
        if row.then == "redact" {
            out.push_str("    omitted: [ann]\n");
        }
    }
    out
}

#[test]
fn one_request_has_five_outcomes() {
    let mut failing = Vec::new();
    let mut seen = 0;
    for name in BUNDLES {
        let sources = sources(name, &stories(name));
        let bundle = bundle(&sources, |case| case.name.starts_with("matrix "));
        assert!(!bundle.cases.is_empty(), "{name} has no row");
        let results = play(&bundle, &sources);
        assert_eq!(results.len(), bundle.cases.len());
        seen += results.len();
        for (case, result) in bundle.cases.iter().zip(&results).filter(|(_, result)| !result.holds()) {
            failing.push(format!("{name}, {}: {result}", outcome(case)));
        }
    }
    assert_eq!(seen, MATRIX.len());
    assert!(failing.is_empty(), "{}", failing.join("\n"));
}

/// The matrix would notice: with any other outcome a row fails.
#[test]
fn every_row_would_notice_another_outcome() {
    for name in BUNDLES {
        let turned = stories(name)
            .replace("then: allow", "then: refuse prohibited")
            .replace("then: redact\n    omitted: [ann]", "then: allow")
            .replace("then: refuse recipient-not-permitted", "then: allow")
            .replace("then: refuse opted-out", "then: allow");
        let sources = sources(name, &turned);
        let bundle = bundle(&sources, |case| case.name.starts_with("matrix "));
        for result in play(&bundle, &sources) {
            assert!(!result.holds(), "{name}: {}", result.name);
        }
    }
}
