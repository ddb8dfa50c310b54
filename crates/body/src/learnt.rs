//! Bodies that are written alike, taken at once.
//!
//! Where no lists of records are declared, most bodies of one direction of one route have the same members in the same order.
//! What a body was like is kept with its field map, as what a record was like is kept with a body; see `template.rs`.
//! Kept are names that the map declares, and those in what it declares to tell nothing of anybody; and nothing else of what bodies
//! hold.

use std::iter::repeat;
use std::sync::{Arc, RwLock};

use crate::error::Fault;
use crate::frame::Child;
use crate::json::{Anew, Container, Grammar, Turn, space};
use crate::replay::BODY;
use crate::shape::ShapeIx;
use crate::tape::{Op, at};
use crate::template::{Row, Template};
use crate::walk::Walk;

/// How many are kept for a map.
const KEPT_MAX: usize = 4;
/// How many are learnt. Where bodies are never alike, the later ones need not pay for it.
const LEARNT_MAX: usize = 64;

/// What was learnt of the bodies of a map, and how often something was.
#[derive(Debug, Default)]
pub(crate) struct Learnt(RwLock<(Arc<[Arc<Template>]>, usize)>);

impl Learnt {
    /// What is kept, and whether more is wanted.
    fn get(&self) -> (Arc<[Arc<Template>]>, bool) {
        match self.0.read() {
            Ok(there) => (Arc::clone(&there.0), there.1 < LEARNT_MAX),
            Err(_) => (Arc::default(), false),
        }
    }

    /// Keeps another, instead of the oldest if there are too many.
    fn keep(&self, template: Template) {
        let Ok(mut there) = self.0.write() else { return };
        let oldest = there.0.len().saturating_sub(KEPT_MAX - 1);
        let kept = there.0.iter().skip(oldest).cloned().chain([Arc::new(template)]).collect();
        *there = (kept, there.1.saturating_add(1));
    }
}

impl Walk {
    /// Takes the body as a whole, if it is in view and like one that was learnt; if it is not, its outermost object is
    /// opened, and what it is like is recorded.
    pub(crate) fn begin(&mut self, grammar: &mut Grammar, view: &[u8]) -> Result<(), Fault> {
        if !grammar.is_fresh() || self.map.has_records() || u32::try_from(view.len()).is_err() {
            return Ok(());
        }
        let from = space(view, 0);
        if view.get(from) != Some(&b'{') || !grammar.may_open() {
            return Ok(());
        }
        let map = Arc::clone(&self.map);
        let Some(learnt) = map.memo::<Learnt>() else { return Ok(()) };
        let (kept, more) = learnt.get();
        for template in kept.iter().rev() {
            if self.is_like(template, grammar, view, from)? {
                return Ok(());
            }
        }
        self.open(Container::Object, view, from).map_err(|kind| Fault::new(kind, from))?;
        let room = grammar.depth_left();
        grammar.opened(Container::Object);
        grammar.go_on(Turn::Before { first: true }, from + 1);
        if more && matches!(self.frames.first().and_then(|body| body.child), Some(Child::Entered(_))) {
            let recording = self.recording(ShapeIx::NONE, None, from, room);
            self.replay.record(recording);
        }
        Ok(())
    }

    /// Takes the body, if it is like this one.
    fn is_like(
        &mut self,
        template: &Arc<Template>,
        grammar: &mut Grammar,
        view: &[u8],
        from: usize,
    ) -> Result<bool, Fault> {
        let (Self { replay, tape, frames, keys, skip, .. }, room) = (self, grammar.depth_left());
        let [body] = &mut **frames else { return Ok(false) };
        // As deep as the other might have been, this one may be.
        let read = match template.room <= room {
            true => template.read(view, (from, room), repeat(Anew), (skip, keys), &mut tape.marks),
            false => None,
        };
        let Some((end, _)) = read else {
            tape.marks.clear();
            return Ok(false);
        };
        let here = |kind| Fault::new(kind, from);
        let mut owner = None;
        for class in template.classes.iter() {
            owner = Some(tape.request(class).map_err(here)?);
        }
        let owner = match owner {
            Some(owner) => owner,
            None => tape.owner().map_err(here)?,
        };
        let bracket = end.wrapping_sub(1);
        tape.undeclared = tape.undeclared.saturating_add(template.undeclared);
        let (mark, start, bracket_at) = (at(body.mark)?, at(from)?, at(bracket)?);
        let row = Row { mark, start, template: BODY, marks: 0, owner, bracket: bracket_at, end: bracket_at };
        tape.push(Op::Row(row));
        replay.body = Some(Arc::clone(template));
        body.child = Some(Child::Entered(bracket));
        grammar.go_on(Turn::After, end);
        Ok(true)
    }

    /// Keeps what a body was like.
    pub(crate) fn learn(&mut self, template: Template) {
        if let Some(learnt) = self.map.memo::<Learnt>() {
            learnt.keep(template);
        }
    }
}
