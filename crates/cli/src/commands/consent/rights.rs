//! Restriction and erasure.

use consentry_model::LedgerEvent;

use super::write::{Whose, append};
use super::{Keys, Newcomer, Who, Written};
use crate::output;
use crate::stop::{Exit, Stop};

/// Record that processing of a person's data is restricted, or no longer is
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("whether").required(true))]
pub(super) struct Restrict {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// It is
    #[arg(long, group = "whether")]
    on: bool,
    /// It no longer is
    #[arg(long, group = "whether")]
    off: bool,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    newcomer: Newcomer,
}

/// Record that a person's data was erased
///
/// From then on nothing about that person leaves. It is never undone, whatever is recorded later.
#[derive(clap::Args)]
pub(super) struct Erase {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// That it is meant
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    newcomer: Newcomer,
}

impl Restrict {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        self.keys.known()?.space(&self.who.subject)?;
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Restriction { on: self.on, effective };
        let whose = Whose::known_unless(self.newcomer.new, "nothing was restricted or released");
        append(&self.written, &self.who, event, whose).await
    }
}

impl Erase {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        if !self.yes {
            return Err(Stop::because(Exit::UNASKED, "an erasure is never undone")
                .help("--yes says that it is meant"));
        }
        self.keys.known()?.space(&self.who.subject)?;
        let effective = self.written.at.unwrap_or_else(output::now);
        let whose = Whose::known_unless(self.newcomer.new, "nothing was recorded as erased");
        append(&self.written, &self.who, LedgerEvent::Erasure { effective }, whose).await
    }
}
