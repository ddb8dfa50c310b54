//! Ways round the layer that begin with a person: speaking for somebody else, learning of somebody, going on after a
//! no, and taking data without leaving evidence.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use consentry_audit::{End, Entry, Record};
use consentry_consent::{Ledger, MemoryLedger, contract as contract_of};
use consentry_identity::{Assurance, Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_layer::Limits;
use consentry_model::{
    BundleDigest, ConsentState, ContractState, Identifier, LedgerEvent, Reason, Resolution, Space,
};
use consentry_policy::Engine;
use consentry_tests::world::{
    AUDIENCE, Answer, ISSUER, Otherwise, TODAY, World, consent, contract, get, json, panopta, post, spec,
};
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tower_layer::Layer;
use tower_service::Service;

const SUPPORT: &str = "essential.service.operations.support";
const EMAIL: &str = "marketing.communications.email";
const ANN: &str = "ann@example.org";

fn space(space: &str, id: &str) -> Identifier {
    Identifier::new(Space::new(space), id)
}

fn profile(world: &World, id: &str) -> Request<Full<Bytes>> {
    get(&format!("/customers/{id}"), Some(&world.token("support", &[SUPPORT])), Some(SUPPORT))
}

fn list(world: &World) -> Request<Full<Bytes>> {
    get("/mailing-list", Some(&world.token("newsletter-svc", &[EMAIL])), Some(EMAIL))
}

fn objection() -> LedgerEvent {
    let purpose = consentry_model::Purpose::new("marketing.communications").unwrap();
    LedgerEvent::Objection { purpose, recipient: None, effective: TODAY.saturating_add_millis(-1) }
}

fn ended() -> LedgerEvent {
    LedgerEvent::Contract { state: ContractState::Ended, effective: TODAY.saturating_add_millis(-1) }
}

fn erased() -> LedgerEvent {
    LedgerEvent::Erasure { effective: TODAY.saturating_add_millis(-1) }
}

fn restricted() -> LedgerEvent {
    LedgerEvent::Restriction { on: true, effective: TODAY.saturating_add_millis(-1) }
}

async fn events_of(ledger: &MemoryLedger, who: &Identifier) -> usize {
    match &ledger.resolve(std::slice::from_ref(who)).await.unwrap().answers[..] {
        [Resolution::Known(state)] => state.events.len(),
        _ => 0,
    }
}

#[tokio::test]
async fn law_5_a_stranger_does_not_revive_what_a_person_said_no_to() {
    let sign_up = format!(r#"{{"email":"{ANN}","opt_in":true}}"#);
    for (no, reason) in [
        (consent(ConsentState::Withdrawn, 10), Reason::ConsentWithdrawn),
        (consent(ConsentState::Refused, 10), Reason::ConsentRefused),
        (objection(), Reason::ObjectionRecorded),
    ] {
        let world = World::new();
        world.record("email", ANN, &[consent(ConsentState::Given, 20), no.clone()]).await;
        let seen = world.send(post("/newsletter", &sign_up)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"), "{no:?}");
        assert_eq!(world.last_ticket().await.0.reason, Some(reason), "{no:?}");
        assert_eq!(events_of(&world.ledger, &space("email", ANN)).await, 2, "{no:?}");
        assert!(world.upstream.reached().is_empty(), "{no:?}");
        world.upstream.answers(json(&format!(r#"{{"rows":[{{"email":"{ANN}"}}]}}"#)));
        assert_eq!(world.send(list(&world)).await.json(), serde_json::json!({"rows": []}), "{no:?}");
    }
}

#[tokio::test]
async fn law_5_a_stranger_does_not_revive_a_contract_that_ended_or_a_person_who_was_erased() {
    for (events, reason) in [
        (vec![contract(), ended()], Reason::BasisLapsed),
        (vec![contract(), erased()], Reason::Erased),
        (vec![contract(), restricted()], Reason::ProcessingRestricted),
    ] {
        let world = World::new();
        world.record("customer", "c-1", &events).await;
        world.ledger.link(&space("customer", "c-1"), &space("email", ANN), TODAY).await.unwrap();
        let seen = world.send(post("/trial", &format!(r#"{{"email":"{ANN}"}}"#))).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"), "{reason}");
        assert_eq!(world.last_ticket().await.0.reason, Some(reason));
        assert_eq!(world.send(profile(&world, "c-1")).await.status, 403, "{reason}");
        let batch = world.ledger.resolve(&[space("customer", "c-1")]).await.unwrap();
        let [Resolution::Known(state)] = &batch.answers[..] else { panic!() };
        assert_ne!(contract_of(state, TODAY), ContractState::Requested, "{reason}");
        assert!(world.upstream.reached().is_empty(), "{reason}");
    }
}

#[tokio::test]
async fn law_1_only_a_box_that_is_ticked_is_a_yes() {
    for body in [
        r#"{"email":"ann@example.org"}"#,
        r#"{"email":"ann@example.org","opt_in":"true"}"#,
        r#"{"email":"ann@example.org","opt_in":1}"#,
        r#"{"email":"ann@example.org","opt_in":[true]}"#,
        r#"{"email":"ann@example.org","opt_in":{"a":true}}"#,
        r#"{"email":"ann@example.org","opt_in":false}"#,
        r#"{"email":"ann@example.org","Opt_in":true}"#,
        r#"{"email":"ann@example.org","x":{"opt_in":true}}"#,
        r#"{"email":["ann@example.org"],"opt_in":true}"#,
        r#"{"email":"","opt_in":true}"#,
        "{\"email\":\"ann@example.org\",\"opt_in\":false,\"opt\\u005fin\":true}",
        "\u{feff}{\"email\":\"ann@example.org\",\"opt_in\":true}",
        "{\"email\":\"ann@example.org\",\"opt_in\":true}{}",
        "{\"email\":\"\\ud800ann@example.org\",\"opt_in\":true}",
    ] {
        let world = World::new();
        let seen = world.send(post("/newsletter", body)).await;
        assert!([400, 403].contains(&seen.status.as_u16()), "{body}: {seen:?}");
        assert_eq!(world.ledger.revision().await.unwrap().0, 0, "{body}");
        assert!(world.upstream.reached().is_empty(), "{body}");
    }
}

#[tokio::test]
async fn law_13_a_refusal_is_the_same_byte_for_byte_whatever_is_true_of_the_person() {
    let states: [(&str, Option<Vec<LedgerEvent>>); 6] = [
        ("nobody", None),
        ("never a customer", Some(vec![])),
        ("ended", Some(vec![contract(), ended()])),
        ("erased", Some(vec![contract(), erased()])),
        ("restricted", Some(vec![contract(), restricted()])),
        ("withdrew", Some(vec![consent(ConsentState::Withdrawn, 1)])),
    ];
    let mut told: Vec<(&str, String)> = Vec::new();
    for (name, events) in states {
        let world = World::new();
        if let Some(events) = events {
            world.record("customer", "c-1", &events).await;
        }
        let seen = world.send(profile(&world, "c-1")).await;
        let mut body = seen.json();
        assert!(body["instance"].as_str().is_some_and(|i| i.len() == "urn:uuid:".len() + 36));
        body["instance"] = "".into();
        told.push((name, format!("{} {:?} {body}", seen.status, seen.headers)));
        let (head, _) = world.last_ticket().await;
        assert!(head.ledger.is_some() && head.bundle.is_some() && head.vocabulary.is_some(), "{name}");
        assert!(world.upstream.reached().is_empty(), "{name}");
    }
    for (name, one) in &told {
        assert_eq!(one, &told[0].1, "{name}");
    }
}

#[tokio::test]
async fn law_14_a_refusal_that_the_ledger_decided_names_its_revision() {
    let world = World::new();
    world.record("email", "bob@example.org", &[contract()]).await;
    let mut request = post("/unsubscribe?t=unknown", "");
    request.headers_mut().remove("content-type");
    world.send(request).await;
    let (head, _) = world.last_ticket().await;
    assert_eq!(head.reason, Some(Reason::SubjectUnresolved));
    assert_eq!(head.ledger, Some(world.ledger.revision().await.unwrap()));
}

#[tokio::test]
async fn law_9_nobody_reads_another_persons_own_page() {
    type Ask = fn(&World) -> Request<Full<Bytes>>;
    let asks: [(&str, Ask); 6] = [
        ("another's record", |w| get("/me/c-2", Some(&w.person("c-1", Assurance::High)), None)),
        ("the same in another space", |w| {
            let mut spec = spec("customer-portal", &["custom.rights"]);
            (spec.person, spec.assurance) = (Some(space("email", "c-1")), Assurance::High);
            get("/me/c-1", Some(&w.issuer.token(&spec, TODAY).unwrap()), None)
        }),
        ("the portal for nobody", |w| {
            get("/me/c-1", Some(&w.token("customer-portal", &["custom.rights"])), None)
        }),
        ("a service with a person's name", |w| {
            let mut spec = spec("support", &["custom.rights", SUPPORT]);
            (spec.person, spec.assurance) = (Some(space("customer", "c-1")), Assurance::High);
            get("/me/c-1", Some(&w.issuer.token(&spec, TODAY).unwrap()), None)
        }),
        ("the person elsewhere", |w| get("/customers/c-1", Some(&w.person("c-1", Assurance::High)), None)),
        ("the person for another purpose", |w| {
            get("/customers/c-1", Some(&w.person("c-1", Assurance::High)), Some(SUPPORT))
        }),
    ];
    for (name, ask) in asks {
        let world = World::new();
        world.record("customer", "c-1", &[contract()]).await;
        world.record("customer", "c-2", &[contract()]).await;
        let seen = world.send(ask(&world)).await;
        assert!([401, 403].contains(&seen.status.as_u16()), "{name}: {seen:?}");
        assert!(world.upstream.reached().is_empty(), "{name}");
    }
}

/// What happens between two pieces of an answer.
type Between = Box<dyn Fn() + Send + Sync>;

/// A list of many rows about Ann, in two halves with something between them.
fn halves(between: Between) -> Answer {
    let row = format!(r#"{{"email":"{ANN}","name":"Ann"}}"#);
    let rows = vec![row; 20].join(",");
    let pieces = [format!(r#"{{"rows":[{rows}"#), format!(",{rows}]}}")];
    let pieces = stream::iter(pieces.into_iter().enumerate()).map(move |(at, piece)| {
        if at == 1 {
            between();
        }
        Ok(Frame::data(Bytes::from(piece)))
    });
    let body = BodyExt::boxed(StreamBody::new(pieces));
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

fn streaming() -> World {
    let mut limits = Limits::default();
    (limits.response_hold_bytes_max, limits.window_bytes_max) = (256, 128);
    World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() })
}

#[tokio::test]
async fn law_11_a_withdrawal_in_mid_stream_takes_effect_with_the_next_window() {
    let world = streaming();
    world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
    let ledger = Arc::clone(&world.ledger);
    world.upstream.answers(halves(Box::new(move || {
        let events = [consent(ConsentState::Withdrawn, 0)];
        ledger.append(&space("email", ANN), &events, TODAY).now_or_never().unwrap().unwrap();
    })));
    let seen = world.send(list(&world)).await;
    let rows = seen.json()["rows"].as_array().unwrap().len();
    assert!((15..=22).contains(&rows), "{rows}");
    let revisions: Vec<_> = world.records().await.iter().filter_map(revision_of_window).collect();
    assert!(revisions.first() < revisions.last(), "{revisions:?}");
}

fn revision_of_window(record: &Record) -> Option<u64> {
    match record.entry() {
        Entry::Verdicts(verdicts) => {
            assert!(verdicts.bundle.is_some() && verdicts.window.is_some());
            Some(verdicts.ledger.unwrap().0)
        }
        _ => None,
    }
}

/// Has the keys of an issuer believed, and no others.
fn takes_keys(world: &World, issuer: &Issuer, age_secs_max: Option<u64>) -> Between {
    let (slot, keys) = (world.authenticator.clone(), KeySet::from_jwks(&issuer.jwks()).unwrap());
    let mut config = AuthenticatorConfig::new(keys, ISSUER, AUDIENCE);
    config.keys_age_secs_max = age_secs_max;
    Box::new(move || slot.install(Authenticator::new(config.clone()).unwrap()))
}

#[tokio::test]
async fn a_long_answer_ends_with_its_token_its_key_and_with_its_bundle() {
    type Make = fn(&World) -> Between;
    let cases: [(&str, Make, Reason); 4] = [
        (
            "the token",
            |w| {
                let clock = Arc::clone(&w.clock);
                Box::new(move || clock.set(TODAY.saturating_add_millis(3_600_000)))
            },
            Reason::TokenExpired,
        ),
        (
            "the bundle",
            |w| {
                let policy = w.policy.clone();
                Box::new(move || {
                    let mut bundle = panopta();
                    bundle.digest = BundleDigest::new("another");
                    policy.install(Engine::new(bundle).unwrap(), TODAY);
                })
            },
            Reason::BundleUnavailable,
        ),
        ("the key", |w| takes_keys(w, &Issuer::generate().unwrap(), None), Reason::TokenInvalid),
        ("keys that nobody found again", |w| takes_keys(w, &w.issuer, Some(60)), Reason::KeysUnavailable),
    ];
    for (name, make, reason) in cases {
        let world = streaming();
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.upstream.answers(halves(make(&world)));
        let seen = world.send(list(&world)).await;
        assert_eq!(seen.status, 200, "{name}");
        seen.body.expect_err(name);
        let (_, closing) = world.last_ticket().await;
        assert_eq!((closing.end, closing.reason), (End::Failed, Some(reason)), "{name}");
    }
}

/// One customer's profile, in two pieces with something between them.
fn profile_in_pieces(between: Between) -> Answer {
    let pieces = [r#"{"id":"c-1","name":"#, r#""Ann Sample"}"#].into_iter().enumerate();
    let pieces = stream::iter(pieces).map(move |(at, piece)| {
        if at == 1 {
            between();
        }
        Ok(Frame::data(Bytes::from(piece)))
    });
    let body = BodyExt::boxed(StreamBody::new(pieces));
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

#[tokio::test]
async fn law_11_what_was_held_back_for_long_leaves_as_it_is_decided_now() {
    type Make = fn(&World) -> Between;
    let erases: Make = |w| {
        let ledger = Arc::clone(&w.ledger);
        Box::new(move || {
            ledger.append(&space("customer", "c-1"), &[erased()], TODAY).now_or_never().unwrap().unwrap();
        })
    };
    let replaces: Make = |w| {
        let policy = w.policy.clone();
        Box::new(move || {
            let mut bundle = panopta();
            bundle.digest = BundleDigest::new("another");
            policy.install(Engine::new(bundle).unwrap(), TODAY);
        })
    };
    let revokes: Make = |w| takes_keys(w, &Issuer::generate().unwrap(), None);
    let rotates: Make = |w| takes_keys(w, &w.issuer, None);
    for (name, make, after_ms, (status, shown)) in [
        ("nothing happened, and it took long", (|_| Box::new(|| ())) as Make, 11_000, (200, true)),
        ("the token ended", |_| Box::new(|| ()), 3_600_000, (401, false)),
        ("its key is gone", revokes, 11_000, (401, false)),
        ("its key is among new ones", rotates, 11_000, (200, true)),
        ("another bundle is in force", replaces, 11_000, (503, false)),
        ("the person is erased", erases, 11_000, (200, false)),
        ("another bundle came a moment ago", replaces, 5_000, (200, true)),
    ] {
        let world = World::new();
        world.record("customer", "c-1", &[contract()]).await;
        let (happens, clock) = (make(&world), Arc::clone(&world.clock));
        world.upstream.answers(profile_in_pieces(Box::new(move || {
            happens();
            clock.set(TODAY.saturating_add_millis(after_ms));
        })));
        let seen = world.send(profile(&world, "c-1")).await;
        assert_eq!(seen.status, status, "{name}: {seen:?}");
        assert_eq!(format!("{seen:?}").contains("Ann"), shown, "{name}: {seen:?}");
    }
}

/// What comes first, and blanks after it, one every 20 milliseconds and for ever.
fn dripping(first: &str) -> Answer {
    let drips = stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        Some((Ok(Frame::data(Bytes::from_static(b" "))), ()))
    });
    let first = Ok(Frame::data(Bytes::copy_from_slice(first.as_bytes())));
    let body = BodyExt::boxed(StreamBody::new(stream::iter([first]).chain(drips)));
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

#[tokio::test]
async fn law_1_an_answer_that_drips_is_not_held_back_for_ever() {
    type Ask = fn(&World) -> Request<Full<Bytes>>;
    let row = format!(r#"{{"email":"{ANN}","name":"Ann"}}"#);
    let rows = format!(r#"{{"rows":[{}"#, vec![row; 20].join(","));
    let one: Ask = |world| profile(world, "c-1");
    for (name, ask, first, (hold_ms, age_ms), status) in [
        ("nothing can be decided", one, r#"{"id":"c-1""#, (150, 60_000), 504),
        ("what was decided leaves in time", list, &*rows, (60_000, 150), 200),
        ("what was decided is not left lying", list, &*rows, (150, 60_000), 504),
    ] {
        let mut limits = Limits::default();
        (limits.response_hold_ms_max, limits.decision_age_ms_max) = (hold_ms, age_ms);
        limits.window_bytes_max = 128;
        let world = World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
        world.record("customer", "c-1", &[contract()]).await;
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.upstream.answers(dripping(first));
        let call = world.service.clone().call(ask(&world));
        let answer =
            tokio::time::timeout(std::time::Duration::from_secs(5), call).await.expect(name).unwrap();
        assert_eq!(answer.status(), status, "{name}");
        let frame = answer.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(String::from_utf8_lossy(&frame).contains(ANN), status == 200, "{name}");
    }
}

/// What an inner service may do instead of answering.
#[derive(Clone, Copy)]
enum Odd {
    Panics,
    NeverAnswers,
    NeverEnds,
}

impl Service<Request<Full<Bytes>>> for Odd {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let odd = *self;
        Box::pin(async move {
            match odd {
                Self::Panics => panic!("as the test asks"),
                Self::NeverAnswers => std::future::pending().await,
                Self::NeverEnds => {
                    let body = StreamBody::new(stream::pending());
                    let builder = Response::builder().header("content-type", "application/json");
                    Ok(builder.body(BodyExt::boxed(body)).unwrap())
                }
            }
        })
    }
}

async fn ends(world: &World) -> Vec<(End, Option<Reason>)> {
    world.evidence.flush().await.ok();
    let closing = |record: &Record| match record.entry() {
        Entry::Outcome(closing) => Some((closing.end, closing.reason)),
        _ => None,
    };
    world.records().await.iter().filter_map(closing).collect()
}

#[tokio::test]
async fn law_12_every_ticket_is_closed_exactly_once_however_it_ends() {
    let mut limits = Limits::default();
    limits.upstream_wait_ms_max = 50;
    limits.upstream_pause_ms_max = 50;
    let slow = || World::otherwise(Otherwise { limits: Some(limits), ..Otherwise::default() });
    for (odd, expected) in [
        (Odd::Panics, (End::Abandoned, None)),
        (Odd::NeverAnswers, (End::Failed, Some(Reason::UpstreamTimeout))),
        (Odd::NeverEnds, (End::Failed, Some(Reason::UpstreamTimeout))),
    ] {
        let world = slow();
        world.record("customer", "c-1", &[contract()]).await;
        let mut service = world.layer.layer(odd);
        let call = service.call(profile(&world, "c-1"));
        let answer = tokio::time::timeout(std::time::Duration::from_secs(5), tokio::spawn(call)).await;
        let status = answer.expect("it ends").map(|r| r.unwrap().status().as_u16());
        assert!(status.as_ref().is_ok_and(|s| *s == 504) || status.is_err());
        assert_eq!(ends(&world).await, [expected]);
    }
    // The caller goes away before there is an answer, and before it reads the answer.
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    let gone = world.layer.layer(Odd::NeverAnswers).call(profile(&world, "c-1"));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), gone).await.is_err());
    assert_eq!(ends(&world).await, [(End::Abandoned, None)]);
    world.upstream.answers(json(r#"{"id":"c-1"}"#));
    drop(world.service.clone().call(profile(&world, "c-1")).await.unwrap());
    assert_eq!(ends(&world).await, [(End::Abandoned, None); 2]);
}

#[tokio::test]
async fn law_12_a_long_answer_that_nobody_reads_is_closed_as_abandoned() {
    let world = streaming();
    world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
    world.upstream.answers(halves(Box::new(|| ())));
    drop(world.service.clone().call(list(&world)).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(ends(&world).await, [(End::Abandoned, None)]);
}

#[tokio::test]
async fn what_is_excess_does_not_reach_the_service() {
    for body in [
        r#"{"email":"ann@example.org","name":"Ann","card_number":"4111111111111111","ssn":"078-05-1120"}"#,
        r#"{"email":"ann@example.org","company":{"ssn":"078-05-1120"},"x":[{"card_number":"4111111111111111"}]}"#,
        "{\"email\":\"ann@example.org\",\"c\\u0061rd_number\":\"4111111111111111\",\"\":\"078-05-1120\"}",
    ] {
        let world = World::new();
        let seen = world.send(post("/trial?ssn=078-05-1120&card=4111111111111111", body)).await;
        assert_eq!(seen.status, 200, "{body}: {seen:?}");
        let reached = format!("{:?}", world.upstream.reached());
        assert!(reached.contains(ANN), "{reached}");
        let evidence = format!("{:?}", world.records().await);
        for secret in ["078-05-1120", "4111111111111111"] {
            assert!(!reached.contains(secret) && !evidence.contains(secret), "{secret}");
        }
        assert!(!evidence.contains("ann@"), "{evidence}");
    }
}
