//! Ways round the layer by what the service behind sees of a request, or makes of it: something is decided by what never reaches
//! it, more parameters come than it reads, or it takes one path for another.

use bytes::Bytes;
use consentry_layer::Limits;
use consentry_model::{ConsentState, LedgerEvent, Purpose, Reason};
use consentry_policy::{Bundle, Engine, ReportOnly, Sources};
use consentry_tests::world::{Otherwise, TODAY, World, consent, contract, get, json, post, typed};
use http::{HeaderValue, Request};
use http_body_util::Full;

const BUNDLE: &str = r#"
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, excess: drop}
requesters: {shop: {purposes: [essential]}}
routes:
  - {route: GET /h, purposes: [essential.service], about: {type: customer, space: customer, id: header.X-Customer}, request: {headers: {X-Customer: user.unique_id}}, response: {body: {"rows[].total": user.financial}}}
  - {route: GET /q, purposes: [essential.service], about: {type: customer, space: customer, id: query.who}, request: {query: {who: user.unique_id}}, response: {body: {total: user.financial}}}
  - {route: GET /strict, purposes: [essential.service], about: {type: customer, space: customer, id: header.X-Customer}, excess: refuse, request: {headers: {X-Customer: user.unique_id}}, response: {body: {total: user.financial}}}
  - {route: POST /b, purposes: [essential.service], about: {type: customer, space: customer, id: body.for.who}, request: {body: {for.who: user.unique_id, note: user.financial}}, response: {body: {total: user.financial}}}
  - {route: POST /masked, purposes: [essential.service], about: {type: customer, space: customer, id: body.mail}, request: {body: {mail: user.contact.email, note: user.financial}}, response: {body: {total: user.financial}}}
  - {route: POST /kept, purposes: [essential.service], about: {type: customer, space: customer, id: body.who}, request: {body: {who: user.unique_id, note: user.financial}}, response: {body: none}}
  - {route: POST /event, purposes: [essential.service], about: {type: customer, space: customer, id: query.who}, request: {query: {who: none}, body: {ok: user.unique_id, note: user.financial}}, response: {body: {total: user.financial}}, events: [{if: {body.ok: yes}, consent: opt-in, to: marketing}]}
  - {route: GET /why, purpose_by: {query.why: {a: essential.service}}, about: {type: customer, space: customer, id: query.who}, request: {query: {who: none, why: user.unique_id}}, response: {body: {total: user.financial}}}
  - {route: GET /fact, purposes: [essential.service], about: {type: customer, space: customer, id: query.who}, facts: {subject.region: header.X-Country}, request: {query: {who: none}, headers: {X-Country: user.unique_id}}, response: {body: {total: user.financial}}}
  - {route: GET /cookie, purposes: [essential.service], about: {type: customer, space: customer, id: cookie.who}, response: {body: {total: user.financial, name: user.name}}}
  - {route: GET /anybody, purposes: [essential.service], about: {type: customer, space: customer, id: cookie.who, anonymous: true}, response: {body: {name: user.name}}}
  - {route: GET /page, purposes: [essential.service], about: {type: customer, space: customer, id: cookie.who, anonymous: true}, response: {body: page}}
  - {route: GET /list, purposes: [essential.service], about: {type: customer, population: all}, request: {query: {'ids[]': none, a: none}}, response: {body: {n: none}}}
  - {route: POST /list, purposes: [essential.service], about: {type: customer, population: all}, request: {type: [application/x-www-form-urlencoded, multipart/form-data], query: {'ids[]': none}, body: {'tags[]': none}}, response: {body: {n: none}}}
  - {route: 'GET /stats/{metric}', purposes: [essential.service], about: {type: customer, population: all}, response: {body: {n: none}}}
  - {route: GET /stats/customers, purposes: [essential.service], about: {type: customer, space: customer, id: token.sub}, response: {body: {n: user.name}}}
  - {route: 'GET /{shop}/admin/{id}', purposes: [essential.service], about: {type: customer, population: all}, response: {body: {n: none}}}
  - {route: 'GET /{shop}/{page}/{id}', purposes: [essential.service], about: {type: customer, population: all}, response: {body: {n: none}}}
rules:
  - {id: named, permit: essential, data: user.unique_id, basis: {consent: opt-in}, clauses: [c]}
  - {id: money, permit: essential, data: user.financial, basis: contract, clauses: [c]}
  - {id: mail, permit: essential, data: user.contact.email, as: [masked], basis: contract, clauses: [c]}
  - {id: name, permit: essential, data: user.name, basis: {legitimate_interests: LIA-1}, clauses: [c]}
clauses: [{id: c, line: 1, section: s, says: everything, status: enforced}]
cases: [{case: nobody, clause: c, who: shop, asks: GET /stats/people, about: nobody, then: allow}]
"#;
const EVERYBODY: &str = r#"{"rows":[{"total":1},{"total":2}],"total":3,"name":"Ann","n":4}"#;

/// Why a request is refused from which that would be taken by which it is decided.
const UNHEARD: Reason = Reason::MinimisationViolation;

/// Ann took her consent back, Bob gave his; both have a contract.
async fn world(report_only: ReportOnly) -> World {
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)]));
    let world = World::otherwise(Otherwise { report_only, ..Otherwise::default() });
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    for (who, state) in [("ann", ConsentState::Withdrawn), ("bob", ConsentState::Given)] {
        let LedgerEvent::Consent(mut said) = consent(state, 1) else { panic!("a consent") };
        said.purpose = Purpose::new("essential").unwrap();
        world.record("customer", who, &[contract(), LedgerEvent::Consent(said)]).await;
    }
    world
}

/// A request by the shop: a path, a line of the head, a body.
fn asks(world: &World, path: &str, line: Option<(&'static str, &str)>, body: &str) -> Request<Full<Bytes>> {
    let token = world.token("shop", &["essential.service"]);
    let mut request = if body.is_empty() { get(path, None, None) } else { post(path, body) };
    let line = line.map(|(name, value)| (name, value.to_owned()));
    for (name, value) in [("authorization", format!("Bearer {token}"))].into_iter().chain(line) {
        request.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
    }
    request
}

#[tokio::test]
async fn law_1_nothing_is_decided_by_what_the_service_never_sees() {
    let world = world(ReportOnly::default()).await;
    let customer = |name: &'static str| Some(("x-customer", name));
    let cookie = |line: &'static str| Some(("cookie", line));
    type Row = (&'static str, Option<(&'static str, &'static str)>, &'static str, Result<(), Reason>);
    let rows: &[Row] = &[
        ("/h", customer("bob"), "", Ok(())),
        ("/h", customer("ann"), "", Err(UNHEARD)),
        ("/strict", customer("bob"), "", Ok(())),
        ("/strict", customer("ann"), "", Err(UNHEARD)),
        ("/q?who=bob", None, "", Ok(())),
        ("/q?who=ann", None, "", Err(Reason::ConsentWithdrawn)),
        ("/b", None, r#"{"for":{"who":"bob"},"note":"1"}"#, Ok(())),
        ("/b", None, r#"{"for":{"who":"ann"},"note":"1"}"#, Err(UNHEARD)),
        // Where nothing personal is answered, what is kept is kept without a name.
        ("/kept", None, r#"{"who":"ann","note":"1"}"#, Ok(())),
        // Masked it names nobody any more, or somebody else.
        ("/masked", None, r#"{"mail":"bob","note":"1"}"#, Err(UNHEARD)),
        ("/event?who=bob", None, r#"{"ok":"yes","note":"1"}"#, Ok(())),
        ("/event?who=ann", None, r#"{"ok":"yes","note":"1"}"#, Err(UNHEARD)),
        ("/event?who=ann", None, r#"{"note":"1"}"#, Ok(())),
        ("/why?who=bob&why=a", None, "", Ok(())),
        ("/why?who=ann&why=a", None, "", Err(Reason::ConsentWithdrawn)),
        ("/fact?who=bob", Some(("x-country", "AT")), "", Ok(())),
        ("/fact?who=ann", Some(("x-country", "AT")), "", Err(UNHEARD)),
        ("/fact?who=ann", None, "", Ok(())),
        // No cookie is registered, so none goes on.
        ("/cookie", cookie("who=bob"), "", Err(UNHEARD)),
        ("/anybody", cookie("who=bob"), "", Err(UNHEARD)),
        ("/anybody", cookie("who=nobody-known"), "", Ok(())),
        ("/anybody", None, "", Ok(())),
        ("/page", cookie("who=bob"), "", Ok(())),
    ];
    for (path, line, body, expected) in rows {
        world.upstream.forget();
        world.upstream.answers(if *path == "/page" { typed("text/html", "<p>") } else { json(EVERYBODY) });
        let seen = world.send(asks(&world, path, *line, body)).await;
        let reached = world.upstream.take();
        let passes = expected.is_ok();
        assert_eq!(
            (seen.status == 200, reached.len()),
            (passes, usize::from(passes)),
            "{path} {line:?} {body} {seen:?}"
        );
        let told = world.last_ticket().await.0.reason;
        assert_eq!(told, expected.err(), "{path} {line:?} {body}");
    }
}

/// What depends on a person is told nobody, and what does not is.
#[tokio::test]
async fn law_13_a_name_that_may_not_be_brought_is_refused_like_whatever_depends_on_a_person() {
    let world = world(ReportOnly::default()).await;
    for (path, line, body) in
        [("/h", Some(("x-customer", "ann")), ""), ("/b", None, r#"{"for":{"who":"ann"},"note":"1"}"#)]
    {
        let seen = world.send(asks(&world, path, line, body)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"), "{path}");
    }
}

/// Where rulings are only reported nothing is taken out.
#[tokio::test]
async fn where_rulings_are_only_reported_what_names_somebody_goes_on() {
    let world = world(ReportOnly::dangerously_for(["GET /h".into()])).await;
    world.upstream.answers(json(EVERYBODY));
    let seen = world.send(asks(&world, "/h", Some(("x-customer", "ann")), "")).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(world.upstream.take()[0].0.headers["x-customer"], "ann");
    assert_eq!(world.last_ticket().await.0.reason, Some(Reason::MinimisationViolation));
}

#[tokio::test]
async fn law_1_no_more_parameters_come_than_every_service_reads() {
    let world = world(ReportOnly::default()).await;
    let most = Limits::default().query_parameters_max;
    let of = |count: usize| format!("/list?{}a=1", "ids[]=1&".repeat(count - 1));
    for (path, code) in [
        (of(most), ""),
        (of(most + 1), "head-too-large"),
        // What counts pieces counts those with nothing in them.
        (format!("/list?{}a=1", "&".repeat(most - 1)), ""),
        (format!("/list?{}a=1", "&".repeat(most)), "head-too-large"),
    ] {
        let seen = world.send(asks(&world, &path, None, "")).await;
        let found = if seen.status == 200 { String::new() } else { seen.code() };
        assert_eq!((&*found, world.upstream.take().len()), (code, usize::from(code.is_empty())), "{path}");
    }
    let form = |count: usize| vec!["tags[]=1"; count].join("&");
    let parts = |count: usize| {
        let part = "--b\r\ncontent-disposition: form-data; name=\"tags[]\"\r\n\r\n1\r\n";
        format!("{}--b--\r\n", part.repeat(count))
    };
    let (pairs, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b");
    for (query, kind, body, status) in [
        (0, pairs, form(999), 200),
        (0, pairs, form(1_000), 413),
        (9, pairs, form(990), 200),
        (10, pairs, form(990), 413),
        (0, multipart, parts(999), 200),
        (0, multipart, parts(1_000), 413),
        (10, multipart, parts(990), 413),
    ] {
        let path = if query == 0 {
            "/list".to_owned()
        } else {
            format!("/list?{}", vec!["ids[]=1"; query].join("&"))
        };
        let mut request = asks(&world, &path, None, &body);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        let seen = world.send(request).await;
        let reached = world.upstream.take().len();
        assert_eq!(
            (seen.status.as_u16(), reached),
            (status, usize::from(status == 200)),
            "{kind} {query} {seen:?}"
        );
    }
}

#[tokio::test]
async fn law_1_a_path_that_a_service_may_take_for_another_is_refused() {
    let world = world(ReportOnly::default()).await;
    for (path, passes) in [
        ("/stats/orders", true),
        ("/stats/orders.json", true),
        ("/stats/Orders", true),
        ("/stats/Customers", false),
        ("/stats/CUSTOMERS", false),
        ("/stats/customers.json", false),
        ("/stats/Customers.xml", false),
        // Written in capital letters it is the same.
        ("/stats/cu%C5%BFtomers", false),
        // A service cuts one format off, and what is left is another name.
        ("/stats/customers.json.gz", true),
        ("/stats/.customers", true),
        ("/stats/customers-of-today", true),
        ("/s/admin/1", true),
        ("/s/Admin/1", false),
        // Only behind the last segment stands a format.
        ("/s/admin.json/1", true),
        ("/s/other/1", true),
    ] {
        let seen = world.send(asks(&world, path, None, "")).await;
        let reached = world.upstream.take().len();
        assert_eq!((seen.status == 200, reached), (passes, usize::from(passes)), "{path} {seen:?}");
        if !passes {
            assert_eq!((seen.status.as_u16(), &*seen.code()), (400, "head-malformed"), "{path}");
        }
    }
}

/// Browsers leave a bar in a path as it is.
#[tokio::test]
async fn a_bar_in_a_path_goes_on_in_its_one_way() {
    let world = world(ReportOnly::default()).await;
    for path in ["/stats/a|b", "/stats/a%7Cb"] {
        assert_eq!(world.send(asks(&world, path, None, "")).await.status, 200, "{path}");
        assert_eq!(world.upstream.take()[0].0.uri, "/stats/a%7Cb", "{path}");
    }
}
