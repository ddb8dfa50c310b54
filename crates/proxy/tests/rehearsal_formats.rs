//! Cases of bodies that are no JSON: written and read as the service map says that they come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics is a test that fails")]

use consentry_policy::{Bundle, Case, CaseOutcome, Sources};
use consentry_proxy::rehearse;

/// A shop that is asked in every format. Who has a contract is served.
const SHOP: &str = r#"
bundle: {controller: Shop, policy: {version: v1, from: 2026-01-01}}
requesters: {desk: {purposes: [essential.service]}}
routes:
  - route: POST /form
    purposes: [essential.service]
    about: {type: customer, space: customer, id: body.id}
    excess: drop
    request:
      type: [application/x-www-form-urlencoded, multipart/form-data]
      body: {id: none, name: user.name, address.city: user.contact.address.city, "tags[]": none}
    response: {body: none}
  - route: GET /lines
    purposes: [essential.service]
    about: {type: customer, space: customer, id: item.id}
    response: {type: [application/x-ndjson], body: {id: none, name: user.name}}
  - route: GET /texts
    purposes: [essential.service]
    about: {type: customer, space: customer, id: item.id}
    response: {type: [application/json-seq], body: {id: none, name: user.name, email: user.contact.email}}
  - route: GET /table
    purposes: [essential.service]
    about: {type: customer, space: customer, id: item.id}
    response: {type: [text/csv], body: {id: none, name: user.name, email: user.contact.email}}
  - route: GET /events
    purposes: [essential.service]
    about: {type: customer, space: customer, id: item.data.id}
    response: {type: [text/event-stream], body: {event: none, data.id: none, data.name: user.name, data.email: user.contact.email}}
  - route: GET /file/{id}
    purposes: [essential.service]
    about: {type: customer, space: customer, id: path.id}
    response: {type: [application/pdf], body: user.financial}
rules:
  - {id: serve, permit: essential.service, data: user.name, of: customer, basis: contract, clauses: [shop-1]}
  - {id: where, permit: essential.service, data: user.contact.address, of: customer, basis: contract, clauses: [shop-1]}
  - {id: files, permit: essential.service, data: user.financial, of: customer, basis: contract, clauses: [shop-1]}
clauses:
  - {id: shop-1, line: 1, section: Use, says: whoever has a contract is served, status: enforced}
cases:
  - case: a form
    clause: shop-1
    who: desk
    asks: POST /form
    why: essential.service
    with: {header.Content-Type: application/x-www-form-urlencoded}
    sends: {id: ann, name: Ann, address: {city: Cork}, tags: [a, b], size: 7}
    about: ann
    given: [ann has a contract since 2026-01-02]
    then: redact
    dropped: [size]
  - case: parts
    clause: shop-1
    who: desk
    asks: POST /form
    why: essential.service
    with: {header.Content-Type: multipart/form-data}
    sends: {id: ann, name: Ann, tags: [a], size: 7}
    about: ann
    given: [ann has a contract since 2026-01-02]
    then: redact
    dropped: [size]
  - case: JSON where a form is taken
    clause: shop-1
    who: desk
    asks: POST /form
    why: essential.service
    with: {header.Content-Type: application/json}
    sends: {id: ann}
    about: ann
    then: refuse body-media-type
  - case: a form of somebody without a contract
    clause: shop-1
    who: desk
    asks: POST /form
    why: essential.service
    with: {header.Content-Type: application/x-www-form-urlencoded}
    sends: {id: bob, name: Bob}
    about: bob
    then: refuse basis-lapsed
  - case: made-up lines
    clause: shop-1
    who: desk
    asks: GET /lines
    why: essential.service
    about: [ann, cy]
    given: [ann has a contract since 2026-01-02, cy has a contract since 2026-01-02]
    then: allow
  - case: lines
    clause: shop-1
    who: desk
    asks: GET /lines
    why: essential.service
    about: [ann, bob]
    given: [ann has a contract since 2026-01-02]
    answer: [{id: ann, name: Ann}, {id: bob, name: Bob}]
    then: redact
    omitted: [bob]
  - case: texts
    clause: shop-1
    who: desk
    asks: GET /texts
    why: essential.service
    about: [ann]
    given: [ann has a contract since 2026-01-02]
    then: redact
    withheld: [email]
  - case: a table
    clause: shop-1
    who: desk
    asks: GET /table
    why: essential.service
    about: [ann]
    given: [ann has a contract since 2026-01-02]
    answer: [{id: ann, name: 'Ann, "the first"', email: ann@example.org}]
    then: redact
    withheld: [email]
  - case: events
    clause: shop-1
    who: desk
    asks: GET /events
    why: essential.service
    about: [ann]
    given: [ann has a contract since 2026-01-02]
    answer: [{event: new, data: {id: ann, name: Ann, email: ann@example.org}}]
    then: redact
    withheld: [data.email]
  - case: a file
    clause: shop-1
    who: desk
    asks: GET /file/ann
    why: essential.service
    about: ann
    given: [ann has a contract since 2026-01-02]
    answer: a file
    then: allow
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_of_a_body_that_is_no_json_is_as_exact_as_one_of_json() {
    type Alter = fn(&mut Case);
    let sources = Sources::from_texts([("shop.yaml", SHOP)]);
    let mut bundle = Bundle::read(&sources).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let results = rehearse(&bundle, &sources, |_| {}).await;
    let failing: Vec<String> = results.iter().filter(|r| !r.holds()).map(ToString::to_string).collect();
    assert!(failing.is_empty(), "{}", failing.join("\n"));

    let table: [(&str, Alter, &str); 9] = [
        ("a form", |c| c.expect.dropped.clear(), "dropped"),
        ("a form", |c| c.expect.dropped.push("name".into()), "dropped"),
        ("parts", |c| c.expect.dropped.clear(), "dropped"),
        ("lines", |c| (c.expect.omitted, c.expect.omitted_names) = (0, Vec::new()), "omitted"),
        ("made-up lines", |c| _ = c.given.pop(), "omitted"),
        ("texts", |c| c.expect.withheld = vec!["name".into()], "withheld"),
        ("a table", |c| c.expect.withheld.clear(), "withheld"),
        ("events", |c| c.expect.withheld.clear(), "withheld"),
        ("a file", |c| c.then = CaseOutcome::Redact, "outcome"),
    ];
    let good = std::mem::take(&mut bundle.cases);
    for (name, alter, _) in &table {
        let mut case = good.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("{name}")).clone();
        alter(&mut case);
        bundle.cases.push(case);
    }
    let results = rehearse(&bundle, &sources, |_| {}).await;
    for (result, (name, _, what)) in results.iter().zip(&table) {
        assert!(result.differences.iter().any(|d| d.what == *what), "{name}: {what}\n{result}");
    }
}
