//! What is recorded is shown, and what would stop nothing is not recorded.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use serde_json::Value;
use support::{Said, path, run};

const NEWSLETTER: &str = "marketing.communications.email";

struct Ledger {
    dir: tempfile::TempDir,
}

impl Ledger {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn consent(&self, command: &str, args: &[&str]) -> Said {
        let file = self.dir.path().join("ledger.db");
        run(&[&["consent", command, "--ledger", path(&file)], args].concat())
    }

    fn state(&self, args: &[&str]) -> Value {
        let said = self.consent("show", &[args, &["--format", "json"]].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

const ANN: [&str; 2] = ["--subject", "email:ann@example.org"];

#[test]
fn what_was_granted_stands_until_it_is_withdrawn() {
    let ledger = Ledger::new();
    let grant =
        ["--purpose", NEWSLETTER, "--at", "2026-01-01", "--until", "2027-01-01", "--notice", "form 3"];
    let done = ledger.consent("grant", &[&ANN[..], &grant, &["--create"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let stands = |at: &str| {
        let state = ledger.state(&[&ANN[..], &["--at", at]].concat());
        let all = state["states"].as_array().unwrap();
        let one = all.iter().find(|s| s["purpose"] == NEWSLETTER).unwrap();
        (one["valid"].as_bool().unwrap(), one["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(stands("2026-06-01"), (true, "given".into()));
    assert!(!stands("2025-12-31").0);
    assert_eq!(stands("2027-01-01"), (false, "expired".into()), "the end is exclusive");
    let done =
        ledger.consent("withdraw", &[&ANN[..], &["--purpose", "marketing", "--at", "2026-03-01"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(stands("2026-02-28"), (true, "given".into()));
    assert_eq!(stands("2026-03-01"), (false, "withdrawn".into()), "a withdrawal above ends what is below");
}

#[test]
fn refusals_objections_contracts_and_links_are_shown() {
    let ledger = Ledger::new();
    let customer = ["--subject", "customer:c-1001"];
    for (command, args) in [
        ("contract", &["--create", "--state", "active"][..]),
        ("refuse", &["--purpose", "analytics"]),
        ("object", &["--purpose", "marketing", "--recipient", "ad-partner"]),
    ] {
        let done = ledger.consent(command, &[&customer[..], args].concat());
        assert_eq!(done.code, 0, "{command}: {}", done.err);
    }
    assert_eq!(ledger.consent("show", &ANN).code, 1, "nobody knows ann yet");
    let link = ["--known", "customer:c-1001", "--also", "email:ann@example.org"];
    assert_eq!(ledger.consent("link", &link).code, 0);
    let state = ledger.state(&ANN);
    assert_eq!(state["contract"], "active");
    assert_eq!(state["states"][0]["state"], "refused");
    assert_eq!(state["states"][1]["objected"], true);
    assert_eq!(state["states"][1]["recipient"], "ad-partner");
    let shown = ledger.consent("show", &ANN);
    assert!(
        shown.out.contains("objection") && shown.out.contains("marketing by ad-partner"),
        "{}",
        shown.out
    );
}

#[test]
fn law_1_a_withdrawal_that_would_stop_nothing_is_a_mistake() {
    let ledger = Ledger::new();
    assert_eq!(ledger.consent("grant", &[&ANN[..], &["--purpose", NEWSLETTER, "--create"]].concat()).code, 0);
    let misspelt =
        ledger.consent("withdraw", &[&ANN[..], &["--purpose", "marketing.comunications"]].concat());
    assert_eq!((misspelt.code, misspelt.out.as_str()), (2, ""));
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("leger.db");
    let args = ["consent", "withdraw", "--ledger", path(&file), ANN[0], ANN[1], "--purpose", NEWSLETTER];
    assert_eq!(run(&args).code, 2, "a ledger that is not there is not begun by mistake");
    assert!(!file.exists());
}

#[test]
fn law_13_an_identifier_is_not_said_again() {
    let ledger = Ledger::new();
    let grant = ledger.consent("grant", &[&ANN[..], &["--purpose", NEWSLETTER, "--create"]].concat());
    for said in
        [grant, ledger.consent("show", &ANN), ledger.consent("show", &["--subject", "email:bob@example.org"])]
    {
        assert!(
            !said.out.contains("@example.org") && !said.err.contains("@example.org"),
            "{}{}",
            said.out,
            said.err
        );
    }
}
