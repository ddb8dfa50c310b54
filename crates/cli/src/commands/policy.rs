//! `consentry policy print`: the reference semantics of a bundle, as text.

use std::path::PathBuf;

use crate::bundle::Checked;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry policy print policies/panopta
  consentry policy print policies/panopta --schema

Exit codes:
  0 printed   1 the bundle has errors   2 it cannot be read";

/// Show what a bundle compiles to
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Print(Print),
}

/// Print the Cedar policies, or the strict schema they are validated against
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
struct Print {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The policies; what is printed when nothing is said
    #[arg(long, conflicts_with = "schema")]
    cedar: bool,
    /// The schema instead
    #[arg(long)]
    schema: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let Command::Print(print) = &args.command;
    let checked = Checked::need(&print.bundle)?;
    if print.schema {
        output::say(checked.engine.cedar_schema())?;
    } else {
        output::say(&checked.engine.cedar_policies())?;
    }
    Ok(Exit::OK)
}
