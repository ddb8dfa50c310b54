//! The layer in memory with everything around it: Panopta's bundle, a ledger, a log, tokens and an upstream.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Ready;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use consentry_audit::{AuditLog, Closing, Entry, Head, LogOptions, Reader, Record};
use consentry_consent::{Ledger, MemoryLedger};
use consentry_identity::{Assurance, Authenticator, AuthenticatorConfig, Issuer, KeySet, TokenSpec};
use consentry_layer::{
    Account, AuthenticatorSlot, Clock, Consentry, ConsentryLayer, Limits, PolicySlot, PseudonymKey,
};
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, ContractState, Identifier, LedgerEvent, Moment, Purpose, Reason,
    RequesterId, Space,
};
use consentry_policy::{Bundle, Engine, ReportOnly};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tower_layer::Layer;
use tower_service::Service;

/// The issuer that the tests' tokens name.
pub const ISSUER: &str = "https://issuer.example";
/// The audience that they are for.
pub const AUDIENCE: &str = "panopta-api";
/// Today, in the tests: 2026-06-01T00:00:00Z.
pub const TODAY: Moment = Moment::from_unix_millis(1_780_272_000_000);

/// What a mock upstream's body is.
pub type UpstreamBody = BoxBody<Bytes, std::io::Error>;
/// What an upstream answers.
pub type Answer = Response<UpstreamBody>;

/// A clock that tests set.
#[derive(Debug)]
pub struct TestClock(AtomicI64, AtomicI64);

impl TestClock {
    /// Lets time pass, or run back.
    pub fn set(&self, now: Moment) {
        self.0.store(now.unix_millis(), Ordering::SeqCst);
    }

    /// Sets the clock back while no time passes.
    pub fn set_back(&self, millis: i64) {
        self.0.fetch_sub(millis, Ordering::SeqCst);
        self.1.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Moment {
        self.now().saturating_add_millis(self.1.load(Ordering::SeqCst))
    }
}

/// An inner service that gives prepared answers and remembers what reached it.
#[derive(Clone, Default)]
pub struct Upstream {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    reached: Arc<Mutex<Vec<(http::request::Parts, Bytes)>>>,
    before: Arc<Mutex<Option<Happening>>>,
}

/// What happens while a service works on its answer.
pub type Happening = Box<dyn FnOnce() + Send + Sync>;

impl Upstream {
    /// The next answer; without any it is `{}`.
    pub fn answers(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// What happens before the next answer's head is there.
    pub fn meanwhile(&self, happens: Happening) {
        *self.before.lock().unwrap() = Some(happens);
    }

    /// What reached the service, body and all.
    #[must_use]
    pub fn reached(&self) -> Vec<(http::request::Parts, Bytes)> {
        self.reached.lock().unwrap().clone()
    }

    /// The same, once.
    #[must_use]
    pub fn take(&self) -> Vec<(http::request::Parts, Bytes)> {
        std::mem::take(&mut self.reached.lock().unwrap())
    }

    /// Drops the answers that nobody asked for.
    pub fn forget(&self) {
        self.answers.lock().unwrap().clear();
    }
}

impl Service<Request<Full<Bytes>>> for Upstream {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let body = futures_util::FutureExt::now_or_never(body.collect()).unwrap().unwrap().to_bytes();
        self.reached.lock().unwrap().push((parts, body));
        if let Some(happens) = self.before.lock().unwrap().take() {
            happens();
        }
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_else(|| json("{}"));
        std::future::ready(Ok(answer))
    }
}

/// A JSON answer.
#[must_use]
pub fn json(body: &str) -> Answer {
    typed("application/json", body)
}

/// An answer of some media type.
#[must_use]
pub fn typed(media_type: &str, body: &str) -> Answer {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes())).map_err(|e| match e {}).boxed();
    Response::builder().header("content-type", media_type).body(body).unwrap()
}

/// A JSON answer that breaks off after its first piece.
#[must_use]
pub fn dying(first: &str) -> Answer {
    let pieces = [
        Ok(http_body::Frame::data(Bytes::copy_from_slice(first.as_bytes()))),
        Err(std::io::Error::other("connection lost")),
    ];
    let body = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(pieces)));
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

/// What a caller sees.
#[derive(Debug)]
pub struct Seen {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, or what came before it broke off.
    pub body: Result<Bytes, Bytes>,
    /// What whoever counts may know.
    pub account: Option<Account>,
}

impl Seen {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.body.as_ref().unwrap()).unwrap()
    }

    /// The code of a problem.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Everything around one layer.
pub struct World {
    /// Signs tokens that the layer believes.
    pub issuer: Issuer,
    /// What the layer asks.
    pub ledger: Arc<MemoryLedger>,
    /// The service behind.
    pub upstream: Upstream,
    /// The time.
    pub clock: Arc<TestClock>,
    /// The bundle in force.
    pub policy: PolicySlot,
    /// Whose tokens are believed.
    pub authenticator: AuthenticatorSlot,
    /// The log.
    pub evidence: AuditLog,
    /// Its folder.
    pub folder: tempfile::TempDir,
    /// The layer.
    pub layer: ConsentryLayer,
    /// The layer around the upstream.
    pub service: Consentry<Upstream>,
}

/// What a world may have otherwise.
#[derive(Default)]
pub struct Otherwise {
    /// Another ledger than the one in memory.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// Another way of keeping the log.
    pub log: Option<LogOptions>,
    /// Other bounds.
    pub limits: Option<Limits>,
    /// What is believed besides tokens.
    pub identity: Option<fn(&mut AuthenticatorConfig)>,
    /// Routes whose rulings are only reported.
    pub report_only: ReportOnly,
    /// Another bundle than Panopta's.
    pub bundle: Option<Bundle>,
}

/// Panopta's bundle as it stands in the repository.
#[must_use]
pub fn panopta() -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/panopta");
    Bundle::load(&folder).unwrap_or_else(|e| panic!("{e:?}"))
}

impl World {
    /// The usual one.
    #[must_use]
    pub fn new() -> Self {
        Self::otherwise(Otherwise::default())
    }

    /// One that differs.
    #[must_use]
    pub fn otherwise(otherwise: Otherwise) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(TODAY.unix_millis()), AtomicI64::new(0)));
        let issuer = Issuer::generate().unwrap();
        let keys = KeySet::from_jwks(&issuer.jwks()).unwrap();
        let mut config = AuthenticatorConfig::new(keys, ISSUER, AUDIENCE);
        if let Some(change) = otherwise.identity {
            change(&mut config);
        }
        let ledger = Arc::new(MemoryLedger::new());
        let folder = tempfile::tempdir().unwrap();
        let evidence = AuditLog::open(folder.path(), otherwise.log.unwrap_or_default()).unwrap();
        let policy = PolicySlot::empty();
        let bundle = otherwise.bundle.unwrap_or_else(panopta);
        policy.install(Engine::new(bundle).unwrap_or_else(|e| panic!("{e:?}")), TODAY);
        let upstream = Upstream::default();
        let authenticator = AuthenticatorSlot::from(Authenticator::new(config).unwrap());
        let layer = ConsentryLayer::builder()
            .policy(policy.clone())
            .authenticator(authenticator.clone())
            .ledger(otherwise.ledger.unwrap_or_else(|| Arc::clone(&ledger) as Arc<dyn Ledger>))
            .evidence(evidence.clone())
            .clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .limits(otherwise.limits.unwrap_or_default())
            .pseudonym_key(PseudonymKey::new([7; 32]))
            .dangerously_report_only(otherwise.report_only)
            .build()
            .unwrap();
        let service = layer.layer(upstream.clone());
        Self { issuer, ledger, upstream, clock, policy, authenticator, evidence, folder, layer, service }
    }

    /// A token of a requester for these purposes.
    #[must_use]
    pub fn token(&self, requester: &str, purposes: &[&str]) -> String {
        self.issuer.token(&spec(requester, purposes), self.clock.now()).unwrap()
    }

    /// A token of a person who proved to be a customer.
    #[must_use]
    pub fn person(&self, customer: &str, assurance: Assurance) -> String {
        let mut spec = spec("customer-portal", &["custom.rights"]);
        spec.person = Some(Identifier::new(Space::new("customer"), customer));
        spec.assurance = assurance;
        self.issuer.token(&spec, self.clock.now()).unwrap()
    }

    /// The time that the layer takes it to be.
    #[must_use]
    pub fn clock_now(&self) -> Moment {
        self.clock.now()
    }

    /// Writes events to the ledger.
    pub async fn record(&self, space: &str, id: &str, events: &[LedgerEvent]) {
        let who = Identifier::new(Space::new(space), id);
        self.ledger.append(&who, events, TODAY).await.unwrap();
    }

    /// Sends a request through the layer.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Seen {
        let response = self.service.clone().call(request).await.unwrap();
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let mut broken = false;
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => broken = true,
            }
        }
        let bytes = Bytes::from(bytes);
        let body = if broken { Err(bytes) } else { Ok(bytes) };
        let account = parts.extensions.get::<Account>().cloned();
        Seen { status: parts.status, headers: parts.headers, body, account }
    }

    /// Every record of the log so far.
    pub async fn records(&self) -> Vec<Record> {
        self.evidence.flush().await.ok();
        Reader::open(self.folder.path()).unwrap().records().map(|r| r.unwrap()).collect()
    }

    /// The head and the closing of the last ticket.
    pub async fn last_ticket(&self) -> (Head, Closing) {
        let records = self.records().await;
        let head = records.iter().rev().find_map(|r| match r.entry() {
            Entry::Head(head) => Some(head.clone()),
            _ => None,
        });
        let closing = records.iter().rev().find_map(|r| match r.entry() {
            Entry::Outcome(closing) => Some(closing.clone()),
            _ => None,
        });
        (head.unwrap(), closing.unwrap())
    }

    /// How often strangers were refused for a reason.
    pub async fn strangers(&self, reason: Reason) -> u64 {
        self.evidence.flush_summary(self.clock.now()).await.unwrap();
        let records = self.records().await;
        let counts = records.iter().filter_map(|r| match r.entry() {
            Entry::Summary(summary) => summary.counts.get(&reason).copied(),
            _ => None,
        });
        counts.sum()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// What a token of a requester says.
#[must_use]
pub fn spec(requester: &str, purposes: &[&str]) -> TokenSpec {
    let mut spec = TokenSpec::new(RequesterId::new(requester), ISSUER, AUDIENCE);
    spec.purposes = purposes.iter().map(|p| Purpose::new(p).unwrap()).collect();
    spec
}

/// A request without a body.
#[must_use]
pub fn get(path: &str, token: Option<&str>, purpose: Option<&str>) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method("GET").uri(path);
    if let Some(token) = token {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    if let Some(purpose) = purpose {
        builder = builder.header("data-purpose", purpose);
    }
    builder.body(Full::default()).unwrap()
}

/// A request with a JSON body and no token.
#[must_use]
pub fn post(path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

/// A running contract, concluded a year before today.
#[must_use]
pub fn contract() -> LedgerEvent {
    let effective = TODAY.saturating_add_millis(-31_536_000_000);
    LedgerEvent::Contract { state: ContractState::Active, effective }
}

/// An event of a consent to the newsletter, so many days before today.
#[must_use]
pub fn consent(state: ConsentState, days_ago: i64) -> LedgerEvent {
    LedgerEvent::Consent(ConsentEvent {
        purpose: Purpose::new("marketing.communications.email").unwrap(),
        state,
        kind: ConsentKind::OptIn,
        recipient: None,
        effective: TODAY.saturating_add_millis(-86_400_000 * days_ago),
        valid_until: None,
        notice: None,
    })
}
