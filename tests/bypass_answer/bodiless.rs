//! Answers without a body: to `HEAD`, to what browsers ask in advance, and where there is nothing to say.

use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Answer, TODAY, get, typed};
use http::Method;
use http_body_util::{BodyExt as _, Full};

use crate::{BUNDLE, answer, ask, world};

#[tokio::test]
async fn a_head_is_decided_like_its_get_and_has_no_body() {
    let world = world().await;
    let mut asked =
        answer(200, &[("content-length", "4711"), ("content-encoding", "gzip"), ("etag", "\"a\"")]);
    *asked.body_mut() = http_body_util::Empty::new().map_err(|e| match e {}).boxed();
    world.upstream.answers(asked);
    let mut request = ask(&world, "/orders");
    *request.method_mut() = Method::HEAD;
    let seen = world.send(request).await;
    assert_eq!((seen.status.as_u16(), seen.body.as_ref().unwrap().len()), (200, 0), "{seen:?}");
    assert_eq!(seen.headers["content-type"], "application/json");
    for name in ["content-length", "content-encoding", "etag"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
    assert_eq!(world.upstream.reached()[0].0.method, Method::HEAD);

    for (path, status, code) in [("/nowhere", 403, "route-unknown"), ("/customers/c-9", 403, "not-permitted")]
    {
        let mut request = ask(&world, path);
        *request.method_mut() = Method::HEAD;
        let seen = world.send(request).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (status, code), "{path}");
    }
    // Whether its answer has bytes nobody sees: another type is another type.
    world.upstream.answers(typed("text/csv", ""));
    let mut request = ask(&world, "/orders");
    *request.method_mut() = Method::HEAD;
    assert_eq!(world.send(request).await.status, 502);
    assert_eq!(world.upstream.take().len(), 2);
    // A page is one too.
    world.upstream.answers(typed("text/html", ""));
    let mut request = ask(&world, "/page");
    *request.method_mut() = Method::HEAD;
    let seen = world.send(request).await;
    assert_eq!((seen.status.as_u16(), seen.headers["content-type"].to_str().unwrap()), (200, "text/html"));
    assert_eq!(world.upstream.reached().len(), 1, "what was refused reached nobody");
}

#[tokio::test]
async fn law_1_nobody_is_told_in_advance_what_they_may_send() {
    let world = world().await;
    for (token, status, code) in [(false, 401, "token-missing"), (true, 403, "route-unknown")] {
        let mut request = ask(&world, "/orders");
        *request.method_mut() = Method::OPTIONS;
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        request.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
        if !token {
            request.headers_mut().remove("authorization");
        }
        let seen = world.send(request).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (status, code));
        assert!(!seen.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{seen:?}");
    }
    assert!(world.upstream.reached().is_empty());
}

/// What browsers ask in advance has no token; what they are told is what the map describes.
#[tokio::test]
async fn law_1_whoever_asks_in_advance_is_told_what_the_map_describes() {
    let world = world().await;
    let allow = "Access-Control-Allow-Origin: none, Access-Control-Allow-Headers: none";
    let route = format!(
        "\n  - {{route: OPTIONS /orders, public: true, purpose: essential.service, request: {{headers: {{Origin: none}}}}, \
         response: {{headers: {{{allow}}}}}}}\n"
    );
    let text = format!("{BUNDLE}{route}");
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    for (path, host, status, code) in [
        ("/orders", "api.example", 204, None),
        ("/orders?page=1", "api.example", 204, None),
        ("/quiet", "api.example", 401, Some("token-missing")),
        ("/customers/c-1", "api.example", 401, Some("token-missing")),
        ("/orders", "elsewhere.example", 403, Some("no-applicable-policy")),
    ] {
        let mut answer = typed("text/plain", "");
        *answer.status_mut() = http::StatusCode::NO_CONTENT;
        for (name, value) in [
            ("access-control-allow-origin", "https://shop.example"),
            ("access-control-allow-headers", "authorization, data-purpose"),
            ("access-control-expose-headers", "x-secret"),
        ] {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        world.upstream.answers(answer);
        let mut request = get(path, None, None);
        *request.method_mut() = Method::OPTIONS;
        for (name, value) in [
            ("host", host),
            ("origin", "https://shop.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let seen = world.send(request).await;
        assert_eq!(seen.status, status, "{path} {host}: {seen:?}");
        let told = seen.headers.get("access-control-allow-origin").map(|v| v.to_str().unwrap());
        assert_eq!(told, code.is_none().then_some("https://shop.example"), "{path} {host}");
        assert!(!seen.headers.contains_key("access-control-expose-headers"), "nobody declared it");
        code.into_iter().for_each(|code| assert_eq!(&*seen.code(), code, "{path} {host}"));
    }
    let reached = world.upstream.reached();
    assert_eq!(reached.len(), 2);
    assert!(reached[0].0.headers.contains_key("origin"));
    // By its method a service knows that it is asked in advance. Names of headers can say anything.
    assert_eq!(reached[0].0.headers["access-control-request-method"], "GET");
    assert!(!reached[0].0.headers.contains_key("access-control-request-headers"), "nobody declared it");
}

#[tokio::test]
async fn law_13_what_is_asked_about_in_advance_is_a_method_that_there_is() {
    let world = world().await;
    let route = "\n  - {route: OPTIONS /orders, public: true, purpose: essential.service, excess: refuse, response: {body: none}}\n";
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", &*format!("{BUNDLE}{route}"))]));
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    for (method, lines, told) in [
        (Method::OPTIONS, &["GET"][..], Some("GET")),
        (Method::OPTIONS, &["DELETE"], Some("DELETE")),
        (Method::OPTIONS, &["delete"], None),
        (Method::OPTIONS, &["GET, PUT"], None),
        (Method::OPTIONS, &["GET", "PUT"], None),
        (Method::OPTIONS, &["ann@example.org"], None),
        // Nobody asks in advance by another method.
        (Method::GET, &["PUT"], None),
    ] {
        let asked = if method == Method::OPTIONS { bare(204, &[], b"") } else { answer(200, &[]) };
        world.upstream.answers(asked);
        let mut request = ask(&world, "/orders");
        *request.method_mut() = method.clone();
        for line in lines {
            request.headers_mut().append("access-control-request-method", line.parse().unwrap());
        }
        let seen = world.send(request).await;
        assert!(seen.status.is_success(), "{method} {lines:?}: {seen:?}");
        let reached = world.upstream.take();
        let got = reached[0].0.headers.get("access-control-request-method");
        assert_eq!(got.map(|value| value.to_str().unwrap()), told, "{method} {lines:?}");
    }
}

/// An answer of these bytes, under these headers alone.
fn bare(status: u16, lines: &[(&'static str, &str)], bytes: &'static [u8]) -> Answer {
    let mut answer = answer(status, &[]);
    answer.headers_mut().remove("content-type");
    for (name, value) in lines {
        answer.headers_mut().append(*name, value.parse().unwrap());
    }
    *answer.body_mut() = Full::new(bytes::Bytes::from_static(bytes)).map_err(|e| match e {}).boxed();
    answer
}

#[tokio::test]
async fn law_1_an_answer_without_a_media_type_has_no_bytes() {
    let world = world().await;
    type Lines<'a> = &'a [(&'static str, &'a str)];
    type Row<'a> = (&'a str, &'a str, u16, Lines<'a>, &'static [u8], u16);
    let (json, html, coded) =
        (("content-type", "application/json"), ("content-type", "text/html"), ("content-encoding", "gzip"));
    let (table, lines) = (("content-type", "text/csv"), ("content-type", "application/x-ndjson"));
    let rows: [Row<'_>; 20] = [
        ("taken in", "/orders", 202, &[], b"", 202),
        ("made, and where", "/orders", 201, &[("location", "/orders")], b"", 201),
        ("well", "/orders", 200, &[("content-length", "0")], b"", 200),
        ("an odd one", "/orders", 299, &[], b"", 299),
        ("of a person", "/papers/c-1", 200, &[], b"", 200),
        ("with bytes", "/orders", 200, &[], b"{}", 502),
        ("with one byte", "/orders", 202, &[], b" ", 502),
        ("no bytes that are called JSON", "/orders", 200, &[json], b"", 200),
        ("no bytes of another type", "/orders", 200, &[html], b"", 200),
        ("a blank that is called JSON", "/orders", 200, &[json], b" ", 502),
        ("bytes of another type", "/orders", 200, &[html], b"{}", 502),
        ("no bytes that are called coded JSON", "/orders", 200, &[json, coded], b"", 502),
        ("no bytes of another type, coded", "/orders", 200, &[html, coded], b"", 502),
        ("two types", "/orders", 200, &[("content-type", ""), ("content-type", "")], b"", 502),
        ("nothing in a coding", "/orders", 200, &[("content-encoding", "gzip")], b"", 502),
        ("a page", "/page", 200, &[], b"", 502),
        ("no bytes that are called a table", "/table", 200, &[table], b"", 200),
        ("a line end that is called a table", "/table", 200, &[table], b"\n", 502),
        ("no bytes that are called a coded table", "/table", 200, &[table, coded], b"", 502),
        ("no bytes of another type than a table", "/table", 200, &[json], b"", 200),
    ];
    world.upstream.answers(bare(200, &[lines], b""));
    let seen = world.send(ask(&world, "/table")).await;
    assert_eq!((seen.status.as_u16(), seen.body.as_deref()), (200, Ok(&b""[..])), "no lines: {seen:?}");
    for (what, path, status, lines, bytes, expected) in rows {
        world.upstream.answers(bare(status, lines, bytes));
        let seen = world.send(ask(&world, path)).await;
        assert_eq!(seen.status, expected, "{what}: {seen:?}");
        if expected < 300 {
            assert!(seen.body.as_ref().unwrap().is_empty(), "{what}: {seen:?}");
            assert!(!seen.headers.contains_key("content-type"), "{what}: {seen:?}");
            assert_eq!(seen.headers["cache-control"], "private, no-store", "{what}");
        }
    }
}

#[tokio::test]
async fn law_1_a_status_that_has_no_body_has_none_on_a_page_either() {
    let world = world().await;
    for (status, lines) in [(204, &[][..]), (205, &[]), (204, &[("content-type", "text/html")])] {
        world.upstream.answers(bare(status, lines, b"<p>ann</p>"));
        let seen = world.send(ask(&world, "/page")).await;
        assert_eq!(seen.status, status, "{lines:?}: {seen:?}");
        assert!(seen.body.as_ref().unwrap().is_empty(), "{status} {lines:?}: {seen:?}");
        assert!(!seen.headers.contains_key("content-type"), "{status} {lines:?}: {seen:?}");
    }
}
