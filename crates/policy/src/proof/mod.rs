//! Whether a bundle's invariants hold, whatever the facts are.

mod check;
mod counterexample;
mod formula;
mod scope;
#[cfg(feature = "symbolic")]
mod symbolic;
#[cfg(test)]
mod tests;

pub use check::{Proof, ProofOutcome, Proven};
pub use counterexample::Counterexample;
#[cfg(feature = "symbolic")]
pub use symbolic::{Solver, SymbolicCounterexample, SymbolicOutcome, SymbolicProof, SymbolicallyProven};
