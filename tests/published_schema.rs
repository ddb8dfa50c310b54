//! The JSON Schema that is published for editors says what the loader says, as far as a shape can.
#![allow(clippy::panic, clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::path::Path;

use consentry_policy::JSON_SCHEMA;
use consentry_policy::yaml::{Kind, Node};
use serde_json::Value;

fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::Null | Kind::Float => Value::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Int(i) => (*i).into(),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(entries) => entries.iter().map(|(k, _, v)| (k.clone(), json(v))).collect(),
    }
}

fn errors(text: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let file = json(&Node::parse(text, 0).unwrap_or_else(|fault| panic!("{}", fault.message)));
    validator.iter_errors(&file).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn every_file_of_every_shipped_bundle_has_the_published_shape() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::fs::read_dir(root.join("policies")).unwrap().map(|e| e.unwrap().path());
    let mut files = 0;
    for folder in folders.chain([root.join("examples/axum/policy")]) {
        for file in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "yaml") {
                let found = errors(&std::fs::read_to_string(&file).unwrap());
                assert!(found.is_empty(), "{}: {found:#?}", file.display());
                files += 1;
            }
        }
    }
    assert!(files > 20, "{files}");
}

#[test]
fn statuses_that_may_be_told_have_the_published_shape() {
    for listed in ["[]", "[400]", "[401, 404, 422, 499]"] {
        let text = format!(
            "routes: [{{route: POST /x, purpose: essential, response: {{errors: {listed}, body: none}}}}]"
        );
        assert_eq!(errors(&text), Vec::<String>::new(), "{listed}");
    }
}

#[test]
fn what_is_agreed_with_a_recipient_may_have_dates() {
    for said in [
        "safeguard: scc",
        "safeguard: none",
        "agreement: false",
        "safeguard: {kind: bcr, from: 2026-01-01}",
        "safeguard: {kind: idta, until: 2026-01-01}, agreement: {until: 2026-01-01}",
        "agreement: {from: 2026-01-01, until: 2027-01-01}",
    ] {
        let text = format!("recipients: {{press: {{class: processor, country: DE, {said}}}}}");
        assert_eq!(errors(&text), Vec::<String>::new(), "{said}");
    }
}

#[test]
fn what_the_loader_refuses_for_its_shape_the_published_schema_refuses() {
    for (what, text) in [
        ("a section that is none", "ruls: []"),
        ("a rule with a typo in a key", "rules: [{id: x, forbid: any, data: any, cures: never}]"),
        ("a rule with two verbs", "rules: [{id: x, forbid: any, permit: any, data: any, basis: contract}]"),
        ("a permission without a basis", "rules: [{id: x, permit: marketing, data: user}]"),
        ("an act that is none", "rules: [{id: x, forbid: any, data: any, act: reed, cure: never}]"),
        ("a consent of no kind", "rules: [{id: x, permit: any, data: any, basis: {consent: strong}}]"),
        ("an empty condition", "rules: [{id: x, forbid: any, data: any, cure: never, when: {}}]"),
        ("two duties", "rules: [{id: x, require: {tell: recipients, answer_within: P1M}}]"),
        ("a period of hours", "rules: [{id: x, require: {answer_within: PT6H}}]"),
        ("a route without a method", "routes: [{route: /orders, purpose: essential}]"),
        (
            "a status to tell that is no refusal",
            "routes: [{route: GET /x, purpose: essential, response: {errors: [200]}}]",
        ),
        (
            "a status to tell of the connection",
            "routes: [{route: GET /x, purpose: essential, response: {errors: [408]}}]",
        ),
        (
            "one status to tell, and no list",
            "routes: [{route: GET /x, purpose: essential, response: {errors: 422}}]",
        ),
        ("a country in words", "recipients: {press: {class: processor, country: Germany}}"),
        (
            "a safeguard with no date",
            "recipients: {press: {class: processor, country: DE, safeguard: {kind: scc}}}",
        ),
        (
            "a safeguard of no kind",
            "recipients: {press: {class: processor, country: DE, safeguard: {from: 2026-01-01, until: 2027-01-01}}}",
        ),
        (
            "the lack of a safeguard, with a date",
            "recipients: {press: {class: processor, country: DE, safeguard: {kind: none, until: 2027-01-01}}}",
        ),
        (
            "an agreement between no days",
            "recipients: {press: {class: processor, country: DE, agreement: {}}}",
        ),
        ("a date with a slash", "bundle: {controller: x, policy: {version: v1, from: 2026/01/01}}"),
        ("a case without an outcome", "cases: [{case: x, clause: c}]"),
        ("an outcome that is none", "cases: [{case: x, clause: c, then: maybe}]"),
        ("a clause without a place", "clauses: [{id: c, section: s, says: x, status: enforced}]"),
    ] {
        assert!(!errors(text).is_empty(), "{what}");
    }
}
