//! How a command ends.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::output::{self, BOLD, ERROR, GOOD};

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exit(u8);

impl Exit {
    /// It is so.
    pub(crate) const OK: Self = Self(0);
    /// It is not so: something is wrong, failed, or is not there.
    pub(crate) const NO: Self = Self(1);
    /// The question could not be asked: a mistake in the call, or something that cannot be read.
    pub(crate) const UNASKED: Self = Self(2);
    /// An evidence log was tampered with, or damaged as no crash does it.
    pub(crate) const INTEGRITY: Self = Self(3);
    /// An evidence log cannot be read.
    pub(crate) const UNREADABLE: Self = Self(4);
    /// Whoever read the answer went away; what a shell reports of a command ended by SIGPIPE.
    const PIPE: Self = Self(141);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Why a command stopped before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads the answer any more.
    Pipe,
    /// Something is wrong, and this is what.
    Because {
        /// The exit code.
        exit: Exit,
        /// What, in one sentence.
        what: String,
        /// What to do about it.
        help: Option<String>,
    },
}

impl Stop {
    /// Stops with a sentence.
    pub(crate) fn because(exit: Exit, what: impl fmt::Display) -> Self {
        Self::Because { exit, what: what.to_string(), help: None }
    }

    /// Adds what to do about it.
    pub(crate) fn help(self, text: impl Into<String>) -> Self {
        match self {
            Self::Because { exit, what, .. } => Self::Because { exit, what, help: Some(text.into()) },
            Self::Pipe => self,
        }
    }

    /// Says it on standard error.
    pub(crate) fn tell(self) -> Exit {
        match self {
            Self::Pipe => Exit::PIPE,
            Self::Because { exit, what, help } => {
                output::note(&format!("{ERROR}error{ERROR:#}{BOLD}: {what}{BOLD:#}"));
                if let Some(help) = help {
                    output::note(&format!("  {GOOD}help{GOOD:#}: {help}"));
                }
                exit
            }
        }
    }
}

/// Only writing an answer gives a bare I/O error; everything else says what it was about.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Pipe;
        }
        Self::because(Exit::UNASKED, format!("the answer cannot be written: {error}"))
    }
}

/// What the system said of a file.
pub(crate) fn io_words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "there is no such file".to_owned();
    }
    error.to_string()
}

/// An error with all its causes, as one sentence.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !out.ends_with(&said) {
            out.push_str(": ");
            out.push_str(&said);
        }
        source = cause.source();
    }
    out
}
