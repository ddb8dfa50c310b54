//! The fast lane: what is whole and plain, taken member by member instead of token by token.
//!
//! It takes a member or an element when all of it is in view up to the comma or bracket after it, and does with it what
//! the tokens would have done. It never finds fault: at whatever is cut off, written unusually or wrong it stops *before*
//! the member, and the tokens take over.

use crate::error::Fault;
use crate::fate::Act;
use crate::json::{Container, Grammar, Token, TokenKind, Turn, whole_number, whole_string, whole_word};
use crate::shape::StepIx;
use crate::tape::{Kind, Leaf, Op, at};
use crate::walk::{Walk, scalar_element};

/// How far the lane came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The next token is to be taken on its own.
    Stuck,
    /// A window may end here.
    Between,
}

/// Where the lane is, and whether it can go on.
struct Next {
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

impl Next {
    const fn go(turn: Turn, at: usize) -> Self {
        Self { turn, at, may: May::Go }
    }

    const fn stuck(turn: Turn, at: usize) -> Self {
        Self { turn, at, may: May::Stop }
    }

    const fn between(turn: Turn, at: usize, outside: bool) -> Self {
        Self { turn, at, may: if outside { May::End } else { May::Go } }
    }
}

/// What begins where a value is.
enum Value {
    Scalar(Token),
    Opens(Container),
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
                (Turn::Before { first }, [.., frame]) if frame.object => {
                    self.members(grammar, view, next.at, first)?
                }
                (Turn::Before { first }, _) => self.elements(grammar, view, next.at, first)?,
            };
            match next.may {
                May::Go => {}
                May::Stop => {
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
        loop {
            let stuck = Next::stuck(Turn::Before { first }, from);
            let Some((ix, start)) = self.next_name(view, from)? else {
                return if first { self.close_empty(grammar, view, from, b'}') } else { Ok(stuck) };
            };
            let token = match value(view, start) {
                Some(Value::Scalar(token)) => token,
                Some(Value::Opens(container)) if grammar.may_open() => {
                    self.commit_name(ix, None, view);
                    return self.open_at(grammar, view, container, start);
                }
                Some(Value::Opens(_)) | None => return Ok(stuck),
            };
            let Some((delimiter, stop)) = delimiter(view, token.end) else { return Ok(stuck) };
            if !matches!(delimiter, b',' | b'}') {
                return Ok(stuck);
            }
            let act = self.commit_name(ix, Some(&token), view);
            self.commit(act, view, &token, stop)?;
            if delimiter == b'}' {
                return self.close_at(grammar, view, stop, act != Act::Nothing);
            }
            (from, first) = (stop + 1, false);
            let Some(frame) = self.frames.last_mut() else { return Err(Fault::internal(from)) };
            frame.mark = from;
            if frame.outside {
                return Ok(Next::between(Turn::Before { first }, from, true));
            }
        }
    }

    /// The name that comes next, and where its value begins; `None` when there is none that is plain and new.
    #[inline]
    fn next_name(&mut self, view: &[u8], from: usize) -> Result<Option<(StepIx, usize)>, Fault> {
        let frame = self.frames.last().ok_or(Fault::internal(from))?;
        let (shape, seen, before) = (frame.shape, frame.seen, frame.step);
        let expected = self.shapes.expected(shape, before);
        let there = self.shapes.step(expected).filter(|step| seen & step.bit == 0);
        if let Some(value) = there.and_then(|step| self.shapes.is_next(step, view, from)) {
            return Ok(Some((expected, value)));
        }
        let Some((name, value)) = plain_name(view, from) else { return Ok(None) };
        let (ix, _) = self.look_up(name).map_err(|kind| Fault::new(kind, from))?;
        let written = view.get(from..value).ok_or(Fault::internal(from))?;
        if self.shapes.step(ix).is_none_or(|step| seen & step.bit != 0) {
            return Ok(None);
        }
        self.shapes.expect(shape, before, ix, written);
        Ok(Some((ix, value)))
    }

    /// Takes a name, and answers with what becomes of a scalar of this name.
    #[inline]
    fn commit_name(&mut self, ix: StepIx, scalar: Option<&Token>, view: &[u8]) -> Act {
        let depth = self.frames.len().saturating_sub(1);
        let (Some(frame), Some(step)) = (self.frames.last_mut(), self.shapes.step(ix)) else {
            return Act::Nothing;
        };
        frame.seen |= step.bit;
        frame.named(ix, step.known, step.name_bytes());
        if step.known.sought {
            self.records.name(&self.map, depth, self.shapes.name(step));
            if let Some(token) = scalar {
                self.records.scalar(&self.map, depth, view, token);
            }
        }
        step.known.act
    }

    /// Elements, as long as they are scalars.
    fn elements(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        mut from: usize,
        mut first: bool,
    ) -> Result<Next, Fault> {
        loop {
            let stuck = Next::stuck(Turn::Before { first }, from);
            let token = match value(view, space(view, from)) {
                Some(Value::Scalar(token)) => token,
                Some(Value::Opens(container)) if grammar.may_open() => {
                    return self.open_at(grammar, view, container, space(view, from));
                }
                Some(Value::Opens(_)) => return Ok(stuck),
                None => return if first { self.close_empty(grammar, view, from, b']') } else { Ok(stuck) },
            };
            let Some((delimiter, stop)) = delimiter(view, token.end) else { return Ok(stuck) };
            if !matches!(delimiter, b',' | b']') {
                return Ok(stuck);
            }
            let act = self.frames.last().map_or(Act::Nothing, |frame| frame.act);
            self.commit(act, view, &token, stop)?;
            if delimiter == b']' {
                return self.close_at(grammar, view, stop, act != Act::Nothing);
            }
            (from, first) = (stop + 1, false);
            let Some(frame) = self.frames.last_mut() else { return Err(Fault::internal(from)) };
            frame.mark = from;
            if frame.outside {
                return Ok(Next::between(Turn::Before { first }, from, true));
            }
        }
    }

    /// Takes a scalar whose child ends, with its white space, at `end`.
    #[inline]
    fn commit(&mut self, act: Act, view: &[u8], token: &Token, end: usize) -> Result<(), Fault> {
        let here = |kind| Fault::new(kind, token.start);
        // Not where the lane came in: white space may have been read before.
        let start = self.frames.last().map_or(end, |frame| frame.mark);
        let leaf = match act {
            Act::Nothing => return Ok(()),
            Act::Remove => {
                self.tape.undeclared = self.tape.undeclared.saturating_add(1);
                return Ok(());
            }
            Act::Keep | Act::KeepRecord => {
                self.tape.records = self.tape.records.saturating_add(u64::from(act == Act::KeepRecord));
                self.tape.push(Op::Verbatim { start: at(start)?, end: at(end)? });
                return Ok(());
            }
            Act::Value(node, class) => {
                Leaf { node, owner: self.records.owner(class, &mut self.tape).map_err(here)? }
            }
            Act::Element(node, class) => {
                scalar_element(&self.map, &mut self.tape, node, class, view, token).map_err(here)?
            }
        };
        self.tape.push(Op::Value {
            start: at(start)?,
            value: at(token.start)?,
            value_end: at(token.end)?,
            end: at(end)?,
            kind: Kind::of(token.kind),
            leaf,
        });
        Ok(())
    }

    fn open_at(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        container: Container,
        bracket: usize,
    ) -> Result<Next, Fault> {
        self.open(container, view, bracket).map_err(|kind| Fault::new(kind, bracket))?;
        grammar.opened(container);
        let outside = self.frames.last().is_some_and(|frame| frame.outside);
        Ok(Next::between(Turn::Before { first: true }, bracket + 1, outside))
    }

    fn close_at(&mut self, grammar: &mut Grammar, view: &[u8], bracket: usize, any: bool) -> Result<Next, Fault> {
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

/// Where white space ends.
#[inline]
fn space(view: &[u8], mut at: usize) -> usize {
    while matches!(view.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The first byte after white space, and where it is.
#[inline]
fn delimiter(view: &[u8], from: usize) -> Option<(u8, usize)> {
    let at = space(view, from);
    Some((*view.get(at)?, at))
}

/// A name without escapes that is whole, with its colon, and where its value begins.
fn plain_name(view: &[u8], from: usize) -> Option<(&str, usize)> {
    let quote = space(view, from);
    if *view.get(quote)? != b'"' {
        return None;
    }
    let end = whole_string(view, quote)?;
    let name = view.get(quote + 1..end - 1)?;
    if memchr::memchr(b'\\', name).is_some() {
        return None;
    }
    let (colon, at) = delimiter(view, end)?;
    if colon != b':' {
        return None;
    }
    Some((std::str::from_utf8(name).ok()?, space(view, at + 1)))
}

/// The value that begins here; `None` when it is not whole.
#[inline]
fn value(view: &[u8], start: usize) -> Option<Value> {
    let (kind, end) = match *view.get(start)? {
        b'"' => (TokenKind::Text, whole_string(view, start)?),
        b'-' | b'0'..=b'9' => {
            let (end, integer) = whole_number(view, start)?;
            (TokenKind::Number { integer }, end)
        }
        b'{' => return Some(Value::Opens(Container::Object)),
        b'[' => return Some(Value::Opens(Container::Array)),
        first => (TokenKind::Literal, whole_word(view, start, first)?),
    };
    Some(Value::Scalar(Token { kind, start, end }))
}
