//! Deciding: rules as Cedar policies, questions, verdicts, rulings and the permit.

mod cedar;
mod cedar_text;
mod decide;
#[cfg(test)]
mod differential;
mod kept;
mod program;
mod reasons;
mod reduce;
mod ruling;
mod spoken;

pub use crate::rules::CoreFacts;
pub use cedar::EngineError;
pub use decide::{Engine, Person, Question, Trace, TraceLine};
pub use ruling::{Item, Permit, Refusal, Ruling};
