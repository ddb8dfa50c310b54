//! The proof that a record is durable.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use consentry_model::Moment;
use tokio::sync::oneshot;

use crate::error::LogError;
use crate::id::RecordId;
use crate::merkle::Hash;
use crate::record::Kind;

/// The proof that a record is durable. Only the log makes receipts, after the sync; protected bytes are released
/// against one and no other way.
///
/// ```compile_fail
/// let forged = consentry_audit::Receipt { seq: 0 };
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) id: RecordId,
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) ticket: Option<RecordId>,
    pub(crate) leaf_hash: Hash,
    pub(crate) ts: Moment,
}

impl Receipt {
    /// The record's id. Of a record that was spread over several, this and the rest are the last one's.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// The record's number in the log, from 0.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The record's type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The ticket that the record belongs to.
    #[must_use]
    pub const fn ticket(&self) -> Option<RecordId> {
        self.ticket
    }

    /// The hash of the record's leaf in the tree.
    #[must_use]
    pub const fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }

    /// The time in the record.
    #[must_use]
    pub const fn ts(&self) -> Moment {
        self.ts
    }
}

/// A record on its way to the disk. It was handed to the writer when this was made; awaiting it says what became
/// of it, and dropping it changes nothing. It borrows nothing and can be polled from a body.
#[derive(Debug)]
#[must_use = "nothing may be released before this says that the record is durable"]
pub struct Commit(Waiting);

#[derive(Debug)]
enum Waiting {
    Refused(LogError),
    For(oneshot::Receiver<Result<Receipt, LogError>>),
}

impl Commit {
    pub(crate) const fn refused(error: LogError) -> Self {
        Self(Waiting::Refused(error))
    }

    pub(crate) const fn waiting(answer: oneshot::Receiver<Result<Receipt, LogError>>) -> Self {
        Self(Waiting::For(answer))
    }
}

impl Future for Commit {
    type Output = Result<Receipt, LogError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Refused(error) => Poll::Ready(Err(*error)),
            Waiting::For(answer) => {
                Pin::new(answer).poll(context).map(|answer| answer.unwrap_or(Err(LogError::Closed)))
            }
        }
    }
}
