//! The solver cvc5, which proves invariants over any registry.

use crate::run::program;

/// Sees to it that the solver is there, and says so when it has to be installed.
///
/// # Errors
/// When it is missing and cannot be installed; what needs it is then skipped by name.
pub(crate) fn ensure() -> Result<(), String> {
    let is_there = || program("cvc5", ["--version"]).quietly_succeeds();
    if is_there() {
        return Ok(());
    }
    println!("cvc5 is not installed; installing it");
    let apt = |args: &[&str]| {
        let run = program("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive");
        run.shown().failure
    };
    // Lists of packages that cannot be brought up to date may still do.
    drop(apt(&["update"]));
    let failed = apt(&["install", "--yes", "--no-install-recommends", "cvc5"]);
    match failed {
        _ if is_there() => Ok(()),
        Some(why) => Err(format!("cvc5 is missing and apt-get could not install it: {why}")),
        None => Err("cvc5 is still missing after it was installed".to_owned()),
    }
}
