//! What everything is measured with: one person's profile of two kilobytes, the API that gives it, and the bundle that
//! describes it.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::Failure;

pub(crate) const PATH: &str = "/customers/c-1001";
const SIZE_BYTES: std::ops::Range<usize> = 1_950..2_100;

/// What support may not see of a customer, and some of what it may.
pub(crate) const WITHHELD: [&str; 4] = ["/card/brand", "/card/last4", "/card/pan_token", "/internal_score"];
pub(crate) const SHOWN: [&str; 5] = ["/id", "/name", "/email", "/address/city", "/sites/5/up"];

/// The route in Panopta's service map, and what it says last of the answer.
const ROUTE: &str = "  - route: GET /customers/{id}\n";
const LAST: &str = "        support_notes: user.content.private\n";
/// What a profile has here besides.
const FURTHER: &str = "        \"sites[].name\": user.account.settings
        \"sites[].checks\": user.telemetry
        \"sites[].region\": none
        \"sites[].since\": user.account.settings
        \"sites[].up\": user.telemetry
        \"settings[].name\": none
        \"settings[].value\": user.account.settings
";

/// The API: a handler that has its answer at hand.
pub(crate) fn api() -> Result<Router, Failure> {
    let body = Bytes::from(serde_json::to_vec(&profile())?);
    if !SIZE_BYTES.contains(&body.len()) {
        return Err(format!("the profile has {} bytes", body.len()).into());
    }
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response() }
    };
    Ok(Router::new().route("/customers/{id}", get(answer)))
}

fn profile() -> Value {
    let site = |n: u32| {
        json!({
            "name": format!("site-1001-{n}"), "checks": 4_900 + 10 * n, "region": "eu-1",
            "since": format!("2026-{:02}-01", n + 1), "up": n < 8,
        })
    };
    let setting = |name: &str, value: &str| json!({ "name": name, "value": value });
    json!({
        "id": "c-1001",
        "name": "Alder Sample",
        "email": "alder.sample@example.com",
        "phone": "+1-202-555-0100",
        "company": "Example Company 1",
        "address": {
            "street": "1 Placeholder Street", "city": "Testville", "postal_code": "10115", "country": "DE",
        },
        "card": { "brand": "visa", "last4": "4242", "pan_token": "tok_test_00104729" },
        "plan": "business",
        "uptime_percent": 99.5,
        "internal_score": 37,
        "support_notes": "Prefers to be called in the morning; asked twice for paper invoices; has two sites, of \
            which the second is watched at night alone. Wrote in March that the monthly report came twice, and in \
            May that it did not come at all: both times the address of the second site was the reason.\nIs content \
            with everything else, and has asked what the next larger plan would cost from the autumn on.",
        "sites": (0..10).map(site).collect::<Vec<_>>(),
        "settings": [
            setting("language", "en-GB"), setting("currency", "EUR"), setting("timezone", "Europe/Berlin"),
            setting("theme", "dark"), setting("page_size", "50"), setting("report", "monthly, on the first"),
            setting("alerts", "by mail; at night by telephone"), setting("retention", "13 months"),
        ],
    })
}

/// Panopta's bundle in a folder of its own, with what the profile has besides.
pub(crate) fn bundle(folder: &Path) -> Result<PathBuf, Failure> {
    let bundle = folder.join("bundle");
    fs::create_dir(&bundle)?;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/panopta"))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|e| e == "yaml") {
            fs::copy(entry.path(), bundle.join(entry.file_name()))?;
        }
    }
    let map = bundle.join("service.yaml");
    let text = fs::read_to_string(&map)?;
    let (before, rest) = text.split_once(ROUTE).ok_or("the service map has no such route")?;
    let (route, after) = rest.split_once(LAST).ok_or("the route's answer ends otherwise")?;
    fs::write(&map, [before, ROUTE, route, LAST, FURTHER, after].concat())?;
    Ok(bundle)
}
