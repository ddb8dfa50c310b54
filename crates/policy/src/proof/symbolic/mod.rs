//! The same invariants over any registry: by a solver, on Cedar's own semantics.
//!
//! The exhaustive check asks what this bundle's registers and service map hold. Here requesters, recipients, data and
//! facts are symbols: whoever is registered later, and whatever a route carries then, the rules being the same.

mod facts;
mod promise;
mod prove;
mod solver;
mod told;
mod worlds;

pub use prove::{SymbolicOutcome, SymbolicProof, SymbolicallyProven};
pub use solver::Solver;
pub use told::SymbolicCounterexample;
