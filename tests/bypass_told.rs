//! Ways round the layer by what is told of a person: a day of birth that nobody can read, a country that is none, a yes that
//! nobody gave, a no that comes with too much.

use bytes::Bytes;
use consentry_consent::Ledger;
use consentry_model::{
    ConsentEvent, ConsentKind, ConsentState, Identifier, LedgerEvent, Moment, Occurrence, Purpose, Space,
};
use consentry_policy::{Bundle, Diagnostics, Engine, Sources};
use consentry_tests::world::{TODAY, World, consent, contract, get, json, post, typed};
use http::{HeaderValue, Request};
use http_body_util::Full;

const ANN: &str = "ann@example.org";
const MAIL: &str = "marketing.communications.email";

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters: {shop: {purposes: [essential, marketing]}}
rules:
  - {id: news, permit: marketing.communications.email, data: user.contact, basis: {consent: opt-in}, clauses: [c-1]}
  - {id: counts, permit: essential.service, data: user.behavior, as: {aggregated: {min_group: 10}}, basis: aggregate, clauses: [c-1]}
  - {id: write, permit: essential.service, data: user.contact, act: collect, basis: {legitimate_interests: LIA-1}, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - {route: GET /confirm, public: true, purpose: marketing.communications.email, about: {type: customer, space: email, id: query.t}, request: {query: {t: none}}, response: {body: none}, events: [{consent: opt-in, to: marketing.communications.email}]}
  - {route: POST /join, public: true, purpose: marketing.communications.email, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, ok: none}}, response: {body: none}, events: [{if: {body.ok: true}, consent: opt-in, to: marketing.communications.email}]}
  - {route: POST /stop, public: true, right: preferences, about: {type: customer, space: email, id: query.t}, request: {query: {t: none}, excess: refuse}, response: {body: none}, events: [{withdraw: marketing.communications.email}]}
  - {route: POST /prefs, public: true, purpose: essential.service, about: {type: customer, space: email, id: body.email}, request: {body: {email: user.contact.email, no: none}, excess: refuse}, response: {body: none}, events: [{if: {body.no: true}, withdraw: marketing.communications.email}]}
  - {route: GET /counts, purpose: essential.service, about: {type: customer, population: all}, request: {query: {country: narrows}}, response: {records: 'groups[]', size: n, body: {'groups[].n': none, 'groups[].c': none, 'groups[].clicks': user.behavior, 'groups[].ages[].clicks': user.behavior, total: user.behavior}}}
  - {route: GET /lines, purpose: essential.service, about: {type: customer, population: all}, response: {type: [application/x-ndjson, text/csv], size: n, body: {n: none, clicks: user.behavior}}}
  - {route: GET /list, purposes: [marketing.communications.email], about: {type: customer, space: email, id: item.email}, response: {records: 'rows[]', body: {'rows[].email': user.contact.email}}}
";

fn read(text: &str) -> Result<Bundle, Box<Diagnostics>> {
    Bundle::read(&Sources::from_texts([("bundle.yaml", text)]))
}

fn installed(bundle: Bundle) -> World {
    let world = World::new();
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    world
}

fn world() -> World {
    installed(read(BUNDLE).unwrap_or_else(|e| panic!("{e}")))
}

fn shipped(name: &str) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies").join(name);
    installed(Bundle::load(&folder).unwrap())
}

fn at_host(mut request: Request<Full<Bytes>>, host: &str) -> Request<Full<Bytes>> {
    request.headers_mut().insert("host", host.parse().unwrap());
    request
}

async fn events(world: &World, space: &str, id: &str) -> usize {
    let who = [Identifier::new(Space::new(space), id)];
    match &world.ledger.resolve(&who).await.unwrap().answers[..] {
        [consentry_model::Resolution::Known(state)] => state.events.len(),
        _ => 0,
    }
}

/// Whether she is on the list of those who may be written to.
async fn is_listed(world: &World) -> bool {
    world.upstream.forget();
    world.upstream.answers(json(&format!(r#"{{"rows":[{{"email":"{ANN}"}}]}}"#)));
    let seen = world.send(get("/list", Some(&world.token("shop", &[MAIL])), None)).await;
    drop(world.upstream.take());
    String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN)
}

#[tokio::test]
async fn law_1_a_group_is_as_large_as_a_whole_number_says() {
    let world = world();
    let asked = |path: &str| get(path, Some(&world.token("shop", &["essential.service"])), None);
    for (n, shown) in [
        ("10", true),
        ("11", true),
        ("9", false),
        ("0", false),
        ("-0", false),
        ("-50", false),
        ("10.0", false),
        ("50.5", false),
        ("1e2", false),
        ("99999999999999999999", false),
        ("null", false),
        ("true", false),
        ("[50]", false),
        (r#"{"n":50}"#, false),
        (r#""""#, false),
        (r#"" 50""#, false),
        ("\"\u{ff15}\u{ff10}\"", false),
    ] {
        for group in
            [format!(r#"{{"n":{n},"c":"AT","clicks":77123}}"#), format!(r#"{{"clicks":77123,"n":{n}}}"#)]
        {
            world
                .upstream
                .answers(json(&format!(r#"{{"groups":[{group},{{"n":20,"clicks":1}}],"total":88123}}"#)));
            let seen = world.send(asked("/counts")).await;
            let body = String::from_utf8(seen.body.unwrap().to_vec()).unwrap();
            assert_eq!(body.contains("77123"), shown, "{group}: {body}");
            // What a total is about nobody says, and it would tell what was left out.
            assert!(!body.contains("88123") && body.contains(r#"{"n":20,"clicks":1}"#), "{group}: {body}");
        }
        if n.contains(['[', '{', '"']) {
            continue;
        }
        for (media_type, body) in [
            ("application/x-ndjson", format!("{{\"n\":{n},\"clicks\":77123}}\n")),
            ("text/csv", format!("n,clicks\n{n},77123\n")),
        ] {
            world.upstream.answers(typed(media_type, &body));
            let seen = world.send(asked("/lines")).await;
            let left = String::from_utf8(seen.body.unwrap().to_vec()).unwrap();
            assert_eq!(left.contains("77123"), shown, "{body}: {left}");
        }
    }
    for group in [
        r#"{"clicks":77123}"#,
        r#"{"n":5,"ages":[{"n":50,"clicks":77123}]}"#,
        r#"{"n":5,"c":{"n":50},"clicks":77123}"#,
        r#"{"N":50,"clicks":77123}"#,
    ] {
        world.upstream.answers(json(&format!(r#"{{"groups":[{group}]}}"#)));
        let seen = world.send(asked("/counts")).await;
        let body = String::from_utf8(seen.body.unwrap().to_vec()).unwrap();
        assert!(!body.contains("77123"), "{group}: {body}");
    }
}

#[tokio::test]
async fn law_1_a_day_of_birth_that_nobody_can_read_makes_no_adult() {
    for (bundle, path, field, host, more) in [
        ("zabbix", "/register", "birthdate", "www.zabbix.com", r#""name":"A","#),
        ("contactmonkey", "/signup", "born", "www.contactmonkey.com", ""),
    ] {
        for (born, passes) in [
            (r#""1980-01-01""#, true),
            ("null", true),
            (r#""""#, true),
            (r#""2020-01-01""#, false),
            (r#""2020/01/01""#, false),
            (r#""01.01.2020""#, false),
            (r#""2020-1-1""#, false),
            (r#"" 2020-01-01""#, false),
            (r#""2020-02-30""#, false),
            (r#""2027-01-01""#, false),
            (r#""2026-06-02""#, false),
            ("2020", false),
            ("2020.5", false),
            ("true", false),
            (r#"["2020-01-01"]"#, false),
            (r#"{"year":2020}"#, false),
        ] {
            let world = shipped(bundle);
            let body = format!(r#"{{{more}"email":"kid@example.org","{field}":{born}}}"#);
            world.send(at_host(post(path, &body), host)).await;
            let reached = world.upstream.take();
            let told = reached.iter().any(|(_, body)| String::from_utf8_lossy(body).contains("kid@"));
            assert_eq!(told, passes, "{bundle} {born}");
        }
    }
}

#[tokio::test]
async fn law_1_a_day_of_birth_on_record_that_nobody_can_read_makes_no_adult() {
    for (born, status) in
        [("1980-01-01", 200), ("2020-01-01", 403), ("01.01.2020", 403), ("2027-01-01", 403), ("2020", 403)]
    {
        let world = shipped("zabbix");
        let value = LedgerEvent::Attribute {
            name: "born".into(),
            value: born.into(),
            effective: TODAY.saturating_add_millis(-1),
        };
        world.record("email", "kid@example.org", &[value, contract()]).await;
        let request = post("/register", r#"{"name":"A","email":"kid@example.org"}"#);
        assert_eq!(world.send(at_host(request, "www.zabbix.com")).await.status, status, "{born}");
    }
}

#[tokio::test]
async fn law_1_what_is_no_country_takes_nobody_out_of_a_law() {
    let text = BUNDLE
        .replace("excess: drop}", "excess: drop, home: US, regimes: [us, eu-gdpr]}")
        .replace("basis: {consent: opt-in}, clauses", "basis: {consent: implied}, clauses");
    let bundle = read(&text).unwrap_or_else(|e| panic!("{e}"));
    for (region, listed) in
        [("US", true), ("DE", false), ("de", false), ("Germany", false), ("EU", false), ("ZZ", false)]
    {
        let world = installed(bundle.clone());
        let effective = TODAY.saturating_add_millis(-1);
        let there = LedgerEvent::Attribute { name: "region".into(), value: region.into(), effective };
        let implied = ConsentEvent {
            purpose: Purpose::new(MAIL).unwrap(),
            state: ConsentState::Given,
            kind: ConsentKind::Implied,
            recipient: None,
            effective,
            valid_until: None,
            notice: None,
        };
        world.record("email", ANN, &[there, LedgerEvent::Consent(implied)]).await;
        assert_eq!(is_listed(&world).await, listed, "{region}");
    }
}

#[test]
fn law_3_an_age_that_follows_from_a_record_is_no_fact_of_a_route() {
    for place in ["born", "age"] {
        let route = "  - {route: GET /kids, purposes: [essential.service], about: {type: customer, space: email, id: item.id}, facts: {subject.PLACE: item.PLACE}, response: {records: 'rows[]', body: {'rows[].id': none, 'rows[].PLACE': none}}}\n";
        let route = route.replace("PLACE", place);
        let wrong = read(&format!("{BUNDLE}{route}")).map(|_| ()).unwrap_err().to_string();
        assert!(wrong.contains("worked out before records are read"), "{place}: {wrong}");
    }
}

#[tokio::test]
async fn law_5_nobody_agrees_by_having_a_page_fetched_in_advance() {
    for (name, value, listed) in [
        ("accept", "*/*", true),
        ("sec-purpose", "prefetch", false),
        ("sec-purpose", "prefetch;prerender", false),
        ("purpose", "prefetch", false),
        ("x-moz", "prefetch", false),
        ("x-purpose", "preview", false),
    ] {
        let world = world();
        world.record("email", ANN, &[]).await;
        let mut request = get(&format!("/confirm?t={ANN}"), None, None);
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        world.send(request).await;
        assert_eq!(is_listed(&world).await, listed, "{name}: {value}");
    }
}

#[tokio::test]
async fn law_5_a_stranger_does_not_revive_what_has_ended() {
    for (state, listed) in [
        (ConsentState::Unknown, true),
        (ConsentState::Requested, true),
        (ConsentState::Deferred, true),
        (ConsentState::Expired, false),
        (ConsentState::Revoked, false),
        (ConsentState::Invalidated, false),
        (ConsentState::Refused, false),
        (ConsentState::Withdrawn, false),
    ] {
        let world = world();
        world.record("email", ANN, &[consent(state, 10)]).await;
        world.send(post("/join", &format!(r#"{{"email":"{ANN}","ok":true}}"#))).await;
        assert_eq!(is_listed(&world).await, listed, "{state}");
    }
}

fn typed_as(kind: &str, mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    request.headers_mut().insert("content-type", kind.parse().unwrap());
    request
}

#[tokio::test]
async fn law_7_a_no_is_heard_whatever_comes_with_it() {
    let without_body = |path: &str| {
        let mut request = post(path, "");
        request.headers_mut().remove("content-type");
        request
    };
    for request in [
        without_body(&format!("/stop?t={ANN}")),
        without_body(&format!("/stop?t={ANN}&utm_source=mail")),
        typed_as("application/x-www-form-urlencoded", post(&format!("/stop?t={ANN}"), "submit=Unsubscribe")),
        typed_as("text/plain", post(&format!("/stop?t={ANN}"), "x")),
        post(&format!("/stop?t={ANN}"), "{}"),
        post("/prefs", &format!(r#"{{"email":"{ANN}","no":true}}"#)),
        post("/prefs", &format!(r#"{{"email":"{ANN}","no":true,"x":1}}"#)),
    ] {
        let (world, asked) = (world(), format!("{request:?}"));
        world.record("email", ANN, &[consent(ConsentState::Given, 10)]).await;
        assert!(is_listed(&world).await);
        world.send(request).await;
        assert!(!is_listed(&world).await, "{asked}");
    }
    let world = shipped("zabbix");
    world.record("unsubscribe", "tok", &[consent(ConsentState::Given, 10)]).await;
    let request = without_body("/unsub?t=tok&utm_source=newsletter");
    world.send(at_host(request, "www.zabbix.com")).await;
    assert_eq!(events(&world, "unsubscribe", "tok").await, 2);
}

#[tokio::test]
async fn law_1_a_card_number_is_found_in_a_path() {
    for (page, passes) in [("prices", true), ("4111111111111111", false), ("pay-4111-1111-1111-1111", false)]
    {
        let world = shipped("zabbix");
        world.upstream.answers(typed("text/html", "<p>"));
        world.send(at_host(get(&format!("/page/{page}"), None, None), "www.zabbix.com")).await;
        assert_eq!(!world.upstream.take().is_empty(), passes, "{page}");
    }
}

#[tokio::test]
async fn law_10_a_time_to_come_makes_no_datum_young() {
    let text = BUNDLE
        .replace(
            "basis: {consent: opt-in}, clauses",
            "when: {within: {since: datum.collected_at, for: P1Y}}, basis: {legitimate_interests: LIA-1}, clauses",
        )
        .replace(
            "id: item.email}, response: {records",
            "id: item.email}, facts: {datum.collected_at: item.since}, response: {records",
        )
        .replace(
            "{'rows[].email': user.contact.email}",
            "{'rows[].email': user.contact.email, 'rows[].since': none}",
        );
    let bundle = read(&text).unwrap_or_else(|e| panic!("{e}"));
    let long_ago = Moment::from_unix_millis(0);
    for (since, recorded, listed) in [
        ("2026-05-01", None, true),
        ("2020-05-01", None, false),
        ("2999-01-01", None, false),
        ("2026-06-02", None, false),
        ("2026-05-01", Some(long_ago), false),
        ("lately", None, false),
    ] {
        let world = installed(bundle.clone());
        let category = consentry_model::Category::new("user.contact.email").unwrap();
        let collected = |effective| LedgerEvent::Occurrence {
            what: Occurrence::Collected { category: category.clone(), origin: None },
            effective,
        };
        world.record("email", ANN, &recorded.map(collected).into_iter().collect::<Vec<_>>()).await;
        world.upstream.answers(json(&format!(r#"{{"rows":[{{"email":"{ANN}","since":"{since}"}}]}}"#)));
        let seen = world.send(get("/list", Some(&world.token("shop", &[MAIL])), None)).await;
        let shown = String::from_utf8_lossy(&seen.body.unwrap_or_default()).contains(ANN);
        assert_eq!(shown, listed, "{since} {recorded:?}");
    }
}

#[tokio::test]
async fn law_10_a_stranger_makes_no_datum_young() {
    let text = BUNDLE.replace(
        "basis: {consent: opt-in}, clauses",
        "when: {within: {since: datum.collected_at, for: P1Y}}, basis: {legitimate_interests: LIA-1}, clauses",
    );
    let bundle = read(&text).unwrap_or_else(|e| panic!("{e}"));
    // Of somebody new a public form is where the datum comes from.
    for (known, listed) in [(false, true), (true, false)] {
        let world = installed(bundle.clone());
        let events = if known { vec![contract()] } else { Vec::new() };
        world.record("email", ANN, &events).await;
        assert!(!is_listed(&world).await);
        let seen = world.send(post("/join", &format!(r#"{{"email":"{ANN}"}}"#))).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert_eq!(is_listed(&world).await, listed, "known: {known}");
    }
}
