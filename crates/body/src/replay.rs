//! Records that are written alike, taken at once.
//!
//! Of a record that went through the fast lane it is remembered what stood between its scalars, byte for byte, and what
//! came onto the tape. When the next record has the same bytes between its scalars, it has the same names in the same
//! nesting: only its scalars are read, and the same comes onto the tape with other positions. Anything else, and the
//! record goes through the lane itself.

use consentry_model::{ClassId, Field, Ladder, NodeId, ScopeId};

use crate::error::Fault;
use crate::fate::Act;
use crate::frame::Child;
use crate::json::{Token, TokenKind, scalar_at};
use crate::lane::near;
use crate::record::identifier;
use crate::shape::ShapeIx;
use crate::subject::{Classes, Id, Subject};
use crate::tape::{At, Kind, Op, Owner, at};
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

/// A position by what it is relative to: one of the record's marks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relative {
    pub(crate) mark: usize,
    /// What is to be added, wrapping.
    pub(crate) offset: At,
}

/// A record that is like one that is remembered: where it begins, with what is before it and without; its template; where
/// its marks begin among the tape's; whose it is; and where its closing bracket is. Its first mark is where it
/// begins, and each scalar whose place is of interest has two: where it begins and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mark: At,
    pub(crate) start: At,
    pub(crate) template: u32,
    pub(crate) marks: u32,
    pub(crate) owner: Owner,
    pub(crate) bracket: At,
}

/// A value of a data class in a record: its node, what the map says of it, and the mark where it begins. It ends at the
/// next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datum {
    pub(crate) mark: usize,
    pub(crate) node: NodeId,
    pub(crate) class: ClassId,
    pub(crate) ladder: Ladder,
}

/// A scalar of a record: where it begins and ends, and what it is.
type Scalar = (At, At, TokenKind);

/// What stands before a scalar, or after the last.
#[derive(Debug)]
struct Between {
    head: u128,
    mask: u128,
    length: usize,
    /// Whether there are more bytes than those.
    long: bool,
    bytes: Box<[u8]>,
    /// Whether the place of the scalar after it is of interest, and whether it names the subject.
    marks: bool,
    names: bool,
}

impl Between {
    fn new(bytes: &[u8]) -> Self {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(bytes) {
            (*head, *mask) = (*byte, u8::MAX);
        }
        let (length, long) = (bytes.len(), bytes.len() > HEAD);
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self { head, mask, length, long, bytes: bytes.into(), marks: false, names: false }
    }

    /// Where it ends, when it begins at `from`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    fn is_at(&self, view: &[u8], from: usize) -> Option<usize> {
        let rest = view.get(from..)?;
        let head = u128::from_le_bytes(*rest.first_chunk::<HEAD>()?);
        if (head ^ self.head) & self.mask != 0 {
            return None;
        }
        if self.long && rest.get(HEAD..self.length)? != self.bytes.get(HEAD..)? {
            return None;
        }
        Some(from.wrapping_add(self.length))
    }
}

/// A child of the record, or of something in it, that may go: a value of a data class, or what is undeclared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: Relative,
    pub(crate) end: Relative,
    /// The value; without one the child is undeclared, and goes in any case.
    pub(crate) value: Option<Datum>,
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
    /// How many marks it has.
    marks: usize,
    classes: Classes,
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
        let mut between: Vec<_> = between.map(|bytes| Some(Between::new(bytes?))).collect::<Option<_>>()?;
        if let Some(subject) = *subject {
            between.get_mut(subject)?.names = true;
        }
        let mut marks = Marks { starts, ends, place: vec![None; scalars.len()], count: 1 };
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
                parts.push(marks.start(at(from).ok()?)?, marks.end(at(to).ok()?)?, None)?;
            }
            match *op {
                Op::Verbatim { .. } => parts.open.last_mut()?.stays(),
                Op::Enter { .. } => {
                    parts.open.last_mut()?.stays();
                    parts.open.push(Open::default());
                }
                Op::Leave { .. } => parts.close()?,
                Op::Value { start, value, end, leaf, kind, .. } if kind != Kind::Object => {
                    let Some(Field::Class(class, ladder)) = self.map.field(leaf.node) else { return None };
                    classes.insert(class);
                    let mark = marks.scalar(scalars.iter().position(|s| s.0 == value)?)?;
                    let datum = Datum { mark, node: leaf.node, class, ladder };
                    parts.push(marks.start(start)?, marks.end(end)?, Some(datum))?;
                }
                Op::Value { .. } | Op::EnterRecord { .. } | Op::EnterLeaf { .. } | Op::Row { .. } => {
                    return None;
                }
            }
        }
        for (from, to) in removed {
            parts.push(marks.start(at(from).ok()?)?, marks.end(at(to).ok()?)?, None)?;
        }
        parts.close()?;
        for (between, place) in between.iter_mut().zip(&marks.place) {
            between.marks = place.is_some();
        }
        let (depth, scope, parts, marks) = (recording.depth, recording.scope, parts.all, marks.count);
        let undeclared = self.tape.undeclared.checked_sub(recording.undeclared)?;
        Some(Template { scope, parts, depth, between, marks, classes, undeclared, hits: 0 })
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
        let marks = tape.marks.len();
        let Some((end, named)) = template.read(view, from, &mut tape.marks) else {
            tape.marks.truncate(marks);
            return Ok(None);
        };
        template.hits = template.hits.saturating_add(1);
        let here = |kind| Fault::new(kind, from);
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let owner = tape.owner().map_err(here)?;
        let bracket = end.wrapping_sub(1);
        tape.records = tape.records.saturating_add(1);
        tape.undeclared = tape.undeclared.saturating_add(template.undeclared);
        tape.push(Op::Row(Row {
            mark: at(frame.mark)?,
            start: at(from)?,
            template: ix,
            marks: at(marks)?,
            owner,
            bracket: at(bracket)?,
        }));
        if !template.classes.is_empty() {
            let id = named.map_or(Id::Nobody, |token| identifier(view, &token));
            let subject = Subject { scope: template.scope, id, captured: Vec::new() };
            tape.name(owner, subject, &template.classes, view).map_err(here)?;
        }
        frame.child = Some(Child::Entered(bracket));
        Ok(Some(bracket))
    }
}

impl Template {
    /// Reads a record's scalars, when everything between them is the same. Answers with where it ends, and with the
    /// scalar that names its subject.
    #[inline]
    fn read(&self, view: &[u8], from: usize, marks: &mut Vec<At>) -> Option<(usize, Option<Token>)> {
        let (last, between) = self.between.split_last()?;
        marks.reserve(self.marks);
        marks.push(near(from));
        let mut named = None;
        let mut position = from;
        for before in between {
            let start = before.is_at(view, position)?;
            let (kind, end) = scalar_at(view, start)?;
            if before.marks {
                marks.extend_from_slice(&[near(start), near(end)]);
            }
            if before.names {
                named = Some(Token { kind, start, end });
            }
            position = end;
        }
        Some((last.is_at(view, position)?, named))
    }
}

/// The marks of a record that is being remembered.
struct Marks {
    /// Where what stands before each scalar begins, and where it ends; and what stands after the last.
    starts: Vec<At>,
    ends: Vec<At>,
    /// The first mark of each scalar that has some.
    place: Vec<Option<usize>>,
    count: usize,
}

impl Marks {
    fn scalar(&mut self, scalar: usize) -> Option<usize> {
        let place = self.place.get_mut(scalar)?;
        if place.is_none() {
            *place = Some(self.count);
            self.count += 2;
        }
        *place
    }

    /// The position where something begins: if it can be, by the scalar after it.
    fn start(&mut self, position: At) -> Option<Relative> {
        let before = self.ends.iter().position(|end| position <= *end)?;
        if before == self.place.len() {
            return self.end(position);
        }
        let offset = position.wrapping_sub(*self.ends.get(before)?);
        Some(Relative { mark: self.scalar(before)?, offset })
    }

    /// The position where something ends: if it can be, by the scalar before it.
    fn end(&mut self, position: At) -> Option<Relative> {
        let before = self.ends.iter().position(|end| position <= *end)?;
        let offset = position.wrapping_sub(*self.starts.get(before)?);
        let mark = match before.checked_sub(1) {
            None => 0,
            Some(scalar) => self.scalar(scalar)? + 1,
        };
        Some(Relative { mark, offset })
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
    fn push(&mut self, start: Relative, end: Relative, value: Option<Datum>) -> Option<()> {
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
