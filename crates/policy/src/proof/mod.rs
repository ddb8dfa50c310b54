//! Whether a bundle's invariants hold, whatever the facts are.

mod check;
mod counterexample;
mod formula;
mod scope;
#[cfg(test)]
mod tests;

pub use check::{Proof, ProofOutcome, Proven};
pub use counterexample::Counterexample;
