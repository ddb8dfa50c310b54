//! What has to be done now and then: for the evidence log, and about the age of the bundle.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::aging::Aging;
use crate::state::State;

/// How often the bundle's age is looked at, and a log that does not write is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often refused strangers are summed up in a record.
const SUMMARY_EVERY: Duration = Duration::from_secs(60);

/// Runs until `stop` is over.
pub(crate) async fn run(state: Arc<State>, stop: impl Future<Output = ()> + Send) {
    let mut aging = Aging::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut summary = tokio::time::interval(SUMMARY_EVERY);
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = look.tick() => {
                aging.look(&state);
                if !state.evidence.is_healthy() {
                    match state.evidence.reopen().await {
                        Ok(()) => tracing::info!("the evidence log is written again"),
                        Err(_) => tracing::error!("the evidence log cannot be written: nothing is served"),
                    }
                }
            }
            _ = summary.tick() => summarise(&state).await,
        }
    }
    summarise(&state).await;
}

async fn summarise(state: &State) {
    if state.evidence.flush_summary(state.clock.now()).await.is_err() {
        tracing::warn!("the summary of refused strangers could not be recorded");
    }
}
