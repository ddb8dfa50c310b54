//! What a crash leaves is repaired; what no crash leaves is refused.

use std::fs;
use std::path::{Path, PathBuf};

use consentry_audit::{
    AuditLog, Damage, Entry, OpenError, Reader, Record, VerifyOptions, VerifyStatus, verify,
};
use consentry_model::Outcome;

use crate::support::{NOON, crash_copy, head, kinds, records, request, unsigned};

/// The last segment of a log.
fn last_segment(dir: &Path) -> PathBuf {
    let mut segments: Vec<_> = fs::read_dir(dir.join("wal")).unwrap().map(|e| e.unwrap().path()).collect();
    segments.sort();
    segments.pop().unwrap()
}

/// A log of several groups of which only the opening is signed, as a crash leaves it.
async fn crashed() -> (tempfile::TempDir, Vec<Record>) {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), unsigned()).unwrap();
    for _ in 0..2 {
        let mut ticket = log.reserve(NOON).unwrap();
        ticket.commit(head("shop", "essential", Outcome::Allow, None)).await.unwrap();
        drop(ticket);
        log.flush().await.unwrap();
    }
    let copy = crash_copy(dir.path());
    let whole = records(copy.path());
    assert_eq!(whole.len(), 5);
    (copy, whole)
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off_and_every_complete_group_stays() {
    let (crashed, whole) = crashed().await;
    let segment = last_segment(crashed.path());
    let bytes = fs::read(&segment).unwrap();
    let relative = segment.strip_prefix(crashed.path()).unwrap();
    let (mut recovered, mut clean, mut refused) = (0, 0, 0);
    for cut in 0..bytes.len() {
        fs::write(&segment, &bytes[..cut]).unwrap();
        let torn = crash_copy(crashed.path());
        let before = records_before_the_damage(torn.path());
        assert!(whole.starts_with(&before));
        let status = verify(torn.path(), &VerifyOptions::default()).status;
        let log = match AuditLog::open(torn.path(), unsigned()) {
            Ok(log) => log,
            Err(OpenError::Damaged(Damage::Shorter { size: 0, signed: 1 })) => {
                // The opening was signed for: without it this is no crash.
                assert_eq!((before.len(), status), (0, VerifyStatus::Integrity), "cut at {cut}");
                assert_eq!(fs::read(torn.path().join(relative)).unwrap(), &bytes[..cut], "left as it was");
                refused += 1;
                continue;
            }
            Err(other) => panic!("cut at {cut}: {other}"),
        };
        log.shutdown();
        let after = records(torn.path());
        assert!(after.starts_with(&before), "cut at {cut}");
        let added = &after[before.len()..];
        if let Entry::LogRecovered(_) = added[0].entry() {
            assert_eq!((added.len(), status), (2, VerifyStatus::Incomplete), "cut at {cut}");
            recovered += 1;
        } else {
            assert_eq!((added.len(), status), (1, VerifyStatus::Ok), "cut at {cut}");
            clean += 1;
        }
        assert_eq!(verify(torn.path(), &VerifyOptions::default()).status, VerifyStatus::Ok, "cut at {cut}");
    }
    // The whole groups: the opening, and two heads, and one of the two endings.
    assert_eq!(clean, 4);
    assert!(recovered > 500 && refused > 100, "{recovered} {refused}");
}

fn records_before_the_damage(dir: &Path) -> Vec<Record> {
    Reader::open(dir).unwrap().records().map_while(Result::ok).collect()
}

#[tokio::test]
async fn every_flipped_byte_of_an_unsigned_tail_is_either_no_crash_or_cut_off() {
    let (crashed, whole) = crashed().await;
    let segment = last_segment(crashed.path());
    let bytes = fs::read(&segment).unwrap();
    // The last frame is the last group's marker: 16 bytes of header, 40 of size and root.
    let last_frame = bytes.len() - 56;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&segment, &flipped).unwrap();
        let status = verify(crashed.path(), &VerifyOptions::default()).status;
        if at < last_frame {
            assert_eq!(status, VerifyStatus::Integrity, "byte {at}");
            assert!(
                matches!(AuditLog::open(crashed.path(), unsigned()), Err(OpenError::Damaged(_))),
                "byte {at}"
            );
            assert_eq!(fs::read(&segment).unwrap(), flipped, "left as it was");
        } else {
            assert_eq!(status, VerifyStatus::Incomplete, "byte {at}");
            let copy = crash_copy(crashed.path());
            AuditLog::open(copy.path(), unsigned()).unwrap().shutdown();
            let after = records(copy.path());
            assert_eq!(after[..4], whole[..4]);
            assert_eq!(kinds(copy.path())[4..], ["log.recovered", "log.opened"], "byte {at}");
        }
    }
}

#[tokio::test]
async fn a_log_cut_below_its_signed_size_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), unsigned()).unwrap();
    request(&log, 1).await;
    log.shutdown();
    let segment = last_segment(dir.path());
    let bytes = fs::read(&segment).unwrap();
    for cut in 0..bytes.len() {
        fs::write(&segment, &bytes[..cut]).unwrap();
        let error = AuditLog::open(dir.path(), unsigned()).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged(Damage::Shorter { signed: 4, .. })),
            "cut at {cut}: {error}"
        );
        assert_eq!(
            verify(dir.path(), &VerifyOptions::default()).status,
            VerifyStatus::Integrity,
            "cut at {cut}"
        );
        assert_eq!(fs::read(&segment).unwrap(), &bytes[..cut]);
    }
}

#[tokio::test]
async fn an_unfinished_checkpoint_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), unsigned()).unwrap();
    request(&log, 1).await;
    log.flush().await.unwrap();
    let crashed = crash_copy(dir.path());
    log.shutdown();
    // The note that the other log went on to write, cut anywhere.
    let whole = fs::read(dir.path().join("checkpoints")).unwrap();
    let history = crashed.path().join("checkpoints");
    let complete = fs::read(&history).unwrap().len();
    for cut in complete + 1..whole.len() {
        fs::write(&history, &whole[..cut]).unwrap();
        let copy = crash_copy(crashed.path());
        assert_eq!(
            verify(copy.path(), &VerifyOptions::default()).status,
            VerifyStatus::Incomplete,
            "cut at {cut}"
        );
        AuditLog::open(copy.path(), unsigned()).unwrap().shutdown();
        let report = verify(copy.path(), &VerifyOptions::default());
        assert_eq!((report.status, report.records), (VerifyStatus::Ok, 5), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_group_that_is_being_written_is_no_sign_of_a_crash() {
    for goes_on in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::open(dir.path(), unsigned()).unwrap();
        request(&log, 1).await;
        log.flush().await.unwrap();
        let segment = last_segment(dir.path());
        let whole = fs::read(&segment).unwrap();
        fs::write(&segment, &whole[..whole.len() - 20]).unwrap();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            if goes_on {
                fs::write(&segment, &whole).unwrap();
            }
        });
        let report = verify(dir.path(), &VerifyOptions::default());
        let expected = if goes_on { VerifyStatus::Ok } else { VerifyStatus::Incomplete };
        // All but the outcome, whose group is cut.
        assert_eq!((report.status, report.records), (expected, 3), "goes on: {goes_on}");
        writer.join().unwrap();
        log.shutdown();
    }
}

#[tokio::test]
async fn opening_again_goes_on_where_it_was_and_only_one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    for n in 1..40 {
        let log = AuditLog::open(dir.path(), unsigned()).unwrap();
        let second = AuditLog::open(dir.path(), unsigned()).unwrap_err();
        assert!(matches!(second, OpenError::Locked { .. }));
        assert_eq!(second.to_string(), format!("another process holds the log in {}", dir.path().display()));
        let before = log.health().records;
        assert_eq!((before, log.health().signed_records), (n * 4 - 3, n * 4 - 3));
        request(&log, 1).await;
        log.shutdown();
    }
    let report = verify(dir.path(), &VerifyOptions::default());
    assert_eq!((report.status, report.records, report.checkpoints), (VerifyStatus::Ok, 39 * 4, 1 + 39 * 2));
}

#[tokio::test]
async fn a_handle_that_is_dropped_without_shutdown_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), unsigned()).unwrap();
    drop(log.reserve(NOON).unwrap());
    drop(log);
    for _ in 0..500 {
        match AuditLog::open(dir.path(), unsigned()) {
            Ok(log) => {
                log.shutdown();
                assert_eq!(kinds(dir.path()), ["log.opened", "outcome", "log.opened"]);
                return;
            }
            Err(OpenError::Locked { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the writer did not end");
}
