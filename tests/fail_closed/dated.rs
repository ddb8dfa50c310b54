//! What is agreed with a recipient holds between its dates, and at no other time.

use consentry_model::{LedgerEvent, Moment};
use consentry_policy::{Bundle, Sources};
use consentry_tests::world::{Otherwise, World, contract, json, post, spec};

/// The days are those of Vienna: an hour, in summer two, before those of UTC.
const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, home: AT, regimes: [eu-gdpr], time_zone: Europe/Vienna}
requesters: {shop: {purposes: [essential.service]}}
recipients:
  mail: {class: processor, country: US, SAID, tasks: [essential.service]}
routes:
  - route: POST /mail/{id}
    to: mail
    purposes: [essential.service]
    about: {type: customer, space: customer, id: path.id}
    request: {body: {email: user.contact.email}}
    response: {body: {n: none}}
rules:
  - {id: out, permit: essential.service, data: user.contact, of: customer, to: mail, when: {recipient.agreement: true}, basis: contract, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
";

/// 2026-03-01 in Vienna, 2026-02-28T23:00:00Z.
const MARCH: Moment = Moment::from_unix_millis(1_772_319_600_000);
/// 2026-09-01 in Vienna, 2026-08-31T22:00:00Z.
const SEPTEMBER: Moment = Moment::from_unix_millis(1_788_213_600_000);

/// What becomes of a message that is sent there at these times, one after the other.
async fn sent(said: &str, times: &[Moment]) -> Vec<bool> {
    let text = BUNDLE.replace("SAID", said);
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
    let bundle = bundle.unwrap_or_else(|e| panic!("{e}"));
    let world = World::otherwise(Otherwise { bundle: Some(bundle), ..Otherwise::default() });
    let effective = Moment::BEGINNING;
    let home = LedgerEvent::Attribute { name: "region".into(), value: "AT".into(), effective };
    world.record("customer", "c-1", &[contract(), home]).await;
    let mut out = Vec::new();
    for now in times {
        world.clock.set(*now);
        world.policy.confirm(*now);
        let token = world.issuer.token(&spec("shop", &["essential.service"]), *now).unwrap();
        let mut request = post("/mail/c-1", r#"{"email":"ann@example.org"}"#);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        world.upstream.answers(json(r#"{"n":1}"#));
        let seen = world.send(request).await;
        world.upstream.forget();
        let goes = !world.upstream.take().is_empty();
        assert_eq!(seen.status.as_u16(), if goes { 200 } else { 403 }, "{said} {now:?}: {seen:?}");
        out.push(goes);
    }
    out
}

#[tokio::test]
async fn law_1_what_is_agreed_with_a_recipient_holds_between_its_dates_alone() {
    // Before and at each midnight.
    let times = [MARCH.saturating_add_millis(-1), MARCH, SEPTEMBER.saturating_add_millis(-1), SEPTEMBER];
    for (said, expected) in [
        ("safeguard: scc, agreement: true", [true; 4]),
        ("agreement: true", [false; 4]),
        ("safeguard: idta, agreement: true", [false; 4]),
        ("safeguard: scc, agreement: false", [false; 4]),
        (
            "safeguard: {kind: scc, from: 2026-03-01, until: 2026-09-01}, agreement: true",
            [false, true, true, false],
        ),
        ("safeguard: scc, agreement: {from: 2026-03-01, until: 2026-09-01}", [false, true, true, false]),
        ("safeguard: {kind: scc, from: 2026-03-01}, agreement: true", [false, true, true, true]),
        ("safeguard: {kind: bcr, until: 2026-09-01}, agreement: true", [true, true, true, false]),
        ("safeguard: scc, agreement: {until: 2026-09-01}", [true, true, true, false]),
        ("safeguard: {kind: idta, from: 2026-03-01}, agreement: true", [false; 4]),
        ("safeguard: {kind: scc, until: 2026-03-01}, agreement: {from: 2026-03-01}", [false; 4]),
    ] {
        assert_eq!(sent(said, &times).await, expected, "{said}");
        // The answer of one time is none for another, in whatever order they come.
        let back: Vec<_> = times.iter().rev().copied().collect();
        let expected: Vec<_> = expected.into_iter().rev().collect();
        assert_eq!(sent(said, &back).await, expected, "{said}, backwards");
    }
}
