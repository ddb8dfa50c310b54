//! Published keys: fetched, rotated under load, and never replaced by anything that is no key set.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consentry_identity::{Issuer, TokenSpec};
use consentry_model::{Moment, Purpose, RequesterId};
use consentry_policy::{Bundle, Sources, seal};
use consentry_proxy::{Config, Running, Sidecar};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use support::{behind, get, raw, split, status, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the issuer answers.
#[derive(Clone)]
enum Says {
    Keys(String),
    Raw(String),
    Nothing,
}

/// An issuer whose answer can be changed, and that counts how often it is asked.
#[derive(Clone)]
struct Published {
    addr: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

impl Published {
    async fn new(issuer: &Issuer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let published = Self {
            addr: listener.local_addr().unwrap(),
            says: Arc::new(Mutex::new(Says::Keys(issuer.jwks()))),
            asked: Arc::default(),
        };
        let this = published.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (this, tls) = (this.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => this.answer(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                this.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        published
    }

    async fn answer(&self, mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
        let mut head = vec![0; 4096];
        let n = stream.read(&mut head).await.unwrap_or(0);
        assert!(head[..n].starts_with(b"GET /keys HTTP/1.1\r\n"));
        self.asked.fetch_add(1, Ordering::SeqCst);
        let says = self.says.lock().unwrap().clone();
        let text = match says {
            Says::Keys(text) => {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
            }
            Says::Raw(text) => text,
            Says::Nothing => return tokio::time::sleep(Duration::from_secs(30)).await,
        };
        drop(stream.write_all(text.as_bytes()).await);
        drop(stream.shutdown().await);
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

const BUNDLE: &str = "\
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters:
  app: {purposes: [essential.service]}
routes:
  - {route: GET /ping, purpose: essential.service, response: {body: {status: none}}}
";

async fn sidecar(source: &str) -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy");
    std::fs::create_dir_all(&policy).unwrap();
    std::fs::write(policy.join("bundle.yaml"), BUNDLE).unwrap();
    seal(&policy, &Sources::read(&policy).unwrap()).unwrap();
    Bundle::load_sealed(&policy).unwrap();
    let (upstream, _) = behind().await;
    let text = format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: 'http://{upstream}'}}\nbundle: policy\nledger: ledger.db\nevidence: evidence\nidentity: {{issuer: i, audience: a, {source}}}\n"
    );
    let config = Config::parse(&text, &folder.path().join("c.yaml")).unwrap();
    (folder, Sidecar::start(config).await.unwrap())
}

fn token(issuer: &Issuer) -> String {
    let mut spec = TokenSpec::new(RequesterId::new("app"), "i", "a");
    spec.purposes = vec![Purpose::new("essential.service").unwrap()];
    issuer.token(&spec, Moment::from_system(std::time::SystemTime::now())).unwrap()
}

/// The status of one request with a token, and the code of the problem where there is one.
async fn ask(addr: SocketAddr, token: &str) -> (u16, String) {
    let head = format!(
        "GET /ping HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    let (status, body) = split(&raw(addr, &head).await);
    let code = serde_json::from_str::<serde_json::Value>(&body).ok();
    (status, code.and_then(|v| v["code"].as_str().map(str::to_owned)).unwrap_or_default())
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rotate_under_load_without_a_request_refused() {
    let (old, new) = (Issuer::generate().unwrap(), Issuer::generate().unwrap());
    let published = Published::new(&old, None).await;
    let source =
        format!("jwks_url: 'http://{}/keys', jwks_refresh_secs: 3600, jwks_cooldown_secs: 1", published.addr);
    let (_folder, running) = sidecar(&source).await;
    let addr = running.addr();
    assert_eq!(ask(addr, &token(&old)).await, code(200, ""));
    // The look at the start counts: until it has cooled down, nobody makes us look again.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // From one moment to the next, everybody has tokens of the new key.
    published.say(Says::Keys(new.jwks()));
    let fresh = token(&new);
    let load: Vec<_> = (0..24)
        .map(|_| {
            let fresh = fresh.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    assert_eq!(ask(addr, &fresh).await, code(200, ""));
                }
            })
        })
        .collect();
    for task in load {
        task.await.unwrap();
    }
    assert_eq!(published.asked(), 2, "one look at the start, and one for all of them");
    assert_eq!(ask(addr, &token(&old)).await, code(401, "token-invalid"), "the old key is gone");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn law_1_strangers_do_not_make_us_ask_more_than_the_cool_down_allows() {
    let issuer = Issuer::generate().unwrap();
    let published = Published::new(&issuer, None).await;
    let source = format!(
        "jwks_url: 'http://{}/keys', jwks_refresh_secs: 3600, jwks_cooldown_secs: 3600",
        published.addr
    );
    let (_folder, running) = sidecar(&source).await;
    for _ in 0..20 {
        let stranger = token(&Issuer::generate().unwrap());
        assert_eq!(ask(running.addr(), &stranger).await, code(401, "token-invalid"));
    }
    assert_eq!(published.asked(), 2);
    assert_eq!(ask(running.addr(), &token(&issuer)).await, code(200, ""));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn law_1_what_is_no_key_set_changes_nothing() {
    let (issuer, other) = (Issuer::generate().unwrap(), Issuer::generate().unwrap());
    let published = Published::new(&issuer, None).await;
    let source = format!(
        "jwks_url: 'http://{}/keys', jwks_refresh_secs: 1, jwks_cooldown_secs: 1, jwks_wait_ms_max: 300, jwks_bytes_max: 4096",
        published.addr
    );
    let (_folder, running) = sidecar(&source).await;
    let (addr, admin) = (running.addr(), running.admin_addr());
    let good = token(&issuer);
    let ok =
        |text: &str| Says::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()));
    let jwks = other.jwks();
    let with =
        |head: &str| Says::Raw(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{jwks}", jwks.len()));
    let big = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(5_000));
    let endless =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1400\r\n{}\r\n", "x".repeat(0x1400));
    for (what, says, why) in [
        ("garbage", ok("<html>no</html>"), "not a JSON Web Key Set"),
        ("no keys", ok("{\"keys\":[]}"), "no key that verifies"),
        ("a key named twice", ok("{\"keys\":[],\"keys\":[]}"), "not a JSON Web Key Set"),
        ("too much", ok(&big), "over 4096 bytes"),
        ("too much, and no end", Says::Raw(endless), "over 4096 bytes"),
        ("cut", Says::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n{jwks}")), "broke off"),
        ("an error", with("500 No"), "it answers 500"),
        ("a redirect", with("302 Found\r\nlocation: http://127.0.0.1:1/keys"), "it answers 302"),
        ("another success", with("203 Altered"), "it answers 203"),
        ("a part", with("206 Part"), "it answers 206"),
        ("encoded", with("200 OK\r\ncontent-encoding: gzip"), "encoded"),
        ("no HTTP", Says::Raw("hello\r\n\r\n".to_owned()), "the connection broke"),
        ("silence", Says::Nothing, "no answer within"),
    ] {
        published.say(says);
        until(admin, |s| s["keys_refused"]["why"].as_str().is_some_and(|w| w.contains(why))).await;
        assert_eq!(ask(addr, &good).await, code(200, ""), "{what}");
        assert_eq!(ask(addr, &token(&other)).await, code(401, "token-invalid"), "{what}");
        let page = status(admin).await;
        assert!(!page.to_string().contains(other.kid()), "{what}: {page}");
    }
    published.say(Says::Keys(issuer.jwks()));
    until(admin, |s| s["keys_refused"].is_null()).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn law_1_without_keys_every_token_is_refused_until_there_are_some() {
    let issuer = Issuer::generate().unwrap();
    let published = Published::new(&issuer, None).await;
    published.say(Says::Raw("HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n".to_owned()));
    let source =
        format!("jwks_url: 'http://{}/keys', jwks_refresh_secs: 1, jwks_cooldown_secs: 1", published.addr);
    let (_folder, running) = sidecar(&source).await;
    let (addr, admin) = (running.addr(), running.admin_addr());
    assert_eq!(ask(addr, &token(&issuer)).await, code(503, "keys-unavailable"));
    let (ready, page) = get(admin, "/readyz").await;
    assert!(ready == 503 && page.contains("keys"), "{ready} {page}");
    published.say(Says::Keys(issuer.jwks()));
    until(admin, |s| s["keys_refused"].is_null()).await;
    assert_eq!(ask(addr, &token(&issuer)).await, code(200, ""));
    assert_eq!(get(admin, "/readyz").await.0, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn law_1_keys_come_by_tls_from_the_host_that_was_named_and_from_no_other() {
    let issuer = Issuer::generate().unwrap();
    for (name, trusted, there) in
        [("localhost", true, true), ("localhost", false, false), ("elsewhere.example", true, false)]
    {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let published = Published::new(&issuer, Some(TlsAcceptor::from(Arc::new(config)))).await;
        let ca = tempfile::NamedTempFile::new().unwrap();
        let other = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let pem = if trusted { made.cert.pem() } else { other.cert.pem() };
        std::fs::write(ca.path(), pem).unwrap();
        let source = format!(
            "jwks_url: 'https://localhost:{}/keys', jwks_ca: '{}'",
            published.addr.port(),
            ca.path().display()
        );
        let (_folder, running) = sidecar(&source).await;
        let expected = if there { code(200, "") } else { code(503, "keys-unavailable") };
        assert_eq!(ask(running.addr(), &token(&issuer)).await, expected, "{name} {trusted}");
        assert_eq!(published.asked() > 0, there, "{name} {trusted}");
        running.stop().await;
    }
}
