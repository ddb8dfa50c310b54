//! How the writer rests while records gather: until as many were handed over as can be, or until a time is over.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// No count of records.
const NEVER: u64 = u64::MAX;

/// Counts the records of requests as they are handed over, and wakes the writer at the one that it rests for. Whoever
/// hands one over pays for waking a thread at that one alone.
#[derive(Debug)]
pub(crate) struct Bell {
    given: AtomicU64,
    taken: AtomicU64,
    /// At which count to ring.
    at: AtomicU64,
    sleeper: OnceLock<Thread>,
}

impl Default for Bell {
    fn default() -> Self {
        let (given, taken) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { given, taken, at: AtomicU64::new(NEVER), sleeper: OnceLock::new() }
    }
}

impl Bell {
    /// One was handed over.
    pub(crate) fn given(&self) {
        // In one order with the stores of whoever rests: either that one sees this count, or this sees what is rested for.
        let given = self.given.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
        if given == self.at.load(Ordering::SeqCst)
            && let Some(sleeper) = self.sleeper.get()
        {
            sleeper.unpark();
        }
    }

    /// One was taken. The writer says so.
    pub(crate) fn taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Rests until so many more have been handed over than were taken, or until the time is over, or for no reason: whoever
    /// rests looks again. Only the writer does.
    pub(crate) fn rest(&self, more: usize, time_max: Duration) {
        self.sleeper.get_or_init(thread::current);
        let more = u64::try_from(more).unwrap_or(NEVER);
        let at = self.taken.load(Ordering::Relaxed).saturating_add(more);
        self.at.store(at, Ordering::SeqCst);
        if self.given.load(Ordering::SeqCst) < at {
            thread::park_timeout(time_max);
        }
        self.at.store(NEVER, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    /// Longer than any machine makes a thread wait.
    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_rest_ends_with_the_last_that_can_come() {
        let bell = Arc::new(Bell::default());
        (0..3).for_each(|_| bell.given());
        (0..2).for_each(|_| bell.taken());
        // One more than was taken is there already.
        bell.rest(1, LONG);
        for more in [1, 2, 5, 64] {
            let (giver, rested) = (Arc::clone(&bell), Instant::now());
            let giving = thread::spawn(move || (0..more).for_each(|_| giver.given()));
            // A rest may end for no reason.
            while bell.given.load(Ordering::SeqCst) < bell.taken.load(Ordering::Relaxed) + 1 + more {
                bell.rest(usize::try_from(more).unwrap() + 1, LONG);
            }
            giving.join().unwrap();
            (0..more).for_each(|_| bell.taken());
            assert!(rested.elapsed() < LONG);
        }
    }

    #[test]
    fn a_rest_ends_without_them() {
        let bell = Bell::default();
        bell.rest(1, Duration::from_millis(1));
        bell.rest(usize::MAX, Duration::from_millis(1));
    }
}
