//! What the listener, the reloader and the admin pages share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use consentry_audit::{AuditLog, Failure};
use consentry_consent::Ledger;
use consentry_layer::{AuthenticatorSlot, Clock, Installed, PolicySlot};
use consentry_model::{LedgerRevision, Moment};
use serde::Serialize;

use crate::config::Config;
use crate::counters::Counters;
use crate::metrics::Metrics;
use crate::says::says_kind;
use crate::tls::TlsSlot;

/// Something on disk that was not taken over; what was in force before stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) at: Moment,
    pub(crate) why: String,
}

/// Shared by everything that runs.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) policy: PolicySlot,
    pub(crate) authenticator: AuthenticatorSlot,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) evidence: AuditLog,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bundle_refused: Mutex<Option<Refused>>,
    pub(crate) keys_refused: Mutex<Option<Refused>>,
    pub(crate) tls: Option<TlsSlot>,
    pub(crate) tls_refused: Mutex<Option<Refused>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) draining: AtomicBool,
}

/// One part of being ready.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartReady {
    pub(crate) part: &'static str,
    pub(crate) ready: bool,
    pub(crate) detail: String,
}

impl State {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Everything that must hold for a request to be served, each with its own line.
    pub(crate) async fn readiness(&self) -> Vec<PartReady> {
        let draining = self.is_draining();
        let listener = PartReady {
            part: "listener",
            ready: !draining,
            detail: if draining { "draining" } else { "accepting" }.to_owned(),
        };
        let (ledger, evidence) = (self.ledger_ready().await, self.evidence_ready());
        vec![listener, self.bundle_ready(), ledger, evidence, self.keys_ready()]
    }

    /// Whether the keys are there and young enough.
    fn keys_ready(&self) -> PartReady {
        let max = self.config.identity.keys_age_secs_max;
        let (ready, detail) = match self.authenticator.current().keys_confirmed_at() {
            None => (false, "were never had".to_owned()),
            Some(at) => {
                let age_ms = self.clock.now().millis_since(at);
                let age_ms_max = i64::try_from(max).unwrap_or(i64::MAX).saturating_mul(1000);
                let age_secs = u64::try_from(age_ms / 1000).unwrap_or(0);
                (
                    age_ms.saturating_abs() <= age_ms_max,
                    format!("found {age_secs} seconds ago, {max} at most"),
                )
            }
        };
        PartReady { part: "keys", ready, detail }
    }

    /// Whether the keys were found at a time to come, which the clock was set back from: they would never grow old.
    pub(crate) fn keys_lie_ahead(&self) -> bool {
        let found = self.authenticator.current().keys_confirmed_at();
        found.is_some_and(|at| at > self.clock.now())
    }

    /// How long ago the bundle in force was found sealed; `None` when none is in force.
    pub(crate) fn bundle_age_ms(&self) -> Option<i64> {
        self.policy.current().map(|installed| self.age_ms(&installed))
    }

    /// How long ago that may be at most.
    pub(crate) fn bundle_age_ms_max(&self) -> i64 {
        i64::try_from(self.config.limits.bundle_age_secs_max).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    fn age_ms(&self, installed: &Installed) -> i64 {
        self.clock.now().millis_since(installed.confirmed_at())
    }

    fn bundle_ready(&self) -> PartReady {
        let (ready, detail) = match self.policy.current() {
            None => (false, "none is in force".to_owned()),
            Some(installed) => {
                let age_ms = self.age_ms(&installed);
                let age_secs = u64::try_from(age_ms / 1000).unwrap_or(0);
                let max = self.config.limits.bundle_age_secs_max;
                let told = format!("found sealed {age_secs} seconds ago, {max} at most");
                let ahead = installed.engine.bundle().from.is_some_and(|from| self.clock.now() < from);
                let told = if ahead { "its policy is not in force yet".to_owned() } else { told };
                (age_ms.saturating_abs() <= self.bundle_age_ms_max() && !ahead, told)
            }
        };
        PartReady { part: "bundle", ready, detail }
    }

    async fn ledger_ready(&self) -> PartReady {
        let (ready, detail) = match self.ledger_revision().await {
            Ok(revision) => (true, format!("answers, at revision {revision}")),
            Err(why) => (false, why),
        };
        PartReady { part: "ledger", ready, detail }
    }

    fn evidence_ready(&self) -> PartReady {
        let failure = self.evidence.health().failure;
        let detail = failure.map_or_else(|| "is written".to_owned(), |failure| failure_text(&failure));
        PartReady { part: "evidence", ready: failure.is_none(), detail }
    }

    /// How far the ledger is, if it answers in time.
    pub(crate) async fn ledger_revision(&self) -> Result<LedgerRevision, String> {
        let wait = Duration::from_millis(self.config.limits.ledger_wait_ms_max);
        match tokio::time::timeout(wait, self.ledger.revision()).await {
            Ok(said) => said.map_err(|e| e.to_string()),
            Err(_) => Err("does not answer in time".to_owned()),
        }
    }
}

/// A copy of what was refused last.
pub(crate) fn last(refused: &Mutex<Option<Refused>>) -> Option<Refused> {
    refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Why the evidence log is not written, in words.
pub(crate) fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::Segment(kind) => format!("a segment cannot be written: {}", says_kind(*kind)),
        Failure::Checkpoint(kind) => format!("a checkpoint cannot be written: {}", says_kind(*kind)),
        Failure::Closed => "is closed".to_owned(),
    }
}
