//! What an operator relies on: limits that hold, metrics that name nobody, reloads that cost no request, recipients that
//! are reached where they are.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consentry_audit::Entry;
use consentry_identity::Issuer;
use consentry_model::Reason;
use consentry_proxy::{Config, Running, Sidecar};
use rustls::ClientConfig;
use support::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, Http2, PING, PREFACE, RST_STREAM,
    WINDOW_UPDATE, frame, hpack,
};
use support::pki::{Authority, BOTH, connect};
use support::{
    SLOW, ask, behind, get, install, people_of, prepared, raw, records, split, stage, status, token_of,
    until, with_contract, with_people,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

#[tokio::test]
async fn whoever_asks_too_often_or_too_much_at_once_is_turned_away_and_counted() {
    let more = "limits: {client_requests_per_sec_max: 1, client_burst_max: 3, headers_max: 16}";
    let stage = stage(more).await;
    let addr = stage.running.addr();
    let many: String = (0..20).map(|n| format!("x-{n}: 1\r\n")).collect();
    let (code, body) = ask(addr, "/ping", &many).await;
    assert_eq!((code, body.contains("head-too-large")), (431, true), "{body}");
    assert_eq!(ask(addr, "/ping", "").await.0, 200);
    assert_eq!(ask(addr, "/ping", "").await.0, 200);
    let refused = raw(addr, "GET /ping HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(split(&refused).0 == 429 && refused.contains("rate-exceeded"), "{refused}");
    assert!(refused.to_ascii_lowercase().contains("retry-after: 1\r\n"), "{refused}");
    let metrics = get(stage.running.admin_addr(), "/metrics").await.1;
    let row = "consentry_requests_total{route=\"\",outcome=\"refuse\",reason=\"rate-exceeded\"} 1\n";
    assert!(metrics.contains(row), "{metrics}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ask(addr, "/ping", "").await.0, 200);
    stage.running.stop().await;
    let entries = records(&stage.folder.path().join("evidence"));
    let counted = |reason: Reason| -> u64 {
        let of = |e: &Entry| if let Entry::Summary(s) = e { s.counts.get(&reason).copied() } else { None };
        entries.iter().filter_map(of).sum()
    };
    assert_eq!((counted(Reason::RateExceeded), counted(Reason::HeadTooLarge)), (1, 1));
}

/// What the sidecar itself says of the way here takes nobody's place.
#[tokio::test]
async fn as_many_headers_come_as_may_and_no_more() {
    for (more, most) in [("", 100), ("limits: {headers_max: 16}", 16), ("limits: {headers_max: 120}", 120)] {
        let stage = stage(more).await;
        for (named, too_many) in [("", 0), ("", 1), ("x-forwarded-for: 203.0.113.9\r\n", 0)] {
            // Of those in front `ask` sends two, and the one that is replaced is here.
            let own = 2 + usize::from(!named.is_empty());
            let rest: String = (own..most + too_many).map(|n| format!("x-{n}: 1\r\n")).collect();
            let (code, body) = ask(stage.running.addr(), "/ping", &format!("{named}{rest}")).await;
            assert_eq!(code, if too_many == 0 { 200 } else { 431 }, "{most} {named} {too_many}: {body}");
        }
    }
}

#[tokio::test]
async fn no_more_are_under_way_than_there_is_room_for() {
    for (limit, code, reason) in
        [("requests_max", 503, "overloaded"), ("client_requests_max", 429, "client-busy")]
    {
        let stage = stage(&format!("limits: {{{limit}: 2}}")).await;
        let addr = stage.running.addr();
        let slow = [tokio::spawn(get(addr, "/slow")), tokio::spawn(get(addr, "/slow"))];
        tokio::time::sleep(SLOW / 3).await;
        let (seen, body) = get(addr, "/ping").await;
        assert_eq!((seen, body.contains(reason)), (code, true), "{limit}: {body}");
        for slow in slow {
            assert_eq!(slow.await.unwrap().0, 200, "{limit}");
        }
        assert_eq!(get(addr, "/ping").await.0, 200, "{limit}: the places are free again");
    }
}

#[tokio::test]
async fn law_13_metrics_have_labels_from_closed_lists_alone() {
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "");
    let token = with_people(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    let headers =
        format!("authorization: Bearer {token}\r\nx-forwarded-for: 203.0.113.77\r\nuser-agent: planted\r\n");
    for path in ["/people/planted-4711", "/people/planted-4711?planted=1", "/planted-4711", "/ping"] {
        ask(running.addr(), path, &headers).await;
    }
    let (code, page) = get(running.admin_addr(), "/metrics").await;
    assert_eq!(code, 200);
    for planted in ["planted", "203.0.113.77", "127.0.0.1", &token] {
        assert!(!page.contains(planted), "{planted}: {page}");
    }
    // The form, line by line: what Prometheus would not read is no metric.
    let mut kinds = std::collections::BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(kinds.insert(name, kind).is_none(), "{name} twice");
            assert!(["counter", "gauge", "histogram"].contains(&kind));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            let name = series.split('{').next().unwrap();
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(kinds.contains_key(name) || kinds.get(base) == Some(&"histogram"), "{line}");
        }
    }
    assert!(page.contains("{route=\"GET /ping\",outcome=\"allow\",reason=\"\"} 1\n"), "{page}");
    assert!(page.contains("\nconsentry_request_duration_seconds_count 4\n"), "{page}");
}

#[tokio::test]
async fn every_metric_and_every_word_of_the_status_is_documented() {
    let document = include_str!("../../../docs/operating.md");
    let stage = stage("").await;
    let admin = stage.running.admin_addr();
    let metrics = get(admin, "/metrics").await.1;
    let kinds = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE consentry_"));
    let names: Vec<&str> = kinds.filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() > 15, "{metrics}");
    for name in names {
        let told = document.contains(&format!("`{name}`")) || document.contains(&format!("`{name}{{"));
        assert!(told, "{name}");
    }
    let page = status(admin).await;
    let objects = [&page, &page["bundle"], &page["ledger"], &page["evidence"], &page["counts"]];
    for key in objects.into_iter().filter_map(|object| object.as_object()).flat_map(|object| object.keys()) {
        assert!(document.contains(&format!("`{key}`")), "{key}");
    }
}

/// A window of no bytes is no stalled write: nothing is written at all.
#[tokio::test]
async fn whoever_takes_nothing_of_an_answer_over_http2_holds_its_place_for_a_while_only() {
    let more = "limits: {requests_max: 4, client_requests_max: 4, write_stall_ms_max: 400}";
    let stage = stage(more).await;
    let addr = stage.running.addr();
    let no_window = [0, 4, 0, 0, 0, 0];
    let mut idle = Http2::connect(addr, &no_window).await;
    for n in 0..4 {
        idle.ask(2 * n + 1, &PING).await;
    }
    until(stage.running.admin_addr(), |s| s["counts"]["answered"] == 4).await;
    assert_eq!(get(addr, "/ping").await.0, 503, "all places are held");
    let (said, closed) = idle.listen(Duration::from_millis(1_000)).await;
    let ended = said.iter().filter(|frame| frame.kind == RST_STREAM).count();
    assert_eq!((ended, closed), (4, false), "{said:?}");
    assert_eq!(get(addr, "/ping").await.0, 200);
    // The connection goes on, for whoever takes what is asked for.
    idle.ask(9, &PING).await;
    let window = frame(WINDOW_UPDATE, 0, 9, &1_000_u32.to_be_bytes());
    idle.stream.write_all(&window).await.unwrap();
    let (said, _) = idle.listen(Duration::from_millis(300)).await;
    assert!(
        said.iter().any(|frame| frame.stream == 9 && frame.kind == DATA && !frame.payload.is_empty()),
        "{said:?}"
    );
    assert!(!said.iter().any(|frame| frame.kind == RST_STREAM), "{said:?}");
}

/// Whether a connection is closed while these bytes are sent every so often.
async fn is_cut_off(mut speaker: Http2, sent: &[u8]) -> bool {
    for _ in 0..20 {
        if speaker.listen(Duration::from_millis(100)).await.1 || speaker.stream.write_all(sent).await.is_err()
        {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn whoever_is_silent_over_http2_or_never_ends_a_head_is_cut_off() {
    let stage = stage("limits: {head_wait_ms_max: 300}").await;
    let addr = stage.running.addr();
    let (half, more) = (frame(HEADERS, END_STREAM, 1, &[0x82]), frame(CONTINUATION, 0, 1, &[0x84]));
    for (name, begins, goes_on) in [
        ("nothing", vec![], vec![]),
        ("half a head", half.clone(), vec![]),
        ("a head that never ends", half, more),
        ("signs of life alone", vec![], frame(6, 0, 0, &[0; 8])),
        ("windows", vec![], frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("a request and then nothing", frame(HEADERS, END_STREAM | END_HEADERS, 1, &hpack(&PING)), vec![]),
    ] {
        let mut speaker = Http2::connect(addr, &[]).await;
        speaker.stream.write_all(&begins).await.unwrap();
        assert!(is_cut_off(speaker, &goes_on).await, "{name}");
    }
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    assert!(is_cut_off(Http2 { stream }, &[]).await, "no settings");
    until(stage.running.admin_addr(), |s| s["counts"]["connections_open"] == 0).await;
}

#[tokio::test]
async fn a_request_over_http2_may_take_longer_than_anybody_may_be_silent() {
    let stage = stage("limits: {head_wait_ms_max: 200}").await;
    assert!(SLOW > Duration::from_millis(400), "twice as long, and more");
    let mut speaker = Http2::connect(stage.running.addr(), &[]).await;
    let mut slow = PING;
    slow[3].1 = "/slow";
    speaker.ask(1, &slow).await;
    let (said, _) = speaker.listen(SLOW * 2).await;
    assert_eq!(said.iter().find_map(Frame::status), Some(200), "{said:?}");
    assert!(said.iter().any(|frame| frame.kind == GOAWAY && frame.payload.ends_with(&[0; 4])), "{said:?}");
}

/// Whoever asks over and over while everything changes: by which token, and what came of it.
struct Load {
    running: Running,
    client: Arc<ClientConfig>,
    token: Mutex<String>,
    done: AtomicBool,
    /// How many answers each has had.
    answered: [AtomicU64; 4],
}

/// What a governed answer leaves of a person.
const LEFT: &str = r#"{"email":"ann@example.org"}"#;

impl Load {
    /// The first two ask on ever new connections, the others stay on one for a while; of both one asks about a person.
    async fn run(&self, n: usize) {
        let (target, body) =
            if n.is_multiple_of(2) { ("/ping", "{\"status\":\"ok\"}") } else { ("/people/ann", LEFT) };
        while !self.done.load(Ordering::Acquire) {
            let mut stream = connect(&self.running, &self.client).await.unwrap();
            for last in (0..if n < 2 { 1 } else { 20 }).rev() {
                let close = if last == 0 { "connection: close\r\n" } else { "" };
                let token = self.token.lock().unwrap().clone();
                let named = if n.is_multiple_of(2) {
                    String::new()
                } else {
                    format!("authorization: Bearer {token}\r\n")
                };
                let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{named}{close}\r\n");
                let answer = asked(&mut stream, &head).await;
                assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(body), "{target}: {answer}");
                self.answered[n].fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// Waits until everybody has had so many answers more. Where one of them failed, nobody waits.
    async fn goes_on(&self, tasks: &[JoinHandle<()>], answers: u64) {
        let counts = || self.answered.each_ref().map(|count| count.load(Ordering::Acquire));
        let before = counts();
        while counts().iter().zip(before).any(|(now, before)| *now < before + answers)
            && !tasks.iter().any(JoinHandle::is_finished)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a token is believed, or is not any more; how often it was refused.
    async fn until_believed(&self, token: &str, believed: bool) -> u64 {
        let mut refused = 0;
        for _ in 0..200 {
            let mut stream = connect(&self.running, &self.client).await.unwrap();
            let named = format!("authorization: Bearer {token}\r\n");
            let head = format!("GET /people/ann HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{named}\r\n");
            let answer = asked(&mut stream, &head).await;
            let is_believed = answer.starts_with("HTTP/1.1 200 ");
            assert!(is_believed || answer.contains("token-invalid"), "{answer}");
            refused += u64::from(!is_believed);
            if is_believed == believed {
                return refused;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the keys in the file are not those that are believed: {believed}");
    }
}

/// One answer whose body is an object.
async fn asked(stream: &mut TlsStream<TcpStream>, head: &str) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let read = stream.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

/// A file of the keys of both.
fn keys_of(issuers: [&Issuer; 2]) -> String {
    let [mut both, other] = issuers.map(|i| serde_json::from_str::<serde_json::Value>(&i.jwks()).unwrap());
    both["keys"].as_array_mut().unwrap().extend(other["keys"].as_array().unwrap().clone());
    both.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bundle_keys_and_certificates_change_under_load_without_a_failed_request() {
    let ours = Authority::new();
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "tls: {certificate: cert.pem, key: key.pem}");
    let mut issuer = people_of(folder.path());
    let (file, token) = (folder.path().join("keys.json"), Mutex::new(token_of(&issuer)));
    ours.issue("localhost", 2100).write(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    with_contract(&running, "ann").await;
    let client = ours.client(&BOTH, b"http/1.1", None);
    let load = Load { running, client, token, done: AtomicBool::new(false), answered: Default::default() };
    let load = Arc::new(load);
    let tasks = (0..4).map(|n| {
        let load = Arc::clone(&load);
        tokio::spawn(async move { load.run(n).await })
    });
    let (tasks, mut refused): (Vec<_>, u64) = (tasks.collect(), 0);
    for round in 0..5 {
        let version = format!("v{}", round + 2);
        install(&folder.path().join("policy"), &version);
        // The new key stands beside the old one until everybody has a token of it; then the old one goes.
        let next = Issuer::generate().unwrap();
        fs::write(&file, keys_of([&issuer, &next])).unwrap();
        ours.issue("localhost", 2090 + round).write(folder.path());
        load.running.reload();
        let ends = format!("{}-01-01T00:00:01.000Z", 2090 + round);
        let come = |s: &serde_json::Value| {
            s["bundle"]["version"] == *version && s["tls"]["certificate_ends"] == *ends
        };
        until(load.running.admin_addr(), come).await;
        let token = token_of(&next);
        refused += load.until_believed(&token, true).await;
        load.goes_on(&tasks, 10).await;
        let old = std::mem::replace(&mut *load.token.lock().unwrap(), token);
        load.goes_on(&tasks, 10).await;
        fs::write(&file, next.jwks()).unwrap();
        refused += load.until_believed(&old, false).await;
        issuer = next;
    }
    load.goes_on(&tasks, 10).await;
    load.done.store(true, Ordering::Release);
    for task in tasks {
        task.await.unwrap();
    }
    let counts = load.running.counts();
    assert_eq!((counts.refused, counts.failed, counts.handshakes_failed), (refused, 0, 0));
    assert!(counts.answered >= 5 * 4 * 20, "{counts:?}");
}

#[tokio::test]
async fn law_1_a_request_for_a_recipient_goes_to_that_recipient_and_to_nobody_else() {
    let ((service, at_service), (mailer, at_mailer)) = (behind().await, behind().await);
    let reached = |asked: &support::Asked| asked.lock().unwrap().len();
    for (recipients, table) in [
        (String::new(), [("mailer", 200, (1, 0)), ("printer", 200, (1, 0)), ("nobody", 403, (0, 0))]),
        (
            format!("recipients: {{mailer: {{url: 'http://{mailer}'}}}}"),
            [("mailer", 200, (0, 1)), ("printer", 403, (0, 0)), ("nobody", 403, (0, 0))],
        ),
    ] {
        let (folder, config) = prepared(service, &recipients);
        with_people(folder.path());
        let running = Sidecar::start(config).await.unwrap();
        for (recipient, code, (services, mailers)) in table {
            let before = (reached(&at_service), reached(&at_mailer));
            let (seen, body) = ask(running.addr(), &format!("/egress/{recipient}"), "").await;
            assert_eq!(seen, code, "{recipient} with {recipients:?}: {body}");
            let after = (reached(&at_service), reached(&at_mailer));
            assert_eq!(
                (after.0 - before.0, after.1 - before.1),
                (services, mailers),
                "{recipient} {recipients:?}"
            );
        }
        // What goes nowhere outside stays with the service.
        let before = reached(&at_service);
        assert_eq!(ask(running.addr(), "/ping", "").await.0, 200);
        assert_eq!(reached(&at_service), before + 1);
        assert_eq!(status(running.admin_addr()).await["draining"], false);
    }
}

#[test]
fn a_configuration_keeps_its_recipients_by_name() {
    let text = include_str!("../config.example.yaml")
        .replace("# recipients:", "recipients:")
        .replace("#   mailer:", "   mailer:");
    let config = Config::parse(&text, "c.yaml".as_ref()).unwrap();
    let recipients = config.recipients.unwrap();
    let (name, mailer) = recipients.first_key_value().unwrap();
    assert_eq!((name.as_str(), mailer.authority.as_str()), ("mailer", "api.mailer.example:443"));
    assert_eq!(mailer.tls.as_ref().unwrap().name, "api.mailer.example");
}
