//! From a request to its evidence.

use std::path::Path;
use std::time::Duration;

use consentry_audit::{Entry, OpenError, Reader, Record, RecordId};

use crate::stop::{Exit, Stop};

/// How often the log is looked at for the last record of a request, and how long between two looks.
const LOOKS_MAX: usize = 200;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A trace that no other request has: the time in nanoseconds, which moves between two requests.
pub(super) fn trace_id() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:032x}", since.as_nanos())
}

/// All records of the request with this trace, once the last of them is there.
pub(super) async fn find(dir: &Path, trace: &str) -> Result<Vec<Record>, Stop> {
    for _ in 0..LOOKS_MAX {
        let records = look(dir, trace).map_err(|e| Stop::because(Exit::NO, format!("the evidence: {e}")))?;
        if records.iter().any(|r| matches!(r.entry(), Entry::Outcome(_))) {
            return Ok(records);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Stop::because(Exit::NO, "the evidence of a request that was answered is not there"))
}

/// Waits until a signed checkpoint covers every record. One that never comes is told by whoever verifies.
pub(super) async fn all_signed(dir: &Path) {
    let signed = || -> Result<bool, OpenError> {
        let reader = Reader::open(dir)?;
        let records = reader.records().try_fold(0_u64, |n, record| record.map(|_| n + 1))?;
        Ok(reader.checkpoint()?.size >= records)
    };
    for _ in 0..LOOKS_MAX {
        if matches!(signed(), Ok(true)) {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn look(dir: &Path, trace: &str) -> Result<Vec<Record>, OpenError> {
    let reader = Reader::open(dir)?;
    let mut ticket: Option<RecordId> = None;
    for record in reader.records() {
        let record = record?;
        if matches!(record.entry(), Entry::Head(head) if head.trace_id == trace) {
            ticket = record.ticket();
        }
    }
    ticket.map_or(Ok(Vec::new()), |id| reader.ticket(id))
}
