//! Ways round the layer in what stands around a body: places that an answer names, validators and digests of bytes that
//! did not go on, what may be kept, and the head without its body.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use consentry_consent::Ledger as _;
use consentry_model::{BundleDigest, Identifier, LedgerEvent, Space};
use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{Answer, Happening, Seen, TODAY, World, contract, get, json, typed};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};

const BUNDLE: &str = "
bundle: {controller: Example, policy: {version: v1, from: 2026-01-01}, hosts: [api.example, www.example, api.shop.example], excess: drop}
requesters: {shop: {purposes: [essential]}, portal: {purposes: [essential]}}
rules:
  - {id: serve, permit: essential.service, data: user.unique_id, basis: contract, clauses: [c-1]}
  - {id: name, permit: essential.service.authentication, data: [user.unique_id, user.name], basis: contract, clauses: [c-1]}
  - {id: keep, permit: essential.service, data: user.device.cookie, basis: notice, clauses: [c-1]}
clauses: [{id: c-1, line: 1, section: Use, says: Customers are served., status: enforced}]
cases: [{case: nobody, clause: c-1, who: shop, asks: GET /nowhere, about: nobody, then: refuse route-unknown}]
cookies:
  - {name: sid, purpose: essential.service, data: user.device.cookie, form: {hex: 4}, clauses: [c-1]}
  - {name: ad, purpose: marketing.advertising, data: user.device.cookie, clauses: [c-1]}
routes:
  - route: GET /customers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    response:
      headers: {Location: user.unique_id, Link: user.unique_id, Content-Disposition: user.name}
      body: {id: user.unique_id, name: user.name}
  - route: GET /papers/{id}
    purposes: [essential]
    about: {type: customer, space: customer, id: path.id}
    request: {query: {key: user.unique_id, called: user.name, page: none}}
    response: {headers: {Content-Disposition: user.unique_id}, body: {id: user.unique_id}}
  - route: GET /orders
    purpose: essential.service
    request: {query: {page: none}}
    response:
      headers: {Location: none, Content-Location: none, Link: none, Retry-After: none, Content-Disposition: none}
      body: {total: none}
  - {route: POST /orders, purpose: essential.service, response: {headers: {Location: none}, body: {total: none}}}
  - {route: GET /shop, purpose: essential.service, about: {type: visitor, anonymous: true}, response: {body: {total: none}}}
  - route: GET /people
    purpose: essential.service
    about: {type: customer, population: all}
    request: {query: {q: narrows, with: {adds: {ids: user.unique_id}}}}
    response: {body: {total: none}}
  - {route: GET /quiet, purpose: essential.service, response: {body: {total: none}}}
  - {route: GET /page, public: true, purpose: essential.service, response: {body: page}}
  - route: POST /login
    public: true
    purpose: essential.service
    response: {headers: {Retry-After: none, Access-Control-Allow-Origin: none, Access-Control-Expose-Headers: none}, body: {total: none}}
  - route: GET /open/{id}
    public: true
    purpose: essential.service
    about: {type: customer, space: customer, id: path.id}
    response: {headers: {Retry-After: none, Access-Control-Allow-Origin: none}, errors: [422, 429], body: {id: user.unique_id}}
";

async fn world() -> World {
    let world = World::new();
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", BUNDLE)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    world.record("customer", "c-1", &[contract()]).await;
    world
}

fn ask(world: &World, path: &str) -> Request<Full<bytes::Bytes>> {
    let mut request = get(path, Some(&world.token("shop", &["essential.service"])), None);
    request.headers_mut().insert("host", "api.example".parse().unwrap());
    request
}

fn answer(status: u16, lines: &[(&'static str, &str)]) -> Answer {
    let mut answer = json(r#"{"total":1}"#);
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
    for (name, value) in lines {
        answer.headers_mut().append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    answer
}

async fn seen(world: &World, path: &str, status: u16, lines: &[(&'static str, &str)]) -> Seen {
    world.upstream.answers(answer(status, lines));
    world.send(ask(world, path)).await
}

#[tokio::test]
async fn law_1_a_redirection_goes_to_described_places_only() {
    let world = world().await;
    for (path, status, to, passes) in [
        ("/orders", 302, "/orders", true),
        ("/orders", 301, "/orders?page=2", true),
        ("/orders", 303, "https://www.example/orders", true),
        ("/orders", 307, "/quiet", true),
        ("/orders", 308, "/page", true),
        ("/orders", 302, "/customers/c-1", false),
        ("/orders", 302, "/nowhere", false),
        ("/orders", 302, "/orders?user=ann@example.org", false),
        ("/orders", 302, "/orders#ann@example.org", false),
        ("/orders", 302, "//evil.example/orders", false),
        ("/orders", 302, "https://evil.example/orders", false),
        ("/orders", 302, "https://ann@www.example/orders", false),
        ("/orders", 302, "https://www.example:8443/orders", false),
        ("/orders", 302, "orders", false),
        ("/orders", 302, "../orders", false),
        ("/orders", 302, "/x/../orders", false),
        ("/orders", 302, "/%6frders", false),
        ("/orders", 302, "javascript:alert(1)", false),
        ("/orders", 302, "data:text/html,ann", false),
        ("/orders", 302, "", false),
        ("/orders", 300, "/orders", false),
        ("/orders", 304, "/orders", false),
        ("/orders", 305, "/orders", false),
        ("/quiet", 302, "/orders", false),
        // What narrows or adds may say anything: a place that tells of nobody says nothing of anybody there either.
        ("/orders", 302, "/people?q=shoes&with=ids", true),
        ("/orders", 302, "/people?q=1790123456789012345", true),
        ("/orders", 302, "/people?q=4111111111111111", true),
        (
            "/orders",
            302,
            "/people?q=kX8-4v_Zq0Jr7mPy2LwTtB5sNcUe1hGdRoAaIiVfQzKjWx39EMnHbSlFpDuYgC6-_OT",
            true,
        ),
        ("/orders", 302, "/people?q=ann%40example.org", false),
        ("/orders", 302, "/people?q=%2B43+1+2345678", false),
        ("/orders", 302, "/people?q=YW5uQGV4YW1wbGUub3Jn", false),
        ("/orders", 302, "/people?with=ids,ann@example.org", false),
        ("/customers/c-1", 302, "/people?q=shoes", true),
        ("/customers/c-1", 302, "/customers/c-1", true),
        ("/customers/c-1", 302, "/orders", true),
        ("/customers/c-1", 302, "/customers/c-1/more", false),
        ("/customers/c-1", 302, "/papers/c-1?page=2&key=k-1", true),
        // The place is decided as an identifier, and a name is none.
        ("/customers/c-1", 302, "/papers/c-1?called=bob", false),
        ("/customers/c-1", 302, "/papers/c-1?key=k-1&called=bob", false),
    ] {
        let seen = seen(&world, path, status, &[("location", to)]).await;
        let expected = if passes { status } else { 502 };
        assert_eq!(seen.status, expected, "{path} {status} {to}: {seen:?}");
        assert_eq!(seen.headers.contains_key("location"), passes, "{path} {status} {to}");
        assert!(!passes || seen.body.as_ref().is_ok_and(bytes::Bytes::is_empty), "{path} {to}: {seen:?}");
        assert!(!format!("{seen:?}").contains("ann"), "{to}: {seen:?}");
    }
    let two = seen(&world, "/orders", 302, &[("location", "/orders"), ("location", "/quiet")]).await;
    assert_eq!((two.status.as_u16(), &*two.code()), (502, "response-redirect"));
}

#[tokio::test]
async fn law_13_a_place_that_names_somebody_is_decided_like_a_datum() {
    let world = world().await;
    world.upstream.answers(answer(302, &[("location", "/customers/c-1")]));
    let mut request = ask(&world, "/customers/c-9");
    request.headers_mut().insert("data-purpose", "essential.service".parse().unwrap());
    let seen = world.send(request).await;
    assert_eq!((seen.status.as_u16(), &*seen.code()), (403, "not-permitted"), "nobody knows c-9: {seen:?}");
    assert!(!seen.headers.contains_key("location"));
}

#[tokio::test]
async fn law_1_headers_that_name_places_and_files_have_one_form() {
    let world = world().await;
    for (path, name, value, expected) in [
        ("/orders", "content-location", "/orders?page=1", Some("/orders?page=1")),
        ("/orders", "content-location", "/customers/c-1", None),
        ("/orders", "link", "</orders?page=2>; rel=\"next\"", Some("</orders?page=2>; rel=\"next\"")),
        (
            "/orders",
            "link",
            "</orders>; rel=first, </orders?page=2>; rel=next",
            Some("</orders>; rel=first, </orders?page=2>; rel=next"),
        ),
        // A comma in a target, or in quotes, divides nothing.
        ("/orders", "link", "</orders?page=1,2>; rel=next", Some("</orders?page=1,2>; rel=next")),
        (
            "/orders",
            "link",
            "</orders?page=1,2>; rel=next, </orders?page=3,4>; rel=\"last\"",
            Some("</orders?page=1,2>; rel=next, </orders?page=3,4>; rel=\"last\""),
        ),
        ("/orders", "link", "</orders>; rel=\"next,last\"", None),
        ("/orders", "link", "</orders?page=1,<//evil.example/>; rel=next", None),
        ("/orders", "link", "</orders?page=\">; rel=next, <//evil.example/>; rel=\"next\"", None),
        ("/orders", "link", "</orders>; rel=\"next, <//evil.example/>; rel=next", None),
        ("/orders", "link", "</orders>; rel=\"next\\\", <//evil.example/>; rel=\"next\"", None),
        ("/orders", "link", "</orders, </orders>; rel=next", None),
        ("/orders", "link", "</orders>; rel=next,", None),
        ("/orders", "link", "</customers/ann>; rel=next", None),
        ("/orders", "link", "<https://evil.example/x.css>; rel=stylesheet", None),
        ("/orders", "link", "</orders>; rel=preload", None),
        ("/orders", "link", "</orders>; rel=next; title=ann", None),
        ("/orders", "link", "</orders>; rel=next, <//evil.example/>; rel=next", None),
        ("/orders", "retry-after", "120", Some("120")),
        ("/orders", "retry-after", "Mon, 01 Jun 2026 00:00:10 GMT", Some("Mon, 01 Jun 2026 00:00:10 GMT")),
        ("/orders", "retry-after", "999999", Some("999999")),
        ("/orders", "retry-after", "4111111111111111", None),
        ("/orders", "retry-after", "0000000", None),
        ("/orders", "retry-after", "", None),
        ("/orders", "retry-after", "Tue, 01 Jun 2026 00:00:10 GMT", None),
        ("/orders", "retry-after", "Pan, 41 Jun 2026 11:11:11 GMT", None),
        ("/orders", "retry-after", "ann", None),
        ("/orders", "content-disposition", "attachment; filename=\"ann.json\"", Some("attachment")),
        ("/orders", "content-disposition", "inline", Some("inline")),
        ("/orders", "content-disposition", "form-data; name=ann", None),
        ("/quiet", "content-disposition", "inline", None),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=\"c-1.json\"",
            Some("attachment; filename=\"c-1.json\""),
        ),
        // The same name in any signs, as frameworks always write it beside the other.
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=\"c-1.json\"; filename*=UTF-8''c-1.json",
            Some("attachment; filename=\"c-1.json\"; filename*=UTF-8''c-1.json"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=utf-8''%C3%A9t%c3%a9%20(1).csv",
            Some("attachment"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=utf-8''%C3%A9t%c3%a9%20%281%29.csv; filename=_t_.csv",
            Some("attachment; filename*=utf-8''%C3%A9t%c3%a9%20%281%29.csv; filename=_t_.csv"),
        ),
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename*=UTF-8''c-1.json",
            Some("attachment; filename*=UTF-8''c-1.json"),
        ),
        ("/orders", "content-disposition", "attachment; filename*=UTF-8''ann.json", Some("attachment")),
        // Without quotes, as many services write it, a name is one word.
        (
            "/papers/c-1",
            "content-disposition",
            "attachment; filename=c-1.json",
            Some("attachment; filename=c-1.json"),
        ),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1 .json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1%2ejson", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=../c-1.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=.profile", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=\"c-1.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=c-1.json\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=a; filename=\"b\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; filename=", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment;", Some("attachment")),
        ("/papers/c-1", "content-disposition", "attachment; name=a; filename=b", Some("attachment")),
        // In whatever charset its name is: without it what is meant to be kept would be shown.
        ("/papers/c-1", "content-disposition", "attachment; filename=\"\u{e9}.json\"", Some("attachment")),
        ("/orders", "content-disposition", "Attachment;filename=\u{e9}", Some("attachment")),
        ("/orders", "content-disposition", "\u{e9}; filename=a", None),
        ("/orders", "content-disposition", "attachment; filename=ann.json", Some("attachment")),
        ("/papers/c-1", "content-disposition", "Attachment; filename=\"/ann\"", Some("attachment")),
        ("/papers/c-1", "content-disposition", "form-data; filename=\"c-1.json\"", None),
        ("/customers/c-1", "content-disposition", "attachment; filename=\"ann.json\"", None),
    ] {
        let seen = seen(&world, path, 200, &[(name, value)]).await;
        assert!([200, 403].contains(&seen.status.as_u16()), "{path} {name} {value}: {seen:?}");
        let got = seen.headers.get(name).map(|v| v.to_str().unwrap());
        assert_eq!(got, expected, "{path} {name}: {value}");
        assert!(!format!("{seen:?}").contains("ann"), "{name} {value}: {seen:?}");
    }
}

#[tokio::test]
async fn law_1_a_name_of_a_file_in_other_signs_leads_nowhere_either() {
    let world = world().await;
    for name in [
        "UTF-8''",
        "UTF-8''.profile",
        "UTF-8''%20.profile",
        "UTF-8''%2Eprofile",
        "UTF-8''..%2Fpasswd",
        "UTF-8''a%5Cb",
        "UTF-8''a%3Ab",
        "UTF-8''a%3Bb",
        "UTF-8''a%22b",
        "UTF-8''a%25b",
        "UTF-8''a%252Fb",
        "UTF-8''a%00b",
        "UTF-8''a%0D%0Ab",
        "UTF-8''a%E2%80%AEfdp.exe",
        "UTF-8''a%E2%80%8Bb",
        "UTF-8''a%EF%BC%8Fb",
        "UTF-8''%EF%BC%8Eprofile",
        "UTF-8''a%FFb",
        "UTF-8''a%C0%AFb",
        "UTF-8''a%2",
        "UTF-8''a%zz",
        "UTF-8''a b",
        "UTF-8''a/b",
        "UTF-8''a'b",
        "UTF-8''a; filename*=UTF-8''b",
        "UTF-8'en'a",
        "UTF-8'a",
        "ISO-8859-1''a",
        "\"UTF-8''a\"",
        "a",
        "",
    ] {
        let line = format!("attachment; filename=\"c-1.json\"; filename*={name}");
        let seen = seen(&world, "/papers/c-1", 200, &[("content-disposition", &line)]).await;
        assert_eq!(seen.headers.get("content-disposition").unwrap(), "attachment", "{name}");
    }
}

#[tokio::test]
async fn law_1_nothing_on_an_answer_speaks_of_other_bytes_or_lets_anybody_keep_it() {
    let world = world().await;
    for name in [
        "etag",
        "last-modified",
        "digest",
        "content-digest",
        "repr-digest",
        "content-md5",
        "accept-ranges",
        "age",
        "expires",
        "surrogate-control",
        "cdn-cache-control",
        "cache-status",
        "clear-site-data",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "nel",
        "alt-svc",
        "server-timing",
        "signature",
        "signature-input",
        "sourcemap",
        "x-sourcemap",
        "x-accel-redirect",
        "x-sendfile",
        "set-cookie2",
        "server",
        "x-powered-by",
        "via",
        "warning",
        "www-authenticate",
        "proxy-authenticate",
        "authentication-info",
        "access-control-allow-origin",
        "trailer",
        "x-runtime",
        "x-request-id",
        "traceparent",
        "content-security-policy-report-only",
        "pragma",
        "cloudflare-cdn-cache-control",
        "cache-tag",
        "xkey",
        "x-litespeed-location",
        "use-as-dictionary",
        "speculation-rules",
        "attribution-reporting-register-source",
    ] {
        let seen =
            seen(&world, "/orders", 200, &[(name, "ann"), ("cache-control", "public, max-age=60")]).await;
        assert_eq!(seen.status, 200, "{name} {seen:?}");
        assert!(!seen.headers.contains_key(name), "{name}");
        assert_eq!(seen.headers["cache-control"], "private, no-store", "{name}");
        // Whoever keeps it nevertheless is told all by which a purpose comes.
        let vary = seen.headers["vary"].to_str().unwrap();
        for carrier in ["authorization", "baggage", "data-purpose", "txn-token"] {
            assert!(vary.split(", ").any(|name| name == carrier), "{name}: {vary}");
        }
        assert!(!format!("{seen:?}").contains("ann"), "{name}: {seen:?}");
    }
}

/// Nobody declared any of these.
#[tokio::test]
async fn law_1_a_services_defences_pass_in_words_that_hold_nothing_of_anybody() {
    let world = world().await;
    for (name, lines, expected) in [
        ("x-content-type-options", &["nosniff"][..], Some("nosniff")),
        ("x-content-type-options", &[" NoSniff "], Some("nosniff")),
        ("x-content-type-options", &["nosniff, ann"], None),
        ("x-content-type-options", &["nosniff", "nosniff"], None),
        ("x-content-type-options", &["ann"], None),
        ("x-frame-options", &["DENY"], Some("DENY")),
        ("x-frame-options", &["sameorigin"], Some("SAMEORIGIN")),
        ("x-frame-options", &["ALLOW-FROM https://ann.example"], None),
        ("x-frame-options", &["DENY", "ann"], None),
        ("referrer-policy", &["no-referrer"], Some("no-referrer")),
        (
            "referrer-policy",
            &["same-origin,strict-origin-when-cross-origin"],
            Some("same-origin, strict-origin-when-cross-origin"),
        ),
        ("referrer-policy", &["same-origin, same-origin"], None),
        ("referrer-policy", &["same-origin, ann"], None),
        ("referrer-policy", &[""], None),
        // A browser by itself tells others less of an address.
        ("referrer-policy", &["unsafe-url"], None),
        ("referrer-policy", &["no-referrer, no-referrer-when-downgrade"], None),
        ("strict-transport-security", &["max-age=31536000"], Some("max-age=31536000")),
        (
            "strict-transport-security",
            &["Max-Age=63072000 ;includesubdomains; PRELOAD;"],
            Some("max-age=63072000; includeSubDomains; preload"),
        ),
        ("strict-transport-security", &["preload; max-age=0"], Some("max-age=0; preload")),
        ("strict-transport-security", &["max-age=4111111111111111"], None),
        ("strict-transport-security", &["max-age=431234567"], None),
        ("strict-transport-security", &["max-age=+60"], None),
        ("strict-transport-security", &["max-age=60; max-age=60"], None),
        ("strict-transport-security", &["max-age=60; preload=ann"], None),
        ("strict-transport-security", &["max-age=60; ann"], None),
        ("strict-transport-security", &["max-age="], None),
        ("strict-transport-security", &["preload"], None),
        ("strict-transport-security", &["max-age=60", "max-age=60"], None),
        ("cross-origin-opener-policy", &["same-origin-allow-popups"], Some("same-origin-allow-popups")),
        ("cross-origin-opener-policy", &["same-origin; report-to=\"ann\""], None),
        ("cross-origin-resource-policy", &["same-site"], Some("same-site")),
        ("cross-origin-resource-policy", &["ann"], None),
        ("cross-origin-embedder-policy", &["require-corp"], Some("require-corp")),
        ("cross-origin-embedder-policy", &["same-origin"], None),
        ("cross-origin-opener-policy-report-only", &["same-origin"], None),
        ("permissions-policy", &["camera=()"], None),
        ("content-security-policy", &["default-src 'none'"], None),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| (name, *line)).collect();
        // On what a route answers, on a page, where there is no body, and beside a status that is told.
        for (route, status) in
            [("GET /orders", 200), ("GET /page", 200), ("GET /orders", 204), ("GET /orders", 422)]
        {
            if route == "GET /page" {
                let mut page = typed("text/html", "<p>x</p>");
                lines
                    .iter()
                    .for_each(|(name, line)| _ = page.headers_mut().append(*name, line.parse().unwrap()));
                world.upstream.answers(page);
            } else {
                world.upstream.answers(answer(status, &lines));
            }
            let seen = world.send(ask(&world, route.trim_start_matches("GET "))).await;
            assert_eq!(seen.status.as_u16(), status, "{name} {lines:?}: {seen:?}");
            let got: Vec<_> = seen.headers.get_all(name).iter().collect();
            assert_eq!(got, expected.into_iter().collect::<Vec<_>>(), "{route} {status} {name}: {lines:?}");
            assert!(!format!("{seen:?}").contains("ann"), "{name} {lines:?}: {seen:?}");
        }
    }
    // Beside a status that is not told there is nothing of the service's.
    for (route, status) in [("GET /open/c-1", 404), ("GET /orders", 500)] {
        let seen = refused(&world, route, status, &[("x-frame-options", "DENY")]).await;
        assert_eq!(
            (seen.status.as_u16(), seen.headers.contains_key("x-frame-options")),
            (502, false),
            "{route}"
        );
    }
}

#[test]
fn law_1_what_would_speak_of_other_bytes_cannot_be_declared() {
    for (side, name) in [
        ("response", "ETag"),
        ("response", "Cache-Control"),
        ("response", "Content-Digest"),
        ("response", "Set-Cookie"),
        ("response", "Vary"),
        ("response", "Refresh"),
        ("response", "Alt-Svc"),
        ("response", "X-Accel-Buffering"),
        // What one cache among several is told overrules `private, no-store` there.
        ("response", "CDN-Cache-Control"),
        ("response", "Cloudflare-CDN-Cache-Control"),
        ("response", "Vercel-CDN-Cache-Control"),
        ("response", "X-Own-Cache-Control"),
        ("response", "Cache-Tag"),
        ("response", "Edge-Cache-Tag"),
        ("response", "Cache-Groups"),
        ("response", "xkey"),
        ("response", "No-Vary-Search"),
        ("response", "Use-As-Dictionary"),
        // Proxies in front that fetch something else in the place of an answer.
        ("response", "X-LiteSpeed-Location"),
        ("response", "X-Reproxy-URL"),
        ("response", "X-Sendfile2"),
        ("response", "X-Accel-Anything"),
        // Browsers that fetch more, or report.
        ("response", "Speculation-Rules"),
        ("response", "Link-Template"),
        ("response", "Attribution-Reporting-Register-Source"),
        ("response", "Attribution-Reporting-Info"),
        ("response", "Content-Security-Policy-Report-Only"),
        ("request", "Range"),
        ("request", "Content-Digest"),
        ("request", "Signature-Input"),
        ("request", "Content-Range"),
        ("request", "If-None-Match"),
        ("request", "Content-Encoding"),
        ("request", "Host"),
        ("request", "Cookie"),
        ("request", "Content-Type"),
        ("request", "baggage"),
        ("request", "Txn-Token"),
        ("request", "Proxy-Authorization"),
        ("request", "Via"),
        ("request", "Forwarded"),
        ("request", "Client-IP"),
        ("request", "X-Real-IP"),
        ("request", "CF-Connecting-IP"),
        ("request", "X-Forwarded-Proto"),
        ("request", "X-Forwarded-User"),
        ("request", "X-Original-URL"),
        ("request", "'X Foo'"),
        ("response", "'x:y'"),
    ] {
        let route = format!("{side}: {{headers: {{{name}: none}}, body: none}}");
        let text = format!("{BUNDLE}\n  - {{route: GET /wrong, purpose: essential.service, {route}}}\n");
        let error = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_err().to_string();
        assert!(error.contains("header-not-declarable"), "{side} {name}: {error}");
    }
    // A token is the service's to check where the map says so, and nobody's outside.
    for (to, declarable) in [("", true), ("to: partner, ", false)] {
        let route = format!("{to}request: {{headers: {{Authorization: none}}}}, response: {{body: none}}");
        let text = format!("{BUNDLE}\n  - {{route: GET /token, purpose: essential.service, {route}}}\n");
        let text =
            text.replacen("\nrules:", "\nrecipients: {partner: {class: processor, country: DE}}\nrules:", 1);
        let read = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).map_err(|e| e.to_string());
        let wrong = read.as_ref().err().is_some_and(|e| e.contains("header-not-declarable"));
        assert_eq!((read.is_ok(), wrong), (declarable, !declarable), "{to}: {:?}", read.err());
    }
    // Nor does a rule say any of it: it would say what the product says itself otherwise.
    for name in ["Cache-Control", "vary", "ETag", "Content-Encoding", "Alt-Svc", "Expires", "X-Accel-Expires"]
    {
        let rule = format!(
            "\n  - {{id: set, require: {{set_header: {{{name}: public}}}}, for: essential, clauses: [c-1]}}"
        );
        let text = BUNDLE.replacen("\nclauses: [{id", &format!("{rule}\nclauses: [{{id"), 1);
        let error = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_err().to_string();
        assert!(error.contains("not-a-header"), "{name}: {error}");
    }
}

#[tokio::test]
async fn law_8_two_obligations_that_cannot_both_be_carried_out_refuse() {
    for (one, other, status, said) in
        [("a", "a", 200, Some("a")), ("a", "b", 500, None), ("b", "a", 500, None)]
    {
        let world = World::new();
        let rules: String = [("x", one), ("y", other)]
            .map(|(id, value)| {
                format!("\n  - {{id: {id}, require: {{set_header: {{X-Policy: {value}}}}}, for: essential, clauses: [c-1]}}")
            })
            .concat();
        let text = BUNDLE.replacen("\nclauses: [{id", &format!("{rules}\nclauses: [{{id"), 1);
        let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)]));
        world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
        let seen = seen(&world, "/shop", 200, &[]).await;
        assert_eq!(seen.status, status, "{one} {other}: {seen:?}");
        assert_eq!(seen.headers.get("x-policy").map(|v| v.to_str().unwrap()), said, "{one} {other}");
    }
}

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
    assert!(!reached[0].0.headers.contains_key("access-control-request-method"), "nobody declared it");
}

#[tokio::test]
async fn law_1_what_would_hide_or_split_an_answer_is_taken_off_the_request() {
    let world = world().await;
    let mut request = ask(&world, "/orders");
    for (name, value) in [
        ("range", "bytes=0-9"),
        ("if-range", "\"a\""),
        ("if-match", "\"a\""),
        ("if-none-match", "*"),
        ("if-modified-since", "Mon, 01 Jun 2026 00:00:10 GMT"),
        ("if-unmodified-since", "Mon, 01 Jun 2026 00:00:10 GMT"),
        ("a-im", "feed"),
        ("te", "trailers"),
        ("accept-encoding", "br;q=1"),
        ("cache-control", "only-if-cached"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    world.upstream.answers(json(r#"{"total":1}"#));
    assert_eq!(world.send(request).await.status, 200);
    let reached = world.upstream.reached();
    let mut names: Vec<&str> = reached[0].0.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept-encoding", "host", "traceparent"]);
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
    let rows: [Row<'_>; 16] = [
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
    ];
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

/// What a refusal of the service says to whoever called; nothing but the status, the wait and other origins is of it.
async fn refused(world: &World, route: &str, status: u16, lines: &[(&'static str, &str)]) -> Seen {
    let (method, path) = route.split_once(' ').unwrap();
    world.upstream.answers(answer(status, lines));
    let mut request = ask(world, path);
    *request.method_mut() = method.parse().unwrap();
    world.send(request).await
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

#[tokio::test]
async fn law_1_a_cache_that_keeps_what_it_may_not_is_told_by_what_an_answer_is_somebodys() {
    const ROUTES: &str = "facts: {case.ticket: {type: bool, from: header.X-Ticket}}
routes:
  - route: GET /mine
    purpose_by: {header.X-Why: {serve: essential.service}}
    about: {type: customer, space: customer, id: header.X-Customer}
    request: {headers: {X-Customer: none, X-View: none}}
    facts: {subject.region: header.X-Country}
    response: {body: {id: user.unique_id}}
";
    let world = World::new();
    let text = BUNDLE.replace("routes:\n", ROUTES);
    let bundle =
        Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)])).unwrap_or_else(|e| panic!("{e}"));
    world.policy.install(Engine::new(bundle).unwrap(), TODAY);
    world.record("customer", "c-1", &[contract()]).await;
    world.upstream.answers(json(r#"{"id":"c-1"}"#));
    let always = "accept-encoding, authorization, baggage, cookie, data-purpose, sec-gpc, txn-token";
    for (name, status, more) in
        [("c-1", 200, ", x-country, x-customer, x-ticket, x-view, x-why"), ("c-2", 403, "")]
    {
        let mut request = ask(&world, "/mine");
        for (header, value) in [("x-customer", name), ("x-why", "serve")] {
            request.headers_mut().insert(header, value.parse().unwrap());
        }
        let seen = world.send(request).await;
        assert_eq!(seen.status.as_u16(), status, "{seen:?}");
        // A refusal is the same whomever it is about.
        assert_eq!(seen.headers["vary"], format!("{always}{more}"), "{name}");
    }
    // What the service says is not there is told to nobody else either.
    world.upstream.answers(answer(404, &[]));
    let seen = world.send(ask(&world, "/orders")).await;
    assert_eq!((seen.status.as_u16(), seen.headers["vary"].to_str().unwrap()), (404, always), "{seen:?}");
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
    for (happens, after_ms, goes) in [(erases, 5_000, true), (nothing, late, false), (erases, late, false)] {
        let world = world().await;
        let (happens, clock) = (happens(&world), Arc::clone(&world.clock));
        let pieces = [r#"{"id":"c-1","#, r#""name":"Ann"}"#].into_iter().enumerate();
        let pieces = stream::iter(pieces).scan(Some(happens), move |happens, (at, piece)| {
            if let (1, Some(happens)) = (at, happens.take_if(|_| at == 1)) {
                happens();
                clock.set(TODAY.saturating_add_millis(after_ms));
            }
            ready(Some(Ok(Frame::data(Bytes::from(piece)))))
        });
        let body = http_body_util::BodyExt::boxed(StreamBody::new(pieces));
        let answer = Response::builder().header("content-type", "application/json");
        world.upstream.answers(answer.header("location", "/customers/c-1").body(body).unwrap());
        let seen = world.send(ask(&world, "/customers/c-1")).await;
        assert_eq!((seen.status.as_u16(), seen.headers.contains_key("location")), (200, goes), "{seen:?}");
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
