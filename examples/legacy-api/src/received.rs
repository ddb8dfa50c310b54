//! What arrived.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// How many requests are kept.
const KEPT_MAX: usize = 100;
/// Longest request body that is read, in bytes.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query without its question mark.
    pub query: Option<String>,
    /// Every header line in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
}

impl Received {
    fn json(&self) -> Value {
        json!({
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": self.body,
        })
    }
}

/// What the API remembers: the last 100 requests, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Legacy {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Received>,
    count: u64,
}

impl Legacy {
    /// An API that nobody has called yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The last 100 requests, oldest first, without those to `/admin/received`.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.with(|kept| kept.requests.iter().cloned().collect())
    }

    /// How many requests there were, without those to `/admin/received`.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.with(|kept| kept.count)
    }

    /// Forgets every request.
    pub fn forget(&self) {
        self.with(|kept| *kept = Kept::default());
    }

    fn keep(&self, request: Received) {
        self.with(|kept| {
            if kept.requests.len() == KEPT_MAX {
                kept.requests.pop_front();
            }
            kept.requests.push_back(request);
            kept.count += 1;
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps each request before it is answered.
pub(crate) async fn record(State(legacy): State<Legacy>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    legacy.keep(Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers.iter().map(|(n, v)| (n.to_string(), text(v.as_bytes()))).collect(),
        body: text(&bytes),
    });
    next.run(Request::from_parts(head, Body::from(bytes))).await
}

/// `GET /admin/received`.
pub(crate) async fn list(State(legacy): State<Legacy>) -> axum::Json<Value> {
    let received: Vec<Value> = legacy.received().iter().map(Received::json).collect();
    axum::Json(json!({ "received": received, "count": legacy.count() }))
}
