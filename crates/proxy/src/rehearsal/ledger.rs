//! A ledger in memory that can be out of reach, and that keeps what an exchange wrote to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use consentry_consent::{
    Appended, Batch, Ledger, LedgerError, LedgerErrorKind, Limit, MemoryLedger, Reserved,
};
use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment};

/// What was written, and for whom.
pub(super) type Written = Vec<(Identifier, LedgerEvent)>;

/// Answers from memory until it is taken down.
#[derive(Default)]
pub(super) struct StageLedger {
    inner: MemoryLedger,
    down: AtomicBool,
    written: Mutex<Written>,
}

impl StageLedger {
    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Release);
    }

    /// Everything that was written since this was asked last.
    pub(super) fn take_written(&self) -> Written {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn up(&self) -> Result<&MemoryLedger, LedgerError> {
        if self.down.load(Ordering::Acquire) {
            return Err(LedgerError::new(LedgerErrorKind::Unavailable, "the case takes the ledger down"));
        }
        Ok(&self.inner)
    }

    fn keep(&self, who: &Identifier, events: &[LedgerEvent]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend(events.iter().map(|event| (who.clone(), event.clone())));
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
        let appended = self.up()?.append(who, events, recorded_at).await?;
        self.keep(who, events);
        Ok(appended)
    }

    async fn reserve(
        &self,
        who: &Identifier,
        event: &LedgerEvent,
        limits: &[Limit],
        recorded_at: Moment,
    ) -> Result<Reserved, LedgerError> {
        let reserved = self.up()?.reserve(who, event, limits, recorded_at).await?;
        if matches!(reserved, Reserved::Placed(_)) {
            self.keep(who, std::slice::from_ref(event));
        }
        Ok(reserved)
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
