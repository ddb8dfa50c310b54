//! A sealed bundle that changes, is half written or disappears while it is read: one version whole, or none.
#![allow(clippy::panic, clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use consentry_policy::{SealedSource, Sources, seal};

const FILES: usize = 6;
const READS: usize = 600;

fn text(version: usize, file: usize) -> String {
    format!("# version {version}\n{}", format!("k{file}: {version}\n").repeat(200))
}

/// Writes a version file by file, as an editor or a copy does, and seals it last.
fn write(dir: &Path, version: usize) {
    for file in 0..FILES {
        // Some deployments take the old file away first.
        if file % 2 == 0 {
            drop(fs::remove_file(dir.join(format!("f{file}.yaml"))));
        }
        fs::write(dir.join(format!("f{file}.yaml")), text(version, file)).unwrap();
    }
    seal(dir, &Sources::read(dir).unwrap()).unwrap();
}

#[test]
fn law_1_a_bundle_that_changes_while_it_is_read_is_read_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0);
    let stop = AtomicBool::new(false);
    let (mut whole, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut version = 0;
            while !stop.load(Ordering::Relaxed) {
                version = 1 - version;
                write(dir.path(), version);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        for _ in 0..READS {
            let Ok(read) = SealedSource::read(dir.path()) else {
                refused += 1;
                continue;
            };
            whole += 1;
            let texts: Vec<&str> = read.sources.iter().map(|(_, text)| text).collect();
            let version = usize::from(texts.first().is_some_and(|text| text.starts_with("# version 1")));
            let expected: Vec<String> = (0..FILES).map(|file| text(version, file)).collect();
            assert_eq!(texts, expected);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(whole > 0, "never read whole; {refused} times refused");
    write(dir.path(), 0);
    assert!(SealedSource::read(dir.path()).is_ok());
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(SealedSource::read(dir.path()).is_err(), "the folder is gone");
}
