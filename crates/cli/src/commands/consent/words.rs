//! Entries of the ledger and what is owed, in words.

use consentry_model::{LedgerEvent, Moment, Occurrence, Owed, Purpose, RecipientId};

use crate::output::when;

/// An event in words.
pub(crate) struct Line {
    pub(crate) effective: Moment,
    pub(crate) what: String,
    /// The purpose or the category.
    pub(crate) about: String,
    pub(crate) until: Option<Moment>,
    pub(crate) notice: Option<String>,
}

impl Line {
    pub(crate) fn of(event: &LedgerEvent) -> Self {
        match event {
            LedgerEvent::Consent(c) => {
                let kind = if c.state.is_valid() { format!(" ({})", c.kind) } else { String::new() };
                Self {
                    until: c.valid_until,
                    notice: c.notice.clone(),
                    about: for_whom(&c.purpose, c.recipient.as_ref()),
                    ..Self::plain(c.effective, format!("{}{kind}", c.state))
                }
            }
            LedgerEvent::Objection { purpose, recipient, effective } => Self {
                about: for_whom(purpose, recipient.as_ref()),
                ..Self::plain(*effective, "objection".to_owned())
            },
            LedgerEvent::Contract { state, effective } => {
                Self::plain(*effective, format!("contract {}", state.code()))
            }
            LedgerEvent::Restriction { on, effective } => {
                Self::plain(*effective, format!("restriction {}", switch(*on)))
            }
            LedgerEvent::Erasure { effective } => Self::plain(*effective, "erasure".to_owned()),
            LedgerEvent::Suppression { on, effective } => {
                Self::plain(*effective, format!("suppression {}", switch(*on)))
            }
            LedgerEvent::Attribute { name, value, effective } => {
                Self::plain(*effective, format!("{name} is {value}"))
            }
            LedgerEvent::Occurrence { what, effective } => Self::happened(*effective, what),
            LedgerEvent::Duty { what, due, effective } => {
                Self { until: *due, ..Self::plain(*effective, format!("owed: {}", duty(what))) }
            }
        }
    }

    fn happened(effective: Moment, what: &Occurrence) -> Self {
        let (what, about) = match what {
            Occurrence::Collected { category, origin } => {
                let at = origin.as_ref().map(|origin| format!(" at {origin}")).unwrap_or_default();
                (format!("collected{at}"), category.to_string())
            }
            Occurrence::Told { recipient } => (format!("told about {recipient}"), String::new()),
            Occurrence::Notified { version } => (format!("notified of {version}"), String::new()),
            Occurrence::Informed => ("told about cookies".to_owned(), String::new()),
            Occurrence::Sent { topic } => (format!("sent {topic}"), String::new()),
            Occurrence::Disclosed { category, recipient } => {
                (format!("disclosed to {recipient}"), category.to_string())
            }
        };
        Self { about, ..Self::plain(effective, what) }
    }

    fn plain(effective: Moment, what: String) -> Self {
        Self { effective, what, about: String::new(), until: None, notice: None }
    }
}

/// What is owed, and whether it is late.
pub(super) fn owed(what: &Owed, due: Option<Moment>, at: Moment) -> String {
    let Some(due) = due else { return duty(what) };
    let late = if due <= at { ", which is late" } else { "" };
    format!("{} until {}{late}", duty(what), when(due))
}

fn duty(what: &Owed) -> String {
    match what {
        Owed::Answer { right } => format!("an answer to {right}"),
        Owed::Erasure { recipient } => format!("erasure by {recipient}"),
        Owed::Keeping { category, obligation } if obligation.is_empty() => format!("keeping {category}"),
        Owed::Keeping { category, obligation } => format!("keeping {category} under {obligation}"),
    }
}

/// A purpose, and the recipient it is told of.
pub(super) fn for_whom(purpose: &Purpose, recipient: Option<&RecipientId>) -> String {
    recipient.map_or_else(|| purpose.to_string(), |r| format!("{purpose} by {r}"))
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
