//! Who hears why: what depends on a person is told to that person, proved, and to requesters that the bundle names.

use consentry_identity::Assurance;
use consentry_model::{ConsentState, LedgerEvent};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, consent, contract, get, json};
use http::{Method, Request};
use http_body_util::Full;

const BUNDLE: &str = r#"
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters:
  shop: {purposes: [essential, marketing]}
  desk: {purposes: [essential, marketing], told_reasons: true}
  customer-portal: {purposes: [custom.rights], receives_as: subject}
rules:
  - {id: served, permit: essential.service, data: user.contact, basis: contract, clauses: [c-1]}
  - {id: news, permit: marketing.communications.email, data: user.contact, basis: {consent: opt-in}, clauses: [c-1]}
  - {id: grown-up, require: {that: {subject.age: {at_least: 18}}}, for: custom.rights, reason: age-gate, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: "GET /customers/{id}", purposes: [essential.service, marketing.communications.email], about: {type: customer, space: customer, id: path.id}, response: {body: {email: user.contact}}}
  - {route: DELETE /me, right: erasure, about: {type: customer, space: customer, id: token.sub}, response: {body: none}, events: [{erase: subject}]}
  - {route: "DELETE /people/{id}", right: erasure, about: {type: customer, space: customer, id: path.id}, response: {body: none}, events: [{erase: subject}]}
"#;

fn world() -> World {
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
    let world = World::new();
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    world
}

fn delete(path: &str, token: &str) -> Request<Full<bytes::Bytes>> {
    let mut request = get(path, Some(token), None);
    *request.method_mut() = Method::DELETE;
    request
}

fn erased() -> LedgerEvent {
    LedgerEvent::Erasure { effective: TODAY.saturating_add_millis(-1) }
}

#[tokio::test]
async fn law_13_a_requester_hears_what_depends_on_a_person_only_where_the_bundle_names_it() {
    let (served, news) = ("essential.service", "marketing.communications.email");
    for (what, events, purpose, reason, status) in [
        ("nobody knows her", None, served, "subject-unresolved", 403),
        ("no contract", Some(vec![]), served, "basis-lapsed", 403),
        ("erased", Some(vec![contract(), erased()]), served, "erased", 410),
        ("a no", Some(vec![consent(ConsentState::Withdrawn, 10)]), news, "consent-withdrawn", 403),
    ] {
        for (requester, told) in [("shop", ("not-permitted", 403)), ("desk", (reason, status))] {
            let world = world();
            if let Some(events) = &events {
                world.record("customer", "ann", events).await;
            }
            world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
            let token = world.token(requester, &[purpose]);
            let seen = world.send(get("/customers/ann", Some(&token), None)).await;
            assert_eq!((&*seen.code(), seen.status.as_u16()), told, "{requester}, {what}");
            let (head, closing) = world.last_ticket().await;
            assert_eq!(head.reason.map(|r| r.code()), Some(reason), "{requester}, {what}");
            assert_eq!(closing.status, Some(told.1), "{requester}, {what}");
        }
    }
}

#[tokio::test]
async fn law_13_a_person_hears_why_only_of_themselves_and_only_with_proof() {
    for (what, method_path, assurance, told) in [
        ("themselves", "/me", Assurance::High, "age-gate"),
        ("themselves, by name", "/people/ann", Assurance::Substantial, "age-gate"),
        ("themselves, with little proof", "/me", Assurance::Low, "identity-unverified"),
        ("somebody else", "/people/bob", Assurance::High, "not-permitted"),
        ("somebody whom nobody knows", "/people/eve", Assurance::High, "not-permitted"),
    ] {
        let world = world();
        world.record("customer", "ann", &[contract()]).await;
        world.record("customer", "bob", &[contract()]).await;
        let token = world.person("ann", assurance);
        let seen = world.send(delete(method_path, &token)).await;
        assert_eq!(seen.code(), told, "{what}: {seen:?}");
        assert!(world.upstream.take().is_empty(), "{what}");
        let label = seen.account.and_then(|account| account.reason).map(|reason| reason.code());
        assert_ne!(label, Some("age-gate"), "{what}: a label of a metric is no place for it");
    }
}
