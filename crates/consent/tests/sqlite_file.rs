//! What can happen to a ledger's file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::time::{Duration, Instant};

use consentry_consent::{
    LEDGER_ANSWER_MILLIS_MAX, LEDGER_BUSY_MILLIS_MAX, Ledger, LedgerErrorKind, Limit, Reserved, SqliteLedger,
};
use consentry_model::{ConsentState, LedgerRevision, Resolution};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use support::{at, event, id, sent, yes};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

/// A ledger in which two people said something.
async fn filled(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::open(path).await.unwrap();
    ledger.append(&id("customer", "anneliese"), &[yes("m", 1)], at(0)).await.unwrap();
    ledger.append(&id("customer", "bob"), &[yes("m", 1)], at(0)).await.unwrap();
    ledger
}

async fn by_hand(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).foreign_keys(false).connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}

/// Room for any number.
fn roomy() -> Limit {
    Limit { topic: None, since: at(0), times: u32::MAX }
}

async fn kind_of_every_call(ledger: &SqliteLedger) -> [Option<LedgerErrorKind>; 5] {
    let ann = id("customer", "anneliese");
    [
        ledger.resolve(from_ref(&ann)).await.err().map(|e| e.kind()),
        ledger.append(&ann, &[yes("m", 5)], at(0)).await.err().map(|e| e.kind()),
        ledger.reserve(&ann, &sent("a", 5), &[roomy()], at(0)).await.err().map(|e| e.kind()),
        ledger.link(&ann, &id("email", "new"), at(0)).await.err().map(|e| e.kind()),
        ledger.revision().await.err().map(|e| e.kind()),
    ]
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_restart() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let before = ledger.resolve(&[id("customer", "anneliese"), id("customer", "bob")]).await.unwrap();
    ledger.close().await;
    let again = SqliteLedger::open_existing(&path).await.unwrap();
    assert_eq!(again.resolve(&[id("customer", "anneliese"), id("customer", "bob")]).await.unwrap(), before);
    assert_eq!(again.revision().await.unwrap(), LedgerRevision(2));
}

#[tokio::test]
async fn two_handles_on_one_file_see_each_others_writes() {
    let (_folder, path) = place();
    let (one, two) = (filled(&path).await, SqliteLedger::open_existing(&path).await.unwrap());
    let withdrawn = event("m", ConsentState::Withdrawn, 2);
    let appended = two.append(&id("customer", "anneliese"), from_ref(&withdrawn), at(0)).await.unwrap();
    let batch = one.resolve(&[id("customer", "anneliese")]).await.unwrap();
    assert_eq!(batch.revision, appended.revision);
    let Resolution::Known(state) = &batch.answers[0] else { panic!("unresolved") };
    assert_eq!((state.events[1].revision, &state.events[1].event), (LedgerRevision(3), &withdrawn));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_may_make_the_ledger_at_once() {
    let (_folder, path) = place();
    let opened = (0..6).map(|n| {
        let path = path.clone();
        tokio::spawn(async move {
            let ledger = SqliteLedger::open(&path).await.unwrap();
            ledger.append(&id("customer", &n.to_string()), &[yes("m", n)], at(0)).await.unwrap().revision.0
        })
    });
    let mut revisions = Vec::new();
    for task in opened.collect::<Vec<_>>() {
        revisions.push(task.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_file_that_another_is_just_making_a_ledger_of_is_waited_for() {
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    let mut hand = by_hand(&path).await;
    run(&mut hand, "BEGIN EXCLUSIVE; CREATE TABLE t (a)").await.unwrap();
    let opening = tokio::spawn(async move { SqliteLedger::open(&path).await.map(|_| ()) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!opening.is_finished(), "it neither failed nor went ahead");
    run(&mut hand, "ROLLBACK").await.unwrap();
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone_and_is_not_made_by_asking_for_one_that_exists() {
    let (folder, path) = place();
    let missing = SqliteLedger::open_existing(&path).await.unwrap_err();
    assert_eq!(missing.kind(), LedgerErrorKind::Unavailable);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let _ledger = filled(&path).await;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn law_1_what_is_no_ledger_of_this_version_is_refused() {
    for (how, sql, kind) in [
        ("foreign", "CREATE TABLE t (a)", LedgerErrorKind::Corrupt),
        ("marked as another's", "PRAGMA application_id = 7", LedgerErrorKind::Corrupt),
        ("newer", "PRAGMA application_id = 0x436e4c64; PRAGMA user_version = 2", LedgerErrorKind::Version),
        ("older than any", "PRAGMA application_id = 0x436e4c64", LedgerErrorKind::Corrupt),
        (
            "marked but empty",
            "PRAGMA application_id = 0x436e4c64; PRAGMA user_version = 1",
            LedgerErrorKind::Corrupt,
        ),
    ] {
        let (_folder, path) = place();
        fs::write(&path, b"").unwrap();
        run(&mut by_hand(&path).await, sql).await.unwrap();
        let before = fs::read(&path).unwrap();
        for opened in [SqliteLedger::open(&path).await, SqliteLedger::open_existing(&path).await] {
            assert_eq!(opened.unwrap_err().kind(), kind, "{how}");
        }
        assert!(fs::read(&path).unwrap() == before, "{how}: nothing was made of it");
    }
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    assert_eq!(
        SqliteLedger::open_existing(&path).await.unwrap_err().kind(),
        LedgerErrorKind::Corrupt,
        "empty"
    );
    fs::write(&path, [b'x'; 5_000]).unwrap();
    assert_eq!(SqliteLedger::open(&path).await.unwrap_err().kind(), LedgerErrorKind::Corrupt, "noise");
    let opened = SqliteLedger::open(path.parent().unwrap()).await;
    assert_eq!(opened.unwrap_err().kind(), LedgerErrorKind::Corrupt, "a folder");
}

#[tokio::test]
async fn events_are_never_changed_or_removed() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let before = ledger.resolve(&[id("customer", "anneliese")]).await.unwrap();
    let mut hand = by_hand(&path).await;
    for sql in [
        "UPDATE event SET body = body",
        "UPDATE event SET recorded_at = 7 WHERE revision = 1",
        "DELETE FROM event",
        "DELETE FROM event WHERE revision = 2",
        "REPLACE INTO event SELECT 1, subject, 0, kind, body FROM event WHERE revision = 2",
        "INSERT INTO event SELECT 9, subject, 0, kind, body FROM event WHERE revision = 2",
        "INSERT INTO event (subject, recorded_at, kind, body) SELECT subject, 0, kind, body FROM event",
        "UPDATE identifier SET subject = (SELECT MAX(id) FROM subject)",
        "UPDATE subject SET id = zeroblob(16)",
        "DELETE FROM subject",
    ] {
        assert!(run(&mut hand, sql).await.is_err(), "{sql}");
    }
    assert_eq!(ledger.resolve(&[id("customer", "anneliese")]).await.unwrap(), before);
}

#[tokio::test]
async fn law_1_what_cannot_be_read_back_is_an_error_for_the_batch_and_never_skipped() {
    let good = r#"{"type":"restriction","on":true,"effective":1}"#;
    for (how, kind, body) in [
        ("an unknown kind of entry", "note", good),
        ("an unknown type of event", "event", r#"{"type":"pardon","effective":1}"#),
        ("an unknown state", "event", r#"{"type":"contract","state":"paused","effective":1}"#),
        ("an unknown member", "event", r#"{"type":"restriction","on":true,"effective":1,"for":"acme"}"#),
        ("a missing member", "event", r#"{"type":"restriction","on":true}"#),
        ("a missing optional member", "event", r#"{"type":"objection","purpose":"m","effective":1}"#),
        ("a member twice", "event", r#"{"type":"restriction","on":false,"on":true,"effective":1}"#),
        (
            "a purpose that is no key",
            "event",
            r#"{"type":"objection","purpose":"M","recipient":null,"effective":1}"#,
        ),
        ("another spelling", "event", r#"{"type":"restriction", "on":true, "effective":1}"#),
        (
            "an unknown occurrence",
            "event",
            r#"{"type":"occurrence","what":{"occurrence":"met"},"effective":1}"#,
        ),
        (
            "an unknown member of what happened",
            "event",
            r#"{"type":"occurrence","what":{"occurrence":"sent","topic":"a","not":true},"effective":1}"#,
        ),
        (
            "a member of an occurrence without any",
            "event",
            r#"{"type":"occurrence","what":{"occurrence":"informed","of":"cookies"},"effective":1}"#,
        ),
        (
            "a missing origin",
            "event",
            r#"{"type":"occurrence","what":{"occurrence":"collected","category":"m"},"effective":1}"#,
        ),
        (
            "a category that is no key",
            "event",
            r#"{"type":"occurrence","what":{"occurrence":"collected","category":"M","origin":null},"effective":1}"#,
        ),
        ("an unknown duty", "event", r#"{"type":"duty","what":{"owed":"favour"},"due":null,"effective":1}"#),
        (
            "a duty without its date",
            "event",
            r#"{"type":"duty","what":{"owed":"answer","right":"access"},"effective":1}"#,
        ),
        (
            "an attribute that is no text",
            "event",
            r#"{"type":"attribute","name":"born","value":1990,"effective":1}"#,
        ),
        ("a suppression that is no yes or no", "event", r#"{"type":"suppression","on":1,"effective":1}"#),
        ("half of it", "event", &good[..20]),
        ("nothing", "event", ""),
        ("a link to nowhere", "linked", "x"),
    ] {
        let (_folder, path) = place();
        let ledger = filled(&path).await;
        let mut hand = by_hand(&path).await;
        let insert = "INSERT INTO event SELECT 3, subject, 0, ?, ? FROM identifier WHERE value = 'anneliese'";
        sqlx::query(insert).bind(kind).bind(body).execute(&mut hand).await.unwrap();
        let (ann, bob) = (id("customer", "anneliese"), id("customer", "bob"));
        for who in [vec![ann.clone()], vec![bob.clone(), ann]] {
            let error = ledger.resolve(&who).await.expect_err(how);
            assert_eq!(error.kind(), LedgerErrorKind::Corrupt, "{how}");
            assert!(!format!("{error} {error:?}").contains("anneliese"), "{how}");
        }
        let place = ledger.reserve(&id("customer", "anneliese"), &sent("a", 1), &[roomy()], at(0)).await;
        assert_eq!(place.map_err(|e| e.kind()), Err(LedgerErrorKind::Corrupt), "{how}: nobody can count");
        assert!(ledger.resolve(from_ref(&bob)).await.is_ok(), "{how}: others are not held up");
        let place = ledger.reserve(&bob, &sent("a", 1), &[roomy()], at(0)).await;
        assert!(matches!(place, Ok(Reserved::Placed(_))), "{how}: {place:?}");
    }
}

#[tokio::test]
async fn law_1_references_that_lead_nowhere_are_errors() {
    for sql in [
        "PRAGMA recursive_triggers = OFF; DROP TRIGGER subject_kept; DELETE FROM subject",
        "DROP TRIGGER identifier_unchanged; UPDATE identifier SET subject = zeroblob(16)",
        "UPDATE subject SET merged_into = zeroblob(16)",
        "UPDATE subject SET merged_into = (SELECT id FROM subject AS s WHERE s.id <> subject.id)",
    ] {
        let (_folder, path) = place();
        let ledger = filled(&path).await;
        run(&mut by_hand(&path).await, sql).await.unwrap();
        let error = ledger.resolve(&[id("customer", "anneliese")]).await.expect_err(sql);
        assert_eq!(error.kind(), LedgerErrorKind::Corrupt, "{sql}");
    }
}

#[tokio::test]
async fn entries_that_are_missing_are_noticed() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let mut hand = by_hand(&path).await;
    run(&mut hand, "DROP TRIGGER event_kept; DELETE FROM event WHERE revision = 2").await.unwrap();
    assert_eq!(kind_of_every_call(&ledger).await, [Some(LedgerErrorKind::Corrupt); 5], "it went back");
    let opened = SqliteLedger::open_existing(&path).await;
    assert_eq!(opened.unwrap_err().kind(), LedgerErrorKind::Corrupt, "a trigger is missing");

    let (_folder, path) = place();
    let _ledger = filled(&path).await;
    let trigger = "CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN SELECT 1; END";
    let sql = format!("DROP TRIGGER event_kept; DELETE FROM event WHERE revision = 1; {trigger}");
    run(&mut by_hand(&path).await, &sql).await.unwrap();
    let opened = SqliteLedger::open_existing(&path).await;
    assert_eq!(opened.unwrap_err().kind(), LedgerErrorKind::Corrupt, "a gap");
}

#[tokio::test]
async fn a_file_that_is_deleted_or_replaced_is_never_answered_from() {
    type Change = fn(&Path);
    let deleted: Change = |path| fs::remove_file(path).unwrap();
    let emptied: Change = |path| {
        fs::remove_file(path).unwrap();
        fs::write(path, b"").unwrap();
    };
    let copied: Change = |path| {
        let copy = path.with_extension("copy");
        fs::copy(path, &copy).unwrap();
        fs::rename(copy, path).unwrap();
    };
    for (how, change) in [("deleted", deleted), ("emptied", emptied), ("replaced by a copy", copied)] {
        let (_folder, path) = place();
        let ledger = filled(&path).await;
        change(&path);
        let found = kind_of_every_call(&ledger).await;
        assert_eq!(found, [Some(LedgerErrorKind::Unavailable); 5], "{how}");
        if how == "deleted" {
            assert!(!path.exists(), "{how}: and none was started");
        }
    }
}

#[tokio::test]
async fn a_locked_file_is_unavailable_within_the_named_time() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let mut hand = by_hand(&path).await;
    run(&mut hand, "BEGIN IMMEDIATE").await.unwrap();
    let started = Instant::now();
    let error = ledger.append(&id("customer", "anneliese"), &[yes("m", 5)], at(0)).await.unwrap_err();
    let waited = started.elapsed();
    assert_eq!(error.kind(), LedgerErrorKind::Unavailable);
    assert!(waited >= Duration::from_millis(LEDGER_BUSY_MILLIS_MAX / 2), "{waited:?}");
    assert!(waited < Duration::from_millis(LEDGER_ANSWER_MILLIS_MAX), "{waited:?}");
    assert!(
        ledger.resolve(&[id("customer", "anneliese")]).await.is_ok(),
        "a writer does not hold readers up"
    );
    run(&mut hand, "COMMIT").await.unwrap();
    let appended = ledger.append(&id("customer", "anneliese"), &[yes("m", 5)], at(0)).await.unwrap();
    assert_eq!(appended.revision, LedgerRevision(3), "what failed left nothing behind");
}

#[tokio::test]
async fn a_batch_of_events_is_recorded_whole_or_not_at_all() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let mut hand = by_hand(&path).await;
    let trigger = "CREATE TRIGGER stop BEFORE INSERT ON event WHEN NEW.revision = 4 \
                   BEGIN SELECT RAISE(ABORT, 'stop'); END";
    run(&mut hand, trigger).await.unwrap();
    let new = id("customer", "new");
    let error = ledger.append(&new, &[yes("m", 1), yes("m", 2)], at(0)).await.unwrap_err();
    assert_eq!(error.kind(), LedgerErrorKind::Conflict);
    assert_eq!(ledger.revision().await.unwrap(), LedgerRevision(2));
    assert_eq!(ledger.resolve(&[new]).await.unwrap().answers, [Resolution::Unresolved]);
}

#[tokio::test]
async fn law_8_what_keeps_a_place_from_being_recorded_is_an_error_and_leaves_nothing_behind() {
    let (_folder, path) = place();
    let ledger = filled(&path).await;
    let ann = id("customer", "anneliese");
    let mut hand = by_hand(&path).await;
    let one = Limit { times: 1, ..roomy() };

    run(&mut hand, "BEGIN IMMEDIATE").await.unwrap();
    let locked = ledger.reserve(&ann, &sent("a", 5), from_ref(&one), at(0)).await;
    assert_eq!(locked.map_err(|e| e.kind()), Err(LedgerErrorKind::Unavailable));
    run(&mut hand, "COMMIT").await.unwrap();

    let trigger = "CREATE TRIGGER stop BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'stop'); END";
    run(&mut hand, trigger).await.unwrap();
    let stopped = ledger.reserve(&ann, &sent("a", 5), from_ref(&one), at(0)).await;
    assert_eq!(stopped.map_err(|e| e.kind()), Err(LedgerErrorKind::Conflict));
    run(&mut hand, "DROP TRIGGER stop").await.unwrap();

    assert_eq!(ledger.revision().await.unwrap(), LedgerRevision(2));
    let placed = ledger.reserve(&ann, &sent("a", 5), from_ref(&one), at(0)).await.unwrap();
    assert!(matches!(placed, Reserved::Placed(p) if p.revision == LedgerRevision(3)), "{placed:?}");
    ledger.close().await;
    let again = SqliteLedger::open_existing(&path).await.unwrap();
    let full = again.reserve(&ann, &sent("a", 6), from_ref(&one), at(0)).await.unwrap();
    assert_eq!(
        full,
        Reserved::Exhausted { limit: 0, revision: LedgerRevision(3) },
        "the place is taken after a restart"
    );
}

#[tokio::test]
async fn law_8_a_call_that_found_no_place_does_not_hold_up_the_next_write() {
    let (_folder, path) = place();
    let (ledger, other) = (filled(&path).await, SqliteLedger::open_existing(&path).await.unwrap());
    let none = Limit { times: 0, ..roomy() };
    for who in ["anneliese", "nobody"] {
        ledger.reserve(&id("customer", who), &sent("a", 5), from_ref(&none), at(0)).await.unwrap();
        let started = Instant::now();
        other.append(&id("customer", "bob"), &[yes("m", 5)], at(0)).await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(LEDGER_BUSY_MILLIS_MAX / 2));
    }
}
