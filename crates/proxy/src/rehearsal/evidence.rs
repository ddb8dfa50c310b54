//! What the evidence log says of the one request of a case.

use std::collections::BTreeSet;
use std::path::Path;

use consentry_audit::{Closing, End, Entry, Head, OpenError, Reader, VerdictLine};
use consentry_model::{Reason, RuleId};

/// The records of one request.
#[derive(Default)]
pub(super) struct Told {
    pub(super) head: Option<Head>,
    pub(super) closings: Vec<Closing>,
    /// Reasons of requests that were refused before anybody was known to have made them.
    pub(super) strangers: Vec<Reason>,
    /// Every answer, of the head and of each window.
    lines: Vec<VerdictLine>,
}

impl Told {
    /// Reads a log that holds one request.
    pub(super) fn read(dir: &Path) -> Result<Self, OpenError> {
        let mut told = Self::default();
        for record in Reader::open(dir)?.records() {
            match record?.entry() {
                Entry::Head(head) => {
                    told.lines.extend(head.verdicts.iter().cloned());
                    told.head = Some(head.clone());
                }
                Entry::Verdicts(window) => told.lines.extend(window.verdicts.iter().cloned()),
                Entry::Outcome(closing) => told.closings.push(closing.clone()),
                Entry::Summary(summary) => told.strangers.extend(summary.counts.keys()),
                Entry::LogOpened(_)
                | Entry::LogRecovered(_)
                | Entry::LogOutage(_)
                | Entry::PolicyInstalled(_)
                | Entry::PolicyRefused(_)
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

    /// The facts that nobody knew, and that were assumed.
    pub(super) fn assumed(&self) -> BTreeSet<String> {
        self.lines.iter().flat_map(|line| &line.assumed).map(ToString::to_string).collect()
    }

    /// The rules that determined an answer, each by its own name.
    pub(super) fn spoke(&self) -> BTreeSet<RuleId> {
        let rules = self.lines.iter().flat_map(|line| line.rules.iter());
        // A permission that yields to a no stands for the prohibition within it, too.
        rules.map(|id| RuleId::new(id.as_str().trim_end_matches("/no"))).collect()
    }

    /// How it ended, in words.
    pub(super) fn ends(&self) -> String {
        let ends: Vec<&str> = self.closings.iter().map(|c| c.end.code()).collect();
        if ends.is_empty() { "no record".to_owned() } else { ends.join(", ") }
    }
}
