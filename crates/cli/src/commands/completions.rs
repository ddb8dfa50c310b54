//! `consentry completions`: a script that completes this command's words.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry completions bash > ~/.local/share/bash-completion/completions/consentry
  consentry completions zsh > ~/.zfunc/_consentry";

/// Print a completion script for a shell
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "consentry", &mut script);
    output::say_bytes(&script)?;
    Ok(Exit::OK)
}
