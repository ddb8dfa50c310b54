//! The turns of every redactor but JSON's: a body is cut into units, units fill a window, a window is decided.

use bytes::{Bytes, BytesMut};

use crate::asked::Asked;
use crate::error::Fault;
use crate::{BodyError, BodyFault, Decide, Limits, Pseudonyms, Report, Step};

/// A media type: how a body of it falls into units, and what becomes of each.
pub(crate) trait Media: Send + Sync {
    /// How long the unit is that begins with the view; nothing when it is not complete yet. `last` says that no more will
    /// come. The view is never empty.
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault>;

    /// Takes a unit into the window.
    fn take(&mut self, unit: Bytes, asked: &mut Asked) -> Result<(), Fault>;

    /// The body ended after the last unit.
    fn end(&mut self, asked: &mut Asked) -> Result<(), BodyFault>;

    /// How many undeclared fields the window holds.
    fn undeclared(&self) -> u64;

    /// Writes what is left of the window's units, and forgets them.
    fn write(
        &mut self,
        decide: &dyn Decide,
        key: Option<&Pseudonyms>,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyFault>;

    /// Whether whoever reads it waits for each unit, whatever is said of it.
    fn is_live(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Reading,
    Deciding { last: bool },
    Done,
    Failed(BodyError),
}

/// The turns around one media type.
pub(crate) struct Turns {
    media: Box<dyn Media>,
    limits: Limits,
    /// Whether whoever reads it waits for each unit: then a window ends where the input does for now.
    live: bool,
    buffer: BytesMut,
    /// How many bytes of the body came before the buffer.
    passed: u64,
    ended: bool,
    phase: Phase,
    asked: Asked,
    /// How many bytes the window's units have, and how many units it has.
    window_bytes: usize,
    units: usize,
    report: Report,
    key: Option<Pseudonyms>,
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turns")
            .field("passed", &self.passed)
            .field("held", &self.buffer.len())
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl Turns {
    pub(crate) fn new(media: Box<dyn Media>, limits: Limits, live: bool) -> Self {
        Self {
            media,
            limits,
            live,
            buffer: BytesMut::new(),
            passed: 0,
            ended: false,
            phase: Phase::Reading,
            asked: Asked::default(),
            window_bytes: 0,
            units: 0,
            report: Report::default(),
            key: None,
        }
    }

    pub(crate) fn use_pseudonyms(&mut self, key: Option<Pseudonyms>) {
        self.key = key;
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.check()?;
        if self.ended {
            return Err(self.fail(Fault::new(BodyFault::OutOfTurn, self.buffer.len())));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn end(&mut self) -> Result<(), BodyError> {
        self.push(&[])?;
        self.ended = true;
        Ok(())
    }

    pub(crate) fn step(&mut self) -> Result<Step, BodyError> {
        self.check()?;
        match self.phase {
            Phase::Done => Ok(Step::Done),
            Phase::Deciding { .. } => Ok(Step::NeedVerdicts(self.asked.window())),
            Phase::Reading | Phase::Failed(_) => self.read().map_err(|fault| self.fail(fault)),
        }
    }

    pub(crate) fn release(&mut self, decide: &dyn Decide) -> Result<Bytes, BodyError> {
        self.check()?;
        let Phase::Deciding { last } = self.phase else {
            return Err(self.fail(Fault::new(BodyFault::OutOfTurn, 0)));
        };
        let mut out = Vec::with_capacity(self.window_bytes);
        let written = self.media.write(decide, self.key.as_ref(), &mut self.report, &mut out);
        written.map_err(|kind| self.fail(Fault::new(kind, 0)))?;
        self.asked.clear();
        (self.window_bytes, self.units) = (0, 0);
        self.phase = if last { Phase::Done } else { Phase::Reading };
        Ok(out.into())
    }

    pub(crate) fn undeclared(&self) -> u64 {
        self.media.undeclared()
    }

    pub(crate) const fn report(&self) -> &Report {
        &self.report
    }

    fn check(&self) -> Result<(), BodyError> {
        match self.phase {
            Phase::Failed(error) => Err(error),
            Phase::Reading | Phase::Deciding { .. } | Phase::Done => Ok(()),
        }
    }

    fn fail(&mut self, fault: Fault) -> BodyError {
        let error = BodyError::new(fault.kind, self.passed.saturating_add(fault.at as u64));
        self.phase = Phase::Failed(error);
        self.buffer = BytesMut::new();
        self.asked.clear();
        error
    }

    fn read(&mut self) -> Result<Step, Fault> {
        loop {
            if self.buffer.is_empty() {
                if self.ended {
                    self.media.end(&mut self.asked).map_err(|kind| Fault::new(kind, 0))?;
                    return Ok(self.ask(true));
                }
                return Ok(self.wait());
            }
            let held = self.buffer.len();
            let view_end = held.min(self.limits.record_bytes_max);
            let view = self.buffer.get(..view_end).ok_or(Fault::internal(0))?;
            let Some(length) = self.media.frame(view, self.ended && view_end == held)? else {
                if view_end < held {
                    return Err(Fault::new(BodyFault::RecordTooLarge, view_end));
                }
                if self.ended {
                    return Err(Fault::new(BodyFault::Truncated, held));
                }
                return Ok(self.wait());
            };
            if length == 0 || length > view_end {
                return Err(Fault::internal(0));
            }
            let unit = self.buffer.split_to(length).freeze();
            self.media.take(unit, &mut self.asked)?;
            self.passed = self.passed.saturating_add(length as u64);
            self.window_bytes = self.window_bytes.saturating_add(length);
            self.units = self.units.saturating_add(1);
            // However short, each is held with what is read of it. What is decided as a whole has no second window.
            let whole = self.limits.window_bytes_max == usize::MAX;
            if whole && self.units > self.limits.fields_max {
                return Err(Fault::new(BodyFault::TooManyFields, 0));
            }
            if self.window_bytes >= self.limits.window_bytes_max
                || (!whole && self.units >= self.limits.fields_max)
                || self.asked.subjects_len() >= self.limits.window_subjects_max
            {
                return Ok(self.ask(false));
            }
        }
    }

    /// What there is to do until more bytes come.
    fn wait(&mut self) -> Step {
        if (self.live || self.media.is_live()) && self.units > 0 { self.ask(false) } else { Step::NeedInput }
    }

    fn ask(&mut self, last: bool) -> Step {
        self.phase = Phase::Deciding { last };
        Step::NeedVerdicts(self.asked.window())
    }
}
