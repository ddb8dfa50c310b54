//! A change as a sentence.

use std::collections::BTreeSet;

use consentry_model::Treatment;

use super::impact::{CellChange, Circumstances, Reach};
use super::words::list;

/// How many names of one sort are told before the rest is counted.
const NAMES_MAX: usize = 8;

impl CellChange {
    /// What changes, in one sentence without its circumstances.
    #[must_use]
    pub fn sentence(&self) -> String {
        let now = match (self.widens(), self.to) {
            (true, _) => "may now",
            (false, Treatment::Withheld) => "may no longer",
            (
                false,
                Treatment::Clear | Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised,
            ) => "may now only",
        };
        let treated = match (self.widens(), self.from, self.to) {
            (true, Treatment::Withheld, Treatment::Clear)
            | (false, Treatment::Clear, Treatment::Withheld) => String::new(),
            (true, Treatment::Withheld, to) => format!(", {to}"),
            (false, from, Treatment::Withheld) => format!(", not even {from}"),
            (_, from, to) => format!(", {to} instead of {from}"),
        };
        let attested: Vec<String> = self.attested.iter().filter(|said| !said.is_empty()).cloned().collect();
        let attested =
            if attested.is_empty() { String::new() } else { format!(" ({})", list(&attested, "or")) };
        let reach = match self.reach {
            Reach::Both => "",
            Reach::Gained => "; no route could ask this before",
            Reach::Lost => "; no route can ask this any more",
        };
        format!(
            "{} {now} {} {} of {}{attested} for {}, asked by {}{treated}{reach}",
            names(&self.recipients),
            self.doing(),
            names(&self.categories),
            names(&self.subjects),
            names(&self.purposes),
            names(&self.requesters),
        )
    }

    /// In which circumstances, each as one line; none when it is so in all.
    #[must_use]
    pub fn circumstances(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.when.iter().map(Circumstances::sentence).collect();
        lines.retain(|line| !line.is_empty());
        lines.dedup();
        if self.more {
            lines.push("and in other circumstances".to_owned());
        }
        lines
    }

    fn doing(&self) -> String {
        let verbs: BTreeSet<String> = self
            .acts
            .iter()
            .map(|act| match *act {
                "disclose" => "receive",
                "send" => "be sent messages with",
                "obtain" => "give us",
                "serve" => "be served pages with",
                other => other,
            })
            .map(str::to_owned)
            .collect();
        list(&verbs.into_iter().collect::<Vec<_>>(), "and")
    }
}

impl Circumstances {
    /// What must be so, joined; what only the rules ask that every bundle has is summed up.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut said = list(&self.facts, "and");
        if !self.core.is_empty() {
            let sum = "no rule that every bundle has stands against it";
            said = if said.is_empty() { format!("when {sum}") } else { format!("when {said}, and {sum}") };
        } else if !said.is_empty() {
            said = format!("when {said}");
        }
        said
    }
}

/// Names, or how many there are.
fn names(all: &BTreeSet<String>) -> String {
    let shown: Vec<String> = all.iter().take(NAMES_MAX).cloned().collect();
    if all.len() > NAMES_MAX {
        return format!("{} and {} more", shown.join(", "), all.len() - NAMES_MAX);
    }
    list(&shown, "and")
}
