//! Starting a program: its output is shown as it comes and kept for reading.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tally::Tally;

/// A program to be run at the top of the repository.
pub(crate) struct Run {
    command: Command,
}

/// How a program ended.
pub(crate) struct Ended {
    /// What it wrote to its standard output.
    pub(crate) output: String,
    /// Why it is not a success, or `None` if it is one.
    pub(crate) failure: Option<String>,
}

impl Run {
    /// Sets an environment variable for it.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it as one check of that name.
    pub(crate) fn check(self, name: &str) -> Tally {
        match self.shown().failure {
            None => Tally::one_pass(),
            Some(why) => Tally::one_failure(name, &why),
        }
    }

    /// Runs it, showing what it writes line by line.
    pub(crate) fn shown(mut self) -> Ended {
        let line = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        println!("$ {}", line.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "));
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(e) => {
                return Ended { output: String::new(), failure: Some(format!("could not be started: {e}")) };
            }
        };
        let mut output = String::new();
        let mut unread = None;
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout);
            let mut line = Vec::new();
            loop {
                line.clear();
                match lines.read_until(b'\n', &mut line) {
                    Ok(0) => break,
                    Ok(_) => {
                        let text = String::from_utf8_lossy(&line);
                        print!("{text}");
                        // Shown or not, the run goes on: what counts is kept below.
                        drop(std::io::stdout().flush());
                        output.push_str(&text);
                    }
                    Err(e) => {
                        unread = Some(format!("its output could not be read: {e}"));
                        break;
                    }
                }
            }
        }
        let failure = match child.wait() {
            Ok(status) if status.success() => unread,
            Ok(status) => Some(status.to_string()),
            Err(e) => Some(format!("it could not be waited for: {e}")),
        };
        Ended { output, failure }
    }

    /// Runs it without showing anything; true if it succeeded.
    pub(crate) fn quietly_succeeds(mut self) -> bool {
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }
}

/// Some program.
pub(crate) fn program<S: AsRef<OsStr>>(name: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(name);
    command.args(args).current_dir(root());
    // What cargo says about this package is not true of what this package starts.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    Run { command }
}

/// The same cargo that runs this program.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// The top of the repository: of the checkout that runs this, not of the one that built it, should they share a target.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

/// Sees to it that a component of the toolchain is there, and says so when it has to be installed.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn ensure_component(component: &str, subcommand: &str) -> Result<(), String> {
    let is_there = || cargo([subcommand, "--version"]).quietly_succeeds();
    if is_there() {
        return Ok(());
    }
    println!("{component} is not installed; installing it");
    match program("rustup", ["component", "add", component]).shown().failure {
        None if is_there() => Ok(()),
        None => Err(format!("{component} is still missing after it was installed")),
        Some(why) => Err(format!("{component} is missing and rustup could not add it: {why}")),
    }
}
