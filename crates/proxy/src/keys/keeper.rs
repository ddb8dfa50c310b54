//! Keeps the issuer's keys young: looks every so often, and when a token names a key that is not there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use consentry_identity::{Authenticator, KeySet};
use consentry_layer::NewerKeys;
use consentry_model::Moment;
use tokio::sync::{Mutex, Notify};

use super::fetch::Fetcher;
use crate::config::JwksUrl;
use crate::parts::authenticator_with;
use crate::reload::{cut, forget, remember};
use crate::state::{Refused, State};

/// Looks at the issuer's keys, one look at a time.
pub(crate) struct KeyKeeper {
    state: Arc<State>,
    source: JwksUrl,
    fetcher: Fetcher,
    looked: Mutex<Looked>,
    /// How many looks have ended.
    looks: AtomicU64,
    /// Asks for a look now.
    now: Notify,
}

#[derive(Default)]
struct Looked {
    /// The text whose keys are in force.
    text: Option<String>,
    /// When a stranger's token last made us look.
    asked_at: Option<Instant>,
    /// Whether the last look found usable keys.
    good: bool,
}

impl KeyKeeper {
    /// A keeper that has not looked yet.
    pub(crate) fn new(state: Arc<State>, source: JwksUrl, fetcher: Fetcher) -> Self {
        Self {
            state,
            source,
            fetcher,
            looked: Mutex::default(),
            looks: AtomicU64::new(0),
            now: Notify::new(),
        }
    }

    /// Looks every so often, sooner after a look that failed, until `stop` is over.
    pub(crate) async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let good = self.looked.lock().await.good;
            let JwksUrl { refresh_secs, cooldown_secs, .. } = self.source;
            let rest = if good { refresh_secs } else { cooldown_secs.min(refresh_secs) };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = self.now.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(rest)) => {}
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                _ = self.look() => {}
            }
        }
    }

    /// Has the keys looked at now, instead of when it is time.
    pub(crate) fn look_now(&self) {
        self.now.notify_one();
    }

    /// Looks now, or waits for the end of a look under way; whether keys were found.
    pub(crate) async fn look(&self) -> bool {
        let before = self.looks.load(Ordering::Acquire);
        let mut looked = self.looked.lock().await;
        if self.looks.load(Ordering::Acquire) == before {
            self.fetch(&mut looked).await;
        }
        looked.good
    }

    /// Likewise for somebody whom nobody knows yet: not sooner than the cool-down allows.
    async fn asked(&self) -> bool {
        let before = self.looks.load(Ordering::Acquire);
        let mut looked = self.looked.lock().await;
        if self.looks.load(Ordering::Acquire) != before {
            return looked.good;
        }
        let cooldown = Duration::from_secs(self.source.cooldown_secs);
        if looked.asked_at.is_some_and(|at| at.elapsed() < cooldown) {
            return false;
        }
        looked.asked_at = Some(Instant::now());
        self.fetch(&mut looked).await;
        looked.good
    }

    async fn fetch(&self, looked: &mut Looked) {
        let State { authenticator, clock, keys_refused, .. } = &*self.state;
        // The keys are as old as the question.
        let asked = clock.now();
        let found = match self.fetcher.fetch().await {
            Ok(text) if looked.text.as_ref() == Some(&text) && !self.state.keys_lie_ahead() => {
                authenticator.current().confirm_keys(asked);
                Ok(())
            }
            Ok(text) => self.made(&text, asked).map(|made| {
                authenticator.install(made);
                looked.text = Some(text);
                tracing::info!(url = %self.source.url, "new keys are in force");
            }),
            Err(why) => Err(why),
        };
        looked.good = found.is_ok();
        match found {
            Ok(()) => {
                if forget(keys_refused) {
                    tracing::info!("the issuer's keys can be had again");
                }
            }
            Err(why) => {
                if remember(keys_refused, Refused { at: clock.now(), why: cut(&why) }) {
                    let age_secs_max = self.state.config.identity.keys_age_secs_max;
                    tracing::warn!(
                        why,
                        age_secs_max,
                        "the issuer's keys cannot be had: those in force grow old"
                    );
                }
            }
        }
        self.looks.fetch_add(1, Ordering::Release);
    }

    /// An issuer that publishes no key at all is more likely out of order than without one; the age of its last keys ends.
    fn made(&self, text: &str, asked: Moment) -> Result<Authenticator, String> {
        let told = |e: String| format!("{}: {e}", self.source.url);
        let keys = KeySet::from_jwks(text).map_err(|e| told(e.to_string()))?;
        if keys.is_empty() {
            return Err(told("no key that verifies".to_owned()));
        }
        authenticator_with(&self.state.config.identity, keys, Some(asked)).map_err(told)
    }
}

/// A keeper that the layer asks. A look goes on when whoever asked for it has gone away.
pub(crate) struct Asked(pub(crate) Arc<KeyKeeper>);

impl NewerKeys for Asked {
    fn look(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        let keeper = Arc::clone(&self.0);
        Box::pin(async move { tokio::spawn(async move { keeper.asked().await }).await.unwrap_or(false) })
    }
}
