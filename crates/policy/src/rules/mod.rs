//! Rules: their words, their reading, and what they must not say together.

mod ast;
mod check;
mod condition;
mod duty;
mod facts;
mod invariant;
mod lints;
mod native;
mod operand;
mod parse;
mod period;

pub use ast::{Basis, Cadence, Condition, Cure, Duty, Origin, Rule, Stretch, Test, Verb};
pub(crate) use check::check;
pub(crate) use facts::SAFEGUARDS;
pub use facts::{Assumption, BuiltIn, CoreFacts, CoreOperands, FactBook, FactFrom};
pub use invariant::Invariant;
pub(crate) use invariant::read_invariants;
pub use native::NativePolicy;
pub(crate) use native::read_native;
pub use operand::{OperandDef, OperandId, OperandType, Operands, Predicate, Value, Values};
pub(crate) use parse::{RuleContext, read_rules};
pub use period::{Period, age, day_in};
