//! The redactor's turns: bytes in, verdicts asked for, bytes out.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use consentry_model::FieldMap;

use crate::emit::Emitter;
use crate::error::Fault;
use crate::json::Grammar;
use crate::lane::Came;
use crate::out::{Out, cut};
use crate::walk::Walk;
use crate::{BodyError, BodyFault, Decide, Limits, Pseudonyms, Report, Window};

/// The tape keeps 32-bit positions; a window and a record fit below that.
const HELD_BYTES_MAX: usize = 1 << 30;
/// A first piece of so many bytes is likely not the only one.
const MUCH: usize = 32 * 1024;

/// What the redactor needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// More input, or word that there is none.
    NeedInput,
    /// The verdicts on this window; hand them to [`JsonRedactor::release`].
    NeedVerdicts(Window),
    /// Nothing: every byte has been released.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Reading,
    /// A window of this many bytes waits for its verdicts.
    Deciding {
        bytes: usize,
        last: bool,
    },
    Done,
    Failed(BodyError),
}

/// A streaming redactor of one JSON text. Call [`step`](Self::step) until it asks for something, give it that, and
/// go on until it is done. How the input is cut into pieces changes nothing of the result.
///
/// After an error it stays in that error, and what it held is gone.
pub struct JsonRedactor {
    limits: Limits,
    /// What is held, after `lead` bytes that are not needed any more.
    buffer: BytesMut,
    lead: usize,
    /// How many bytes of the body came before those that are held.
    released: u64,
    /// Where in what is held the stretch begins that must be held back as one.
    unit: usize,
    ended: bool,
    phase: Phase,
    grammar: Grammar,
    walk: Walk,
    emitter: Emitter,
    /// Made of the emitter's counts when somebody asks.
    report: OnceLock<Report>,
    /// Whether the fast lane is closed, for comparison.
    #[cfg(test)]
    pub(crate) tokens_only: bool,
}

impl std::fmt::Debug for JsonRedactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRedactor")
            .field("released", &self.released)
            .field("held", &self.held().len())
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl JsonRedactor {
    /// A redactor for one body.
    #[must_use]
    pub fn new(map: Arc<FieldMap>, limits: Limits) -> Self {
        let limits = Limits {
            window_bytes_max: limits.window_bytes_max.min(HELD_BYTES_MAX),
            record_bytes_max: limits.record_bytes_max.min(HELD_BYTES_MAX),
            ..limits
        };
        Self {
            limits,
            buffer: BytesMut::new(),
            lead: 0,
            released: 0,
            unit: 0,
            ended: false,
            phase: Phase::Reading,
            grammar: Grammar::new(limits.depth_max),
            walk: Walk::new(map, &limits),
            emitter: Emitter::new(),
            report: OnceLock::new(),
            #[cfg(test)]
            tokens_only: false,
        }
    }

    /// The same with a key for the values that leave pseudonymised; without one they are withheld.
    #[must_use]
    pub fn with_pseudonyms(mut self, key: Pseudonyms) -> Self {
        self.use_pseudonyms(Some(key));
        self
    }

    /// Takes another key for what is released from now on, or none.
    pub(crate) fn use_pseudonyms(&mut self, key: Option<Pseudonyms>) {
        self.emitter.use_pseudonyms(key);
    }

    /// Takes the next bytes of the body. They are copied, and read by [`step`](Self::step); to hold no more than the
    /// limits say, push only when it asks.
    ///
    /// # Errors
    /// After [`end`](Self::end), or after an earlier error.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.check()?;
        if self.ended {
            return Err(self.fail(Fault::new(BodyFault::OutOfTurn, self.held().len())));
        }
        let streams = self.limits.window_bytes_max < HELD_BYTES_MAX;
        if self.buffer.is_empty() && streams && bytes.len() >= MUCH {
            // There is more to come; what is held need not move then.
            self.buffer.reserve(bytes.len().saturating_mul(2).min(self.limits.window_bytes_max));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Says that the body has no more bytes. Whether it is complete is known when the rest has been read:
    /// [`step`](Self::step) answers with [`BodyFault::Truncated`] when it is not.
    ///
    /// # Errors
    /// The second time, or after an earlier error.
    pub fn end(&mut self) -> Result<(), BodyError> {
        self.push(&[])?;
        self.ended = true;
        Ok(())
    }

    /// Reads on until something is needed. Asked again, it needs the same again.
    ///
    /// # Errors
    /// When the body is not one that may pass; see [`BodyFault`].
    pub fn step(&mut self) -> Result<Step, BodyError> {
        self.check()?;
        match self.phase {
            Phase::Done => Ok(Step::Done),
            Phase::Deciding { .. } => Ok(Step::NeedVerdicts(self.walk.tape.window(self.held()))),
            Phase::Reading | Phase::Failed(_) => self.read().map_err(|fault| self.fail(fault)),
        }
    }

    /// Takes the verdicts on the window that [`step`](Self::step) asked for, and hands its bytes out. They may be
    /// none.
    ///
    /// # Errors
    /// When no verdicts were asked for, after an earlier error, or when the body as a whole is withheld: as one datum,
    /// or as one record that is left out.
    pub fn release(&mut self, decide: &dyn Decide) -> Result<Bytes, BodyError> {
        self.check()?;
        let Phase::Deciding { bytes, last } = self.phase else {
            return Err(self.fail(Fault::new(BodyFault::OutOfTurn, self.grammar.at())));
        };
        self.emit(decide, bytes, last).map_err(|fault| self.fail(fault))
    }

    /// How many undeclared fields the window holds that waits for its verdicts. They pass in no case; a caller that
    /// refuses them instead of dropping them need not ask for verdicts first.
    #[must_use]
    pub fn undeclared(&self) -> u64 {
        self.walk.tape.undeclared
    }

    /// What became of everything released so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        self.report.get_or_init(|| self.emitter.tally().report(self.walk.map()))
    }

    /// Whether the body is like one that was learnt.
    #[cfg(test)]
    pub(crate) const fn is_learnt(&self) -> bool {
        self.walk.replay.body.is_some()
    }

    /// Whether a record is remembered.
    #[cfg(test)]
    pub(crate) fn remembers(&self) -> bool {
        self.walk.replay.get(0).is_some()
    }

    /// The bytes that are held.
    fn held(&self) -> &[u8] {
        self.buffer.get(self.lead..).unwrap_or_default()
    }

    fn check(&self) -> Result<(), BodyError> {
        match self.phase {
            Phase::Failed(error) => Err(error),
            Phase::Reading | Phase::Deciding { .. } | Phase::Done => Ok(()),
        }
    }

    fn fail(&mut self, fault: Fault) -> BodyError {
        let error = BodyError::new(fault.kind, self.released.saturating_add(fault.at as u64));
        self.phase = Phase::Failed(error);
        (self.buffer, self.lead) = (BytesMut::new(), 0);
        self.walk.tape.clear();
        error
    }

    fn read(&mut self) -> Result<Step, Fault> {
        loop {
            let held = self.held().len();
            let view_end = held.min(self.unit.saturating_add(self.limits.record_bytes_max));
            let cut_off = view_end < held;
            let view = self.buffer.get(self.lead..self.lead + view_end).ok_or(Fault::internal(0))?;
            #[cfg(test)]
            let closed = self.tokens_only;
            #[cfg(not(test))]
            let closed = false;
            if !closed {
                self.walk.begin(&mut self.grammar, view)?;
            }
            if !closed && self.walk.fast(&mut self.grammar, view)? == Came::Between {
                if let Some(step) = self.between()? {
                    return Ok(step);
                }
                continue;
            }
            if let Some(here) = self.walk.passed.take() {
                self.unit = here;
                if cut_off {
                    // What is held back as one begins later than the view was made for.
                    continue;
                }
            }
            let Some(token) = self.grammar.next(view, self.ended && !cut_off)? else {
                if cut_off {
                    return Err(Fault::new(BodyFault::RecordTooLarge, view_end));
                }
                if !self.ended {
                    return Ok(Step::NeedInput);
                }
                if !self.grammar.is_complete() {
                    return Err(Fault::new(BodyFault::Truncated, held));
                }
                self.walk.end(held)?;
                return Ok(self.ask(held, true));
            };
            if !self.walk.token(view, &token)? {
                continue;
            }
            if let Some(step) = self.between()? {
                return Ok(step);
            }
        }
    }

    /// A window may end here, between two tokens. It does when it is large enough.
    fn between(&mut self) -> Result<Option<Step>, Fault> {
        let here = self.grammar.at();
        self.unit = here;
        self.walk.passed = None;
        if self.walk.name_bytes() > self.limits.record_bytes_max {
            return Err(Fault::new(BodyFault::RecordTooLarge, here));
        }
        Ok(self.walk.is_full(here).then(|| self.ask(here, false)))
    }

    fn ask(&mut self, bytes: usize, last: bool) -> Step {
        self.phase = Phase::Deciding { bytes, last };
        Step::NeedVerdicts(self.walk.tape.window(self.held()))
    }

    fn emit(&mut self, decide: &dyn Decide, bytes: usize, last: bool) -> Result<Bytes, Fault> {
        let end = self.lead.saturating_add(bytes);
        let all = self.buffer.get_mut(..end).ok_or(Fault::internal(0))?;
        let written = self.emitter.window(Out::new(all, self.lead), &self.walk, decide)?;
        self.report = OnceLock::new();
        if last && !self.emitter.has_value() {
            return Err(Fault::new(BodyFault::NothingLeft, bytes));
        }
        let (out, lead) = cut(&mut self.buffer, end, written, last);
        self.lead = lead;
        self.released = self.released.saturating_add(bytes as u64);
        self.grammar.forget(bytes);
        self.walk.forget(bytes);
        self.unit = 0;
        self.phase = if last { Phase::Done } else { Phase::Reading };
        Ok(out)
    }
}
