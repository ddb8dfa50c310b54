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
use crate::places;
use crate::says::says;

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

/// What is read and never written: bundle and keys.
struct Read {
    engine: Option<Engine>,
    identity: Option<(Vec<String>, Authenticator)>,
    problems: Vec<PartProblem>,
}

impl Read {
    /// Reads them and looks at the places of the rest; nothing is made, opened for writing, or bound.
    async fn all(config: &Config) -> Self {
        let mut problems = Vec::new();
        let mut keep = |part: &'static str, message: String| problems.push(PartProblem { part, message });
        let (bundle_dir, identity) = (config.bundle.clone(), config.identity.clone());
        let engine = blocking(move || load_engine(&bundle_dir)).await.map_err(|e| keep("bundle", e)).ok();
        let identity = blocking(move || {
            // Read first: a change between the two is seen as one later.
            Ok((key_texts(&identity.keys)?, load_authenticator(&identity)?))
        });
        let identity = identity.await.map_err(|e| keep("identity", e)).ok();
        problems.extend(places::look(config));
        Self { engine, identity, problems }
    }
}

/// Whether bundle and keys can be used. Ledger, evidence and ports are left alone.
pub(crate) async fn check(config: &Config) -> Result<(), Vec<PartProblem>> {
    let Read { problems, .. } = Read::all(config).await;
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

impl Parts {
    /// Opens all of them, or says everything that is wrong. What has to be made is made when all that is only read is
    /// good; the evidence log, in which an opening stays recorded, comes last.
    pub(crate) async fn open(config: &Config) -> Result<Self, Vec<PartProblem>> {
        let Read { engine, identity, mut problems } = Read::all(config).await;
        let telemetry =
            telemetry(config).map_err(|e| problems.push(PartProblem { part: "otlp", message: e }));
        let (Some(engine), Some((keys, authenticator)), Ok(telemetry), true) =
            (engine, identity, telemetry, problems.is_empty())
        else {
            // A ledger that is there is looked at all the same, so that everything is told at once.
            if config.ledger.is_file() {
                match open_ledger(&config.ledger).await {
                    Ok(ledger) => ledger.close().await,
                    Err(problem) => problems.push(problem),
                }
            }
            return Err(problems);
        };
        let ledger = open_ledger(&config.ledger).await.map_err(|problem| vec![problem])?;
        match open_evidence(config, telemetry.clone()).await {
            Ok(evidence) => {
                Ok(Self { engine, authenticator, keys, ledger: Arc::new(ledger), evidence, telemetry })
            }
            Err(message) => {
                ledger.close().await;
                Err(vec![PartProblem { part: "evidence", message }])
            }
        }
    }
}

fn telemetry(config: &Config) -> Result<Telemetry, String> {
    match &config.otlp {
        None => Ok(Telemetry::none()),
        Some(otlp) => Telemetry::otlp(&otlp.endpoint, &otlp.service_name).map_err(|e| e.to_string()),
    }
}

async fn open_ledger(file: &Path) -> Result<SqliteLedger, PartProblem> {
    let problem = |message| PartProblem { part: "ledger", message };
    let path = file.to_owned();
    blocking(move || places::make_folder_of(&path)).await.map_err(problem)?;
    SqliteLedger::open(file).await.map_err(|e| {
        let why = places::why_not(file).map(|why| format!(": {why}")).unwrap_or_default();
        problem(format!("{}: {e}{why}", file.display()))
    })
}

async fn open_evidence(config: &Config, telemetry: Telemetry) -> Result<AuditLog, String> {
    let mut options = LogOptions::default();
    options.slots_max = to_usize(config.limits.evidence_slots_max);
    options.key_path.clone_from(&config.evidence_key);
    options.telemetry = telemetry;
    let dir = config.evidence.clone();
    blocking(move || AuditLog::open(&dir, options).map_err(|e| e.to_string())).await
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
    let bundle = Bundle::load_sealed(dir).map_err(|e| read_error(dir, &e))?;
    Engine::new(bundle).map_err(|e| e.to_string())
}

/// What is wrong with a bundle, in full.
pub(crate) fn read_error(dir: &Path, error: &ReadError) -> String {
    let place = dir.display();
    if !dir.is_dir() {
        return format!("{place}: there is no such folder");
    }
    if let ReadError::Wrong(diagnostics) = error {
        return format!("{place}: {error}\n{}", diagnostics.render(false).trim_end());
    }
    let source = std::error::Error::source(error).map(|s| format!(": {s}")).unwrap_or_default();
    format!("{place}: {error}{source}")
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
    let meta = fs::metadata(file).map_err(|e| told(&says(&e)))?;
    if !meta.is_file() || meta.len() > KEY_BYTES_MAX {
        return Err(told(&"not a regular file of at most 1 MiB"));
    }
    fs::read_to_string(file).map_err(|e| told(&says(&e)))
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
    out.body_fields_max = to_usize(limits.body_fields_max);
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
