//! The one thread that writes: it drains the queue, writes a group, syncs once, and answers everybody in it.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use consentry_model::{Moment, hex};

use crate::checkpoint::NoteSigner;
use crate::error::LogError;
use crate::frame::{put_marker, put_record};
use crate::group::Group;
use crate::id::{RandomSource, RecordId, timestamp};
use crate::layout::{FORMAT, Layout};
use crate::merkle::{CompactTree, leaf_hash};
use crate::message::{Append, Message, Then};
use crate::options::LogOptions;
use crate::precedents::Precedents;
use crate::receipt::Receipt;
use crate::record::{Body, Kind, LogOpened, LogOutage, LogRecovered, encode_system};
use crate::recover::Recovered;
use crate::state::{Failure, State};
use crate::storage::Segment;

/// The writer's whole state.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) options: LogOptions,
    pub(crate) state: Arc<State>,
    pub(crate) random: Arc<RandomSource>,
    layout: Layout,
    _lock: File,
    signer: NoteSigner,
    tree: CompactTree,
    segment: Option<OpenSegment>,
    /// What was spelled out in that segment.
    precedents: Precedents,
    /// Room for the bytes of a group, kept for the next one.
    buffer: Vec<u8>,
    signed_size: u64,
    signed_at: Instant,
    history_bytes: u64,
    /// Which outage has a record already, by when it began.
    outage_told_since: Option<Moment>,
}

/// How much room is kept at most.
const BUFFER_BYTES_KEPT_MAX: usize = 1 << 21;

/// The segment that is written to. `bytes` counts what is durable.
#[derive(Debug)]
struct OpenSegment {
    first_seq: u64,
    bytes: u64,
    file: Box<dyn Segment>,
}

impl Writer {
    pub(crate) fn new(
        recovered: Recovered,
        options: LogOptions,
        state: Arc<State>,
        random: Arc<RandomSource>,
    ) -> Self {
        state.records.store(recovered.tree.size(), Ordering::Release);
        state.signed_records.store(recovered.signed_size, Ordering::Release);
        Self {
            options,
            state,
            random,
            layout: recovered.layout,
            _lock: recovered.lock,
            signer: recovered.signer,
            tree: recovered.tree,
            segment: None,
            precedents: Precedents::default(),
            buffer: Vec::new(),
            signed_size: recovered.signed_size,
            signed_at: Instant::now(),
            history_bytes: recovered.history_bytes,
            outage_told_since: None,
        }
    }

    pub(crate) fn origin(&self) -> &str {
        self.signer.public().origin()
    }

    pub(crate) fn public_key(&self) -> crate::checkpoint::PublicKey {
        self.signer.public().clone()
    }

    /// The first records of a process: that it opened the log, and what it had to cut off.
    pub(crate) fn open(&mut self, dropped_bytes: u64) -> Result<(), Failure> {
        let mut bodies = Vec::new();
        if dropped_bytes > 0 {
            bodies.push(own(Kind::LogRecovered, &LogRecovered { bytes_dropped: dropped_bytes })?);
        }
        let opened = LogOpened {
            boot: hex(&self.random.bytes::<16>()),
            format: FORMAT.into(),
            previous_size: self.tree.size(),
            previous_root: hex(&self.tree.root()),
        };
        bodies.push(own(Kind::LogOpened, &opened)?);
        self.write_own(bodies)?;
        self.sign()
    }

    /// Works until it is told to stop or nobody is left to tell it anything.
    pub(crate) fn run(mut self, queue: &Receiver<Message>) {
        loop {
            let message = match queue.recv_timeout(self.until_checkpoint()) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    self.sign_if_due();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match self.handle(message, queue) {
                Next::Go => self.sign_if_due(),
                Next::Stop => break,
            }
        }
        if self.state.is_healthy()
            && let Err(failure) = self.sign()
        {
            self.fail(failure);
        }
    }

    /// Deals with a message and with those that queue behind it, as far as they go into one group.
    fn handle(&mut self, first: Message, queue: &Receiver<Message>) -> Next {
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Append(append) => {
                    group.add(append, &self.state.bell);
                    next = group.next(queue, self.state.slots_used(), &self.state.bell);
                }
                Message::Flush(done) => {
                    self.commit(group.appends);
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(());
                    return Next::Go;
                }
                Message::Reopen(done) => {
                    self.commit(group.appends);
                    let _ = done.send(self.reopen());
                    return Next::Go;
                }
                Message::Stop => {
                    self.commit(group.appends);
                    return Next::Stop;
                }
            }
        }
        self.commit(group.appends);
        Next::Go
    }

    /// Makes a group durable and answers everybody in it, or fails all of it.
    fn commit(&mut self, group: Vec<Append>) {
        if group.is_empty() {
            return;
        }
        let written =
            if self.state.is_healthy() { self.write(&group).map_err(|f| self.fail(f)) } else { Err(()) };
        match written {
            Ok(receipts) => {
                for (append, receipt) in group.into_iter().zip(receipts) {
                    self.answer(append.then, receipt);
                }
            }
            Err(()) => {
                for append in group {
                    self.lose(append.then);
                }
            }
        }
    }

    fn answer(&self, then: Then, receipt: Option<Receipt>) {
        match then {
            Then::Answer(waiting) => {
                // Whoever committed may have stopped waiting; the record stands all the same.
                let _ = waiting.send(receipt.ok_or(LogError::Encode));
            }
            Then::Close(span, slot) => {
                if let Some(receipt) = receipt {
                    self.options.telemetry.emit(&span, &receipt, self.origin());
                    slot.recorded();
                }
            }
            Then::Nothing => {}
        }
    }

    fn lose(&self, then: Then) {
        match then {
            Then::Answer(waiting) => {
                self.state.commits_failed.fetch_add(1, Ordering::Relaxed);
                let _ = waiting.send(Err(LogError::Unhealthy));
            }
            // A slot that is given up unrecorded counts as a lost closing.
            Then::Close(_, slot) => drop(slot),
            Then::Nothing => {}
        }
    }

    /// One write, one sync. Says for each of the group the receipt of its last record.
    fn write(&mut self, group: &[Append]) -> Result<Vec<Option<Receipt>>, Failure> {
        let now = self.now();
        let written_at = timestamp(now);
        self.leave_full_segment();
        let mut tree = self.tree.clone();
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        let mut receipts = Vec::with_capacity(group.len());
        for append in group {
            let mut last = None;
            for body in &append.bodies {
                let (id, seq) = (RecordId::at(now, self.random.bytes()), tree.size());
                let precedent = body.wording().and_then(|wording| self.precedents.of(wording));
                let place = (id, seq, &*written_at);
                let seal = |out: &mut Vec<u8>| body.seal(out, place, append.ticket, precedent);
                let leaf_hash = leaf_hash(put_record(&mut bytes, seq, seal));
                if let Some(wording) = body.wording().filter(|_| precedent.is_none()) {
                    self.precedents.spelled_out(wording, seq);
                }
                tree.push(leaf_hash);
                last = Some(Receipt { id, seq, kind: body.kind, ticket: append.ticket, leaf_hash, ts: now });
            }
            receipts.push(last);
        }
        put_marker(&mut bytes, tree.size(), &tree.root());
        self.append(&bytes).map_err(|e| Failure::Segment(e.kind()))?;
        if bytes.capacity() <= BUFFER_BYTES_KEPT_MAX {
            self.buffer = bytes;
        }
        self.tree = tree;
        self.state.records.store(self.tree.size(), Ordering::Release);
        Ok(receipts)
    }

    /// A full segment is left, and what is written next comes into a new one; whatever stands there has to be said there.
    fn leave_full_segment(&mut self) {
        self.segment = self.segment.take().filter(|segment| segment.bytes < self.options.segment_bytes_max);
        if self.segment.is_none() {
            self.precedents.forget();
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => {
                let first_seq = self.tree.size();
                let file = self.options.storage.create(&self.layout.segment(first_seq))?;
                none.insert(OpenSegment { first_seq, bytes: 0, file })
            }
        };
        segment.file.append(bytes)?;
        segment.file.sync()?;
        segment.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Writes records of the log's own.
    fn write_own(&mut self, bodies: Vec<Body>) -> Result<(), Failure> {
        self.write(&[Append { bodies, ticket: None, then: Then::Nothing }]).map(drop)
    }

    fn fail(&self, failure: Failure) {
        self.state.fail(failure, self.now());
        tracing::error!(?failure, "the evidence log cannot be written; personal data is not served");
    }

    /// Cuts off what was never acknowledged, begins a new segment, and records the outage.
    fn reopen(&mut self) -> Result<(), LogError> {
        let Some(since) = self.state.failed_since() else { return Ok(()) };
        let reopened = self.cut_unacknowledged().and_then(|()| {
            let is_told = self.outage_told_since == Some(since);
            if !is_told {
                self.tell_outage(since)?;
            }
            self.sign()?;
            // It went on after it was told, while nothing could be signed.
            if is_told {
                self.tell_outage(since)?;
                self.sign()?;
            }
            Ok(())
        });
        match reopened {
            Ok(()) => {
                self.outage_told_since = None;
                self.state.heal();
                tracing::warn!("the evidence log can be written again");
                Ok(())
            }
            Err(failure) => {
                self.fail(failure);
                Err(LogError::Unhealthy)
            }
        }
    }

    /// Records what was lost, each once. What is counted meanwhile belongs to the next such record.
    fn tell_outage(&mut self, since: Moment) -> Result<(), Failure> {
        let told = self.state.losses().map(|count| count.load(Ordering::Relaxed));
        let [closings_lost, commits_failed, requests_refused] = told;
        let until = timestamp(self.now());
        let outage =
            LogOutage { since: timestamp(since), until, closings_lost, commits_failed, requests_refused };
        self.write_own(vec![own(Kind::LogOutage, &outage)?])?;
        let counts = self.state.losses().into_iter().zip(told);
        counts.for_each(|(count, told)| _ = count.fetch_sub(told, Ordering::Relaxed));
        self.outage_told_since = Some(since);
        Ok(())
    }

    /// The segment that failed keeps what was durable in it, by a descriptor that has not failed.
    fn cut_unacknowledged(&mut self) -> Result<(), Failure> {
        let segments = self.layout.list_segments().map_err(|_| Failure::Segment(io::ErrorKind::Other))?;
        let storage = &self.options.storage;
        if let Some((first_seq, path)) = segments.last() {
            let keep = match &self.segment {
                Some(segment) if segment.first_seq == *first_seq => Some(segment.bytes),
                // Created, and then the failure: nothing in it was acknowledged.
                _ => (*first_seq == self.tree.size()).then_some(0),
            };
            keep.map_or(Ok(()), |bytes| storage.cut(path, bytes)).map_err(|e| Failure::Segment(e.kind()))?;
        }
        storage.cut(&self.layout.history, self.history_bytes).map_err(|e| Failure::Checkpoint(e.kind()))?;
        self.segment = None;
        Ok(())
    }

    fn until_checkpoint(&self) -> std::time::Duration {
        self.options.checkpoint_every.saturating_sub(self.signed_at.elapsed()).max(CHECKPOINT_REST)
    }

    fn sign_if_due(&mut self) {
        let unsigned = self.tree.size() - self.signed_size;
        let due = unsigned >= self.options.checkpoint_records_max
            || self.signed_at.elapsed() >= self.options.checkpoint_every;
        if due
            && self.state.is_healthy()
            && let Err(failure) = self.sign()
        {
            self.fail(failure);
        }
    }

    /// Signs what is durable, if anything is new: into the history first, then in the place of the newest.
    fn sign(&mut self) -> Result<(), Failure> {
        self.signed_at = Instant::now();
        let size = self.tree.size();
        if size == self.signed_size {
            return Ok(());
        }
        let note = self.signer.sign(size, self.tree.root());
        let entry = format!("{note}\n");
        let storage = &self.options.storage;
        storage
            .append(&self.layout.history, entry.as_bytes())
            .and_then(|()| storage.replace(&self.layout.checkpoint, note.as_bytes()))
            .map_err(|e| Failure::Checkpoint(e.kind()))?;
        self.history_bytes += entry.len() as u64;
        self.signed_size = size;
        self.state.signed_records.store(size, Ordering::Release);
        Ok(())
    }

    fn now(&self) -> Moment {
        (self.options.clock)()
    }
}

/// A record of the log about itself.
fn own<T: serde::Serialize>(kind: Kind, content: &T) -> Result<Body, Failure> {
    encode_system(kind, content).map_err(|_| Failure::Segment(io::ErrorKind::InvalidData))
}

/// Shortest wait for messages, so that a checkpoint interval of zero does not spin.
const CHECKPOINT_REST: std::time::Duration = std::time::Duration::from_millis(1);

enum Next {
    Go,
    Stop,
}
