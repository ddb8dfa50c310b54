//! Two bundles side by side: which answers change, for whom, and on which facts.

mod alike;
mod cell;
mod decided;
mod expr;
mod impact;
mod replay;
mod service;
mod set;
mod solve;
mod space;
mod story;
#[cfg(test)]
pub(crate) mod tests;
mod view;
mod words;

pub(crate) use alike::Told;
pub(crate) use cell::name_of;
pub(crate) use decided::{Open, exactly};
pub(crate) use expr::Expr;
pub(crate) use set::Set;
pub(crate) use solve::{Found, Search, widest};
pub(crate) use space::{Key, Point, Space, facts_of, value};
pub(crate) use words::conditions;

pub use cell::NotCompared;
pub use impact::{CellChange, Circumstances, Impact, Reach};
pub use replay::{NotReplayable, Recorded, RecordedFact, Replay};
pub use service::Difference;
