//! Records that are written alike, taken at once.
//!
//! Of a record that went through the fast lane it is remembered what stood between its scalars, byte for byte, and what
//! came onto the tape. When the next record has the same bytes between its scalars, it has the same names in the same
//! nesting: only its scalars are read, and the same comes onto the tape with other positions. Anything else, and the
//! record goes through the lane itself.

use consentry_model::{NodeId, ScopeId};

use crate::error::Fault;
use crate::fate::Act;
use crate::frame::Child;
use crate::json::{Token, scalar_at};
use crate::lane::near;
use crate::record::identifier;
use crate::shape::ShapeIx;
use crate::subject::{Classes, Id, Subject};
use crate::tape::{At, Kind, Op, Scalar, at};
use crate::walk::Walk;

/// How many bytes are compared in one go.
const HEAD: usize = 16;
/// More scalars than this are not remembered.
const SCALARS_MAX: usize = 512;
/// A longer record is not remembered.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// How often a record is remembered anew, before one has been met that often.
const TRIES_MAX: u8 = 8;
const HITS_MIN: u32 = 32;
/// How many records are remembered for a body.
const TEMPLATES_MAX: usize = 64;

/// A position by what it is relative to: the start of what stands before a scalar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relative {
    pub(crate) before: usize,
    pub(crate) offset: At,
}

/// What stands before a scalar, or after the last.
#[derive(Debug)]
struct Between {
    head: u128,
    mask: u128,
    /// The last bytes, when there are more.
    tail: u128,
    bytes: Box<[u8]>,
}

impl Between {
    fn new(bytes: &[u8]) -> Self {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(bytes) {
            (*head, *mask) = (*byte, u8::MAX);
        }
        let tail = bytes.last_chunk::<HEAD>().map_or(0, |tail| u128::from_le_bytes(*tail));
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self { head, mask, tail, bytes: bytes.into() }
    }

    /// Where it ends, when it begins at `from`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    fn is_at(&self, view: &[u8], from: usize) -> Option<usize> {
        let head = u128::from_le_bytes(*view.get(from..)?.first_chunk::<HEAD>()?);
        if (head ^ self.head) & self.mask != 0 {
            return None;
        }
        let length = self.bytes.len();
        let end = from.wrapping_add(length);
        if length > HEAD {
            let tail = u128::from_le_bytes(*view.get(..end)?.last_chunk::<HEAD>()?);
            if tail != self.tail || length > 2 * HEAD && view.get(from..end)? != &*self.bytes {
                return None;
            }
        }
        Some(end)
    }
}

/// A child of the record, or of something in it, that may go: a value of a data class, or what is undeclared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: Relative,
    pub(crate) end: Relative,
    /// The value, with its node; without one the child is undeclared, and goes in any case.
    pub(crate) value: Option<(usize, NodeId)>,
    /// Whether it is the first of those in its container.
    pub(crate) first: bool,
    /// Whether a child stays in any case that is before it, and whether one is after it.
    pub(crate) after_some: bool,
    pub(crate) last: bool,
}

/// A record that was remembered.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) scope: ScopeId,
    pub(crate) parts: Vec<Part>,
    depth: usize,
    between: Vec<Between>,
    classes: Classes,
    /// The scalar that names the subject.
    subject: Option<usize>,
    undeclared: u64,
    hits: u32,
}

/// A record that goes through the lane, to be remembered.
#[derive(Debug)]
struct Recording {
    shape: ShapeIx,
    scope: ScopeId,
    depth: usize,
    start: usize,
    ops_from: usize,
    undeclared: u64,
    records: u64,
    /// The undeclared children, each from here to there.
    removed: Vec<(usize, usize)>,
}

/// What is remembered: what is on the tape refers to it, so that nothing is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    templates: Vec<Template>,
    /// By place, the last that was remembered, and how often one was.
    places: Vec<(Option<u32>, u8)>,
    recording: Option<Recording>,
    /// The scalars of the record that is read: where each begins and ends, and what it is.
    scalars: Vec<Scalar>,
    subject: Option<usize>,
}

impl Replay {
    /// A scalar was taken.
    #[inline]
    pub(crate) fn scalar(&mut self, token: &Token, act: Act, child: (usize, usize)) {
        let Some(recording) = &mut self.recording else { return };
        if act == Act::Remove {
            recording.removed.push(child);
        }
        match (act, at(token.start), at(token.end)) {
            // A record of its own.
            (Act::Element(..) | Act::KeepRecord, ..) => self.give_up(),
            (_, Ok(start), Ok(end)) => self.scalars.push((start, end, token.kind)),
            _ => self.give_up(),
        }
    }

    /// The scalar that will be taken next names the subject.
    pub(crate) fn subject(&mut self) {
        self.subject = Some(self.scalars.len());
    }

    /// An array or object that is undeclared ended.
    pub(crate) fn removed(&mut self, child: (usize, usize)) {
        if let Some(recording) = &mut self.recording {
            recording.removed.push(child);
        }
    }

    /// A record that is remembered.
    pub(crate) fn get(&self, template: u32) -> Option<&Template> {
        self.templates.get(template as usize)
    }

    /// The record that is being recorded cannot be remembered.
    #[inline]
    pub(crate) fn give_up(&mut self) {
        self.recording = None;
    }

    /// Whether a record is being recorded.
    #[inline]
    pub(crate) const fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Whether the record that ends at this depth is being recorded.
    #[inline]
    pub(crate) fn ends_at(&self, depth: usize) -> bool {
        self.recording.as_ref().is_some_and(|recording| recording.depth == depth)
    }
}

impl Walk {
    /// A record has been opened in the lane, with its bracket at `start`: it is to be remembered, unless enough have
    /// been.
    pub(crate) fn record_this(&mut self, shape: ShapeIx, scope: ScopeId, start: usize, ops_from: usize) {
        let Some(ix) = shape.index() else { return };
        if self.replay.recording.is_some() {
            // A record in a record: what the outer one comes to depends on how many there are.
            self.replay.give_up();
            return;
        }
        let Replay { templates, places, .. } = &mut self.replay;
        if places.len() <= ix {
            places.resize(ix + 1, (None, 0));
        }
        let Some((kept, tries)) = places.get_mut(ix) else { return };
        let kept_one = kept.and_then(|kept| templates.get(kept as usize));
        if kept_one.is_some_and(|template| template.hits >= HITS_MIN) {
            *tries = 0;
        }
        if *tries >= TRIES_MAX || templates.len() >= TEMPLATES_MAX {
            *kept = None;
            return;
        }
        *tries += 1;
        self.replay.scalars.clear();
        self.replay.subject = None;
        self.replay.recording = Some(Recording {
            shape,
            scope,
            depth: self.frames.len().saturating_sub(1),
            start,
            ops_from,
            undeclared: self.tape.undeclared,
            records: self.tape.records,
            removed: Vec::new(),
        });
    }

    /// The record that is being recorded ends with its bracket at `bracket`; its children are on the tape.
    pub(crate) fn remember(&mut self, view: &[u8], bracket: usize, any: bool) {
        // The white space in an empty object is its own.
        let Some(recording) = self.replay.recording.take().filter(|_| any) else { return };
        if let Some(template) = self.template(&recording, view, bracket)
            && let Some((kept, _)) = recording.shape.index().and_then(|ix| self.replay.places.get_mut(ix))
        {
            *kept = u32::try_from(self.replay.templates.len()).ok();
            self.replay.templates.push(template);
        }
    }

    fn template(&self, recording: &Recording, view: &[u8], bracket: usize) -> Option<Template> {
        let Replay { scalars, subject, .. } = &self.replay;
        let end = bracket.checked_add(1)?;
        if scalars.len() > SCALARS_MAX
            || end.checked_sub(recording.start)? > RECORD_BYTES_MAX
            || self.tape.records != recording.records
            || !self.map.scope(recording.scope)?.captures.is_empty()
        {
            return None;
        }
        let (first, last) = (at(recording.start).ok()?, at(end).ok()?);
        let starts: Vec<At> = std::iter::once(first).chain(scalars.iter().map(|s| s.1)).collect();
        let ends: Vec<At> = scalars.iter().map(|s| s.0).chain([last]).collect();
        let between = starts.iter().zip(&ends).map(|(from, to)| view.get(*from as usize..*to as usize));
        let between = between.map(|bytes| Some(Between::new(bytes?))).collect::<Option<_>>()?;
        let relative = |position: At| {
            let before = ends.iter().position(|end| position <= *end)?;
            let offset = position.checked_sub(*starts.get(before)?)?;
            Some(Relative { before, offset })
        };
        let mut classes = Classes::default();
        let mut parts = Parts { all: Vec::new(), open: vec![Open::default()] };
        let mut removed = recording.removed.iter().copied().peekable();
        for op in self.tape.ops.get(recording.ops_from..)? {
            let begins = match *op {
                Op::Verbatim { start, .. } | Op::Enter { start, .. } | Op::Value { start, .. } => start,
                Op::Leave { from, .. } => from,
                Op::EnterRecord { .. } | Op::EnterLeaf { .. } | Op::Row { .. } => return None,
            };
            while let Some((from, to)) = removed.next_if(|(from, _)| *from < begins as usize) {
                parts.push(relative(at(from).ok()?)?, relative(at(to).ok()?)?, None)?;
            }
            match *op {
                Op::Verbatim { .. } => parts.open.last_mut()?.stays(),
                Op::Enter { .. } => {
                    parts.open.last_mut()?.stays();
                    parts.open.push(Open::default());
                }
                Op::Leave { .. } => parts.close()?,
                Op::Value { start, value, end, leaf, kind, .. } if kind != Kind::Object => {
                    classes.insert(self.map.class(leaf.node)?);
                    let scalar = scalars.iter().position(|s| s.0 == value)?;
                    parts.push(relative(start)?, relative(end)?, Some((scalar, leaf.node)))?;
                }
                Op::Value { .. } | Op::EnterRecord { .. } | Op::EnterLeaf { .. } | Op::Row { .. } => {
                    return None;
                }
            }
        }
        for (from, to) in removed {
            parts.push(relative(at(from).ok()?)?, relative(at(to).ok()?)?, None)?;
        }
        parts.close()?;
        let (depth, scope, subject) = (recording.depth, recording.scope, *subject);
        let undeclared = self.tape.undeclared.checked_sub(recording.undeclared)?;
        let parts = parts.all;
        Some(Template { scope, parts, depth, between, classes, subject, undeclared, hits: 0 })
    }

    /// Takes the record of this place that begins at `from`, when it is like the one that is remembered. Answers with
    /// where its bracket is.
    pub(crate) fn again(&mut self, view: &[u8], from: usize, shape: ShapeIx) -> Result<Option<usize>, Fault> {
        let depth = self.frames.len();
        let Self { replay, tape, frames, .. } = self;
        let Replay { templates, places, recording: None, .. } = replay else { return Ok(None) };
        let Some(ix) = shape.index().and_then(|ix| places.get(ix)?.0) else { return Ok(None) };
        let template = templates.get_mut(ix as usize).filter(|template| template.depth == depth);
        let Some(template) = template else { return Ok(None) };
        let scalars = tape.scalars.len();
        let Some(end) = template.read(view, from, &mut tape.scalars) else {
            tape.scalars.truncate(scalars);
            return Ok(None);
        };
        template.hits = template.hits.saturating_add(1);
        let here = |kind| Fault::new(kind, from);
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let owner = tape.owner().map_err(here)?;
        tape.records = tape.records.saturating_add(1);
        tape.undeclared = tape.undeclared.saturating_add(template.undeclared);
        tape.push(Op::Row {
            mark: at(frame.mark)?,
            start: at(from)?,
            template: ix,
            scalars: at(scalars)?,
            owner,
        });
        if !template.classes.is_empty() {
            let named = template.subject.and_then(|subject| tape.scalars.get(scalars + subject));
            let id = named.map_or(Id::Nobody, |(start, end, kind)| {
                identifier(view, &Token { kind: *kind, start: *start as usize, end: *end as usize })
            });
            let subject = Subject { scope: template.scope, id, captured: Vec::new() };
            tape.name(owner, subject, &template.classes, view).map_err(here)?;
        }
        let bracket = end.wrapping_sub(1);
        frame.child = Some(Child::Entered(bracket));
        Ok(Some(bracket))
    }
}

impl Template {
    /// Where the closing bracket begins.
    pub(crate) fn bracket(&self) -> Option<Relative> {
        let (last, between) = self.between.split_last()?;
        Some(Relative { before: between.len(), offset: at(last.bytes.len().checked_sub(1)?).ok()? })
    }

    /// Reads a record's scalars, when everything between them is the same. Answers with where it ends.
    #[inline]
    fn read(&self, view: &[u8], from: usize, scalars: &mut Vec<Scalar>) -> Option<usize> {
        let (last, between) = self.between.split_last()?;
        scalars.reserve(between.len());
        let mut position = from;
        for before in between {
            let start = before.is_at(view, position)?;
            let (kind, end) = scalar_at(view, start)?;
            scalars.push((near(start), near(end), kind));
            position = end;
        }
        last.is_at(view, position)
    }
}

/// What is known of a container while its children are looked at.
#[derive(Debug, Default)]
struct Open {
    /// Whether a child stays in any case.
    stays: bool,
    /// Whether one may go.
    goes: bool,
    /// The last child, if it may go.
    last: Option<usize>,
}

impl Open {
    const fn stays(&mut self) {
        (self.stays, self.last) = (true, None);
    }
}

struct Parts {
    all: Vec<Part>,
    open: Vec<Open>,
}

impl Parts {
    fn push(&mut self, start: Relative, end: Relative, value: Option<(usize, NodeId)>) -> Option<()> {
        let open = self.open.last_mut()?;
        self.all.push(Part { start, end, value, first: !open.goes, after_some: open.stays, last: false });
        (open.goes, open.last) = (true, Some(self.all.len() - 1));
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        if let Some(last) = self.open.pop()?.last {
            self.all.get_mut(last)?.last = true;
        }
        Some(())
    }
}
