//! Ways round an obligation by a request that carries no data: a page, a right that is exercised by a bare request, a call
//! without a body.

use bytes::Bytes;
use consentry_audit::Unmet;
use consentry_consent::Ledger;
use consentry_identity::Assurance;
use consentry_layer::{Tls, Transport};
use consentry_model::{Identifier, LedgerEvent, Resolution, RuleId, Space};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, contract, get, typed};
use http::{Method, Request};
use http_body_util::Full;

const BUNDLE: &str = r#"
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}}
requesters:
  shop: {purposes: [essential]}
  customer-portal: {purposes: [custom.rights], receives_as: subject}
facts: {request.ticket: {type: reference, from: header.Ticket}}
rules:
  - {id: served, permit: essential.service, data: user.contact, basis: contract, clauses: [c-1]}
  - {id: bound, RULE, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: GET /page, public: true, purpose: essential.service, about: {type: visitor, anonymous: true}, response: {body: page}}
  - {route: POST /ping, purposes: [essential.service], request: {headers: {Ticket: none}}, response: {body: {status: none}}}
  - {route: "POST /touch/{id}", purposes: [essential.service], about: {type: ledger, space: customer, id: path.id}, response: {body: none}}
  - {route: GET /people, purposes: [essential.service], about: {type: ledger, space: customer, id: item.id}, response: {records: 'rows[]', body: {'rows[].id': none, 'rows[].email': user.contact}}}
  - {route: DELETE /me, right: erasure, about: {type: customer, space: customer, id: token.sub}, response: {body: none}, events: [{erase: subject}]}
  - {route: POST /stop, public: true, right: preferences, about: {type: customer, space: customer, id: query.t}, request: {query: {t: none}}, response: {body: none}, events: [{withdraw: marketing}]}
"#;

fn world(rule: &str) -> World {
    let text = BUNDLE.replace("RULE", rule);
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
    let world = World::new();
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    world
}

fn asks(method: &Method, path: &str, token: Option<&str>, tls: Tls) -> Request<Full<Bytes>> {
    let mut request = get(path, token, None);
    *request.method_mut() = method.clone();
    request.extensions_mut().insert(Transport { tls, ..Transport::default() });
    request
}

async fn events(world: &World) -> Vec<LedgerEvent> {
    let who = [Identifier::new(Space::new("customer"), "ann")];
    match &world.ledger.resolve(&who).await.unwrap().answers[..] {
        [Resolution::Known(state)] => state.events.iter().map(|e| e.event.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn law_8_an_obligation_that_names_no_data_binds_a_request_without_any() {
    let sealed = "require: {that: {request.tls: {at_least: tls1.2}}}, reason: insecure-transport";
    let of_customers = format!("{sealed}, of: customer");
    let for_rights = format!("{sealed}, for: custom.rights");
    let ticket = "require: {that: {request.ticket: present}}, by: shop, reason: justification-required";
    let served = format!("{sealed}, act: serve");
    let grown_up = "require: {that: {subject.age: {at_least: 18}}}, of: customer, reason: age-gate";
    let about_data = "require: {that: {datum.shape: single}}, reason: linkage";
    let of_contact = format!("{sealed}, data: user.contact");
    let lifted = format!("{sealed}, unless: {{request.tls: none}}");
    let (page, ping, touch, leave, stop) = (
        (Method::GET, "/page"),
        (Method::POST, "/ping"),
        (Method::POST, "/touch/ann"),
        (Method::DELETE, "/me"),
        (Method::POST, "/stop?t=ann"),
    );
    let rows = [
        ("a page", sealed, &page, Tls::None, "insecure-transport"),
        ("a page, sealed", sealed, &page, Tls::V1_3, ""),
        ("a page that is no customer's", &*of_customers, &page, Tls::None, ""),
        ("a page, by what is done with it", &*served, &page, Tls::None, "insecure-transport"),
        ("a call, by what is done with a page", &*served, &ping, Tls::None, ""),
        ("a call", sealed, &ping, Tls::None, "insecure-transport"),
        (
            "a call about somebody in whatever capacity",
            &*of_customers,
            &touch,
            Tls::None,
            "insecure-transport",
        ),
        ("a call without its ticket", ticket, &ping, Tls::V1_3, "justification-required"),
        ("a page asked by nobody whom it binds", ticket, &page, Tls::V1_3, ""),
        ("leaving", &*of_customers, &leave, Tls::None, "insecure-transport"),
        ("leaving, by the right", &*for_rights, &leave, Tls::None, "insecure-transport"),
        ("leaving, sealed", &*for_rights, &leave, Tls::V1_3, ""),
        ("leaving, of an age that nobody knows", grown_up, &leave, Tls::V1_3, "age-gate"),
        ("a no", &*for_rights, &stop, Tls::None, "insecure-transport"),
        ("what is asked of data", about_data, &leave, Tls::None, ""),
        ("what binds data of a kind", &*of_contact, &leave, Tls::None, ""),
        ("what is lifted", &*lifted, &leave, Tls::None, ""),
    ];
    for (what, rule, (method, path), tls, code) in rows {
        let world = world(rule);
        world.record("customer", "ann", &[contract()]).await;
        world.upstream.answers(typed("text/html", "<p>hello</p>"));
        let token = match *path {
            "/page" | "/stop?t=ann" => None,
            "/me" => Some(world.person("ann", Assurance::High)),
            _ => Some(world.token("shop", &["essential.service"])),
        };
        if *path != "/page" {
            world.upstream.answers(typed("application/json", "{}"));
        }
        let seen = world.send(asks(method, path, token.as_deref(), tls)).await;
        let told = if seen.status.is_client_error() { seen.code() } else { String::new() };
        assert_eq!(told, code, "{what}: {seen:?}");
        assert_eq!(world.upstream.take().len(), usize::from(code.is_empty()), "{what}");
        let kept = events(&world).await;
        let erased = kept.iter().any(|event| matches!(event, LedgerEvent::Erasure { .. }));
        assert_eq!(erased, *path == "/me" && code.is_empty(), "{what}: {kept:?}");
        // A no is heard whatever becomes of the request.
        let heard = kept.iter().any(|event| matches!(event, LedgerEvent::Consent(_)));
        assert_eq!(heard, path.starts_with("/stop"), "{what}: {kept:?}");
        // Evidence names the rule, and what it rests on.
        let (head, _) = world.last_ticket().await;
        let bound = || Box::new(Unmet { rule: RuleId::new("bound"), clauses: vec!["c-1".into()] });
        assert_eq!(head.unmet, (!code.is_empty()).then(bound), "{what}: {head:?}");
    }
}

#[tokio::test]
async fn evidence_names_the_rule_by_which_data_stays_apart() {
    let apart = "require: {apart: [[user.contact], [user.financial]]}, for: any";
    let more = r#"
  - {route: "GET /both/{id}", purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, response: {body: {a: user.contact, b: user.financial}}}
  - {route: "GET /one/{id}", purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, response: {body: {a: user.contact}}}
"#;
    let text =
        BUNDLE.replace("RULE", apart).replace("data: user.contact,", "data: [user.contact, user.financial],");
    let text = format!("{}{more}", text.trim_end());
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
    let world = World::new();
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    world.record("customer", "ann", &[contract()]).await;
    let token = world.token("shop", &["essential.service"]);
    for (path, named) in [("/both/ann", Some("bound")), ("/one/ann", None)] {
        world.upstream.answers(typed("application/json", r#"{"a":"ann@example.org"}"#));
        let seen = world.send(asks(&Method::GET, path, Some(&token), Tls::V1_3)).await;
        assert_eq!(seen.status.as_u16(), if named.is_some() { 403 } else { 200 }, "{path}: {seen:?}");
        let (head, _) = world.last_ticket().await;
        assert_eq!(head.unmet.as_ref().map(|unmet| unmet.rule.as_str()), named, "{path}: {head:?}");
        assert_eq!(head.reason.is_some(), named.is_some(), "{path}: {head:?}");
        assert_eq!(world.upstream.take().len(), usize::from(named.is_none()), "{path}");
    }
}

/// In which capacity each of a list is there the ledger says, and of several nobody says it in advance.
#[tokio::test]
async fn law_8_an_obligation_on_people_of_one_capacity_binds_a_list_that_may_hold_one() {
    let of = |of: &str| format!("require: {{set_header: {{X-Care: taken}}}}, for: any, act: read{of}");
    for (rule, ids, bound) in [
        (of(""), &["ann", "bob"][..], true),
        (of(", of: employee"), &["ann", "bob"], true),
        (of(", of: employee"), &[], true),
        (of(", of: employee"), &["ann"], false),
        (of(", of: employee"), &["bob"], true),
    ] {
        let world = world(&rule);
        for (id, capacity) in [("ann", "customer"), ("bob", "employee")] {
            let there =
                LedgerEvent::Attribute { name: "type".into(), value: capacity.into(), effective: TODAY };
            world.record("customer", id, &[contract(), there]).await;
        }
        let rows: Vec<_> =
            ids.iter().map(|id| format!(r#"{{"id":"{id}","email":"x@example.org"}}"#)).collect();
        world.upstream.answers(typed("application/json", &format!(r#"{{"rows":[{}]}}"#, rows.join(","))));
        let token = world.token("shop", &["essential.service"]);
        let seen = world.send(asks(&Method::GET, "/people", Some(&token), Tls::V1_3)).await;
        assert_eq!(
            (seen.status.as_u16(), seen.headers.contains_key("x-care")),
            (200, bound),
            "{rule} {ids:?}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn law_1_a_body_that_is_left_out_says_no_more_than_an_empty_one() {
    let more = r#"
  - {route: POST /by, purpose_by: {body.for: {help: essential.service}}, request: {body: {for: none}}, response: {body: none}}
  - {route: POST /who, purposes: [essential.service], about: {type: customer, space: customer, id: body.who}, request: {body: {who: none}}, response: {body: {mail: user.contact}}}
  - {route: "POST /box/{id}", purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, request: {type: [application/json, multipart/form-data], body: {news: none, mail: user.contact}}, response: {body: none}, events: [{if: {body.news: true}, consent: opt-in, to: marketing}, {if: {body.news: false}, withdraw: marketing}]}
  - {route: "POST /form/{id}", purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, request: {type: application/x-www-form-urlencoded, body: {n: none}}, response: {body: none}}
  - {route: "POST /lines/{id}", purposes: [essential.service], about: {type: customer, space: customer, id: path.id}, request: {type: application/x-ndjson, body: {n: none}}, response: {body: none}}
"#;
    let ticket = "require: {that: {request.ticket: present}}, by: shop, reason: justification-required";
    let text = BUNDLE.replace("RULE", ticket).replace("from: header.Ticket", "from: body.news");
    let text = format!("{}{more}", text.trim_end());
    let bundle = |text: &str| {
        let read = Bundle::read(&Sources::from_texts([("bundle.yaml", text)]));
        Engine::new(read.unwrap_or_else(|e| panic!("{e}"))).unwrap()
    };
    let world = World::new();
    world.record("customer", "ann", &[contract()]).await;
    let token = world.token("shop", &["essential.service"]);
    let (json, parts) = (Some("application/json"), Some("multipart/form-data; boundary=b"));
    for (rule, path, kind, status, code) in [
        ("", "/box/ann", None, 200, ""),
        ("", "/box/ann", json, 200, ""),
        ("", "/box/ann", Some("application/json; charset=utf-16"), 415, "body-media-type"),
        ("", "/box/ann", Some("text/plain"), 415, "body-media-type"),
        ("", "/box/ann", parts, 400, "body-malformed"),
        ("", "/by", json, 403, "purpose-missing"),
        ("", "/by", None, 403, "purpose-missing"),
        ("", "/who", json, 403, "not-permitted"),
        ("", "/who", None, 403, "not-permitted"),
        ("", "/form/ann", None, 415, "body-media-type"),
        ("", "/lines/ann", None, 415, "body-media-type"),
        ("bound", "/box/ann", json, 403, "justification-required"),
        ("bound", "/box/ann", None, 403, "justification-required"),
    ] {
        let text =
            if rule.is_empty() { text.replace(", by: shop", ", by: customer-portal") } else { text.clone() };
        world.policy.install(bundle(&text), TODAY);
        for coded in [false, true] {
            let mut request = asks(&Method::POST, path, Some(&token), Tls::V1_3);
            if let Some(kind) = kind {
                request.headers_mut().insert("content-type", kind.parse().unwrap());
            }
            if coded {
                request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            }
            let seen = world.send(request).await;
            let passes = status == 200 && !coded;
            assert_eq!(seen.status == 200, passes, "{path} {kind:?} {coded}: {seen:?}");
            assert!(coded || passes || seen.code() == code, "{path} {kind:?}: {seen:?}");
            let reached = world.upstream.take();
            assert_eq!(reached.len(), usize::from(passes), "{path} {kind:?} {coded}");
            for (head, body) in reached {
                assert!(body.is_empty() && !head.headers.contains_key("content-type"), "{path} {head:?}");
            }
        }
        if kind == json {
            let mut request = asks(&Method::POST, path, Some(&token), Tls::V1_3);
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
            *request.body_mut() = Full::new(Bytes::from_static(b"{}"));
            let seen = world.send(request).await;
            assert_eq!(seen.status, status, "{path}, as `{{}}`: {seen:?}");
            assert!(status == 200 || seen.code() == code, "{path}, as `{{}}`: {seen:?}");
            assert_eq!(world.upstream.take().len(), usize::from(status == 200), "{path}, as `{{}}`");
        }
    }
    assert_eq!(events(&world).await, [contract()], "nothing is agreed to, and no no is said");
}
