//! Evidence: a durable record of every ruling, in a log that shows when it was tampered with.
//!
//! No evidence, no data. A request first [reserves](AuditLog::reserve) an evidence slot and holds it as a
//! [`Ticket`]. The ruling is [committed](Ticket::commit) before the service behind is called, the verdicts on each
//! window of a body before its bytes leave; a [`Receipt`] is the proof that a record is durable, and only the log
//! makes receipts. The ticket is [closed](Ticket::close) exactly once; one that is dropped is closed as abandoned.
//! When the log cannot be written, every commit fails and stays failed until [`AuditLog::reopen`] succeeds.
//!
//! ```
//! use consentry_audit::{AuditLog, Closing, End, Head, LogOptions, Reader};
//! use consentry_model::{Moment, Outcome};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let log = AuditLog::open(folder.path(), LogOptions::default())?;
//!
//! let mut ticket = log.reserve(Moment::from_unix_millis(1_795_305_600_000))?;
//! let receipt = ticket.commit(Head::new(Outcome::Allow)).await?; // durable from here on
//! assert_eq!(receipt.ticket(), Some(ticket.id()));
//! ticket.close(&Closing::new(End::Delivered));
//!
//! log.shutdown();
//! assert_eq!(Reader::open(folder.path())?.records().count(), 3); // log.opened, head, outcome
//! # Ok(())
//! # }
//! ```
//!
//! # On disk
//!
//! | file | what |
//! |---|---|
//! | `log.json` | name, format, public key |
//! | `key` | the signing key's seed, mode 0600; may be kept elsewhere |
//! | `LOCK` | locked while a process has the log open |
//! | `wal/<number of the first record>.wal` | segments: frames of records, and a marker after each group that became durable together |
//! | `checkpoint` | the newest signed size and root, a C2SP signed note |
//! | `checkpoints` | all of them, oldest first |
//!
//! Records are the leaves of an RFC 6962 Merkle tree, hashed exactly as stored. [`verify()`] checks all of it and needs
//! nothing but the folder; given a public key and a checkpoint that were kept elsewhere, it needs not trust the folder.
//!
//! OpenTelemetry spans are a copy for operators: they may be lost, evidence may not.

mod bell;
mod checkpoint;
mod error;
mod frame;
mod group;
mod id;
mod layout;
mod log;
mod merkle;
mod message;
mod options;
#[cfg(feature = "otlp")]
mod otel;
#[cfg(feature = "otlp")]
mod otlp_client;
mod precedents;
mod reader;
mod receipt;
mod record;
mod recover;
mod search;
mod state;
mod storage;
mod telemetry;
mod ticket;
mod trace_context;
mod verify;
mod walk;
mod writer;

pub use checkpoint::{Checkpoint, PublicKey};
pub use error::{Damage, Full, LogError, OpenError};
pub use frame::RECORD_BYTES_MAX;
pub use id::RecordId;
pub use log::AuditLog;
pub use merkle::{Hash, leaf_hash};
pub use options::LogOptions;
pub use reader::{Reader, Records};
pub use receipt::{Commit, Receipt};
pub use record::{
    Closing, ConsentChanged, Direction, End, Entry, FactWord, FactWords, Head, Kind, LogOpened, LogOutage,
    LogRecovered, Note, PathCount, PolicyInstalled, PolicyRefused, Precedent, PurposeSource, ReadError,
    Record, Step, Summary, Unmet, VerdictLine, Verdicts, Worded, Wording,
};
pub use search::{Found, Search};
pub use state::{Failure, Health};
pub use storage::{Disk, Segment, Storage};
pub use telemetry::{Telemetry, TelemetryError};
pub use ticket::Ticket;
pub use trace_context::TraceParent;
pub use verify::{VerifyFailure, VerifyOptions, VerifyReport, VerifyStatus, verify};
