//! The routes, none of which asks who is there.

use std::collections::HashMap;
use std::future::Future;
use std::io;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::received::{self, Legacy};
use crate::{customers, faults, feeds};

/// How many customers the list holds.
const LIST_ROWS: usize = 50;

/// The whole API, remembering in `state` what arrives.
pub fn router(state: Legacy) -> Router {
    let recorded = Router::new()
        .route("/customers", get(list))
        .route("/customers/{id}", get(|id| of_customer(id, customers::profile)))
        .route("/customers/{id}/invoices", get(|id| of_customer(id, customers::invoices)))
        .route("/customers/{id}/payment", get(|id| of_customer(id, customers::payment)))
        .route("/customers/{id}/disclosure", get(|id| of_customer(id, disclosure)))
        .route("/me/{id}", get(|id| of_customer(id, customers::profile)))
        .route("/mailing-list", get(async || Json(feeds::mailing_list())))
        .route("/trial/contacts", get(async || Json(feeds::trial_contacts())))
        .route("/feeds/leads", get(async || Json(feeds::leads())))
        .route("/analytics/sessions/{session}", get(session))
        .route("/analytics/visitors", get(async || Json(feeds::visitors())))
        .route("/analytics/pages", get(pages))
        .route("/public/stats/uptime", get(async || Json(feeds::uptime())))
        .route("/site/{page}", get(site))
        .route("/trial", post(created))
        .route("/newsletter", post(async || accepted()))
        .route("/mail/send", post(async || accepted()))
        .route("/unsubscribe", post(async || StatusCode::NO_CONTENT))
        .route("/collect", post(async || StatusCode::NO_CONTENT))
        .route("/privacy/preferences", post(async || StatusCode::NO_CONTENT))
        .nest("/faults", faults::router())
        .fallback(async || not_found("no such page"))
        .layer(middleware::from_fn_with_state(state.clone(), received::record));
    Router::new().route("/admin/received", get(received::list)).merge(recorded).with_state(state)
}

/// Serves a router until `shutdown` is done and the open requests are answered.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

fn not_found(what: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": what }))).into_response()
}

async fn list() -> Json<Value> {
    Json(json!({ "customers": (0..LIST_ROWS).map(customers::profile).collect::<Vec<_>>() }))
}

async fn of_customer(Path(id): Path<String>, view: fn(usize) -> Value) -> Response {
    match customers::index(&id) {
        Some(at) => Json(view(at)).into_response(),
        None => not_found("no such customer"),
    }
}

/// Everything there is about one customer.
fn disclosure(at: usize) -> Value {
    let session = feeds::session(&format!("s-{}", at * 2 + 1));
    let Value::Object(mut all) = customers::invoices(at) else { return Value::Null };
    all.insert("profile".to_owned(), customers::profile(at));
    all.insert("payment".to_owned(), customers::payment(at));
    all.insert("sessions".to_owned(), session.into_iter().collect());
    Value::Object(all)
}

async fn session(Path(id): Path<String>) -> Response {
    feeds::session(&id).map_or_else(|| not_found("no such session"), |found| Json(found).into_response())
}

async fn pages(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    Json(feeds::pages(query.get("groupBy").map(String::as_str)))
}

/// A page without content that sets two cookies on everybody.
async fn site(State(legacy): State<Legacy>) -> impl IntoResponse {
    let mixed = u128::from(legacy.count()).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let sid = format!("sid={mixed:032x}; Path=/");
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, sid), (SET_COOKIE, "ab=1; Path=/".to_owned())]))
}

async fn created(State(legacy): State<Legacy>) -> impl IntoResponse {
    (StatusCode::CREATED, Json(json!({ "id": format!("t-{}", legacy.count()), "status": "created" })))
}

fn accepted() -> impl IntoResponse {
    (StatusCode::ACCEPTED, Json(json!({ "status": "accepted" })))
}
