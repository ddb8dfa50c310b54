//! TLS at both ends: towards callers, with certificates that change, and towards the service behind.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_audit::Entry;
use consentry_model::Proof;
use consentry_proxy::{Running, ServeError, Sidecar};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::pki::{Authority, BOTH, Pair, connect};
use support::{
    Stage, behind, get, people_of, prepared, prepared_to_believe, raw, records, split, status, token_of,
    token_with, until, with_contract, with_people,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const TLS: &str = "tls: {certificate: cert.pem, key: key.pem}";

/// A sidecar that ends TLS with this pair; `more` goes to the end of the configuration.
async fn tls_stage(pair: &Pair, clients: Option<&Authority>, more: &str) -> Result<Stage, ServeError> {
    let (upstream, asked) = behind().await;
    let (folder, config) = prepared(upstream, more);
    pair.write(folder.path());
    if let Some(clients) = clients {
        fs::write(folder.path().join("clients.pem"), clients.pem()).unwrap();
    }
    Ok(Stage { running: Sidecar::start(config).await?, folder, asked })
}

/// One request over HTTP/1.1; 0 when there is no answer.
async fn ask(stage: &Stage, client: &Arc<ClientConfig>) -> u16 {
    let Ok(mut stream) = connect(&stage.running, client).await else { return 0 };
    let request = "GET /ping HTTP/1.1\r\nhost: api.example.org\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_err() || stream.read_to_end(&mut answer).await.is_err() {
        return 0;
    }
    split(&String::from_utf8(answer).unwrap()).0
}

#[tokio::test]
async fn both_versions_and_both_protocols_are_served() {
    let ours = Authority::new();
    let stage = tls_stage(&ours.issue("localhost", 2100), None, TLS).await.unwrap();
    for version in BOTH {
        assert_eq!(ask(&stage, &ours.client(&[version], b"http/1.1", None)).await, 200, "{version:?}");
        let stream = connect(&stage.running, &ours.client(&[version], b"h2", None)).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("https://api.example.org/ping");
        let response =
            client.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200, "{version:?}");
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(ask(&stage, &Authority::new().client(&BOTH, b"http/1.1", None)).await, 0, "not our authority");
    assert_eq!(
        split(&raw(stage.running.addr(), "GET /ping HTTP/1.1\r\nhost: a\r\n\r\n").await).0,
        0,
        "plain"
    );
    assert_eq!(stage.running.counts().handshakes_failed, 2);
}

#[tokio::test]
async fn law_1_what_was_agreed_on_in_the_handshake_is_what_is_spoken() {
    let ours = Authority::new();
    let stage = tls_stage(&ours.issue("localhost", 2100), None, TLS).await.unwrap();
    assert_eq!(ask(&stage, &ours.client(&BOTH, b"h2", None)).await, 0, "HTTP/1.1 where HTTP/2 was agreed on");
    let stream = connect(&stage.running, &ours.client(&BOTH, b"http/1.1", None)).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://api.example.org/ping");
    let answer = client.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await;
    assert!(answer.is_err(), "HTTP/2 where HTTP/1.1 was agreed on");
    assert!(stage.asked.lock().unwrap().is_empty());
    // Where nothing was said of it, it shows itself.
    let mut silent = (*ours.client(&BOTH, b"h2", None)).clone();
    silent.alpn_protocols.clear();
    assert_eq!(ask(&stage, &Arc::new(silent)).await, 200);
}

#[tokio::test]
async fn the_service_is_told_by_which_scheme_a_request_came() {
    let ours = Authority::new();
    let stage = tls_stage(&ours.issue("localhost", 2100), None, TLS).await.unwrap();
    assert_eq!(ask(&stage, &ours.client(&BOTH, b"http/1.1", None)).await, 200);
    assert_eq!(stage.asked.lock().unwrap()[0].headers["forwarded"], "by=_consentry;proto=https");
    assert_eq!(stage.asked.lock().unwrap()[0].headers["x-forwarded-proto"], "https");
    for (more, said, proto) in [
        ("tls_ended_by: 127.0.0.1", "x-forwarded-proto: https\r\n", "https"),
        ("tls_ended_by: 127.0.0.1", "x-forwarded-proto: http\r\n", "http"),
        ("tls_ended_by: 127.0.0.1", "", "http"),
        ("", "x-forwarded-proto: https\r\n", "http"),
    ] {
        let stage = support::stage(more).await;
        assert_eq!(support::ask(stage.running.addr(), "/ping", said).await.0, 200);
        let expected = format!("by=_consentry;proto={proto}");
        let asked = stage.asked.lock().unwrap();
        assert_eq!(asked[0].headers["forwarded"], expected, "{more} {said}");
        assert_eq!(asked[0].headers["x-forwarded-proto"], proto, "{more} {said}");
    }
}

/// What the rules require of the connection is asked of the one that the request came by.
#[tokio::test]
async fn a_rule_hears_by_which_version_a_request_came_and_whether_a_certificate_was_shown() {
    const RULES: &str = "
rules:
  - {id: modern, require: {that: {request.tls: {at_least: tls1.3}}}, for: [essential], data: user.contact, reason: insecure-transport, clauses: [c]}
  - {id: signed, require: {that: {request.signed: true}}, for: [essential], data: user.contact, reason: identity-unverified, clauses: [c]}
";
    let (ours, clients) = (Authority::new(), Authority::new());
    let (upstream, _) = behind().await;
    let more =
        "tls: {certificate: cert.pem, key: key.pem, client_ca: clients.pem, client_certificates: optional}";
    let (folder, config) = prepared(upstream, more);
    ours.issue("localhost", 2100).write(folder.path());
    fs::write(folder.path().join("clients.pem"), clients.pem()).unwrap();
    fs::write(folder.path().join("policy/connection.yaml"), RULES).unwrap();
    let token = with_people(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    with_contract(&running, "ann").await;
    let shown = clients.issue("shop", 2100);
    for (version, shows, expected) in [
        (BOTH[0], Some(&shown), (200, "")),
        (BOTH[0], None, (401, "identity-unverified")),
        (BOTH[1], Some(&shown), (403, "insecure-transport")),
    ] {
        let (status, told) =
            ask_about(&running, &ours.client(&[version], b"http/1.1", shows), Some(&token)).await;
        assert_eq!((status, &*told), expected, "{version:?}");
    }
}

/// Asks about a person over HTTP/1.1; the status, and the code of a refusal.
async fn ask_about(running: &Running, client: &Arc<ClientConfig>, token: Option<&str>) -> (u16, String) {
    let mut stream = connect(running, client).await.unwrap();
    let named = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!("GET /people/ann HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{named}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let (status, body) = split(&String::from_utf8(answer).unwrap());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body.get("email").is_some(), status == 200, "{body}");
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// The same over HTTP/2.
async fn ask_about_over_http2(
    running: &Running,
    client: &Arc<ClientConfig>,
    token: Option<&str>,
) -> (u16, String) {
    let stream = connect(running, client).await.unwrap();
    let (mut asks, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::get("https://a/people/ann");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = asks.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body.get("email").is_some(), status == 200, "{body}");
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// What a certificate proves is asked of the one that the handshake verified.
#[tokio::test]
async fn law_1_a_certificate_names_its_requester_and_holds_its_tokens_over_tls() {
    let (ours, clients) = (Authority::new(), Authority::new());
    let (upstream, asked) = behind().await;
    let more =
        "tls: {certificate: cert.pem, key: key.pem, client_ca: clients.pem, client_certificates: optional}";
    let believes = ", certificates: {shop: {dns: shop.internal, purposes: essential.service}}";
    let (folder, config) = prepared_to_believe(upstream, believes, more);
    ours.issue("localhost", 2100).write(folder.path());
    fs::write(folder.path().join("clients.pem"), clients.pem()).unwrap();
    let issuer = people_of(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    with_contract(&running, "ann").await;
    let [shop, other] = ["shop.internal", "other.internal"].map(|name| clients.issue(name, 2100));
    let bound = |pair: &Pair| {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&pair.der().0[0]));
        token_with(&issuer, "shop", &[("cnf", json!({"x5t#S256": digest}))])
    };
    let (plain, others) = (token_of(&issuer), token_with(&issuer, "nobody", &[]));
    let (to_shop, to_other) = (bound(&shop), bound(&other));
    let table = [
        ("a registered certificate", Some(&shop), None, Ok(Proof::Certificate)),
        ("one that nobody registered", Some(&other), None, Err("certificate-unknown")),
        ("nothing", None, None, Err("token-missing")),
        ("a token", None, Some(&plain), Ok(Proof::Token)),
        ("a token beside a certificate of its requester", Some(&shop), Some(&plain), Ok(Proof::Token)),
        ("a token beside a certificate of nobody", Some(&other), Some(&plain), Ok(Proof::Token)),
        ("a token of another beside it", Some(&shop), Some(&others), Err("identity-conflict")),
        ("a token that is bound to it", Some(&shop), Some(&to_shop), Ok(Proof::BoundToken)),
        (
            "one that is bound to a certificate of nobody",
            Some(&other),
            Some(&to_other),
            Ok(Proof::BoundToken),
        ),
        ("one that is bound to another", Some(&other), Some(&to_shop), Err("token-binding")),
        ("one that is bound to another than its own", Some(&shop), Some(&to_other), Err("token-binding")),
        ("one that is bound, and nothing is shown", None, Some(&to_shop), Err("token-binding")),
    ];
    let mut proofs = Vec::new();
    for (what, shows, token, expected) in table {
        let token = token.map(String::as_str);
        let (status, code) = expected.map_or_else(|code| (401, code), |_| (200, ""));
        for version in BOTH {
            let seen = ask_about(&running, &ours.client(&[version], b"http/1.1", shows), token).await;
            assert_eq!((seen.0, &*seen.1), (status, code), "{what} {version:?}");
        }
        let seen = ask_about_over_http2(&running, &ours.client(&BOTH, b"h2", shows), token).await;
        assert_eq!((seen.0, &*seen.1), (status, code), "{what} over HTTP/2");
        proofs.extend(expected.into_iter().flat_map(|proof| [Some(proof); 3]));
    }
    assert_eq!(asked.lock().unwrap().len(), proofs.len(), "who is refused reaches nobody");
    running.stop().await;
    let proof = |entry: &Entry| if let Entry::Head(head) = entry { Some(head.proof) } else { None };
    let told: Vec<_> = records(&folder.path().join("evidence")).iter().filter_map(proof).collect();
    assert_eq!(told, proofs);
}

#[tokio::test]
async fn law_1_whoever_must_show_a_certificate_and_has_no_good_one_is_turned_away() {
    let (ours, clients) = (Authority::new(), Authority::new());
    let (known, forged) = (clients.issue("shop", 2100), ours.issue("shop", 2100));
    let old = clients.issue("shop", 2000);
    for (kind, nobody) in [("required", 0), ("optional", 200)] {
        let more = format!(
            "tls: {{certificate: cert.pem, key: key.pem, client_ca: clients.pem, client_certificates: {kind}}}"
        );
        let stage = tls_stage(&ours.issue("localhost", 2100), Some(&clients), &more).await.unwrap();
        for version in BOTH {
            for (what, shows, expected) in [
                ("good", Some(&known), 200),
                ("forged", Some(&forged), 0),
                ("ended", Some(&old), 0),
                ("none", None, nobody),
            ] {
                let client = ours.client(&[version], b"http/1.1", shows);
                assert_eq!(ask(&stage, &client).await, expected, "{kind} {what} {version:?}");
            }
        }
    }
}

/// Asks twice over one connection with something between the two; 0 where no answer comes.
async fn ask_twice(stage: &Stage, client: &Arc<ClientConfig>, between: impl AsyncFn()) -> [u16; 2] {
    let mut stream = connect(&stage.running, client).await.unwrap();
    let mut seen = [0; 2];
    for (at, status) in seen.iter_mut().enumerate() {
        if at == 1 {
            between().await;
        }
        drop(stream.write_all(b"GET /ping HTTP/1.1\r\nhost: api.example.org\r\n\r\n").await);
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(b"}") {
            let Ok(n @ 1..) = stream.read(&mut part).await else { break };
            answer.extend_from_slice(&part[..n]);
        }
        *status = split(&String::from_utf8(answer).unwrap()).0;
    }
    seen
}

/// The same over HTTP/2.
async fn ask_twice_over_http2(
    stage: &Stage,
    client: &Arc<ClientConfig>,
    between: impl AsyncFn(),
) -> [u16; 2] {
    let stream = connect(&stage.running, client).await.unwrap();
    let (mut asks, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut seen = [0; 2];
    for (at, status) in seen.iter_mut().enumerate() {
        if at == 1 {
            between().await;
        }
        let request = http::Request::get("https://api.example.org/ping");
        let answer = asks.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await;
        *status = answer.map_or(0, |answer| answer.status().as_u16());
    }
    seen
}

#[tokio::test]
async fn law_1_a_connection_ends_with_the_authority_by_whom_its_caller_was_believed() {
    let (ours, first, second) = (Authority::new(), Authority::new(), Authority::new());
    let (shown, other) = (first.issue("shop", 2100), second.issue("shop", 2100));
    let more =
        "tls: {certificate: cert.pem, key: key.pem, client_ca: clients.pem, client_certificates: optional}";
    let both = format!("{}{}", first.pem(), second.pem());
    for (what, text, shows, then) in [
        ("another authority", second.pem(), Some(&shown), 0),
        ("another authority, and nothing was shown", second.pem(), None, 200),
        ("one authority more", both, Some(&shown), 200),
    ] {
        for http2 in [false, true] {
            let stage = tls_stage(&ours.issue("localhost", 2100), Some(&first), more).await.unwrap();
            let next = ours.client(&BOTH, b"http/1.1", Some(&other));
            let changes = async || {
                fs::write(stage.folder.path().join("clients.pem"), &text).unwrap();
                while ask(&stage, &next).await != 200 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            let client = ours.client(&BOTH, if http2 { b"h2" } else { b"http/1.1" }, shows);
            let seen = if http2 {
                ask_twice_over_http2(&stage, &client, changes).await
            } else {
                ask_twice(&stage, &client, changes).await
            };
            assert_eq!(seen, [200, then], "{what}, {http2}");
        }
    }
}

#[tokio::test]
async fn law_1_a_pair_that_does_not_fit_changes_nothing_and_is_told() {
    let (ours, new) = (Authority::new(), Authority::new());
    let stage = tls_stage(&ours.issue("localhost", 2100), None, TLS).await.unwrap();
    let (folder, admin) = (stage.folder.path(), stage.running.admin_addr());
    let (next, other) = (new.issue("localhost", 2099), new.issue("localhost", 2098));
    let (before, after) = (ours.client(&BOTH, b"http/1.1", None), new.client(&BOTH, b"http/1.1", None));
    type Write<'a> = &'a dyn Fn();
    let table: [(&str, Write<'_>, &str); 5] = [
        (
            "half a pair",
            &|| fs::write(folder.join("cert.pem"), &next.certificate).unwrap(),
            "cannot be used with",
        ),
        ("another key", &|| fs::write(folder.join("key.pem"), &other.key).unwrap(), "cannot be used with"),
        ("no key", &|| fs::write(folder.join("key.pem"), "-----BEGIN").unwrap(), "no private key"),
        ("ended", &|| new.issue("localhost", 2000).write(folder), "not valid now"),
        ("gone", &|| fs::remove_file(folder.join("cert.pem")).unwrap(), "cert.pem"),
    ];
    for (what, write, why) in table {
        write();
        until(admin, |s| s["tls_refused"]["why"].as_str().is_some_and(|w| w.contains(why))).await;
        assert_eq!((ask(&stage, &before).await, ask(&stage, &after).await), (200, 0), "{what}");
    }
    next.write(folder);
    let page = until(admin, |s| s["tls_refused"].is_null()).await;
    assert_eq!(page["tls"]["certificate_ends"], "2099-01-01T00:00:01.000Z");
    assert_eq!((ask(&stage, &before).await, ask(&stage, &after).await), (0, 200));
    assert!(get(admin, "/metrics").await.1.contains("\nconsentry_tls_certificate_ends_seconds 4070908801\n"));
}

/// A certificate for many hosts says no more of its holder here than another one does.
#[tokio::test]
async fn a_certificate_with_very_many_names_is_shown() {
    let ours = Authority::new();
    let names = (0..100).map(|n| format!("host-{n}.api.example.org")).chain(["localhost".to_owned()]);
    let stage = tls_stage(&ours.issue_for(names.collect(), 2100), None, TLS).await.unwrap();
    assert_eq!(ask(&stage, &ours.client(&BOTH, b"http/1.1", None)).await, 200);
}

#[tokio::test]
async fn law_1_a_sidecar_does_not_start_with_a_certificate_that_cannot_be_used() {
    let ours = Authority::new();
    let mixed = Pair { key: ours.issue("localhost", 2100).key, ..ours.issue("localhost", 2100) };
    for (what, pair) in [("ended", ours.issue("localhost", 2000)), ("mixed", mixed)] {
        let error = tls_stage(&pair, None, TLS).await.err().unwrap().to_string();
        assert!(error.starts_with("tls: ") && !error.contains("PRIVATE"), "{what}: {error}");
    }
}

#[tokio::test]
async fn whoever_is_slow_with_a_handshake_or_takes_too_many_connections_is_cut_off() {
    let ours = Authority::new();
    let more = format!(
        "{TLS}\nlimits: {{tls_handshake_ms_max: 100, tls_handshakes_max: 1, client_connections_max: 2}}"
    );
    let stage = tls_stage(&ours.issue("localhost", 2100), None, &more).await.unwrap();
    let began = Instant::now();
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.push(TcpStream::connect(stage.running.addr()).await.unwrap());
    }
    for stream in &mut idle {
        let mut rest = Vec::new();
        drop(tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap());
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    let counts = stage.running.counts();
    assert_eq!(
        (counts.handshakes_failed, counts.connections_turned_away, counts.connections_open),
        (2, 2, 0)
    );
    assert_eq!(ask(&stage, &ours.client(&BOTH, b"http/1.1", None)).await, 200, "the places are free again");
}

#[tokio::test]
async fn whoever_says_nothing_holds_nobody_up_who_shakes_hands() {
    let ours = Authority::new();
    let more = format!("{TLS}\nlimits: {{tls_handshakes_max: 1}}");
    let stage = tls_stage(&ours.issue("localhost", 2100), None, &more).await.unwrap();
    let mut silent = Vec::new();
    // Nothing, and the beginning of a first message.
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"] {
        let mut stream = TcpStream::connect(stage.running.addr()).await.unwrap();
        stream.write_all(said).await.unwrap();
        silent.push(stream);
    }
    until(stage.running.admin_addr(), |s| s["counts"]["connections_open"] == 2).await;
    let client = ours.client(&BOTH, b"http/1.1", None);
    let good = tokio::time::timeout(Duration::from_secs(2), ask(&stage, &client)).await;
    assert_eq!(good, Ok(200));
    drop(silent);
}

/// A service behind that ends TLS itself.
async fn behind_tls(pair: &Pair) -> std::net::SocketAddr {
    let (chain, key) = pair.der();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&BOTH)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}";
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            });
        }
    });
    addr
}

#[tokio::test]
async fn law_1_a_service_behind_that_cannot_prove_who_it_is_is_not_asked() {
    let (theirs, others) = (Authority::new(), Authority::new());
    let upstream = behind_tls(&theirs.issue("api.internal", 2100)).await;
    let ended = behind_tls(&theirs.issue("api.internal", 2000)).await;
    for (what, addr, ca, name, expected) in [
        ("good", upstream, &theirs, "api.internal", 200),
        ("another authority", upstream, &others, "api.internal", 502),
        ("another name", upstream, &theirs, "api.elsewhere", 502),
        ("ended", ended, &theirs, "api.internal", 502),
    ] {
        let (plain, _) = behind().await;
        let (folder, mut config) = prepared(plain, "");
        fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let text = format!(
            "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: 'https://{addr}', ca: ca.pem, server_name: {name}}}\n\
             bundle: policy\nledger: ledger.db\nevidence: evidence\nidentity: {{issuer: i, audience: a, jwks: keys.json}}\n"
        );
        config.upstream =
            consentry_proxy::Config::parse(&text, &folder.path().join("c.yaml")).unwrap().upstream;
        let running = Sidecar::start(config).await.unwrap();
        assert_eq!(get(running.addr(), "/ping").await.0, expected, "{what}");
        assert_eq!(status(running.admin_addr()).await["draining"], false);
    }
}
