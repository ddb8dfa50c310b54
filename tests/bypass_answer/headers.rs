//! Headers that speak of other bytes, keep an answer, or defend whoever reads it.

use consentry_policy::{Bundle, Engine, Sources};
use consentry_tests::world::{TODAY, World, contract, json, typed};

use crate::{BUNDLE, answer, ask, refused, seen, world};

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

#[tokio::test]
async fn law_1_a_cache_that_keeps_what_it_may_not_is_told_by_what_an_answer_is_somebodys() {
    const ROUTES: &str = "facts: {case.ticket: {type: bool, from: header.X-Ticket}}
routes:
  - route: GET /mine
    purpose_by: {header.X-Why: {serve: essential.service}}
    about: {type: customer, space: customer, id: header.X-Customer}
    request: {headers: {X-Customer: none, X-View: none, X-Why: none, X-Country: none}}
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

/// Whoever gets a report gets the address at which it came about.
#[tokio::test]
async fn law_13_a_policy_of_a_service_has_nobody_told_where_a_browser_was() {
    let world = World::new();
    let text = BUNDLE.replace("Content-Location: none, ", "Content-Security-Policy: none, ");
    let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", &*text)]));
    world.policy.install(Engine::new(bundle.unwrap_or_else(|e| panic!("{e}"))).unwrap(), TODAY);
    for (line, expected) in [
        ("default-src 'self'; img-src *", Some("default-src 'self'; img-src *")),
        ("default-src 'self'; report-uri https://evil.example/r", Some("default-src 'self'")),
        ("Report-URI //evil.example/r; default-src 'self'", Some("default-src 'self'")),
        ("default-src 'self';\treport-to\tgroup; img-src *", Some("default-src 'self'; img-src *")),
        ("default-src 'self'; report-uri /r, img-src *; report-to x", Some("default-src 'self', img-src *")),
        ("default-src 'self' report-uri", Some("default-src 'self' report-uri")),
        ("report-uri https://evil.example/r", None),
        (" ; report-to group", None),
        ("report-uri /r, report-to x", None),
    ] {
        let seen = seen(&world, "/orders", 200, &[("content-security-policy", line)]).await;
        assert_eq!(seen.status, 200, "{line}: {seen:?}");
        let got = seen.headers.get("content-security-policy").map(|value| value.to_str().unwrap());
        assert_eq!(got, expected, "{line}");
    }
}
