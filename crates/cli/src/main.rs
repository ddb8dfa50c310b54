//! The `consentry` command.
//!
//! What is on standard output is the answer; everything else is on standard error. Each command documents its exit
//! codes; whatever stands on neither list is 2 for a mistake in the call.

mod args;
mod bundle;
mod commands;
mod output;
mod runtime;
mod stop;

use std::process::ExitCode;

use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(stop) => stop.tell().into(),
    }
}
