//! Logs are read by more people than the data is meant for: whatever a request brings must not be found in them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use consentry_proxy::Sidecar;
use support::{PERSON, ask, behind, prepared, raw, with_people};
use tracing_subscriber::filter::LevelFilter;

/// Where logs go during the test.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn law_13_nothing_that_a_request_brings_or_an_answer_holds_stands_in_the_logs() {
    let kept = Kept::default();
    let writer = kept.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let (upstream, _) = behind().await;
    let (folder, config) = prepared(upstream, "dangerous_report_only: ['GET /people/{id}']");
    let token = with_people(folder.path());
    let running = Sidecar::start(config).await.unwrap();
    let headers = format!(
        "authorization: Bearer {token}\r\nx-forwarded-for: 203.0.113.77\r\nuser-agent: planted-agent\r\n\
         cookie: sid=planted-cookie\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    );
    for path in
        ["/people/planted-id", "/people/planted-id?q=planted-query", "/planted-path", "/people/broken"]
    {
        ask(running.addr(), path, &headers).await;
    }
    ask(running.addr(), "/people/planted-id", "authorization: Bearer planted.bad.token\r\n").await;
    raw(running.addr(), "GET /planted-line HTTP/9.9\r\nplanted-header\r\n\r\n").await;
    raw(running.addr(), "planted-noise\r\n\r\n").await;
    running.stop().await;
    let logs = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let ours = logs.lines().filter(|line| line.contains("\"target\":\"consentry"));
    assert!(ours.count() >= 3, "what is not written cannot leak: {logs}");
    for line in logs.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
    let signature = token.rsplit('.').next().unwrap();
    for planted in ["planted", "203.0.113.77", "ann@example.org", "4711", PERSON, &token, signature] {
        let found: Vec<&str> = logs.lines().filter(|line| line.contains(planted)).collect();
        assert!(found.is_empty(), "{planted}: {found:?}");
    }
}
