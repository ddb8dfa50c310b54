//! What can go wrong. None of these holds anything that a request brought.

use std::io;
use std::path::PathBuf;

use consentry_model::Reason;

/// Why no ticket is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Every evidence slot is taken.
    #[error("no evidence slot is free")]
    Slots,
    /// The log cannot be written.
    #[error("the evidence log cannot be written")]
    Unhealthy,
}

impl Full {
    /// The reason to refuse with.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Slots => Reason::EvidenceFull,
            Self::Unhealthy => Reason::EvidenceUnavailable,
        }
    }
}

/// Why a record is not durable. Nothing may be released on its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A write or a sync failed, now or before; the log takes nothing until it is reopened.
    #[error("the evidence log cannot be written")]
    Unhealthy,
    /// The log was shut down.
    #[error("the evidence log is closed")]
    Closed,
    /// A record cannot be made to fit 65,535 bytes.
    #[error("the record does not fit")]
    TooLarge,
    /// The record cannot be expressed as JSON.
    #[error("the record cannot be encoded")]
    Encode,
}

impl LogError {
    /// The reason to refuse with.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::EvidenceUnavailable
    }
}

/// What is wrong with a log on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A file that must be there is missing.
    #[error("{} is missing", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{} at byte {offset}: {what}", file.display())]
    At {
        /// The file.
        file: PathBuf,
        /// The offset of the first wrong byte, or of the frame or note that holds it.
        offset: u64,
        /// The number of the record expected there.
        seq: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A signed checkpoint speaks of more records than there are.
    #[error("the log holds {size} records, its signed checkpoint {signed}")]
    Shorter {
        /// How many records there are.
        size: u64,
        /// How many were signed for.
        signed: u64,
    },
    /// A signed checkpoint names another root than the records have.
    #[error("the records below {size} are not those that were signed")]
    Root {
        /// The size signed for.
        size: u64,
    },
    /// A checkpoint's signature does not hold, or is another log's.
    #[error("the checkpoint in {} is not signed by the log's key", file.display())]
    Signature {
        /// The file.
        file: PathBuf,
    },
}

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process holds the log in {}", dir.display())]
    Locked {
        /// The log's folder.
        dir: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {}", path.display(), says(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log is damaged in a way that no crash leaves.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The signing key of a log that is there is missing.
    #[error("the signing key {} is missing; put it back: a log without its key cannot be continued", path.display())]
    KeyMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The signing key is malformed, open to others, or another log's.
    #[error("the signing key {} {what}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An option is out of range.
    #[error("the option {0}")]
    Option(&'static str),
    /// The system gives no random bytes.
    #[error("no random bytes are to be had")]
    Random,
}

/// What the system said, in words for operators.
fn says(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "there is no such file".to_owned();
    }
    error.kind().to_string()
}
