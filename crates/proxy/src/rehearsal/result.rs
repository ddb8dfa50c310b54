//! What became of a case.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use consentry_model::RuleId;
use consentry_policy::{Bundle, Case};

use super::coverage;
use super::stage::Played;

/// One thing that came out otherwise than the case says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about: `outcome`, `withheld`, `status`.
    pub what: &'static str,
    /// What the case says.
    pub expected: String,
    /// What came out.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseResult {
    /// The case, in its own words.
    pub name: String,
    /// The clause that it tests.
    pub clause: String,
    /// Why somebody could read the clause otherwise.
    pub disputed: Option<String>,
    /// Whether it was told beside a rule that permits everything.
    pub tempted: bool,
    /// The rules that determined an answer, and the obligations that were seen to be carried out.
    pub spoke: BTreeSet<RuleId>,
    /// What came out otherwise; nothing when the case holds.
    pub differences: Vec<Difference>,
}

impl CaseResult {
    /// Whether everything came out as the case says.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }

    pub(super) fn of(case: &Case, bundle: &Bundle, played: &Played, differences: Vec<Difference>) -> Self {
        Self { spoke: coverage::spoke(bundle, case, played), ..Self::of_loading(case, differences) }
    }

    /// The result of a case in which nobody asks for anything.
    pub(super) fn of_loading(case: &Case, differences: Vec<Difference>) -> Self {
        Self {
            name: case.name.clone(),
            clause: case.clause.clone(),
            disputed: case.disputed.clone(),
            tempted: case.tempted,
            spoke: BTreeSet::new(),
            differences,
        }
    }

    /// The result of a case that could not be played.
    pub(super) fn broken(case: &Case, error: &(dyn Error + Send + Sync)) -> Self {
        Self::of_loading(case, vec![broken(&error.to_string())])
    }

    /// The result of a case as long as it has not been played.
    pub(super) fn unplayed(case: &Case) -> Self {
        Self::of_loading(case, vec![broken("nothing")])
    }
}

fn broken(error: &str) -> Difference {
    Difference { what: "rehearsal", expected: "to be played".to_owned(), found: error.to_owned() }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.holds() { "holds" } else { "FAILS" };
        write!(f, "{word}  {}: {}", self.clause, self.name)?;
        self.differences.iter().try_for_each(|difference| write!(f, "\n       {difference}"))
    }
}

/// Collects differences.
#[derive(Default)]
pub(super) struct Differences(pub(super) Vec<Difference>);

impl Differences {
    /// Notes a difference, if there is one.
    pub(super) fn same<T: PartialEq>(
        &mut self,
        what: &'static str,
        expected: &T,
        found: &T,
        say: impl Fn(&T) -> String,
    ) {
        if expected != found {
            self.add(what, say(expected), say(found));
        }
    }

    pub(super) fn add(&mut self, what: &'static str, expected: impl Into<String>, found: impl Into<String>) {
        self.0.push(Difference { what, expected: expected.into(), found: found.into() });
    }
}
