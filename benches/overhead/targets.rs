//! The three targets: the API, a proxy without a policy, and the sidecar with everything on.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use consentry_consent::Ledger;
use consentry_identity::{Issuer, TokenSpec};
use consentry_model::{ContractState, Identifier, LedgerEvent, Moment, Purpose, RequesterId, Space};
use consentry_policy::{Sources, seal};
use consentry_proxy::{Config, Running, Sidecar};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::cores::{Cores, Share};
use crate::load::{Shot, answer};
use crate::profile::{self, PATH, SHOWN, WITHHELD};
use crate::stats::median;
use crate::{Failure, pass_through};

pub(crate) const PURPOSE: &str = "essential.service.operations.support";
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "panopta-api";

/// How many durable writes are timed.
const DURABLE_WRITES: usize = 20;

/// The targets, listening. The API has threads of its own, and the proxies have theirs.
pub(crate) struct Targets {
    /// The API directly.
    pub(crate) direct: Shot,
    /// Through the proxy without a policy.
    pub(crate) pass_through: Shot,
    /// Through the sidecar.
    pub(crate) sidecar: Shot,
    running: Running,
    api_threads: Runtime,
    proxy_threads: Runtime,
    folder: TempDir,
}

impl Targets {
    /// Starts all three, and checks that each answers what it must.
    pub(crate) fn start(cores: &Cores) -> Result<Self, Failure> {
        let (api_threads, proxy_threads) = (threads("api", &cores.others)?, threads("proxy", &cores.proxy)?);
        let folder = tempfile::tempdir()?;

        let api = api_threads.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let api_addr = api.local_addr()?;
        let router = profile::api()?;
        api_threads.spawn(async move { axum::serve(api, router).await });

        let plain = proxy_threads.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let plain_addr = plain.local_addr()?;
        proxy_threads.spawn(pass_through::serve(plain, api_addr));

        let issuer = Issuer::generate()?;
        let config = configure(folder.path(), api_addr, &issuer)?;
        // Not here: whatever it starts shall be on the proxy's core.
        let running = proxy_threads.block_on(proxy_threads.spawn(Sidecar::start(config)))??;
        proxy_threads.block_on(conclude_contract(&*running.ledger()))?;
        let headers = vec![
            ("authorization", format!("Bearer {}", token(&issuer)?)),
            ("data-purpose", PURPOSE.to_owned()),
        ];
        let shot = |addr, headers| Shot { addr, path: PATH, headers };
        let (direct, pass_through) = (shot(api_addr, Vec::new()), shot(plain_addr, Vec::new()));
        let sidecar = shot(running.addr(), headers);
        let whole = proxy_threads.block_on(answer(&direct))?;
        let passed = proxy_threads.block_on(answer(&pass_through))?;
        check(&whole, &passed, &proxy_threads.block_on(answer(&sidecar))?)?;
        Ok(Self { direct, pass_through, sidecar, running, api_threads, proxy_threads, folder })
    }

    /// A folder that goes away at the end.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How long this disk takes to make a small write durable: the median of some, with nothing else going on.
    pub(crate) fn durable_write(&self) -> Result<Duration, Failure> {
        let mut file = fs::File::create(self.folder.path().join("durable"))?;
        let mut times = Vec::new();
        for _ in 0..DURABLE_WRITES {
            let start = Instant::now();
            file.write_all(&[0; 1024])?;
            file.sync_data()?;
            times.push(start.elapsed().as_secs_f64());
        }
        Ok(Duration::from_secs_f64(median(times)))
    }

    /// Stops everything; the sidecar in order.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        self.proxy_threads.block_on(self.running.stop());
        self.proxy_threads.shutdown_background();
        self.api_threads.shutdown_background();
        Ok(self.folder.close()?)
    }
}

/// A worker for each of these cores.
fn threads(name: &str, cores: &Share) -> Result<Runtime, Failure> {
    let here = cores.clone();
    // A thread that cannot be kept there only makes the figures less steady.
    let keep = move || drop(here.keep_here());
    let mut builder = Builder::new_multi_thread();
    Ok(builder.thread_name(name).worker_threads(cores.count()).on_thread_start(keep).enable_all().build()?)
}

/// The bundle, sealed, and a configuration that names it.
fn configure(folder: &Path, upstream: SocketAddr, issuer: &Issuer) -> Result<Config, Failure> {
    let bundle = profile::bundle(folder)?;
    seal(&bundle, &Sources::read(&bundle)?)?;
    fs::write(folder.join("jwks.json"), issuer.jwks())?;
    let text = format!(
        "listen: 127.0.0.1:0\n\
         admin: 127.0.0.1:0\n\
         upstream: {{url: 'http://{upstream}'}}\n\
         bundle: bundle\n\
         ledger: ledger.db\n\
         evidence: evidence\n\
         identity: {{issuer: '{ISSUER}', audience: {AUDIENCE}, jwks: jwks.json}}\n"
    );
    Ok(Config::parse(&text, &folder.join("consentry.yaml"))?)
}

async fn conclude_contract(ledger: &dyn Ledger) -> Result<(), Failure> {
    let who = Identifier::new(Space::new("customer"), "c-1001");
    let long_ago = Moment::from_unix_millis(0);
    let contract = LedgerEvent::Contract { state: ContractState::Active, effective: long_ago };
    ledger.append(&who, &[contract], long_ago).await?;
    Ok(())
}

pub(crate) fn token(issuer: &Issuer) -> Result<String, Failure> {
    let mut spec = TokenSpec::new(RequesterId::new("support"), ISSUER, AUDIENCE);
    spec.purposes = vec![Purpose::new(PURPOSE)?];
    spec.lifetime_secs = 7_200;
    Ok(issuer.token(&spec, Moment::from_system(SystemTime::now()))?)
}

/// The API gives everything, the pass-through proxy the same bytes, and the sidecar what support may see.
fn check(whole: &Bytes, passed: &Bytes, redacted: &Bytes) -> Result<(), Failure> {
    let (all, some): (Value, Value) = (serde_json::from_slice(whole)?, serde_json::from_slice(redacted)?);
    let untouched = |at: &&str| all.pointer(at).is_some() && all.pointer(at) == some.pointer(at);
    let right = whole == passed
        && SHOWN.iter().all(untouched)
        && WITHHELD.iter().all(|at| all.pointer(at).is_some() && some.pointer(at).is_none());
    if right { Ok(()) } else { Err(format!("a target does not answer what it must: {some}").into()) }
}
