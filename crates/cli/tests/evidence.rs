//! Reading an evidence log, whole and damaged.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consentry_audit::{AuditLog, Closing, End, FactWords, Head, LogOptions, VerdictLine, Worded, Wording};
use consentry_model::{
    Category, Moment, Outcome, Purpose, Reason, RequesterId, SubjectRef, SubjectType, Treatment, Verdict,
};
use support::{path, run};

/// A log with a request that was allowed and one that was refused; the refused one's ticket.
fn log() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ticket = runtime.block_on(async {
        let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
        let mut refused = String::new();
        for (outcome, end, reason) in [
            (Outcome::Allow, End::Delivered, None),
            (Outcome::Refuse, End::Refused, Some(Reason::ConsentWithdrawn)),
        ] {
            let mut ticket = log.reserve(Moment::from_unix_millis(1_795_305_600_000)).unwrap();
            let mut head = Head::new(outcome);
            head.requester = Some(RequesterId::new("newsletter"));
            head.purpose = Some(Purpose::new("marketing.communications.email").unwrap());
            head.reason = reason;
            ticket.commit(head).await.unwrap();
            refused = ticket.id().to_string();
            let mut closing = Closing::new(end);
            closing.reason = reason;
            ticket.close(&closing);
        }
        log.flush().await.unwrap();
        log.shutdown();
        refused
    });
    (dir, ticket)
}

fn segment(dir: &Path) -> PathBuf {
    fs::read_dir(dir.join("wal")).unwrap().map(|e| e.unwrap().path()).next().unwrap()
}

fn verify(dir: &Path) -> (i32, serde_json::Value) {
    let said = run(&["audit", "verify", "--log", path(dir), "--format", "json"]);
    (said.code, serde_json::from_str(&said.out).unwrap())
}

#[test]
fn verify_tells_whole_cut_changed_and_missing_logs_apart() {
    let (dir, _) = log();
    let (code, report) = verify(dir.path());
    assert_eq!((code, &report["status"]), (0, &"ok".into()));
    assert_eq!(report["records"], report["signed_records"]);

    let (changed, _) = log();
    let file = segment(changed.path());
    let bytes = fs::read(&file).unwrap();
    let at = bytes.windows(17).position(|w| w == b"consent-withdrawn").unwrap();
    let mut other = bytes.clone();
    other[at..at + 17].copy_from_slice(b"consent-requested");
    fs::write(&file, other).unwrap();
    let (code, report) = verify(changed.path());
    assert_eq!((code, &report["status"]), (3, &"integrity".into()));
    assert!(report["first_failure"]["offset"].is_u64(), "{report}");

    let (cut, _) = log();
    let file = segment(cut.path());
    let mut longer = fs::read(&file).unwrap();
    longer.extend_from_slice(&bytes[..20]);
    fs::write(&file, longer).unwrap();
    let (code, report) = verify(cut.path());
    assert_eq!((code, &report["status"]), (2, &"incomplete".into()), "{report}");

    let (code, report) = verify(&dir.path().join("nowhere"));
    assert_eq!((code, &report["status"]), (4, &"unreadable".into()));
}

#[test]
fn verify_holds_a_log_against_what_was_kept_elsewhere() {
    let (dir, _) = log();
    let (other, _) = log();
    let head = run(&["audit", "head", "--log", path(dir.path()), "--format", "json"]);
    let key = serde_json::from_str::<serde_json::Value>(&head.out).unwrap()["public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let note = dir.path().join("checkpoint");
    let against = |log: &Path| {
        run(&["audit", "verify", "--log", path(log), "--public-key", &key, "--checkpoint", path(&note)]).code
    };
    assert_eq!(against(dir.path()), 0);
    assert_eq!(against(other.path()), 3, "another log under another key");
    let said = run(&["audit", "verify", "--log", path(other.path()), "--checkpoint", path(&note)]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("the checkpoint you brought is not this log's"), "{}", said.out);
    assert!(said.out.contains(path(&note)) && !said.out.contains("segments"), "{}", said.out);
    assert!(said.out.contains("records read before the failure"), "{}", said.out);
}

/// A log with one request on a route that only reports; its ticket.
fn reported(outcome: Outcome, end: End, treatment: Treatment) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ticket = runtime.block_on(async {
        let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
        let mut ticket = log.reserve(Moment::from_unix_millis(1_795_305_600_000)).unwrap();
        let mut head = Head::new(outcome);
        head.report_only = true;
        let verdict =
            Verdict { treatment, rules: [].into(), clauses: [].into(), reason: None, near: [].into() };
        let name = Category::new("user.name").unwrap();
        head.verdicts = vec![VerdictLine::new(name, SubjectType::new("customer"), &verdict)];
        ticket.commit(head).await.unwrap();
        let id = ticket.id().to_string();
        ticket.close(&Closing::new(end));
        log.flush().await.unwrap();
        log.shutdown();
        id
    });
    (dir, ticket)
}

#[test]
fn law_14_a_ruling_that_was_not_carried_out_is_not_told_like_one_that_was() {
    for (outcome, end, treatment, told) in [
        (Outcome::Refuse, End::Delivered, Treatment::Withheld, "refuse, let through"),
        (Outcome::Redact, End::Delivered, Treatment::Masked, "redact, let through"),
        // Something undeclared was taken out, and nothing that was ruled on.
        (Outcome::Redact, End::Delivered, Treatment::Clear, "redact"),
        (Outcome::Allow, End::Delivered, Treatment::Clear, "allow"),
        (Outcome::Refuse, End::Refused, Treatment::Clear, "refuse"),
        (Outcome::Redact, End::Failed, Treatment::Withheld, "failed"),
    ] {
        let (dir, ticket) = reported(outcome, end, treatment);
        let shown = run(&["audit", "show", "--log", path(dir.path()), &ticket]).out;
        assert_eq!(shown.lines().next(), Some(told), "{shown}");
        assert!(!shown.contains("the ruling was not carried out"), "{told}: {shown}");
        let found = run(&["audit", "search", "--log", path(dir.path())]).out;
        assert_eq!(found.contains("let through"), told.contains("let through"), "{told}: {found}");
    }
}

#[test]
fn requests_are_found_and_shown_in_words() {
    let (dir, ticket) = log();
    let log = path(dir.path());
    let search = |args: &[&str]| run(&[&["audit", "search", "--log", log], args].concat());
    for (args, found) in [
        (&["--outcome", "refuse"][..], 1),
        (&["--outcome", "allow"], 1),
        (&["--outcome", "abandoned"], 0),
        (&[], 2),
        (&["--limit", "2"], 2),
        (&["--id", &ticket], 1),
        (&["--reason", "consent-withdrawn"], 1),
        (&["--requester", "newsletter"], 2),
        (&["--purpose", "marketing"], 2),
        (&["--purpose", "marketing", "--limit", "1"], 1),
        (&["--requester", "somebody"], 0),
        (&["--until", "2020-01-01"], 0),
    ] {
        let said = search(&[args, &["--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(json["found"].as_array().unwrap().len(), found, "{args:?}");
        assert_eq!(said.code, i32::from(found == 0), "{args:?}");
    }
    assert!(search(&["--outcome", "refuse"]).out.contains(&ticket));
    let all = search(&[]);
    assert!(!all.out.contains("log.opened") && all.err.contains("2 requests"), "{}{}", all.out, all.err);
    assert!(all.out.contains("purpose") && all.out.contains("marketing.communications.email"), "{}", all.out);
    let told = search(&["--reason", "not-permitted"]);
    assert!(told.err.contains("what callers are told; search by the record id"), "{}", told.err);
    let named = search(&["--subject", "email:ann@example.org"]);
    assert!(named.err.contains("consentry consent show prints the reference"), "{}", named.err);
    let show = run(&["audit", "show", "--log", log, &format!("urn:uuid:{ticket}")]);
    assert_eq!(show.code, 0, "{}", show.err);
    assert!(show.out.starts_with("refuse, consent-withdrawn\n"), "{}", show.out);
    let raw = run(&["audit", "show", "--log", log, &ticket, "--format", "json"]);
    let raw: serde_json::Value = serde_json::from_str(&raw.out).unwrap();
    assert_eq!((&raw[0]["type"], &raw[1]["type"]), (&"head".into(), &"outcome".into()));
    assert_eq!(run(&["audit", "show", "--log", log, "0190a0a0-0000-7000-8000-000000000000"]).code, 1);
    for command in ["search", "verify"] {
        let nowhere = run(&["audit", command, "--log", "/nowhere/at/all"]);
        assert_eq!(nowhere.code, 4);
        let said = format!("{}{}", nowhere.out, nowhere.err);
        assert!(said.contains("there is no evidence log in /nowhere/at/all (no log.json)"), "{said}");
    }
}

#[test]
fn what_no_checkpoint_covers_yet_is_not_called_signed() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = LogOptions::default();
        options.checkpoint_every = std::time::Duration::from_secs(3_600);
        let log = AuditLog::open(dir.path(), options).unwrap();
        let mut ticket = log.reserve(Moment::from_unix_millis(1_795_305_600_000)).unwrap();
        ticket.commit(Head::new(Outcome::Allow)).await.unwrap();
        let said = run(&["audit", "verify", "--log", path(dir.path())]);
        assert_eq!(said.code, 0, "{}", said.out);
        let first = said.out.lines().next().unwrap();
        assert!(first.contains("signed records are as they were written; the "), "{first}");
        assert!(first.ends_with("hang together but nothing signs them yet"), "{first}");
        ticket.close(&Closing::new(End::Delivered));
        log.shutdown();
    });
    let said = run(&["audit", "verify", "--log", path(dir.path())]);
    assert_eq!(said.out.lines().next(), Some("ok: every record is as it was written"));
}

/// A log of three requests that are answered alike, each about another person; the last one's ticket.
fn alike() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let verdict = Verdict {
        treatment: Treatment::Clear,
        rules: [].into(),
        clauses: ["c-7".into()].into(),
        reason: None,
        near: [].into(),
    };
    let line = VerdictLine::new(Category::new("user.name").unwrap(), SubjectType::new("customer"), &verdict);
    let mut asked = Head::new(Outcome::Allow);
    asked.requester = Some(RequesterId::new("newsletter"));
    let wording = Arc::new(Wording::new(asked, FactWords::new(), vec![line]).unwrap());
    let ticket = runtime.block_on(async {
        let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
        let mut last = String::new();
        for person in 1..=3 {
            let mut ticket = log.reserve(Moment::from_unix_millis(1_795_305_600_000)).unwrap();
            let mut head = Head::new(Outcome::Allow);
            let about = SubjectRef::from_bytes([person; 16]);
            head.worded = Some(Worded::new(Arc::clone(&wording), Some(about)));
            ticket.commit(head).await.unwrap();
            last = ticket.id().to_string();
            ticket.close(&Closing::new(End::Delivered));
        }
        log.flush().await.unwrap();
        log.shutdown();
        last
    });
    (dir, ticket)
}

#[test]
fn what_a_head_leaves_to_another_is_shown_with_it() {
    let (dir, ticket) = alike();
    let shown = run(&["audit", "show", &ticket, "--log", path(dir.path())]);
    for words in ["spelled out in", "newsletter", "c-7", "03030303030303030303030303030303"] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let shown = run(&["audit", "show", &ticket, "--log", path(dir.path()), "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    let head = shown.as_array().unwrap().iter().find(|record| record["type"] == "head").unwrap();
    assert_eq!(head["requester"], "newsletter", "{head}");
    assert_eq!(head["verdicts"][0]["clauses"][0], "c-7", "{head}");
    assert_eq!(head["verdicts"][0]["subjects"][0], head["precedent"]["subject"], "{head}");
    let found = run(&["audit", "search", "--log", path(dir.path()), "--clause", "c-7", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(found["found"].as_array().map(Vec::len), Some(3), "{found}");
}
