//! What enforcement costs: the same load on an API directly, through a proxy without a policy, and through the
//! sidecar, and through what a user would pick instead, where it is installed; and what the layer adds in one process.
//!
//! ```text
//! cargo bench -p consentry-benches -- [--rounds N] [--connections N] [--seconds S] [--only LETTERS]
//! ```
//!
//! Figures are for comparing with each other on one machine: nothing here asserts an absolute one. What is asserted is
//! that each target answers correctly. Without `--bench`, which `cargo bench` adds, or with `--test`, everything runs
//! once and briefly, to see that it still runs.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod args;
mod cores;
mod cpu;
mod layer;
mod load;
mod pass_through;
mod profile;
mod requests;
mod rivals;
mod stats;
mod targets;

use std::error::Error;

use crate::args::Args;

/// Any error: a benchmark that cannot measure ends.
type Failure = Box<dyn Error + Send + Sync>;

/// The one that the `consentry` command has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Failure> {
    let args = Args::read(std::env::args().skip(1))?;
    if args.only != "l" {
        requests::measure(&args)?;
        println!();
    }
    if args.wants("l") { layer::measure(&args) } else { Ok(()) }
}
