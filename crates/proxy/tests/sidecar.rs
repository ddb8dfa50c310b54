//! A whole sidecar on real sockets: what travels, how it ends, what its pages say.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use consentry_audit::Entry;
use consentry_proxy::{Config, ServeError, Sidecar, serve};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::{
    SLOW, ask, behind, get, prepared, prepared_to_believe, raw, records, split, stage, status, until,
    with_people,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn what_travels_to_the_service_and_back_is_what_should() {
    let stage = stage("").await;
    let request = "GET /ping HTTP/1.1\r\nhost: api.example.org\r\nconnection: close, x-nominated\r\nx-nominated: 1\r\n\
        x-undeclared: 1\r\nx-forwarded-for: 203.0.113.9\r\nforwarded: for=203.0.113.9\r\ntransfer-encoding: chunked\r\n\
        accept: application/json\r\nuser-agent: test\r\nvia: 1.1 other\r\ncookie: a=b\r\n\r\n0\r\n\r\n";
    let answer = raw(stage.running.addr(), request).await;
    assert_eq!(split(&answer), (200, "{\"status\":\"ok\"}".to_owned()), "{answer}");
    assert!(!answer.contains("x-hop"), "{answer}");
    let asked = stage.asked.lock().unwrap();
    let headers = &asked[0].headers;
    let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected =
        ["accept", "accept-encoding", "forwarded", "host", "traceparent", "via", "x-forwarded-proto"];
    assert_eq!(names, expected);
    assert_eq!(headers["forwarded"], "by=_consentry;proto=http");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert!(headers["host"].to_str().unwrap().starts_with("127.0.0.1:"));
}

/// How long a service keeps a connection without use is known to whoever runs it.
#[tokio::test]
async fn a_connection_to_the_service_is_kept_for_as_long_as_is_said() {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}";
    for (more, expected) in [("", 1), ("limits: {upstream_idle_ms_max: 50}", 2)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_folder, config) = prepared(listener.local_addr().unwrap(), more);
        let accepted = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut part = [0; 4096];
                    while stream.read(&mut part).await.is_ok_and(|n| n > 0) {
                        stream.write_all(ANSWER).await.unwrap();
                    }
                });
            }
        });
        let running = Sidecar::start(config).await.unwrap();
        for _ in 0..2 {
            assert_eq!(get(running.addr(), "/ping").await.0, 200, "{more}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_eq!(accepted.load(Ordering::Relaxed), expected, "{more}");
    }
}

#[tokio::test]
async fn law_1_a_token_that_is_longer_than_may_be_is_not_read() {
    for (believes, code) in [("", "not-permitted"), (", token_bytes_max: 256", "token-malformed")] {
        let (upstream, _) = behind().await;
        let (folder, config) = prepared_to_believe(upstream, believes, "");
        let token = with_people(folder.path());
        assert!(token.len() > 256, "{}", token.len());
        let running = Sidecar::start(config).await.unwrap();
        let headers = format!("authorization: Bearer {token}\r\n");
        let (_, body) = ask(running.addr(), "/people/ann", &headers).await;
        assert!(body.contains(&format!("\"{code}\"")), "{believes}: {body}");
    }
}

/// A service that checks a token itself hears it where the map says so; what names a purpose to us stays here all the same.
#[tokio::test]
async fn law_1_a_token_reaches_the_service_where_the_map_declares_it_and_nowhere_else() {
    const ROUTES: &str = "
routes:
  - {route: GET /checked, public: true, purpose: essential.service, request: {headers: {Authorization: none}}, response: {body: {status: none}}}
";
    let (upstream, asked) = behind().await;
    let (folder, config) = prepared(upstream, "");
    fs::write(folder.path().join("policy/checked.yaml"), ROUTES).unwrap();
    let token = with_people(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    for (path, said, status, heard) in [
        ("/checked", format!("Bearer {token}"), 200, true),
        ("/ping", format!("Bearer {token}"), 200, false),
        ("/egress/mailer", format!("Bearer {token}"), 200, false),
        ("/checked", format!("Bearer {token}x"), 401, false),
        ("/checked", "Basic YW5uOng=".to_owned(), 401, false),
    ] {
        let lines = format!("authorization: {said}\r\ndata-purpose: essential.service\r\nbaggage: a=b\r\n");
        let (seen, body) = ask(running.addr(), path, &lines).await;
        assert_eq!(seen, status, "{path} {said}: {body}");
        for head in asked.lock().unwrap().drain(..) {
            let there = head.headers.get("authorization").and_then(|line| line.to_str().ok());
            assert_eq!(there, heard.then_some(&*said), "{path}");
            assert!(!head.headers.contains_key("data-purpose") && !head.headers.contains_key("baggage"));
        }
    }
}

#[tokio::test]
async fn http_2_is_served_with_prior_knowledge() {
    let stage = stage("").await;
    let stream = TcpStream::connect(stage.running.addr()).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request =
        http::Request::get("http://api.example.org/ping").body(Full::new(bytes::Bytes::new())).unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], b"{\"status\":\"ok\"}");
}

#[tokio::test]
async fn stopping_lets_requests_under_way_finish_and_tells_so() {
    let stage = stage("drain_secs_max: 10").await;
    let (addr, admin) = (stage.running.addr(), stage.running.admin_addr());
    assert_eq!(get(admin, "/readyz").await.0, 200);
    let slow = tokio::spawn(get(addr, "/slow"));
    let idle = TcpStream::connect(addr).await.unwrap();
    tokio::time::sleep(SLOW / 3).await;
    let stopping = tokio::spawn(stage.running.stop());
    tokio::time::sleep(SLOW / 6).await;
    let (code, body) = get(admin, "/readyz").await;
    assert_eq!(code, 503);
    assert!(body.contains("draining"), "{body}");
    assert!(TcpStream::connect(addr).await.is_err(), "no new connection is accepted");
    assert_eq!(slow.await.unwrap().0, 200);
    let report = stopping.await.unwrap();
    assert_eq!((report.connections_cut, report.panics, report.closings_lost), (0, 0, 0));
    assert_eq!((report.counts.requests, report.counts.answered, report.counts.connections_open), (1, 1, 0));
    assert!(TcpStream::connect(admin).await.is_err());
    drop(idle);
    let entries = records(&stage.folder.path().join("evidence"));
    assert!(matches!(entries.last(), Some(Entry::Outcome(_))), "{entries:?}");
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let stage = stage("drain_secs_max: 0").await;
    let slow = tokio::spawn(get(stage.running.addr(), "/slow"));
    tokio::time::sleep(SLOW / 3).await;
    let began = Instant::now();
    let report = stage.running.stop().await;
    assert_eq!(report.connections_cut, 1);
    assert!(began.elapsed() < SLOW / 2, "{:?}", began.elapsed());
    assert_eq!(slow.await.unwrap().0, 0);
}

#[tokio::test]
async fn whoever_is_slow_with_a_head_is_cut_off() {
    let stage = stage("limits: {head_wait_ms_max: 100}").await;
    for sent in ["", "PRI * HTTP/2.0\r\n", "GET /ping HTTP/1.1\r\nhost:"] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(stage.running.addr()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        drop(tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap());
        assert!(began.elapsed() < Duration::from_secs(2), "{sent:?}");
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let stage = stage("limits: {head_bytes_max: 8192}").await;
    let long = format!("GET /ping HTTP/1.1\r\nhost: a\r\naccept: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(split(&raw(stage.running.addr(), &long).await).0, 431);
}

#[tokio::test]
async fn the_admin_pages_say_how_it_is() {
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    assert_eq!(get(admin, "/healthz").await.0, 200);
    let (code, body) = get(admin, "/readyz").await;
    let ready: serde_json::Value = serde_json::from_str(&body).unwrap();
    let parts: Vec<&str> =
        ready["parts"].as_array().unwrap().iter().map(|p| p["part"].as_str().unwrap()).collect();
    assert_eq!((code, parts), (200, vec!["listener", "bundle", "ledger", "evidence", "keys"]));
    assert_eq!(get(stage.running.addr(), "/ping").await.0, 200);
    assert_eq!(get(stage.running.addr(), "/nothing").await.0, 401);
    let page = status(admin).await;
    assert_eq!(
        (&page["bundle"]["controller"], &page["bundle"]["version"]),
        (&"Example".into(), &"v1".into())
    );
    assert_eq!(page["bundle"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!((&page["counts"]["answered"], &page["counts"]["refused"]), (&1.into(), &1.into()));
    assert_eq!(page["bundle_refused"], serde_json::Value::Null);
    assert_eq!(get(admin, "/other").await.0, 404);
    let post = "POST /status HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert_eq!(split(&raw(admin, post).await).0, 405);
}

#[tokio::test]
async fn law_12_without_the_ledger_it_is_not_ready() {
    let stage = stage("limits: {ledger_wait_ms_max: 200}").await;
    fs::remove_file(stage.folder.path().join("ledger.db")).unwrap();
    let (code, body) = get(stage.running.admin_addr(), "/readyz").await;
    let ready: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &ready["parts"][2]["ready"]), (503, &false.into()), "{body}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let (_folder, config) = prepared(nobody, "");
    let running = Sidecar::start(config).await.unwrap();
    let (code, body) = get(running.addr(), "/ping").await;
    assert_eq!(code, 502);
    assert!(body.contains("upstream-unreachable"), "{body}");
    assert!(!body.contains(&nobody.to_string()), "{body}");
}

#[tokio::test]
async fn a_service_that_takes_too_long_is_told_as_such() {
    let stage = stage("limits: {upstream_wait_ms_max: 100}").await;
    let (code, body) = get(stage.running.addr(), "/slow").await;
    assert_eq!(code, 504);
    assert!(body.contains("upstream-timeout"), "{body}");
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let report = serve(config, tokio::time::sleep(Duration::from_millis(100))).await.unwrap();
    assert_eq!(report.counts.requests, 0);
    // The log was closed in order: another process may open it.
    consentry_audit::AuditLog::open(&folder.path().join("evidence"), Default::default()).unwrap().shutdown();
}

#[tokio::test]
async fn everything_is_checked_before_a_port_is_bound() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    fs::remove_file(folder.path().join("policy/bundle.lock")).unwrap();
    fs::write(folder.path().join("keys.json"), "{}").unwrap();
    fs::write(folder.path().join("ledger.db"), "this is no ledger, and long enough to be seen as such")
        .unwrap();
    fs::write(folder.path().join("evidence"), "a file, no folder").unwrap();
    let Err(ServeError::Parts(problems)) = Sidecar::start(config).await else { panic!("it started") };
    let parts: Vec<&str> = problems.iter().map(|p| p.part).collect();
    assert_eq!(parts, ["bundle", "identity", "evidence", "ledger"]);
    assert!(problems[0].message.contains("not sealed"), "{}", problems[0]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let (upstream, _) = behind().await;
    let (_folder, mut config) = prepared(upstream, "");
    config.listen = upstream;
    let error = Sidecar::start(config).await.err().unwrap();
    assert!(error.to_string().contains("cannot be taken"), "{error}");
}

#[tokio::test]
async fn further_connections_wait_for_a_place() {
    let stage = stage("limits: {connections_max: 1, head_wait_ms_max: 300}").await;
    // It holds the only place until it is cut off for its silence.
    let silent = TcpStream::connect(stage.running.addr()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    assert_eq!(get(stage.running.addr(), "/ping").await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    drop(silent);
}

#[tokio::test]
async fn whoever_ends_tls_in_front_brings_the_connections_of_everybody() {
    for (more, turned_away) in [("", 1), ("tls_ended_by: 127.0.0.1\n", 0)] {
        let stage = stage(&format!("{more}limits: {{client_connections_max: 2}}")).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(TcpStream::connect(stage.running.addr()).await.unwrap());
        }
        let page = until(stage.running.admin_addr(), |s| s["counts"]["connections"] == 3).await;
        assert_eq!(page["counts"]["connections_turned_away"], turned_away, "{more}");
        drop(held);
    }
}

#[tokio::test]
async fn law_1_whom_a_gateway_names_in_a_forwarded_header_is_heard_and_not_passed_on() {
    let (upstream, asked) = behind().await;
    let (folder, _) = prepared(upstream, "");
    let _ = with_people(folder.path());
    for (network, said, named, expected) in [
        ("127.0.0.1", "/people/ann", "x-forwarded-user: shop\r\n", (403, "not-permitted")),
        ("127.0.0.1", "/people/ann", "", (401, "token-missing")),
        ("127.0.0.1", "/ping", "x-forwarded-user: shop\r\n", (200, "")),
        ("127.0.0.1", "/ping", "x-forwarded-user: nobody\r\n", (401, "peer-not-trusted")),
        ("192.0.2.1", "/ping", "x-forwarded-user: shop\r\n", (401, "peer-not-trusted")),
        ("127.0.0.1", "/ping", "x_forwarded_user: shop\r\n", (400, "head-malformed")),
    ] {
        let text = format!(
            "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: {{url: 'http://{upstream}'}}\nbundle: policy\nledger: ledger.db\nevidence: evidence\nidentity: {{issuer: i, audience: a, jwks: keys.json, naming_headers: {{requester: x-forwarded-user}}, gateways: {{front: {{networks: {network}, requesters: shop, purposes: essential.service}}}}}}\n"
        );
        let config = Config::parse(&text, &folder.path().join("c.yaml")).unwrap();
        let running = Sidecar::start(config).await.unwrap();
        let (status, body) = ask(running.addr(), said, named).await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let code = body["code"].as_str().unwrap_or_default();
        assert_eq!((status, code), expected, "{network} {said} {named}");
        running.stop().await;
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(!asked[0].headers.contains_key("x-forwarded-user"));
}
