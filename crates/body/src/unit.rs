//! Arrays and objects of which nothing is to be known but that they are right, taken at once.

use crate::error::Fault;
use crate::fate::{Fate, Shape};
use crate::frame::Child;
use crate::json::{Container, Grammar};
use crate::record::Sought;
use crate::tape::{Kind, Leaf};
use crate::walk::Walk;

impl Walk {
    /// Takes an array or object at once that passes as a whole, or goes as a whole, or stands in one that does. Answers
    /// with where it ends.
    pub(crate) fn skip_at(
        &mut self,
        grammar: &Grammar,
        view: &[u8],
        container: Container,
        bracket: usize,
    ) -> Result<Option<usize>, Fault> {
        let Self { map, frames, records, tape, replay, keys, skip, .. } = self;
        let frame = frames.last_mut().ok_or(Fault::internal(bracket))?;
        if frame.sought != Sought::No {
            return Ok(None);
        }
        let shape = if container == Container::Object { Shape::Object } else { Shape::Array };
        let fate = frame.place.fate(map, frame.node, shape);
        match fate {
            None | Some(Fate::Undeclared) => {}
            Some(Fate::Verbatim | Fate::Value(..))
                if frame.node.is_none_or(|n| map.scope_at(n).is_none()) => {}
            Some(Fate::Verbatim | Fate::Value(..) | Fate::Enter(_)) => return Ok(None),
        }
        skip.wanted = replay.is_recording();
        let Some(end) = skip.container(view, bracket, grammar.depth_left(), keys) else { return Ok(None) };
        let open = matches!(fate, Some(Fate::Verbatim));
        replay.unit(view, (bracket, end), &skip.scalars, (grammar.depth_left(), open));
        frame.child = match fate {
            Some(Fate::Undeclared) => {
                tape.undeclared = tape.undeclared.saturating_add(1);
                Some(Child::Removed)
            }
            Some(Fate::Verbatim) => Some(Child::Verbatim),
            Some(Fate::Value(node, class)) => {
                let owner = records.owner(class, tape).map_err(|kind| Fault::new(kind, bracket))?;
                Some(Child::Value { leaf: Leaf { node, owner }, kind: Kind::Object, start: bracket, end })
            }
            None | Some(Fate::Enter(_)) => None,
        };
        Ok(Some(end))
    }
}
