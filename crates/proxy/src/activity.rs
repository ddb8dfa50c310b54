//! Connections of HTTP/2 on which nothing is under way: over HTTP/1.1 the protocol's own waiting for a head ends them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;
use tokio::time::sleep;

/// What is under way on one connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    now: watch::Sender<Now>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Now {
    /// Whether the connection speaks HTTP/2, as far as it is known yet.
    http2: bool,
    /// Requests whose head is whole and whose answer is not, and writes that wait for the other end.
    open: usize,
}

/// Something that is under way until this goes.
#[derive(Debug)]
pub(crate) struct Open(Arc<Activity>);

impl Activity {
    /// States that the connection speaks HTTP/2.
    pub(crate) fn speaks_http2(&self) {
        self.now.send_modify(|now| now.http2 = true);
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Open {
        self.now.send_modify(|now| now.open = now.open.saturating_add(1));
        Open(Arc::clone(self))
    }

    /// Over when the connection speaks HTTP/2 and nothing was under way for this long.
    async fn silent_for(&self, wait: Duration) {
        let mut now = self.now.subscribe();
        // The sender is ours: it does not go away meanwhile.
        while now.wait_for(|now| now.http2 && now.open == 0).await.is_ok() {
            tokio::select! {
                biased;
                _ = now.changed() => {}
                () = sleep(wait) => return,
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.now.send_modify(|now| now.open = now.open.saturating_sub(1));
    }
}

/// Serves a connection to its end. It is asked to end when draining begins, and when nothing was under way on it for too
/// long; whoever is silent for as long again is cut off.
pub(crate) async fn keep<C: GracefulConnection>(
    connection: C,
    activity: &Activity,
    mut draining: watch::Receiver<bool>,
    silence_max: Duration,
) -> Result<(), C::Error> {
    let (mut connection, mut drains) = (pin!(connection), pin!(draining.wait_for(|draining| *draining)));
    let (mut drained, mut asked) = (false, false);
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => return ended,
            // An error says that the listener is gone, which is the same.
            _ = &mut drains, if !drained => drained = true,
            () = activity.silent_for(silence_max) => {
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
        let silent = async |wait| tokio::time::timeout(wait, activity.silent_for(WAIT)).await.is_ok();
        assert!(!silent(WAIT * 2).await, "which protocol it speaks is not known");
        let open = activity.begin();
        activity.speaks_http2();
        assert!(!silent(WAIT * 2).await, "something is under way");
        drop(open);
        assert!(!silent(WAIT / 2).await, "not for long enough");
        assert!(silent(WAIT * 4).await);
    }
}
