//! What was answered before is answered again where everything is alike, and nowhere else.

use consentry_audit::{Closing, Head, PurposeSource};
use consentry_identity::Assurance;
use consentry_model::{ContractState, LedgerEvent, Moment, Purpose, RecipientId};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, contract, get, json};
use http::Request;
use http_body_util::Full;

use crate::row::SUPPORT;

type Said = fn() -> LedgerEvent;

/// What is on record about each customer.
const PEOPLE: [(&str, &[Said]); 6] = [
    ("c-1", &[contract]),
    ("c-2", &[contract]),
    ("c-3", &[contract, || LedgerEvent::Restriction { on: true, effective: TODAY }]),
    ("c-4", &[contract, || LedgerEvent::Erasure { effective: TODAY }]),
    ("c-5", &[contract, || LedgerEvent::Contract { state: ContractState::Ended, effective: TODAY }]),
    ("c-6", &[]),
];

/// What stands in evidence, without what is different each time.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    body: Vec<u8>,
    head: Head,
    closing: Closing,
    /// How many people each line is about.
    people: Vec<usize>,
}

async fn told(world: &World, request: Request<Full<bytes::Bytes>>) -> Told {
    world.upstream.answers(json(r#"{"id":"c","name":"Ann","email":"a@example.org","internal_score":7}"#));
    let seen = world.send(request).await;
    world.upstream.forget();
    let (mut head, closing) = world.last_ticket().await;
    let people = head.verdicts.iter().map(|line| line.subjects.len()).collect();
    head.verdicts.iter_mut().for_each(|line| line.subjects.clear());
    (head.ledger, head.trace_id, head.span_id) = (None, String::new(), String::new());
    // Which record spells it out is how it is written, and not what it says.
    head.precedent = None;
    let body = if seen.status == 200 { seen.body.unwrap().to_vec() } else { Vec::new() };
    Told { status: seen.status.as_u16(), body, head, closing, people }
}

/// The requests: each asks about each customer, in other hands.
fn requests(world: &World) -> Vec<(String, Request<Full<bytes::Bytes>>)> {
    let support = world.token("support", &[SUPPORT]);
    let growth = world.token("growth", &["marketing"]);
    let mut out = Vec::new();
    for (customer, _) in PEOPLE {
        let path = format!("/customers/{customer}");
        let own = world.person(customer, Assurance::Substantial);
        let another = world.person("c-1", Assurance::Low);
        for (who, token, purpose) in [
            ("support", &support, Some(SUPPORT)),
            ("growth", &growth, Some("marketing")),
            ("the person", &own, None),
            ("c-1, badly proved", &another, None),
        ] {
            out.push((format!("{who} about {customer}"), get(&path, Some(token), purpose)));
        }
    }
    out
}

async fn people(world: &World) {
    for (customer, events) in PEOPLE {
        for event in events {
            world.record("customer", customer, &[event()]).await;
        }
    }
}

#[tokio::test]
async fn what_was_answered_before_is_what_would_have_been_answered_afresh() {
    let seasoned = World::new();
    people(&seasoned).await;
    let mut statuses = std::collections::BTreeSet::new();
    for round in 0..3 {
        for (at, (name, request)) in requests(&seasoned).into_iter().enumerate() {
            let again = told(&seasoned, request).await;
            statuses.insert(again.status);
            if round != 1 {
                let fresh = World::new();
                people(&fresh).await;
                let afresh = told(&fresh, requests(&fresh).swap_remove(at).1).await;
                assert_eq!(again, afresh, "{name}, time {round}");
            }
        }
    }
    assert!(statuses.len() > 1, "{statuses:?}");
}

#[tokio::test]
async fn law_13_each_record_names_the_person_whom_it_is_about() {
    let world = World::new();
    people(&world).await;
    let mut subjects = Vec::new();
    for customer in ["c-1", "c-2", "c-1", "c-2"] {
        let token = world.token("support", &[SUPPORT]);
        told(&world, get(&format!("/customers/{customer}"), Some(&token), Some(SUPPORT))).await;
        let (head, _) = world.last_ticket().await;
        let mut named: Vec<_> = head.verdicts.iter().flat_map(|line| line.subjects.clone()).collect();
        named.dedup();
        assert_eq!(named.len(), 1, "{customer}");
        subjects.extend(named);
    }
    assert_eq!(subjects[..2], subjects[2..]);
    assert_ne!(subjects[0], subjects[1]);
}

#[tokio::test]
async fn law_7_a_precedent_does_not_outlive_what_it_rests_on() {
    let world = World::new();
    people(&world).await;
    let ask = || get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT));
    for _ in 0..2 {
        assert_eq!(told(&world, ask()).await.status, 200);
    }
    // Two days later the contract has ended, and nobody asked in between.
    let later = Moment::from_unix_millis(TODAY.unix_millis() + 172_800_000);
    let ended = LedgerEvent::Contract { state: ContractState::Ended, effective: later };
    world.record("customer", "c-1", &[ended]).await;
    let before = told(&world, ask()).await;
    world.clock.set(later);
    let after = told(&world, ask()).await;
    assert_eq!(before.status, 200);
    assert_ne!((&after.head.verdicts, after.status), (&before.head.verdicts, before.status));
    // A restriction counts at once.
    let world = World::new();
    people(&world).await;
    let ask = || get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT));
    assert_eq!(told(&world, ask()).await.status, 200);
    world.record("customer", "c-1", &[LedgerEvent::Restriction { on: true, effective: TODAY }]).await;
    assert_ne!(told(&world, ask()).await.status, 200);
}

const TO_PARTNERS: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters: {shop: {purposes: [essential.service]}}
recipients:
  north: {class: processor, country: AT, agreement: true, tasks: [essential.service]}
  south: {class: processor, country: AT, agreement: true, tasks: [essential.service]}
routes:
  - {route: 'GET /to/{partner}', to: path.partner, purposes: [essential.service], about: {type: customer, anonymous: true}, response: {body: {n: none}}}
rules:
  - {id: service, permit: essential.service, data: user.contact, basis: {legitimate_interests: LIA-1}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: north, clause: c, who: shop, asks: GET /to/north, about: nobody, then: allow}]
";

#[tokio::test]
async fn law_12_each_record_tells_who_receives_and_what_named_the_purpose() {
    let world = World::new();
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", TO_PARTNERS)]));
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    let token = world.token("shop", &["essential.service"]);
    let named = Some("essential.service");
    for (partner, purpose, source) in [
        ("north", named, PurposeSource::Header),
        ("south", named, PurposeSource::Header),
        ("north", None, PurposeSource::Token),
        ("south", None, PurposeSource::Token),
        ("north", named, PurposeSource::Header),
    ] {
        world.upstream.answers(json(r#"{"n":1}"#));
        let seen = world.send(get(&format!("/to/{partner}"), Some(&token), purpose)).await;
        assert_eq!(seen.status, 200, "{partner}: {seen:?}");
        let (head, _) = world.last_ticket().await;
        assert_eq!(head.recipient.as_ref().map(RecipientId::as_str), Some(partner));
        assert_eq!(head.purpose_source, Some(source), "{partner}");
        assert_eq!(head.purpose.as_ref().map(Purpose::as_str), named, "{partner}");
        assert_eq!(head.route.as_deref(), Some("GET /to/{partner}"));
        world.upstream.forget();
    }
}
