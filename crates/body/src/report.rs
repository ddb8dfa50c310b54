//! What became of the values, in counts.

use std::collections::BTreeMap;

use consentry_model::Treatment;

/// What became of everything released so far: counts by the map's own paths. Names and values of the body never
/// occur in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Personal values removed, by path. An array that its leaf covers counts once when it goes as a whole, else by
    /// element.
    pub withheld: BTreeMap<String, u64>,
    /// Personal values truncated, masked or pseudonymised, by path.
    pub altered: BTreeMap<(String, Treatment), u64>,
    /// Personal values that left in any treatment but *withheld*. A clear array counts by element.
    pub personal_kept: u64,
    /// Members and elements removed because the map does not declare them; their names may be personal, so they are
    /// only counted. What lies below one is not counted again.
    pub undeclared: u64,
    /// Records seen, nested ones included, and those that are an identifier and no more.
    pub records: u64,
    /// Records left out because nothing personal was left of them. An identifier that is a record counts, unless the
    /// array around it went as a whole.
    pub omitted: u64,
}

impl Report {
    pub(crate) fn count_withheld(&mut self, path: &str, by: u64) {
        add(&mut self.withheld, path.to_owned(), by);
    }

    pub(crate) fn count_altered(&mut self, path: &str, treatment: Treatment, by: u64) {
        add(&mut self.altered, (path.to_owned(), treatment), by);
    }

    /// Adds what became of a part of the body.
    pub(crate) fn absorb(&mut self, part: &Self) {
        for (path, count) in &part.withheld {
            let there = self.withheld.entry(path.clone()).or_default();
            *there = there.saturating_add(*count);
        }
        for (key, count) in &part.altered {
            let there = self.altered.entry(key.clone()).or_default();
            *there = there.saturating_add(*count);
        }
        self.personal_kept = self.personal_kept.saturating_add(part.personal_kept);
        self.undeclared = self.undeclared.saturating_add(part.undeclared);
        self.records = self.records.saturating_add(part.records);
        self.omitted = self.omitted.saturating_add(part.omitted);
    }

    /// Whether everything left as it came.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.withheld.is_empty() && self.altered.is_empty() && self.undeclared == 0 && self.omitted == 0
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, by: u64) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(by);
}
