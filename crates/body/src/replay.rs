//! Records that are written alike, taken at once.
//!
//! Of a record that went through the fast lane it is remembered what stood between its scalars, byte for byte, and what
//! came onto the tape. When the next record has the same bytes between its scalars, it has the same names in the same
//! nesting: only its scalars are read, and the same comes onto the tape with other positions. Anything else, and the
//! record goes through the lane itself.

use consentry_model::ScopeId;

use crate::error::Fault;
use crate::fate::Act;
use crate::json::{Token, TokenKind};
use crate::lane::scalar_at;
use crate::record::identifier;
use crate::shape::ShapeIx;
use crate::subject::{Classes, Id, Subject};
use crate::tape::{At, Kind, Leaf, Op, Tape, at};
use crate::walk::{Child, Walk};

/// How many bytes are compared in one go.
const HEAD: usize = 16;
/// More scalars than this are not remembered.
const SCALARS_MAX: usize = 512;
/// A longer record is not remembered.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// How often a record is remembered anew, before one has been met that often.
const TRIES_MAX: u8 = 8;
const HITS_MIN: u32 = 32;

/// A position by what it is relative to: the start of what stands before a scalar.
#[derive(Clone, Copy, Debug)]
struct Relative {
    before: u32,
    offset: u32,
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

/// A step of the tape with relative positions.
#[derive(Debug)]
enum Again {
    Verbatim { start: Relative, end: Relative },
    Enter { start: Relative, open_end: Relative },
    Leave { from: Relative, end: Relative },
    Value { start: Relative, scalar: u32, end: Relative, leaf: Leaf },
}

/// A record that was remembered.
#[derive(Debug)]
struct Template {
    depth: usize,
    scope: ScopeId,
    between: Vec<Between>,
    ops: Vec<Again>,
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
}

/// What is remembered, by place.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    templates: Vec<(Option<Box<Template>>, u8)>,
    recording: Option<Recording>,
    /// The scalars of the record that is read: where each begins and ends, and what it is.
    scalars: Vec<(At, At, TokenKind)>,
    subject: Option<usize>,
}

impl Replay {
    /// A scalar was taken.
    #[inline]
    pub(crate) fn scalar(&mut self, token: &Token, act: Act) {
        if self.recording.is_none() {
            return;
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

    /// The record that is being recorded cannot be remembered.
    #[inline]
    pub(crate) fn give_up(&mut self) {
        self.recording = None;
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
        if self.replay.templates.len() <= ix {
            self.replay.templates.resize_with(ix + 1, || (None, 0));
        }
        let Some((template, tries)) = self.replay.templates.get_mut(ix) else { return };
        if template.as_ref().is_some_and(|template| template.hits >= HITS_MIN) {
            *tries = 0;
        }
        if *tries >= TRIES_MAX {
            *template = None;
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
        });
    }

    /// The record that is being recorded ends with its bracket at `bracket`; its children are on the tape.
    pub(crate) fn remember(&mut self, view: &[u8], bracket: usize, any: bool) {
        // The white space in an empty object is its own.
        let Some(recording) = self.replay.recording.take().filter(|_| any) else { return };
        if let Some(template) = self.template(&recording, view, bracket)
            && let Some((kept, _)) = recording.shape.index().and_then(|ix| self.replay.templates.get_mut(ix))
        {
            *kept = Some(Box::new(template));
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
            Some(Relative { before: u32::try_from(before).ok()?, offset })
        };
        let mut classes = Classes::default();
        let mut ops = Vec::new();
        for op in self.tape.ops.get(recording.ops_from..)? {
            ops.push(match *op {
                Op::Verbatim { start, end } => Again::Verbatim { start: relative(start)?, end: relative(end)? },
                Op::Enter { start, open_end } => {
                    Again::Enter { start: relative(start)?, open_end: relative(open_end)? }
                }
                Op::Leave { from, end } => Again::Leave { from: relative(from)?, end: relative(end)? },
                Op::Value { start, value, end, leaf, kind, .. } if kind != Kind::Object => {
                    classes.insert(self.map.class(leaf.node)?);
                    let scalar = scalars.iter().position(|s| s.0 == value)?;
                    let scalar = u32::try_from(scalar).ok()?;
                    Again::Value { start: relative(start)?, scalar, end: relative(end)?, leaf }
                }
                Op::Value { .. } | Op::EnterRecord { .. } | Op::EnterLeaf { .. } => return None,
            });
        }
        let (depth, scope, subject) = (recording.depth, recording.scope, *subject);
        let undeclared = self.tape.undeclared.checked_sub(recording.undeclared)?;
        Some(Template { depth, scope, between, ops, classes, subject, undeclared, hits: 0 })
    }

    /// Takes the record of this place that begins at `from`, when it is like the one that is remembered. Answers with
    /// where its bracket is.
    pub(crate) fn again(&mut self, view: &[u8], from: usize, shape: ShapeIx) -> Result<Option<usize>, Fault> {
        let depth = self.frames.len();
        let Self { replay, tape, frames, .. } = self;
        let Replay { templates, scalars, recording: None, .. } = replay else { return Ok(None) };
        let template = shape.index().and_then(|ix| templates.get_mut(ix)).and_then(|(kept, _)| kept.as_mut());
        let Some(template) = template.filter(|template| template.depth == depth) else { return Ok(None) };
        let Some((last, between)) = template.between.split_last() else { return Ok(None) };
        scalars.clear();
        let mut position = from;
        for before in between {
            let Some(start) = before.is_at(view, position) else { return Ok(None) };
            let Some((kind, end)) = scalar_at(view, start) else { return Ok(None) };
            scalars.push((at(start)?, at(end)?, kind));
            position = end;
        }
        let Some(end) = last.is_at(view, position) else { return Ok(None) };
        template.hits = template.hits.saturating_add(1);
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        write(template, scalars, at(from)?, at(frame.mark)?, view, tape).map_err(|fault| fault.unwrap_or(Fault::internal(from)))?;
        let bracket = end.wrapping_sub(1);
        frame.child = Some(Child::Entered(bracket));
        Ok(Some(bracket))
    }
}

/// Writes the record onto the tape.
fn write(
    template: &Template,
    scalars: &[(At, At, TokenKind)],
    from: At,
    mark: At,
    view: &[u8],
    tape: &mut Tape,
) -> Result<(), Option<Fault>> {
    let here = |kind| Some(Fault::new(kind, from as usize));
    // What stands before a scalar begins where the scalar before it ends.
    let place = |relative: Relative| {
        let start = match relative.before.checked_sub(1) {
            None => from,
            Some(before) => scalars.get(before as usize)?.1,
        };
        start.checked_add(relative.offset)
    };
    tape.records = tape.records.saturating_add(1);
    tape.undeclared = tape.undeclared.saturating_add(template.undeclared);
    let owner = tape.owner().map_err(here)?;
    let mut owned = false;
    tape.ops.reserve(template.ops.len() + 1);
    tape.ops.push(Op::EnterRecord { start: mark, open_end: from + 1, scope: template.scope });
    for op in &template.ops {
        tape.ops.push(match *op {
            Again::Verbatim { start, end } => {
                Op::Verbatim { start: place(start).ok_or(None)?, end: place(end).ok_or(None)? }
            }
            Again::Enter { start, open_end } => {
                Op::Enter { start: place(start).ok_or(None)?, open_end: place(open_end).ok_or(None)? }
            }
            Again::Leave { from, end } => {
                Op::Leave { from: place(from).ok_or(None)?, end: place(end).ok_or(None)? }
            }
            Again::Value { start, scalar, end, leaf } => {
                owned = true;
                let (value, value_end, kind) = *scalars.get(scalar as usize).ok_or(None)?;
                let (start, end) = (place(start).ok_or(None)?, place(end).ok_or(None)?);
                let leaf = Leaf { node: leaf.node, owner };
                Op::Value { start, value, value_end, end, kind: Kind::of(kind), leaf }
            }
        });
    }
    if owned {
        let id = match template.subject.and_then(|subject| scalars.get(subject)) {
            Some((start, end, kind)) => {
                identifier(view, &Token { kind: *kind, start: *start as usize, end: *end as usize })
            }
            None => Id::Nobody,
        };
        let subject = Subject { scope: template.scope, id, captured: Vec::new() };
        tape.name(owner, subject, &template.classes, view).map_err(here)?;
    }
    Ok(())
}
