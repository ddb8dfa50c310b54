//! What breaks around a request: the ledger, the log, the bundle, the sizes, a stream.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use consentry_audit::{Disk, End, LogOptions, Segment, Storage};
use consentry_consent::{
    Appended, Batch, Ledger, LedgerError, LedgerErrorKind, Limit, MemoryLedger, Reserved,
};
use consentry_layer::Limits;
use consentry_model::{ConsentState, Identifier, LedgerEvent, LedgerRevision, Moment, Reason};
use consentry_tests::world::{Otherwise, TODAY, World, consent, contract, dying, get, json, post};
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use tower_service::Service as _;

use crate::row::{EMAIL, PROFILE, profile, trial};

#[derive(Debug)]
struct Gone;

#[async_trait::async_trait]
impl Ledger for Gone {
    async fn resolve(&self, _: &[Identifier]) -> Result<Batch, LedgerError> {
        Err(LedgerError::new(LedgerErrorKind::Unavailable, "gone"))
    }
    async fn append(&self, _: &Identifier, _: &[LedgerEvent], _: Moment) -> Result<Appended, LedgerError> {
        Err(LedgerError::new(LedgerErrorKind::Unavailable, "gone"))
    }
    async fn reserve(
        &self,
        _: &Identifier,
        _: &LedgerEvent,
        _: &[Limit],
        _: Moment,
    ) -> Result<Reserved, LedgerError> {
        Err(LedgerError::new(LedgerErrorKind::Unavailable, "gone"))
    }
    async fn link(&self, _: &Identifier, _: &Identifier, _: Moment) -> Result<Appended, LedgerError> {
        Err(LedgerError::new(LedgerErrorKind::Unavailable, "gone"))
    }
    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        Err(LedgerError::new(LedgerErrorKind::Unavailable, "gone"))
    }
}

/// A ledger that never answers, and one that forgets somebody who was asked about.
struct Late;
struct Short(MemoryLedger);

#[async_trait::async_trait]
impl Ledger for Late {
    async fn resolve(&self, _: &[Identifier]) -> Result<Batch, LedgerError> {
        std::future::pending().await
    }
    async fn append(&self, _: &Identifier, _: &[LedgerEvent], _: Moment) -> Result<Appended, LedgerError> {
        std::future::pending().await
    }
    async fn reserve(
        &self,
        _: &Identifier,
        _: &LedgerEvent,
        _: &[Limit],
        _: Moment,
    ) -> Result<Reserved, LedgerError> {
        std::future::pending().await
    }
    async fn link(&self, _: &Identifier, _: &Identifier, _: Moment) -> Result<Appended, LedgerError> {
        std::future::pending().await
    }
    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        std::future::pending().await
    }
}

#[async_trait::async_trait]
impl Ledger for Short {
    async fn resolve(&self, who: &[Identifier]) -> Result<Batch, LedgerError> {
        let mut batch = self.0.resolve(who).await?;
        batch.answers.pop();
        Ok(batch)
    }
    async fn append(&self, w: &Identifier, e: &[LedgerEvent], at: Moment) -> Result<Appended, LedgerError> {
        self.0.append(w, e, at).await
    }
    async fn reserve(
        &self,
        who: &Identifier,
        event: &LedgerEvent,
        limits: &[Limit],
        at: Moment,
    ) -> Result<Reserved, LedgerError> {
        self.0.reserve(who, event, limits, at).await
    }
    async fn link(&self, k: &Identifier, a: &Identifier, at: Moment) -> Result<Appended, LedgerError> {
        self.0.link(k, a, at).await
    }
    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        self.0.revision().await
    }
}

#[tokio::test]
async fn law_1_a_ledger_that_does_not_answer_refuses() {
    let ledgers: [(&str, Arc<dyn Ledger>); 3] =
        [("gone", Arc::new(Gone)), ("late", Arc::new(Late)), ("short", Arc::new(Short(MemoryLedger::new())))];
    for (name, ledger) in ledgers {
        let mut limits = Limits::default();
        limits.ledger_wait_ms_max = 50;
        let world = World::otherwise(Otherwise {
            ledger: Some(ledger),
            limits: Some(limits),
            ..Otherwise::default()
        });
        for request in [
            profile(&world),
            trial(r#"{"email":"a@example.org"}"#),
            post("/newsletter", r#"{"email":"a@example.org","opt_in":true}"#),
        ] {
            let seen = world.send(request).await;
            assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "ledger-unavailable"), "{name}");
            assert_eq!(world.last_ticket().await.0.reason, Some(Reason::LedgerUnavailable), "{name}");
        }
        assert!(world.upstream.reached().is_empty(), "{name}");
    }
}

/// A disk that can be filled, and that takes its time.
#[derive(Clone, Debug, Default)]
struct Faulty {
    full: Arc<AtomicBool>,
    sync_takes: Duration,
}

#[derive(Debug)]
struct FaultySegment(Box<dyn Segment>, Faulty);

impl Storage for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(FaultySegment(Disk.create(path)?, self.clone())))
    }
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        Disk.replace(path, content)
    }
    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        Disk.append(path, content)
    }
    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        Disk.cut(path, bytes)
    }
}

impl Segment for FaultySegment {
    fn append(&mut self, content: &[u8]) -> io::Result<()> {
        if self.1.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.append(content)
    }
    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(self.1.sync_takes);
        self.0.sync()
    }
}

#[tokio::test]
async fn law_12_a_log_that_cannot_be_written_serves_nothing() {
    let disk = Faulty::default();
    let mut options = LogOptions::default();
    options.storage = Arc::new(disk.clone());
    let world = World::otherwise(Otherwise { log: Some(options), ..Otherwise::default() });
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(PROFILE));
    assert_eq!(world.send(profile(&world)).await.status, 200);
    let reached = world.upstream.reached().len();
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let seen = world.send(profile(&world)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "evidence-unavailable"));
    }
    assert_eq!(world.upstream.reached().len(), reached, "nothing went through without a durable head");
}

#[tokio::test]
async fn law_12_a_record_that_is_not_durable_in_time_counts_as_not_written() {
    let mut options = LogOptions::default();
    options.storage = Arc::new(Faulty { sync_takes: Duration::from_millis(400), ..Faulty::default() });
    let mut limits = Limits::default();
    limits.evidence_wait_ms_max = 20;
    let world =
        World::otherwise(Otherwise { log: Some(options), limits: Some(limits), ..Otherwise::default() });
    world.record("customer", "c-1", &[contract()]).await;
    let seen = world.send(profile(&world)).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "evidence-unavailable"));
    assert!(world.upstream.reached().is_empty());
}

#[tokio::test]
async fn law_1_a_body_that_does_not_come_in_time_is_refused() {
    let mut limits = Limits::default();
    limits.request_body_wait_ms_max = 20;
    let world = World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
    let never = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>());
    let request = Request::post("/trial").header("content-type", "application/json").body(never).unwrap();
    let response = world.service.clone().call(request).await.unwrap();
    assert_eq!(response.status(), 408);
    assert_eq!(world.last_ticket().await.0.reason, Some(Reason::BodyTimeout));
}

#[tokio::test]
async fn law_12_without_a_free_evidence_slot_nothing_is_served() {
    let mut options = LogOptions::default();
    options.slots_max = 1;
    let world = World::otherwise(Otherwise { log: Some(options), ..Otherwise::default() });
    let taken = world.evidence.reserve(TODAY).unwrap();
    let seen = world.send(profile(&world)).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "evidence-full"));
    drop(taken);
    world.evidence.flush().await.unwrap();
    assert_eq!(world.strangers(Reason::EvidenceFull).await, 1);
}

#[tokio::test]
async fn law_1_without_a_bundle_or_with_one_too_old_everything_is_refused() {
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world.clock.set(TODAY.saturating_add_millis(86_400_001));
    let seen = world.send(profile(&world)).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "bundle-unavailable"));
    world.policy.confirm(TODAY.saturating_add_millis(86_400_000));
    world.upstream.answers(json(PROFILE));
    assert_eq!(world.send(profile(&world)).await.status, 200);
}

#[tokio::test]
async fn law_1_before_its_policy_is_in_force_a_bundle_serves_nobody() {
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    let from = world.policy.current().unwrap().engine.bundle().from.unwrap();
    // On the first day it is decided, and the contract is of a later one.
    for (now, told) in
        [(from.saturating_add_millis(-1), (503, "policy-ahead")), (from, (403, "not-permitted"))]
    {
        world.clock.set(now);
        world.policy.confirm(now);
        let seen = world.send(profile(&world)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), told, "{now:?}");
    }
}

#[tokio::test]
async fn law_1_a_body_over_the_limit_is_refused() {
    let mut limits = Limits::default();
    limits.request_body_bytes_max = 64;
    let world = World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
    let long = format!(r#"{{"email":"a@example.org","name":"{}"}}"#, "n".repeat(100));
    let seen = world.send(post("/trial", &long)).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (413, "body-too-large"));
    assert!(world.upstream.reached().is_empty());
}

#[tokio::test]
async fn law_1_an_answer_that_streams_and_breaks_ends_visibly_and_shows_no_undecided_byte() {
    let mut limits = Limits::default();
    (limits.response_hold_bytes_max, limits.window_bytes_max) = (256, 128);
    let world = World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
    world.record("email", "ann@example.org", &[consent(ConsentState::Given, 10)]).await;
    let row = r#"{"email":"ann@example.org","name":"Ann"},"#;
    world.upstream.answers(dying(&format!(r#"{{"rows":[{}{{"email":"bob@example.org","na"#, row.repeat(20))));
    let request = get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL));
    let seen = world.send(request).await;
    assert_eq!(seen.status, 200);
    let sent = seen.body.expect_err("it must break off");
    assert!(sent.starts_with(b"{\"rows\":[") && !sent.windows(3).any(|w| w == b"bob"));
    let (_, closing) = world.last_ticket().await;
    assert_eq!((closing.end, closing.reason), (End::Failed, Some(Reason::ResponseTruncated)));
}
