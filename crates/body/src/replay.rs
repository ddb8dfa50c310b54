//! Records that are written alike, taken at once.
//!
//! Of a record that went through the fast lane it is remembered what stood between its scalars, byte for byte, and what
//! came onto the tape. When the next record has the same bytes between its scalars, it has the same names in the same
//! nesting: only its scalars are read, and the same comes onto the tape with other positions. Anything else, and the
//! record goes through the lane itself.

use std::sync::Arc;

use consentry_model::{Field, FieldMap, NodeId, ScopeId};

use crate::error::Fault;
use crate::fate::Act;
use crate::frame::Child;
use crate::json::{Length, Token, TokenKind, Turn, delimiter, space};
use crate::lane::Next;
use crate::record::name_at;
use crate::shape::ShapeIx;
use crate::subject::{Classes, Id, Subject};
use crate::tape::{At, Kind, Op, at};
use crate::template::{Between, Datum, Marks, Open, Parts, Row, Template, Unit};
use crate::walk::Walk;

/// More scalars than this are not remembered.
const SCALARS_MAX: usize = 512;
/// A longer record is not remembered.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// How often a record is remembered anew, before one has been met that often.
const TRIES_MAX: u8 = 8;
const HITS_MIN: u32 = 32;
/// How many records are remembered for a body.
const TEMPLATES_MAX: usize = 64;
/// The number of the template of the body as a whole.
pub(crate) const BODY: u32 = u32::MAX;

/// A scalar of a record: where it begins and ends, and what it is.
type Scalar = (At, At, TokenKind);
/// What stands after a record and where, or where it ends if nothing is in view after it.
type Followed = Result<(u8, usize), usize>;

/// A record, or a whole body, that goes through the lane, to be remembered.
#[derive(Debug)]
pub(crate) struct Recording {
    shape: ShapeIx,
    /// Without one it is a body.
    pub(crate) scope: Option<ScopeId>,
    pub(crate) depth: usize,
    /// How many arrays and objects might be open in it, itself among them.
    pub(crate) room: usize,
    pub(crate) start: usize,
    pub(crate) ops_from: usize,
    pub(crate) undeclared: u64,
    pub(crate) records: u64,
    /// The undeclared children, each from here to there.
    pub(crate) removed: Vec<(usize, usize)>,
    /// How many scalars in arrays and objects are remembered that only have to be right.
    inside: usize,
}

/// What is remembered: what is on the tape refers to it, so that nothing is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// With each, how often a record was like it, and how long the scalars of the last one were.
    templates: Vec<(Template, u32, Box<[Length]>)>,
    /// The template that the body as a whole is like.
    pub(crate) body: Option<Arc<Template>>,
    /// By place, the last that was remembered, and how often one was.
    places: Vec<(Option<u32>, u8)>,
    recording: Option<Recording>,
    /// The scalars of the record that is read: where each begins and ends, and what it is.
    scalars: Vec<Scalar>,
    /// Which of these are arrays or objects that only have to be right.
    units: Vec<(usize, Unit)>,
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
            // A record of its own; or one of which it is not known what the next one has here.
            (Act::Element(..) | Act::KeepRecord | Act::Null(..), ..) => self.give_up(),
            (_, Ok(start), Ok(end)) if self.scalars.len() < SCALARS_MAX => {
                self.scalars.push((start, end, token.kind));
            }
            _ => self.give_up(),
        }
    }

    /// The scalar that will be taken next names the subject.
    pub(crate) fn subject(&mut self) {
        self.subject = Some(self.scalars.len());
    }

    /// An array or object was taken that only has to be right; so many more might have been open where it is. Whether the map
    /// says that it tells nothing of anybody.
    pub(crate) fn unit(
        &mut self,
        view: &[u8],
        (start, end): (usize, usize),
        scalars: &[(usize, usize)],
        (left, open): (usize, bool),
    ) {
        let Some(recording) = &mut self.recording else { return };
        // What a body's template keeps outlives the body.
        let scalars = Some(scalars).filter(|_| open || recording.scope.is_some());
        recording.inside += scalars.map_or(0, <[_]>::len);
        let few = self.scalars.len() + recording.inside < SCALARS_MAX;
        let unit = recording
            .room
            .checked_sub(left)
            .and_then(|inside| Unit::new(view, (start, end), scalars, inside));
        match (at(start), at(end), unit) {
            (Ok(start), Ok(end), Some(unit)) if few => {
                self.units.push((self.scalars.len(), unit));
                self.scalars.push((start, end, TokenKind::Close));
            }
            _ => self.give_up(),
        }
    }

    /// Whether something is being recorded.
    #[inline]
    pub(crate) const fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// A member was named. What a body's template keeps outlives the body: no name that only this one may have.
    #[inline]
    pub(crate) fn named(&mut self, map: &FieldMap, node: Option<NodeId>) {
        if self.recording.as_ref().is_some_and(|recording| recording.scope.is_none())
            && node.is_none_or(|node| map.path(node).contains('*'))
        {
            self.give_up();
        }
    }

    /// An array or object that is undeclared ended.
    pub(crate) fn removed(&mut self, child: (usize, usize)) {
        if let Some(recording) = &mut self.recording {
            recording.removed.push(child);
        }
    }

    /// A record that is remembered.
    pub(crate) fn get(&self, template: u32) -> Option<&Template> {
        match template {
            BODY => self.body.as_deref(),
            _ => self.templates.get(template as usize).map(|(template, ..)| template),
        }
    }

    /// The record that is being recorded cannot be remembered.
    #[inline]
    pub(crate) fn give_up(&mut self) {
        self.recording = None;
    }

    /// Starts to record.
    pub(crate) fn record(&mut self, recording: Recording) {
        self.scalars.clear();
        self.units.clear();
        self.subject = None;
        self.recording = Some(recording);
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
    pub(crate) fn record_this(&mut self, (shape, scope): (ShapeIx, ScopeId), start: usize, room: usize) {
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
        if kept_one.is_some_and(|(_, hits, _)| *hits >= HITS_MIN) {
            *tries = 0;
        }
        if *tries >= TRIES_MAX || templates.len() >= TEMPLATES_MAX {
            *kept = None;
            return;
        }
        *tries += 1;
        let recording = self.recording(shape, Some(scope), start, room);
        self.replay.record(recording);
    }

    /// What is to be known of a record, or of a body, that has been opened with its bracket at `start`.
    pub(crate) fn recording(
        &self,
        shape: ShapeIx,
        scope: Option<ScopeId>,
        start: usize,
        room: usize,
    ) -> Recording {
        Recording {
            shape,
            scope,
            depth: self.frames.len().saturating_sub(1),
            room,
            start,
            ops_from: self.tape.ops.len(),
            undeclared: self.tape.undeclared,
            records: self.tape.records,
            removed: Vec::new(),
            inside: 0,
        }
    }

    /// The record that is being recorded ends with its bracket at `bracket`; its children are on the tape.
    pub(crate) fn remember(&mut self, view: &[u8], bracket: usize, any: bool) {
        // The white space in an empty object is its own.
        let Some(recording) = self.replay.recording.take().filter(|_| any) else { return };
        let Some(template) = self.template(&recording, view, bracket) else { return };
        if recording.scope.is_none() {
            self.learn(template);
        } else if let Some((kept, _)) = recording.shape.index().and_then(|ix| self.replay.places.get_mut(ix))
        {
            *kept = u32::try_from(self.replay.templates.len()).ok();
            let lengths = vec![Length::UNKNOWN; template.between.len()].into();
            self.replay.templates.push((template, 0, lengths));
        }
    }

    fn template(&self, recording: &Recording, view: &[u8], bracket: usize) -> Option<Template> {
        let Replay { scalars, units, subject, .. } = &self.replay;
        let end = bracket.checked_add(1)?;
        if scalars.len() > SCALARS_MAX
            || end.checked_sub(recording.start)? > RECORD_BYTES_MAX
            || self.tape.records != recording.records
            || recording.scope.and_then(|scope| self.map.scope(scope)).is_some_and(|s| !s.captures.is_empty())
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
        for (scalar, unit) in units {
            between.get_mut(*scalar)?.unit = Some(Box::new(unit.clone()));
        }
        let mut marks = Marks { starts, ends, wanted: vec![false; scalars.len()] };
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
                // A template knows what stays of a datum and what does not; for what stands in its place it has no room.
                Op::Value { leaf, .. } if self.map.is_null_when_withheld(leaf.node) => return None,
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
        between.iter_mut().zip(&marks.wanted).for_each(|(between, wanted)| between.marks = *wanted);
        let marks = marks.number(&mut parts.all)?;
        let Recording { scope, depth, room, .. } = *recording;
        let of = |scope| Some(self.map.scope(scope)?.emptied);
        let emptied = scope.map_or(Some(None), |scope| of(scope).map(Some))?;
        let between = between.into_iter().map(Between::settled).collect();
        let parts = parts.all;
        let undeclared = self.tape.undeclared.checked_sub(recording.undeclared)?;
        Some(Template { emptied, parts, depth, room, between, marks, classes, undeclared })
    }

    /// Takes the record of this place that begins at `from`, when it is like the one that is remembered. Answers with what
    /// it is followed by.
    fn again(
        &mut self,
        view: &[u8],
        from: usize,
        (shape, scope): (ShapeIx, ScopeId),
        room: usize,
    ) -> Result<Option<Followed>, Fault> {
        let depth = self.frames.len();
        let Self { replay, tape, frames, keys, skip, .. } = self;
        let Replay { templates, places, recording: None, .. } = replay else { return Ok(None) };
        let Some(ix) = shape.index().and_then(|ix| places.get(ix)?.0) else { return Ok(None) };
        let Some((template, hits, lengths)) = templates.get_mut(ix as usize) else { return Ok(None) };
        if template.depth != depth {
            return Ok(None);
        }
        let marks = tape.marks.len();
        let read = template.read(view, (from, room), lengths.iter_mut(), (skip, keys), &mut tape.marks);
        let Some((end, named)) = read else {
            tape.marks.truncate(marks);
            return Ok(None);
        };
        *hits = hits.saturating_add(1);
        let here = |kind| Fault::new(kind, from);
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let owner = tape.owner().map_err(here)?;
        tape.records = tape.records.saturating_add(1);
        tape.undeclared = tape.undeclared.saturating_add(template.undeclared);
        let bracket = end.wrapping_sub(1);
        let followed = delimiter(view, end);
        let until = followed.map_or(bracket, |(_, stop)| stop);
        let row = Row {
            mark: at(frame.mark)?,
            start: at(from)?,
            template: ix,
            marks: at(marks)?,
            owner,
            bracket: at(bracket)?,
            end: at(until)?,
        };
        tape.ops.push(Op::Row(row));
        if !template.classes.is_empty() {
            let id = named.map_or(Id::Nobody, |(start, end)| name_at(view, start, end));
            let subject = Subject { scope, id, captured: Vec::new() };
            tape.name(owner, subject, &template.classes, view).map_err(here)?;
        }
        frame.child = Some(if followed.is_some() { Child::Taken } else { Child::Entered(bracket) });
        Ok(Some(followed.ok_or(end)))
    }

    /// Takes the record of this place that begins at `from`, and those after it, as long as each is like the one that is
    /// remembered and no window has to end. `None` when the first is not.
    pub(crate) fn alike(
        &mut self,
        view: &[u8],
        from: usize,
        record: (ShapeIx, ScopeId),
        room: usize,
    ) -> Result<Option<Next>, Fault> {
        let Some(mut followed) = self.again(view, from, record, room)? else { return Ok(None) };
        while let Ok((b',', stop)) = followed {
            let next = stop.wrapping_add(1);
            let full = self.is_full(next);
            let frame = self.frames.last_mut().ok_or(Fault::internal(stop))?;
            (frame.child, frame.mark) = (None, next);
            if frame.outside {
                self.passed = Some(next);
            }
            let between = Next::between(Turn::Before { first: false }, next, frame.outside);
            let start = space(view, next);
            if full && frame.outside || view.get(start) != Some(&b'{') {
                return Ok(Some(between));
            }
            match self.again(view, start, record, room)? {
                Some(next) => followed = next,
                None => return Ok(Some(between)),
            }
        }
        let after = match followed {
            Ok((_, at)) | Err(at) => at,
        };
        Ok(Some(Next::go(Turn::After, after)))
    }
}
