//! From `init` to a sealed bundle, and what stops on the way.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::fs;

use support::{fresh_bundle, path, run};

#[test]
fn a_fresh_bundle_is_checked_tested_and_sealed() {
    let bundle = fresh_bundle();
    let dir = path(bundle.path());
    let check = run(&["check", dir]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let counts = "3 rules, 1 route, 5 clauses: 3 enforced, 1 partly, 0 pending, 1 organisational; 6 cases";
    assert!(check.out.trim_end().ends_with(counts), "{}", check.out);
    let test = run(&["test", dir]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.err);
    assert_eq!(test.out.lines().last(), Some("6 passed, 0 failed"));
    let seal = run(&["seal", dir]);
    assert_eq!(seal.code, 0, "{}", seal.err);
    let digest = seal.out.trim_end();
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");
    assert!(bundle.path().join("bundle.lock").is_file());
    let json: serde_json::Value =
        serde_json::from_str(&run(&["check", dir, "--format", "json"]).out).unwrap();
    assert_eq!(json["bundles"][0]["digest"], digest, "the digest it has is the one it was sealed under");
}

#[test]
fn law_1_an_invariant_is_proved_over_any_registry_by_a_solver_or_not_at_all() {
    let bundle = fresh_bundle();
    let dir = path(bundle.path());
    let nowhere = bundle.path().join("no-solver");
    let registered = run(&["prove", dir, "--solver", path(&nowhere)]);
    assert_eq!(registered.code, 0, "{}{}", registered.out, registered.err);
    assert!(registered.out.contains("1 of 1 invariants hold\n"), "{}", registered.out);
    assert!(registered.out.contains("over any registry not proved"), "{}", registered.out);
    let any = run(&["prove", dir, "--any-registry", "--solver", path(&nowhere), "--format", "json"]);
    assert_eq!(any.code, 1, "{}", any.err);
    let json: serde_json::Value = serde_json::from_str(&any.out).unwrap();
    assert_eq!((&json["holds"], &json["any_registry"]["holds"]), (&true.into(), &false.into()));
    assert_eq!(json["invariants"][0]["any_registry"]["outcome"], "not-proved");
}

#[test]
fn init_overwrites_nothing() {
    let bundle = fresh_bundle();
    fs::write(bundle.path().join("rules.yaml"), "rules: []\n").unwrap();
    assert_eq!(run(&["init", path(bundle.path())]).code, 1);
    assert_eq!(fs::read_to_string(bundle.path().join("rules.yaml")).unwrap(), "rules: []\n");
}

#[test]
fn law_1_what_does_not_check_is_not_sealed() {
    let bundle = fresh_bundle();
    let rules = bundle.path().join("rules.yaml");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, text.replace("user.contact.email", "user.contact.emial")).unwrap();
    let check = run(&["check", path(bundle.path())]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("rules.yaml:") && check.out.contains("user.contact.email"), "{}", check.out);
    for args in [&["seal"][..], &["seal", "--without-cases"], &["test"]] {
        let said = run(&[args, &[path(bundle.path())]].concat());
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{args:?}");
    }
    assert!(!bundle.path().join("bundle.lock").exists());
}

#[test]
fn law_1_a_failing_case_keeps_a_bundle_from_being_sealed_unless_that_is_asked_for() {
    let bundle = fresh_bundle();
    let dir = path(bundle.path());
    let cases = bundle.path().join("cases.yaml");
    let text = fs::read_to_string(&cases).unwrap();
    fs::write(&cases, text.replace("then: refuse basis-lapsed", "then: allow")).unwrap();
    let test = run(&["test", dir]);
    assert_eq!(test.code, 1);
    assert!(test.out.contains("FAILED after the contract support sees nothing (example-01)"), "{}", test.out);
    assert_eq!(test.out.lines().last(), Some("5 passed, 1 failed"));
    assert_eq!(run(&["seal", dir]).code, 1);
    assert!(!bundle.path().join("bundle.lock").exists());
    assert_eq!(run(&["seal", dir, "--without-cases"]).code, 0);
    assert!(bundle.path().join("bundle.lock").exists());
}

#[test]
fn only_chooses_cases_and_nothing_chosen_is_no_success() {
    let bundle = fresh_bundle();
    let dir = path(bundle.path());
    assert_eq!(run(&["test", dir, "--only", "newsletter"]).out.lines().last(), Some("1 passed, 0 failed"));
    assert_eq!(run(&["test", dir, "--only", "unheard of"]).code, 2);
}

#[test]
fn the_policy_is_printed_as_cedar_and_schema() {
    let bundle = fresh_bundle();
    let dir = path(bundle.path());
    assert!(run(&["policy", "print", dir]).out.contains("newsletter-needs-opt-in"));
    assert_ne!(run(&["policy", "print", dir, "--schema"]).out, run(&["policy", "print", dir, "--cedar"]).out);
}

#[test]
fn clauses_say_what_enforces_them() {
    let bundle = fresh_bundle();
    let said = run(&["clauses", path(bundle.path()), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["clauses"][1]["enforced_by"], serde_json::json!(["rule newsletter-needs-opt-in"]));
    assert_eq!(json["clauses"][4]["status"], "organisational");
}

#[test]
fn explain_says_what_decides_and_what_would_change_it() {
    let bundle = fresh_bundle();
    let base = [
        "explain",
        path(bundle.path()),
        "--requester",
        "newsletter",
        "--purpose",
        "marketing.communications.email",
        "--route",
        "GET /customers/{id}",
        "--format",
        "json",
    ];
    let gave = "ann gave opt-in consent to marketing.communications.email on 2026-01-01";
    let withdrew = "ann withdrew marketing on 2026-02-01";
    for (more, treatment, reason) in [
        (&["--given", gave][..], "clear", None),
        (&["--given", gave, "--given", withdrew], "withheld", Some("consent-withdrawn")),
        (&["--given", gave, "--given", withdrew, "--at", "2026-01-15"], "clear", None),
        (&["--about", "bob"], "withheld", Some("consent-required")),
        (&[], "withheld", Some("subject-unresolved")),
    ] {
        let said = run(&[&base, more].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let answers = json["answers"].as_array().unwrap();
        let email = answers.iter().find(|a| a["category"] == "user.contact.email").unwrap();
        assert_eq!(email["treatment"], treatment, "{more:?}");
        assert_eq!(email["reason"].as_str(), reason, "{more:?}");
        let card = answers.iter().find(|a| a["category"] == "user.financial.credit_card").unwrap();
        assert_eq!(card["treatment"], "withheld", "never is not curable: {more:?}");
    }
    let wrong = run(&[&base[..], &["--given", "ann agreed to everything"]].concat());
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert!(wrong.err.contains("command-line.yaml"), "{}", wrong.err);
}

/// The same stories are among the bundles' cases, where the layer decides them.
#[test]
fn explain_knows_of_a_person_what_a_request_would_find() {
    let (mail, told) = ("user.contact.email", "user.telemetry");
    let segments = ["contactmonkey", "comms-svc", "marketing.communications", "GET /segments", mail];
    let learning = ["panopta", "ml-svc", "train_ai_system", "GET /customers/{id}", told];
    let buyers = ["zabbix", "mailer", "essential.service.notifications.email", "POST /mail/send", mail];
    let signs_up = ["panoptics", "anyone", "essential.service", "POST /signup", mail];
    let early = ["ann has a contract since 2025-01-01", "ann gave user.telemetry on 2025-06-01"];
    let heard = [early[0], early[1], "ann was notified of v2 on 2026-03-10"];
    let parent = "ann gave parental consent to essential.service on 2026-05-01";
    let asks = "ann asked for a contract on 2026-05-01";
    for (asked, given, treatment, reason) in [
        (segments, &["ann lives in US"][..], "clear", None),
        (segments, &["ann lives in FR"], "withheld", Some("consent-required")),
        (
            segments,
            &["ann lives in FR", "ann gave implied consent to any on 2026-01-02"],
            "withheld",
            Some("consent-required"),
        ),
        (learning, &early, "withheld", Some("notice-not-delivered")),
        (learning, &heard, "clear", None),
        (buyers, &["ann is a customer"], "withheld", Some("missing-opt-out")),
        (signs_up, &["ann lives in GB", "ann was born on 2010-06-01", parent, asks], "clear", None),
        (
            signs_up,
            &["ann lives in GB", "ann was born on 2010-06-02", parent, asks],
            "withheld",
            Some("age-gate"),
        ),
    ] {
        let [bundle, requester, purpose, route, category] = asked;
        let encrypted: &[&str] = if bundle == "panoptics" { &["--fact", "request.tls=tls1.3"] } else { &[] };
        let bundle = format!("{}/../../policies/{bundle}", env!("CARGO_MANIFEST_DIR"));
        let mut call = vec!["explain", &bundle, "--requester", requester, "--purpose", purpose];
        call.extend(["--route", route, "--at", "2026-06-01", "--format", "json"]);
        call.extend(given.iter().flat_map(|sentence| ["--given", *sentence]));
        call.extend(encrypted);
        let said = run(&call);
        assert_eq!(said.code, 0, "{}", said.err);
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let answers = json["answers"].as_array().unwrap();
        let found = answers.iter().find(|a| a["category"] == category).unwrap();
        assert_eq!(found["treatment"], treatment, "{asked:?} {given:?}");
        assert_eq!(found["reason"].as_str(), reason, "{asked:?} {given:?}");
    }
}

#[test]
fn explain_says_nothing_of_a_condition_that_always_holds() {
    let zabbix = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/zabbix");
    let route = "POST /egress/{recipient}/mailings";
    let said = run(&["explain", zabbix, "--requester", "mailer", "--route", route, "--to", "partner"]
        .into_iter()
        .chain(["--purpose", "marketing.communications.email", "--given", "ann lives in FR"])
        .collect::<Vec<_>>());
    assert_eq!(said.code, 0, "{}", said.err);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("it speaks when regime.eu-gdpr = true; here it is true"), "{}", said.out);
}

#[test]
fn explain_names_the_condition_that_stops_what_is_permitted() {
    let panopta = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/panopta");
    let base = ["explain", panopta, "--requester", "customer-portal", "--route", "GET /me/{id}", "--own"];
    let purpose = ["--purpose", "custom.rights.access", "--about", "ann"];
    let said = run(&[&base[..], &purpose].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let needs = "core-rights-need-identity needs request.assurance at least substantial; here it is none";
    assert!(words.contains(needs), "{}", said.out);
    assert!(!words.contains("only another rule could"), "{}", said.out);
    let wrong = run(&[&base[..], &["--purpose", "custom.rigths.access"]].concat());
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `custom.rights"), "{}", wrong.err);
}
