//! Ways round the layer that begin in a head: what has a second reading, and what is slipped past in a header, a
//! cookie or a status. Whatever reaches the service behind, or the caller, was declared and decided.

use std::convert::Infallible;
use std::future::Ready;
use std::task::{Context, Poll};

use bytes::Bytes;
use consentry_model::Reason;
use consentry_tests::world::{Answer, Seen, World, contract, get, json, post};
use http::{Request, Version};
use http_body_util::Full;

const SUPPORT: &str = "essential.service.operations.support";
const SID: &str = "0123456789abcdef0123456789abcdef";

fn with(mut request: Request<Full<Bytes>>, lines: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    for (name, value) in lines {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn profile(world: &World) -> Request<Full<Bytes>> {
    get("/customers/c-1", Some(&world.token("support", &[SUPPORT])), Some(SUPPORT))
}

async fn world() -> World {
    let world = World::new();
    world.record("customer", "c-1", &[contract()]).await;
    world
}

/// What the service behind saw, as one text.
fn reached(world: &World) -> String {
    format!("{:?}", world.upstream.reached())
}

#[tokio::test]
async fn law_1_a_target_with_two_readings_is_refused() {
    let targets = [
        "/analytics/pages?groupBy=url;join=user",
        "/site/a%2e%2e%2f",
        "/customers/c-1?expand=a&expand=b",
        "/customers/c-1?%65xpand=a&expand=b",
        "/customers/c-1?%65xpand=a",
        "/customers/c-1?expand[]=a",
        "/customers/c-1?expand%5B%5D=a",
        "/customers/c-1?expand%5B0%5D=a",
        "/customers/c-1?ex.pand=a&ex_pand=b",
        "/customers/c-1?expand=a&Expand=b",
        "/customers/c-1?expand=a&expand%20=b",
        "/customers/c-1?expand=a;expand=b",
        "/customers/c-1?expand%00=a",
        "/customers/c-1?a%26expand=b",
        "/customers/c-1?a%3Dexpand=b",
        "/customers/c-1?expand=%",
        "/customers/c-1?expand=a+%",
        "/customers/c-1?expand=a%00",
        "/customers/c-1?expand=%ff+a",
        "/customers/c-1?expand=%c0%af",
        "/customers/c-1?expand=%u0061",
        "/customers/c-1?_method=DELETE",
        "/customers/c-1?_METHOD=DELETE",
        "/customers/c-1?x-http-method-override=DELETE",
        "/customers/c-1?X_HTTP_Method_Override=DELETE",
        "/customers/c-1/",
        "/customers//c-1",
        "//customers/c-1",
        "/./customers/c-1",
        "/customers/c-1/..",
        "/customers/.%2e/customers/c-1",
        "/customers/%2E",
        "/customers/c%2D1",
        "/%63ustomers/c-1",
        "/customers/c-1%2finvoices",
        "/customers/c-1%5cinvoices",
        "/customers/c-1%252finvoices",
        "/customers/c-1%3finvoices",
        "/customers/c-1%23x",
        "/customers/c-1;a=b",
        "/customers/c-1%3ba=b",
        "/customers/c-1%00",
        "/customers/c-1%0d%0aHost:x",
        "/customers/c-1%7f",
        "/customers/c-1%c2%85",
        "/customers/c-1%20",
        "/customers/%20c-1",
        "/customers/c-1.",
        "/customers/c-1...",
        "/customers/c-1%ef%bc%8finvoices",
        "/customers/c-1%e2%88%95invoices",
        "/customers/c-1%e2%81%84invoices",
        "/customers/%ef%bc%8e%ef%bc%8e",
        "/customers/%e2%80%ae1-c",
        "/customers/c-1%e2%80%8b",
        "/customers/c-1%ef%bb%bf",
        "/customers/c-1%ef%b8%8f",
        "/customers/c-1%cd%8f",
        "/customers/c-1%e1%a0%8e",
        "/customers/c-1%e3%85%a4",
        "/customers/c-1%d8%9c",
        "/customers/c-1%f3%a0%81%81",
        "/customers/c-1?exp%ef%b8%8fand=a",
        "/customers/c-1%c0%ae",
        "/customers/c-1%ff",
        "/customers/c-1%ed%a0%80",
        "/customers/c-1%",
        "/customers/c-1%4",
        "/customers/c-1%zz",
        "/customers/c-1%u002f",
        "*",
    ];
    let (world, mut refused) = (world().await, 0);
    for target in targets {
        // What cannot even be written as a target is refused by whoever reads it off the wire.
        if target.parse::<http::Uri>().is_err() {
            continue;
        }
        let token = world.token("analyst", &["functional.service.improve"]);
        let seen = world.send(get(target, Some(&token), Some("functional.service.improve"))).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (400, "head-malformed"), "{target}");
        assert!(world.upstream.reached().is_empty(), "{target}");
        refused += 1;
    }
    assert!(refused > 50, "{refused} targets were tried");
    assert_eq!(world.strangers(Reason::HeadMalformed).await, refused);
}

#[tokio::test]
async fn law_1_header_lines_with_two_readings_are_refused() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("host", "a"), ("host", "a")], "head-malformed"),
        (&[("content-type", "application/json"), ("content-type", "text/plain")], "head-malformed"),
        (&[("content-length", "0"), ("content-length", "5")], "head-malformed"),
        (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], "head-malformed"),
        (&[("transfer-encoding", "gzip, chunked")], "head-malformed"),
        (&[("transfer-encoding", "identity")], "head-malformed"),
        (&[("transfer-encoding", "xchunked")], "head-malformed"),
        (&[("expect", "200-ok")], "head-malformed"),
        // A part would go on as the whole.
        (&[("content-range", "bytes 0-1/10")], "head-malformed"),
        (&[("content_range", "bytes 0-1/10")], "head-malformed"),
        (&[("connection", "content-range")], "head-malformed"),
        (&[("upgrade", "h2c")], "upgrade-refused"),
        (&[("upgrade", "websocket"), ("connection", "upgrade")], "upgrade-refused"),
        (&[("connection", "Upgrade, HTTP2-Settings")], "upgrade-refused"),
        (&[("http2-settings", "AAMAAABkAAQAAP__")], "upgrade-refused"),
        (&[("sec-websocket-key", "x")], "upgrade-refused"),
        (&[("connection", "authorization")], "head-malformed"),
        (&[("connection", "close, Data-Purpose")], "head-malformed"),
        (&[("connection", "close"), ("connection", "cookie")], "head-malformed"),
        (&[("connection", "host")], "head-malformed"),
        (&[("connection", "content-length")], "head-malformed"),
        (&[("connection", "x-forwarded-for")], "head-malformed"),
        (&[("connection", "sec-gpc")], "head-malformed"),
        (&[("connection", "keep alive")], "head-malformed"),
        (&[("connection", "a:b")], "head-malformed"),
        (&[("data_purpose", "marketing")], "head-malformed"),
        (&[("data.purpose", "marketing")], "head-malformed"),
        (&[("x_forwarded_for", "203.0.113.9")], "head-malformed"),
        (&[("x_forwarded_user", "ann@example.org")], "head-malformed"),
        (&[("content_length", "5")], "head-malformed"),
        (&[("transfer_encoding", "chunked")], "head-malformed"),
        (&[("content_type", "text/plain")], "head-malformed"),
        (&[("remote_user", "ann")], "head-malformed"),
        (&[("sec_gpc", "0")], "head-malformed"),
        (&[("x_real.ip", "203.0.113.9")], "head-malformed"),
        (&[("x-ticket", "1"), ("x_ticket", "2")], "head-malformed"),
        (&[("x-http-method", "DELETE")], "head-malformed"),
        (&[("x-http-method-override", "DELETE")], "head-malformed"),
        (&[("x_http_method_override", "DELETE")], "head-malformed"),
        (&[("x-method-override", "DELETE")], "head-malformed"),
        (&[("x-original-url", "/admin")], "head-malformed"),
        (&[("x_original_url", "/admin")], "head-malformed"),
        (&[("x-original-uri", "/admin")], "head-malformed"),
        (&[("x-rewrite-url", "/admin")], "head-malformed"),
        (&[("x-forwarded-uri", "/admin")], "head-malformed"),
        (&[("x-forwarded-path", "/admin")], "head-malformed"),
        (&[("x-forwarded-prefix", "/admin")], "head-malformed"),
        (&[("x-original-host", "other.example")], "head-malformed"),
        (&[("x-host", "other.example")], "head-malformed"),
        (&[("x-http-host-override", "other.example")], "head-malformed"),
        (&[("x_host", "other.example")], "head-malformed"),
        (&[("x-http-destinationurl", "http://other.example/")], "head-malformed"),
        (&[("x-original-request-uri", "/admin")], "head-malformed"),
        (&[("x-original-method", "DELETE")], "head-malformed"),
        (&[("x-envoy-original-path", "/admin")], "head-malformed"),
        (&[("x-ms-original-url", "/admin")], "head-malformed"),
        (&[("x-accel-redirect", "/admin")], "head-malformed"),
        (&[("x-sendfile", "/etc/passwd")], "head-malformed"),
    ];
    let world = world().await;
    for (lines, code) in rows {
        let seen = world.send(with(profile(&world), lines)).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (400, *code), "{lines:?}");
        assert!(world.upstream.reached().is_empty(), "{lines:?}");
    }
    let upgrades = rows.iter().filter(|(_, code)| *code == "upgrade-refused").count() as u64;
    assert_eq!(world.strangers(Reason::UpgradeRefused).await, upgrades);
    assert_eq!(world.strangers(Reason::HeadMalformed).await, rows.len() as u64 - upgrades);
}

/// Many proxies send it with whatever they pass on (RFC 9110, section 7.8).
#[tokio::test]
async fn an_upgrade_to_nothing_asks_for_nothing() {
    let world = world().await;
    for option in ["upgrade", "Upgrade", "keep-alive, Upgrade", "upgrade, close"] {
        let seen = world.send(with(profile(&world), &[("connection", option)])).await;
        assert_eq!(seen.status, 200, "{option}: {seen:?}");
        let reached = world.upstream.take();
        assert!(!reached[0].0.headers.contains_key("connection"), "{option}: {reached:?}");
    }
}

#[tokio::test]
async fn law_1_a_method_that_nobody_describes_is_refused() {
    let world = world().await;
    for method in
        ["TRACE", "CONNECT", "get", "GETT", "PROPFIND", "TRACK", "DEBUG", "PRI", "LINK", "PURGE", "QUERY"]
    {
        let mut request = profile(&world);
        *request.method_mut() = method.parse().unwrap();
        let seen = world.send(request).await;
        assert_eq!((seen.status.as_u16(), &*seen.code()), (400, "method-refused"), "{method}");
        assert!(world.upstream.reached().is_empty(), "{method}");
    }
}

#[tokio::test]
async fn law_1_a_declared_header_comes_once_and_stays_where_it_is() {
    let purpose = "third_party_sharing.legal_obligation";
    let world = world().await;
    for (lines, status) in [
        (&[("legal-request", "r-1"), ("legal-approver", "ann")][..], 200),
        (&[("legal-request", "r-1"), ("legal-request", "r-2"), ("legal-approver", "ann")], 400),
        (&[("legal-request", "r-1"), ("legal-approver", "ann"), ("connection", "legal-approver")], 400),
        (&[("legal-request", "r-1"), ("legal-approver", "ann"), ("legal_approver", "bob")], 400),
    ] {
        let before = world.upstream.reached().len();
        world.upstream.answers(json("{}"));
        let token = world.token("police", &[purpose]);
        let request = with(get("/customers/c-1/disclosure", Some(&token), Some(purpose)), lines);
        let seen = world.send(request).await;
        assert_eq!(seen.status.as_u16(), status, "{lines:?} {seen:?}");
        let reached = world.upstream.reached().len() - before;
        assert_eq!(reached, usize::from(status == 200), "{lines:?}");
    }
}

#[tokio::test]
async fn law_1_a_host_is_one_plain_name() {
    let world = world().await;
    for (authority, host, status) in [
        (Some("api.example"), None, 200),
        (Some("api.example"), Some("API.example"), 200),
        (None, Some("api.example:8080"), 200),
        (Some("api.example"), Some("other.example"), 400),
        (Some("ann@api.example"), None, 400),
        (None, Some("ann@example.org"), 400),
        (None, Some("a b"), 400),
        (None, Some("api.example."), 400),
        (None, Some("api..example"), 400),
        (None, Some(".example"), 400),
        (None, Some("api.example:"), 400),
        (None, Some("api.example:http"), 400),
        (None, Some("api.example:80:80"), 400),
        (None, Some("api.example:99999"), 400),
        (None, Some("api.example/customers"), 400),
        (None, Some("api.example#"), 400),
        (None, Some("api.example?x"), 400),
        (None, Some("%61pi.example"), 400),
        (None, Some("api.example, other.example"), 400),
        (None, Some(""), 400),
        (None, Some("b\u{fc}cher.example"), 400),
        (None, Some("xn--bcher-kva.example"), 200),
        (None, Some("my_service:3000"), 200),
        (None, Some("192.0.2.7"), 200),
        (None, Some("[2001:db8::1]:443"), 200),
        (None, Some("[2001:db8::1"), 400),
        (None, Some("[api.example]"), 400),
        (None, Some("[2001:db8::1]x"), 400),
    ] {
        let mut request = profile(&world);
        if let Some(host) = host {
            let value = http::HeaderValue::from_bytes(host.as_bytes()).unwrap();
            request.headers_mut().insert("host", value);
        }
        if let Some(authority) = authority {
            *request.version_mut() = Version::HTTP_2;
            *request.uri_mut() = format!("https://{authority}/customers/c-1").parse().unwrap();
        }
        world.upstream.answers(answer(&[]));
        assert_eq!(world.send(request).await.status, status, "{authority:?} {host:?}");
    }
}

#[tokio::test]
async fn law_1_nothing_personal_rides_on_a_technical_header_of_a_request() {
    let lines: &[&[(&str, &str)]] = &[
        &[("accept", "application/json;for=\"ann@example.org\"")],
        &[("accept", "ann@example.org")],
        &[("host", "panopta.example")],
        &[("x_user", "ann@example.org")],
        &[("from", "ann@example.org")],
        &[("cookie", "sid=ann@example.org")],
        &[("cookie", "a=1; sid=0123456789abcdef0123456789abcdef; sid=ann@example.org")],
        &[("cookie", "sid=0123456789abcdef0123456789abcdef"), ("cookie", "sid=ann@example.org")],
        &[("cookie", "ann@example.org")],
        &[("range", "bytes=ann@example.org")],
        &[("tracestate", "u=ann@example.org")],
        &[("baggage", "user=ann@example.org")],
    ];
    for lines in lines {
        let world = world().await;
        let seen = world.send(with(profile(&world), lines)).await;
        assert_eq!(seen.status, 200, "{lines:?} {seen:?}");
        assert!(!reached(&world).contains("ann@"), "{lines:?}: {}", reached(&world));
    }
}

#[tokio::test]
async fn law_1_the_body_that_goes_on_is_labelled_as_it_was_read() {
    for (kind, status, passed_on) in [
        ("application/json; charset=utf-8", 200, "application/json"),
        ("application/ld+json; profile=\"ann@example.org\"", 200, "application/json"),
        ("application/vnd.4111111111111111+json", 200, "application/json"),
        ("application/x-www-form-urlencoded, a+json", 415, ""),
    ] {
        let world = world().await;
        let mut request = post("/newsletter", r#"{"email":"bob@example.org","opt_in":true}"#);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(world.send(request).await.status, status, "{kind}");
        let types = world.upstream.reached().iter().map(|(p, _)| p.headers["content-type"].clone()).last();
        assert_eq!(types.as_ref().map_or("", |t| t.to_str().unwrap()), passed_on, "{kind}");
    }
}

fn answer(lines: &[(&'static str, &str)]) -> Answer {
    let mut answer = json(r#"{"id":"c-1"}"#);
    for (name, value) in lines {
        answer.headers_mut().append(*name, value.parse().unwrap());
    }
    answer
}

#[tokio::test]
async fn law_1_nothing_personal_rides_on_a_header_of_an_answer() {
    let lines: &[(&'static str, &str)] = &[
        ("retry-after", "ann@example.org"),
        ("date", "ann@example.org"),
        ("content-language", "ann@example.org"),
        ("content-type", "application/json; for=ann@example.org"),
        ("etag", "\"ann@example.org\""),
        ("server-timing", "ann@example.org"),
        ("link", "</ann@example.org>"),
        ("location", "/ann@example.org"),
        ("content-location", "/ann@example.org"),
        ("content-disposition", "attachment; filename=ann@example.org"),
        ("content-range", "ann@example.org"),
        ("warning", "199 - ann@example.org"),
        ("x-user", "ann@example.org"),
        ("trailer", "ann"),
        ("set-cookie", "ann@example.org"),
        ("set-cookie", "user=ann@example.org"),
        ("set-cookie", "sid=\"ann@example.org\""),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef; Path=/ann@example.org"),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef; Comment=ann@example.org; Secure"),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef, user=ann@example.org"),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef; Domain=ann@example.org"),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef; Expires=ann@example.org"),
        ("set-cookie", "sid=0123456789abcdef0123456789abcdef; SameSite=ann@example.org"),
    ];
    for line in lines {
        let world = world().await;
        world.upstream.answers(answer(&[*line]));
        let seen = world.send(profile(&world)).await;
        assert!(!format!("{seen:?}").contains("ann@"), "{line:?}: {seen:?}");
    }
}

#[tokio::test]
async fn law_1_a_language_that_nobody_declared_tells_nothing_of_anybody() {
    let world = world().await;
    world.upstream.answers(answer(&[("content-language", "ann-smith, de")]));
    let seen = world.send(profile(&world)).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.headers.contains_key("content-language"), "{seen:?}");
}

#[tokio::test]
async fn a_session_cookie_keeps_what_browsers_need() {
    let world = world().await;
    let line = format!("sid={SID}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600; Partitioned");
    world.upstream.answers(answer(&[("set-cookie", &line)]));
    let seen = world.send(get("/site/pricing", None, None)).await;
    assert_eq!(seen.headers["set-cookie"], line.as_str());
}

fn lines_of(records: &[consentry_audit::Record], category: &str) -> usize {
    let lines = records.iter().flat_map(|r| r.entry().verdicts().to_vec());
    lines.filter(|l| l.categories.iter().any(|c| c.as_str() == category)).count()
}

/// An address of sixteen letters has the form of a session's number, when it is spelled in hexadecimal digits.
#[tokio::test]
async fn law_12_an_address_does_not_travel_as_the_digits_of_a_session() {
    let spelled: String = "anna@example.org".bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(spelled.len(), SID.len());
    for (value, travels) in [(spelled.as_str(), false), (SID, true)] {
        let world = world().await;
        world.upstream.answers(answer(&[("set-cookie", &format!("sid={value}"))]));
        let asked = with(get("/site/pricing", None, None), &[("cookie", &format!("sid={value}"))]);
        let seen = world.send(asked).await;
        assert_eq!(reached(&world).contains(value), travels, "{value}");
        assert_eq!(seen.headers.contains_key("set-cookie"), travels, "{value}");
    }
}

#[tokio::test]
async fn law_12_a_cookie_travels_on_a_recorded_verdict_only() {
    let world = world().await;
    let seen = world.send(with(get("/site/pricing", None, None), &[("cookie", &format!("sid={SID}"))])).await;
    assert_eq!(seen.status, 200);
    assert!(reached(&world).contains(SID), "the cookie went on");
    assert!(lines_of(&world.records().await, "user.device.cookie") > 0, "in the request");

    let world = self::world().await;
    world.upstream.answers(answer(&[("set-cookie", &format!("sid={SID}"))]));
    let seen = world.send(get("/site/pricing", None, None)).await;
    assert!(seen.headers.contains_key("set-cookie"));
    assert!(lines_of(&world.records().await, "user.device.cookie") > 0, "in the answer");
}

#[tokio::test]
async fn law_13_a_public_route_does_not_pass_on_a_status_that_tells_of_a_person() {
    let mut seen_all: Vec<Seen> = Vec::new();
    for status in [404, 409, 410, 422, 500] {
        let world = world().await;
        let mut answer = json(r#"{"error":"ann@example.org has an account"}"#);
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        world.upstream.answers(answer);
        seen_all.push(world.send(post("/newsletter", r#"{"email":"ann@example.org","opt_in":true}"#)).await);
    }
    for seen in &seen_all {
        assert_eq!((seen.status.as_u16(), &*seen.code()), (502, "upstream-error"), "{seen:?}");
    }
}

/// A service that insists on being asked whether it is ready, as `tower`'s own limits do.
#[derive(Default)]
struct Strict(bool);

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl tower_service::Service<Request<Full<Bytes>>> for Strict {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.0, "called without being ready");
        std::future::ready(Ok(json(r#"{"id":"c-1"}"#)))
    }
}

#[tokio::test]
async fn an_inner_service_is_asked_whether_it_is_ready() {
    use tower_layer::Layer as _;
    use tower_service::Service as _;
    let world = world().await;
    let response = world.layer.layer(Strict::default()).call(profile(&world)).await.unwrap();
    assert_eq!(response.status(), 200);
}
