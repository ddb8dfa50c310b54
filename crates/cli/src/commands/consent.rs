//! `consentry consent`: writes to the ledger and shows what it holds.

mod show;
mod write;

use std::path::{Path, PathBuf};

use consentry_consent::{LedgerError, SqliteLedger};
use consentry_model::{Identifier, Moment, Purpose};
use consentry_policy::Vocabulary;

use crate::args::read;
use crate::bundle::Checked;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry consent grant --ledger ledger.db --create --subject email:ann@example.org \\
      --purpose marketing.communications.email --kind opt-in --until 2027-11-22 --notice form-3
  consentry consent withdraw --ledger ledger.db --subject email:ann@example.org --purpose marketing
  consentry consent show --ledger ledger.db --subject email:ann@example.org
  consentry consent link --ledger ledger.db --known customer:c-1001 --also email:ann@example.org

Exit codes:
  0 recorded, shown   1 the ledger refused, or knows nobody by that name   2 a mistake in the call, or no ledger";

/// Record and show consents, refusals, withdrawals, objections and contracts
///
/// The ledger is append-only: nothing is ever changed or removed, and what was said last counts. A withdrawal binds
/// every decision that is made after it is recorded.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Grant(write::Grant),
    Withdraw(write::Withdraw),
    Refuse(write::Refuse),
    Object(write::Object),
    Contract(write::Contract),
    Link(write::Link),
    Show(show::Show),
}

/// The ledger.
#[derive(clap::Args)]
struct LedgerArgs {
    /// The ledger's file
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
}

/// A ledger that is written to.
#[derive(clap::Args)]
struct Written {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Begin a new ledger where the file is not there
    #[arg(long)]
    create: bool,
    /// From when it counts: a day, or an RFC 3339 time; now when nothing is said
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    at: Option<Moment>,
}

/// Whose.
#[derive(clap::Args)]
struct Who {
    /// Whose: an identifier in its space
    #[arg(long, value_name = "SPACE:ID", value_parser = read::identifier)]
    subject: Identifier,
}

/// What for.
#[derive(clap::Args)]
struct WhatFor {
    /// The purpose, with everything below it
    #[arg(long, value_name = "PURPOSE", value_parser = read::purpose)]
    purpose: Purpose,
    /// For this recipient alone
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    #[command(flatten)]
    keys: Keys,
}

/// Which purposes there are.
#[derive(clap::Args)]
struct Keys {
    /// A bundle whose purposes may be named besides the shipped ones
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
}

impl Keys {
    fn vocabulary(&self) -> Result<Vocabulary, Stop> {
        match &self.bundle {
            Some(dir) => Checked::need(dir).map(|checked| checked.bundle().vocabulary.clone()),
            None => Ok(Vocabulary::shipped()),
        }
    }
}

impl WhatFor {
    /// A purpose that nobody knows is a mistake: a withdrawal of it would stop nothing.
    fn known(&self) -> Result<Purpose, Stop> {
        if self.keys.vocabulary()?.knows_purpose(&self.purpose) {
            return Ok(self.purpose.clone());
        }
        let what = format!("the vocabulary has no purpose `{}`", self.purpose);
        Err(Stop::because(Exit::UNASKED, what).help(
            "`--bundle DIR` adds the purposes that a bundle defines; `consentry policy print` shows them",
        ))
    }
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let work = async {
        match &args.command {
            Command::Grant(grant) => grant.run().await,
            Command::Withdraw(withdraw) => withdraw.run().await,
            Command::Refuse(refuse) => refuse.run().await,
            Command::Object(object) => object.run().await,
            Command::Contract(contract) => contract.run().await,
            Command::Link(link) => link.run().await,
            Command::Show(show) => show.run().await,
        }
    };
    crate::runtime::current_thread()?.block_on(work)
}

async fn open(path: &Path, create: bool) -> Result<SqliteLedger, Stop> {
    let opened =
        if create { SqliteLedger::open(path).await } else { SqliteLedger::open_existing(path).await };
    opened.map_err(|error| {
        let stop = Stop::because(Exit::UNASKED, format!("{}: {error}", path.display()));
        if path.exists() {
            stop
        } else {
            stop.help("`--create` begins a new ledger when something is recorded")
        }
    })
}

fn failed(error: LedgerError) -> Stop {
    Stop::because(Exit::NO, format!("the ledger: {error}"))
}
