//! Whatever is changed in a signed log is noticed, and the log is not opened.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use consentry_audit::{AuditLog, OpenError, PublicKey, VerifyOptions, VerifyStatus, verify};

use crate::support::{crash_copy, files, request, unsigned};

/// A small log of three segments, shut down properly.
async fn signed_log() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut options = unsigned();
    options.origin = Some("example.org/evidence".into());
    options.segment_bytes_max = 400;
    let log = AuditLog::open(dir.path(), options).unwrap();
    request(&log, 1).await;
    log.shutdown();
    assert_eq!(verify(dir.path(), &VerifyOptions::default()).status, VerifyStatus::Ok);
    dir
}

fn status(dir: &Path) -> VerifyStatus {
    let report = verify(dir, &VerifyOptions::default());
    assert_eq!(report.first_failure.is_some(), report.status != VerifyStatus::Ok);
    report.status
}

#[tokio::test]
async fn every_bit_of_every_file_counts() {
    let dir = signed_log().await;
    let whole = files(dir.path());
    let mut tried = 0;
    for (path, content) in &whole {
        let name = path.file_name().unwrap().to_str().unwrap();
        for at in 0..content.len() {
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(path, &flipped).unwrap();
            let opened = AuditLog::open(dir.path(), unsigned());
            if name == "key" {
                // The verifier needs no signing key; the writer cannot go on with another.
                assert!(matches!(opened, Err(OpenError::Key { .. })), "{name} byte {at}");
                assert_eq!(status(dir.path()), VerifyStatus::Ok, "{name} byte {at}");
            } else {
                assert!(matches!(opened, Err(OpenError::Damaged(_))), "{name} byte {at}: {opened:?}");
                assert_eq!(status(dir.path()), VerifyStatus::Integrity, "{name} byte {at}");
            }
            tried += 1;
        }
        fs::write(path, content).unwrap();
    }
    assert!(tried > 2_000, "{tried}");
    assert_eq!(files(dir.path()), whole, "refusing to open changes nothing");
    assert_eq!(status(dir.path()), VerifyStatus::Ok);
}

#[tokio::test]
async fn files_removed_swapped_doubled_or_added_are_noticed() {
    let dir = signed_log().await;
    let segments: Vec<_> =
        files(&dir.path().join("wal")).into_iter().map(|(p, _)| p.file_name().unwrap().to_owned()).collect();
    assert!(segments.len() >= 3, "{segments:?}");
    type Change = Box<dyn Fn(&Path)>;
    let mut changes: Vec<(String, Change, VerifyStatus)> = Vec::new();
    for segment in segments.clone() {
        changes.push((
            format!("{segment:?} removed"),
            Box::new(move |dir| fs::remove_file(dir.join("wal").join(&segment)).unwrap()),
            VerifyStatus::Integrity,
        ));
    }
    let (a, b) = (segments[0].clone(), segments[1].clone());
    changes.push((
        "two segments swapped".into(),
        Box::new(move |dir| {
            let (a, b) = (dir.join("wal").join(&a), dir.join("wal").join(&b));
            let (was_a, was_b) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
            fs::write(a, was_b).unwrap();
            fs::write(b, was_a).unwrap();
        }),
        VerifyStatus::Integrity,
    ));
    let (a, b) = (segments[0].clone(), segments[1].clone());
    changes.push((
        "a segment doubled".into(),
        Box::new(move |dir| {
            fs::copy(dir.join("wal").join(&a), dir.join("wal").join(&b)).unwrap();
        }),
        VerifyStatus::Integrity,
    ));
    let last = segments.last().unwrap().clone();
    changes.push((
        "a group said twice".into(),
        Box::new(move |dir| {
            let path = dir.join("wal").join(&last);
            let content = fs::read(&path).unwrap();
            fs::write(path, [content.clone(), content].concat()).unwrap();
        }),
        VerifyStatus::Integrity,
    ));
    changes.push((
        "a stranger among the segments".into(),
        Box::new(|dir| fs::write(dir.join("wal/notes.txt"), "hello").unwrap()),
        VerifyStatus::Integrity,
    ));
    for file in ["log.json", "checkpoint", "checkpoints"] {
        let name = format!("{file} removed");
        changes.push((
            name,
            Box::new(move |dir| fs::remove_file(dir.join(file)).unwrap()),
            VerifyStatus::Integrity,
        ));
    }
    changes.push((
        "the segments' folder removed".into(),
        Box::new(|dir| fs::remove_dir_all(dir.join("wal")).unwrap()),
        VerifyStatus::Integrity,
    ));
    changes.push((
        "everything removed".into(),
        Box::new(|dir| fs::remove_dir_all(dir).unwrap()),
        VerifyStatus::Unreadable,
    ));
    for (name, change, expected) in changes {
        let copy = crash_copy(dir.path());
        change(copy.path());
        assert_eq!(status(copy.path()), expected, "{name}");
        if expected == VerifyStatus::Integrity {
            let before = files(copy.path());
            assert!(matches!(AuditLog::open(copy.path(), unsigned()), Err(OpenError::Damaged(_))), "{name}");
            assert_eq!(files(copy.path()), before, "{name}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_missing_or_open_to_everybody_is_refused() {
    let dir = signed_log().await;
    let key = dir.path().join("key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(AuditLog::open(dir.path(), unsigned()), Err(OpenError::Key { .. })));
    fs::remove_file(&key).unwrap();
    let error = AuditLog::open(dir.path(), unsigned()).unwrap_err();
    assert!(matches!(&error, OpenError::KeyMissing { path } if *path == key), "{error}");
    let said = format!(
        "the signing key {} is missing; put it back: a log without its key cannot be continued",
        key.display()
    );
    assert_eq!(error.to_string(), said);
    assert!(!key.exists(), "no key is made for a log that is there");
    assert_eq!(status(dir.path()), VerifyStatus::Ok);
}

/// Whoever holds the signing key can write another history; not to somebody who kept a checkpoint.
#[tokio::test]
async fn a_rewritten_log_does_not_pass_against_a_checkpoint_kept_elsewhere() {
    let dir = signed_log().await;
    let kept = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    let identity = fs::read_to_string(dir.path().join("log.json")).unwrap();
    let public = identity.split('"').nth(11).and_then(PublicKey::parse).unwrap();
    let mut known = VerifyOptions::default();
    known.public_key = Some(public);
    known.checkpoint = Some(kept);
    assert_eq!(verify(dir.path(), &known).status, VerifyStatus::Ok);

    let forged = tempfile::tempdir().unwrap();
    let mut options = unsigned();
    options.origin = Some("example.org/evidence".into());
    options.key_path = Some(dir.path().join("key"));
    let log = AuditLog::open(forged.path(), options.clone()).unwrap();
    request(&log, 1).await;
    log.shutdown();
    assert_eq!(status(forged.path()), VerifyStatus::Ok, "by itself it is a sound log");
    assert_eq!(verify(forged.path(), &known).status, VerifyStatus::Integrity, "shorter");
    let log = AuditLog::open(forged.path(), options).unwrap();
    for n in 0..5 {
        request(&log, n).await;
    }
    log.shutdown();
    assert_eq!(verify(forged.path(), &known).status, VerifyStatus::Integrity, "longer, and another");

    let other = tempfile::tempdir().unwrap();
    AuditLog::open(other.path(), unsigned()).unwrap().shutdown();
    assert_eq!(verify(other.path(), &known).status, VerifyStatus::Integrity, "another key");
}
