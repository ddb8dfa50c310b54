//! Answers that are given again without asking the file: never one from before a write that was acknowledged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use consentry_consent::{Ledger, SqliteLedger};
use consentry_model::{ConsentState, LedgerRevision, Resolution};
use support::{at, event, id};

/// Names the file to the process that this test starts of itself.
const OTHER: &str = "CONSENTRY_TEST_LEDGER_OF_ANOTHER_PROCESS";

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

async fn write(ledger: &SqliteLedger, millis: i64) -> LedgerRevision {
    let withdrawn = event("m", ConsentState::Withdrawn, millis);
    ledger.append(&id("customer", "ann"), &[withdrawn], at(millis)).await.unwrap().revision
}

async fn events(ledger: &SqliteLedger) -> usize {
    match &ledger.resolve(&[id("customer", "ann")]).await.unwrap().answers[0] {
        Resolution::Known(state) => state.events.len(),
        Resolution::Unresolved => 0,
    }
}

#[tokio::test]
async fn law_11_a_write_of_another_process_binds_the_next_answer() {
    const NAME: &str = "law_11_a_write_of_another_process_binds_the_next_answer";
    if let Some(path) = std::env::var_os(OTHER) {
        let ledger = SqliteLedger::open_existing(Path::new(&path)).await.unwrap();
        write(&ledger, 2).await;
        return ledger.close().await;
    }
    let (_folder, path) = place();
    let ledger = SqliteLedger::open(&path).await.unwrap();
    write(&ledger, 1).await;
    for round in 1..4 {
        for _ in 0..3 {
            assert_eq!(events(&ledger).await, round);
        }
        let other = Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact"])
            .env(OTHER, &path)
            .status()
            .unwrap();
        assert!(other.success());
        assert_eq!(events(&ledger).await, round + 1, "the other process has withdrawn");
    }
}

#[tokio::test]
async fn law_1_whoever_is_recorded_later_is_unknown_no_longer() {
    let (_folder, path) = place();
    let (one, two) = (SqliteLedger::open(&path).await.unwrap(), SqliteLedger::open(&path).await.unwrap());
    assert_eq!(events(&one).await, 0);
    write(&two, 1).await;
    assert_eq!(events(&one).await, 1);
    two.link(&id("customer", "ann"), &id("email", "ann@example.org"), at(2)).await.unwrap();
    let batch = one.resolve(&[id("email", "ann@example.org"), id("customer", "ann")]).await.unwrap();
    assert_eq!(batch.answers[0], batch.answers[1]);
    one.close().await;
    assert!(one.resolve(&[id("customer", "ann")]).await.is_err(), "what is closed knows nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn law_11_no_answer_is_older_than_a_write_that_was_acknowledged_before_it_was_asked_for() {
    let (_folder, path) = place();
    let writer = SqliteLedger::open(&path).await.unwrap();
    let acknowledged = Arc::new(AtomicU64::new(write(&writer, 0).await.0));
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    // Some have a handle of their own, and others share one: of these one looks for several.
    let shared = Arc::new(SqliteLedger::open(&path).await.unwrap());
    for own in [true, true, true, false, false, false, false] {
        let ledger =
            if own { Arc::new(SqliteLedger::open(&path).await.unwrap()) } else { Arc::clone(&shared) };
        let (acknowledged, done) = (Arc::clone(&acknowledged), Arc::clone(&done));
        readers.push(tokio::spawn(async move {
            let (mut asked, mut other) = (0_u64, LedgerRevision(0));
            while !done.load(Ordering::Acquire) {
                let bound = acknowledged.load(Ordering::Acquire);
                let batch = ledger.resolve(&[id("customer", "ann")]).await.unwrap();
                assert!(batch.revision.0 >= bound, "revision {} after {bound}", batch.revision);
                let Resolution::Known(state) = &batch.answers[0] else { panic!("ann is unknown") };
                assert_eq!(state.events.len() as u64, batch.revision.0, "one snapshot");
                asked += 1;
                other = batch.revision;
            }
            (asked, other)
        }));
    }
    for millis in 1..60 {
        acknowledged.store(write(&writer, millis).await.0, Ordering::Release);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        let (asked, _) = reader.await.unwrap();
        assert!(asked > 60, "most were answered from what was kept");
    }
}

#[tokio::test]
async fn law_1_a_ledger_that_is_closed_while_somebody_asks_answers_nothing() {
    let (_folder, path) = place();
    // Another handle keeps the files as they are.
    let other = SqliteLedger::open(&path).await.unwrap();
    write(&other, 0).await;
    let ledger = SqliteLedger::open(&path).await.unwrap();
    let who = [id("customer", "ann")];
    ledger.resolve(&who).await.unwrap();
    let asking = ledger.resolve(&who);
    let mut asking = std::pin::pin!(asking);
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(asking.as_mut().poll(context))).await;
    assert!(first.is_pending(), "it looks later");
    ledger.close().await;
    asking.await.unwrap_err();
}
