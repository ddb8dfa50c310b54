//! Running the command.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test that panics has failed"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The command, told nothing by the environment that would change what it says.
pub(crate) fn consentry() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    for name in ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What it said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(args: &[&str]) -> Said {
    said(consentry().args(args).output().unwrap())
}

pub(crate) fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A bundle as `init` writes it.
pub(crate) fn fresh_bundle() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let said = run(&["init", path(dir.path())]);
    assert_eq!(said.code, 0, "{}", said.err);
    dir
}
