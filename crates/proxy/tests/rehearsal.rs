//! The real policy's cases, played through the real layer; and whether the rehearsal would notice.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::path::Path;

use consentry_model::{Reason, Treatment};
use consentry_policy::{Bundle, Case, CaseOutcome};
use consentry_proxy::rehearse;

fn panopta() -> Bundle {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/panopta");
    Bundle::load(&dir).unwrap_or_else(|e| panic!("{e:?}"))
}

#[tokio::test]
async fn every_case_of_panopta_holds() {
    let bundle = panopta();
    assert!(!bundle.cases.is_empty());
    let results = rehearse(&bundle).await;
    assert_eq!(results.len(), bundle.cases.len());
    let failing: Vec<String> = results.iter().filter(|r| !r.holds()).map(ToString::to_string).collect();
    assert!(failing.is_empty(), "{} of {} cases fail\n{}", failing.len(), results.len(), failing.join("\n"));
}

/// Each change makes a good case say something that does not come out.
#[tokio::test]
async fn a_case_that_says_anything_else_fails() {
    type Change = fn(&mut Case);
    let table: [(&str, Change, &str); 14] = [
        ("billing sees what it takes to be paid", |c| c.then = CaseOutcome::Allow, "outcome"),
        ("billing sees what it takes to be paid", |c| c.expect.withheld.clear(), "withheld"),
        ("billing sees what it takes to be paid", |c| c.expect.withheld.push("phone".into()), "withheld"),
        ("billing sees what it takes to be paid", |c| c.expect.dropped.push("query.x".into()), "dropped"),
        ("billing sees what it takes to be paid", |c| c.expect.stripped.push("sid".into()), "stripped"),
        ("billing sees what it takes to be paid", |c| c.expect.status = Some(206), "status"),
        ("billing sees what it takes to be paid", |c| c.given.clear(), "outcome"),
        (
            "billing sees what it takes to be paid",
            |c| _ = c.expect.left.insert("phone".into(), Treatment::Masked),
            "left",
        ),
        ("but not those who objected", |c| c.expect.omitted = 2, "omitted"),
        ("but not those who objected", |c| c.expect.omitted = 0, "omitted"),
        ("whoever ticks the box gets the newsletter", |c| c.expect.recorded.clear(), "recorded"),
        (
            "a contract that is over carries nothing",
            |c| c.then = CaseOutcome::Refuse(Reason::Erased),
            "outcome",
        ),
        (
            "every refusal says whom to ask",
            |c| _ = c.expect.shows.insert("contact".into(), "mailto:nobody@example.org".into()),
            "shows",
        ),
        ("an opaque session cookie passes", |c| _ = c.sets.insert("x".into(), "1".into()), "stripped"),
    ];
    let mut bundle = panopta();
    let good = std::mem::take(&mut bundle.cases);
    for (name, change, _) in &table {
        let mut case = good.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("{name}")).clone();
        bundle.cases.push(case.clone());
        change(&mut case);
        bundle.cases.push(case);
    }
    let results = rehearse(&bundle).await;
    for (pair, (name, _, what)) in results.chunks(2).zip(&table) {
        assert!(pair[0].holds(), "{}", pair[0]);
        assert!(pair[1].differences.iter().any(|d| d.what == *what), "{name}: {what}\n{}", pair[1]);
    }
}
