//! Looks at the ledger's files, each for everybody who asked before it began.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::file::LedgerFile;
use super::wal_index::{Mark, WalIndex};
use crate::LedgerError;

/// For how long what was seen is shared: whoever comes to take it later than that looks again.
const SHARED_MAX: Duration = Duration::from_millis(5);

/// What was seen: the mark of the index, and whether the file was still the ledger.
pub(super) type Seen = (Option<Mark>, Result<(), LedgerError>);

/// Counts those who ask, and keeps the last look.
#[derive(Debug, Default)]
pub(super) struct Looks {
    asked: AtomicU64,
    last: Mutex<Option<Look>>,
}

/// A look, when it began, and how many had asked by then.
#[derive(Debug)]
struct Look {
    began: Instant,
    for_the_first: u64,
    seen: Seen,
}

impl Looks {
    /// Looks, or takes what another saw who began to look after this was asked. Requests that are served at the same time
    /// all ask first, and one of them looks.
    pub(super) async fn look(&self, index: &WalIndex, file: &LedgerFile) -> Seen {
        let turn = self.ask();
        tokio::task::yield_now().await;
        self.seen(turn, Instant::now(), || (index.mark(), file.still_there()))
    }

    fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
    }

    fn seen(&self, turn: u64, now: Instant, look: impl FnOnce() -> Seen) -> Seen {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(there) if there.for_the_first >= turn && now <= there.began + SHARED_MAX => there.seen,
            Some(_) | None => {
                let for_the_first = self.asked.load(Ordering::SeqCst);
                let seen = look();
                *last = Some(Look { began: now, for_the_first, seen });
                seen
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_11_nobody_is_answered_by_a_look_that_began_before_they_asked() {
        let (looks, now) = (Looks::default(), Instant::now());
        let see = |turn, n| looks.seen(turn, now, || (Some(Mark::for_tests(n)), Ok(()))).0;
        let (first, second) = (looks.ask(), looks.ask());
        assert_eq!(see(first, 1), Some(Mark::for_tests(1)));
        let third = looks.ask();
        assert_eq!(see(second, 2), Some(Mark::for_tests(1)), "asked before the first looked");
        assert_eq!(see(third, 3), Some(Mark::for_tests(3)), "asked after");
        let fourth = looks.ask();
        let gone = looks.seen(fourth, now, || (None, Err(LedgerError::corrupt("gone"))));
        assert!(gone.1.is_err());
        assert_eq!(see(fourth, 5), None, "what was seen is what was seen");
        let later = now + SHARED_MAX + Duration::from_nanos(1);
        let seen = looks.seen(fourth, later, || (Some(Mark::for_tests(6)), Ok(())));
        assert_eq!(seen.0, Some(Mark::for_tests(6)), "long ago");
    }
}
