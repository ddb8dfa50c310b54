//! Health and status, on a port of their own. Nothing on these pages is about a person.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::metrics::{EXPOSITION, exposition};
use crate::state::{Refused, State, failure_text, last};

/// How many connections to the admin pages are open at a time.
const CONNECTIONS_MAX: usize = 32;
/// How long a whole connection to the admin pages may last.
const CONNECTION_MAX: Duration = Duration::from_secs(30);

/// What there is.
const PAGES: [&str; 4] = ["/healthz", "/readyz", "/status", "/metrics"];

/// Serves the admin pages until `stop` is over.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, stop: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let _held = place;
            let pages = service_fn(move |request| page(Arc::clone(&state), request));
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(5))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), pages);
            if !matches!(tokio::time::timeout(CONNECTION_MAX, serving).await, Ok(Ok(()))) {
                tracing::debug!("a connection to the admin pages ended early");
            }
        });
    }
}

async fn page(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "only GET and HEAD"}));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    Ok(match request.uri().path() {
        "/healthz" => answer(StatusCode::OK, &json!({"alive": true})),
        "/readyz" => ready(&state).await,
        "/status" => answer(StatusCode::OK, &status(&state).await),
        "/metrics" => text(StatusCode::OK, exposition(&state).await, EXPOSITION),
        _ => answer(StatusCode::NOT_FOUND, &json!({"pages": PAGES})),
    })
}

async fn ready(state: &State) -> Response<Full<Bytes>> {
    let parts = state.readiness().await;
    let ready = parts.iter().all(|p| p.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({"ready": ready, "parts": parts}))
}

async fn status(state: &State) -> Value {
    let (age_ms, age_ms_max) = (state.bundle_age_ms(), state.bundle_age_ms_max());
    let bundle = state.policy.current().map(|installed| {
        let bundle = installed.engine.bundle();
        json!({
            "digest": bundle.digest.as_str(),
            "controller": bundle.controller,
            "version": bundle.version,
            "vocabulary": installed.vocabulary.as_str(),
            "installed_at": time(installed.installed_at),
            "confirmed_at": time(installed.confirmed_at()),
            "age_secs": age_ms.map(|ms| ms / 1000),
            "age_secs_max": age_ms_max / 1000,
            "too_old": age_ms.is_none_or(|ms| ms.saturating_abs() > age_ms_max),
        })
    });
    let health = state.evidence.health();
    let revision = state.ledger_revision().await;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "draining": state.is_draining(),
        "bundle": bundle,
        "bundle_refused": last(&state.bundle_refused).map(refused),
        "keys_refused": last(&state.keys_refused).map(refused),
        "tls": state.tls.as_ref().map(|slot| json!({"certificate_ends": time(slot.current().ends)})),
        "tls_refused": last(&state.tls_refused).map(refused),
        "report_only": state.config.dangerous_report_only,
        "ledger": {
            "revision": revision.as_ref().ok(),
            "failure": revision.as_ref().err(),
        },
        "evidence": {
            "healthy": health.failure.is_none(),
            "failure": health.failure.map(|f| failure_text(&f)),
            "records": health.records,
            "signed_records": health.signed_records,
            "slots_used": health.slots_used,
            "slots_max": health.slots_max,
            "full_total": health.full_total,
            "closings_lost": health.closings_lost,
        },
        "counts": state.counters.counts(),
    })
}

fn refused(refused: Refused) -> Value {
    json!({"at": time(refused.at), "why": refused.why})
}

fn time(at: consentry_model::Moment) -> Option<String> {
    jiff::Timestamp::from_millisecond(at.unix_millis()).ok().map(|t| format!("{t:.3}"))
}

fn answer(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    text(status, format!("{value:#}\n"), "application/json")
}

fn text(status: StatusCode, text: String, kind: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
