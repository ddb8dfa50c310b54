//! A sidecar in a folder that goes away, with a small bundle and a service behind it that remembers what it was asked.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test file uses its part, and a test that panics is a test that fails"
)]

pub(crate) mod http2;
pub(crate) mod pki;

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use consentry_audit::{Entry, Reader};
use consentry_identity::{Issuer, TokenSpec};
use consentry_model::{ContractState, Identifier, LedgerEvent, Moment, Purpose, RequesterId, Space};
use consentry_policy::{Bundle, ReadError, Sources, seal};
use consentry_proxy::{Config, Running, Sidecar};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn bundle_text(version: &str) -> String {
    let route = |name: &str| {
        format!(
            "  - {{route: GET /{name}, public: true, purpose: essential.service, response: {{body: {{status: none}}}}}}\n"
        )
    };
    let note = "  - {route: POST /note, public: true, purpose: essential.service, request: {body: {text: none}}, response: {body: {status: none}}}\n";
    let bare = |method: &str| {
        format!(
            "  - {{route: {method} /subscribe, public: true, purpose: essential.service, response: {{body: {{status: none}}}}}}\n"
        )
    };
    let bare: String = ["POST", "PUT", "PATCH", "DELETE"].into_iter().map(bare).collect();
    format!(
        "bundle: {{controller: Example, policy: {{version: {version}, from: 2026-01-01}}, excess: drop}}\nroutes:\n{}{}{note}{bare}",
        route("ping"),
        route("slow"),
    )
}

/// Writes a bundle and seals it.
pub(crate) fn install(dir: &Path, version: &str) {
    write(dir, version);
    seal(dir, &Sources::read(dir).unwrap()).unwrap();
    Bundle::load_sealed(dir).unwrap();
}

/// Writes a bundle without sealing it.
pub(crate) fn write(dir: &Path, version: &str) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("bundle.yaml"), bundle_text(version)).unwrap();
}

/// What the service behind was asked: the heads, as text.
pub(crate) type Asked = Arc<Mutex<Vec<http::request::Parts>>>;

/// How long `GET /slow` takes.
pub(crate) const SLOW: Duration = Duration::from_millis(600);

/// What `GET /people/…` answers.
pub(crate) const PERSON: &str = r#"{"email":"ann@example.org","secret":"4711"}"#;

/// Routes about people, whom only a contract lets see, and one that sends on to a recipient outside.
pub(crate) const PEOPLE: &str = "
requesters: {shop: {purposes: [essential]}}
recipients: {mailer: {class: processor, country: DE}, printer: {class: processor, country: DE}}
routes:
  - route: GET /people/{id}
    purposes: [essential.service]
    excess: refuse
    about: {type: customer, space: customer, id: path.id}
    response: {body: {email: user.contact.email}}
  - {route: 'GET /egress/{recipient}', public: true, purpose: essential.service, to: path.recipient, response: {body: {status: none}}}
rules: [{id: service, permit: essential, data: user.contact, basis: contract, clauses: [c]}]
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody is known, clause: c, who: shop, asks: GET /people/ann, about: ann, then: refuse not-permitted}]
";

/// Adds them to the bundle, and gives a token for whoever may ask.
pub(crate) fn with_people(folder: &Path) -> String {
    token_of(&people_of(folder))
}

/// The same, and whoever issues tokens for it.
pub(crate) fn people_of(folder: &Path) -> Issuer {
    let dir = folder.join("policy");
    fs::write(dir.join("people.yaml"), PEOPLE).unwrap();
    seal(&dir, &Sources::read(&dir).unwrap()).unwrap();
    let read = Bundle::load_sealed(&dir);
    read.unwrap_or_else(|e| panic!("{}", consentry_policy_error(&e)));
    let issuer = Issuer::generate().unwrap();
    fs::write(folder.join("keys.json"), issuer.jwks()).unwrap();
    issuer
}

/// A token of that issuer for whoever may ask about people.
pub(crate) fn token_of(issuer: &Issuer) -> String {
    token_with(issuer, "shop", &[])
}

/// A token of that issuer for a requester, with further claims.
pub(crate) fn token_with(issuer: &Issuer, requester: &str, others: &[(&str, Value)]) -> String {
    let mut spec = TokenSpec::new(RequesterId::new(requester), "i", "a");
    spec.purposes = vec![Purpose::new("essential.service").unwrap()];
    spec.others = others.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    issuer.token(&spec, Moment::from_system(std::time::SystemTime::now())).unwrap()
}

/// Concludes the contract that lets a person's data be seen.
pub(crate) async fn with_contract(running: &Running, id: &str) {
    let then = Moment::from_unix_millis(0);
    let who = Identifier::new(Space::new("customer"), id);
    let contract = LedgerEvent::Contract { state: ContractState::Active, effective: then };
    running.ledger().append(&who, &[contract], then).await.unwrap();
}

fn consentry_policy_error(error: &ReadError) -> String {
    if let ReadError::Wrong(found) = error { found.render(false) } else { error.to_string() }
}

/// One request with headers of its own.
pub(crate) async fn ask(addr: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: api.example.org\r\nconnection: close\r\n{headers}\r\n");
    split(&raw(addr, &head).await)
}

/// A service that knows nothing of privacy.
pub(crate) async fn behind() -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let head = request.into_parts().0;
                let slow = head.uri.path() == "/slow";
                let text = match head.uri.path() {
                    "/people/broken" => "{\"email\":",
                    path if path.starts_with("/people/") => PERSON,
                    _ => "{\"status\":\"ok\"}",
                };
                kept.lock().unwrap().push(head);
                async move {
                    if slow {
                        tokio::time::sleep(SLOW).await;
                    }
                    let mut response = http::Response::new(Full::new(Bytes::from(text)));
                    for (name, value) in
                        [("content-type", "application/json"), ("connection", "x-hop"), ("x-hop", "1")]
                    {
                        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer),
            );
        }
    });
    (addr, asked)
}

/// A sidecar that runs, and where its things are.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) running: Running,
    pub(crate) asked: Asked,
}

/// A folder with a sealed bundle and keys, and a configuration with `more` at its end.
pub(crate) fn prepared(upstream: SocketAddr, more: &str) -> (tempfile::TempDir, Config) {
    prepared_to_believe(upstream, "", more)
}

/// The same, with more of whose word is believed: `, name: {…}`.
pub(crate) fn prepared_to_believe(
    upstream: SocketAddr,
    believes: &str,
    more: &str,
) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    install(&folder.path().join("policy"), "v1");
    fs::write(folder.path().join("keys.json"), Issuer::generate().unwrap().jwks()).unwrap();
    let poll = if more.contains("reload_poll_ms") { "" } else { "reload_poll_ms: 50\n" };
    let text = format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: 'http://{upstream}'}}\nbundle: policy\nledger: ledger.db\nevidence: evidence\nidentity: {{issuer: i, audience: a, jwks: keys.json{believes}}}\n{poll}{more}\n"
    );
    let config = Config::parse(&text, &folder.path().join("c.yaml")).unwrap();
    (folder, config)
}

pub(crate) async fn stage(more: &str) -> Stage {
    let (upstream, asked) = behind().await;
    let (folder, config) = prepared(upstream, more);
    let running = Sidecar::start(config).await.unwrap();
    Stage { folder, running, asked }
}

/// One request on a connection of its own; the status and what follows the head.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    let answer =
        raw(addr, &format!("GET {path} HTTP/1.1\r\nhost: api.example.org\r\nconnection: close\r\n\r\n"))
            .await;
    split(&answer)
}

pub(crate) fn split(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    (head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0), body.to_owned())
}

/// Sends bytes and reads to the end.
pub(crate) async fn raw(addr: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut off has said what it said.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8(answer).unwrap()
}

/// The status page.
pub(crate) async fn status(addr: SocketAddr) -> Value {
    let (status, body) = get(addr, "/status").await;
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

/// The status page, once it says what is waited for.
pub(crate) async fn until(addr: SocketAddr, said: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let status = status(addr).await;
        if said(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the status page never said it: {:#}", status(addr).await);
}

/// The types of the records of a log, oldest first.
pub(crate) fn records(evidence: &Path) -> Vec<Entry> {
    Reader::open(evidence).unwrap().records().map(|r| r.unwrap().entry().clone()).collect()
}
