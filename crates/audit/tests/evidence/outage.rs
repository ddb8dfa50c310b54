//! Law 12: no evidence, no data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use consentry_audit::{
    AuditLog, Closing, Disk, End, Entry, Failure, Full, LogError, OpenError, VerifyOptions, VerifyStatus,
    verify,
};
use consentry_model::{Outcome, Reason};

use crate::support::{FailingDisk, Faults, NOON, head, kinds, records, request, unsigned};

fn open(dir: &std::path::Path, faults: &Arc<Faults>, segment_bytes_max: u64) -> AuditLog {
    let mut options = unsigned();
    options.segment_bytes_max = segment_bytes_max;
    options.storage = Arc::new(FailingDisk(Arc::clone(faults)));
    AuditLog::open(dir, options).unwrap()
}

#[tokio::test]
async fn law_12_when_the_log_cannot_be_written_nothing_is_acknowledged_until_it_is_reopened() {
    type Pick = fn(&Faults) -> &AtomicBool;
    let picks: [(&str, Pick, u64); 3] =
        [("write", |f| &f.write, 1 << 20), ("sync", |f| &f.sync, 1 << 20), ("create", |f| &f.create, 1)];
    for (name, pick, segment_bytes_max) in picks {
        let dir = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let log = open(dir.path(), &faults, segment_bytes_max);
        request(&log, 1).await;
        log.flush().await.unwrap();
        let mut early = log.reserve(NOON).unwrap();

        pick(&faults).store(true, Ordering::SeqCst);
        let step = || head("shop", "essential", Outcome::Allow, None);
        assert_eq!(early.commit(step()).await.unwrap_err(), LogError::Unhealthy, "{name}");
        assert!(!log.is_healthy());
        assert_eq!(log.health().failure, Some(Failure::Segment(std::io::ErrorKind::StorageFull)));

        // The disk is well again, but the descriptor that failed is not asked again.
        pick(&faults).store(false, Ordering::SeqCst);
        let syncs = faults.syncs.load(Ordering::SeqCst);
        assert_eq!(early.commit(step()).await.unwrap_err(), LogError::Unhealthy, "{name}");
        assert_eq!(faults.syncs.load(Ordering::SeqCst), syncs);
        assert_eq!(log.reserve(NOON).unwrap_err(), Full::Unhealthy);
        assert_eq!(LogError::Unhealthy.reason(), Reason::EvidenceUnavailable);
        early.close(&Closing::new(End::Failed));
        log.flush().await.unwrap();
        assert_eq!((log.health().closings_lost, log.health().slots_used), (1, 0), "{name}");

        log.reopen().await.unwrap();
        assert!(log.is_healthy());
        request(&log, 2).await;
        log.shutdown();
        let expected =
            ["log.opened", "head", "verdicts", "outcome", "log.outage", "head", "verdicts", "outcome"];
        assert_eq!(kinds(dir.path()), expected, "{name}");
        let found = records(dir.path());
        let Entry::LogOutage(outage) = found[4].entry() else { panic!() };
        let counts = (outage.closings_lost, outage.commits_failed, outage.requests_refused);
        assert_eq!(counts, (1, 2, 1), "{name}");
        assert_eq!(log.health().closings_lost, 0);
        assert_eq!(verify(dir.path(), &VerifyOptions::default()).status, VerifyStatus::Ok, "{name}");
    }
}

#[tokio::test]
async fn law_12_reopening_on_a_disk_that_still_fails_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let log = open(dir.path(), &faults, 1 << 20);
    request(&log, 1).await;
    log.flush().await.unwrap();
    faults.write.store(true, Ordering::SeqCst);
    drop(log.reserve(NOON).unwrap());
    log.flush().await.unwrap();
    for broken in [&faults.cut, &faults.create, &faults.write, &faults.sync, &faults.checkpoint] {
        faults.write.store(false, Ordering::SeqCst);
        broken.store(true, Ordering::SeqCst);
        assert_eq!(log.reopen().await.unwrap_err(), LogError::Unhealthy);
        assert!(!log.is_healthy());
        broken.store(false, Ordering::SeqCst);
    }
    log.reopen().await.unwrap();
    request(&log, 2).await;
    log.shutdown();
    let report = verify(dir.path(), &VerifyOptions::default());
    assert_eq!(report.status, VerifyStatus::Ok, "{report:?}");
    assert!(kinds(dir.path()).starts_with(&["log.opened", "head", "verdicts", "outcome", "log.outage"]));
    assert!(kinds(dir.path()).ends_with(&["log.outage", "head", "verdicts", "outcome"]));
}

#[tokio::test]
async fn law_12_a_checkpoint_that_cannot_be_signed_is_a_failure_too() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let mut options = unsigned();
    options.checkpoint_records_max = 1;
    options.storage = Arc::new(FailingDisk(Arc::clone(&faults)));
    let log = AuditLog::open(dir.path(), options).unwrap();
    faults.checkpoint.store(true, Ordering::SeqCst);
    drop(log.reserve(NOON).unwrap());
    log.flush().await.unwrap();
    log.flush().await.unwrap();
    assert_eq!(log.health().failure, Some(Failure::Checkpoint(std::io::ErrorKind::StorageFull)));
    faults.checkpoint.store(false, Ordering::SeqCst);
    log.reopen().await.unwrap();
    log.shutdown();
    assert_eq!(kinds(dir.path()), ["log.opened", "outcome", "log.outage"]);
    assert_eq!(verify(dir.path(), &VerifyOptions::default()).status, VerifyStatus::Ok);
}

#[tokio::test]
async fn law_12_an_outage_that_lasts_on_is_told_when_it_can_be_and_when_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let log = open(dir.path(), &faults, 1 << 20);
    request(&log, 1).await;
    log.flush().await.unwrap();
    faults.write.store(true, Ordering::SeqCst);
    drop(log.reserve(NOON).unwrap());
    log.flush().await.unwrap();
    faults.write.store(false, Ordering::SeqCst);
    faults.checkpoint.store(true, Ordering::SeqCst);
    let lost = log.health().closings_lost;
    assert!(lost > 0);
    for _ in 0..3 {
        assert_eq!(log.reopen().await.unwrap_err(), LogError::Unhealthy);
        assert_eq!(log.health().closings_lost, 0, "told");
    }
    assert!(log.reserve(NOON).is_err());
    faults.checkpoint.store(false, Ordering::SeqCst);
    log.reopen().await.unwrap();
    assert!(log.is_healthy());
    log.shutdown();
    let told: Vec<_> = records(dir.path())
        .iter()
        .filter_map(|record| match record.entry() {
            Entry::LogOutage(outage) => Some((outage.closings_lost, outage.requests_refused)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(lost, 0), (0, 1)]);
    assert_eq!(verify(dir.path(), &VerifyOptions::default()).status, VerifyStatus::Ok);
}

/// A clock that panics stands for whatever could make the writer panic.
#[tokio::test]
async fn law_12_a_writer_that_ends_by_a_panic_leaves_the_log_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = unsigned();
    let broken = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&broken);
    options.clock = Arc::new(move || {
        assert!(!told.swap(false, Ordering::SeqCst), "the clock breaks once");
        NOON
    });
    let log = AuditLog::open(dir.path(), options).unwrap();
    let mut ticket = log.reserve(NOON).unwrap();
    broken.store(true, Ordering::SeqCst);
    let step = head("shop", "essential", Outcome::Allow, None);
    assert_eq!(ticket.commit(step).await.unwrap_err(), LogError::Closed);
    log.shutdown();
    assert!(!log.is_healthy());
    assert_eq!(log.reserve(NOON).unwrap_err(), Full::Unhealthy);
    assert_eq!(log.health().failure, Some(Failure::Closed));
}

#[tokio::test]
async fn counts_of_strangers_survive_an_outage() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let log = open(dir.path(), &faults, 1 << 20);
    log.count_refused_stranger(Reason::TokenMissing);
    faults.sync.store(true, Ordering::SeqCst);
    assert_eq!(log.flush_summary(NOON).await.unwrap_err(), LogError::Unhealthy);
    faults.sync.store(false, Ordering::SeqCst);
    log.reopen().await.unwrap();
    log.count_refused_stranger(Reason::TokenMissing);
    log.flush_summary(NOON).await.unwrap().unwrap();
    let Entry::Summary(summary) = records(dir.path())[2].entry().clone() else { panic!() };
    assert_eq!(summary.counts.get(&Reason::TokenMissing), Some(&2));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_at_opening() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(AuditLog::open(&file, unsigned()), Err(OpenError::Io { .. })));
    let faults = Arc::new(Faults::default());
    faults.create.store(true, Ordering::SeqCst);
    let mut options = unsigned();
    options.storage = Arc::new(FailingDisk(faults));
    assert!(matches!(AuditLog::open(&dir.path().join("log"), options), Err(OpenError::Io { .. })));
}

#[tokio::test]
async fn law_12_a_log_whose_folder_was_removed_acknowledges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("log");
    let mut options = unsigned();
    options.storage = Arc::new(Disk);
    let log = AuditLog::open(&place, options).unwrap();
    request(&log, 1).await;
    let mut ticket = log.reserve(NOON).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    let step = head("shop", "essential", Outcome::Allow, None);
    assert_eq!(ticket.commit(step).await.unwrap_err(), LogError::Unhealthy);
    assert_eq!(log.health().failure, Some(Failure::Segment(std::io::ErrorKind::NotFound)));
    ticket.close(&Closing::new(End::Failed));
}
