//! What a head says of somebody: cookies, what is decided late, and what obligations put on it.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use consentry_consent::Ledger as _;
use consentry_model::{BundleDigest, Identifier, LedgerEvent, Space};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Answer, Happening, TODAY, TestClock, World, contract, json};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;

use crate::{BUNDLE, answer, ask, refused, seen, world};

#[tokio::test]
async fn law_7_a_cookie_can_always_be_taken_away() {
    let world = world().await;
    let long_ago = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    for (line, expected) in [
        ("sid=0af3", Some("sid=0af3")),
        ("sid=0af3; Max-Age=0", Some("sid=0af3; Max-Age=0")),
        ("sid=; Path=/; Max-Age=0", Some("sid=; Path=/; Max-Age=0")),
        ("sid=deleted; Path=/; Max-Age=-1; Secure", Some("sid=; Path=/; Max-Age=-1; Secure")),
        (&format!("sid=ann@example.org; {long_ago}"), Some(&*format!("sid=; {long_ago}"))),
        (&format!("sid=\"\"; {long_ago}; Path=/ann"), Some(&*format!("sid=; {long_ago}"))),
        // However services write when it ends.
        ("ad=; Expires=Thu, 01 Jan 1970 00:00:00 UTC", Some(&*format!("ad=; {long_ago}"))),
        ("ad=; Expires=Thu, 01 Jan 1970 00:00:00 -0000", Some(&*format!("ad=; {long_ago}"))),
        (
            "ad=; Expires=Thursday, 01-Jan-70 00:00:00 GMT; HttpOnly=true",
            Some("ad=; Expires=Thu, 01-Jan-1970 00:00:00 GMT; HttpOnly"),
        ),
        ("ad=; Expires=Thu, 01-Jan-70 00:00:00 GMT", Some("ad=; Expires=Thu, 01-Jan-1970 00:00:00 GMT")),
        ("ad=; Expires=Thu, 1 Jan 1970 00:00:00 GMT", Some(&*format!("ad=; {long_ago}"))),
        ("ad=; Expires=Thu Jan  1 00:00:00 1970", Some(&*format!("ad=; {long_ago}"))),
        ("ad=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("ad=1", None),
        ("ad=1; Max-Age=60", None),
        ("ad=; Max-Age=0", Some("ad=; Max-Age=0")),
        (&format!("ad=1; {long_ago}"), Some(&*format!("ad=; {long_ago}"))),
        // A browser takes away the cookie of the place that is named, and no other.
        ("ad=; Path=/shop; Max-Age=0", Some("ad=; Path=/shop; Max-Age=0")),
        ("ad=; Path=/shop/; Max-Age=0", Some("ad=; Path=/shop/; Max-Age=0")),
        ("ad=; Path=/customers; Max-Age=0", Some("ad=; Path=/customers; Max-Age=0")),
        ("sid=0af3; path=/orders; Secure", Some("sid=0af3; path=/orders; Secure")),
        ("ad=; Domain=api.example; Max-Age=0", Some("ad=; Domain=api.example; Max-Age=0")),
        ("ad=; Domain=.API.example; Max-Age=0", Some("ad=; Domain=.API.example; Max-Age=0")),
        ("ad=; Domain=shop.example; Max-Age=0", Some("ad=; Domain=shop.example; Max-Age=0")),
        (
            "ad=; Path=/shop; Domain=.shop.example; Max-Age=0",
            Some("ad=; Path=/shop; Domain=.shop.example; Max-Age=0"),
        ),
        ("sid=0af3; Domain=www.example", Some("sid=0af3; Domain=www.example")),
        // Others stand in it as well.
        ("sid=0af3; Domain=shop.example", Some("sid=0af3")),
        ("sid=0af3; Domain=.shop.example; Max-Age=60", Some("sid=0af3; Max-Age=60")),
        // A place that nobody described could be somebody's.
        ("ad=; Path=/customers/c-1; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/customers/ann; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/shop/ann; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/shop//; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=//shop; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/sho; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/Shop; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=shop; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=/shop?ann; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Path=; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=ann.api.example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=.example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=hop.example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=..shop.example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=shop.example.; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=evil.example; Max-Age=0", Some("ad=; Max-Age=0")),
        ("ad=; Domain=; Max-Age=0", Some("ad=; Max-Age=0")),
        // None of these ends.
        ("sid=", None),
        ("ad=", None),
        ("sid=ann; Max-Age=1", None),
        ("sid=; Max-Age=0; Max-Age=60", None),
        (&format!("sid=ann; {long_ago}; Max-Age=60"), None),
        ("sid=ann; Expires=Thu, 31 Dec 2099 23:59:59 GMT", None),
        ("sid=ann; Expires=0", None),
        // Nobody knows whose these are.
        ("ann=; Max-Age=0", None),
        ("Sid=; Max-Age=0", None),
    ] {
        let seen = seen(&world, "/shop", 200, &[("set-cookie", line)]).await;
        assert_eq!(seen.status, 200, "{line}: {seen:?}");
        let got = seen.headers.get("set-cookie").map(|v| v.to_str().unwrap());
        assert_eq!(got, expected, "{line}");
        assert!(!format!("{seen:?}").contains("ann"), "{line}: {seen:?}");
    }
}

/// An answer in two pieces, between which something happens and time passes.
fn in_two(happens: Happening, clock: Arc<TestClock>, after_ms: i64) -> Answer {
    let pieces = [r#"{"id":"c-1","#, r#""name":"Ann"}"#].into_iter().enumerate();
    let pieces = stream::iter(pieces).scan(Some(happens), move |happens, (at, piece)| {
        if let (1, Some(happens)) = (at, happens.take_if(|_| at == 1)) {
            happens();
            clock.set(TODAY.saturating_add_millis(after_ms));
        }
        ready(Some(Ok(Frame::data(Bytes::from(piece)))))
    });
    let body = http_body_util::BodyExt::boxed(StreamBody::new(pieces));
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

#[tokio::test]
async fn law_7_a_cookie_is_taken_away_with_an_error_whose_status_is_told() {
    let world = world().await;
    let long_ago = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    for (route, status, line, expected) in [
        ("GET /orders", 401, "sid=; Max-Age=0", Some("sid=; Max-Age=0")),
        ("GET /orders", 403, "ad=; Path=/shop; Max-Age=0", Some("ad=; Path=/shop; Max-Age=0")),
        ("POST /login", 401, &format!("sid=ann; {long_ago}; Path=/ann"), Some(&*format!("sid=; {long_ago}"))),
        ("GET /open/c-1", 422, "sid=; Max-Age=0", Some("sid=; Max-Age=0")),
        // None of these ends, or nobody knows whose it is.
        ("GET /orders", 401, "sid=0af3", None),
        ("GET /orders", 401, "sid=", None),
        ("GET /orders", 401, "sid=0af3; Max-Age=60", None),
        ("GET /orders", 401, "ann=; Max-Age=0", None),
        // Of these nothing is told.
        ("GET /orders", 500, "sid=; Max-Age=0", None),
        ("GET /open/c-1", 401, "sid=; Max-Age=0", None),
    ] {
        let seen = refused(&world, route, status, &[("set-cookie", line)]).await;
        assert_eq!(&*seen.code(), "upstream-error", "{route} {status} {line}: {seen:?}");
        let got = seen.headers.get("set-cookie").map(|value| value.to_str().unwrap());
        assert_eq!(got, expected, "{route} {status} {line}");
        assert!(!format!("{seen:?}").contains("ann"), "{line}: {seen:?}");
    }
    let two = [("set-cookie", "sid=; Max-Age=0"), ("set-cookie", "ad=; Max-Age=0")];
    let seen = refused(&world, "GET /orders", 401, &two).await;
    assert_eq!(seen.headers.get_all("set-cookie").iter().count(), 2, "{seen:?}");
}

/// A service takes eleven seconds for the head of its answer, or for its body after the head.
#[tokio::test]
async fn law_11_what_a_head_says_of_a_person_is_as_old_as_the_rest() {
    type Make = fn(&World) -> Happening;
    let nothing: Make = |_| Box::new(|| ());
    let erases: Make = |world| {
        let ledger = Arc::clone(&world.ledger);
        Box::new(move || {
            let erased = LedgerEvent::Erasure { effective: TODAY.saturating_add_millis(-1) };
            let who = Identifier::new(Space::new("customer"), "c-1");
            ledger.append(&who, &[erased], TODAY).now_or_never().unwrap().unwrap();
        })
    };
    let replaces: Make = |world| {
        let policy = world.policy.clone();
        Box::new(move || {
            let mut bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap();
            bundle.digest = BundleDigest::new("another");
            policy.install(Engine::new(bundle).unwrap(), TODAY);
        })
    };
    let (late, hour) = (11_000, 3_600_000);
    for (name, happens, after_ms, status, want, goes) in [
        ("in time", erases, 5_000, 302, 302, true),
        ("nothing happened", nothing, late, 302, 302, true),
        ("erased, and sent elsewhere", erases, late, 302, 502, false),
        ("erased, and created", erases, late, 201, 201, false),
        ("the token ended", nothing, hour, 302, 401, false),
        ("another bundle", replaces, late, 302, 503, false),
        ("another bundle, without a body", replaces, late, 204, 503, false),
    ] {
        let world = world().await;
        let (happens, clock) = (happens(&world), Arc::clone(&world.clock));
        world.upstream.meanwhile(Box::new(move || {
            happens();
            clock.set(TODAY.saturating_add_millis(after_ms));
        }));
        let lines = [("location", "/customers/c-1"), ("set-cookie", "sid=0a1b")];
        world.upstream.answers(answer(status, &lines));
        let seen = world.send(ask(&world, "/customers/c-1")).await;
        assert_eq!(seen.status, want, "{name}: {seen:?}");
        assert_eq!(seen.headers.contains_key("location"), goes, "{name}: {seen:?}");
    }
    // What waits for its body waits with it.
    let place = ("/customers/c-1", "location", "/customers/c-1");
    let file = ("/papers/c-1", "content-disposition", "attachment; filename=\"c-1.json\"");
    // Of a file its kind is left, or it would be shown.
    for ((path, name, line), left) in [(place, None), (file, Some("attachment"))] {
        for (happens, after_ms, goes) in
            [(erases, 5_000, true), (nothing, late, false), (erases, late, false)]
        {
            let world = world().await;
            let (happens, clock) = (happens(&world), Arc::clone(&world.clock));
            let mut answer = in_two(happens, clock, after_ms);
            answer.headers_mut().insert(name, line.parse().unwrap());
            world.upstream.answers(answer);
            let seen = world.send(ask(&world, path)).await;
            let got = seen.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!((seen.status.as_u16(), got), (200, if goes { Some(line) } else { left }), "{seen:?}");
        }
    }
}

/// Whoever a list is about, an obligation on one of them is carried out; of nobody is it said that they are grown up.
#[tokio::test]
async fn law_8_of_a_list_what_is_not_known_not_to_bind_binds() {
    let bundle = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, hosts: [api.example]}
requesters: {shop: {purposes: [essential]}}
facts: {subject.age: {if_unknown: 99, because: Adults are served., clauses: [c-1]}}
rules:
  - {id: serve, permit: essential.service, data: user.name, basis: contract, clauses: [c-1]}
  - {id: care, require: {set_header: {X-Minor: care}}, for: any, data: any, act: read, when: {subject.age: {below: 18}}, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
routes:
  - route: GET /people
    purpose: essential.service
    about: {type: customer, space: customer, id: item.id}
    response: {records: 'rows[]', body: {'rows[].id': none, 'rows[].name': user.name}}
";
    let world = World::new();
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", bundle)]));
    let bundle = bundle.unwrap_or_else(|found| panic!("{}", found.render(false)));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    for (id, born) in [("child", Some("2014-01-01")), ("grown", Some("1980-01-01")), ("unsaid", None)] {
        let of =
            |born: &str| LedgerEvent::Attribute { name: "born".into(), value: born.into(), effective: TODAY };
        let events: Vec<_> = born.map(of).into_iter().chain([contract()]).collect();
        world.record("customer", id, &events).await;
    }
    for (ids, bound) in [
        (&["child"][..], true),
        (&["grown"], false),
        (&["unsaid"], false),
        (&["grown", "child"], true),
        (&["child", "grown"], true),
        (&["grown", "unsaid"], true),
        (&[], true),
    ] {
        let rows: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}","name":"x"}}"#)).collect();
        world.upstream.answers(json(&format!(r#"{{"rows":[{}]}}"#, rows.join(","))));
        let seen = world.send(ask(&world, "/people")).await;
        assert_eq!(
            (seen.status.as_u16(), seen.headers.contains_key("x-minor")),
            (200, bound),
            "{ids:?}: {seen:?}"
        );
    }
}
