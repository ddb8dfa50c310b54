//! Answers that were given before. Deciding is pure: the same question on the same facts has the same answer for as
//! long as no rule begins or ends. A list of a thousand people costs as many evaluations as there are different states
//! among them, and a request like the last one costs none.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use consentry_model::{Facts, Moment, Reason, Verdict};

use super::decide::{Person, Question};
use super::program::Cell;
use crate::rules::Rule;

/// How many different facts one question's answers are kept for; answers on further ones are found afresh each time.
const FACTS_KEPT_MAX: usize = 1_024;

/// The stretch of time between two dates of the rules, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era(usize);

/// The dates on which rules begin or end.
pub(crate) struct Eras(Vec<Moment>);

impl Eras {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut dates: Vec<Moment> = rules.iter().flat_map(|r| [r.from, r.until]).flatten().collect();
        dates.sort_unstable();
        dates.dedup();
        Self(dates)
    }

    pub(crate) fn at(&self, now: Moment) -> Era {
        Era(self.0.partition_point(|date| *date <= now))
    }
}

/// What is kept for one question: its program, and answers.
pub(crate) struct Kept {
    pub(crate) cell: Cell,
    /// The verdict, by what colours its reason.
    pub(crate) verdicts: Answers<Person, Verdict>,
    /// Whether anybody's state could make it a yes.
    pub(crate) hopeless: Answers<(), Option<Reason>>,
}

impl Kept {
    pub(crate) fn new(cell: Cell) -> Self {
        Self { cell, verdicts: Answers::default(), hopeless: Answers::default() }
    }
}

type ByFacts<K, V> = HashMap<Facts, Vec<(K, Era, V)>>;

/// Answers by the facts they were found on.
pub(crate) struct Answers<K, V>(RwLock<ByFacts<K, V>>);

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Copy + PartialEq, V: Clone> Answers<K, V> {
    /// The answer that was given before, or the one that `find` gives now. A poisoned lock costs the work again, and
    /// nothing else.
    pub(crate) fn get_or(&self, facts: &Facts, key: K, era: Era, find: impl FnOnce() -> V) -> V {
        let same = |(k, e, _): &&(K, Era, V)| *k == key && *e == era;
        if let Ok(there) = self.0.read()
            && let Some((.., answer)) = there.get(facts).and_then(|answers| answers.iter().find(same))
        {
            return answer.clone();
        }
        let answer = find();
        if let Ok(mut there) = self.0.write()
            && (there.len() < FACTS_KEPT_MAX || there.contains_key(facts))
        {
            let answers = there.entry(facts.clone()).or_default();
            if answers.iter().find(same).is_none() {
                answers.push((key, era, answer.clone()));
            }
        }
        answer
    }
}

/// What is kept for every question that was asked: at most one entry for each that the bundle's words can make.
#[derive(Default)]
pub(crate) struct Questions(RwLock<HashMap<Question, Arc<Kept>>>);

impl Questions {
    pub(crate) fn get_or(&self, question: &Question, compile: impl FnOnce() -> Cell) -> Arc<Kept> {
        let there = self.0.read().ok().and_then(|kept| kept.get(question).cloned());
        there.unwrap_or_else(|| {
            let kept = Arc::new(Kept::new(compile()));
            if let Ok(mut there) = self.0.write() {
                return Arc::clone(there.entry(question.clone()).or_insert(kept));
            }
            kept
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consentry_model::FactSchema;

    #[test]
    fn an_answer_is_kept_for_its_own_facts_key_and_era_alone() {
        let eras = Eras(vec![Moment::from_unix_millis(10), Moment::from_unix_millis(20)]);
        let at = |millis| eras.at(Moment::from_unix_millis(millis));
        assert_eq!((at(9), at(10), at(19), at(20)), (Era(0), Era(1), Era(1), Era(2)));
        let facts = Facts::unknown(&FactSchema::default());
        let answers = Answers::default();
        assert_eq!(answers.get_or(&facts, 1, at(9), || "a"), "a");
        assert_eq!(answers.get_or(&facts, 1, at(9), || "b"), "a");
        assert_eq!(answers.get_or(&facts, 1, at(10), || "c"), "c");
        assert_eq!(answers.get_or(&facts, 2, at(9), || "d"), "d");
    }
}
