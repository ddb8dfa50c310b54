//! The fast lane: what is whole and plain, taken member by member instead of token by token.
//!
//! It takes a member or an element when all of it is in view up to the comma or bracket after it, and does with it what
//! the tokens would have done. It never finds fault: at whatever is cut off, written unusually or wrong it stops *before*
//! the member, and the tokens take over.

use consentry_model::FieldMap;

use crate::error::Fault;
use crate::fate::{Act, Fate};
use crate::frame::{Child, Frame, Null, is_null, look_up, null, scalar_element};
use crate::json::{Container, Grammar, Token, Turn, Value, delimiter, plain_name, space, value};
use crate::record::{Records, Sought};
use crate::replay::Replay;
use crate::shape::{Shapes, StepIx};
use crate::tape::{At, Kind, Leaf, Op, Tape};
use crate::walk::Walk;

/// How far the lane came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The next token is to be taken on its own.
    Stuck,
    /// A window may end here.
    Between,
}

/// Where the lane is, and whether it can go on.
pub(crate) struct Next {
    turn: Turn,
    at: usize,
    may: May,
}

enum May {
    Go,
    Stop,
    /// Go on, but a window may end before.
    End,
}

/// What scalars end with.
pub(crate) enum Ended {
    Stuck,
    /// There may be none.
    Empty,
    Open(Container, usize),
    /// A bracket, after a child that is some.
    Close(usize, bool),
}

impl Next {
    pub(crate) const fn go(turn: Turn, at: usize) -> Self {
        Self { turn, at, may: May::Go }
    }

    const fn stuck(turn: Turn, at: usize) -> Self {
        Self { turn, at, may: May::Stop }
    }

    pub(crate) const fn between(turn: Turn, at: usize, outside: bool) -> Self {
        Self { turn, at, may: if outside { May::End } else { May::Go } }
    }
}

impl Walk {
    /// Goes on as far as it can.
    pub(crate) fn fast(&mut self, grammar: &mut Grammar, view: &[u8]) -> Result<Came, Fault> {
        let Some((turn, from)) = grammar.turn().filter(|_| u32::try_from(view.len()).is_ok()) else {
            return Ok(Came::Stuck);
        };
        let mut next = Next::go(turn, from);
        loop {
            next = match (next.turn, &*self.frames) {
                // The frame at the bottom is the body's, which has no bracket.
                (turn, [] | [_]) => Next::stuck(turn, next.at),
                (Turn::After, _) => self.after(grammar, view, next.at)?,
                (Turn::Before { first }, [.., frame]) if frame.direct => {
                    self.direct_members(grammar, view, next.at, first)?
                }
                (Turn::Before { first }, [.., frame]) if frame.object => {
                    self.members(grammar, view, next.at, first)?
                }
                (Turn::Before { first }, _) => self.elements(grammar, view, next.at, first)?,
            };
            match next.may {
                May::Go => {}
                May::Stop => {
                    self.replay.give_up();
                    grammar.go_on(next.turn, next.at);
                    return Ok(Came::Stuck);
                }
                May::End => {
                    grammar.go_on(next.turn, next.at);
                    return Ok(Came::Between);
                }
            }
        }
    }

    /// Members, as long as they are scalars.
    fn members(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        mut from: usize,
        mut first: bool,
    ) -> Result<Next, Fault> {
        let depth = self.depth();
        let Self { map, frames, records, shapes, tape, replay, .. } = self;
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let mut ix = shapes.expected(frame.shape, frame.step);
        let ended = loop {
            let expected = shapes
                .step(ix)
                .filter(|step| frame.seen & step.bit == 0)
                .and_then(|step| Some((step, shapes.is_next(step, view, from)?)));
            let (step, start) = match expected {
                Some(expected) => expected,
                None => match unexpected(map, frame, records, shapes, depth, view, from) {
                    Some((found, start)) => {
                        ix = found;
                        let Some(step) = shapes.step(ix) else { break Ended::Stuck };
                        (step, start)
                    }
                    None => break if first { Ended::Empty } else { Ended::Stuck },
                },
            };
            let token = match value(view, start) {
                Some(Value::Scalar(token)) => token,
                Some(Value::Opens(container)) if grammar.may_open() => {
                    replay.named(map, step.known.node);
                    frame.seen |= step.bit;
                    frame.named(ix, step.known, step.name_bytes);
                    if step.known.sought != Sought::No {
                        replay.give_up();
                        records.name(map, depth, shapes.name(step));
                    }
                    break Ended::Open(container, start);
                }
                Some(Value::Opens(_)) | None => break Ended::Stuck,
            };
            let delimiter = delimiter(view, token.end).filter(|(byte, _)| matches!(byte, b',' | b'}'));
            let Some((delimiter, stop)) = delimiter else { break Ended::Stuck };
            replay.named(map, step.known.node);
            frame.took(ix, step);
            if step.known.sought != Sought::No {
                let subject = step.known.sought == Sought::Subject;
                tell(map, records, replay, (depth, shapes.name(step)), view, &token, subject);
            }
            let act = step.known.act;
            replay.scalar(&token, act, (frame.mark, stop));
            commit(map, records, tape, act, view, frame.mark, &token, stop)?;
            if delimiter == b'}' {
                break Ended::Close(stop, act != Act::Nothing);
            }
            ix = step.follow;
            (from, first) = (stop.wrapping_add(1), false);
            frame.mark = from;
            if frame.outside {
                return Ok(Next::between(Turn::Before { first }, from, true));
            }
        };
        self.ended(ended, grammar, view, Turn::Before { first }, from, b'}')
    }

    /// Elements, as long as they are scalars.
    fn elements(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        mut from: usize,
        mut first: bool,
    ) -> Result<Next, Fault> {
        let Self { map, frames, records, tape, replay, .. } = self;
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let act = frame.act;
        let ended = loop {
            let start = space(view, from);
            let token = match value(view, start) {
                Some(Value::Scalar(token)) => token,
                Some(Value::Opens(container)) if grammar.may_open() => break Ended::Open(container, start),
                Some(Value::Opens(_)) => break Ended::Stuck,
                None => break if first { Ended::Empty } else { Ended::Stuck },
            };
            let Some((delimiter, stop)) = delimiter(view, token.end) else { break Ended::Stuck };
            if !matches!(delimiter, b',' | b']') {
                break Ended::Stuck;
            }
            replay.scalar(&token, act, (frame.mark, stop));
            commit(map, records, tape, act, view, frame.mark, &token, stop)?;
            if delimiter == b']' {
                break Ended::Close(stop, act != Act::Nothing);
            }
            (from, first) = (stop.wrapping_add(1), false);
            frame.mark = from;
            if frame.outside {
                return Ok(Next::between(Turn::Before { first }, from, true));
            }
        };
        self.ended(ended, grammar, view, Turn::Before { first }, from, b']')
    }

    /// What comes after scalars.
    pub(crate) fn ended(
        &mut self,
        ended: Ended,
        grammar: &mut Grammar,
        view: &[u8],
        turn: Turn,
        from: usize,
        bracket: u8,
    ) -> Result<Next, Fault> {
        match ended {
            Ended::Stuck => Ok(Next::stuck(turn, from)),
            Ended::Empty => self.close_empty(grammar, view, from, bracket),
            Ended::Open(container, at) => self.open_at(grammar, view, container, at),
            Ended::Close(at, any) => self.close_at(grammar, view, at, any),
        }
    }

    fn open_at(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        container: Container,
        bracket: usize,
    ) -> Result<Next, Fault> {
        let parent = self.frames.last().ok_or(Fault::internal(bracket))?;
        let (element, inside) = (!parent.object, parent.shape);
        let opening = if element { self.shapes.opening(StepIx::NONE, inside, container) } else { None };
        let entered = opening.filter(|opening| matches!(opening.fate, Some(Fate::Enter(_))));
        let record = entered.and_then(|opening| Some((opening.shape, opening.record?)));
        if let Some(record) = record
            && let Some(next) = self.alike(view, bracket, record, grammar.depth_left())?
        {
            return Ok(next);
        }
        if let Some(end) = self.skip_at(grammar, view, container, bracket)? {
            return Ok(Next::go(Turn::After, end));
        }
        self.open(container, view, bracket).map_err(|kind| Fault::new(kind, bracket))?;
        if let Some(record) = record {
            self.record_this(record, bracket, grammar.depth_left());
        }
        grammar.opened(container);
        let outside = self.frames.last().is_some_and(|frame| frame.outside);
        Ok(Next::between(Turn::Before { first: true }, bracket + 1, outside))
    }

    fn close_at(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        bracket: usize,
        any: bool,
    ) -> Result<Next, Fault> {
        if self.replay.ends_at(self.depth()) {
            self.remember(view, bracket, any);
        }
        self.close(view, bracket, any)?;
        grammar.closed();
        Ok(Next::go(Turn::After, bracket + 1))
    }

    /// An array or object may end before its first child.
    fn close_empty(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        from: usize,
        bracket: u8,
    ) -> Result<Next, Fault> {
        let at = space(view, from);
        if view.get(at) != Some(&bracket) {
            return Ok(Next::stuck(Turn::Before { first: true }, from));
        }
        self.close_at(grammar, view, at, false)
    }

    /// What follows an array or object that has ended.
    fn after(&mut self, grammar: &mut Grammar, view: &[u8], from: usize) -> Result<Next, Fault> {
        let stuck = Next::stuck(Turn::After, from);
        let Some((delimiter, stop)) = delimiter(view, from) else { return Ok(stuck) };
        let frame = self.frames.last().ok_or(Fault::internal(from))?;
        if frame.child == Some(Child::Removed) {
            self.replay.removed((frame.mark, stop));
        }
        match delimiter {
            b',' => {
                self.finish_child(stop)?;
                let frame = self.frames.last_mut().ok_or(Fault::internal(from))?;
                frame.mark = stop + 1;
                Ok(Next::between(Turn::Before { first: false }, stop + 1, frame.outside))
            }
            b'}' | b']' if (delimiter == b'}') == frame.object => {
                let any = frame.child.is_some();
                self.finish_child(stop)?;
                self.close_at(grammar, view, stop, any)
            }
            _ => Ok(stuck),
        }
    }
}

/// Tells the records of a scalar that one searches for. `subject` says that it names the innermost's, and no more.
fn tell(
    map: &FieldMap,
    records: &mut Records,
    replay: &mut Replay,
    (depth, name): (usize, &str),
    view: &[u8],
    token: &Token,
    subject: bool,
) {
    if subject {
        replay.subject();
        records.subject(view, token);
        return;
    }
    replay.give_up();
    records.name(map, depth, name);
    records.scalar(map, depth, view, token);
}

/// Takes a scalar whose child begins at `start`, which is the frame's mark: white space may have been read before the
/// lane came in; and ends, with its white space, at `end`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is much of what is done for most members")]
#[allow(clippy::too_many_arguments, reason = "these are the parts of a walk that it does not borrow whole")]
pub(crate) fn commit(
    map: &FieldMap,
    records: &mut Records,
    tape: &mut Tape,
    act: Act,
    view: &[u8],
    start: usize,
    token: &Token,
    end: usize,
) -> Result<(), Fault> {
    let here = |kind| Fault::new(kind, token.start);
    let leaf = match act {
        Act::Nothing => return Ok(()),
        Act::Remove => {
            tape.undeclared = tape.undeclared.saturating_add(1);
            return Ok(());
        }
        Act::Keep | Act::KeepRecord => {
            tape.records = tape.records.saturating_add(u64::from(act == Act::KeepRecord));
            tape.push(Op::Verbatim { start: near(start), end: near(end) });
            return Ok(());
        }
        Act::Value(node, class) => Leaf { node, owner: records.owner(class, tape).map_err(here)? },
        Act::Element(node, class) => scalar_element(map, tape, node, class, view, token).map_err(here)?,
        Act::Null(node) => match null(map, records, tape, node, is_null(view, token)).map_err(here)? {
            Null::Of(leaf) => leaf,
            Null::Open => return commit(map, records, tape, Act::Keep, view, start, token, end),
            Null::Undeclared => return commit(map, records, tape, Act::Remove, view, start, token, end),
        },
    };
    let (value, value_end, kind) = (near(token.start), near(token.end), Kind::of(token.kind));
    tape.push(Op::Value { start: near(start), value, value_end, end: near(end), kind, leaf });
    Ok(())
}

/// A position in a view of which all positions fit.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is one instruction")]
pub(crate) fn near(position: usize) -> At {
    At::try_from(position).unwrap_or(At::MAX)
}

/// A name that is not the expected one, and where its value begins; `None` when it is not plain, new and kept.
#[cold]
fn unexpected(
    map: &FieldMap,
    frame: &Frame,
    records: &mut Records,
    shapes: &mut Shapes,
    depth: usize,
    view: &[u8],
    from: usize,
) -> Option<(StepIx, usize)> {
    let (name, value) = plain_name(view, from)?;
    let (ix, _) = look_up(map, frame, records, shapes, depth, name);
    if frame.seen & shapes.step(ix)?.bit != 0 {
        return None;
    }
    shapes.expect(frame.shape, frame.step, ix, view.get(from..value)?);
    Some((ix, value))
}
