//! Deciding: rules as Cedar policies, questions, verdicts, rulings and the permit.

#[cfg(test)]
mod agreement;
mod atoms;
mod bits;
mod cedar;
mod cedar_schema;
mod cedar_text;
mod cells;
mod compile;
mod decide;
#[cfg(test)]
mod differential;
mod duties;
mod formula;
#[cfg(test)]
mod invented;
mod kept;
#[cfg(test)]
mod mutants;
mod native;
mod opened;
mod program;
mod reach;
mod reasons;
mod reduce;
mod reference;
mod report_only;
mod residual;
mod ruling;
mod spoken;

pub use crate::rules::CoreFacts;
pub use cedar::EngineError;
pub use cells::{Cell, Decision, FactWord};
pub use decide::{Engine, Person, Question, Trace, TraceLine};
pub use kept::Kept;
pub use reasons::gravest;
pub use reference::CedarQuestion;
pub use report_only::ReportOnly;
pub use ruling::{Item, Permit, Refusal, Ruling};

pub(crate) use atoms::Atom;
#[cfg(feature = "symbolic")]
pub(crate) use cedar_schema::Groups;
#[cfg(feature = "symbolic")]
pub(crate) use cedar_text::{attribute, binds};
pub(crate) use kept::Hashed;
pub(crate) use native::check_native;
pub(crate) use opened::{OpenFires, OpenStep, Shape, bounds, holds};
pub(crate) use reach::questions as reachable;
