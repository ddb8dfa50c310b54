//! What is kept: the cells, and the answers that were given before. Deciding is pure: the same cell on the same fact
//! word has the same answer. A list of a thousand people costs as many evaluations as there are different words among
//! them, and a request like the last one costs none.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use super::cells::Cell;
use super::decide::Question;

/// How many answers are kept; further ones are found afresh each time.
const ANSWERS_KEPT_MAX: usize = 1_024;

/// A map with a quick hash.
pub(crate) type Hashed<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Answers by what they were found on: at most 1,024 of them, further ones are not kept. A poisoned lock costs the work
/// again, and nothing else.
pub struct Kept<K, V>(RwLock<Hashed<K, V>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// The answer that was given before.
    pub fn get(&self, key: &K) -> Option<V> {
        self.0.read().ok()?.get(key).cloned()
    }

    /// Keeps an answer, unless there is one or there are enough.
    pub fn keep(&self, key: K, answer: V) {
        if let Ok(mut there) = self.0.write()
            && there.len() < ANSWERS_KEPT_MAX
        {
            there.entry(key).or_insert(answer);
        }
    }

    /// The answer that was given before, or the one that `find` gives now.
    pub fn get_or(&self, key: &K, find: impl FnOnce() -> V) -> V
    where
        K: Clone,
    {
        self.get(key).unwrap_or_else(|| {
            let answer = find();
            self.keep(key.clone(), answer.clone());
            answer
        })
    }
}

/// A quick hash. The maps are small and bounded, or hold what the bundle's author wrote, so that whoever finds words that
/// collide gains a short search.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Mix {
    fn mix(&mut self, word: u64) {
        let (low, high) = (self.0 ^ word).carrying_mul(0x9e37_79b9_7f4a_7c15, 0);
        self.0 = low ^ high;
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            self.mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(u64::try_from(word).unwrap_or(u64::MAX));
    }

    fn write_isize(&mut self, word: isize) {
        self.mix(u64::from_le_bytes(i64::try_from(word).unwrap_or(0).to_le_bytes()));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The cells that were compiled: at most one for each question that the bundle's words can make.
#[derive(Default)]
pub(crate) struct Cells {
    by_question: RwLock<Hashed<Question, Arc<Cell>>>,
    all: AtomicBool,
}

impl Cells {
    pub(crate) fn get(&self, question: &Question) -> Option<Arc<Cell>> {
        self.by_question.read().ok()?.get(question).cloned()
    }

    /// Keeps a cell, unless somebody else was quicker.
    pub(crate) fn keep(&self, cell: Cell) -> Arc<Cell> {
        let cell = Arc::new(cell);
        if let Ok(mut there) = self.by_question.write() {
            return Arc::clone(there.entry(cell.question.clone()).or_insert(cell));
        }
        cell
    }

    /// Whether every question that may be asked has its cell.
    pub(crate) fn are_all(&self) -> bool {
        self.all.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.all.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_its_own_key_alone_and_not_without_end() {
        let answers = Kept::default();
        assert_eq!(answers.get_or(&1, || "a"), "a");
        assert_eq!(answers.get_or(&1, || "b"), "a");
        assert_eq!(answers.get_or(&2, || "c"), "c");
        for key in 3..2_000 {
            answers.get_or(&key, || "d");
        }
        assert_eq!(answers.get_or(&5_000, || "e"), "e");
        assert_eq!(answers.get_or(&5_000, || "f"), "f");
        assert_eq!(answers.0.read().map(|there| there.len()).ok(), Some(ANSWERS_KEPT_MAX));
    }
}
