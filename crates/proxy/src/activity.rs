//! Connections of HTTP/2 on which nothing is under way: over HTTP/1.1 the protocol's own waiting for a head ends them.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How many bytes of answers a connection that is slow, and no more than that, takes in the time that one may stay unread.
pub(crate) const PIECE_BYTES_MAX: usize = 16_384;

tokio::task_local! {
    /// What is under way on the connection that is being served; streams of HTTP/2 are served elsewhere.
    static CONNECTION: Arc<Activity>;
}

/// Tells something to the connection that is being served over HTTP/1.
pub(crate) fn on_connection(tell: impl FnOnce(&Activity)) {
    // Elsewhere nobody asks.
    _ = CONNECTION.try_with(|activity| tell(activity));
}

/// What is under way on one connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    now: watch::Sender<Now>,
    answers: Mutex<Answers>,
    /// Over HTTP/1.0, where what has no length is complete when the connection is closed.
    ends_by_closing: AtomicBool,
    /// An answer has begun and is not whole.
    unfinished: AtomicBool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Now {
    /// Whether the connection speaks HTTP/2, as far as it is known yet.
    http2: bool,
    /// Requests whose head is whole and whose answer is not, and writes that wait for the other end.
    open: usize,
}

/// What became of the bytes of all answers of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    /// Handed over and not written. Those of a stream that was reset stay in it.
    owed: usize,
    /// When any were written.
    written: Option<Instant>,
    /// When as many as a piece were written since the last time, and how many since then.
    moved: Option<Instant>,
    since_moved: usize,
}

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    /// When nothing is owed to the other end.
    pub(crate) idle_max: Duration,
    /// While it takes less than a piece of what it is owed.
    pub(crate) unread_max: Duration,
}

/// What asks a connection to end. An error of either says that whoever would tell is gone, which is the same.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) draining: watch::Receiver<bool>,
    /// Those are believed no more by whom the certificate of the other end was good; `None` where it showed none.
    pub(crate) outlived: Option<watch::Receiver<bool>>,
}

impl Ends {
    async fn asked(&mut self) {
        let Self { draining, outlived } = self;
        let outlived = async {
            match outlived {
                Some(outlived) => drop(outlived.wait_for(|so| *so).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = draining.wait_for(|draining| *draining) => {}
            () = outlived => {}
        }
    }
}

/// Something that is under way until this goes.
#[derive(Debug)]
pub(crate) struct Open(Arc<Activity>);

impl Activity {
    /// States that the connection speaks HTTP/2.
    pub(crate) fn speaks_http2(&self) {
        self.now.send_modify(|now| now.http2 = true);
    }

    /// States whether an answer without a length ends with the connection.
    pub(crate) fn ends_by_closing(&self, so: bool) {
        self.ends_by_closing.store(so, Ordering::Relaxed);
    }

    /// States whether there is more to come of an answer over HTTP/1.
    pub(crate) fn is_unfinished(&self, so: bool) {
        self.unfinished.store(so, Ordering::Relaxed);
    }

    /// Whether an answer would look complete that is not, were the connection closed now: there is more of it to come, or to
    /// be written.
    pub(crate) fn breaks_off(&self) -> bool {
        let waits = self.unfinished.load(Ordering::Relaxed) || self.now.borrow().open > 0;
        self.ends_by_closing.load(Ordering::Relaxed) && waits
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Open {
        self.now.send_modify(|now| now.open = now.open.saturating_add(1));
        Open(Arc::clone(self))
    }

    /// Bytes of an answer are handed over, to be written when the other end takes them.
    pub(crate) fn hands_over(&self, bytes: usize) {
        let mut answers = self.answers();
        answers.owed = answers.owed.saturating_add(bytes);
    }

    /// Bytes of answers were written.
    pub(crate) fn wrote(&self, bytes: usize) {
        let (mut answers, now) = (self.answers(), Some(Instant::now()));
        answers.owed = answers.owed.saturating_sub(bytes);
        answers.written = now;
        answers.since_moved = answers.since_moved.saturating_add(bytes);
        if answers.since_moved >= PIECE_BYTES_MAX {
            (answers.moved, answers.since_moved) = (now, 0);
        }
    }

    /// When the other end last had taken as much as a slow one takes.
    pub(crate) fn moved(&self) -> Option<Instant> {
        self.answers().moved
    }

    /// How many pieces wait for the other end, at most.
    pub(crate) fn pieces(&self) -> usize {
        self.now.borrow().open.saturating_add(self.answers().owed / PIECE_BYTES_MAX)
    }

    /// Over when the connection speaks HTTP/2 and nothing was under way for too long.
    async fn silent_for(&self, silence: Silence) {
        let mut now = self.now.subscribe();
        // The sender is ours: it does not go away meanwhile.
        while now.wait_for(|now| now.http2 && now.open == 0).await.is_ok() {
            tokio::select! {
                biased;
                _ = now.changed() => {}
                () = self.unmoved(Instant::now(), silence) => return,
            }
        }
    }

    /// Over when, since then and for too long, nothing moved: the last pieces of answers may wait when all streams are over.
    async fn unmoved(&self, since: Instant, silence: Silence) {
        loop {
            let Answers { owed, written, moved, .. } = *self.answers();
            let deadline = if owed == 0 {
                written.map_or(since, |at| at.max(since)) + silence.idle_max
            } else {
                moved.map_or(since, |at| at.max(since)) + silence.idle_max.max(silence.unread_max)
            };
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.now.send_modify(|now| now.open = now.open.saturating_sub(1));
    }
}

/// Serves a connection, which can be told by [`on_connection`] what becomes of its answers, as [`keep_told`].
pub(crate) async fn keep<C: GracefulConnection>(
    connection: C,
    activity: &Arc<Activity>,
    ends: Ends,
    silence: Silence,
) -> Result<(), C::Error> {
    CONNECTION.scope(Arc::clone(activity), keep_told(connection, activity, ends, silence)).await
}

/// Serves a connection to its end. It is asked to end when draining begins, when its certificate is believed no more, and
/// when nothing was under way on it for too long; whoever is silent for as long again is cut off.
async fn keep_told<C: GracefulConnection>(
    connection: C,
    activity: &Activity,
    mut ends: Ends,
    silence: Silence,
) -> Result<(), C::Error> {
    let (mut connection, mut ends) = (pin!(connection), pin!(ends.asked()));
    let (mut ended, mut asked) = (false, false);
    loop {
        tokio::select! {
            biased;
            done = &mut connection => return done,
            () = &mut ends, if !ended => ended = true,
            () = activity.silent_for(silence) => {
                if asked {
                    tracing::debug!("a silent connection was cut off");
                    return Ok(());
                }
                asked = true;
            }
        }
        connection.as_mut().graceful_shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn silence_begins_with_http2_and_with_the_end_of_what_is_under_way() {
        let activity = Arc::new(Activity::default());
        let silence = Silence { idle_max: WAIT, unread_max: WAIT * 6 };
        let silent = async |wait| tokio::time::timeout(wait, activity.silent_for(silence)).await.is_ok();
        assert!(!silent(WAIT * 2).await, "which protocol it speaks is not known");
        let open = activity.begin();
        activity.speaks_http2();
        assert!(!silent(WAIT * 2).await, "something is under way");
        drop(open);
        assert!(!silent(WAIT / 2).await, "not for long enough");
        assert!(silent(WAIT * 4).await);
        activity.hands_over(PIECE_BYTES_MAX + 1);
        assert!(!silent(WAIT * 4).await, "the rest of an answer may wait for the other end");
        activity.wrote(PIECE_BYTES_MAX);
        assert!(!silent(WAIT * 4).await, "and it takes what it can");
        activity.wrote(1);
        assert!(silent(WAIT * 4).await, "all is written");
        activity.hands_over(1);
        assert!(silent(WAIT * 8).await, "not for ever");
    }
}
