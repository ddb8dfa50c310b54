//! What the evidence log says of the one request of a case.

use std::path::Path;

use consentry_audit::{Closing, End, Entry, Head, OpenError, Reader};
use consentry_model::Reason;

/// The records of one request.
#[derive(Default)]
pub(super) struct Told {
    pub(super) head: Option<Head>,
    pub(super) closings: Vec<Closing>,
    /// Reasons of requests that were refused before anybody was known to have made them.
    pub(super) strangers: Vec<Reason>,
}

impl Told {
    /// Reads a log that holds one request.
    pub(super) fn read(dir: &Path) -> Result<Self, OpenError> {
        let mut told = Self::default();
        for record in Reader::open(dir)?.records() {
            match record?.entry() {
                Entry::Head(head) => told.head = Some(head.clone()),
                Entry::Outcome(closing) => told.closings.push(closing.clone()),
                Entry::Summary(summary) => told.strangers.extend(summary.counts.keys()),
                Entry::LogOpened(_)
                | Entry::LogRecovered(_)
                | Entry::LogOutage(_)
                | Entry::PolicyInstalled(_)
                | Entry::PolicyRefused(_)
                | Entry::Verdicts(_)
                | Entry::ConsentChanged(_) => {}
            }
        }
        Ok(told)
    }

    /// Why the request was refused, or failed; `None` when it was served.
    pub(super) fn refused(&self) -> Option<Reason> {
        let closed = self.closings.first().filter(|c| matches!(c.end, End::Refused | End::Failed));
        let head = self.head.as_ref().and_then(|h| h.reason);
        closed.and_then(|c| c.reason.or(head)).or_else(|| self.strangers.first().copied())
    }

    /// How it ended, in words.
    pub(super) fn ends(&self) -> String {
        let ends: Vec<&str> = self.closings.iter().map(|c| c.end.code()).collect();
        if ends.is_empty() { "no record".to_owned() } else { ends.join(", ") }
    }
}
