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
    assert!(misspelt.err.contains("did you mean `marketing.communications`?"), "{}", misspelt.err);
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

#[test]
fn law_1_a_no_of_somebody_unknown_is_a_mistake_unless_it_is_meant() {
    let ledger = Ledger::new();
    assert_eq!(ledger.consent("grant", &[&ANN[..], &["--purpose", NEWSLETTER, "--create"]].concat()).code, 0);
    let anne = ["--subject", "email:anne@example.org"];
    for (command, args) in [
        ("withdraw", &["--purpose", NEWSLETTER][..]),
        ("refuse", &["--purpose", NEWSLETTER]),
        ("object", &["--purpose", NEWSLETTER]),
        ("restrict", &["--on"]),
        ("erase", &["--yes"]),
        ("suppress", &[]),
        ("suppress", &["--lift"]),
    ] {
        let said = ledger.consent(command, &[&anne[..], args].concat());
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{command}");
        assert!(said.err.contains("the ledger knows nobody by this identifier, so no"), "{}", said.err);
        assert!(said.err.contains("--new records it"), "{}", said.err);
    }
    assert_eq!(ledger.consent("show", &anne).code, 1, "nothing was written");
    let meant = ledger.consent("object", &[&anne[..], &["--purpose", NEWSLETTER, "--new"]].concat());
    assert_eq!(meant.code, 0, "{}", meant.err);
    assert_eq!(ledger.state(&anne)["states"][0]["objected"], true);
}

#[test]
fn names_are_checked_against_a_bundle() {
    let ledger = Ledger::new();
    let bundle = support::fresh_bundle();
    let grant = |args: &[&str]| {
        let base = ["--create", "--purpose", "essential.service", "--bundle", path(bundle.path())];
        ledger.consent("grant", &[&base[..], args].concat())
    };
    let misspelt = grant(&["--subject", "custmer:c-1"]);
    assert_eq!((misspelt.code, misspelt.out.as_str()), (2, ""));
    assert!(misspelt.err.contains("did you mean `customer`?"), "{}", misspelt.err);
    let nobody = grant(&["--subject", "customer:c-1", "--recipient", "ad-partner"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (2, ""));
    assert!(nobody.err.contains("the bundle has no recipient `ad-partner`"), "{}", nobody.err);
    assert_eq!(grant(&["--subject", "customer:c-1"]).code, 0);
    let panopta = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/panopta");
    for (who, recipient, code) in [
        ("email:a@example.org", "credit-bureau", 0),
        ("customer:c-1", "third_party", 0),
        ("customer:c-1", "credit-bureu", 2),
        ("e-mail:a@example.org", "credit-bureau", 2),
    ] {
        let args =
            ["--purpose", "marketing", "--bundle", panopta, "--recipient", recipient, "--subject", who];
        let said = ledger.consent("grant", &args);
        assert_eq!(said.code, code, "{who} {recipient}: {}", said.err);
        assert_eq!(said.err.contains("did you mean"), code == 2, "{}", said.err);
    }
}

#[test]
fn law_1_a_no_that_ended_nothing_says_so() {
    let ledger = Ledger::new();
    let yes = ["--purpose", NEWSLETTER, "--at", "2026-06-01", "--create"];
    assert_eq!(ledger.consent("grant", &[&ANN[..], &yes].concat()).code, 0);
    for (command, args, warned) in [
        (
            "withdraw",
            &["--purpose", NEWSLETTER, "--at", "2026-05-01"][..],
            "a yes with a later date still stands",
        ),
        ("object", &["--purpose", "marketing", "--at", "2026-05-01"], "a yes with a later date still stands"),
        ("refuse", &["--purpose", "marketing", "--at", "2999-01-01"], "a yes stands until 2999-01-01"),
        ("withdraw", &["--purpose", "marketing", "--at", "2026-07-01"], ""),
        ("withdraw", &["--purpose", "marketing"], ""),
    ] {
        let said = ledger.consent(command, &[&ANN[..], args].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        if warned.is_empty() {
            assert_eq!(said.err, "", "{command} {args:?}");
        } else {
            assert!(said.err.contains(&format!("warning: {warned}; leave out --at")), "{}", said.err);
        }
    }
}

#[test]
fn when_it_was_recorded_is_told_from_when_it_counts() {
    let ledger = Ledger::new();
    let yes = ["--purpose", NEWSLETTER, "--at", "2020-01-01", "--create"];
    assert_eq!(ledger.consent("grant", &[&ANN[..], &yes].concat()).code, 0);
    let state = ledger.state(&ANN);
    assert_eq!(state["history"][0]["from"], "2020-01-01");
    let recorded = state["history"][0]["recorded_at"].as_str().unwrap();
    assert!(recorded > "2026-01-01", "{recorded}");
    let shown = ledger.consent("show", &ANN).out;
    assert!(shown.contains("recorded") && shown.contains(recorded), "{shown}");
}

#[test]
fn restriction_and_erasure_are_recorded_and_erasure_only_when_meant() {
    let ledger = Ledger::new();
    assert_eq!(ledger.consent("contract", &[&ANN[..], &["--create"]].concat()).code, 0);
    let flags = |state: Value| (state["restricted"].as_bool().unwrap(), state["erased"].as_bool().unwrap());
    for (command, args, code, after) in [
        ("restrict", &["--on", "--at", "2026-01-01"][..], 0, (true, false)),
        ("restrict", &["--off", "--at", "2026-01-02"], 0, (false, false)),
        ("restrict", &[], 2, (false, false)),
        ("restrict", &["--on", "--off"], 2, (false, false)),
        ("erase", &[], 2, (false, false)),
        ("erase", &["--yes"], 0, (false, true)),
    ] {
        let said = ledger.consent(command, &[&ANN[..], args].concat());
        assert_eq!(said.code, code, "{command} {args:?}: {}", said.err);
        assert_eq!(flags(ledger.state(&ANN)), after, "{command} {args:?}");
    }
}

#[test]
fn what_is_known_of_a_person_is_recorded_and_shown() {
    let ledger = Ledger::new();
    for (command, args) in [
        ("attribute", &["region", "FR", "--create"][..]),
        ("attribute", &["region", "US", "--at", "2020-01-01"]),
        ("attribute", &["born", "1990-12-31"]),
        ("attribute", &["employer", "acme"]),
        ("collected", &["user.contact.email", "--origin", "website", "--at", "2026-02-01"]),
        ("told", &["ad-partner", "--at", "2026-01-01"]),
        ("notified", &["2026-03", "--at", "2026-03-01"]),
    ] {
        let done = ledger.consent(command, &[args, &ANN[..]].concat());
        assert_eq!(done.code, 0, "{command} {args:?}: {}", done.err);
    }
    let state = ledger.state(&ANN);
    assert_eq!(state["attributes"]["region"], "FR", "the later one counts");
    assert_eq!(state["attributes"]["born"], "1990-12-31");
    let earlier = ledger.state(&[&ANN[..], &["--at", "2024-01-01"]].concat());
    assert_eq!(earlier["attributes"], serde_json::json!({ "region": "US" }));
    let told: Vec<_> =
        state["history"].as_array().unwrap().iter().map(|h| h["what"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "region is FR",
            "region is US",
            "born is 1990-12-31",
            "employer is acme",
            "collected at website",
            "told about ad-partner",
            "notified of 2026-03"
        ]
    );
    assert_eq!(state["history"][4]["event"]["what"]["category"], "user.contact.email");
    let shown = ledger.consent("show", &ANN).out;
    for words in ["FR (also stated: US)", "user.contact.email", "told about ad-partner", "2026-03-01"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn whoever_was_told_about_cookies_is_informed_from_then_on() {
    let ledger = Ledger::new();
    let done = ledger.consent("informed", &[&ANN[..], &["--create", "--at", "2026-05-01"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let informed = |at: &str| ledger.state(&[&ANN[..], &["--at", at]].concat())["informed"].clone();
    assert_eq!((informed("2026-04-30"), informed("2026-05-01")), (false.into(), true.into()));
}

#[test]
fn suppression_holds_until_it_is_lifted() {
    let ledger = Ledger::new();
    assert_eq!(ledger.consent("contract", &[&ANN[..], &["--create"]].concat()).code, 0);
    for (args, at) in [(&[][..], "2026-01-01"), (&["--lift"], "2026-02-01")] {
        let done = ledger.consent("suppress", &[&ANN[..], args, &["--at", at]].concat());
        assert_eq!(done.code, 0, "{}", done.err);
    }
    for (at, expected) in
        [("2025-12-31", false), ("2026-01-01", true), ("2026-01-31", true), ("2026-02-01", false)]
    {
        let state = ledger.state(&[&ANN[..], &["--at", at]].concat());
        assert_eq!(state["suppressed"], expected, "{at}");
    }
    let shown = ledger.consent("show", &ANN).out;
    assert!(shown.contains("suppression on") && shown.contains("suppression off"), "{shown}");
}

#[test]
fn law_1_what_no_rule_could_read_is_not_recorded() {
    let ledger = Ledger::new();
    assert_eq!(ledger.consent("contract", &[&ANN[..], &["--create"]].concat()).code, 0);
    for (command, args) in [
        ("attribute", &["region", "France"][..]),
        ("attribute", &["region", "fr"]),
        ("attribute", &["region", "ZZ"]),
        ("attribute", &["region", "UK"]),
        ("attribute", &["born", "2990-12-31"]),
        ("attribute", &["born", "31.12.1990"]),
        ("attribute", &["born", "1990-02-30"]),
        ("attribute", &["type", "Customer"]),
        ("attribute", &["Region", "FR"]),
        ("attribute", &["region"]),
        ("attribute", &["employer", ""]),
        ("attribute", &["employer", "acme\n"]),
        ("collected", &["User"]),
        ("collected", &["user.contact.emial"]),
        ("collected", &["user.contact.email", "--origin", " "]),
        ("told", &[""]),
        ("notified", &[]),
        ("suppress", &["--off"]),
    ] {
        let said = ledger.consent(command, &[args, &ANN[..]].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{command} {args:?}");
    }
    assert_eq!(ledger.state(&ANN)["history"].as_array().unwrap().len(), 1, "nothing was written");
    let misspelt = ledger.consent("collected", &[&["user.contact.emial"], &ANN[..]].concat());
    assert!(misspelt.err.contains("did you mean `user.contact.email`?"), "{}", misspelt.err);
}

#[test]
fn names_of_what_happened_are_checked_against_a_bundle() {
    let ledger = Ledger::new();
    let panopta = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/panopta");
    let who = ["--create", "--bundle", panopta, "--subject"];
    for (command, name, subject, code) in [
        ("told", "ad-partner", "customer:c-1", 0),
        ("told", "third_party", "customer:c-1", 0),
        ("told", "ad-partnr", "customer:c-1", 2),
        ("notified", "2999-01-01", "customer:c-1", 2),
        ("collected", "user.contact.email", "customer:c-1", 0),
        ("collected", "user.contact.emial", "customer:c-1", 2),
        ("collected", "user.contact.email", "custmer:c-1", 2),
    ] {
        let said = ledger.consent(command, &[&[name], &who[..], &[subject]].concat());
        assert_eq!(said.code, code, "{command} {name} {subject}: {}", said.err);
    }
}

#[test]
fn what_stood_at_a_time_that_is_past_is_told_without_what_came_later() {
    let ledger = Ledger::new();
    let yes = ["--purpose", NEWSLETTER, "--at", "2020-01-01", "--create"];
    assert_eq!(ledger.consent("grant", &[&ANN[..], &yes].concat()).code, 0);
    assert_eq!(ledger.consent("withdraw", &[&ANN[..], &["--purpose", NEWSLETTER]].concat()).code, 0);
    assert_eq!(ledger.consent("restrict", &[&ANN[..], &["--on"]].concat()).code, 0);
    for (at, valid, restricted) in [(Some("2021-01-01"), true, false), (None, false, true)] {
        let at: Vec<&str> = at.iter().flat_map(|at| ["--at", at]).collect();
        let said = ledger.consent("show", &[&ANN[..], &at, &["--format", "json"]].concat());
        let state: Value = serde_json::from_str(&said.out).unwrap();
        let told = (&state["states"][0]["valid"], &state["restricted"]);
        assert_eq!(told, (&Value::Bool(valid), &Value::Bool(restricted)), "{at:?}");
        assert_eq!(state["history"].as_array().unwrap().len(), 3, "{at:?}: the history is whole");
    }
}
