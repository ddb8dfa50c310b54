//! What a receipt stands for.

use std::collections::BTreeSet;

use consentry_audit::{
    AuditLog, Closing, ConsentChanged, End, LogError, LogOptions, PolicyInstalled, PolicyRefused,
    VerifyOptions, VerifyStatus, verify,
};
use consentry_model::{BundleDigest, LedgerEvent, LedgerRevision, Outcome, Purpose, Reason};

use crate::support::{NOON, crash_copy, head, kinds, line, records, request, subject, unsigned, window};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_are_all_durable_when_their_receipts_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), unsigned()).unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut receipts = Vec::new();
                for window_number in 0..8 {
                    let mut ticket = log.reserve(NOON).unwrap();
                    let name = format!("requester-{n}");
                    receipts
                        .push(ticket.commit(head(&name, "essential", Outcome::Allow, None)).await.unwrap());
                    let lines = vec![line(n, "c-1", None)];
                    receipts.push(ticket.commit(window(window_number, lines)).await.unwrap());
                    ticket.close(&Closing::new(End::Delivered));
                }
                receipts
            })
        })
        .collect();
    let mut receipts = Vec::new();
    for task in tasks {
        receipts.extend(task.await.unwrap());
    }
    // Nothing is shut down: what a crash leaves must hold every record that was acknowledged.
    let crashed = crash_copy(dir.path());
    let found = records(crashed.path());
    for receipt in &receipts {
        let record = &found[usize::try_from(receipt.seq()).unwrap()];
        assert_eq!(
            (record.id(), record.ticket(), record.leaf_hash(), record.kind(), record.ts()),
            (receipt.id(), receipt.ticket(), *receipt.leaf_hash(), receipt.kind(), receipt.ts())
        );
    }
    let numbers: BTreeSet<u64> = receipts.iter().map(consentry_audit::Receipt::seq).collect();
    assert_eq!((receipts.len(), numbers.len()), (1024, 1024));
    log.shutdown();
    let report = verify(dir.path(), &VerifyOptions::default());
    assert_eq!((report.status, report.records, report.tickets_open), (VerifyStatus::Ok, 1 + 512 * 3, 0));
    assert_eq!(report.signed_records, report.records);
}

#[tokio::test]
async fn a_record_stands_even_if_nobody_waits_for_its_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
    let mut ticket = log.reserve(NOON).unwrap();
    drop(ticket.commit(head("shop", "essential", Outcome::Allow, None)));
    ticket.close(&Closing::new(End::Failed));
    log.flush().await.unwrap();
    assert_eq!(kinds(dir.path()), ["log.opened", "head", "outcome"]);
}

#[tokio::test]
async fn segments_rotate_and_read_as_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = LogOptions::default();
    options.segment_bytes_max = 1_000;
    let log = AuditLog::open(dir.path(), options).unwrap();
    for n in 0..20 {
        request(&log, n).await;
    }
    log.shutdown();
    let report = verify(dir.path(), &VerifyOptions::default());
    assert_eq!((report.status, report.records), (VerifyStatus::Ok, 61));
    assert!(report.segments > 5, "{}", report.segments);
    assert!(records(dir.path()).iter().enumerate().all(|(n, record)| record.seq() == n as u64));
}

#[tokio::test]
async fn checkpoints_are_signed_after_so_many_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = unsigned();
    options.checkpoint_records_max = 6;
    let log = AuditLog::open(dir.path(), options).unwrap();
    for n in 0..4 {
        request(&log, n).await;
        log.flush().await.unwrap();
    }
    // The flush is answered before the checkpoint that follows it.
    log.flush().await.unwrap();
    assert!(log.health().signed_records >= 12, "{:?}", log.health());
}

#[tokio::test]
async fn checkpoints_are_signed_after_so_long() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = unsigned();
    options.checkpoint_every = std::time::Duration::from_millis(20);
    let log = AuditLog::open(dir.path(), options).unwrap();
    request(&log, 1).await;
    log.flush().await.unwrap();
    for _ in 0..500 {
        if log.health().signed_records == 4 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}", log.health());
}

#[tokio::test]
async fn notes_and_counts_of_strangers_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
    log.note(PolicyInstalled::new(BundleDigest::new("d1"), "panopta", "3")).await.unwrap();
    log.note(PolicyRefused::new(&"é".repeat(4000))).await.unwrap();
    let purpose = Purpose::new("marketing").unwrap();
    let objection = LedgerEvent::Objection { purpose, recipient: None, effective: NOON };
    let changed = ConsentChanged::of(subject(9), LedgerRevision(12), None, &objection).unwrap();
    log.note(changed).await.unwrap();
    assert_eq!(log.flush_summary(NOON).await.unwrap(), None);
    for reason in [Reason::TokenMissing, Reason::TokenMissing, Reason::HeadMalformed] {
        log.count_refused_stranger(reason);
    }
    log.flush_summary(NOON).await.unwrap().unwrap();
    assert_eq!(log.flush_summary(NOON).await.unwrap(), None);
    let found = records(dir.path());
    let texts: Vec<&str> = found.iter().map(|r| std::str::from_utf8(r.bytes()).unwrap()).collect();
    assert!(texts[1].contains(r#""bundle":"d1","controller":"panopta","version":"3""#), "{}", texts[1]);
    assert!(texts[2].len() < 4_400, "{}", texts[2].len());
    assert!(
        texts[3].contains(r#""revision":12,"change":{"type":"objection","purpose":"marketing""#),
        "{}",
        texts[3]
    );
    assert!(texts[4].contains(r#""counts":{"token-missing":2,"head-malformed":1}"#), "{}", texts[4]);
    assert!(texts[4].contains(r#""until":"2026-11-22T12:00:00.000Z""#), "{}", texts[4]);
}

#[tokio::test]
async fn a_log_that_was_shut_down_takes_nothing_and_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), LogOptions::default()).unwrap();
    let mut ticket = log.reserve(NOON).unwrap();
    log.shutdown();
    log.shutdown();
    assert!(!log.is_healthy());
    let step = head("shop", "essential", Outcome::Allow, None);
    assert_eq!(ticket.commit(step).await.unwrap_err(), LogError::Closed);
    ticket.close(&Closing::new(End::Failed));
    assert_eq!(log.flush().await.unwrap_err(), LogError::Closed);
    assert_eq!(log.reopen().await.unwrap_err(), LogError::Closed);
    let health = log.health();
    assert_eq!((health.closings_lost, health.slots_used), (1, 0));
}
