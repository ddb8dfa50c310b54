//! What all forms of the report show.

use std::collections::BTreeMap;

use consentry_policy::{
    Bundle, Clause, ClauseFooting, ClauseStatus, Coverage, Enforcer, Footing, SentenceCoverage, enforcers,
};

use crate::output::count;

/// What to call what stands before the first heading.
const PREAMBLE: &str = "Before the first heading";

/// A bundle, and the document it is held against.
pub(super) struct View<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) coverage: Option<&'a Coverage<'a>>,
    /// The document's file name, without its folder.
    pub(super) document: Option<&'a str>,
}

impl<'a> View<'a> {
    /// The sentences below each heading, headings left out on which no clause rests.
    pub(super) fn sections(&self) -> Vec<(&'a str, Vec<&'a SentenceCoverage<'a>>)> {
        let mut out: Vec<(&str, Vec<&SentenceCoverage<'_>>)> = Vec::new();
        for sentence in self.coverage.iter().flat_map(|coverage| &coverage.sentences) {
            let name = titled(&sentence.sentence.section);
            if out.last().is_none_or(|(last, _)| *last != name) {
                out.push((name, Vec::new()));
            }
            if let Some((_, rows)) = out.last_mut()
                && (sentence.is_uncovered() || !sentence.clauses.is_empty())
            {
                rows.push(sentence);
            }
        }
        out.retain(|(_, rows)| !rows.is_empty());
        out
    }

    /// The clauses of each section, as the bundle lists them.
    pub(super) fn sections_of_clauses(&self) -> Vec<(&'a str, Vec<&'a Clause>)> {
        let mut out: Vec<(&str, Vec<&Clause>)> = Vec::new();
        for clause in &self.bundle.clauses {
            let name = titled(&clause.section);
            match out.iter_mut().find(|(known, _)| *known == name) {
                Some((_, clauses)) => clauses.push(clause),
                None => out.push((name, vec![clause])),
            }
        }
        out
    }

    /// What holds a clause.
    pub(super) fn enforcers(&self, clause: &Clause) -> Vec<Enforcer> {
        enforcers(self.bundle, &clause.id)
    }

    /// The names of the cases that show a clause at work.
    pub(super) fn cases(&self, clause: &Clause) -> Vec<&'a str> {
        self.bundle.cases.iter().filter(|c| c.clause == *clause.id).map(|c| c.name.as_str()).collect()
    }

    /// How many clauses have each status, in the order of [`STATUSES`].
    pub(super) fn statuses(&self) -> [(&'static str, usize); 4] {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for clause in &self.bundle.clauses {
            *counts.entry(clause.status.code()).or_default() += 1;
        }
        STATUSES.map(|code| (code, counts.get(code).copied().unwrap_or_default()))
    }
}

/// Every status, from the best.
pub(super) const STATUSES: [&str; 4] = ["enforced", "partly", "pending", "organisational"];

fn titled(section: &str) -> &str {
    if section.is_empty() { PREAMBLE } else { section }
}

/// The text that comes with a status.
pub(super) fn why(status: &ClauseStatus) -> Option<&str> {
    match status {
        ClauseStatus::Enforced => None,
        ClauseStatus::Partly(text) | ClauseStatus::Pending(text) | ClauseStatus::Organisational(text) => {
            Some(text)
        }
    }
}

/// What is to be said of where a clause stands, unless it stands well.
pub(super) fn trouble(clause: &ClauseFooting<'_>) -> Option<String> {
    let line = clause.clause.line;
    match &clause.footing {
        Footing::Stands => None,
        Footing::Moved { line: now } => {
            Some(format!("its sentence stands on line {now}, and not on line {line}"))
        }
        Footing::NotTaken => Some(format!("it names no sentence yet; its line is {line}")),
        Footing::Changed { gone, nearest } => {
            let all = clause.clause.fingerprint.len();
            let lost = if all == 1 {
                "its sentence has changed or is gone".to_owned()
            } else {
                format!("{} of its {} changed or gone", gone.len(), count(all, "sentence"))
            };
            let now = nearest.map(|s| format!("; perhaps it is now the one on line {}", s.line));
            Some(format!("{lost}{}", now.unwrap_or_default()))
        }
    }
}
