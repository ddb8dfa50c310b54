//! The bundles in `policies/`: each is checked, its invariants are proved, and its cases are run.

use std::path::{Path, PathBuf};

use crate::run::{Run, cargo, program, root};
use crate::tally::Tally;
use crate::{solver, tests};

/// A test of the command, with which cargo builds the command as well.
const TEST_OF_COMMAND: &str = "serving";

/// Checks, proves and tests every bundle.
pub(crate) fn all() -> Tally {
    let bundles = match bundles(&root().join("policies")) {
        Ok(bundles) => bundles,
        Err(e) => return Tally::one_failure("policies", &format!("the folder cannot be read: {e}")),
    };
    if bundles.is_empty() {
        return Tally::one_skip("policies", "no folder in policies/ has a bundle.yaml");
    }
    if let Err(why) = build() {
        return Tally::one_failure("policies", &why);
    }
    let mut tally = Tally::default();
    let solver = solver::ensure();
    for bundle in bundles {
        let folder = format!("policies/{bundle}");
        tally.add(consentry("check", &folder).check(&format!("consentry check {folder}")));
        tally.add(proof(&folder, &solver));
        tally.add(cases(&folder));
    }
    tally
}

/// Builds the command as the tests have it: with the same features nothing is compiled a second time.
pub(crate) fn build() -> Result<(), String> {
    // One that was left there would be taken for what is built now, were it built elsewhere. There may be none.
    drop(std::fs::remove_file(built()));
    let tests = ["test", "--workspace", "--exclude", tests::BENCHES, "--test", TEST_OF_COMMAND, "--no-run"];
    cargo(tests).shown().failure.map_or(Ok(()), |why| Err(format!("the command does not build: {why}")))
}

/// The command as [`build`] has built it.
pub(crate) fn command(arguments: &[&str]) -> Run {
    program(built(), arguments)
}

fn built() -> PathBuf {
    tests::target().join("debug/consentry")
}

/// The invariants, in every cell of the registry; and, where a solver is there, over any registry.
fn proof(folder: &str, solver: &Result<(), String>) -> Tally {
    let over_any = format!("consentry prove --any-registry {folder}");
    match solver {
        Ok(()) => consentry("prove", folder).args(["--any-registry"]).check(&over_any),
        Err(why) => {
            let mut tally = consentry("prove", folder).check(&format!("consentry prove {folder}"));
            tally.add(Tally::one_skip(&over_any, why));
            tally
        }
    }
}

fn cases(folder: &str) -> Tally {
    let name = format!("consentry test {folder}");
    let ended = consentry("test", folder).shown();
    match (Tally::of_policy_test(&name, &ended.output), ended.failure) {
        (Some(mut tally), Some(why)) => {
            if tally.failed == 0 {
                tally.fail(format!("{name}: {why}"));
            }
            tally
        }
        (Some(tally), None) if tally.passed + tally.failed > 0 => tally,
        (Some(_), None) => Tally::one_failure(&name, "it has no case"),
        (None, Some(why)) => Tally::one_failure(&name, &why),
        (None, None) => Tally::one_failure(&name, "it does not say how many passed and failed"),
    }
}

fn consentry(verb: &str, folder: &str) -> Run {
    command(&[verb, folder])
}

/// The names of the folders that are bundles, sorted.
fn bundles(policies: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(policies)? {
        let path: PathBuf = entry?.path();
        if path.join("bundle.yaml").is_file()
            && let Some(name) = path.file_name()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
