//! Bundles, keys and certificates that change on disk: the good ones come into force, the others are told and change nothing.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use consentry_audit::{PolicyInstalled, PolicyRefused};
use consentry_model::BundleDigest;
use consentry_policy::SealedSource;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::config::KeySource;
use crate::parts::{NotLoaded, authenticator_with, blocking, key_texts, keys_in, load_engine, read_error};
use crate::state::{Refused, State};
use crate::tls::{TlsTexts, read_texts, server_config};

/// Longest text about a refusal that is kept, in bytes.
const WHY_BYTES_MAX: usize = 4_096;

/// Looks at bundle, keys and certificates every so often, and at once when asked to.
pub(crate) struct Reloader {
    state: Arc<State>,
    keys: Vec<String>,
    tls: Option<TlsTexts>,
}

impl Reloader {
    /// A reloader for what is in force now; `keys` are the texts that the authenticator was made from, `tls` those that
    /// callers are shown a certificate of.
    pub(crate) fn new(state: Arc<State>, keys: Vec<String>, tls: Option<TlsTexts>) -> Self {
        Self { state, keys, tls }
    }

    /// Runs until `stop` is over.
    pub(crate) async fn run(mut self, ask: Arc<Notify>, stop: impl Future<Output = ()> + Send) {
        let mut every = tokio::time::interval(Duration::from_millis(self.state.config.reload_poll_ms));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = ask.notified() => {}
                _ = every.tick() => {}
            }
            self.look_at_bundle().await;
            self.look_at_keys().await;
            self.look_at_certificates().await;
        }
    }

    async fn look_at_bundle(&self) {
        let State { config, policy, bundle_refused, .. } = &*self.state;
        let dir = config.bundle.clone();
        let sealed = blocking(move || {
            let read = SealedSource::read(&dir);
            read.map(|sealed| sealed.digest).map_err(|e| read_error(&dir, &e.into()))
        })
        .await;
        let in_force = policy.current().map(|installed| installed.engine.bundle().digest.clone());
        match sealed {
            Ok(digest) if Some(&digest) == in_force.as_ref() => {
                self.confirm().await;
                if forget(bundle_refused) {
                    tracing::info!(bundle = %digest, "the bundle in force is found sealed again");
                }
            }
            Ok(digest) => self.install(digest).await,
            Err(why) => self.refuse_bundle(why).await,
        }
    }

    /// Keeps the bundle in force from growing old: what is on disk was read, and says nothing against it.
    async fn confirm(&self) {
        let (policy, now) = (self.state.policy.clone(), self.state.clock.now());
        // A former bundle may be taken apart by it.
        let confirmed = blocking(move || {
            policy.confirm(now);
            Ok(())
        });
        drop(confirmed.await);
    }

    async fn install(&self, digest: BundleDigest) {
        let State { config, policy, clock, evidence, bundle_refused, .. } = &*self.state;
        let dir = config.bundle.clone();
        let now = clock.now();
        let loaded = blocking(move || Ok(load_engine(&dir, now))).await;
        let engine = match loaded.map_err(NotLoaded::from).flatten() {
            Ok(engine) => engine,
            Err(NotLoaded { why, is_ahead }) => {
                if is_ahead {
                    self.confirm().await;
                }
                return self.refuse_bundle(format!("bundle {digest}: {why}")).await;
            }
        };
        let bundle = engine.bundle();
        let (digest, version) = (bundle.digest.clone(), bundle.version.clone());
        // Recorded before it is in force: no ruling rests on a bundle whose coming nobody can find.
        let note = PolicyInstalled::new(digest.clone(), &bundle.controller, &version);
        if evidence.note(note).await.is_err() {
            return self.refuse_bundle("its coming into force cannot be recorded".to_owned()).await;
        }
        let (policy, now) = (policy.clone(), clock.now());
        if let Err(why) = blocking(move || Ok(policy.install(engine, now))).await {
            return self.refuse_bundle(why).await;
        }
        forget(bundle_refused);
        tracing::info!(bundle = %digest, %version, "a bundle came into force");
    }

    /// Tells once that what is on disk is not taken over; what is in force stays.
    async fn refuse_bundle(&self, why: String) {
        let State { clock, evidence, bundle_refused, .. } = &*self.state;
        let why = cut(&why);
        if !remember(bundle_refused, Refused { at: clock.now(), why: why.clone() }) {
            return;
        }
        let first = why.lines().next().unwrap_or_default();
        tracing::warn!(why = first, "the bundle on disk is not taken over, the one in force stays");
        if evidence.note(PolicyRefused::new(&why)).await.is_err() {
            tracing::warn!("the refusal of a bundle could not be recorded");
        }
    }

    async fn look_at_keys(&mut self) {
        let State { config, authenticator, clock, keys_refused, .. } = &*self.state;
        let source: KeySource = config.identity.keys.clone();
        // Published keys have a keeper of their own.
        if matches!(source, KeySource::Url(_)) {
            return;
        }
        let tell = |why: String| {
            if remember(keys_refused, Refused { at: clock.now(), why: cut(&why) }) {
                let why = why.lines().next().unwrap_or_default();
                let age_secs_max = config.identity.keys_age_secs_max;
                tracing::warn!(
                    why,
                    age_secs_max,
                    "the keys on disk are not taken over: those in force grow old"
                );
            }
        };
        // The keys are as old as the look at them.
        let asked = clock.now();
        let texts = match blocking(move || key_texts(&source)).await {
            Ok(texts) => texts,
            Err(why) => return tell(why),
        };
        if texts == self.keys && !self.state.keys_lie_ahead() {
            authenticator.current().confirm_keys(asked);
            if forget(keys_refused) {
                tracing::info!("the keys on disk are those in force again");
            }
            return;
        }
        let identity = config.identity.clone();
        let made = blocking(move || {
            let keys = keys_in(&identity.keys, &texts)?;
            Ok((keys.len(), authenticator_with(&identity, keys, Some(asked))?, texts))
        });
        match made.await {
            Ok((keys, made, texts)) => {
                authenticator.install(made);
                self.keys = texts;
                forget(keys_refused);
                if keys == 0 {
                    tracing::warn!("no key on disk verifies any more: every token is refused");
                } else {
                    tracing::info!(keys, "new keys are in force");
                }
            }
            Err(why) => tell(why),
        }
    }
}

impl Reloader {
    /// Certificate and key come into force together or not at all: a pair that is half written does not fit, and the last
    /// good one stays.
    async fn look_at_certificates(&mut self) {
        let State { config, tls, clock, tls_refused, .. } = &*self.state;
        let (Some(config), Some(slot)) = (config.tls.clone(), tls) else { return };
        let tell = |why: String| {
            if remember(tls_refused, Refused { at: clock.now(), why: cut(&why) }) {
                let why = why.lines().next().unwrap_or_default();
                tracing::warn!(why, "the certificate on disk is not taken over, the one in force stays");
            }
        };
        let (last, now) = (self.tls.clone(), clock.now());
        let looked = blocking(move || {
            let texts = read_texts(&config)?;
            if Some(&texts) == last.as_ref() {
                return Ok(None);
            }
            let made = server_config(&config, &texts, now)?;
            Ok(Some((texts, made)))
        });
        match looked.await {
            Ok(None) => {
                if forget(tls_refused) {
                    tracing::info!("the certificate on disk is the one in force again");
                }
            }
            Ok(Some((texts, made))) => {
                slot.install(made);
                self.tls = Some(texts);
                forget(tls_refused);
                tracing::info!("a new certificate is in force");
            }
            Err(why) => tell(why),
        }
    }
}

/// Keeps what was refused; whether it is something else than before.
pub(crate) fn remember(slot: &Mutex<Option<Refused>>, refused: Refused) -> bool {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let news = slot.as_ref().is_none_or(|before| before.why != refused.why);
    if news {
        *slot = Some(refused);
    }
    news
}

/// Forgets what was refused; whether there was anything.
pub(crate) fn forget(slot: &Mutex<Option<Refused>>) -> bool {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
}

/// A text about a refusal, no longer than is kept.
pub(crate) fn cut(text: &str) -> String {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= WHY_BYTES_MAX).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}
