//! Answers that are kept until anybody writes to the ledger.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use consentry_model::{Identifier, LedgerRevision, Resolution};

use super::wal_index::Mark;
use crate::Batch;

/// How many identifiers' answers are kept at most.
const KEPT_NAMES_MAX: usize = 16_384;
/// How many events they hold together at most.
const KEPT_EVENTS_MAX: usize = 262_144;

/// The answers that were given at one mark. With the first write of anybody, all of them are void.
#[derive(Debug, Default)]
pub(super) struct Kept {
    answers: Mutex<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    /// At which mark, and which revision that is; nothing is kept before the first answer.
    of: Option<(Mark, LedgerRevision)>,
    by_name: HashMap<Identifier, Resolution>,
    events: usize,
}

impl Kept {
    /// The whole answer to a window, if every part of it was given at this mark.
    pub(super) fn answer(&self, mark: &Mark, who: &[Identifier]) -> Option<Batch> {
        let answers = self.lock();
        let (_, revision) = answers.of.filter(|(of, _)| of == mark)?;
        let answers = who.iter().map(|name| answers.by_name.get(name).cloned()).collect::<Option<_>>()?;
        Some(Batch { revision, answers })
    }

    /// Keeps what was answered while the mark stood still.
    pub(super) fn keep(&self, mark: Mark, who: &[Identifier], batch: &Batch) {
        let mut answers = self.lock();
        if answers.of.is_none_or(|of| of != (mark, batch.revision)) {
            *answers = Answers { of: Some((mark, batch.revision)), ..Answers::default() };
        }
        let events: usize = batch.answers.iter().map(events_of).sum();
        let room = answers.by_name.len().saturating_add(who.len()) <= KEPT_NAMES_MAX
            && answers.events.saturating_add(events) <= KEPT_EVENTS_MAX;
        if !room {
            answers.by_name.clear();
            answers.events = 0;
        }
        if who.len() > KEPT_NAMES_MAX || events > KEPT_EVENTS_MAX {
            return;
        }
        answers.by_name.extend(who.iter().cloned().zip(batch.answers.iter().cloned()));
        answers.events += events;
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn events_of(answer: &Resolution) -> usize {
    match answer {
        Resolution::Known(state) => state.events.len(),
        Resolution::Unresolved => 0,
    }
}

#[cfg(test)]
mod tests {
    use consentry_model::Space;

    use super::*;
    use crate::sqlite::wal_index::Mark;

    fn name(n: usize) -> Identifier {
        Identifier::new(Space::new("customer"), &n.to_string())
    }

    fn batch(revision: u64, answers: usize) -> Batch {
        Batch { revision: LedgerRevision(revision), answers: vec![Resolution::Unresolved; answers] }
    }

    #[test]
    fn law_11_what_was_kept_at_one_mark_is_no_answer_at_another() {
        let kept = Kept::default();
        let (old, new) = (Mark::for_tests(1), Mark::for_tests(2));
        assert_eq!(kept.answer(&old, &[]), None, "nothing was ever asked");
        kept.keep(old, &[name(1), name(2)], &batch(7, 2));
        assert_eq!(kept.answer(&old, &[name(2), name(1)]), Some(batch(7, 2)));
        assert_eq!(kept.answer(&old, &[]), Some(batch(7, 0)), "the revision alone");
        assert_eq!(kept.answer(&old, &[name(1), name(3)]), None, "no partial answer");
        assert_eq!(kept.answer(&new, &[name(1)]), None);
        kept.keep(new, &[name(3)], &batch(8, 1));
        assert_eq!(kept.answer(&old, &[name(1)]), None);
        assert_eq!(kept.answer(&new, &[name(1)]), None, "answers of before are void");
    }

    #[test]
    fn no_more_than_the_named_number_is_kept() {
        let kept = Kept::default();
        let mark = Mark::for_tests(1);
        for n in 0..=KEPT_NAMES_MAX {
            kept.keep(mark, &[name(n)], &batch(1, 1));
        }
        assert_eq!(kept.lock().by_name.len(), 1, "the rest made room");
        let many: Vec<_> = (0..=KEPT_NAMES_MAX).map(name).collect();
        kept.keep(mark, &many, &batch(1, many.len()));
        assert!(kept.lock().by_name.len() <= KEPT_NAMES_MAX);
    }
}
