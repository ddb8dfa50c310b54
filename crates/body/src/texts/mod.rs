//! Bodies of many JSON texts: one on each line, in a sequence, in events.

mod events;
mod fields;
mod framed;
mod lines;
mod sequence;
mod unit;

pub(crate) use events::Events;
pub(crate) use framed::Framed;
pub(crate) use lines::Lines;
pub(crate) use sequence::Sequence;
pub(crate) use unit::Unit;
