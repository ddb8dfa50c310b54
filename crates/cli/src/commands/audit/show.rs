//! One record, or everything about one request.

use consentry_audit::{RecordId, Search};

use super::words::{in_words, raw};
use super::{Log, unreadable};
use crate::args::Format;
use crate::output;
use crate::stop::{Exit, Stop};

/// Print one record, or all records of a request, in words
///
/// A refused caller gets the id in the problem's `instance`; only here does it lead to the true reason.
#[derive(clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    log: Log,
    /// The id of a record or of a request's ticket
    #[arg(value_name = "ID", value_parser = id)]
    id: RecordId,
    /// The form of the answer; JSON is the records as they were written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn id(text: &str) -> Result<RecordId, String> {
    let bare = text.strip_prefix("urn:uuid:").unwrap_or(text);
    RecordId::parse(bare).ok_or_else(|| "an id is a UUID in lower case, with hyphens".to_owned())
}

impl Show {
    pub(super) fn run(&self) -> Result<Exit, Stop> {
        let mut search = Search::default();
        search.id = Some(self.id);
        let found = search.run(&self.log.reader()?).map_err(|e| unreadable(&self.log.log, &e))?;
        let all = found.into_iter().flat_map(|f| f.records);
        // A ticket's id means the whole request, a record's own id that record.
        let records: Vec<_> = all.filter(|r| r.ticket() == Some(self.id) || r.id() == self.id).collect();
        if records.is_empty() {
            return Err(Stop::because(Exit::NO, "the log has no record and no request with this id"));
        }
        match self.format {
            Format::Text => output::say(&in_words(&records))?,
            Format::Json => output::say_json(&records.iter().map(raw).collect())?,
        }
        Ok(Exit::OK)
    }
}
