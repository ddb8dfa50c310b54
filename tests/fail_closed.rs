//! Law 1: whatever is unknown, malformed, missing, late or broken is refused or withheld, with a reason of its own in
//! the evidence, and nothing of it reaches anybody.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use consentry_audit::{Disk, End, LogOptions, Segment, Storage};
use consentry_consent::{Appended, Batch, Ledger, LedgerError, LedgerErrorKind, MemoryLedger};
use consentry_identity::{Assurance, Issuer};
use consentry_layer::Limits;
use consentry_model::{ConsentState, Identifier, LedgerEvent, LedgerRevision, Moment, Outcome, Reason};
use consentry_tests::world::{
    Answer, Otherwise, TODAY, World, consent, contract, dying, get, json, post, spec, typed,
};
use http::Request;
use http_body_util::Full;

const SUPPORT: &str = "essential.service.operations.support";
const EMAIL: &str = "marketing.communications.email";
const PROFILE: &str =
    r#"{"id":"c-1","name":"Ann Sample","email":"ann@example.org","plan":"pro","ssn":"078-05-1120"}"#;
const LIST: &str = r#"{"rows":[{"email":"ann@example.org","name":"Ann Sample"}]}"#;

/// Where the true reason must stand.
#[derive(Clone, Copy)]
enum Evidence {
    /// Counted, because nobody in particular asked.
    Counted(Reason),
    /// In the head: refused before the inner service was called.
    Head(Reason),
    /// In the closing: the service behind was asked, and its answer could not be passed on.
    Closing(Reason),
}
use Evidence::{Closing, Counted, Head};

type Make = fn(&World) -> Request<Full<Bytes>>;
type Row = (&'static str, Make, Option<fn() -> Answer>, u16, &'static str, Evidence);

fn profile(world: &World) -> Request<Full<Bytes>> {
    get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT))
}

fn with(mut request: Request<Full<Bytes>>, name: &'static str, value: &str) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

fn trial(body: &'static str) -> Request<Full<Bytes>> {
    post("/trial", body)
}

/// Whoever asks, and for what.
const REQUESTS: &[Row] = &[
    (
        "no token",
        |_| get("/customers/c-1", None, Some(SUPPORT)),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "a purpose claimed without a token is nothing",
        |_| get("/mailing-list", None, Some(EMAIL)),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "no token on an unknown route",
        |_| get("/nowhere", None, None),
        None,
        401,
        "token-missing",
        Counted(Reason::TokenMissing),
    ),
    (
        "a forged token",
        |w| {
            let forged =
                Issuer::generate().unwrap().token(&spec("support", &[SUPPORT]), w.clock_now()).unwrap();
            get("/customers/c-1", Some(&forged), Some(SUPPORT))
        },
        None,
        401,
        "token-invalid",
        Counted(Reason::TokenInvalid),
    ),
    (
        "an expired token",
        |w| {
            let old =
                w.issuer.token(&spec("support", &[SUPPORT]), TODAY.saturating_add_millis(-301_000)).unwrap();
            get("/customers/c-1", Some(&old), Some(SUPPORT))
        },
        None,
        401,
        "token-expired",
        Counted(Reason::TokenExpired),
    ),
    (
        "something that is no token",
        |_| get("/customers/c-1", Some("x.y.z"), Some(SUPPORT)),
        None,
        401,
        "token-malformed",
        Counted(Reason::TokenMalformed),
    ),
    (
        "two tokens",
        |w| {
            let token = format!("Bearer {}", w.token("support", &[SUPPORT]));
            with(profile(w), "authorization", &token)
        },
        None,
        401,
        "token-malformed",
        Counted(Reason::TokenMalformed),
    ),
    (
        "a token of somebody whom the bundle does not register",
        |w| get("/customers/c-1", Some(&w.token("stranger", &[SUPPORT])), Some(SUPPORT)),
        None,
        401,
        "requester-unknown",
        Head(Reason::RequesterUnknown),
    ),
    (
        "an unknown route",
        |w| get("/nowhere", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "route-unknown",
        Head(Reason::RouteUnknown),
    ),
    (
        "an unknown method on a known path",
        |w| {
            let mut request = profile(w);
            *request.method_mut() = http::Method::DELETE;
            request
        },
        None,
        403,
        "route-unknown",
        Head(Reason::RouteUnknown),
    ),
    (
        "a path with two readings",
        |w| get("/customers/../customers/c-1", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        400,
        "head-malformed",
        Counted(Reason::HeadMalformed),
    ),
    (
        "a method in a header",
        |w| with(profile(w), "x-http-method-override", "DELETE"),
        None,
        400,
        "head-malformed",
        Counted(Reason::HeadMalformed),
    ),
    (
        "no purpose where several could be meant",
        |w| {
            get(
                "/customers/c-1",
                Some(&w.token("support", &[SUPPORT, "essential.service.operations.improve"])),
                None,
            )
        },
        None,
        403,
        "purpose-missing",
        Head(Reason::PurposeMissing),
    ),
    (
        "two purpose headers",
        |w| with(profile(w), "data-purpose", SUPPORT),
        None,
        400,
        "purpose-conflict",
        Head(Reason::PurposeConflict),
    ),
    (
        "two purposes in one header",
        |w| {
            get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("essential.service, marketing"))
        },
        None,
        400,
        "purpose-conflict",
        Head(Reason::PurposeConflict),
    ),
    (
        "a purpose that is no token",
        |w| get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("\"support\"")),
        None,
        400,
        "purpose-malformed",
        Head(Reason::PurposeMalformed),
    ),
    (
        "an unknown purpose",
        |w| get("/customers/c-1", Some(&w.token("support", &[SUPPORT])), Some("essential.service.gossip")),
        None,
        403,
        "purpose-unknown",
        Head(Reason::PurposeUnknown),
    ),
    (
        "a purpose outside the token",
        |w| {
            get(
                "/customers/c-1",
                Some(&w.token("support", &["essential.service.operations.improve"])),
                Some(SUPPORT),
            )
        },
        None,
        403,
        "purpose-outside-token",
        Head(Reason::PurposeOutsideToken),
    ),
    (
        "a token that allows nothing",
        |w| get("/customers/c-1", Some(&w.token("support", &[])), Some(SUPPORT)),
        None,
        403,
        "purpose-outside-token",
        Head(Reason::PurposeOutsideToken),
    ),
    (
        "a purpose outside what the bundle lets the requester do",
        |w| get("/customers/c-1", Some(&w.token("support", &["marketing"])), Some("marketing")),
        None,
        403,
        "purpose-outside-requester",
        Head(Reason::PurposeOutsideRequester),
    ),
    (
        "a purpose that the route does not serve",
        |w| get("/mailing-list", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "purpose-outside-route",
        Head(Reason::PurposeOutsideRoute),
    ),
    (
        "a purpose that no rule permits",
        |w| get("/customers/c-1", Some(&w.token("growth-svc", &[EMAIL])), Some(EMAIL)),
        None,
        403,
        "purpose-not-permitted",
        Head(Reason::PurposeNotPermitted),
    ),
    (
        "a recipient that no rule permits",
        |w| {
            get(
                "/feeds/leads",
                Some(&w.token("ad-partner", &["marketing.advertising.third_party"])),
                Some("marketing.advertising.third_party"),
            )
        },
        None,
        403,
        "recipient-not-permitted",
        Head(Reason::RecipientNotPermitted),
    ),
    (
        "a mechanism that does not exist yet",
        |w| get("/customers/c-1", Some(&w.token("ml-svc", &["train_ai_system"])), Some("train_ai_system")),
        None,
        403,
        "mechanism-pending",
        Head(Reason::MechanismPending),
    ),
    (
        "no consent record",
        |w| get("/customers/c-2", Some(&w.token("support", &[SUPPORT])), Some(SUPPORT)),
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
    (
        "own access without a proven identity",
        |w| get("/me/c-1", Some(&w.person("c-1", Assurance::Low)), None),
        None,
        401,
        "identity-unverified",
        Head(Reason::IdentityUnverified),
    ),
    (
        "another person's own access",
        |w| get("/me/c-1", Some(&w.person("c-9", Assurance::High)), None),
        None,
        403,
        "not-permitted",
        Head(Reason::IdentityUnverified),
    ),
    (
        "a body where none is taken",
        |w| {
            let mut request = profile(w);
            *request.body_mut() = Full::new(Bytes::from_static(b"{}"));
            request
        },
        None,
        400,
        "body-unexpected",
        Head(Reason::BodyUnexpected),
    ),
    (
        "unreadable JSON",
        |_| trial(r#"{"email": "a@example.org""#),
        None,
        400,
        "body-malformed",
        Head(Reason::BodyMalformed),
    ),
    ("no body at all", |_| trial(""), None, 400, "body-malformed", Head(Reason::BodyMalformed)),
    (
        "a duplicate key",
        |_| trial(r#"{"email": "a@example.org", "email": "b@example.org"}"#),
        None,
        400,
        "body-duplicate-key",
        Head(Reason::BodyDuplicateKey),
    ),
    (
        "a gzip body",
        |_| with(trial("{}"), "content-encoding", "gzip"),
        None,
        415,
        "body-encoding",
        Head(Reason::BodyEncoding),
    ),
    (
        "a body of another media type",
        |_| {
            let mut request = trial("email=a");
            request
                .headers_mut()
                .insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
            request
        },
        None,
        415,
        "body-media-type",
        Head(Reason::BodyMediaType),
    ),
    (
        "JSON in another charset",
        |_| {
            let mut request = trial("{}");
            request.headers_mut().insert("content-type", "application/json; charset=utf-16".parse().unwrap());
            request
        },
        None,
        415,
        "body-media-type",
        Head(Reason::BodyMediaType),
    ),
    (
        "a sign-up that names nobody",
        |_| trial(r#"{"name": "Ann"}"#),
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
    (
        "an unsubscription of nobody",
        |_| {
            let mut request = post("/unsubscribe?t=unknown", "");
            request.headers_mut().remove("content-type");
            request
        },
        None,
        403,
        "not-permitted",
        Head(Reason::SubjectUnresolved),
    ),
];

/// What the service behind may do to us. The request is a good one.
const ANSWERS: &[Row] = &[
    (
        "it dies in mid-body",
        profile,
        Some(|| dying(r#"{"id":"c-1","name":"Ann Sa"#)),
        502,
        "response-truncated",
        Closing(Reason::ResponseTruncated),
    ),
    (
        "its body ends early",
        profile,
        Some(|| json(r#"{"id":"c-1","name":"Ann"#)),
        502,
        "response-truncated",
        Closing(Reason::ResponseTruncated),
    ),
    (
        "it answers unreadable JSON",
        profile,
        Some(|| json(r#"{"id":"c-1",}"#)),
        502,
        "response-malformed",
        Closing(Reason::ResponseMalformed),
    ),
    (
        "it says a member twice",
        profile,
        Some(|| json(r#"{"name":"Ann","name":"Bob"}"#)),
        502,
        "response-duplicate-key",
        Closing(Reason::ResponseDuplicateKey),
    ),
    (
        "it adds bytes after the end",
        profile,
        Some(|| json(r#"{"name":"Ann"}{"ssn":1}"#)),
        502,
        "response-malformed",
        Closing(Reason::ResponseMalformed),
    ),
    (
        "it answers HTML",
        profile,
        Some(|| typed("text/html", "<p>Ann Sample</p>")),
        502,
        "response-media-type",
        Closing(Reason::ResponseMediaType),
    ),
    (
        "it names no media type",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().remove("content-type");
            answer
        }),
        502,
        "response-media-type",
        Closing(Reason::ResponseMediaType),
    ),
    (
        "it encodes although asked not to",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            answer
        }),
        502,
        "response-encoding",
        Closing(Reason::ResponseEncoding),
    ),
    (
        "it redirects with data in the target",
        profile,
        Some(|| {
            let mut answer = json("{}");
            *answer.status_mut() = http::StatusCode::FOUND;
            answer.headers_mut().insert("location", "/login?email=ann@example.org".parse().unwrap());
            answer
        }),
        502,
        "response-redirect",
        Closing(Reason::ResponseRedirect),
    ),
    (
        "it answers a part",
        profile,
        Some(|| {
            let mut answer = json(PROFILE);
            *answer.status_mut() = http::StatusCode::PARTIAL_CONTENT;
            answer
        }),
        502,
        "response-partial",
        Closing(Reason::ResponsePartial),
    ),
    (
        "it fails with a stack trace",
        profile,
        Some(|| {
            let mut answer = typed("text/plain", "panic at ann@example.org");
            *answer.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }),
        502,
        "upstream-error",
        Closing(Reason::UpstreamError),
    ),
    (
        "it does not find the person",
        profile,
        Some(|| {
            let mut answer = json(r#"{"error":"no c-1, did you mean Ann Sample?"}"#);
            *answer.status_mut() = http::StatusCode::NOT_FOUND;
            answer
        }),
        404,
        "upstream-error",
        Closing(Reason::UpstreamError),
    ),
    (
        "its body is of another shape than the map's",
        profile,
        Some(|| json(r#"["Ann Sample"]"#)),
        403,
        "field-undeclared",
        Closing(Reason::FieldUndeclared),
    ),
];

async fn check(row: &Row) {
    let (name, make, answer, status, code, evidence) = *row;
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(answer.map_or_else(|| json(PROFILE), |make| make()));
    let seen = world.send(make(&world)).await;
    assert_eq!((seen.status.as_u16(), seen.code().as_str()), (status, code), "{name}: {seen:?}");
    assert_eq!(seen.headers["content-type"], "application/problem+json", "{name}");
    assert_eq!(seen.headers["cache-control"], "no-store", "{name}");
    let shown = format!("{seen:?}");
    for secret in ["Ann", "ann@", "c-1", "078-05"] {
        assert!(!shown.contains(secret), "{name} shows {secret}: {shown}");
    }
    let reached = world.upstream.reached().len();
    match evidence {
        Counted(reason) => {
            assert_eq!(world.strangers(reason).await, 1, "{name}");
            assert_eq!(reached, 0, "{name}");
        }
        Head(reason) => {
            let (head, closing) = world.last_ticket().await;
            assert_eq!((head.outcome, head.reason), (Outcome::Refuse, Some(reason)), "{name}");
            assert_eq!((closing.end, closing.reason), (End::Refused, Some(reason)), "{name}");
            assert_eq!(reached, 0, "{name}");
        }
        Closing(reason) => {
            let (_, closing) = world.last_ticket().await;
            assert_ne!(closing.end, End::Delivered, "{name}");
            assert_eq!(closing.reason, Some(reason), "{name}");
        }
    }
}

#[tokio::test]
async fn law_1_a_request_that_is_wrong_in_any_way_is_refused_with_its_own_reason() {
    for row in REQUESTS {
        check(row).await;
    }
}

#[tokio::test]
async fn law_1_an_answer_that_is_wrong_in_any_way_is_not_passed_on() {
    for row in ANSWERS {
        check(row).await;
    }
}

#[tokio::test]
async fn law_1_a_field_that_no_map_names_is_withheld() {
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(PROFILE));
    let seen = world.send(profile(&world)).await;
    assert_eq!(seen.status, 200);
    let expected =
        serde_json::json!({"id": "c-1", "name": "Ann Sample", "email": "ann@example.org", "plan": "pro"});
    assert_eq!(seen.json(), expected);
    let (_, closing) = world.last_ticket().await;
    assert_eq!((closing.end, closing.undeclared), (End::Delivered, 1));
}

#[tokio::test]
async fn law_5_each_of_the_eight_invalid_consent_states_withholds_with_its_own_reason() {
    let table = [
        (ConsentState::Unknown, Reason::ConsentUnknown),
        (ConsentState::Requested, Reason::ConsentRequested),
        (ConsentState::Deferred, Reason::ConsentDeferred),
        (ConsentState::Refused, Reason::ConsentRefused),
        (ConsentState::Withdrawn, Reason::ConsentWithdrawn),
        (ConsentState::Expired, Reason::ConsentExpired),
        (ConsentState::Revoked, Reason::ConsentRevoked),
        (ConsentState::Invalidated, Reason::ConsentInvalidated),
    ];
    for (state, reason) in table {
        let world = World::new();
        world.record("email", "ann@example.org", &[consent(state, 10)]).await;
        world.upstream.answers(json(LIST));
        let seen = world
            .send(get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL)))
            .await;
        assert_eq!(seen.json(), serde_json::json!({"rows": []}), "{state}");
        let lines: Vec<_> =
            world.records().await.iter().flat_map(|r| r.entry().verdicts().to_vec()).collect();
        assert!(!lines.is_empty(), "{state}");
        assert!(lines.iter().any(|l| l.reason == Some(reason)), "{state}: {lines:?}");
        assert!(lines.iter().all(|l| l.treatment == consentry_model::Treatment::Withheld), "{state}");
    }
}

#[tokio::test]
async fn law_5_a_valid_consent_and_nothing_else_lets_the_row_through() {
    let world = World::new();
    world.record("email", "ann@example.org", &[consent(ConsentState::Given, 10)]).await;
    let body = r#"{"rows":[{"email":"ann@example.org","name":"Ann"},{"email":"bob@example.org","name":"Bob"},{"name":"Nobody"}]}"#;
    world.upstream.answers(json(body));
    let request = get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL));
    let seen = world.send(request).await;
    assert_eq!(seen.json(), serde_json::json!({"rows": [{"email": "ann@example.org", "name": "Ann"}]}));
}

#[tokio::test]
async fn law_7_a_one_click_unsubscription_as_mail_clients_send_it_arrives() {
    let world = World::new();
    world.record("unsubscribe", "t-1", &[consent(ConsentState::Given, 10)]).await;
    for body in ["List-Unsubscribe=One-Click", "List-Unsubscribe=One-Click&x=1", "anything"] {
        let mut request = post("/unsubscribe?t=t-1", body);
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        world.upstream.answers(json("{}"));
        let expected = if body == "List-Unsubscribe=One-Click" { 200 } else { 400 };
        assert_eq!(world.send(request).await.status, expected, "{body}");
    }
    let (_, forwarded) = world.upstream.reached().pop().unwrap();
    assert!(forwarded.is_empty(), "the body says nothing, and goes nowhere");
}

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

/// A disk that can be filled.
#[derive(Debug)]
struct Full_(Arc<AtomicBool>);
#[derive(Debug)]
struct FullSegment(Box<dyn Segment>, Arc<AtomicBool>);

impl Storage for Full_ {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(FullSegment(Disk.create(path)?, Arc::clone(&self.0))))
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

impl Segment for FullSegment {
    fn append(&mut self, content: &[u8]) -> io::Result<()> {
        if self.1.load(Ordering::SeqCst) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            self.0.append(content)
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

#[tokio::test]
async fn law_12_a_log_that_cannot_be_written_serves_nothing() {
    let full = Arc::new(AtomicBool::new(false));
    let mut options = LogOptions::default();
    options.storage = Arc::new(Full_(Arc::clone(&full)));
    let world = World::otherwise(Otherwise { log: Some(options), ..Otherwise::default() });
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(PROFILE));
    assert_eq!(world.send(profile(&world)).await.status, 200);
    let reached = world.upstream.reached().len();
    full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let seen = world.send(profile(&world)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "evidence-unavailable"));
    }
    assert_eq!(world.upstream.reached().len(), reached, "nothing went through without a durable head");
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
