//! `consentry audit`: reads the evidence log.

mod head;
mod search;
mod show;
mod verify;
mod words;

use std::path::{Path, PathBuf};

use consentry_audit::{OpenError, Reader};

use crate::stop::{Exit, Stop};

pub(crate) use self::verify::tell as report_in_words;
pub(crate) use self::words::Ticket;

const EXAMPLES: &str = "\
Examples:
  consentry audit verify --log evidence
  consentry audit head --log evidence
  consentry audit head --log evidence --format json | jq -r .public_key > log.pub
  consentry audit verify --log evidence --public-key \"$(cat log.pub)\" \\
      --checkpoint kept-elsewhere.note
  consentry audit search --log evidence --outcome refuse --since 2026-11-01
  consentry audit search --log evidence --reason consent-withdrawn
  consentry audit show --log evidence 0190a0a0-0000-7000-8000-000000000000

Exit codes of `verify`:
  0 everything holds   2 a mistake in the call, or the end was cut short, as a crash does
  3 something was changed, removed or reordered   4 the log cannot be read
Of the others:
  0 found   1 nothing found   2 a mistake in the call   4 the log cannot be read";

/// Verify, search and show the evidence
///
/// Everything here only reads, and can be used on a log that is being written to.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Verify(verify::Verify),
    Search(search::Find),
    Show(show::Show),
    Head(head::ShowHead),
}

/// The log.
#[derive(clap::Args)]
struct Log {
    /// The log's folder
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
}

impl Log {
    fn reader(&self) -> Result<Reader, Stop> {
        Reader::open(&self.log).map_err(|e| unreadable(&self.log, &e))
    }
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    match &args.command {
        Command::Verify(verify) => verify.run(),
        Command::Search(find) => find.run(),
        Command::Show(show) => show.run(),
        Command::Head(head) => head.run(),
    }
}

fn unreadable(dir: &Path, error: &OpenError) -> Stop {
    if is_no_log(dir) {
        return Stop::because(Exit::UNREADABLE, no_log(dir));
    }
    Stop::because(Exit::UNREADABLE, format!("the log {}: {error}", dir.display()))
        .help("`consentry audit verify` says what is wrong with it, and where")
}

/// Whether there is nothing of a log, as opposed to a log of which something is missing.
fn is_no_log(dir: &Path) -> bool {
    ["log.json", "wal", "checkpoint"].iter().all(|name| matches!(dir.join(name).try_exists(), Ok(false)))
}

fn no_log(dir: &Path) -> String {
    format!("there is no evidence log in {} (no log.json)", dir.display())
}
