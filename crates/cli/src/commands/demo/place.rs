//! The folder, and everything that runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use consentry_consent::SqliteLedger;
use consentry_identity::{Issuer, TokenSpec};
use consentry_model::{Identifier, Purpose, RequesterId, Space};
use consentry_proxy::{Config, Running, Sidecar};
use legacy_api::{Legacy, router};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::ask::Ask;
use super::report::Played;
use super::{client, evidence};
use crate::bundle::Checked;
use crate::commands::keygen::write_new;
use crate::output;
use crate::stop::{Exit, Stop, chain};

/// Whose tokens the sidecar believes.
const ISSUER: &str = "https://issuer.consentry.test";
/// For whom they are.
const AUDIENCE: &str = "https://api.consentry.test";
/// How long the demo's tokens hold, in seconds.
const LIFETIME_SECS: i64 = 3_600;

/// The bundle that is enforced, so that the command runs from anywhere.
const BUNDLE: [(&str, &str); 9] = [
    ("bundle.yaml", include_str!("../../../../../policies/panopta/bundle.yaml")),
    ("cases-customers.yaml", include_str!("../../../../../policies/panopta/cases-customers.yaml")),
    ("cases-edges.yaml", include_str!("../../../../../policies/panopta/cases-edges.yaml")),
    ("cases-visits.yaml", include_str!("../../../../../policies/panopta/cases-visits.yaml")),
    ("clauses.yaml", include_str!("../../../../../policies/panopta/clauses.yaml")),
    ("parties.yaml", include_str!("../../../../../policies/panopta/parties.yaml")),
    ("rules.yaml", include_str!("../../../../../policies/panopta/rules.yaml")),
    ("service.yaml", include_str!("../../../../../policies/panopta/service.yaml")),
    ("vocabulary.yaml", include_str!("../../../../../policies/panopta/vocabulary.yaml")),
];

/// The folder; a temporary one goes when it is dropped.
pub(super) struct Place {
    dir: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

/// What runs.
pub(super) struct Stage {
    pub(super) dir: PathBuf,
    pub(super) controller: String,
    pub(super) version: String,
    pub(super) digest: String,
    pub(super) legacy: SocketAddr,
    pub(super) running: Running,
    /// A handle of its own: what it writes, the sidecar reads.
    pub(super) ledger: SqliteLedger,
    issuer: Issuer,
    stop_legacy: oneshot::Sender<()>,
    legacy_task: JoinHandle<std::io::Result<()>>,
}

impl Place {
    /// Makes it. A folder that is named must be new or empty.
    pub(super) fn make(dir: Option<&Path>) -> Result<Self, Stop> {
        let failed =
            |e: std::io::Error| Stop::because(Exit::NO, format!("the demo's folder cannot be made: {e}"));
        let Some(dir) = dir else {
            let temporary = tempfile::Builder::new().prefix("consentry-demo-").tempdir().map_err(failed)?;
            return Ok(Self { dir: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        if std::fs::read_dir(dir).map_err(failed)?.next().is_some() {
            return Err(Stop::because(Exit::NO, format!("{} is not empty", dir.display())));
        }
        let dir = dir.canonicalize().map_err(failed)?;
        Ok(Self { dir, _temporary: None })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes everything that the sidecar reads.
    fn write(&self, issuer: &Issuer, legacy: SocketAddr) -> Result<PathBuf, Stop> {
        let bundle = self.dir.join("bundle");
        std::fs::create_dir(&bundle)
            .map_err(|e| Stop::because(Exit::NO, format!("{}: {e}", bundle.display())))?;
        for (name, text) in BUNDLE {
            write_new(&bundle.join(name), text.as_bytes(), 0o644)?;
        }
        write_new(&self.dir.join("dev-key.pem"), issuer.to_pem().as_bytes(), 0o600)?;
        write_new(&self.dir.join("dev-keys.json"), issuer.jwks().as_bytes(), 0o644)?;
        let config = format!(
            "# Written by `consentry demo`. Port 0 takes whichever is free.\n\
             listen: 127.0.0.1:0\n\
             admin: 127.0.0.1:0\n\
             upstream: {{url: \"http://{legacy}\"}}\n\
             bundle: bundle\n\
             ledger: ledger.db\n\
             evidence: evidence\n\
             identity:\n  issuer: {ISSUER}\n  audience: {AUDIENCE}\n  jwks: dev-keys.json\n"
        );
        let path = self.dir.join("consentry.yaml");
        write_new(&path, config.as_bytes(), 0o644)?;
        Ok(path)
    }
}

impl Stage {
    /// Starts the service, and the sidecar in front of it.
    pub(super) async fn set(place: &Place) -> Result<Self, Stop> {
        let failed = |what: String| Stop::because(Exit::NO, what);
        let issuer = Issuer::generate().map_err(|e| failed(chain(&e)))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|e| failed(format!("the loopback address cannot be used: {e}")))?;
        let legacy = listener.local_addr().map_err(|e| failed(e.to_string()))?;
        let config = place.write(&issuer, legacy)?;
        let bundle = place.dir().join("bundle");
        let checked = Checked::need(&bundle)?;
        let digest = consentry_policy::seal(&bundle, &checked.sources).map_err(|e| failed(chain(&e)))?;
        let ledger =
            SqliteLedger::open(place.dir().join("ledger.db")).await.map_err(|e| failed(e.to_string()))?;
        let (stop_legacy, stopped) = oneshot::channel::<()>();
        let until = async {
            // A sender that is gone says the same.
            drop(stopped.await);
        };
        let legacy_task = tokio::spawn(legacy_api::serve(listener, router(Legacy::new()), until));
        let config = Config::load(&config).map_err(|e| failed(e.to_string()))?;
        let running = Sidecar::start(config).await.map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            dir: place.dir().to_owned(),
            controller: checked.bundle().controller.clone(),
            version: checked.bundle().version.clone(),
            digest: digest.as_str().chars().take(12).collect(),
            legacy,
            running,
            ledger,
            issuer,
            stop_legacy,
            legacy_task,
        })
    }

    /// Signs what a request needs to be somebody's.
    pub(super) fn token(&self, ask: &Ask) -> Result<Option<String>, Stop> {
        let Some(requester) = ask.requester else { return Ok(None) };
        let mut spec = TokenSpec::new(RequesterId::new(requester), ISSUER, AUDIENCE);
        spec.purposes = ask.may.iter().filter_map(|p| Purpose::new(p).ok()).collect();
        spec.person = ask.person.map(|id| Identifier::new(Space::new("customer"), id));
        spec.assurance = ask.assurance;
        spec.lifetime_secs = LIFETIME_SECS;
        let token = self.issuer.token(&spec, output::now());
        token.map(Some).map_err(|e| Stop::because(Exit::NO, chain(&e)))
    }

    /// Sends a request and finds its evidence.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Played, Stop> {
        let token = self.token(ask)?;
        let trace = evidence::trace_id();
        let answer = client::send(self.running.addr(), ask, token.as_deref(), &trace).await?;
        let records = match ask.requester {
            None if ask.leaves_no_evidence => Vec::new(),
            _ => evidence::find(&self.dir.join("evidence"), &trace).await?,
        };
        Ok(Played { ask: ask.clone(), answer, records })
    }

    /// Waits until everything is recorded.
    pub(super) async fn flush(&self) {
        if self.running.evidence().flush().await.is_err() {
            output::note("the evidence log is closed");
        }
    }

    /// Stops all of it.
    pub(super) async fn close(self) {
        self.running.stop().await;
        self.ledger.close().await;
        drop(self.stop_legacy);
        // The service has nothing to lose.
        drop(self.legacy_task.await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_bundle_is_in_the_binary() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/panopta");
        let mut there: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| Path::new(name).extension().is_some_and(|e| e == "yaml" || e == "cedar"))
            .collect();
        there.sort();
        assert_eq!(there, BUNDLE.map(|(name, _)| name));
    }
}
