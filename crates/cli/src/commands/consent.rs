//! `consentry consent`: writes to the ledger and shows what it holds.

mod about;
mod known;
mod rights;
mod show;
pub(crate) mod words;
mod write;

use std::path::{Path, PathBuf};

use consentry_consent::{LedgerError, SqliteLedger};
use consentry_model::{Identifier, Moment, Purpose};

use self::known::Known;
use crate::args::read;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry consent grant --ledger ledger.db --create --subject email:ann@example.org \\
      --purpose marketing.communications.email --until 2027-11-22 --notice form-3
  consentry consent withdraw --ledger ledger.db --subject email:ann@example.org \\
      --purpose marketing
  consentry consent show --ledger ledger.db --subject email:ann@example.org
  consentry consent link --ledger ledger.db --known email:ann@example.org \\
      --also customer:c-1001
  consentry consent attribute region FR --ledger ledger.db --subject customer:c-1001
  consentry consent collected user.contact.email --origin website --at 2026-11-22 \
      --ledger ledger.db --subject customer:c-1001
  consentry consent suppress --ledger ledger.db --subject customer:c-1001
  consentry consent restrict --ledger ledger.db --subject customer:c-1001 --on
  consentry consent erase --ledger ledger.db --subject customer:c-1001 --yes

Exit codes:
  0 recorded, shown   1 the ledger refused, or knows nobody by that name   2 a mistake in the call, or no ledger";

/// Record and show consents, refusals, withdrawals, objections and contracts
///
/// Besides, what rules ask of a person: where somebody lives, what was collected, what somebody was told.
///
/// The ledger is append-only: nothing is ever changed or removed. What took effect last counts (`--at`; now when
/// nothing is said), and the stricter of two at the same time. A withdrawal binds every decision made at or after its
/// `--at`, unless a later yes stands.
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
    Attribute(about::Attribute),
    Collected(about::Collected),
    Told(about::Told),
    Notified(about::Notified),
    Informed(about::Informed),
    Suppress(about::Suppress),
    Restrict(rights::Restrict),
    Erase(rights::Erase),
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

/// Which words there are.
#[derive(clap::Args)]
struct Keys {
    /// A bundle: its purposes may be named besides the shipped ones, and names must be those that it knows
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
}

impl Keys {
    fn known(&self) -> Result<Known, Stop> {
        Known::read(self.bundle.as_deref())
    }
}

/// Whoever says no must be somebody of whom the ledger knows.
#[derive(clap::Args)]
struct Newcomer {
    /// Record it also of somebody whom the ledger does not know, for whoever comes under the identifier
    #[arg(long)]
    new: bool,
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
            Command::Attribute(attribute) => attribute.run().await,
            Command::Collected(collected) => collected.run().await,
            Command::Told(told) => told.run().await,
            Command::Notified(notified) => notified.run().await,
            Command::Informed(informed) => informed.run().await,
            Command::Suppress(suppress) => suppress.run().await,
            Command::Restrict(restrict) => restrict.run().await,
            Command::Erase(erase) => erase.run().await,
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
