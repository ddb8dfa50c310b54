//! What of a service's refusal is told to whoever called.

use crate::{refused, seen, world};

#[tokio::test]
async fn how_long_to_wait_is_what_the_service_says_where_it_may_be_told() {
    let world = world().await;
    for (path, said, told) in [
        ("/orders", "120", Some("120")),
        ("/orders", "Mon, 01 Jun 2026 00:00:10 GMT", Some("Mon, 01 Jun 2026 00:00:10 GMT")),
        ("/orders", "4111111111111111", None),
        ("/orders", "ann", None),
        ("/quiet", "120", None),
    ] {
        let seen = seen(&world, path, 429, &[("retry-after", said)]).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (429, "upstream-error"), "{path} {said}");
        let got = seen.headers.get("retry-after").map(|v| v.to_str().unwrap());
        assert_eq!(got, told, "{path} {said}");
    }
}

#[tokio::test]
async fn law_1_what_a_service_says_of_the_connection_to_it_is_a_fault_behind() {
    let world = world().await;
    for (status, told) in [(404, 404), (407, 502), (408, 502), (421, 502), (426, 502), (429, 429)] {
        let seen = seen(&world, "/orders", status, &[("retry-after", "120")]).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (told, "upstream-error"), "{status}");
        assert_eq!(seen.headers.contains_key("retry-after"), told < 500, "{status}");
    }
}

/// Whoever says that a method is not allowed has to say which are (RFC 9110, section 15.5.6).
#[tokio::test]
async fn law_13_which_methods_a_service_allows_is_told_in_the_words_that_there_are() {
    let world = world().await;
    for (route, status, lines, told, said) in [
        ("GET /orders", 405, &["POST, OPTIONS"][..], 405, Some("POST, OPTIONS")),
        ("GET /orders", 405, &["OPTIONS,, POST ,POST"], 405, Some("POST, OPTIONS")),
        ("GET /orders", 405, &["POST", "PUT"], 405, Some("POST, PUT")),
        ("POST /login", 405, &["GET, HEAD"], 405, Some("GET, HEAD")),
        ("GET /orders", 405, &["POST, PROPFIND, ann@example.org"], 405, Some("POST")),
        // What the service does not say nobody here knows.
        ("GET /orders", 405, &[], 405, None),
        ("GET /orders", 405, &[""], 405, None),
        ("GET /orders", 405, &["post"], 405, None),
        ("GET /orders", 405, &["ann@example.org"], 405, None),
        ("GET /open/c-1", 405, &["POST"], 502, None),
        ("GET /orders", 404, &["POST"], 404, None),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| ("allow", *line)).collect();
        let seen = refused(&world, route, status, &lines).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (told, "upstream-error"), "{route} {lines:?}");
        let got = seen.headers.get("allow").map(|value| value.to_str().unwrap());
        assert_eq!(got, said, "{route} {status} {lines:?}");
        assert!(!format!("{seen:?}").contains("ann"), "{lines:?}: {seen:?}");
    }
}

#[tokio::test]
async fn law_13_a_status_is_told_where_it_tells_of_nobody() {
    let world = world().await;
    for (route, status, told) in [
        // Whoever calls had to say who they are.
        ("GET /orders", 401, 401),
        ("GET /customers/c-1", 404, 404),
        // Anybody may call, and nothing there is of anybody.
        ("POST /login", 400, 400),
        ("POST /login", 401, 401),
        ("POST /login", 404, 404),
        ("POST /login", 422, 422),
        ("POST /login", 429, 429),
        ("GET /page", 404, 404),
        ("POST /login", 407, 502),
        ("POST /login", 408, 502),
        ("POST /login", 421, 502),
        ("POST /login", 426, 502),
        ("POST /login", 500, 502),
        // Anybody may ask about somebody: what the map lists is told, and nothing else.
        ("GET /open/c-1", 422, 422),
        ("GET /open/c-1", 429, 429),
        ("GET /open/c-1", 400, 502),
        ("GET /open/c-1", 401, 502),
        ("GET /open/c-1", 404, 502),
        ("GET /open/c-1", 410, 502),
        ("GET /open/c-1", 500, 502),
    ] {
        let seen = refused(&world, route, status, &[]).await;
        assert_eq!(
            (seen.status.as_u16(), &*seen.code()),
            (told, "upstream-error"),
            "{route} {status}: {seen:?}"
        );
        assert!(!format!("{seen:?}").contains("total"), "the body is ours: {route} {status}: {seen:?}");
    }
}

#[tokio::test]
async fn that_a_service_rests_is_told_with_how_long() {
    let world = world().await;
    for (route, wait, told) in [
        ("GET /orders", Some("120"), 503),
        ("GET /orders", Some("Mon, 01 Jun 2026 00:00:10 GMT"), 503),
        ("POST /login", Some("120"), 503),
        ("GET /orders", None, 502),
        ("GET /orders", Some("4111111111111111"), 502),
        ("GET /orders", Some("ann"), 502),
        // Nobody declared it.
        ("GET /quiet", Some("120"), 502),
        // It may rest for somebody alone.
        ("GET /open/c-1", Some("120"), 502),
    ] {
        let lines: Vec<_> = wait.into_iter().map(|wait| ("retry-after", wait)).collect();
        let seen = refused(&world, route, 503, &lines).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (told, "upstream-error"), "{route} {wait:?}");
        let got = seen.headers.get("retry-after").map(|v| v.to_str().unwrap());
        assert_eq!(got, wait.filter(|_| told == 503), "{route} {wait:?}");
    }
}

#[tokio::test]
async fn a_browser_of_another_origin_is_told_why_it_is_refused() {
    let world = world().await;
    let lines = [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-expose-headers", "retry-after"),
        ("access-control-allow-credentials", "true"),
        ("x-frame-options", "ann"),
    ];
    for (route, status, told, passes) in [
        ("POST /login", 401, 401, &["access-control-allow-origin", "access-control-expose-headers"][..]),
        ("POST /login", 500, 502, &[]),
        ("GET /open/c-1", 422, 422, &["access-control-allow-origin"]),
        // A status that is not told is like any other.
        ("GET /open/c-1", 404, 502, &[]),
        // Nobody declared it.
        ("GET /orders", 422, 422, &[]),
    ] {
        let seen = refused(&world, route, status, &lines).await;
        assert_eq!(seen.status, told, "{route} {status}: {seen:?}");
        for (name, value) in lines {
            let got = seen.headers.get(name).map(|v| v.to_str().unwrap());
            assert_eq!(got, passes.contains(&name).then_some(value), "{route} {status} {name}");
        }
        assert_eq!(seen.headers["cache-control"], "no-store", "{route} {status}");
    }
}
