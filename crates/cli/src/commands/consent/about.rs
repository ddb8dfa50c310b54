//! What is known of a person, what happened, and whether anything may be sent.

use consentry_model::{Category, LedgerEvent, Occurrence, RecipientId};
use consentry_policy::is_country;

use super::write::{Whose, append};
use super::{Keys, Newcomer, Who, Written};
use crate::output;
use crate::stop::{Exit, Stop};

/// Record something about a person that rules ask: region, born, type, or a relation
///
/// The latest value counts where a rule asks for one, and every value where it asks whether a thing is among them.
#[derive(clap::Args)]
pub(super) struct Attribute {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// Its name: region (a country as FR), born (a day as 1990-12-31), type, or a relation as employer
    #[arg(value_parser = name)]
    name: String,
    /// Its value
    #[arg(value_parser = text)]
    value: String,
    #[command(flatten)]
    keys: Keys,
}

/// Record that a person gave a datum
#[derive(clap::Args)]
pub(super) struct Collected {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// The category of the datum
    #[arg(value_parser = category)]
    category: Category,
    /// In which capacity or through which channel, as the bundle calls it
    #[arg(long, value_name = "WORD", value_parser = text)]
    origin: Option<String>,
    #[command(flatten)]
    keys: Keys,
}

/// Record that a person was told that a recipient may receive data
#[derive(clap::Args)]
pub(super) struct Told {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// The recipient, or a class of them
    #[arg(value_parser = text)]
    recipient: String,
    #[command(flatten)]
    keys: Keys,
}

/// Record that a person was told of a version of the policy
#[derive(clap::Args)]
pub(super) struct Notified {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// The version
    #[arg(value_parser = text)]
    version: String,
    #[command(flatten)]
    keys: Keys,
}

/// Record that a person was told about cookies
#[derive(clap::Args)]
pub(super) struct Informed {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    keys: Keys,
}

/// Record that nothing may be sent to a person any more, whatever the purpose
#[derive(clap::Args)]
pub(super) struct Suppress {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    who: Who,
    /// Messages may be sent again
    #[arg(long)]
    lift: bool,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    newcomer: Newcomer,
}

impl Attribute {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        self.keys.known()?.space(&self.who.subject)?;
        let what = match self.name.as_str() {
            "region" if !is_country(&self.value) => {
                Some("a region is a country by its code in ISO 3166-1, as FR")
            }
            "born" if !is_day_so_far(&self.value) => {
                Some("a date of birth is a day that has been, as 1990-12-31")
            }
            "type" if name(&self.value).is_err() => Some("a type is a word in small letters, as customer"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(Stop::because(Exit::UNASKED, what));
        }
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Attribute { name: self.name.clone(), value: self.value.clone(), effective };
        append(&self.written, &self.who, event, Whose::Anybody).await
    }
}

impl Collected {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let known = self.keys.known()?;
        known.category(&self.category)?;
        known.space(&self.who.subject)?;
        let what = Occurrence::Collected { category: self.category.clone(), origin: self.origin.clone() };
        happened(what, &self.written, &self.who).await
    }
}

impl Told {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let known = self.keys.known()?;
        known.recipient(Some(&self.recipient))?;
        known.space(&self.who.subject)?;
        let what = Occurrence::Told { recipient: RecipientId::new(&self.recipient) };
        happened(what, &self.written, &self.who).await
    }
}

impl Notified {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        let known = self.keys.known()?;
        known.version(&self.version)?;
        known.space(&self.who.subject)?;
        happened(Occurrence::Notified { version: self.version.clone() }, &self.written, &self.who).await
    }
}

impl Informed {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        self.keys.known()?.space(&self.who.subject)?;
        happened(Occurrence::Informed, &self.written, &self.who).await
    }
}

impl Suppress {
    pub(super) async fn run(&self) -> Result<Exit, Stop> {
        self.keys.known()?.space(&self.who.subject)?;
        let effective = self.written.at.unwrap_or_else(output::now);
        let event = LedgerEvent::Suppression { on: !self.lift, effective };
        let whose = Whose::known_unless(self.newcomer.new, "nothing was suppressed or lifted");
        append(&self.written, &self.who, event, whose).await
    }
}

async fn happened(what: Occurrence, written: &Written, who: &Who) -> Result<Exit, Stop> {
    let effective = written.at.unwrap_or_else(output::now);
    append(written, who, LedgerEvent::Occurrence { what, effective }, Whose::Anybody).await
}

fn category(text: &str) -> Result<Category, String> {
    Category::new(text).map_err(|e| e.to_string())
}

fn name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    let is_name = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(plain);
    if is_name { Ok(text.to_owned()) } else { Err("it is a word in small letters".to_owned()) }
}

fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return Err("it is one line of text, without blanks around it".to_owned());
    }
    Ok(text.to_owned())
}

/// Somewhere it may be tomorrow already, nowhere later.
fn is_day_so_far(text: &str) -> bool {
    let last = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date().tomorrow();
    text.parse::<jiff::civil::Date>()
        .is_ok_and(|day| day.to_string() == text && last.is_ok_and(|last| day <= last))
}
