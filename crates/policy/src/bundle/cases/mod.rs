//! Cases: short stories that a lawyer can read and extend, each with the outcome that must follow.

mod altered;
mod case;
mod read;
mod said;

pub use case::{Case, CaseOutcome, Change, Expectation};
pub(crate) use read::read_cases;
