//! How a log is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use consentry_model::Moment;

use crate::error::OpenError;
use crate::storage::{Disk, Storage};
use crate::telemetry::Telemetry;

/// How a log is opened. Start from [`LogOptions::default`] and change what should differ.
///
/// ```
/// let mut options = consentry_audit::LogOptions::default();
/// options.slots_max = 1_024;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// The name of a new log, without spaces and plus signs, such as `example.org/evidence/node-1`. `None` makes one
    /// up. An existing log keeps its name; another one given here is an error.
    pub origin: Option<String>,
    /// Where the signing key is kept; `None` is `key` in the log's folder.
    pub key_path: Option<PathBuf>,
    /// How many tickets can be open at a time. Default 4,096.
    pub slots_max: usize,
    /// A new segment is begun when one has this many bytes. Default 64 MiB.
    pub segment_bytes_max: u64,
    /// Records stay without a signed checkpoint no longer than this, while the log is open. Default one second.
    pub checkpoint_every: Duration,
    /// A checkpoint is signed after this many records at the latest. Default 10,000.
    pub checkpoint_records_max: u64,
    /// Where spans go. Default nowhere.
    pub telemetry: Telemetry,
    /// Tells the time of records. Default the system's clock.
    pub clock: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Where bytes go. Default the file system.
    pub storage: Arc<dyn Storage>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            origin: None,
            key_path: None,
            slots_max: 4_096,
            segment_bytes_max: 64 << 20,
            checkpoint_every: Duration::from_secs(1),
            checkpoint_records_max: 10_000,
            telemetry: Telemetry::none(),
            clock: Arc::new(|| Moment::from_system(std::time::SystemTime::now())),
            storage: Arc::new(Disk),
        }
    }
}

impl LogOptions {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let name_is_good = self.origin.as_deref().is_none_or(crate::checkpoint::is_name);
        for (good, what) in [
            (name_is_good, "`origin` names no log: no spaces, no plus signs, 200 bytes at most"),
            (self.slots_max > 0, "`slots_max` is 0"),
            (self.segment_bytes_max > 0, "`segment_bytes_max` is 0"),
            (self.checkpoint_records_max > 0, "`checkpoint_records_max` is 0"),
        ] {
            if !good {
                return Err(OpenError::Option(what));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOptions")
            .field("origin", &self.origin)
            .field("slots_max", &self.slots_max)
            .field("segment_bytes_max", &self.segment_bytes_max)
            .field("checkpoint_every", &self.checkpoint_every)
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}
