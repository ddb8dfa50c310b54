//! Starting and stopping a sidecar.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consentry_audit::{AuditLog, PolicyInstalled, Telemetry};
use consentry_consent::{Ledger, SqliteLedger};
use consentry_layer::{AuthenticatorSlot, Clock, ConsentryLayer, PolicySlot, PseudonymKey, SystemClock};
use consentry_policy::ReportOnly;
use http::HeaderName;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::arrival::ArrivalLayer;
use crate::config::{Config, KeySource};
use crate::counters::{Counters, Counts};
use crate::keys::{Asked, Fetcher, KeyKeeper};
use crate::metrics::Metrics;
use crate::parts::{PartProblem, Parts, close, layer_limits};
use crate::reload::Reloader;
use crate::says::says;
use crate::server::Drained;
use crate::stack::stack;
use crate::state::State;
use crate::tls::{Handshakes, TlsSlot};
use crate::upstream::Upstream;
use crate::{admin, parts, server, upkeep};

/// How long is waited for the evidence of what was cut off.
const CUT_WAIT: Duration = Duration::from_secs(1);

/// Why a sidecar does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Parts that cannot be used: all that were found.
    #[error("{}", lines(.0))]
    Parts(Vec<PartProblem>),
    /// An address cannot be taken.
    #[error("{option} {address} cannot be taken: {}", says(source))]
    Bind {
        /// The option of the configuration.
        option: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The coming into force of the bundle cannot be recorded.
    #[error("the evidence log cannot be written")]
    Evidence,
    /// The system does not tell signals.
    #[error("signals cannot be listened to: {}", says(.0))]
    Signals(#[source] std::io::Error),
    /// The listener ended without having been told to.
    #[error("the listener ended unexpectedly")]
    Ended,
}

fn lines(problems: &[PartProblem]) -> String {
    problems.iter().map(PartProblem::to_string).collect::<Vec<_>>().join("\n")
}

/// How a sidecar ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was counted.
    pub counts: Counts,
    /// Connections that did not finish in time and were cut off.
    pub connections_cut: u64,
    /// Connections that ended by a panic.
    pub panics: u64,
    /// Requests whose last record is lost because the evidence log could not be written at the end.
    pub closings_lost: u64,
}

/// A sidecar: see [`start`](Self::start).
#[derive(Debug)]
pub struct Sidecar;

/// A sidecar that runs. Dropping it stops it without waiting; [`stop`](Self::stop) waits.
pub struct Running {
    addr: SocketAddr,
    admin_addr: SocketAddr,
    state: Arc<State>,
    ledger: Arc<SqliteLedger>,
    telemetry: Telemetry,
    ask_reload: Arc<Notify>,
    keeper: Option<Arc<KeyKeeper>>,
    /// Ends the listener.
    stop_listener: watch::Sender<()>,
    /// Ends everything else.
    stop_rest: watch::Sender<()>,
    listener: JoinHandle<Drained>,
    rest: Vec<JoinHandle<()>>,
}

impl Sidecar {
    /// Opens and checks all parts, binds the ports, and serves. Port 0 takes whichever is free.
    ///
    /// # Errors
    /// Everything that is wrong with the parts; a port that is taken.
    pub async fn start(config: Config) -> Result<Running, ServeError> {
        let parts = Parts::open(&config).await.map_err(ServeError::Parts)?;
        let evidence = parts.evidence.clone();
        let started = Self::start_with(config, parts).await;
        if started.is_err() {
            close(evidence, Telemetry::none()).await;
        }
        started
    }

    async fn start_with(config: Config, parts: Parts) -> Result<Running, ServeError> {
        let behind = (parts.upstream, parts.pseudonym_key);
        let Parts { engine, authenticator, keys, tls, ledger, evidence, telemetry, .. } = parts;
        let (texts, tls) = tls.map(|(texts, made)| (texts, TlsSlot::new(made))).unzip();
        let listener = bind("listen", config.listen).await?;
        let admin = bind("admin", config.admin).await?;
        let local = |listener: &TcpListener, option, address| {
            listener.local_addr().map_err(|source| ServeError::Bind { option, address, source })
        };
        let addr = local(&listener, "listen", config.listen)?;
        let admin_addr = local(&admin, "admin", config.admin)?;
        if !admin_addr.ip().is_loopback() {
            tracing::warn!("the admin pages can be reached from outside this machine");
        }
        for route in &config.dangerous_report_only {
            tracing::warn!(%route, "DANGER: report-only: the verdicts on this route are not carried out");
        }
        let bundle = engine.bundle();
        let (digest, version) = (bundle.digest.clone(), bundle.version.clone());
        let note = PolicyInstalled::new(digest.clone(), &bundle.controller, &version);
        evidence.note(note).await.map_err(|_| ServeError::Evidence)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let policy = PolicySlot::empty();
        policy.install(engine, clock.now());
        tracing::info!(bundle = %digest, %version, listen = %addr, admin = %admin_addr, "serving");
        let state = Arc::new(State {
            policy,
            authenticator: AuthenticatorSlot::from(authenticator),
            ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
            evidence,
            counters: Arc::new(Counters::default()),
            clock,
            bundle_refused: Mutex::new(None),
            keys_refused: Mutex::new(None),
            tls,
            tls_refused: Mutex::new(None),
            metrics: Arc::new(Metrics::default()),
            draining: AtomicBool::new(false),
            config,
        });
        let ask_reload = Arc::new(Notify::new());
        let (stop_listener, listener_stops) = watch::channel(());
        let (stop_rest, rest_stops) = watch::channel(());
        let keeper = keeper(&state)?;
        if let Some(keeper) = &keeper {
            // Without keys every token is refused, and the sidecar keeps looking.
            keeper.look().await;
        }
        let listening = listen(Arc::clone(&state), behind, keeper.clone(), listener, listener_stops)?;
        let reloader = Reloader::new(Arc::clone(&state), keys, texts);
        let mut rest = vec![
            tokio::spawn(reloader.run(Arc::clone(&ask_reload), ended(rest_stops.clone()))),
            tokio::spawn(upkeep::run(Arc::clone(&state), ended(rest_stops.clone()))),
            tokio::spawn(admin::serve(admin, Arc::clone(&state), ended(rest_stops.clone()))),
        ];
        rest.extend(keeper.clone().map(|keeper| tokio::spawn(keeper.run(ended(rest_stops)))));
        Ok(Running {
            addr,
            admin_addr,
            state,
            ledger,
            telemetry,
            ask_reload,
            keeper,
            stop_listener,
            stop_rest,
            listener: tokio::spawn(listening),
            rest,
        })
    }
}

/// Who keeps published keys young; nobody where they are in files.
fn keeper(state: &Arc<State>) -> Result<Option<Arc<KeyKeeper>>, ServeError> {
    let KeySource::Url(source) = &state.config.identity.keys else { return Ok(None) };
    let problem = |message| ServeError::Parts(vec![PartProblem { part: "identity", message }]);
    let fetcher = Fetcher::new(source).map_err(problem)?;
    Ok(Some(Arc::new(KeyKeeper::new(Arc::clone(state), source.clone(), fetcher))))
}

/// The listener's task: the stack, served until told to stop.
fn listen(
    state: Arc<State>,
    (upstream, pseudonym_key): (Upstream, PseudonymKey),
    keeper: Option<Arc<KeyKeeper>>,
    listener: TcpListener,
    stops: watch::Receiver<()>,
) -> Result<impl Future<Output = Drained> + Send, ServeError> {
    let authenticator = match keeper {
        Some(keeper) => state.authenticator.clone().with_newer_keys(Arc::new(Asked(keeper))),
        None => state.authenticator.clone(),
    };
    let mut builder = ConsentryLayer::builder();
    if let Some(recipients) = &state.config.recipients {
        builder = builder.destinations(recipients.keys().cloned());
    }
    let reported = state.config.dangerous_report_only.iter().map(|route| route.as_str().into());
    let enforce = builder
        .dangerously_report_only(ReportOnly::dangerously_for(reported))
        .policy(state.policy.clone())
        .authenticator(authenticator)
        .ledger(Arc::clone(&state.ledger))
        .evidence(state.evidence.clone())
        .pseudonym_key(pseudonym_key)
        .limits(layer_limits(&state.config.limits))
        .clock(Arc::clone(&state.clock))
        .problem_base(&state.config.problem_type_base)
        .build()
        .map_err(|e| ServeError::Parts(vec![PartProblem { part: "layer", message: e.to_string() }]))?;
    let names = state.config.identity.naming_headers.iter().flat_map(|headers| headers.names());
    let naming = names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    let arrival = ArrivalLayer { tls_ended_by: state.config.tls_ended_by.clone().into(), naming };
    let service = stack(&state.counters, &state.metrics, arrival, enforce, upstream);
    Ok(async move {
        let State { config, counters, .. } = &*state;
        let handshakes = state.tls.clone().map(|slot| Handshakes::new(slot, &config.limits));
        server::serve(listener, service, config, handshakes, counters, ended(stops)).await
    })
}

/// Over when the sender said so, or is gone.
async fn ended(mut stops: watch::Receiver<()>) {
    // An error says that the sender is gone, which is the same.
    drop(stops.changed().await);
}

async fn bind(option: &'static str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { option, address, source })
}

impl Running {
    /// Where callers connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the admin pages are.
    #[must_use]
    pub const fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// The ledger that decisions rest on.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.state.ledger)
    }

    /// The evidence log that is written.
    #[must_use]
    pub fn evidence(&self) -> &AuditLog {
        &self.state.evidence
    }

    /// The bundle in force.
    #[must_use]
    pub fn policy(&self) -> &PolicySlot {
        &self.state.policy
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state.counters.counts()
    }

    /// Has bundle, keys and certificates looked at now, instead of with the next poll.
    pub fn reload(&self) {
        self.ask_reload.notify_one();
        if let Some(keeper) = &self.keeper {
            keeper.look_now();
        }
    }

    /// Stops accepting, lets requests under way finish for at most `drain_secs_max`, then closes everything.
    pub async fn stop(self) -> Report {
        self.state.drain();
        tracing::info!(secs_max = self.state.config.drain_secs_max, "draining");
        self.stop_listener.send_replace(());
        let drained = self.listener.await;
        self.stop_rest.send_replace(());
        for task in self.rest {
            if task.await.is_err() {
                tracing::error!("a task of the sidecar ended by a panic");
            }
        }
        let State { evidence, counters, .. } = &*self.state;
        until_told(evidence).await;
        close(evidence.clone(), self.telemetry).await;
        self.ledger.close().await;
        let Drained { connections_cut, panics } =
            drained.unwrap_or(Drained { connections_cut: 0, panics: 1 });
        let closings_lost = evidence.health().closings_lost;
        let report = Report { counts: counters.counts(), connections_cut, panics, closings_lost };
        if connections_cut > 0 {
            tracing::warn!(connections_cut, "connections did not finish in time and were cut off");
        }
        tracing::info!(requests = report.counts.requests, connections_cut, panics, closings_lost, "stopped");
        report
    }
}

/// Waits, not long, until the evidence of what was cut off is on its way.
async fn until_told(evidence: &AuditLog) {
    let told = async {
        while evidence.health().slots_used > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(CUT_WAIT, told).await.is_err() {
        tracing::warn!("some requests did not end when they were cut off; their evidence stays open");
    }
}

/// Whether a sidecar would have what it reads: the sealed bundle compiles, and the keys can be used. Nothing is made or
/// written: neither the ledger nor the evidence log is opened, and no port is bound.
///
/// # Errors
/// Everything that is wrong with them.
pub async fn check(config: &Config) -> Result<(), ServeError> {
    parts::check(config).await.map_err(ServeError::Parts)
}

/// Serves until `shutdown` is over, then drains; SIGHUP has bundle, keys and certificates looked at.
///
/// # Errors
/// As [`Sidecar::start`], and when signals cannot be listened to or the listener ends by itself.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()> + Send) -> Result<Report, ServeError> {
    let mut hangups = hangups().map_err(ServeError::Signals)?;
    let mut running = Sidecar::start(config).await?;
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(running.stop().await),
            _ = hangups.recv() => running.reload(),
            _ = &mut running.listener => {
                close(running.state.evidence.clone(), running.telemetry).await;
                return Err(ServeError::Ended);
            }
        }
    }
}

fn hangups() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
}

/// Over with the first SIGTERM or SIGINT: what the command gives to [`serve`].
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send, ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
