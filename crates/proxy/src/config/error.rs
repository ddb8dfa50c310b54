//! What is wrong with a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::says::says;

/// How many things that are wrong are told; further ones are counted.
pub(crate) const PROBLEMS_MAX: usize = 100;

/// One thing that is wrong, and where; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// Why a configuration cannot be used: everything that was found, in the order of the file.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    unreadable: Option<std::io::Error>,
    problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(crate) fn unreadable(file: &Path, error: std::io::Error) -> Self {
        Self { file: file.to_owned(), unreadable: Some(error), problems: Vec::new() }
    }

    pub(crate) fn wrong(file: &Path, mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by_key(|p| (p.line, p.column));
        if let Some(more) = problems.len().checked_sub(PROBLEMS_MAX).filter(|more| *more > 0) {
            problems.truncate(PROBLEMS_MAX);
            let at = problems.last().map_or((1, 1), |last| (last.line, last.column));
            let message = format!("{more} more things are wrong from here on");
            problems.push(ConfigProblem { line: at.0, column: at.1, message });
        }
        Self { file: file.to_owned(), unreadable: None, problems }
    }

    /// What is wrong with the text; empty when the file could not be read at all.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        if let Some(error) = &self.unreadable {
            return write!(f, "{file}: the configuration cannot be read: {}", says(error));
        }
        for (at, ConfigProblem { line, column, message }) in self.problems.iter().enumerate() {
            let end = if at + 1 < self.problems.len() { "\n" } else { "" };
            write!(f, "{file}:{line}:{column}: {message}{end}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.unreadable.as_ref().map(|e| e as _)
    }
}
