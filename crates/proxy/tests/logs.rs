//! Logs are read by more people than the data is meant for: whatever a request brings must not be found in them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use consentry_proxy::{Sidecar, tell_panics_by_place};
use support::{PERSON, ask, behind, prepared, raw, with_people};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps everything that anybody logs at any level, libraries included.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<String>>);

impl Visit for &Kept {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0.lock().unwrap(), " {}={value:?}", field.name()).unwrap();
    }
}

impl Kept {
    fn line(&self, metadata: &Metadata<'_>) {
        write!(self.0.lock().unwrap(), "\n{} {}", metadata.target(), metadata.name()).unwrap();
    }
}

impl Subscriber for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(span.metadata());
        span.record(&mut &*self);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut &*self);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(event.metadata());
        event.record(&mut &*self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn law_13_nothing_that_a_request_brings_or_an_answer_holds_stands_in_the_logs() {
    let kept = Kept::default();
    tracing::subscriber::set_global_default(kept.clone()).unwrap();
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
    let logs = kept.0.lock().unwrap().clone();
    let ours = logs.lines().filter(|line| line.starts_with("consentry"));
    assert!(ours.count() >= 3, "what is not written cannot leak: {logs}");
    let signature = token.rsplit('.').next().unwrap();
    for planted in ["planted", "203.0.113.77", "ann@example.org", "4711", PERSON, &token, signature] {
        let found: Vec<&str> = logs.lines().filter(|line| line.contains(planted)).collect();
        assert!(found.is_empty(), "{planted}: {found:?}");
    }
}

/// What libraries say when they give up may hold the text that they were given.
#[test]
fn law_13_a_panic_is_told_by_its_place_and_not_by_what_it_was_about() {
    let kept = Kept::default();
    tracing::subscriber::with_default(kept.clone(), || {
        let before = std::panic::take_hook();
        tell_panics_by_place();
        let ended = std::panic::catch_unwind(|| panic!("no end of a character in ann@example.org"));
        std::panic::set_hook(before);
        ended.unwrap_err();
    });
    let logs = kept.0.lock().unwrap().clone();
    assert!(logs.contains("logs.rs:") && logs.contains("message=a panic"), "{logs}");
    assert!(!logs.contains("ann@"), "{logs}");
}
