//! What changes while the service works: whatever leaves late leaves as it is decided then, and what was decided is decided
//! whole.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consentry_audit::Entry;
use consentry_consent::Ledger;
use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_layer::Limits;
use consentry_model::{Identifier, LedgerEvent, Moment, Space};
use consentry_policy::{Bundle, Engine, ReportOnly, Sources};
use consentry_tests::world::{
    AUDIENCE, Answer, Happening, ISSUER, Otherwise, Seen, TODAY, World, contract, get, json as answer,
};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tower_service::Service as _;

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, hosts: [api.example], excess: drop}
requesters: {shop: {purposes: [essential]}}
rules:
  - {id: serve, permit: essential.service, data: [user.unique_id, user.name, user.contact], basis: contract, clauses: [c-1]}
  - {id: coded, permit: essential.service, data: user.behavior, as: pseudonymised, basis: contract, clauses: [c-1]}
  - {id: keep, permit: essential.service, data: user.device.cookie, basis: notice, clauses: [c-1]}
  - {id: grown, require: {that: {subject.age: {at_least: 18}}}, for: any, data: user.contact, act: read, reason: age-gate, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
cookies:
  - {name: sid, purpose: essential.service, data: user.device.cookie, form: {hex: 4}, clauses: [c-1]}
routes:
  - route: GET /customers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    response: {headers: {Location: user.unique_id}, body: {id: user.unique_id, name: user.name, email: user.contact.email, note: none}}
  - route: GET /customers/{id}/orders
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    response: {type: application/x-ndjson, body: {note: none, name: user.name}}
  - route: POST /customers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    request: {body: {name: user.name}}
    response: {body: {note: none}}
  - route: POST /customers/{id}/why
    purpose_by: {body.why: {service: essential.service}}
    about: {type: customer, space: customer, id: path.id}
    request: {body: {name: user.name, why: none}}
    response: {body: {note: none}}
  - route: GET /customers/{id}/visits
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    response: {type: text/event-stream, body: {data.seen: {is: user.behavior, can: [clear, pseudonymised]}}}
";
const ROUTE: &str = "GET /customers/{id}";
const ANN: &str = r#"{"id":"c-1","name":"Ann","email":"ann@example.org"}"#;
const LATE: i64 = 11_000;

fn born(day: &str, effective: Moment) -> LedgerEvent {
    LedgerEvent::Attribute { name: "born".into(), value: day.into(), effective }
}

fn bundle(text: &str) -> Bundle {
    Bundle::read(&Sources::from_texts([("bundle.yaml", text)])).unwrap_or_else(|e| panic!("{e}"))
}

async fn world(report_only: bool, limits: Limits) -> World {
    let bundle = bundle(BUNDLE);
    let report_only =
        if report_only { ReportOnly::dangerously_for([ROUTE.into()]) } else { ReportOnly::default() };
    let world = World::otherwise(Otherwise {
        bundle: Some(bundle),
        report_only,
        limits: Some(limits),
        ..Otherwise::default()
    });
    world.record("customer", "c-1", &[contract(), born("1980-01-01", Moment::BEGINNING)]).await;
    world
}

type Make = fn(&World) -> Happening;

fn nothing(_: &World) -> Happening {
    Box::new(|| ())
}

fn says(world: &World, event: LedgerEvent) -> Happening {
    let ledger = Arc::clone(&world.ledger);
    Box::new(move || {
        let who = Identifier::new(Space::new("customer"), "c-1");
        ledger.append(&who, &[event], TODAY).now_or_never().unwrap().unwrap();
    })
}

fn erases(world: &World) -> Happening {
    says(world, LedgerEvent::Erasure { effective: TODAY })
}

fn turns_out_a_child(world: &World) -> Happening {
    says(world, born("2014-01-01", TODAY.saturating_add_millis(-1)))
}

/// Something happens, and then it is so much later.
fn then(world: &World, happens: Happening, after_ms: i64) -> Happening {
    let clock = Arc::clone(&world.clock);
    Box::new(move || {
        happens();
        clock.set(TODAY.saturating_add_millis(after_ms));
    })
}

/// An answer in pieces: before the one at this position something happens.
fn in_pieces(
    status: u16,
    lines: &[(&str, &str)],
    pieces: Vec<&'static str>,
    at: usize,
    happens: Happening,
) -> Answer {
    let pieces = pieces.into_iter().map(Some).chain([None]).enumerate();
    let pieces = stream::iter(pieces).scan(Some(happens), move |happens, (position, piece)| {
        if let (true, Some(happens)) = (position == at, happens.take_if(|_| position == at)) {
            happens();
        }
        std::future::ready(piece.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
    });
    let mut answer = Response::builder().status(status);
    for (name, value) in lines {
        answer = answer.header(*name, *value);
    }
    answer.body(http_body_util::BodyExt::boxed(StreamBody::new(pieces))).unwrap()
}

fn ask(world: &World) -> Request<Full<Bytes>> {
    let mut request = get("/customers/c-1", Some(&world.token("shop", &["essential.service"])), None);
    request.headers_mut().insert("host", "api.example".parse().unwrap());
    request
}

fn shows(seen: &Seen, text: &str) -> bool {
    String::from_utf8_lossy(seen.body.as_ref().unwrap_or_else(|b| b)).contains(text)
}

#[tokio::test]
async fn law_8_an_obligation_that_is_broken_while_the_service_works_refuses_the_whole_exchange() {
    let json = [("content-type", "application/json")];
    for (what, happens, after_ms, report_only, status) in [
        ("in time", turns_out_a_child as Make, 5_000, false, 200),
        ("nothing happened", nothing, LATE, false, 200),
        ("late", turns_out_a_child, LATE, false, 403),
        ("late, and only reported", turns_out_a_child, LATE, true, 200),
    ] {
        // The head is late, or the body after it.
        let of_head = world(report_only, Limits::default()).await;
        of_head.upstream.meanwhile(then(&of_head, happens(&of_head), after_ms));
        of_head.upstream.answers(answer(ANN));
        let of_body = world(report_only, Limits::default()).await;
        let happening = then(&of_body, happens(&of_body), after_ms);
        let pieces = vec![r#"{"id":"c-1","name":"Ann","#, r#""email":"ann@example.org"}"#];
        of_body.upstream.answers(in_pieces(200, &json, pieces, 1, happening));
        for (world, part) in [(of_head, "head"), (of_body, "body")] {
            let seen = world.send(ask(&world)).await;
            assert_eq!(seen.status.as_u16(), status, "{what}, {part}: {seen:?}");
            assert_eq!(shows(&seen, "Ann"), status == 200, "{what}, {part}: {seen:?}");
            let (_, closing) = world.last_ticket().await;
            let reason = closing.reason.map(consentry_model::Reason::code);
            assert_eq!(reason, (status == 403).then_some("age-gate"), "{what}, {part}");
            assert!(status == 200 || seen.code() == "not-permitted", "{what}, {part}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn law_7_a_cookie_is_as_old_as_the_rest_where_verdicts_are_only_reported_too_and_is_taken_away_however_late()
 {
    for (line, after_ms, stays) in [
        ("sid=0a1b", 5_000, true),
        ("sid=0a1b", LATE, false),
        ("sid=; Max-Age=0", LATE, true),
        ("sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", LATE, true),
    ] {
        for report_only in [false, true] {
            let world = world(report_only, Limits::default()).await;
            let happening = then(&world, nothing(&world), after_ms);
            let lines =
                [("content-type", "application/json"), ("set-cookie", line), ("location", "/customers/c-1")];
            world.upstream.answers(in_pieces(
                200,
                &lines,
                vec![r#"{"id":"c-1","#, r#""name":"Ann"}"#],
                1,
                happening,
            ));
            let seen = world.send(ask(&world)).await;
            assert_eq!(seen.status, 200, "{line}: {seen:?}");
            let got = seen.headers.get("set-cookie").map(|value| value.to_str().unwrap());
            assert_eq!(got, stays.then_some(line), "{line}, only reported: {report_only}");
            let place = after_ms < LATE || report_only;
            assert_eq!(seen.headers.contains_key("location"), place, "{line}, only reported: {report_only}");
            let (_, closing) = world.last_ticket().await;
            let told = closing.withheld.iter().any(|path| *path.0 == *"response.cookie.sid");
            assert_eq!(told, !stays, "{line}, only reported: {report_only}: {closing:?}");
        }
    }
}

#[tokio::test]
async fn law_11_an_answer_that_turns_out_to_have_no_body_leaves_as_it_is_decided_then() {
    for (what, happens, after_ms, status, goes) in [
        ("in time", erases as Make, 5_000, 201, true),
        ("nothing happened", nothing, LATE, 201, true),
        ("erased", erases, LATE, 201, false),
        ("the token ended", nothing, 3_600_000, 401, false),
    ] {
        let world = world(false, Limits::default()).await;
        let happening = then(&world, happens(&world), after_ms);
        world.upstream.answers(in_pieces(201, &[("location", "/customers/c-1")], vec![], 0, happening));
        let seen = world.send(ask(&world)).await;
        assert_eq!(seen.status.as_u16(), status, "{what}: {seen:?}");
        assert_eq!(seen.headers.contains_key("location"), goes, "{what}: {seen:?}");
    }
}

#[tokio::test]
async fn law_11_a_clock_that_is_set_back_undoes_nothing_that_has_happened() {
    for (what, happens, shown) in [("nothing happened", nothing as Make, true), ("erased", erases, false)] {
        let world = world(false, Limits::default()).await;
        world.upstream.meanwhile(then(&world, happens(&world), -60_000));
        world.upstream.answers(answer(ANN));
        let seen = world.send(ask(&world)).await;
        assert_eq!(shows(&seen, "Ann"), shown, "{what}: {seen:?}");
    }
}

#[tokio::test]
async fn law_11_what_is_held_back_is_no_older_than_its_decision_may_be() {
    const FIRST: &[u8] = b"{\"note\":\"................................\",\"name\":\"A.\"}\n";
    const REST: &[u8] = b"{\"note\":\"................................\",\"name\":\"Ann\"}\n";
    for (what, happens, shown) in [("nothing happened", nothing as Make, true), ("erased", erases, false)] {
        let mut limits = Limits::default();
        limits.window_bytes_max = 32;
        let world = world(false, limits).await;
        // The first window is there when its decision is nearly as old as it may be.
        world.clock.set(TODAY);
        let (clock, happening) = (Arc::clone(&world.clock), happens(&world));
        let first = stream::once(async move {
            clock.set(TODAY.saturating_add_millis(9_900));
            Ok(Frame::data(Bytes::from_static(FIRST)))
        });
        let rest = stream::once(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            happening();
            Ok(Frame::data(Bytes::from_static(REST)))
        });
        let answer = Response::builder().header("content-type", "application/x-ndjson");
        let body = http_body_util::BodyExt::boxed(StreamBody::new(first.chain(rest)));
        world.upstream.answers(answer.body(body).unwrap());
        let mut request = ask(&world);
        *request.uri_mut() = "/customers/c-1/orders".parse().unwrap();
        let seen = world.send(request).await;
        assert_eq!(seen.status, 200, "{what}: {seen:?}");
        assert!(shows(&seen, "A."), "{what}: {seen:?}");
        assert_eq!(shows(&seen, "Ann"), shown, "{what}: {seen:?}");
    }
}

/// Has the keys of an issuer believed, and no others.
fn keys(world: &World, issuer: &Issuer, age_secs_max: Option<u64>) -> Happening {
    let slot = world.authenticator.clone();
    let mut config = AuthenticatorConfig::new(KeySet::from_jwks(&issuer.jwks()).unwrap(), ISSUER, AUDIENCE);
    config.keys_age_secs_max = age_secs_max;
    Box::new(move || slot.install(Authenticator::new(config).unwrap()))
}

/// Puts another bundle in force.
fn replaced(world: &World, text: &str, by: &str) -> Happening {
    assert!(BUNDLE.contains(text), "{text}");
    let (slot, engine) = (world.policy.clone(), Engine::new(bundle(&BUNDLE.replace(text, by))).unwrap());
    Box::new(move || _ = slot.install(engine, TODAY))
}

/// Sends a body in two pieces, between which something happens: the status, the code of the problem where there is one, and
/// whether anything reached the service.
async fn sends_slowly(world: &World, path: &str, happens: Happening) -> (u16, String, bool) {
    world.upstream.answers(answer(r#"{"note":"kept"}"#));
    let first = stream::once(async { Ok(Frame::data(Bytes::from_static(br#"{"name":"Ann","#))) });
    let rest = stream::once(async move {
        happens();
        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(br#""why":"service"}"#)))
    });
    let body = StreamBody::new(first.chain(rest));
    let token = world.token("shop", &["essential.service"]);
    let request =
        Request::post(path).header("host", "api.example").header("content-type", "application/json");
    let request =
        request.header("authorization", format!("Bearer {token}")).body(BodyExt::boxed(body)).unwrap();
    let response = world.service.clone().call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let code = said["code"].as_str().unwrap_or_default().to_owned();
    (parts.status.as_u16(), code, !world.upstream.take().is_empty())
}

#[tokio::test]
async fn law_11_a_body_that_comes_slowly_is_decided_by_what_is_in_force_when_it_is_there() {
    let another = |w: &World| keys(w, &Issuer::generate().unwrap(), None);
    let stale = |w: &World| keys(w, &w.issuer, Some(60));
    let rotated = |w: &World| keys(w, &w.issuer, None);
    let revised = |w: &World| replaced(w, "version: v1", "version: v2");
    let narrowed = |w: &World| {
        replaced(
            w,
            "permit: essential.service, data: [user",
            "permit: essential.legal_obligation, data: [user",
        )
    };
    let routeless = |w: &World| replaced(w, "route: POST /customers/{id}", "route: POST /clients/{id}");
    let unregistered = |w: &World| replaced(w, "shop", "mart");
    let elsewhere = |w: &World| replaced(w, "hosts: [api.example]", "hosts: [other.example]");
    let ahead = |w: &World| replaced(w, "from: 2026-01-01", "from: 2027-01-01");
    let rows: [(&str, Make, i64, u16, &str); 12] = [
        ("nothing happened", nothing, 0, 200, ""),
        ("the token ended", nothing, 3_600_000, 401, "token-expired"),
        ("its key is gone", another, 0, 401, "token-invalid"),
        ("the keys were never found again", stale, 0, 503, "keys-unavailable"),
        ("its key is among new ones", rotated, 0, 200, ""),
        ("the bundle grew too old", nothing, 120_000, 503, "bundle-unavailable"),
        ("another bundle says the same", revised, 0, 200, ""),
        ("another bundle permits it no more", narrowed, 0, 403, "minimisation-violation"),
        ("another bundle does not describe it", routeless, 0, 403, "route-unknown"),
        ("another bundle does not know who asks", unregistered, 0, 401, "requester-unknown"),
        ("another bundle speaks of another host", elsewhere, 0, 403, "no-applicable-policy"),
        ("another bundle is not in force yet", ahead, 0, 503, "policy-ahead"),
    ];
    for path in ["/customers/c-1", "/customers/c-1/why"] {
        for (what, happens, after_ms, status, code) in rows {
            let mut limits = Limits::default();
            limits.bundle_age_secs_max = if after_ms == 120_000 { 60 } else { 86_400 };
            let world = world(false, limits).await;
            let happening = then(&world, happens(&world), after_ms);
            let seen = sends_slowly(&world, path, happening).await;
            assert_eq!(seen, (status, code.to_owned(), status == 200), "{what}, {path}");
            let (head, _) = world.last_ticket().await;
            let current = world.policy.current().unwrap();
            // What may not serve decides nothing.
            let by_current = head.bundle.as_ref() == Some(&current.engine.bundle().digest);
            assert_eq!(by_current, code != "policy-ahead", "{what}, {path}");
        }
    }
}

const VISIT: &str = "data: {\"seen\":\"page 1\"}\n\n";
const ALIVE: &str = ": still here\n";

/// The visits that a stream of events shows, and how often it was said beside them that it lives.
async fn visits(world: &World, pieces: Vec<&'static str>, happens: Happening) -> (Vec<String>, usize, bool) {
    world.upstream.forget();
    world.upstream.answers(in_pieces(200, &[("content-type", "text/event-stream")], pieces, 1, happens));
    let mut request = ask(world);
    *request.uri_mut() = "/customers/c-1/visits".parse().unwrap();
    let seen = world.send(request).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let whole = seen.body.is_ok();
    let body = String::from_utf8(seen.body.unwrap_or_else(|begun| begun).to_vec()).unwrap();
    assert!(!body.contains("page 1") && !body.contains("still here"), "{body}");
    let visits = body.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect();
    (visits, body.lines().filter(|line| *line == ":").count(), whole)
}

#[tokio::test]
async fn law_11_a_pseudonym_is_one_of_its_month_however_long_an_answer_lasts() {
    for (what, begins, passes, same) in
        [("in one month", 1_000, 2_000, true), ("past the end of one", -1_000, 1_000, false)]
    {
        // The second comes as the first thing of its month, or after a sign of life.
        for pieces in [vec![VISIT, VISIT], vec![VISIT, ALIVE, VISIT]] {
            let world = world(false, Limits::default()).await;
            world.clock.set(TODAY.saturating_add_millis(begins));
            let happening = then(&world, nothing(&world), passes);
            let (seen, _, whole) = visits(&world, pieces, happening).await;
            let [first, second] = &seen[..] else { panic!("{what}: {seen:?}") };
            assert!(whole && (first == second) == same, "{what}: {seen:?}");
            // It is the one that whoever asks then is given.
            let (again, _, _) = visits(&world, vec![VISIT], nothing(&world)).await;
            assert_eq!(&again[..], std::slice::from_ref(second), "{what}");
        }
    }
}

#[tokio::test]
async fn law_12_a_sign_of_life_is_no_decision_and_ends_with_what_it_is_a_sign_of() {
    let replaces: Make = |world| {
        let policy = world.policy.clone();
        Box::new(move || {
            let another = BUNDLE.replace("v1", "v2");
            let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", another.as_str())])).unwrap();
            policy.install(Engine::new(bundle).unwrap(), TODAY);
        })
    };
    for (what, happens, after_ms, reason) in [
        ("nothing happened", nothing as Make, LATE, None),
        // Whether he may still be read about is asked when something is told of him.
        ("erased", erases, LATE, None),
        ("the token ended", nothing, 3_600_000, Some("token-expired")),
        ("another bundle is in force", replaces, 5_000, Some("bundle-unavailable")),
    ] {
        let world = world(false, Limits::default()).await;
        let happening = then(&world, happens(&world), after_ms);
        let pieces = vec![VISIT, ALIVE, ALIVE, ALIVE];
        let (seen, alive, whole) = visits(&world, pieces, happening).await;
        let goes_on = reason.is_none();
        assert_eq!((seen.len(), alive, whole), (1, if goes_on { 3 } else { 0 }, goes_on), "{what}");
        let (_, closing) = world.last_ticket().await;
        assert_eq!(closing.reason.map(consentry_model::Reason::code), reason, "{what}");
        let records = world.records().await;
        let decided = records.iter().filter(|record| matches!(record.entry(), Entry::Verdicts(_))).count();
        assert_eq!(decided, 1, "{what}: one window has something to decide on");
    }
}
