//! Ways round the layer by what a request does to the ledger, and when: what was not asked for, what a refused request leaves
//! behind, what is said while a body is still on its way, and places that are counted twice.

use bytes::Bytes;
use consentry_consent::Ledger;
use consentry_identity::Assurance;
use consentry_model::{
    Category, ConsentEvent, ConsentKind, ConsentState, Identifier, LedgerEvent, Moment, Occurrence, Purpose,
    RecipientId, Resolution, Space,
};
use consentry_policy::{Bundle, Sources};
use consentry_tests::world::{Otherwise, TODAY, World, consent, contract, get, json, post, spec, typed};
use futures_util::stream;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tower_service::Service;

const ANN: &str = "ann@example.org";
const MAIL: &str = "marketing.communications.email";

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop, home: US, regimes: [us, eu-gdpr]}
requesters:
  shop: {purposes: [essential, marketing]}
  portal: {purposes: [custom.rights], receives_as: subject}
facts:
  request.ticket: {type: reference, from: body.ticket}
rules:
  - {id: news, permit: marketing.communications.email, data: user.contact, act: read, basis: {consent: opt-in}, clauses: [c-1]}
  - {id: write, permit: essential.service, data: user.contact, act: collect, basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: POST /leave, right: erasure, about: {type: customer, space: email, id: token.sub}, request: {body: {all: none}}, response: {body: none}, events: [{if: {body.all: true}, erase: subject}]}
  - {route: POST /pause, right: restriction, about: {type: customer, space: email, id: token.sub}, request: {body: {on: none}, excess: refuse}, response: {body: none}, events: [{if: {body.on: true}, restrict: subject}]}
  - {route: POST /join, public: true, purpose: essential.service, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, ok: none}, excess: refuse}, response: {body: none}, events: [{if: {body.ok: true}, consent: opt-in, to: marketing.communications.email}]}
  - {route: POST /prefs, public: true, purpose: essential.service, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, card: user.financial, no: none}, excess: refuse}, response: {body: none}, events: [{if: {body.no: true}, withdraw: marketing.communications.email}]}
  - {route: POST /ask, purposes: [marketing.communications.email], about: {type: customer, space: email, id: body.who}, request: {body: {who: none}}, response: {body: {email: user.contact.email}}}
  - {route: POST /both, right: erasure, about: {type: customer, space: email, id: token.sub}, request: {body: {all: none, ok: none}}, response: {body: none}, events: [{if: {body.ok: true}, consent: opt-in, to: marketing.communications.email}, {if: {body.all: true}, erase: subject}]}
  - {route: GET /list, purposes: [marketing.communications.email], about: {type: customer, space: email, id: item.email}, response: {records: 'rows[]', body: {'rows[].email': user.contact.email}}}
";

fn with(text: &str) -> World {
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", text)])).unwrap_or_else(|e| panic!("{e}"));
    World::otherwise(Otherwise { bundle: Some(bundle), ..Otherwise::default() })
}

fn world() -> World {
    with(BUNDLE)
}

fn bearing(
    world: &World,
    requester: &str,
    purpose: &str,
    mut request: Request<Full<Bytes>>,
) -> Request<Full<Bytes>> {
    let mut spec = spec(requester, &[purpose]);
    if requester == "portal" {
        spec.person = Some(Identifier::new(Space::new("email"), ANN));
        spec.assurance = Assurance::Substantial;
    }
    let token = world.issuer.token(&spec, world.clock_now()).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// What is recorded of her since the world began.
async fn recorded(world: &World) -> Vec<LedgerEvent> {
    let who = [Identifier::new(Space::new("email"), ANN)];
    match &world.ledger.resolve(&who).await.unwrap().answers[..] {
        [Resolution::Known(state)] => state.events.iter().map(|e| e.event.clone()).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn law_9_nobody_is_erased_or_restricted_who_did_not_ask_for_it() {
    for (path, body, takes_place) in [
        ("/leave", r#"{"all":true}"#, true),
        ("/leave", r#"{"all":false}"#, false),
        ("/leave", r#"{"all":"true"}"#, false),
        ("/leave", "{}", false),
        ("/pause", r#"{"on":true}"#, true),
        ("/pause", r#"{"on":false}"#, false),
    ] {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let seen = world.send(bearing(&world, "portal", "custom.rights", post(path, body))).await;
        assert_eq!(seen.status, 200, "{path} {body}: {seen:?}");
        let done = recorded(&world).await.iter().any(|event| {
            matches!(event, LedgerEvent::Erasure { .. } | LedgerEvent::Restriction { on: true, .. })
        });
        assert_eq!(done, takes_place, "{path} {body}");
    }
}

#[tokio::test]
async fn law_7_a_no_is_heard_beside_what_may_not_be_brought() {
    for body in [
        r#"{"email":"ann@example.org","no":true}"#,
        r#"{"email":"ann@example.org","no":true,"card":"x"}"#,
        r#"{"email":"ann@example.org","no":true,"x":1}"#,
    ] {
        let world = world();
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.send(post("/prefs", body)).await;
        assert_eq!(recorded(&world).await.len(), 2, "{body}");
    }
}

/// A request whose body ends only after something happened: her withdrawal, `millis` after the request began.
fn slowly(
    world: &World,
    request: Request<Full<Bytes>>,
    millis: i64,
    no: bool,
) -> Request<http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>> {
    let (clock, ledger) = (std::sync::Arc::clone(&world.clock), std::sync::Arc::clone(&world.ledger));
    let (parts, body) = request.into_parts();
    let frames = stream::once(async move {
        let bytes = body.collect().await.unwrap().to_bytes();
        let later = TODAY.saturating_add_millis(millis);
        clock.set(later);
        if no {
            let LedgerEvent::Consent(mut event) = consent(ConsentState::Withdrawn, 0) else { panic!() };
            event.effective = later;
            let who = Identifier::new(Space::new("email"), ANN);
            ledger.append(&who, &[LedgerEvent::Consent(event)], later).await.unwrap();
        }
        Ok::<_, std::io::Error>(Frame::data(bytes))
    });
    Request::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(frames)))
}

#[tokio::test]
async fn law_11_a_no_binds_a_request_whose_body_is_still_on_its_way() {
    for (millis, no, told) in
        [(0, false, true), (10_000, false, true), (10_000, true, false), (1, true, false)]
    {
        let world = world();
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let request = bearing(&world, "shop", MAIL, post("/ask", r#"{"who":"ann@example.org"}"#));
        let response = world.service.clone().call(slowly(&world, request, millis, no)).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(String::from_utf8_lossy(&body).contains(ANN), told, "{millis} ms later, a no: {no}");
    }
}

#[tokio::test]
async fn law_1_what_is_no_reference_is_none() {
    let text = BUNDLE
        .replace(
            "basis: {consent: opt-in}, clauses",
            "when: {request.ticket: present}, basis: {legitimate_interests: LIA-1}, clauses",
        )
        .replace("request: {body: {who: none}}", "request: {body: {who: none, ticket: none}}");
    let world = with(&text);
    world.record("email", ANN, &[contract()]).await;
    for (ticket, counts) in [
        (r#""T-1""#, true),
        ("17", true),
        ("\"\u{7968}\"", true),
        ("null", false),
        (r#""""#, false),
        (r#"" ""#, false),
        ("\"\u{200b}\"", false),
        (r#""-""#, false),
        ("false", false),
        ("true", false),
        ("{}", false),
        ("[]", false),
        (r#"[""]"#, false),
        ("1.5", false),
        (r#""false""#, false),
        (r#""True""#, false),
        (r#"" null ""#, false),
        (r#""None""#, false),
        (r#""undefined""#, false),
        (r#""N/A""#, false),
        (r#""(none)""#, false),
        (r#""none-17""#, true),
    ] {
        world.upstream.forget();
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let body = format!(r#"{{"who":"{ANN}","ticket":{ticket}}}"#);
        let seen = world.send(bearing(&world, "shop", MAIL, post("/ask", &body))).await;
        let told = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(told, counts, "{ticket}");
    }
}

#[tokio::test]
async fn law_10_nobody_says_that_a_datum_was_never_collected() {
    let young = "when: {within: {since: datum.collected_at, for: P1Y}}";
    let old = "when: {not: {within: {since: datum.collected_at, for: P1Y}}}";
    for (when, since, recorded, told) in [
        (young, r#""2026-05-01""#, false, true),
        (young, r#""2020-05-01""#, false, false),
        (young, "null", false, false),
        (old, r#""2026-05-01""#, false, false),
        (old, r#""2020-05-01""#, false, true),
        (old, r#""2026-05-01""#, true, true),
        (old, "null", false, false),
        (old, "null", true, true),
        (old, r#""""#, false, false),
        (old, r#""01/05/2020""#, true, false),
        (old, "[]", true, false),
    ] {
        let text = BUNDLE
            .replace(
                "basis: {consent: opt-in}, clauses",
                &format!("{when}, basis: {{legitimate_interests: LIA-1}}, clauses"),
            )
            .replace(
                "request: {body: {who: none}}",
                "facts: {datum.collected_at: body.since}, request: {body: {who: none, since: none}}",
            );
        let world = with(&text);
        let what = Occurrence::Collected { category: Category::new("user.contact").unwrap(), origin: None };
        let collected = LedgerEvent::Occurrence { what, effective: Moment::from_unix_millis(0) };
        world.record("email", ANN, &if recorded { vec![collected] } else { vec![contract()] }).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let body = format!(r#"{{"who":"{ANN}","since":{since}}}"#);
        let seen = world.send(bearing(&world, "shop", MAIL, post("/ask", &body))).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{when} {since} {recorded}");
    }
}

#[tokio::test]
async fn law_1_a_country_that_nobody_can_read_is_not_the_one_on_record() {
    let implied = ConsentEvent {
        purpose: Purpose::new(MAIL).unwrap(),
        state: ConsentState::Given,
        kind: ConsentKind::Implied,
        recipient: None,
        effective: TODAY.saturating_add_millis(-1),
        valid_until: None,
        notice: None,
    };
    let text =
        BUNDLE.replace("basis: {consent: opt-in}, clauses", "basis: {consent: implied}, clauses").replace(
            "request: {body: {who: none}}",
            "facts: {subject.region: body.country}, request: {body: {who: none, country: none}}",
        );
    for (country, told) in [
        ("null", true),
        (r#""""#, true),
        (r#""US""#, true),
        (r#""DE""#, false),
        (r#""de""#, false),
        (r#""Germany""#, false),
        (r#"["DE"]"#, false),
        (r#"{"code":"DE"}"#, false),
        ("49", false),
    ] {
        let world = with(&text);
        let effective = TODAY.saturating_add_millis(-1);
        let there = LedgerEvent::Attribute { name: "region".into(), value: "US".into(), effective };
        world.record("email", ANN, &[there, LedgerEvent::Consent(implied.clone())]).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let body = format!(r#"{{"who":"{ANN}","country":{country}}}"#);
        let seen = world.send(bearing(&world, "shop", MAIL, post("/ask", &body))).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{country}");
    }
}

#[tokio::test]
async fn law_1_a_claim_in_another_shape_is_not_nothing_said() {
    let text = BUNDLE
        .replace(
            "basis: {consent: opt-in}, clauses",
            "when: {subject.age: {at_least: 18}}, basis: {legitimate_interests: LIA-1}, clauses",
        )
        .replace(
            "  request.ticket: {type: reference, from: body.ticket}",
            "  subject.age: {if_unknown: 30, because: Adults are served., clauses: [c-1]}",
        )
        .replace(
            "request: {body: {who: none}}",
            "facts: {subject.born: token.born}, request: {body: {who: none}}",
        );
    let world = with(&text);
    world.record("email", ANN, &[contract()]).await;
    for (born, told) in [
        (None, true),
        (Some("null"), true),
        (Some(r#""""#), true),
        (Some(r#""1990-01-01""#), true),
        (Some(r#""2015-01-01""#), false),
        (Some(r#"["2015-01-01"]"#), false),
        (Some("20150101"), false),
        (Some("2015.5"), false),
        (Some("-1"), false),
        (Some("[2015,1,1]"), false),
        (Some(r#"{"year":2015}"#), false),
        (Some("[]"), false),
        (Some("true"), false),
    ] {
        let mut spec = spec("shop", &[MAIL]);
        let claim = born.map(|born| ("born".to_owned(), serde_json::from_str(born).unwrap()));
        spec.others.extend(claim);
        let token = world.issuer.token(&spec, TODAY).unwrap();
        let mut request = post("/ask", r#"{"who":"ann@example.org"}"#);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        world.upstream.forget();
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let seen = world.send(request).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{born:?}");
    }
}

#[tokio::test]
async fn law_7_a_no_in_a_body_is_heard_in_whatever_shape_it_comes() {
    for (wanted, no, heard) in [
        ("true", "true", true),
        ("true", r#""true""#, true),
        ("true", r#"" TRUE ""#, true),
        ("true", "1", true),
        ("true", r#""on""#, true),
        ("true", r#""yes""#, true),
        ("true", "[true]", true),
        ("true", r#"["a","true"]"#, true),
        ("true", "false", false),
        ("true", "0", false),
        ("true", "null", false),
        ("true", r#""""#, false),
        ("true", r#""false""#, false),
        ("true", r#"{"a":true}"#, false),
        ("true", "[]", false),
        ("false", "false", true),
        ("false", r#""off""#, true),
        ("false", "\"n\u{fe0f}o\"", true),
        ("false", r#""n\udb40\udc41o""#, true),
        ("false", "0", true),
        ("false", "true", false),
        ("false", "null", false),
        ("stop", r#""stop""#, true),
        ("stop", r#"" Stop""#, true),
        ("stop", r#"["stop"]"#, true),
        ("stop", r#""stopped""#, false),
        ("stop", "true", false),
        ("7", "7", true),
        ("7", r#""7""#, true),
        ("7", "7.0", false),
        ("7", "70", false),
    ] {
        let world = with(&BUNDLE.replace("{body.no: true}", &format!("{{body.no: {wanted}}}")));
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.send(post("/prefs", &format!(r#"{{"email":"{ANN}","no":{no}}}"#))).await;
        assert_eq!(recorded(&world).await.len() == 2, heard, "{wanted}: {no}");
    }
}

/// Kinds of body in which the same can be said.
const KINDS: &str = "type: [application/json, application/x-ndjson, application/json-seq, text/csv, application/x-www-form-urlencoded], ";
const LINES: &str = "application/x-ndjson";
const SEQUENCE: &str = "application/json-seq";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn of_kind(path: &str, kind: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = post(path, body);
    request.headers_mut().insert("content-type", kind.parse().unwrap());
    request
}

#[tokio::test]
async fn law_1_what_lines_rows_or_elements_say_is_not_nothing_said() {
    let text = BUNDLE
        .replace(
            "basis: {consent: opt-in}, clauses",
            "when: {subject.age: {at_least: 18}}, basis: {legitimate_interests: LIA-1}, clauses",
        )
        .replace(
            "  request.ticket: {type: reference, from: body.ticket}",
            "  subject.age: {if_unknown: 30, because: Adults are served., clauses: [c-1]}",
        )
        .replace("POST /ask,", "'POST /ask/{id}',")
        .replace("id: body.who}", "id: path.id}")
        .replace(
            "request: {body: {who: none}}",
            &format!("facts: {{subject.born: body.a.born}}, request: {{{KINDS}body: {{'a.**': none}}}}"),
        );
    let world = with(&text);
    world.record("email", ANN, &[contract()]).await;
    for (kind, body, told) in [
        (JSON, r#"{"a":{"born":"1990-01-01"}}"#, true),
        (JSON, r#"{"a":{"born":"2015-01-01"}}"#, false),
        (JSON, r#"{"a":{}}"#, true),
        (JSON, r#"{"a":null}"#, true),
        (JSON, "{}", true),
        (JSON, r#"{"a":[{"born":"2015-01-01"}]}"#, false),
        (JSON, r#"{"a":[]}"#, false),
        (JSON, r#"{"a":"{\"born\":\"2015-01-01\"}"}"#, false),
        (JSON, r#"{"a":2015}"#, false),
        (LINES, "{\"a\":{\"born\":\"2015-01-01\"}}\n", false),
        (LINES, "{}\n{\"a\":{\"born\":\"2015-01-01\"}}\n", false),
        (SEQUENCE, "\u{1e}{\"a\":{\"born\":\"2015-01-01\"}}\n", false),
        ("text/csv", "a.born\n2015-01-01\n", false),
        ("text/csv", "a.x,a.born\n1,2015-01-01\n", false),
        (FORM, "a.born=1990-01-01", true),
        (FORM, "a.born=2015-01-01", false),
        (FORM, "a=2015-01-01", false),
        (FORM, "a.x=1", true),
    ] {
        world.upstream.forget();
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let request = of_kind("/ask/ann%40example.org", kind, body);
        let seen = world.send(bearing(&world, "shop", MAIL, request)).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{kind} {body}");
    }
}

#[tokio::test]
async fn law_7_a_no_is_heard_in_whichever_line_row_or_element_it_stands() {
    let text = BUNDLE
        .replace("POST /prefs,", "'POST /prefs/{id}',")
        .replace(
            "id: body.email}, request: {body: {email: user.contact.email, card: user.financial, no: none}, excess: refuse}",
            &format!("id: path.id}}, request: {{{KINDS}body: {{'a.**': none, 'as.**': none}}}}"),
        )
        .replace("{body.no: true}", "{body.a.no: true}");
    for (kind, body, heard) in [
        (JSON, r#"{"a":{"no":true}}"#, true),
        (JSON, r#"{"a":[{"x":1},{"no":true}]}"#, true),
        (JSON, r#"{"a":[[{"no":"yes"}]]}"#, true),
        (JSON, r#"{"a":[{"no":false}],"as":{"no":true}}"#, false),
        (JSON, r#"{"a":["no"]}"#, false),
        (LINES, "{\"a\":{\"no\":false}}\n{\"a\":{\"no\":true}}\n", true),
        (LINES, "{\"a\":{\"no\":false}}\n{}\n", false),
        (SEQUENCE, "\u{1e}{\"a\":{\"no\":true}}\n", true),
        ("text/csv", "a.no\ntrue\n", true),
        ("text/csv", "a.x,a.no\n1,\n2,YES\n", true),
        ("text/csv", "a.no[]\n1\n", true),
        ("text/csv", "a.no\nfalse\n", false),
        ("text/csv", "a.x,a.no\ntrue,\n", false),
        ("text/csv", "a.no\n", false),
        (FORM, "a.no=on", true),
    ] {
        let world = with(&text);
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.send(of_kind("/prefs/ann%40example.org", kind, body)).await;
        assert_eq!(recorded(&world).await.len() == 2, heard, "{kind} {body}");
    }
}

#[tokio::test]
async fn law_1_nobody_is_a_day_older_for_the_hour_of_a_birth() {
    // It is 1 June.
    for (born, adult) in [
        ("2008-06-01", true),
        ("2008-06-02", false),
        ("2008-06-01T00:00:00Z", true),
        ("2008-06-02T00:00:00Z", false),
        ("2008-06-02T00:00:00+02:00", false),
        ("2008-06-01T23:30:00-05:00", false),
        ("2008-05-31T22:00:00-05:00", true),
        ("20080602T000000+0200", false),
        ("20080501T000000Z", false),
        ("+002008-06-02T00:00:00+02:00", false),
        ("2008-06-02T00:00:00+02:00[Europe/Riga]", false),
    ] {
        for on_record in [false, true] {
            let text = BUNDLE
                .replace(
                    "basis: {consent: opt-in}, clauses",
                    "when: {subject.age: {at_least: 18}}, basis: {legitimate_interests: LIA-1}, clauses",
                )
                .replace(
                    "request: {body: {who: none}}",
                    "facts: {subject.born: body.born}, request: {body: {who: none, born: none}}",
                );
            let world = with(&text);
            let effective = TODAY.saturating_add_millis(-1);
            let there = LedgerEvent::Attribute { name: "born".into(), value: born.into(), effective };
            world.record("email", ANN, &if on_record { vec![there] } else { vec![] }).await;
            world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
            let said = if on_record { "null".to_owned() } else { format!("\"{born}\"") };
            let body = format!(r#"{{"who":"{ANN}","born":{said}}}"#);
            let seen = world.send(bearing(&world, "shop", MAIL, post("/ask", &body))).await;
            let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
            assert_eq!(shown, adult, "{born}, on record: {on_record}");
        }
    }
}

#[tokio::test]
async fn law_5_nobody_agrees_by_asking_for_a_head_alone() {
    let text = format!(
        "{}\n{}",
        BUNDLE.replace(
            "rules:\n",
            "rules:\n  - {id: use, require: {record: {consent: implied, to: any}}, for: essential.service, by: anyone, clauses: [c-1]}\n",
        ),
        "  - {route: GET /page, public: true, purpose: essential.service, about: {type: customer, space: email, id: query.t, anonymous: true}, request: {query: {t: none}}, response: {body: page}}"
    );
    for (method, agrees) in [(Method::GET, true), (Method::HEAD, false)] {
        let world = with(&text);
        world.record("email", ANN, &[]).await;
        world.upstream.answers(typed("text/html", "<p>"));
        let mut request = get(&format!("/page?t={ANN}"), None, None);
        *request.method_mut() = method.clone();
        world.send(request).await;
        assert_eq!(!recorded(&world).await.is_empty(), agrees, "{method}");
    }
}

#[tokio::test]
async fn law_9_a_request_whose_erasure_is_refused_agrees_to_nothing() {
    for (assurance, body, status, events) in [
        (Assurance::Substantial, r#"{"ok":true}"#, 200, 2),
        (Assurance::Substantial, r#"{"all":true}"#, 200, 2),
        (Assurance::Substantial, r#"{"ok":true,"all":true}"#, 200, 3),
        (Assurance::Low, r#"{"all":true}"#, 401, 1),
        (Assurance::Low, r#"{"ok":true,"all":true}"#, 401, 1),
    ] {
        let world = world();
        world.record("email", ANN, &[contract()]).await;
        let mut spec = spec("portal", &["custom.rights"]);
        spec.person = Some(Identifier::new(Space::new("email"), ANN));
        spec.assurance = assurance;
        let token = world.issuer.token(&spec, world.clock_now()).unwrap();
        let mut request = post("/both", body);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let seen = world.send(request).await;
        assert_eq!(seen.status, status, "{assurance:?} {body}: {seen:?}");
        assert_eq!(recorded(&world).await.len(), events, "{assurance:?} {body}");
    }
}

#[tokio::test]
async fn law_1_a_no_that_names_a_recipient_whom_nobody_knows_counts_for_every_one() {
    let said = |state, days, recipient: Option<&str>| {
        let LedgerEvent::Consent(event) = consent(state, days) else { panic!() };
        LedgerEvent::Consent(ConsentEvent { recipient: recipient.map(RecipientId::new), ..event })
    };
    let (yes, no) = (ConsentState::Given, ConsentState::Withdrawn);
    let objection = |name| LedgerEvent::Objection {
        purpose: Purpose::new(MAIL).unwrap(),
        recipient: Some(RecipientId::new(name)),
        effective: TODAY.saturating_add_millis(-1),
    };
    for (what, events, told) in [
        ("a yes", vec![said(yes, 9, None)], true),
        ("a no to somebody else", vec![said(yes, 9, None), said(no, 5, Some("third_party"))], true),
        ("a no to nobody here", vec![said(yes, 9, None), said(no, 5, Some("gone-crm"))], false),
        ("refused", vec![said(yes, 9, None), said(ConsentState::Refused, 5, Some("gone-crm"))], false),
        ("an objection", vec![said(yes, 9, None), objection("gone-crm")], false),
        ("a yes to nobody here", vec![said(yes, 9, Some("gone-crm"))], false),
        ("it lifts no no", vec![said(no, 9, None), said(yes, 5, Some("gone-crm"))], false),
        ("a later yes to all", vec![said(no, 9, Some("gone-crm")), said(yes, 5, None)], true),
    ] {
        let world = world();
        world.record("email", ANN, &events).await;
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let seen =
            world.send(bearing(&world, "shop", MAIL, post("/ask", r#"{"who":"ann@example.org"}"#))).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{what}");
    }
}

#[tokio::test]
async fn law_1_a_whole_number_has_one_form() {
    let text = BUNDLE
        .replace(
            "basis: {consent: opt-in}, clauses",
            "when: {request.level: {at_least: 17}}, basis: {legitimate_interests: LIA-1}, clauses",
        )
        .replace(
            "{type: reference, from: body.ticket}",
            "{type: reference, from: body.ticket}\n  request.level: {type: int, from: body.level}",
        )
        .replace("request: {body: {who: none}}", "request: {body: {who: none, level: none}}");
    let world = with(&text);
    world.record("email", ANN, &[contract()]).await;
    for (level, told) in [
        ("17", true),
        (r#""17""#, true),
        (r#""16""#, false),
        (r#""+17""#, false),
        (r#""017""#, false),
        (r#"" 17""#, false),
        ("17.0", false),
        ("1.7e1", false),
    ] {
        world.upstream.forget();
        world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
        let body = format!(r#"{{"who":"{ANN}","level":{level}}}"#);
        let seen = world.send(bearing(&world, "shop", MAIL, post("/ask", &body))).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, told, "{level}");
    }
}

/// Whether the shop is told of her at a time.
async fn is_told(world: &World, now: Moment) -> bool {
    world.clock.set(now);
    world.upstream.forget();
    world.upstream.answers(json(r#"{"email":"ann@example.org"}"#));
    let seen = world.send(bearing(world, "shop", MAIL, post("/ask", r#"{"who":"ann@example.org"}"#))).await;
    String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN)
}

#[tokio::test]
async fn law_5_a_clock_that_was_ahead_and_is_set_back_undoes_no_no() {
    let after = |millis| TODAY.saturating_add_millis(millis);
    let yes = || post("/join", r#"{"email":"ann@example.org","ok":true}"#);
    for (what, no_at, told) in [("nothing", None, true), ("a withdrawal", Some(500), false)] {
        let world = world();
        // She agrees while the clock is a second ahead.
        world.clock.set(after(1_000));
        assert_eq!(world.send(yes()).await.status, 200, "{what}");
        assert!(is_told(&world, after(1_000)).await, "{what}: she agreed");
        if let Some(no_at) = no_at {
            world.clock.set(after(no_at));
            world.send(post("/prefs", r#"{"email":"ann@example.org","no":true}"#)).await;
        }
        assert_eq!(is_told(&world, after(5_000)).await, told, "{what}");
    }
}

#[tokio::test]
async fn law_7_what_closes_binds_at_once_when_the_clock_that_dated_it_is_set_back() {
    let no = r#"{"email":"ann@example.org","no":true}"#;
    let yes = r#"{"email":"ann@example.org","ok":true}"#;
    for (what, path, body, told) in [
        ("nothing", "/join", yes, true),
        ("a withdrawal", "/prefs", no, false),
        ("an erasure", "/leave", r#"{"all":true}"#, false),
        ("a restriction", "/pause", r#"{"on":true}"#, false),
    ] {
        let world = world();
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        world.clock.set(TODAY.saturating_add_millis(3_600_000));
        let request = post(path, body);
        let own = matches!(path, "/leave" | "/pause");
        let request = if own { bearing(&world, "portal", "custom.rights", request) } else { request };
        world.send(request).await;
        let events = recorded(&world).await.len();
        assert_eq!(events > 1, !told, "{what}: {events}");
        assert_eq!(is_told(&world, TODAY.saturating_add_millis(1)).await, told, "{what}");
    }
}
