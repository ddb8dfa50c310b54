//! Ways round the layer by way of a browser: what the page of another site makes it ask, what may be a replay, conditions on a
//! validator, and a slash at the end of a path.

use bytes::Bytes;
use consentry_consent::Ledger;
use consentry_identity::{Assurance, AuthenticatorConfig, Gateway, NamingHeaders, Network, Peer};
use consentry_layer::Transport;
use consentry_model::{Identifier, LedgerEvent, Purpose, RequesterId, Resolution, Space};
use consentry_policy::{Bundle, Sources};
use consentry_tests::world::{Otherwise, TODAY, World, consent, contract, get, json, post, spec, typed};
use http::{Method, Request};
use http_body_util::Full;

const ANN: &str = "ann@example.org";

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, hosts: [api.example, shop.example], excess: drop}
requesters:
  shop: {purposes: [essential]}
  portal: {purposes: [custom.rights], receives_as: subject}
rules:
  - {id: write, permit: essential.service, data: user.contact, act: collect, basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
  - {id: use, require: {record: {consent: implied, to: any}}, for: essential.service, by: anyone, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: POST /leave, right: erasure, about: {type: customer, space: email, id: token.sub}, request: {body: {all: none}}, response: {body: none}, events: [{if: {body.all: true}, erase: subject}]}
  - {route: POST /agree, public: true, purpose: essential.service, about: {type: customer, space: email, id: cookie.who}, request: {body: {ok: none, no: none}}, response: {body: none}, events: [{if: {body.ok: true}, consent: opt-in, to: marketing.communications.email}, {if: {body.no: true}, withdraw: marketing.communications.email}]}
  - {route: POST /join, public: true, purpose: essential.service, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email}}, response: {body: none}, events: [{consent: opt-in, to: marketing.communications.email}]}
  - {route: GET /page, public: true, purpose: essential.service, about: {type: customer, space: email, id: query.t, anonymous: true}, request: {query: {t: none}}, response: {body: page}}
  - {route: GET /total, purpose: essential.service, response: {body: {total: none}}}
  - {route: PUT /total, purpose: essential.service, request: {body: {total: none}}, response: {body: {total: none}}}
  - {route: 'GET /shelves/', purpose: essential.service, response: {body: {total: none}}}
  - {route: 'GET /shelves/{shelf}/', purpose: essential.service, response: {body: {total: none}}}
  - {route: 'GET /v1/total:sum', purpose: essential.service, response: {body: {total: none}}}
";

/// A gateway that turns a browser's session into headers.
fn believe(config: &mut AuthenticatorConfig) {
    config.naming_headers = Some(NamingHeaders {
        requester: "x-requester".to_owned(),
        person: Some(("x-person".to_owned(), Space::new("email"))),
    });
    config.gateways = vec![Gateway {
        networks: Network::parse("10.1.0.0/16").into_iter().collect(),
        certificates: Vec::new(),
        requesters: [RequesterId::new("portal")].into(),
        purposes: vec![Purpose::new("custom.rights").unwrap()],
        assurance: Assurance::High,
    }];
}

fn world() -> World {
    world_of(BUNDLE)
}

fn world_of(text: &str) -> World {
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", text)])).unwrap_or_else(|e| panic!("{e}"));
    World::otherwise(Otherwise { identity: Some(believe), bundle: Some(bundle), ..Otherwise::default() })
}

type Asked = Request<Full<Bytes>>;

fn with(mut request: Asked, lines: &[(&'static str, &str)]) -> Asked {
    request.headers_mut().insert("host", "api.example".parse().unwrap());
    for (name, value) in lines {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn by_gateway(_: &World, mut request: Asked) -> Asked {
    let peer = Peer { address: Some("10.1.0.1".parse().unwrap()), certificate: None };
    request.extensions_mut().insert(Transport { peer, ..Transport::default() });
    with(request, &[("x-requester", "portal"), ("x-person", ANN)])
}

fn by_token(world: &World, request: Asked) -> Asked {
    let mut spec = spec("portal", &["custom.rights"]);
    spec.person = Some(Identifier::new(Space::new("email"), ANN));
    spec.assurance = Assurance::Substantial;
    let token = world.issuer.token(&spec, world.clock_now()).unwrap();
    with(request, &[("authorization", &format!("Bearer {token}"))])
}

fn by_cookie(_: &World, request: Asked) -> Asked {
    with(request, &[("cookie", &format!("who={ANN}"))])
}

fn by_nobody(_: &World, request: Asked) -> Asked {
    with(request, &[])
}

fn by_shop(world: &World, request: Asked) -> Asked {
    with(request, &[("authorization", &format!("Bearer {}", world.token("shop", &["essential.service"])))])
}

async fn recorded(world: &World) -> Vec<LedgerEvent> {
    let who = [Identifier::new(Space::new("email"), ANN)];
    match &world.ledger.resolve(&who).await.unwrap().answers[..] {
        [Resolution::Known(state)] => state.events.iter().map(|e| e.event.clone()).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn law_9_the_page_of_another_site_agrees_to_nothing_and_erases_nobody() {
    type Asks = fn(&World, Asked) -> Asked;
    let leave: fn() -> Asked = || post("/leave", r#"{"all":true}"#);
    let agree: fn() -> Asked = || post("/agree", r#"{"ok":true}"#);
    let join: fn() -> Asked = || post("/join", &format!(r#"{{"email":"{ANN}"}}"#));
    let site = |word: &'static str| ("sec-fetch-site", word);
    let from = |origin: &'static str| ("origin", origin);
    type Row = (&'static str, Asks, fn() -> Asked, Vec<(&'static str, &'static str)>, bool);
    let rows: Vec<Row> = vec![
        ("no browser", by_gateway, leave, vec![], true),
        ("the own page", by_gateway, leave, vec![site("same-origin"), from("https://api.example")], true),
        ("a page beside it", by_gateway, leave, vec![site("same-site"), from("https://shop.example")], true),
        ("typed in", by_gateway, leave, vec![site("none")], true),
        ("another site", by_gateway, leave, vec![site("cross-site"), from("https://evil.example")], false),
        (
            "another site, led there",
            by_gateway,
            leave,
            vec![site("cross-site"), ("sec-fetch-mode", "navigate")],
            false,
        ),
        (
            "a site of the policy",
            by_gateway,
            leave,
            vec![site("cross-site"), from("https://shop.example")],
            true,
        ),
        ("a word of tomorrow", by_gateway, leave, vec![site("near-site")], false),
        ("two words", by_gateway, leave, vec![site("same-origin"), site("cross-site")], false),
        ("an older browser, the own page", by_gateway, leave, vec![from("https://api.example")], true),
        (
            "an older browser, a host of the policy",
            by_gateway,
            leave,
            vec![from("https://shop.example:8443")],
            true,
        ),
        ("an older browser, another site", by_gateway, leave, vec![from("https://evil.example")], false),
        (
            "a host that begins like it",
            by_gateway,
            leave,
            vec![from("https://api.example.evil.example")],
            false,
        ),
        ("of nowhere", by_gateway, leave, vec![from("null")], false),
        // No browser sends a token unasked.
        (
            "another site with a token",
            by_token,
            leave,
            vec![site("cross-site"), from("https://evil.example")],
            true,
        ),
        ("a cookie", by_cookie, agree, vec![], true),
        ("a cookie, the own page", by_cookie, agree, vec![site("same-origin")], true),
        ("a cookie, another site", by_cookie, agree, vec![site("cross-site")], false),
        // Whoever writes an address down can do so anywhere.
        ("a form of another site", by_nobody, join, vec![site("cross-site")], true),
    ];
    for (what, asks, request, lines, done) in rows {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let request = with(asks(&world, request()), &lines);
        let seen = world.send(request).await;
        let told = if done { String::new() } else { seen.code() };
        let (status, code) = if done { (200, "") } else { (403, "cross-site") };
        assert_eq!((seen.status.as_u16(), &*told), (status, code), "{what}: {seen:?}");
        assert_eq!(world.upstream.take().len(), usize::from(done), "{what}");
        assert_eq!(recorded(&world).await.len() > 1, done, "{what}");
    }
}

#[tokio::test]
async fn law_7_a_no_is_heard_from_the_page_of_another_site() {
    let world = world();
    world.record("email", ANN, &[consent(consentry_model::ConsentState::Given, 10)]).await;
    let request = by_cookie(&world, post("/agree", r#"{"ok":true,"no":true}"#));
    let seen = world.send(with(request, &[("sec-fetch-site", "cross-site")])).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "cross-site"));
    assert_eq!(recorded(&world).await.len(), 2, "the no, and no yes");
}

#[tokio::test]
async fn what_agrees_to_nothing_may_come_from_the_page_of_another_site() {
    for (body, status) in [(r#"{"ok":false}"#, 200), (r#"{"no":true}"#, 200), (r#"{"ok":true}"#, 403)] {
        let world = world();
        world.record("email", ANN, &[consent(consentry_model::ConsentState::Given, 10)]).await;
        let request = by_cookie(&world, post("/agree", body));
        let seen = world.send(with(request, &[("sec-fetch-site", "cross-site")])).await;
        assert_eq!(seen.status.as_u16(), status, "{body}: {seen:?}");
    }
}

#[tokio::test]
async fn a_foreign_origin_is_left_out_where_the_browser_says_how_it_stands() {
    let world = world();
    let request = with(by_shop(&world, get("/total", None, None)), &[("sec-fetch-site", "same-site")]);
    world.upstream.answers(json(r#"{"total":1}"#));
    world.send(with(request, &[("origin", "https://ann.example")])).await;
    let reached = world.upstream.take();
    assert!(!reached[0].0.headers.contains_key("origin"), "{reached:?}");
}

#[tokio::test]
async fn law_5_nobody_agrees_by_a_picture_on_the_page_of_another_site() {
    let site = |word: &'static str| ("sec-fetch-site", word);
    let (mode, to) =
        (|word: &'static str| ("sec-fetch-mode", word), |word: &'static str| ("sec-fetch-dest", word));
    for (what, lines, agrees) in [
        ("no browser", vec![], true),
        ("the own page", vec![site("same-origin"), mode("no-cors"), to("image")], true),
        ("led there", vec![site("cross-site"), mode("navigate"), to("document")], true),
        ("a picture", vec![site("cross-site"), mode("no-cors"), to("image")], false),
        ("a frame", vec![site("cross-site"), mode("navigate"), to("iframe")], false),
        ("nobody knows where to", vec![site("cross-site"), mode("navigate")], false),
        ("an older browser", vec![("origin", "https://evil.example")], false),
    ] {
        let world = world();
        world.record("email", ANN, &[]).await;
        world.upstream.answers(typed("text/html", "<p>"));
        world.send(with(get(&format!("/page?t={ANN}"), None, None), &lines)).await;
        assert_eq!(!recorded(&world).await.is_empty(), agrees, "{what}");
    }
}

#[tokio::test]
async fn the_service_hears_closed_words_of_where_a_request_came_from() {
    for (name, said, told) in [
        ("sec-fetch-site", "cross-site", Some("cross-site")),
        ("sec-fetch-mode", "cors", Some("cors")),
        ("sec-fetch-dest", "image", Some("image")),
        ("sec-fetch-user", "?1", Some("?1")),
        ("sec-fetch-site", "ann", None),
        ("sec-fetch-dest", "ann@example.org", None),
        ("sec-fetch-user", "?0", None),
        ("sec-fetch-storage-access", "active", None),
        ("origin", "https://api.example", Some("https://api.example")),
        ("origin", "https://shop.example", Some("https://shop.example")),
        ("origin", "https://api.example:8443", Some("https://api.example:8443")),
        ("origin", "https://ann.example", Some("null")),
        ("origin", "https://ann@api.example", Some("null")),
        ("origin", "https://api.example:ann", Some("null")),
        ("origin", "https://api.example:4111111111111111", Some("null")),
        ("origin", "https://api.example:", Some("null")),
        ("origin", "https://api.example/ann", Some("null")),
        ("origin", "null", Some("null")),
        ("early-data", "1", Some("1")),
        ("early-data", "ann", None),
        // Nothing may hide an answer.
        ("if-none-match", "*", None),
    ] {
        let world = world();
        let request = by_shop(&world, get("/total", None, None));
        world.upstream.answers(json(r#"{"total":1}"#));
        let seen = world.send(with(request, &[(name, said)])).await;
        assert_eq!(seen.status, 200, "{name}: {said}: {seen:?}");
        let reached = world.upstream.take();
        let got = reached[0].0.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(got, told, "{name}: {said}");
    }
}

#[tokio::test]
async fn law_1_what_may_be_a_replay_does_nothing_and_a_condition_that_nothing_tells_is_not_met() {
    let put: fn() -> Asked = || {
        let mut request = post("/total", r#"{"total":1}"#);
        *request.method_mut() = Method::PUT;
        request
    };
    let read: fn() -> Asked = || get("/total", None, None);
    for (what, request, line, status, code) in [
        ("nothing", put, ("accept", "*/*"), 200, ""),
        ("early", put, ("early-data", "1"), 425, "early-data"),
        ("early, in another word", put, ("early-data", "?1"), 425, "early-data"),
        ("early, and only read", read, ("early-data", "1"), 200, ""),
        ("if there is none", put, ("if-none-match", "*"), 200, ""),
        ("if there is one", put, ("if-match", "*"), 200, ""),
        ("if it is this one", put, ("if-match", "\"v1\""), 412, "precondition-unreadable"),
        ("if it is none of these", put, ("if-none-match", "\"v1\""), 412, "precondition-unreadable"),
        ("if it is any or this one", put, ("if-match", "*, \"v1\""), 412, "precondition-unreadable"),
        (
            "if nobody changed it",
            put,
            ("if-unmodified-since", "Mon, 01 Jun 2026 00:00:00 GMT"),
            412,
            "precondition-unreadable",
        ),
        ("read if it is another", read, ("if-none-match", "\"v1\""), 200, ""),
    ] {
        let world = world();
        world.upstream.answers(json(r#"{"total":1}"#));
        let seen = world.send(with(by_shop(&world, request()), &[line])).await;
        let told = if status == 200 { String::new() } else { seen.code() };
        assert_eq!((seen.status.as_u16(), &*told), (status, code), "{what}: {seen:?}");
        assert_eq!(world.upstream.take().len(), usize::from(status == 200), "{what}");
    }
    // A no is heard all the same, and a yes is none.
    for (body, heard) in [(r#"{"ok":true}"#, 1), (r#"{"no":true}"#, 2)] {
        for line in [("if-match", "\"v1\""), ("if-unmodified-since", "Mon, 01 Jun 2026 00:00:00 GMT")] {
            let world = world();
            world.record("email", ANN, &[contract()]).await;
            let seen = world.send(with(by_cookie(&world, post("/agree", body)), &[line])).await;
            assert_eq!((seen.status.as_u16(), &*seen.code()), (412, "precondition-unreadable"), "{body}");
            assert_eq!(recorded(&world).await.len(), heard, "{body}");
        }
    }
    // A yes that may be a replay is none, and neither is a no: whoever says it says it again.
    for body in [r#"{"ok":true}"#, r#"{"no":true}"#] {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let request = by_cookie(&world, post("/agree", body));
        let seen = world.send(with(request, &[("early-data", "1")])).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (425, "early-data"), "{body}");
        assert_eq!(recorded(&world).await.len(), 1, "{body}");
    }
}

/// A write on a condition went out without it.
#[tokio::test]
async fn law_1_a_condition_goes_with_a_write_to_somebody_outside_and_nothing_of_a_browser_does() {
    let text = format!(
        "{}  - {{route: PUT /away, to: partner, purpose: essential.service, request: {{body: {{total: none}}}}, response: {{body: {{total: none}}}}}}
  - {{route: GET /away, to: partner, purpose: essential.service, response: {{body: {{total: none}}}}}}
",
        BUNDLE.replace(
            "\nrules:",
            "\nrecipients: {partner: {class: processor, country: AT, agreement: true, tasks: [essential.service]}}\nrules:",
        )
    );
    for (method, name, said, status, told) in [
        (Method::PUT, "if-none-match", "*", 200, Some("*")),
        (Method::PUT, "if-match", "*", 200, Some("*")),
        (Method::PUT, "if-match", "\"v1\"", 412, None),
        (Method::PUT, "early-data", "1", 425, None),
        (Method::PUT, "sec-fetch-site", "same-origin", 200, None),
        (Method::PUT, "origin", "https://api.example", 200, None),
        (Method::PUT, "origin", "https://ann.example", 200, None),
        (Method::GET, "early-data", "1", 200, Some("1")),
        (Method::GET, "early-data", "ann", 200, None),
        (Method::GET, "if-none-match", "*", 200, None),
        (Method::GET, "sec-fetch-dest", "image", 200, None),
    ] {
        let world = world_of(&text);
        world.upstream.answers(json(r#"{"total":1}"#));
        let mut request =
            if method == Method::GET { get("/away", None, None) } else { post("/away", r#"{"total":1}"#) };
        *request.method_mut() = method.clone();
        let seen = world.send(with(by_shop(&world, request), &[(name, said)])).await;
        assert_eq!(seen.status.as_u16(), status, "{method} {name}: {said}: {seen:?}");
        let reached = world.upstream.take();
        let got = reached.first().and_then(|(parts, _)| parts.headers.get(name));
        assert_eq!(got.map(|value| value.to_str().unwrap()), told, "{method} {name}: {said}");
    }
}

/// Each of them wrote that an answer is owed.
#[tokio::test]
async fn law_8_nobody_exercises_a_right_by_asking_for_a_head_or_by_what_may_be_a_replay() {
    let rule =
        "rules:\n  - {id: answer, require: {answer_within: P1M}, for: custom.rights.access, clauses: [c-1]}";
    let route = "  - {route: GET /mine, right: access, about: {type: customer, space: email, id: token.sub}, response: {body: {total: none}}}\n";
    let without = format!("{BUNDLE}{route}");
    let text = without.replace("rules:", rule);
    let early = ("early-data", "1");
    for (what, text, method, line, status, owed) in [
        ("asked", &text, Method::GET, None, 200, true),
        ("the head alone", &text, Method::HEAD, None, 403, false),
        ("early", &text, Method::GET, Some(early), 425, false),
        ("nothing is owed", &without, Method::GET, None, 200, false),
        ("nothing is owed, the head alone", &without, Method::HEAD, None, 200, false),
    ] {
        let world = world_of(text);
        world.record("email", ANN, &[contract()]).await;
        world.upstream.answers(json(r#"{"total":1}"#));
        let mut request = by_token(&world, get("/mine", None, None));
        *request.method_mut() = method;
        let lines: Vec<_> = line.into_iter().collect();
        let seen = world.send(with(request, &lines)).await;
        assert_eq!(seen.status.as_u16(), status, "{what}: {seen:?}");
        let is_owed = |event: &LedgerEvent| matches!(event, LedgerEvent::Duty { .. });
        assert_eq!(recorded(&world).await.iter().any(is_owed), owed, "{what}");
    }
}

#[tokio::test]
async fn law_9_nobody_is_told_to_pay_for_a_right() {
    let route = "  - {route: GET /mine, RIGHT, about: {type: customer, space: email, id: token.sub}, response: {body: {total: none}}}\n";
    for (right, told) in [("right: access", 502), ("purpose: custom.rights.access", 402)] {
        let world = world_of(&format!("{BUNDLE}{}", route.replace("RIGHT", right)));
        world.record("email", ANN, &[contract()]).await;
        let mut answer = json(r#"{"total":1}"#);
        *answer.status_mut() = http::StatusCode::PAYMENT_REQUIRED;
        world.upstream.answers(answer);
        let seen = world.send(by_token(&world, get("/mine", None, None))).await;
        assert_eq!(seen.status.as_u16(), told, "{right}: {seen:?}");
    }
}

/// Whichever rule stood first told the day.
#[tokio::test]
async fn law_8_an_answer_is_owed_by_the_first_of_the_days_that_bind_the_person() {
    let rule = |id: &str, period: &str, more: &str| {
        format!(
            "  - {{id: {id}, require: {{answer_within: {period}}}, for: custom.rights{more}, clauses: [c-1]}}\n"
        )
    };
    let (late, soon) = (rule("late", "P45D", ""), rule("soon", "P1M", ".access"));
    let far = rule("far", "P10D", ", when: {subject.region: US}");
    let route = "  - {route: GET /mine, right: access, about: {type: customer, space: email, id: token.sub}, response: {body: {total: none}}}\n";
    for (rules, region, days) in [
        (vec![&late], "FR", 45),
        (vec![&late, &soon], "FR", 30),
        (vec![&soon, &late], "FR", 30),
        (vec![&far, &soon], "FR", 30),
        (vec![&soon, &far], "US", 10),
        // Nobody knows that it does not bind.
        (vec![&soon, &far], "", 10),
    ] {
        let rules: String = rules.into_iter().map(String::as_str).collect();
        let world =
            world_of(&format!("{BUNDLE}{route}").replace("rules:", &format!("rules:\n{}", rules.trim_end())));
        let effective = TODAY.saturating_add_millis(-1);
        let lives = LedgerEvent::Attribute { name: "region".into(), value: region.into(), effective };
        let known = if region.is_empty() { vec![contract()] } else { vec![contract(), lives] };
        world.record("email", ANN, &known).await;
        world.upstream.answers(json(r#"{"total":1}"#));
        let seen = world.send(by_token(&world, get("/mine", None, None))).await;
        assert_eq!(seen.status, 200, "{rules} {region}: {seen:?}");
        let due: Vec<_> = recorded(&world)
            .await
            .iter()
            .filter_map(|event| match event {
                LedgerEvent::Duty { due, .. } => Some(*due),
                _ => None,
            })
            .collect();
        let expected = TODAY.saturating_add_millis(days * 24 * 60 * 60 * 1_000);
        assert_eq!(due, [Some(expected)], "{rules} {region}");
    }
}

/// Of a page it was asked whether it may be JSON.
#[tokio::test]
async fn a_service_hears_which_of_the_types_of_pages_a_browser_takes() {
    for (said, told) in [
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            Some("text/html, image/avif, image/webp, */*"),
        ),
        ("image/*, text/html;q=0", Some("image/*")),
        ("text/html; for=\"ann@example.org\"", Some("text/html")),
        ("application/json, application/pdf", None),
        ("ann@example.org", None),
    ] {
        let world = world();
        world.upstream.answers(typed("text/html", "<p>"));
        let seen = world.send(with(get("/page", None, None), &[("accept", said)])).await;
        assert_eq!(seen.status, 200, "{said}: {seen:?}");
        let reached = world.upstream.take();
        let got = reached[0].0.headers.get("accept").map(|value| value.to_str().unwrap());
        assert_eq!(got, told, "{said}");
    }
}

#[tokio::test]
async fn law_1_a_slash_at_the_end_is_part_of_a_path_where_a_route_has_it_and_has_two_readings_elsewhere() {
    for (path, status) in [
        ("/shelves/", 200),
        ("/shelves/a/", 200),
        ("/v1/total:sum", 200),
        ("/total", 200),
        ("/shelves", 403),
        ("/shelves/a", 403),
        ("/shelves//", 400),
        ("//shelves/", 400),
        ("/shelves/a//", 400),
        ("/total/", 400),
        ("/nowhere/", 400),
        ("/v1/total%3Bsum", 400),
    ] {
        let world = world();
        world.upstream.answers(json(r#"{"total":1}"#));
        let seen = world.send(by_shop(&world, get(path, None, None))).await;
        assert_eq!(seen.status.as_u16(), status, "{path}: {seen:?}");
        let reached = world.upstream.take();
        assert_eq!(reached.len(), usize::from(status == 200), "{path}");
        assert!(reached.iter().all(|(parts, _)| parts.uri.path() == path), "{path}: {reached:?}");
    }
    // With and without, many services take them for the same.
    for (more, ambiguous) in [
        ("/shelves", true),
        ("/shelves/{other}", true),
        ("/shelves/new", true),
        ("/{any}", true),
        ("/shelves/{a}/{b}", false),
    ] {
        let route =
            format!("  - {{route: 'GET {more}', purpose: essential.service, response: {{body: none}}}}\n");
        let found = Bundle::read(&Sources::from_texts([("bundle.yaml", &*format!("{BUNDLE}{route}"))]));
        let said = found.map(|_| ()).map_err(|e| e.to_string()).err().unwrap_or_default();
        assert_eq!(said.contains("matches what"), ambiguous, "{more}: {said}");
    }
    for path in ["//a", "/a//b", "/a//", "/a/./b", "/a.", "/a%20b", "/a;b", "/a b", "/{a}.json"] {
        let route =
            format!("  - {{route: 'GET {path}', purpose: essential.service, response: {{body: none}}}}\n");
        let found = Bundle::read(&Sources::from_texts([("bundle.yaml", &*format!("{BUNDLE}{route}"))]));
        assert!(found.is_err(), "{path}");
    }
}

#[tokio::test]
async fn law_13_a_trace_that_tells_of_somebody_is_not_joined() {
    let span = "00f067aa0ba902b7";
    for (trace, joined) in [
        ("4bf92f3577b34da6a3ce929d0e0e4736", true),
        ("00000000000000006da1ee07d1ca5377", true),
        ("00000000000000004111111111111111", false),
        ("41111111111111110000000000000000", false),
        // ann@example.org in hexadecimal digits.
        ("616e6e406578616d706c652e6f726720", false),
    ] {
        let world = world();
        world.upstream.answers(json(r#"{"total":1}"#));
        let line = format!("00-{trace}-{span}-01");
        let request = with(by_shop(&world, get("/total", None, None)), &[("traceparent", &line)]);
        assert_eq!(world.send(request).await.status, 200, "{trace}");
        let reached = world.upstream.take();
        let told = reached[0].0.headers["traceparent"].to_str().unwrap();
        assert_eq!(told.contains(trace), joined, "{trace}: {told}");
        let (head, _) = world.last_ticket().await;
        assert_eq!(head.trace_id == trace, joined, "{trace}");
    }
}
