//! What the writer is asked to do.

use tokio::sync::oneshot;

use crate::error::LogError;
use crate::id::RecordId;
use crate::receipt::Receipt;
use crate::record::Body;
use crate::state::Slot;
use crate::telemetry::SpanFacts;

/// What the writer is asked.
pub(crate) enum Message {
    /// Write these records, all in one group.
    Append(Append),
    /// Say when everything before this has been dealt with.
    Flush(oneshot::Sender<()>),
    /// Try to write again after a failure.
    Reopen(oneshot::Sender<Result<(), LogError>>),
    /// Write what is there, sign it, and end.
    Stop,
}

/// Records that are written together, and whom to tell.
pub(crate) struct Append {
    pub(crate) bodies: Vec<Body>,
    pub(crate) ticket: Option<RecordId>,
    pub(crate) then: Then,
}

/// What follows when records are durable, or are not.
pub(crate) enum Then {
    /// Somebody waits.
    Answer(oneshot::Sender<Result<Receipt, LogError>>),
    /// A ticket is closed: free its slot, send its span.
    Close(Box<SpanFacts>, Slot),
    /// The log's own records.
    Nothing,
}
