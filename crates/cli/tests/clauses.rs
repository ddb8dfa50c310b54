//! A bundle held against its document: what rests on what, what has changed, and fingerprints written.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{Said, path, run};

const DOCUMENT: &str = "# The Hive & Sons\n\nWe like bees <b>very</b> much. Honey goes to those who order it, e.g. at \
    www.hive.example.org. We never give your address to wasps.\n\n## Wax\n\n- Wax is kept for 2 years\n- Candles burn.\n\nRing \
    the bell.\n";

const BUNDLE: &str = "\
bundle:
  controller: The Hive & Sons
  policy: {version: \"1\", from: 2026-01-01}
requesters:
  shop: {purposes: [essential.service]}
routes:
  - route: GET /orders/{id}
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
    clauses: [hive-2]
rules:
  - {id: orders, permit: essential.service, data: user.contact.email, basis: contract, clauses: [hive-2]}
  - {id: no-wasps, forbid: any, data: user.contact, to: [third_party], cure: never, clauses: [hive-3]}
cases:
  - {case: a buyer is known, clause: hive-2, who: shop, asks: \"GET /orders/ann\", why: essential.service, about: [ann], given: [ann has a contract since 2026-01-01], answer: {email: ann@example.org}, then: allow}
  - {case: nobody else is, clause: hive-3, who: shop, asks: \"GET /orders/ann\", why: essential.service, about: [ann], answer: {email: ann@example.org}, then: refuse basis-lapsed}
";

const CLAUSES: &str = "\
# Our words.
clauses:
  - id: hive-1
    line: 3
    section: Bees
    says: Bees are dear to the firm.
    status: {organisational: \"a feeling\"}
  - id: hive-2
    line: 3  # the second sentence
    section: Bees
    says: Whoever orders gets <honey>.
    status: enforced
  - {id: hive-3, line: 3, section: Bees, says: Wasps learn nobody's address., status: {partly: \"what wasps hear elsewhere is for people\"}}
  - id: hive-4
    line: 7
    section: Wax
    says: Wax stays for two years.
    status: {organisational: \"the cellar\"}
  - id: hive-5
    line: 8
    section: Wax
    says: Candles are lit.
    status: {organisational: \"a match\"}
";

/// A folder with a bundle and its document.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(place.bundle()).unwrap();
        fs::write(place.bundle().join("bundle.yaml"), BUNDLE).unwrap();
        fs::write(place.clauses(), CLAUSES).unwrap();
        place.write_document(DOCUMENT);
        place
    }

    fn written() -> Self {
        let place = Self::new();
        assert_eq!(place.run(&["--write"]).code, 0);
        place
    }

    fn bundle(&self) -> PathBuf {
        self.dir.path().join("hive")
    }

    fn clauses(&self) -> PathBuf {
        self.bundle().join("clauses.yaml")
    }

    fn document(&self) -> PathBuf {
        self.dir.path().join("policy.txt")
    }

    fn write_document(&self, text: &str) {
        fs::write(self.document(), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Said {
        let (bundle, document) = (self.bundle(), self.document());
        run(&[&["clauses", path(&bundle), "--document", path(&document)], args].concat())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.run(&["--format", "json"]).out).unwrap()
    }
}

#[test]
fn law_1_a_sentence_that_changed_or_is_gone_is_no_success() {
    let place = Place::written();
    assert_eq!(place.run(&[]).code, 0);
    place.write_document(&DOCUMENT.replace("never give", "may give"));
    let said = place.run(&[]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("Changed or gone"), "{}", said.out);
    let json = place.json();
    let clause = &json["clauses"][2];
    assert_eq!((&clause["footing"], &clause["nearest"]["line"]), (&"changed".into(), &3.into()));
    place.write_document(&DOCUMENT.replace("- Candles burn.\n", ""));
    assert_eq!(place.run(&[]).code, 1);
}

#[test]
fn law_1_strict_fails_when_no_clause_covers_a_sentence() {
    let place = Place::written();
    assert_eq!(place.run(&["--strict"]).code, 1);
    place.write_document(&DOCUMENT.replace("Ring the bell.\n", ""));
    assert_eq!(place.run(&["--strict"]).code, 0);
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_is_written() {
    let place = Place::new();
    let bundle = place.bundle();
    for args in
        [&["--write"][..], &["--strict"], &["--document", "/nowhere/policy.txt"], &["--format", "pdf"]]
    {
        let said = run(&[&["clauses", path(&bundle)], args].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
    }
    for bytes in [&b""[..], b"\n---\n", b"\xff\xfe"] {
        fs::write(place.document(), bytes).unwrap();
        assert_eq!(place.run(&["--write"]).code, 2, "{bytes:?}");
    }
    assert_eq!(fs::read_to_string(place.clauses()).unwrap(), CLAUSES);
}

#[test]
fn the_report_in_words() {
    let place = Place::written();
    place.write_document(&DOCUMENT.replace("never give", "may give"));
    insta::assert_snapshot!("clauses_text", place.run(&[]).out);
}

#[test]
fn the_report_as_json() {
    let place = Place::written();
    insta::assert_json_snapshot!("clauses_json", place.json());
}

#[test]
fn the_report_as_a_page() {
    let place = Place::written();
    place.write_document(&DOCUMENT.replace("never give", "may give"));
    let page = place.dir.path().join("page.html");
    let said = place.run(&["--format", "html", "--output", path(&page)]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let html = fs::read_to_string(page).unwrap();
    assert!(!html.contains("<script") && !html.contains("<b>very") && !html.contains("src="), "{html}");
    let body = html.split_once("</style>").unwrap().1;
    insta::assert_snapshot!("clauses_html", body);
}

#[test]
fn without_a_document_every_form_lists_the_clauses() {
    let place = Place::new();
    let bundle = place.bundle();
    for form in ["text", "json", "html"] {
        let said = run(&["clauses", path(&bundle), "--format", form]);
        assert_eq!(said.code, 0, "{form}: {}", said.err);
        assert!(said.out.contains("hive-3") && said.out.contains("no-wasps"), "{form}: {}", said.out);
        assert!(!said.out.contains("sentence"), "{form} says nothing of a document: {}", said.out);
    }
}

#[test]
fn writing_touches_nothing_else_and_twice_is_once() {
    let place = Place::written();
    let text = fs::read_to_string(place.clauses()).unwrap();
    insta::assert_snapshot!("clauses_written", text);
    assert_eq!(run(&["check", path(&place.bundle())]).code, 0);
    let again = place.run(&["--write"]);
    assert_eq!(again.code, 0);
    assert!(again.err.contains("no fingerprint is to be written"), "{}", again.err);
    assert_eq!(fs::read_to_string(place.clauses()).unwrap(), text);
    assert_eq!(fs::read_to_string(place.bundle().join("bundle.yaml")).unwrap(), BUNDLE);
    assert_eq!(fs::read_dir(place.bundle()).unwrap().count(), 2, "nothing is left beside them");
}

#[test]
fn a_choice_set_right_by_hand_stays() {
    let place = Place::written();
    let text = fs::read_to_string(place.clauses()).unwrap();
    let json = place.json();
    let mark = |n: usize| json["document"]["sentences"][n]["fingerprint"].as_str().unwrap().to_owned();
    let by_hand = text.replacen(&mark(1), &mark(3), 1);
    fs::write(place.clauses(), &by_hand).unwrap();
    assert_eq!(place.run(&["--write"]).code, 0);
    assert_eq!(fs::read_to_string(place.clauses()).unwrap(), by_hand);
}
