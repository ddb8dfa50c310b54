//! `consentry policy print`: the reference semantics of a bundle, as text.

use std::path::PathBuf;

use crate::bundle::Checked;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry policy print policies/panopta
  consentry policy print policies/panopta --schema
  consentry policy json-schema > bundle.schema.json

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
    JsonSchema(JsonSchema),
}

/// Print the JSON Schema of a bundle's files, for editors
#[derive(clap::Args)]
struct JsonSchema {}

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
    let print = match &args.command {
        Command::Print(print) => print,
        Command::JsonSchema(JsonSchema {}) => {
            output::say(consentry_policy::JSON_SCHEMA)?;
            return Ok(Exit::OK);
        }
    };
    let checked = Checked::need(&print.bundle)?;
    if print.schema {
        output::say(checked.engine.cedar_schema())?;
    } else {
        output::say(&checked.engine.cedar_policies())?;
    }
    Ok(Exit::OK)
}
