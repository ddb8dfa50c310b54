//! The handle of an open log.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use consentry_model::{Moment, Reason};
use tokio::sync::oneshot;

use crate::checkpoint::PublicKey;
use crate::error::{Full, LogError, OpenError};
use crate::id::{RandomSource, RecordId, timestamp};
use crate::layout::io_error;
use crate::message::{Append, Message, Then};
use crate::options::LogOptions;
use crate::receipt::{Commit, Receipt};
use crate::record::{Body, Kind, Note, Summary, encode_note, encode_system};
use crate::recover::recover;
use crate::state::{Failure, Health, State};
use crate::ticket::Ticket;
use crate::trace_context::TraceParent;
use crate::writer::Writer;

/// An open evidence log. Clones are handles of the same log; one process at a time can have it open.
#[derive(Clone)]
pub struct AuditLog {
    inner: Arc<Inner>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditLog({})", self.inner.public_key.origin())
    }
}

struct Inner {
    queue: Sender<Message>,
    state: Arc<State>,
    random: Arc<RandomSource>,
    public_key: PublicKey,
    traces_are_kept: bool,
    strangers: Strangers,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Says that the log is closed when the writer's thread ends, however it ends.
struct Gone {
    state: Arc<State>,
    clock: Arc<dyn Fn() -> Moment + Send + Sync>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.state.fail(Failure::Closed, (self.clock)());
    }
}

/// Requests refused before anybody was known to have made them, by the position of the reason.
struct Strangers {
    counts: Vec<AtomicU64>,
    since: Mutex<Moment>,
}

impl AuditLog {
    /// Opens the log in a folder, creating it if there is none; checks all of it, cuts off what a crash left
    /// incomplete, records the opening and signs a checkpoint. It reads the whole log, and blocks.
    ///
    /// # Errors
    /// When another process has it open, when it cannot be written, and when it is damaged in a way that no crash
    /// explains: such a log is left as it is.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Self, OpenError> {
        let random = Arc::new(RandomSource::new().map_err(|_| OpenError::Random)?);
        let recovered = recover(dir, &options)?;
        let dropped_bytes = recovered.dropped_bytes;
        let state = Arc::new(State::new(options.slots_max));
        let opened_at = (options.clock)();
        let traces_are_kept = options.telemetry.is_on();
        let gone = Gone { state: Arc::clone(&state), clock: Arc::clone(&options.clock) };
        let mut writer = Writer::new(recovered, options, Arc::clone(&state), Arc::clone(&random));
        writer.open(dropped_bytes).map_err(|failure| {
            let kind = match failure {
                Failure::Segment(kind) | Failure::Checkpoint(kind) => kind,
                Failure::Closed => std::io::ErrorKind::Other,
            };
            io_error(dir, kind.into())
        })?;
        let public_key = writer.public_key();
        let (queue, messages) = channel();
        let thread = std::thread::Builder::new()
            .name("evidence".into())
            .spawn(move || {
                let _gone = gone;
                writer.run(&messages);
            })
            .map_err(|e| io_error(dir, e))?;
        let counts = Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        let strangers = Strangers { counts, since: Mutex::new(opened_at) };
        let writer = Mutex::new(Some(thread));
        let inner = Inner { queue, state, random, public_key, traces_are_kept, strangers, writer };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes an evidence slot for a request. It never waits.
    ///
    /// # Errors
    /// When every slot is taken, or the log cannot be written; both are counted.
    pub fn reserve(&self, now: Moment) -> Result<Ticket, Full> {
        let Inner { state, random, .. } = &*self.inner;
        if !state.is_healthy() {
            state.requests_refused.fetch_add(1, Ordering::Relaxed);
            return Err(Full::Unhealthy);
        }
        let slot = state.take_slot().ok_or(Full::Slots)?;
        let id = RecordId::at(now, random.bytes());
        let sampled = self.inner.traces_are_kept;
        let (trace_id, span_id) = random.two();
        let own = TraceParent { trace_id, span_id, sampled };
        Ok(Ticket::new(id, self.inner.queue.clone(), slot, Ticket::span_facts(now, own)))
    }

    /// Hands a record that belongs to no request to the writer.
    ///
    /// # Errors
    /// Awaiting gives [`LogError`] when the record is not durable.
    pub fn note(&self, note: impl Into<Note>) -> Commit {
        self.append(encode_note(&note.into()))
    }

    fn append(&self, body: Result<Body, LogError>) -> Commit {
        let (answer, waiting) = oneshot::channel();
        let send = |body| {
            let append = Append { bodies: vec![body], ticket: None, then: Then::Answer(answer) };
            self.inner.queue.send(Message::Append(append)).map_err(|_| LogError::Closed)
        };
        match body.and_then(send) {
            Ok(()) => Commit::waiting(waiting),
            Err(error) => Commit::refused(error),
        }
    }

    /// Counts a request that was refused before anybody was known to have made it.
    pub fn count_refused_stranger(&self, reason: Reason) {
        let at = Reason::ALL.iter().position(|r| *r == reason);
        if let Some(count) = at.and_then(|at| self.inner.strangers.counts.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records what was counted since the last time, if anything was.
    ///
    /// # Errors
    /// When the record is not durable; the counts are kept for the next time.
    pub async fn flush_summary(&self, now: Moment) -> Result<Option<Receipt>, LogError> {
        let Strangers { counts, .. } = &self.inner.strangers;
        let taken: Vec<u64> = counts.iter().map(|count| count.swap(0, Ordering::Relaxed)).collect();
        let named: std::collections::BTreeMap<Reason, u64> =
            Reason::ALL.iter().copied().zip(taken.iter().copied()).filter(|(_, n)| *n > 0).collect();
        if named.is_empty() {
            return Ok(None);
        }
        let since = std::mem::replace(&mut *self.summary_since(), now);
        let summary = Summary { since: timestamp(since), until: timestamp(now), counts: named };
        let written = self.append(encode_system(Kind::Summary, &summary)).await;
        if written.is_err() {
            for (count, taken) in counts.iter().zip(taken) {
                count.fetch_add(taken, Ordering::Relaxed);
            }
            *self.summary_since() = since;
        }
        written.map(Some)
    }

    fn summary_since(&self) -> MutexGuard<'_, Moment> {
        self.inner.strangers.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything handed over before is dealt with: durable, or counted as lost.
    ///
    /// # Errors
    /// When the log is closed.
    pub async fn flush(&self) -> Result<(), LogError> {
        let (done, waiting) = oneshot::channel();
        self.inner.queue.send(Message::Flush(done)).map_err(|_| LogError::Closed)?;
        waiting.await.map_err(|_| LogError::Closed)
    }

    /// Tries to write again after a failure: cuts off what was never acknowledged, begins a new segment and records
    /// the outage. A log that writes is left alone. Call it now and then while [`is_healthy`](Self::is_healthy)
    /// says no.
    ///
    /// # Errors
    /// When the log still cannot be written, or is closed.
    pub async fn reopen(&self) -> Result<(), LogError> {
        let (done, waiting) = oneshot::channel();
        self.inner.queue.send(Message::Reopen(done)).map_err(|_| LogError::Closed)?;
        waiting.await.map_err(|_| LogError::Closed)?
    }

    /// Whether records become durable. Where this is false, personal data is not served.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.inner.state.is_healthy()
    }

    /// How the log is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.inner.state.health()
    }

    /// The key that the log's checkpoints are checked with, and the log's name. Whoever is to check the log without
    /// trusting this machine keeps a copy of it.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.inner.public_key
    }

    /// Writes and signs what has been handed over, and ends the writer. It blocks until that is done. Tickets that
    /// are open still cannot be recorded afterwards; close them first.
    pub fn shutdown(&self) {
        // A writer that is gone already needs no telling.
        drop(self.inner.queue.send(Message::Stop));
        let thread = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the evidence log had ended by a panic");
        }
    }
}
