//! A ledger in memory that can be out of reach.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use consentry_consent::{Appended, Batch, Ledger, LedgerError, LedgerErrorKind, MemoryLedger};
use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment};

/// Answers from memory until it is taken down.
#[derive(Default)]
pub(super) struct StageLedger {
    inner: MemoryLedger,
    down: AtomicBool,
}

impl StageLedger {
    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Release);
    }

    fn up(&self) -> Result<&MemoryLedger, LedgerError> {
        if self.down.load(Ordering::Acquire) {
            return Err(LedgerError::new(LedgerErrorKind::Unavailable, "the case takes the ledger down"));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Ledger for StageLedger {
    async fn resolve(&self, who: &[Identifier]) -> Result<Batch, LedgerError> {
        self.up()?.resolve(who).await
    }

    async fn append(
        &self,
        who: &Identifier,
        events: &[LedgerEvent],
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        self.up()?.append(who, events, recorded_at).await
    }

    async fn link(
        &self,
        known: &Identifier,
        also: &Identifier,
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        self.up()?.link(known, also, recorded_at).await
    }

    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        self.up()?.revision().await
    }
}
