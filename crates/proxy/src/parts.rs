//! Everything that a sidecar is made of, opened and checked before a port is bound.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use consentry_audit::{AuditLog, LogOptions, Telemetry};
use consentry_consent::SqliteLedger;
use consentry_identity::{Authenticator, AuthenticatorConfig, KeySet};
use consentry_layer::Limits;
use consentry_policy::{Bundle, Engine, ReadError};

use crate::config::{Config, IdentityConfig, KeySource, ProxyLimits};

/// Most bytes of a file of keys.
const KEY_BYTES_MAX: u64 = 1024 * 1024;

/// One part of the sidecar that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProblem {
    /// Which option of the configuration leads to it.
    pub part: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for PartProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)
    }
}

/// The parts, ready to serve.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) authenticator: Authenticator,
    /// The texts that the authenticator was made from, or older ones.
    pub(crate) keys: Vec<String>,
    pub(crate) ledger: Arc<SqliteLedger>,
    pub(crate) evidence: AuditLog,
    pub(crate) telemetry: Telemetry,
}

impl Parts {
    /// Opens all of them, or says everything that is wrong.
    pub(crate) async fn open(config: &Config) -> Result<Self, Vec<PartProblem>> {
        let mut problems = Vec::new();
        let mut keep = |part: &'static str, message: String| problems.push(PartProblem { part, message });
        let (bundle_dir, identity) = (config.bundle.clone(), config.identity.clone());
        let engine = blocking(move || load_engine(&bundle_dir)).await.map_err(|e| keep("bundle", e)).ok();
        let authenticator = blocking(move || {
            // Read first: a change between the two is seen as one later.
            Ok((key_texts(&identity.keys)?, load_authenticator(&identity)?))
        });
        let authenticator = authenticator.await.map_err(|e| keep("identity", e)).ok();
        let ledger = SqliteLedger::open(&config.ledger).await.map_err(|e| keep("ledger", e.to_string())).ok();
        let telemetry = match &config.otlp {
            None => Some(Telemetry::none()),
            Some(otlp) => Telemetry::otlp(&otlp.endpoint, &otlp.service_name)
                .map_err(|e| keep("otlp", e.to_string()))
                .ok(),
        };
        let mut options = LogOptions::default();
        options.slots_max = to_usize(config.limits.evidence_slots_max);
        options.telemetry = telemetry.clone().unwrap_or_default();
        let dir = config.evidence.clone();
        let evidence = blocking(move || AuditLog::open(&dir, options).map_err(|e| e.to_string()))
            .await
            .map_err(|e| keep("evidence", e))
            .ok();
        match (engine, authenticator, ledger, telemetry, evidence) {
            (Some(engine), Some((keys, authenticator)), Some(ledger), Some(telemetry), Some(evidence)) => {
                Ok(Self { engine, authenticator, keys, ledger: Arc::new(ledger), evidence, telemetry })
            }
            (_, _, _, _, evidence) => {
                if let Some(evidence) = evidence {
                    // It was opened to see whether it can be; nothing is served.
                    close(evidence, Telemetry::none()).await;
                }
                Err(problems)
            }
        }
    }
}

/// Runs what waits for files on a thread where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err("the work ended by a panic".to_owned()))
}

/// Writes what was handed to the log and sends what waits to be sent, then ends both.
pub(crate) async fn close(evidence: AuditLog, telemetry: Telemetry) {
    let closed = tokio::task::spawn_blocking(move || {
        evidence.shutdown();
        telemetry.shutdown();
    });
    if closed.await.is_err() {
        tracing::error!("the evidence log was not closed in order");
    }
}

/// Reads and compiles the sealed bundle in a folder. The text of the error is for operators; a bundle holds no data
/// of anybody.
pub(crate) fn load_engine(dir: &Path) -> Result<Engine, String> {
    let bundle = Bundle::load_sealed(dir).map_err(|e| read_error(&e))?;
    Engine::new(bundle).map_err(|e| e.to_string())
}

/// What is wrong with a bundle, in full.
pub(crate) fn read_error(error: &ReadError) -> String {
    if let ReadError::Wrong(diagnostics) = error {
        return format!("{error}\n{}", diagnostics.render(false).trim_end());
    }
    let source = std::error::Error::source(error).map(|s| format!(": {s}")).unwrap_or_default();
    format!("{error}{source}")
}

/// Reads the keys and makes what believes in them.
pub(crate) fn load_authenticator(config: &IdentityConfig) -> Result<Authenticator, String> {
    let keys = match &config.keys {
        KeySource::Jwks(file) => {
            KeySet::from_jwks(&read_keys(file)?).map_err(|e| format!("{}: {e}", file.display()))?
        }
        KeySource::Pem(files) => {
            let mut keys = KeySet::default();
            for (kid, file) in files {
                keys =
                    keys.with_pem(kid, &read_keys(file)?).map_err(|e| format!("{}: {e}", file.display()))?;
            }
            keys
        }
    };
    let mut made = AuthenticatorConfig::new(keys, &config.issuer, &config.audience);
    made.leeway_secs = config.leeway_secs;
    Authenticator::new(made).map_err(|e| e.to_string())
}

/// The texts of all files of keys, to see whether they changed.
pub(crate) fn key_texts(source: &KeySource) -> Result<Vec<String>, String> {
    match source {
        KeySource::Jwks(file) => Ok(vec![read_keys(file)?]),
        KeySource::Pem(files) => files.values().map(|file| read_keys(file)).collect(),
    }
}

fn read_keys(file: &Path) -> Result<String, String> {
    let told = |what: &dyn fmt::Display| format!("{}: {what}", file.display());
    let meta = fs::metadata(file).map_err(|e| told(&e.kind()))?;
    if !meta.is_file() || meta.len() > KEY_BYTES_MAX {
        return Err(told(&"not a regular file of at most 1 MiB"));
    }
    fs::read_to_string(file).map_err(|e| told(&e.kind()))
}

/// The layer's limits as the configuration states them.
pub(crate) fn layer_limits(limits: &ProxyLimits) -> Limits {
    let mut out = Limits::default();
    out.request_body_bytes_max = to_usize(limits.request_body_bytes_max);
    out.response_hold_bytes_max = to_usize(limits.response_hold_bytes_max);
    out.window_bytes_max = to_usize(limits.window_bytes_max);
    out.window_subjects_max = to_usize(limits.window_subjects_max);
    out.record_bytes_max = to_usize(limits.record_bytes_max);
    out.depth_max = to_usize(limits.depth_max);
    out.upstream_wait_ms_max = limits.upstream_wait_ms_max;
    out.ledger_wait_ms_max = limits.ledger_wait_ms_max;
    out.evidence_wait_ms_max = limits.evidence_wait_ms_max;
    out.request_body_wait_ms_max = limits.request_body_wait_ms_max;
    out.bundle_age_secs_max = limits.bundle_age_secs_max;
    out
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
