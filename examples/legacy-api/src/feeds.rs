//! Lists and figures: the mailing list, trial contacts, leads, visitors, pages, uptime.

use serde_json::{Value, json};

use crate::customers;

/// How many pages the site has.
const PAGES: [&str; 5] = ["/", "/pricing", "/docs", "/status", "/blog"];
/// How many sessions there are: `s-1` to `s-400`.
const SESSIONS: usize = 400;

fn rows(count: usize, row: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(row).collect()
}

/// `GET /mailing-list`.
pub(crate) fn mailing_list() -> Value {
    let row = |at: usize| {
        json!({
            "email": format!("reader-{}@example.org", at + 1),
            "name": format!("Reader {}", at + 1),
            "joined": format!("2025-{:02}-{:02}", at % 12 + 1, at % 28 + 1),
            "source": if at.is_multiple_of(3) { "trade-fair" } else { "signup-form" },
        })
    };
    json!({ "rows": rows(60, row) })
}

/// `GET /trial/contacts`.
pub(crate) fn trial_contacts() -> Value {
    let row = |at: usize| {
        json!({
            "name": format!("Trial User {}", at + 1),
            "email": format!("trial-{}@example.org", at + 1),
            "company": format!("Example Company {}", at % 40 + 1),
            "signed_up": format!("2026-{:02}-{:02}", at % 10 + 1, at % 28 + 1),
        })
    };
    json!({ "contacts": rows(25, row) })
}

/// `GET /feeds/leads`.
pub(crate) fn leads() -> Value {
    let row = |at: usize| {
        json!({
            "name": format!("Lead {}", at + 1),
            "email": format!("lead-{}@example.org", at + 1),
            "phone": format!("+1-404-555-01{:02}", at % 100),
            "score": at * 37 % 101,
        })
    };
    json!({ "leads": rows(40, row) })
}

fn ip(at: usize) -> String {
    let network = if at.is_multiple_of(2) { "192.0.2" } else { "198.51.100" };
    format!("{network}.{}", at / 2 % 254 + 1)
}

fn page(at: usize) -> &'static str {
    PAGES.get(at % PAGES.len()).copied().unwrap_or("/")
}

/// `GET /analytics/sessions/{session}`, for `s-1` to `s-400`; the visitor of an odd session is a customer.
pub(crate) fn session(id: &str) -> Option<Value> {
    let digits = id.strip_prefix("s-").filter(|d| !d.starts_with(['0', '+']))?;
    let number = digits.parse::<usize>().ok().filter(|n| (1..=SESSIONS).contains(n))?;
    let visitor = if number % 2 == 1 { customers::id(number / 2) } else { format!("visitor-{number}") };
    Some(json!({
        "session": id,
        "visitor": visitor,
        "ip": ip(number),
        "pages": [page(number), page(number + 1), page(number + 3)],
        "referrer": format!("https://search.example.org/?q=customer+{number}"),
    }))
}

/// `GET /analytics/visitors`.
pub(crate) fn visitors() -> Value {
    json!({ "rows": rows(50, |at| json!({"page": page(at), "customer_id": customers::id(at), "ip": ip(at)})) })
}

/// `GET /analytics/pages`: groups by page, or, when asked to, one group for each customer.
pub(crate) fn pages(group_by: Option<&str>) -> Value {
    if group_by == Some("customer") {
        let row = |at: usize| json!({"url": format!("/account/{}", customers::id(at)), "visitors": 1});
        return json!({ "groups": rows(20, row) });
    }
    json!({ "groups": rows(PAGES.len(), |at| json!({"url": page(at), "visitors": 480 - at * 90})) })
}

/// `GET /public/stats/uptime`: how many customers there are on each step.
pub(crate) fn uptime() -> Value {
    let count = |step: usize| (0..customers::COUNT).filter(|at| at % 10 == step).count();
    json!({ "stats": rows(10, |step| json!({"uptime": customers::uptime(step), "customers": count(step)})) })
}
