//! What the handles of a log and its writer thread share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consentry_model::Moment;

use crate::bell::Bell;

/// What went wrong with a log that does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A segment could not be created, written or synced.
    Segment(std::io::ErrorKind),
    /// A checkpoint could not be written.
    Checkpoint(std::io::ErrorKind),
    /// The log was shut down, or its writer is gone.
    Closed,
}

/// How a log is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Why it does not write; `None` when it does.
    pub failure: Option<Failure>,
    /// How many records are durable.
    pub records: u64,
    /// How many of them a signed checkpoint covers.
    pub signed_records: u64,
    /// How many evidence slots are taken.
    pub slots_used: usize,
    /// How many there are.
    pub slots_max: usize,
    /// Requests refused since the log was opened because every slot was taken.
    pub full_total: u64,
    /// Requests that ended during the present outage and whose last record is lost.
    pub closings_lost: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    healthy: AtomicBool,
    failure: Mutex<Option<(Failure, Moment)>>,
    pub(crate) records: AtomicU64,
    pub(crate) signed_records: AtomicU64,
    slots_used: AtomicUsize,
    slots_max: usize,
    full_total: AtomicU64,
    pub(crate) closings_lost: AtomicU64,
    pub(crate) commits_failed: AtomicU64,
    pub(crate) requests_refused: AtomicU64,
    pub(crate) bell: Bell,
}

impl State {
    pub(crate) fn new(slots_max: usize) -> Self {
        Self {
            healthy: AtomicBool::new(true),
            failure: Mutex::new(None),
            records: AtomicU64::new(0),
            signed_records: AtomicU64::new(0),
            slots_used: AtomicUsize::new(0),
            slots_max,
            full_total: AtomicU64::new(0),
            closings_lost: AtomicU64::new(0),
            commits_failed: AtomicU64::new(0),
            requests_refused: AtomicU64::new(0),
            bell: Bell::default(),
        }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    /// The first failure stays until the log writes again.
    pub(crate) fn fail(&self, failure: Failure, now: Moment) {
        self.healthy.store(false, Ordering::Release);
        self.failure().get_or_insert((failure, now));
    }

    /// Since when the log does not write.
    pub(crate) fn failed_since(&self) -> Option<Moment> {
        self.failure().map(|(_, since)| since)
    }

    /// What an outage costs: closing records, commits and requests.
    pub(crate) const fn losses(&self) -> [&AtomicU64; 3] {
        [&self.closings_lost, &self.commits_failed, &self.requests_refused]
    }

    pub(crate) fn heal(&self) {
        *self.failure() = None;
        self.healthy.store(true, Ordering::Release);
    }

    fn failure(&self) -> MutexGuard<'_, Option<(Failure, Moment)>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> Health {
        let failure = self.failure().map(|(failure, _)| failure);
        Health {
            failure: if self.is_healthy() { None } else { failure.or(Some(Failure::Closed)) },
            records: self.records.load(Ordering::Acquire),
            signed_records: self.signed_records.load(Ordering::Acquire),
            slots_used: self.slots_used.load(Ordering::Acquire),
            slots_max: self.slots_max,
            full_total: self.full_total.load(Ordering::Relaxed),
            closings_lost: self.closings_lost.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn slots_used(&self) -> usize {
        self.slots_used.load(Ordering::Acquire)
    }

    /// Takes a slot, if one is free.
    pub(crate) fn take_slot(self: &Arc<Self>) -> Option<Slot> {
        let taken = self.slots_used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            (used < self.slots_max).then_some(used + 1)
        });
        if taken.is_err() {
            self.full_total.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Slot { state: Arc::clone(self), recorded: false })
    }
}

/// An evidence slot. It goes with the ticket and then with the ticket's last record, and is free again when that
/// is dealt with. Dropped before the record is durable, wherever that happens, it counts as a lost closing.
#[derive(Debug)]
pub(crate) struct Slot {
    state: Arc<State>,
    recorded: bool,
}

impl Slot {
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// The ticket's last record is durable.
    pub(crate) fn recorded(mut self) {
        self.recorded = true;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.recorded {
            self.state.closings_lost.fetch_add(1, Ordering::Relaxed);
        }
        self.state.slots_used.fetch_sub(1, Ordering::AcqRel);
    }
}
