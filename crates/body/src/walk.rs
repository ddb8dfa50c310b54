//! From tokens and the map to the tape: what each value is, whose it is, and what may become of it.

use std::sync::Arc;

use consentry_model::{Field, FieldMap, ScopeId};

use crate::Limits;
use crate::direct::straight;
use crate::error::{BodyFault, Fault};
use crate::fate::{Act, Fate, Place, Shape};
use crate::frame::{Child, Frame, Null, element, is_null, look_up, null, scalar_element, undeclared};
use crate::json::{Container, Skip, Token, TokenKind, unescape};
use crate::keys::{Few, Key, Keys, Met};
use crate::names::Names;
use crate::record::{Records, Sought};
use crate::replay::Replay;
use crate::shape::{Opening, ShapeIx, Shapes, StepIx};
use crate::subject::Id;
use crate::tape::{Kind, Leaf, Op, Tape, at};

/// The walk over one body. The frame at the bottom stands for the body, whose one child is the root value.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) map: Arc<FieldMap>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) records: Records,
    names: Names,
    pub(crate) shapes: Shapes,
    pub(crate) replay: Replay,
    pub(crate) keys: Keys,
    pub(crate) skip: Skip,
    pub(crate) tape: Tape,
    /// How many bytes and subjects a window has when it ends.
    full: (usize, usize),
    /// The last place that the fast lane went past where a window could have ended.
    pub(crate) passed: Option<usize>,
}

impl Walk {
    pub(crate) fn new(map: Arc<FieldMap>, limits: &Limits) -> Self {
        let place = Place::Inner(map.root());
        let body = Frame {
            place,
            object: false,
            record: false,
            outside: map.has_records(),
            searched: false,
            sought: Sought::No,
            spilled: false,
            mark: 0,
            node: Some(map.root()),
            act: place.act(&map, Some(map.root())),
            child: None,
            shape: ShapeIx::NONE,
            step: StepIx::NONE,
            direct: false,
            few: Few::default(),
            seen: 0,
            name_bytes: 0,
        };
        let mut frames = Vec::with_capacity(8);
        frames.push(body);
        Self {
            map,
            frames,
            records: Records::default(),
            names: Names::default(),
            shapes: Shapes::default(),
            replay: Replay::default(),
            keys: Keys::default(),
            skip: Skip::default(),
            tape: Tape::new(),
            full: (limits.window_bytes_max, limits.window_subjects_max),
            passed: None,
        }
    }

    pub(crate) fn map(&self) -> &FieldMap {
        &self.map
    }

    /// How many bytes the member names of the open objects have.
    pub(crate) fn name_bytes(&self) -> usize {
        self.frames.iter().map(|frame| frame.name_bytes).sum()
    }

    /// Whether a window that goes up to here is large enough.
    pub(crate) fn is_full(&self, here: usize) -> bool {
        let (bytes, subjects) = self.full;
        here >= bytes || self.tape.subjects_len() >= subjects
    }

    /// Takes a token. Answers whether a window may end after it.
    pub(crate) fn token(&mut self, view: &[u8], token: &Token) -> Result<bool, Fault> {
        let here = |kind| Fault::new(kind, token.start);
        match token.kind {
            TokenKind::Open(container) => self.open(container, view, token.start).map_err(here)?,
            TokenKind::Close => {
                let any = self.top().map_err(here)?.child.is_some();
                self.finish_child(token.start)?;
                self.close(view, token.start, any)?;
            }
            TokenKind::Comma => {
                self.finish_child(token.start)?;
                self.top().map_err(here)?.mark = token.end;
            }
            TokenKind::Name => self.name(view, token).map_err(here)?,
            TokenKind::Text | TokenKind::Number { .. } | TokenKind::Literal => {
                self.scalar(view, token).map_err(here)?;
            }
        }
        let between = matches!(token.kind, TokenKind::Open(_) | TokenKind::Comma);
        Ok(between && self.top().map_err(here)?.outside)
    }

    /// The body ended, complete, at `end`.
    pub(crate) fn end(&mut self, end: usize) -> Result<(), Fault> {
        self.finish_child(end)
    }

    /// A window of `count` bytes ended where the last token did, and its bytes are gone.
    pub(crate) fn forget(&mut self, count: usize) {
        self.tape.clear();
        self.skip.forget(count);
        // The marks further out are of children that have begun: they are not looked at again.
        if let Some(frame) = self.frames.last_mut() {
            frame.mark = 0;
        }
    }

    fn top(&mut self) -> Result<&mut Frame, BodyFault> {
        self.frames.last_mut().ok_or(BodyFault::Internal)
    }

    pub(crate) fn depth(&self) -> usize {
        self.frames.len().saturating_sub(1)
    }

    fn name(&mut self, view: &[u8], token: &Token) -> Result<(), BodyFault> {
        let inside = view.get(token.start + 1..token.end - 1).ok_or(BodyFault::Internal)?;
        let raw = std::str::from_utf8(inside).map_err(|_| BodyFault::InvalidUtf8)?;
        let name = unescape(raw).map_err(|_| BodyFault::Malformed)?;
        let depth = self.depth();
        if self.short_name(depth, &name)? {
            return Ok(());
        }
        let frame = self.frames.last().ok_or(BodyFault::Internal)?;
        let (step, known) = look_up(&self.map, frame, &mut self.records, &mut self.shapes, depth, &name);
        let bit = self.shapes.step(step).map(|step| step.bit);
        let frame = self.frames.last_mut().ok_or(BodyFault::Internal)?;
        match bit {
            Some(bit) if frame.seen & bit != 0 => return Err(BodyFault::DuplicateKey),
            Some(bit) => frame.seen |= bit,
            None => {
                if !frame.spilled {
                    self.names.open();
                    frame.spilled = true;
                }
                if !self.names.insert(&name) {
                    return Err(BodyFault::DuplicateKey);
                }
            }
        }
        frame.named(step, known, name.len());
        if frame.searched {
            frame.sought = self.records.name(&self.map, depth, &name);
        }
        Ok(())
    }

    /// Takes a name that is kept by its key, if it is one.
    fn short_name(&mut self, depth: usize, name: &str) -> Result<bool, BodyFault> {
        let frame = self.frames.last_mut().ok_or(BodyFault::Internal)?;
        let Some(key) = Key::of(name.as_bytes()).filter(|_| frame.direct) else { return Ok(false) };
        match self.keys.look(&frame.few, key) {
            Met::Full => return Ok(false),
            Met::Twice => return Err(BodyFault::DuplicateKey),
            Met::New => self.keys.keep(&mut frame.few, key),
        }
        let known = straight(&self.map, frame, &mut self.records, depth, name.as_bytes());
        frame.named(StepIx::NONE, known.ok_or(BodyFault::Internal)?, name.len());
        Ok(true)
    }

    fn scalar(&mut self, view: &[u8], token: &Token) -> Result<(), BodyFault> {
        let (depth, outermost) = (self.depth(), self.frames.len() == 1);
        let frame = self.frames.last_mut().ok_or(BodyFault::Internal)?;
        if frame.sought != Sought::No {
            self.records.scalar(&self.map, depth, view, token);
        }
        frame.child = match frame.act {
            Act::Nothing => None,
            Act::Remove => Some(undeclared(&mut self.tape, outermost)?),
            act @ (Act::Keep | Act::KeepRecord) => {
                self.tape.records = self.tape.records.saturating_add(u64::from(act == Act::KeepRecord));
                Some(Child::Verbatim)
            }
            Act::Value(node, class) => {
                let leaf = Leaf { node, owner: self.records.owner(class, &mut self.tape)? };
                Some(Child::Value { leaf, kind: Kind::of(token.kind), start: token.start, end: token.end })
            }
            Act::Element(node, class) => {
                let leaf = scalar_element(&self.map, &mut self.tape, node, class, view, token)?;
                Some(Child::Value { leaf, kind: Kind::of(token.kind), start: token.start, end: token.end })
            }
            Act::Null(node) => {
                let is_null = is_null(view, token);
                Some(match null(&self.map, &mut self.records, &mut self.tape, node, is_null)? {
                    Null::Undeclared => undeclared(&mut self.tape, outermost)?,
                    Null::Open => Child::Verbatim,
                    Null::Of(leaf) => {
                        let (kind, start, end) = (Kind::Literal, token.start, token.end);
                        Child::Value { leaf, kind, start, end }
                    }
                })
            }
        };
        Ok(())
    }

    /// An array or object begins, with its bracket at `start`.
    pub(crate) fn open(&mut self, container: Container, view: &[u8], start: usize) -> Result<(), BodyFault> {
        let end = start + 1;
        let (depth, outermost) = (self.frames.len(), self.frames.len() == 1);
        let parent = self.frames.last().ok_or(BodyFault::Internal)?;
        let (outside, sought) = (parent.outside, parent.sought);
        let (step, inside, of_object) = (parent.step, parent.shape, parent.object);
        // Of members that are not kept, nothing is.
        let kept = !of_object || step != StepIx::NONE;
        let found = if kept { self.shapes.opening(step, inside, container) } else { None };
        if container == Container::Object && sought != Sought::No {
            self.records.enter(depth);
        }
        let opening = match found {
            Some(opening) => opening,
            None => self.opening(container, kept)?,
        };
        if let Some(scope) = opening.record {
            self.records.open(&self.map, scope, depth);
            self.tape.records = self.tape.records.saturating_add(1);
        }
        let child = match opening.fate {
            None => None,
            Some(Fate::Undeclared) => Some(undeclared(&mut self.tape, outermost)?),
            Some(Fate::Verbatim) => Some(Child::Verbatim),
            Some(Fate::Value(node, class)) => {
                // Arrays are entered: it is an object, and its record, if it is one, is open.
                let leaf = Leaf { node, owner: self.records.owner(class, &mut self.tape)? };
                Some(Child::Value { leaf, kind: Kind::Object, start, end })
            }
            Some(Fate::Enter(place)) => {
                self.enter(place, opening.record, view, end)?;
                Some(Child::Entered(end))
            }
        };
        self.top()?.child = child;
        self.frames.push(Frame {
            place: opening.place,
            object: container == Container::Object,
            record: opening.record.is_some(),
            outside: outside && matches!(opening.place, Place::Inner(_)) && self.records.is_empty(),
            searched: opening.searched,
            sought: Sought::No,
            spilled: false,
            mark: end,
            node: opening.node,
            act: opening.act,
            child: None,
            shape: opening.shape,
            step: StepIx::NONE,
            direct: container == Container::Object && self.shapes.meet(opening.shape),
            few: self.keys.open(),
            seen: 0,
            name_bytes: 0,
        });
        Ok(())
    }

    /// What is to be known of an array or object that begins in the innermost, after the records have heard of it.
    fn opening(&mut self, container: Container, kept: bool) -> Result<Opening, BodyFault> {
        let object = container == Container::Object;
        let depth = self.frames.len();
        let parent = self.frames.last().ok_or(BodyFault::Internal)?;
        let (step, inside, of_object) = (parent.step, parent.shape, parent.object);
        let node = parent.node;
        let fate = parent.place.fate(&self.map, node, if object { Shape::Object } else { Shape::Array });
        let place = match fate {
            Some(Fate::Enter(place)) => place,
            Some(Fate::Undeclared | Fate::Verbatim | Fate::Value(..)) | None => Place::Opaque,
        };
        let removed = matches!(fate, None | Some(Fate::Undeclared));
        let record = node.and_then(|n| self.map.scope_at(n)).filter(|_| object && !removed);
        let searched = record.is_some() || object && self.records.search_on(depth);
        let shape = match (place, record.and(node)) {
            // What an outer record looks for may be in one record of a node and not in another.
            (_, Some(record)) if !self.records.search_on(depth) => self.shapes.of_node(record, container),
            (Place::Inner(node), None) if !searched => self.shapes.of_node(node, container),
            // What is not kept shares a place only where nothing inside is of interest.
            _ if of_object && step == StepIx::NONE => {
                if searched || place != Place::Opaque {
                    ShapeIx::NONE
                } else {
                    self.shapes.spilled(inside, container)
                }
            }
            _ if !of_object && inside == ShapeIx::NONE && depth > 1 => ShapeIx::NONE,
            _ => self.shapes.another(),
        };
        let inner = match place {
            Place::Inner(node) if !object => self.map.items(node),
            Place::Covered(node, _) => Some(node),
            Place::Inner(_) | Place::Opaque => None,
        };
        let act = if object { Act::Nothing } else { place.act(&self.map, inner) };
        let opening = Opening { fate, record, place, node: inner, act, searched, shape };
        if kept {
            self.shapes.keep_opening(step, inside, container, opening);
        }
        Ok(opening)
    }

    /// Writes on the tape that a child is entered, whose bracket ends at `end`.
    fn enter(
        &mut self,
        place: Place,
        scope: Option<ScopeId>,
        view: &[u8],
        end: usize,
    ) -> Result<(), BodyFault> {
        let parent = self.top()?;
        // Within the leaf's own array, inner arrays are plain: the leaf has been entered.
        let first = !matches!(parent.place, Place::Covered(..));
        let start = at(parent.mark).map_err(|f| f.kind)?;
        let open_end = at(end).map_err(|f| f.kind)?;
        let op = match (place, scope) {
            (Place::Covered(node, Field::Class(class, _)), _) if first => {
                let leaf = match self.map.scope_at(node) {
                    Some(_) => element(&self.map, &mut self.tape, node, class, view, || Id::Nobody)?,
                    None => Leaf { node, owner: self.records.owner(class, &mut self.tape)? },
                };
                Op::EnterLeaf { start, open_end, leaf }
            }
            (_, Some(scope)) => Op::EnterRecord { start, open_end, scope },
            (_, None) => Op::Enter { start, open_end },
        };
        self.tape.push(op);
        Ok(())
    }

    /// The innermost array or object ends, its last child finished, with its bracket at `bracket`. `any` says that it
    /// has a child.
    pub(crate) fn close(&mut self, view: &[u8], bracket: usize, any: bool) -> Result<(), Fault> {
        let here = |kind| Fault::new(kind, bracket);
        let depth = self.depth();
        let frame = self.frames.last().ok_or(Fault::internal(bracket))?;
        let mark = frame.mark;
        if frame.direct {
            self.keys.close(frame.few);
        }
        if frame.spilled {
            self.names.close();
        }
        if frame.searched {
            self.records.leave(depth);
        }
        if frame.record {
            self.records.close(view, &mut self.tape).map_err(here)?;
        }
        self.frames.truncate(depth);
        match &mut self.top().map_err(here)?.child {
            // The white space of an empty array or object is its own; else it is the last child's.
            Some(Child::Entered(from)) => *from = if any { bracket } else { mark },
            Some(Child::Value { end, .. }) => *end = bracket + 1,
            Some(Child::Removed | Child::Verbatim | Child::Taken) | None => {}
        }
        Ok(())
    }

    /// The child of the innermost container ends, with the white space after it, at `end`.
    pub(crate) fn finish_child(&mut self, end: usize) -> Result<(), Fault> {
        let frame = self.top().map_err(|kind| Fault::new(kind, end))?;
        let (start, child) = (frame.mark, frame.child.take());
        let end = at(end)?;
        match child {
            None | Some(Child::Removed | Child::Taken) => {}
            Some(Child::Verbatim) => self.tape.push(Op::Verbatim { start: at(start)?, end }),
            Some(Child::Entered(from)) => self.tape.push(Op::Leave { from: at(from)?, end }),
            Some(Child::Value { leaf, kind, start: value, end: value_end }) => {
                let (start, value, value_end) = (at(start)?, at(value)?, at(value_end)?);
                self.tape.push(Op::Value { start, value, value_end, end, kind, leaf });
            }
        }
        Ok(())
    }
}
