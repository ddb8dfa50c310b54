//! Tests that cannot run where they are.

use std::io::Write;

/// Says that a test did not run, and why. The test returns right after it.
///
/// The harness of Rust has no such outcome: it will count the test as passed. `cargo xtask` therefore names a file in
/// `CONSENTRY_SKIP_LOG`; a line `SKIPPED <name>: <reason>` in it moves one test from the passed to the skipped ones.
/// The name is `<test binary>::<test>`, and must be the same whenever the same test says it. Tests in other packages
/// may write the line themselves.
///
/// # Panics
/// When the file is named and cannot be written: a skipped test must not pass for one that ran.
pub fn skip(name: &str, reason: &str) {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = format!("SKIPPED {}: {}\n", one_line(name), one_line(reason));
    eprint!("{line}");
    if let Some(log) = std::env::var_os("CONSENTRY_SKIP_LOG") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
        // One write of one line: several test binaries may append at once.
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the list of skipped tests can be written");
    }
}
