//! What one decision costs: our decision program beside Cedar and Rego on the same rules, as the rules and the people
//! grow.
//!
//! ```text
//! cargo bench -p consentry-benches --bench decisions
//! CONSENTRY_OPA=libopabridge.so cargo bench -p consentry-benches --bench decisions
//! ```
//!
//! `benches/README.md` says how to read it. Before anything is measured, all engines are asked the same questions, and
//! must answer alike. Without `--bench`, which `cargo bench` adds, everything runs once and briefly.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod invent;
mod load;
mod measure;
mod opa;
mod rego;
mod rules;
mod subjects;

use std::error::Error;

/// Any error: a benchmark that cannot measure ends.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let smoke = !std::env::args().any(|a| a == "--bench");
    load::measure(smoke)?;
    println!();
    rules::measure(smoke)?;
    println!();
    subjects::measure(smoke)
}
