//! The newest signed checkpoint, and the key to check it with.

use consentry_model::hex;
use serde_json::json;

use super::{Log, unreadable};
use crate::args::Format;
use crate::output::{self, DIM, PLAIN, Table, paint};
use crate::stop::{Exit, Stop};

/// Print the newest signed checkpoint and the log's public key
///
/// Whoever is to check the log without trusting this machine keeps a copy of the key, and of a checkpoint from time
/// to time.
#[derive(clap::Args)]
pub(super) struct ShowHead {
    #[command(flatten)]
    log: Log,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl ShowHead {
    pub(super) fn run(&self) -> Result<Exit, Stop> {
        let reader = self.log.reader()?;
        let checkpoint = reader.checkpoint().map_err(|e| unreadable(&self.log.log, &e))?;
        let key = reader.public_key().to_string();
        match self.format {
            Format::Text => {
                let mut table = Table::bare();
                for (name, value) in [
                    ("log", checkpoint.origin.clone()),
                    ("records", checkpoint.size.to_string()),
                    ("root", hex(&checkpoint.root)),
                    ("public key", key),
                ] {
                    table.row([(DIM, name.to_owned()), (PLAIN, value)]);
                }
                output::say(&table.render(0, output::width()))?;
                let note = self.log.log.join("checkpoint");
                output::note(&paint(DIM, format!("the signed note itself is {}", note.display())));
            }
            Format::Json => output::say_json(&json!({
                "origin": checkpoint.origin,
                "records": checkpoint.size,
                "root": hex(&checkpoint.root),
                "public_key": key,
            }))?,
        }
        Ok(Exit::OK)
    }
}
