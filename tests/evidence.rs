//! What evidence says of when something was decided, as of what, and of what changed for later decisions.

use consentry_audit::{ConsentChanged, Entry, Record};
use consentry_consent::Ledger;
use consentry_identity::Assurance;
use consentry_model::{ConsentState, Identifier, LedgerEvent, LedgerRevision, Resolution, Space};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, contract, get, post};
use http::{Method, Request};
use http_body_util::Full;

const ANN: &str = "ann@example.org";

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters:
  customer-portal: {purposes: [custom.rights], receives_as: subject}
  shop: {purposes: [essential]}
rules:
  - {id: noted, permit: essential.service, data: user.contact, act: collect, as: [masked], basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
  - {id: asked, permit: essential.service, data: user.unique_id, act: collect, basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
  - {id: told, permit: essential.service, data: user.content, act: collect, basis: {consent: opt-in}, clauses: [c-1]}
  - {id: news, permit: marketing.communications.email, data: user.contact, basis: {consent: opt-in}, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: customer-portal, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: POST /join, public: true, purpose: marketing.communications.email, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, ok: none}}, response: {body: none}, events: [{if: {body.ok: true}, consent: opt-in, to: marketing.communications.email}]}
  - {route: POST /prefs, public: true, right: preferences, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, no: none}, excess: refuse}, response: {body: none}, events: [{if: {body.no: true}, withdraw: marketing.communications.email}, {if: {body.no: true}, object: marketing}]}
  - {route: POST /notes, purposes: [essential.service], about: {type: customer, space: email, id: query.of}, request: {query: {of: none, number: user.unique_id}, body: {email: user.contact.email, rest: none}}, response: {body: none}}
  - {route: POST /told, purposes: [essential.service], about: {type: customer, space: email, id: query.of}, request: {query: {of: none, number: user.unique_id, news: none}, body: {'**': user.content}}, response: {body: none}, events: [{if: {query.news: 'yes'}, consent: opt-in, to: marketing.communications.email}]}
  - {route: DELETE /me, right: erasure, about: {type: customer, space: email, id: token.sub}, response: {body: none}, events: [{erase: subject}]}
";

fn world() -> World {
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
    let world = World::new();
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    world
}

fn leave(world: &World) -> Request<Full<bytes::Bytes>> {
    let mut spec = consentry_tests::world::spec("customer-portal", &["custom.rights"]);
    spec.person = Some(Identifier::new(Space::new("email"), ANN));
    spec.assurance = Assurance::High;
    let token = world.issuer.token(&spec, TODAY).unwrap();
    let mut request = get("/me", Some(&token), None);
    *request.method_mut() = Method::DELETE;
    request
}

fn changes(records: &[Record]) -> Vec<&ConsentChanged> {
    records
        .iter()
        .filter_map(|record| match record.entry() {
            Entry::ConsentChanged(change) => Some(change),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn law_14_what_a_request_says_to_the_ledger_is_in_evidence_with_it() {
    let no = format!(r#"{{"email":"{ANN}","no":true}}"#);
    let no_with_excess = format!(r#"{{"email":"{ANN}","no":true,"x":1}}"#);
    let yes = format!(r#"{{"email":"{ANN}","ok":true}}"#);
    for (what, body, says) in [
        ("a yes", Some(("/join", &yes)), &["given"][..]),
        ("two noes", Some(("/prefs", &no)), &["withdrawn", "objection"]),
        (
            "two noes of a request that is refused",
            Some(("/prefs", &no_with_excess)),
            &["withdrawn", "objection"],
        ),
        ("an erasure", None, &["erasure"]),
    ] {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let request = body.map_or_else(|| leave(&world), |(path, body)| post(path, body));
        let seen = world.send(request).await;
        let records = world.records().await;
        let ticket = records.iter().rev().find_map(Record::ticket);
        let who = [Identifier::new(Space::new("email"), ANN)];
        let Resolution::Known(known) = world.ledger.resolve(&who).await.unwrap().answers.remove(0) else {
            panic!("{what}")
        };
        let found = changes(&records);
        let words: Vec<_> = found
            .iter()
            .map(|change| match &change.change {
                LedgerEvent::Consent(c) if c.state == ConsentState::Given => "given",
                LedgerEvent::Consent(c) if c.state == ConsentState::Withdrawn => "withdrawn",
                LedgerEvent::Objection { .. } => "objection",
                LedgerEvent::Erasure { .. } => "erasure",
                other => panic!("{what}: {other:?}"),
            })
            .collect();
        assert_eq!(words, says, "{what}: {seen:?}");
        for change in found {
            assert_eq!((change.subject, change.request), (known.subject, ticket), "{what}");
            let held = known.events.iter().find(|entry| entry.revision == change.revision);
            assert_eq!(held.map(|entry| &entry.event), Some(&change.change), "{what}");
        }
    }
}

#[tokio::test]
async fn law_12_a_change_that_evidence_cannot_hold_ends_the_request() {
    let world = world();
    world.record("email", ANN, &[contract()]).await;
    world.evidence.shutdown();
    let seen = world.send(post("/prefs", &format!(r#"{{"email":"{ANN}","no":true}}"#))).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (503, "evidence-unavailable"));
    assert!(world.upstream.take().is_empty());
}

#[tokio::test]
async fn law_11_evidence_says_as_of_when_it_was_decided_and_not_when_it_was_written() {
    let world = world();
    let later = TODAY.saturating_add_millis(86_400_000);
    world.record("email", ANN, &[contract()]).await;
    for at in [TODAY, later] {
        world.clock.set(at);
        world.send(post("/join", &format!(r#"{{"email":"{ANN}","ok":true}}"#))).await;
        let (head, _) = world.last_ticket().await;
        assert_eq!((head.at, head.ledger), (Some(at), Some(LedgerRevision(if at == TODAY { 1 } else { 2 }))));
    }
}

#[tokio::test]
async fn law_12_what_was_altered_on_the_way_in_is_counted() {
    for (email, altered, withheld) in
        [(r#""ann@example.org""#, 1, 0), (r#""ann@@example.org""#, 0, 1), ("null", 0, 1)]
    {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let mut request =
            post(&format!("/notes?of={ANN}&number=7"), &format!(r#"{{"email":{email},"rest":1}}"#));
        let token = world.token("shop", &["essential.service"]);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let seen = world.send(request).await;
        assert_eq!(seen.status, 200, "{email}: {seen:?}");
        let reached = world.upstream.take();
        assert!(!String::from_utf8_lossy(&reached[0].1).contains("ann@"), "{email}: {reached:?}");
        let (_, closing) = world.last_ticket().await;
        assert_eq!((closing.altered, closing.withheld.len()), (altered, withheld), "{email}: {closing:?}");
    }
}

#[tokio::test]
async fn law_9_a_request_of_whose_body_nothing_is_left_agrees_to_nothing() {
    for (agreed, reached) in [(false, 0), (true, 1)] {
        let world = world();
        let mut events = vec![contract()];
        if agreed {
            let mut consent = consentry_tests::world::consent(ConsentState::Given, 10);
            if let LedgerEvent::Consent(consent) = &mut consent {
                consent.purpose = consentry_model::Purpose::new("essential.service").unwrap();
            }
            events.push(consent);
        }
        world.record("email", ANN, &events).await;
        let mut request = post(&format!("/told?of={ANN}&number=7&news=yes"), r#"{"story":"mine"}"#);
        let token = world.token("shop", &["essential.service"]);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let seen = world.send(request).await;
        assert_eq!(world.upstream.take().len(), reached, "{seen:?}");
        let said = changes(&world.records().await).len();
        assert_eq!(said, reached, "{seen:?}");
        let (head, _) = world.last_ticket().await;
        assert_eq!(
            head.reason.map(consentry_model::Reason::code),
            (!agreed).then_some("consent-required"),
            "{head:?}"
        );
    }
}
