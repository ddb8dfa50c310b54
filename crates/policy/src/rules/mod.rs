//! Rules: their words, their reading, and what they must not say together.

mod ast;
mod check;
mod facts;
mod parse;

pub use ast::{Basis, Condition, Cure, Duty, Origin, Rule, Test, Verb};
pub(crate) use check::check;
pub use facts::CoreFacts;
pub(crate) use facts::core_schema;
pub(crate) use parse::{RuleContext, read_rules};
