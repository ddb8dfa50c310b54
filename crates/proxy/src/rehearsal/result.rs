//! What became of a case.

use std::fmt;

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
    /// What came out otherwise; nothing when the case holds.
    pub differences: Vec<Difference>,
}

impl CaseResult {
    /// Whether everything came out as the case says.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
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
