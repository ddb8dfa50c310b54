//! The routes answer in the shapes they are known for, and tell what reached them.
#![allow(clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use legacy_api::{Legacy, router};
use serde_json::Value;
use tower::ServiceExt;

async fn send(legacy: &Legacy, method: &str, target: &str, body: &'static str) -> Response<Body> {
    let request = Request::builder().method(method).uri(target).header("x-test", "1").body(Body::from(body));
    router(legacy.clone()).oneshot(request.unwrap()).await.unwrap()
}

async fn json(legacy: &Legacy, target: &str) -> Value {
    let response = send(legacy, "GET", target, "").await;
    assert_eq!(response.status(), StatusCode::OK, "{target}");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json", "{target}");
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// The members' names, sorted: in which order an object holds them is nobody's promise.
fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

const PROFILE: &[&str] = &[
    "address",
    "card",
    "company",
    "email",
    "id",
    "internal_score",
    "name",
    "phone",
    "plan",
    "support_notes",
    "uptime_percent",
];

#[tokio::test]
async fn lists_have_their_rows_and_members() {
    let legacy = Legacy::new();
    for (target, list, rows, members) in [
        ("/customers", "customers", 50, PROFILE),
        (
            "/customers/c-1200/invoices",
            "invoices",
            3,
            &["amount", "currency", "customer", "email", "issued", "name", "number", "paid"],
        ),
        ("/mailing-list", "rows", 60, &["email", "joined", "name", "source"]),
        ("/trial/contacts", "contacts", 25, &["company", "email", "name", "signed_up"]),
        ("/feeds/leads", "leads", 40, &["email", "name", "phone", "score"]),
        ("/analytics/visitors", "rows", 50, &["customer_id", "ip", "page"]),
        ("/analytics/pages", "groups", 5, &["url", "visitors"]),
        ("/analytics/pages?groupBy=url", "groups", 5, &["url", "visitors"]),
        ("/analytics/pages?groupBy=customer", "groups", 20, &["url", "visitors"]),
        ("/public/stats/uptime", "stats", 10, &["customers", "uptime"]),
    ] {
        let body = json(&legacy, target).await;
        assert_eq!(names(&body), [list], "{target}");
        let found = body[list].as_array().unwrap();
        assert_eq!(found.len(), rows, "{target}");
        for row in found {
            assert_eq!(names(row), members, "{target}");
        }
    }
}

#[tokio::test]
async fn single_records_have_their_members() {
    let legacy = Legacy::new();
    for (target, members) in [
        ("/customers/c-1001", PROFILE),
        ("/customers/c-1200", PROFILE),
        ("/me/c-1017", PROFILE),
        (
            "/customers/c-1017/payment",
            &["amount", "currency", "customer", "name", "notes", "pan_token", "phone"],
        ),
        ("/customers/c-1017/disclosure", &["invoices", "payment", "profile", "sessions"]),
        ("/analytics/sessions/s-1", &["ip", "pages", "referrer", "session", "visitor"]),
    ] {
        assert_eq!(names(&json(&legacy, target).await), members, "{target}");
    }
    assert_eq!(json(&legacy, "/customers/c-1017").await["email"], "quinn.sample@example.com");
    assert_eq!(json(&legacy, "/customers/c-1017").await, json(&Legacy::new(), "/me/c-1017").await);
    for missing in ["/customers/c-1000", "/customers/c-1201", "/me/x", "/analytics/sessions/s-0", "/nothing"]
    {
        assert_eq!(send(&legacy, "GET", missing, "").await.status(), StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn whatever_is_posted_is_taken_and_told_again() {
    let legacy = Legacy::new();
    let posts = [
        ("/trial?plan=team", 201),
        ("/newsletter", 202),
        ("/mail/send", 202),
        ("/unsubscribe", 204),
        ("/collect", 204),
        ("/privacy/preferences", 204),
    ];
    for (target, status) in posts {
        assert_eq!(send(&legacy, "POST", target, "{\"a\":1}").await.status().as_u16(), status, "{target}");
    }
    let told = json(&legacy, "/admin/received").await;
    assert_eq!(told["count"], posts.len());
    let first = &told["received"][0];
    assert_eq!(
        (first["method"].as_str(), first["path"].as_str(), first["query"].as_str(), first["body"].as_str()),
        (Some("POST"), Some("/trial"), Some("plan=team"), Some("{\"a\":1}"))
    );
    assert_eq!(first["headers"], serde_json::json!([["x-test", "1"]]));
    assert_eq!(legacy.received().len(), posts.len());
}

#[tokio::test]
async fn only_the_last_hundred_requests_are_kept() {
    let legacy = Legacy::new();
    for _ in 0..103 {
        send(&legacy, "POST", "/collect", "").await;
    }
    send(&legacy, "POST", "/newsletter", "").await;
    let kept = legacy.received();
    assert_eq!((kept.len(), legacy.count()), (100, 104));
    assert_eq!(kept.last().map(|r| r.path.as_str()), Some("/newsletter"));
    legacy.forget();
    assert_eq!((legacy.received().len(), legacy.count()), (0, 0));
}

#[tokio::test]
async fn a_page_sets_two_cookies_on_everybody() {
    let response = send(&Legacy::new(), "GET", "/site/home", "").await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let cookies: Vec<_> =
        response.headers().get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    let sid = cookies[0].strip_prefix("sid=").and_then(|rest| rest.strip_suffix("; Path=/")).unwrap();
    assert!(sid.len() == 32 && sid.bytes().all(|b| b.is_ascii_hexdigit()), "{sid}");
    assert_eq!(cookies[1..], ["ab=1; Path=/"]);
}
