//! Members of an object in whose place none has stood yet: nothing is learnt of them.
//!
//! Most objects that stand alone are met once in a body. Their names are looked up as they come, and which occurs twice
//! is told by [`Keys`](crate::keys::Keys). Only long names are kept by the place, as those of objects that are met again.

use consentry_model::FieldMap;

use crate::error::Fault;
use crate::fate::Place;
use crate::frame::{Frame, look_up};
use crate::json::{Grammar, Turn, Value, delimiter, name_at, space, value};
use crate::keys::{Key, Keys, Met};
use crate::lane::{Ended, Next, commit};
use crate::record::{Records, Sought};
use crate::shape::{Known, Shapes, StepIx};
use crate::walk::Walk;

/// A name that is new.
struct Named {
    key: Option<Key>,
    /// Set when it is kept by the place.
    ix: StepIx,
    bit: u64,
    known: Known,
}

impl Walk {
    /// Members, as long as they are scalars.
    pub(crate) fn direct_members(
        &mut self,
        grammar: &mut Grammar,
        view: &[u8],
        mut from: usize,
        mut first: bool,
    ) -> Result<Next, Fault> {
        let depth = self.depth();
        let Self { map, frames, records, shapes, tape, replay, keys, .. } = self;
        let frame = frames.last_mut().ok_or(Fault::internal(from))?;
        let ended = loop {
            let Some((name_from, name_to, start)) = name_at(view, space(view, from)) else {
                break if first { Ended::Empty } else { Ended::Stuck };
            };
            let named = named(map, frame, records, shapes, keys, depth, view, (name_from, name_to));
            let Some(Named { key, ix, bit, known }) = named else { break Ended::Stuck };
            let (token, opens) = match value(view, start) {
                Some(Value::Scalar(token)) => (Some(token), None),
                Some(Value::Opens(container)) if grammar.may_open() => (None, Some(container)),
                Some(Value::Opens(_)) | None => break Ended::Stuck,
            };
            let after = match &token {
                None => None,
                Some(token) => match delimiter(view, token.end) {
                    Some((delimiter @ (b',' | b'}'), stop)) => Some((delimiter, stop)),
                    _ => break Ended::Stuck,
                },
            };
            replay.named(map, known.node);
            frame.seen |= bit;
            if let Some(key) = key {
                keys.keep(&mut frame.few, key);
            }
            if known.sought == Sought::Somehow || opens.is_some() && known.sought != Sought::No {
                let name = view.get(name_from..name_to).and_then(|name| std::str::from_utf8(name).ok());
                replay.give_up();
                records.name(map, depth, name.ok_or(Fault::internal(name_from))?);
            }
            frame.named(ix, known, name_to - name_from);
            let (Some(token), Some((delimiter, stop))) = (token, after) else {
                let Some(container) = opens else { break Ended::Stuck };
                break Ended::Open(container, start);
            };
            match known.sought {
                Sought::No => {}
                Sought::Subject => {
                    replay.subject();
                    records.subject(view, &token);
                }
                Sought::Somehow => records.scalar(map, depth, view, &token),
            }
            replay.scalar(&token, known.act, (frame.mark, stop));
            commit(map, records, tape, known.act, view, frame.mark, &token, stop)?;
            if delimiter == b'}' {
                break Ended::Close(stop, known.act != crate::fate::Act::Nothing);
            }
            (from, first) = (stop.wrapping_add(1), false);
            frame.mark = from;
            if frame.outside {
                return Ok(Next::between(Turn::Before { first }, from, true));
            }
        };
        self.ended(ended, grammar, view, Turn::Before { first }, from, b'}')
    }
}

/// What is known of a name; `None` when it is not new, or cannot be kept.
#[inline]
#[allow(clippy::too_many_arguments, reason = "these are the parts of a walk that it does not borrow whole")]
fn named(
    map: &FieldMap,
    frame: &Frame,
    records: &mut Records,
    shapes: &mut Shapes,
    keys: &Keys,
    depth: usize,
    view: &[u8],
    (from, to): (usize, usize),
) -> Option<Named> {
    let name = view.get(from..to)?;
    if let Some(key) = Key::there(view, from, to) {
        match keys.look(&frame.few, key) {
            Met::Twice => return None,
            Met::New => {
                let known = straight(map, frame, records, depth, name)?;
                return Some(Named { key: Some(key), ix: StepIx::NONE, bit: 0, known });
            }
            Met::Full => {}
        }
    }
    let (ix, known) = look_up(map, frame, records, shapes, depth, std::str::from_utf8(name).ok()?);
    let bit = shapes.step(ix)?.bit;
    (frame.seen & bit == 0).then_some(Named { key: None, ix, bit, known })
}

/// What the map and the records say of a name.
#[inline]
pub(crate) fn straight(
    map: &FieldMap,
    frame: &Frame,
    records: &mut Records,
    depth: usize,
    name: &[u8],
) -> Option<Known> {
    let node = match frame.place {
        Place::Inner(node) => map.member_bytes(node, name),
        Place::Covered(..) | Place::Opaque => None,
    };
    let sought = match frame.searched {
        true => records.name(map, depth, std::str::from_utf8(name).ok()?),
        false => Sought::No,
    };
    Some(Known { node, act: frame.place.act(map, node), sought })
}
