//! Everything that a sidecar is made of, opened and checked before a port is bound.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use consentry_audit::{AuditLog, LogOptions, Telemetry};
use consentry_consent::SqliteLedger;
use consentry_identity::{Authenticator, KeySet};
use consentry_layer::{Clock, Limits, PseudonymKey, SystemClock};
use consentry_model::{Moment, RecipientId};
use consentry_policy::{Bundle, Engine, ReadError};

use crate::config::{Config, IdentityConfig, KeySource, ProxyLimits, TlsConfig};
use crate::keys::Fetcher;
use crate::places;
use crate::pseudonym_key;
use crate::says::says;
use crate::tls::{TlsInForce, TlsTexts, read_texts, server_config};
use crate::upstream::Upstream;

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
    /// The texts that the authenticator was made from.
    pub(crate) keys: Vec<String>,
    /// What TLS towards callers begins with, and the texts it was made from.
    pub(crate) tls: Option<(TlsTexts, TlsInForce)>,
    pub(crate) upstream: Upstream,
    pub(crate) ledger: Arc<SqliteLedger>,
    pub(crate) pseudonym_key: PseudonymKey,
    pub(crate) evidence: AuditLog,
    pub(crate) telemetry: Telemetry,
}

/// What is read and never written: bundle and keys.
struct Read {
    engine: Option<Engine>,
    identity: Option<(Vec<String>, Authenticator)>,
    tls: Option<Option<(TlsTexts, TlsInForce)>>,
    upstream: Option<Upstream>,
    problems: Vec<PartProblem>,
}

impl Read {
    /// Reads them and looks at the places of the rest; nothing is made, opened for writing, or bound.
    async fn all(config: &Config) -> Self {
        let mut problems = Vec::new();
        let mut keep = |part: &'static str, message: String| problems.push(PartProblem { part, message });
        let (bundle_dir, identity) = (config.bundle.clone(), config.identity.clone());
        let engine = blocking(move || load_engine(&bundle_dir, SystemClock.now()).map_err(|e| e.why))
            .await
            .map_err(|e| keep("bundle", e))
            .ok();
        let identity = blocking(move || {
            let (asked, texts) = (SystemClock.now(), key_texts(&identity.keys)?);
            let keys = keys_in(&identity.keys, &texts)?;
            let published = matches!(identity.keys, KeySource::Url(_));
            if keys.is_empty() && !published {
                return Err("no key on disk verifies".to_owned());
            }
            let found = (!published).then_some(asked);
            Ok((texts, authenticator_with(&identity, keys, found)?))
        });
        let identity = identity.await.map_err(|e| keep("identity", e)).ok();
        let tls = config.tls.clone();
        let tls = blocking(move || tls.as_ref().map(load_tls).transpose());
        let tls = tls.await.map_err(|e| keep("tls", e)).ok();
        let (upstream, recipients) = (config.upstream.clone(), config.recipients.clone());
        let limits = config.limits.clone();
        let upstream = blocking(move || Upstream::new(upstream, recipients, &limits));
        let upstream = upstream.await.map_err(|e| keep("upstream", e)).ok();
        problems.extend(places::look(config));
        let key = pseudonym_key::place(config);
        let key = blocking(move || pseudonym_key::read(&key)).await;
        problems.extend(key.err().map(|message| PartProblem { part: "pseudonym_key", message }));
        problems.extend(engine.iter().flat_map(|engine| unknown_routes(engine, config)));
        problems.extend(engine.iter().flat_map(|engine| unknown_recipients(engine, config)));
        Self { engine, identity, tls, upstream, problems }
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
        let Read { engine, identity, tls, upstream, mut problems } = Read::all(config).await;
        let telemetry =
            telemetry(config).map_err(|e| problems.push(PartProblem { part: "otlp", message: e }));
        let (Some(engine), Some((keys, authenticator)), Some(tls), Some(upstream), Ok(telemetry), true) =
            (engine, identity, tls, upstream, telemetry, problems.is_empty())
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
        match open_rest(config, telemetry.clone()).await {
            Ok((pseudonym_key, evidence)) => Ok(Self {
                engine,
                authenticator,
                keys,
                tls,
                upstream,
                ledger: Arc::new(ledger),
                pseudonym_key,
                evidence,
                telemetry,
            }),
            Err(problem) => {
                ledger.close().await;
                Err(vec![problem])
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

/// What comes after the ledger, whose folder is there now.
async fn open_rest(config: &Config, telemetry: Telemetry) -> Result<(PseudonymKey, AuditLog), PartProblem> {
    let file = pseudonym_key::place(config);
    let key = blocking(move || pseudonym_key::open(&file)).await;
    let key = key.map_err(|message| PartProblem { part: "pseudonym_key", message })?;
    let evidence = open_evidence(config, telemetry).await;
    Ok((key, evidence.map_err(|message| PartProblem { part: "evidence", message })?))
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

/// Why a bundle is not taken over.
pub(crate) struct NotLoaded {
    pub(crate) why: String,
    /// Whether nothing is wrong with it but that its policy is of a later day: until then the one in force stays right.
    pub(crate) is_ahead: bool,
}

impl From<String> for NotLoaded {
    fn from(why: String) -> Self {
        Self { why, is_ahead: false }
    }
}

/// Reads the sealed bundle in a folder and compiles it with every question that its service map can make, so that no
/// request ever waits for that. The text of the error is for operators; a bundle holds no data of anybody.
pub(crate) fn load_engine(dir: &Path, now: Moment) -> Result<Engine, NotLoaded> {
    let bundle = Bundle::load_sealed(dir).map_err(|e| read_error(dir, &e))?;
    if let Some(from) = bundle.from.filter(|from| now < *from) {
        let from = jiff::Timestamp::from_millisecond(from.unix_millis());
        let from = from.map_or_else(|_| "a later time".to_owned(), |from| from.to_string());
        let why = format!(
            "{}: policy {} is in force from {from} on, and not yet; nothing can be started with it before",
            dir.display(),
            bundle.version
        );
        return Err(NotLoaded { why, is_ahead: true });
    }
    let engine = Engine::new(bundle).map_err(|e| e.to_string())?;
    engine.compile_all();
    Ok(engine)
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

/// A route that is to be only reported and that nobody has is a mistake, and not one to find out about later.
fn unknown_routes(engine: &Engine, config: &Config) -> Vec<PartProblem> {
    let routes = &engine.bundle().service.routes;
    let unknown = config.dangerous_report_only.iter().filter(|id| !routes.iter().any(|r| *r.id == ***id));
    let told = |id: &String| format!("the bundle has no route {id}");
    unknown.map(|id| PartProblem { part: "dangerous_report_only", message: told(id) }).collect()
}

/// A recipient whom the bundle does not register is one whom no route ever names: whoever is meant would be refused.
fn unknown_recipients(engine: &Engine, config: &Config) -> Vec<PartProblem> {
    let registered = &engine.bundle().recipients;
    let named = config.recipients.iter().flat_map(BTreeMap::keys);
    let unknown = named.filter(|id| !registered.contains_key(*id));
    let told = |id: &RecipientId| format!("the bundle registers no recipient {}", id.as_str());
    unknown.map(|id| PartProblem { part: "recipients", message: told(id) }).collect()
}

/// Reads the certificate and makes what is shown to callers.
fn load_tls(config: &TlsConfig) -> Result<(TlsTexts, TlsInForce), String> {
    let texts = read_texts(config)?;
    let made = server_config(config, &texts, SystemClock.now())?;
    Ok((texts, made))
}

/// The keys in the texts that were read of all files of keys. Published keys are fetched later; here there are none yet, and
/// what is needed to fetch them is looked at.
pub(crate) fn keys_in(source: &KeySource, texts: &[String]) -> Result<KeySet, String> {
    let mut keys = KeySet::default();
    match source {
        KeySource::Jwks(file) => {
            for text in texts {
                keys = KeySet::from_jwks(text).map_err(|e| format!("{}: {e}", file.display()))?;
            }
        }
        KeySource::Url(source) => {
            Fetcher::new(source)?;
        }
        KeySource::Pem(files) => {
            for ((kid, file), text) in files.iter().zip(texts) {
                keys = keys.with_pem(kid, text).map_err(|e| format!("{}: {e}", file.display()))?;
            }
        }
    }
    Ok(keys)
}

/// Makes what believes in these keys. Their age counts from when they were found.
pub(crate) fn authenticator_with(
    config: &IdentityConfig,
    keys: KeySet,
    found: Option<Moment>,
) -> Result<Authenticator, String> {
    let made = Authenticator::new(config.authenticator(keys)).map_err(|e| e.to_string())?;
    if let Some(found) = found {
        made.confirm_keys(found);
    }
    Ok(made)
}

/// The texts of all files of keys; none where keys are published.
pub(crate) fn key_texts(source: &KeySource) -> Result<Vec<String>, String> {
    match source {
        KeySource::Jwks(file) => Ok(vec![read_keys(file)?]),
        KeySource::Url(_) => Ok(Vec::new()),
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
    out.codings_max = to_usize(limits.codings_max);
    out.coding_ratio_max = limits.coding_ratio_max;
    out.coding_ratio_floor_bytes = limits.coding_ratio_floor_bytes;
    out.coding_window_bytes_max = limits.coding_window_bytes_max;
    out.response_decoded_bytes_max = limits.response_decoded_bytes_max;
    out.recode_bytes_min = to_usize(limits.recode_bytes_min);
    out.body_fields_max = to_usize(limits.body_fields_max);
    out.upstream_wait_ms_max = limits.upstream_wait_ms_max;
    out.upstream_pause_ms_max = limits.upstream_pause_ms_max;
    out.response_hold_ms_max = limits.response_hold_ms_max;
    out.decision_age_ms_max = limits.decision_age_ms_max;
    out.ledger_wait_ms_max = limits.ledger_wait_ms_max;
    out.evidence_wait_ms_max = limits.evidence_wait_ms_max;
    out.request_body_wait_ms_max = limits.request_body_wait_ms_max;
    out.bundle_age_secs_max = limits.bundle_age_secs_max;
    // What the sidecar states itself, where the request came from, is none of the caller's.
    out.headers_max = to_usize(limits.headers_max).saturating_add(1);
    out.query_parameters_max = to_usize(limits.query_parameters_max);
    out.requests_max = to_usize(limits.requests_max);
    out.client_requests_max = to_usize(limits.client_requests_max);
    out.client_requests_per_sec_max = limits.client_requests_per_sec_max;
    out.client_burst_max = limits.client_burst_max;
    out
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use consentry_identity::Issuer;

    use super::*;

    /// The names and numbers of a struct that holds nothing else.
    fn numbers(limits: &impl fmt::Debug) -> BTreeMap<String, u64> {
        let text = format!("{limits:?}");
        let fields = text.split_once('{').unwrap().1.trim_end_matches('}').split(',');
        let field =
            |field: &str| field.trim().split_once(": ").map(|(n, v)| (n.to_owned(), v.trim().parse()));
        fields.map(|text| field(text).unwrap()).map(|(name, value)| (name, value.unwrap())).collect()
    }

    #[test]
    fn every_limit_of_the_layer_is_the_one_of_its_name_in_the_configuration() {
        // What has no room for a number like the others'.
        let narrow = BTreeMap::from([
            ("head_bytes_max", 8_193),
            ("headers_max", 801),
            ("query_parameters_max", 807),
            ("streams_max", 803),
            ("depth_max", 129),
            ("codings_max", 3),
            ("coding_ratio_max", 805),
        ]);
        let value = |(at, name): (u64, &&'static str)| narrow.get(*name).copied().unwrap_or(1_201 + 2 * at);
        let said: String = (0..)
            .zip(ProxyLimits::NAMES)
            .fold(String::new(), |said, limit| format!("{said}  {}: {}\n", limit.1, value(limit)));
        let example = include_str!("../config.example.yaml");
        let (before, rest) = example.split_once("\nlimits:\n").unwrap();
        let after = rest.split_once("\notlp:").unwrap().1;
        let text = format!("{before}\nlimits:\n{said}\notlp:{after}");
        let config = Config::parse(&text, Path::new("c.yaml")).unwrap();
        let configured = numbers(&config.limits);
        let usual = numbers(&ProxyLimits::default());
        let own: BTreeSet<u64> = configured.values().chain(usual.values()).copied().collect();
        let values_of_defaults: BTreeSet<u64> = usual.values().copied().collect();
        assert_eq!(own.len(), configured.len() + values_of_defaults.len(), "each has a number of its own");
        for (name, limit) in numbers(&layer_limits(&config.limits)) {
            // What the sidecar states itself is none of the caller's.
            let own = u64::from(name == "headers_max");
            assert_eq!(configured.get(&name).map(|limit| limit + own), Some(limit), "{name}");
        }
    }

    #[test]
    fn keys_are_those_of_the_texts_whatever_is_in_the_file_by_now() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        fs::write(&file, Issuer::generate().unwrap().jwks()).unwrap();
        let source = KeySource::Jwks(file.clone());
        let read = key_texts(&source).unwrap();
        for later in ["{\"keys\":[]}", "{\"keys\":"] {
            fs::write(&file, later).unwrap();
            assert_eq!(keys_in(&source, &read).unwrap().len(), 1, "{later}");
        }
    }
}
