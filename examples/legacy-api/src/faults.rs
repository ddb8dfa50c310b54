//! Answers as a broken, old or careless service gives them, each with somebody's data in it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;

use crate::customers;
use crate::received::Legacy;

const BODY: &str = r#"{"name":"Customer 17","email":"customer-17@example.org"}"#;
/// The same in gzip.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0x4b, 0xcc, 0x4d, 0x55,
    0xb2, 0x52, 0x72, 0x2e, 0x2d, 0x2e, 0xc9, 0xcf, 0x4d, 0x2d, 0x52, 0x30, 0x34, 0x57, 0xd2, 0x51, 0x4a,
    0xcd, 0x4d, 0xcc, 0xcc, 0x01, 0x8a, 0x26, 0x43, 0x45, 0x75, 0x0d, 0xcd, 0x1d, 0x52, 0x2b, 0x12, 0x73,
    0x0b, 0x72, 0x52, 0xf5, 0xf2, 0x8b, 0xd2, 0x95, 0x6a, 0x01, 0xd4, 0x13, 0xd6, 0x8b, 0x38, 0x00, 0x00,
    0x00,
];
/// Rows of a big list when nothing else is said, and the most that are sent.
const ROWS: (usize, usize) = (10_000, 1_000_000);
/// Rows in one piece of a big list.
const ROWS_PER_PIECE: usize = 100;
/// Longest delay, in milliseconds.
const DELAY_MILLIS_MAX: u64 = 60_000;
/// How long the first piece of a body that breaks off has to leave.
const FLUSH: Duration = Duration::from_millis(20);
const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

type Parameters = Query<HashMap<String, String>>;

pub(crate) fn router() -> Router<Legacy> {
    let html = "<p>Customer 17, customer-17@example.org</p>";
    let location = "/welcome?email=customer-17@example.org";
    let twice = r#"{"name":"Customer 17","email":"customer-17@example.org","name":"Customer 18"}"#;
    let trace =
        "panic: no row for customer-17@example.org\n  at db::find (db.rs:88)\n  at handler (api.rs:12)\n";
    let range = (header::CONTENT_RANGE, "bytes 0-55/100");
    Router::new()
        .route("/truncated", get(truncated))
        .route("/aborted", get(aborted))
        .route("/gzip", get(async || ([JSON, (header::CONTENT_ENCODING, "gzip")], GZIP)))
        .route("/invalid", get(async || ([JSON], r#"{"email":"customer-17@example.org","name":}"#)))
        .route("/unfinished", get(async || ([JSON], r#"{"email":"customer-17@example.org","#)))
        .route(
            "/not-utf8",
            get(async || ([JSON], &b"{\"email\":\"customer-17@example.org\",\"name\":\"\xff\"}"[..])),
        )
        .route("/duplicate", get(async move || ([JSON], twice)))
        .route("/html", get(async move || ([(header::CONTENT_TYPE, "text/html")], html)))
        .route("/no-type", get(async || Response::new(Body::from(BODY))))
        .route("/redirect", get(async move || (StatusCode::FOUND, [(header::LOCATION, location)])))
        .route("/slow", get(slow))
        .route("/stall", get(stall))
        .route("/big", get(big))
        .route("/error", get(async move || (StatusCode::INTERNAL_SERVER_ERROR, trace)))
        .route("/partial", get(async move || (StatusCode::PARTIAL_CONTENT, [JSON, range], BODY)))
}

/// A number among the parameters, up to a limit.
fn number(query: &HashMap<String, String>, name: &str, usual: u64, max: u64) -> u64 {
    query.get(name).and_then(|text| text.parse().ok()).unwrap_or(usual).min(max)
}

/// Announces more bytes than it sends, then closes the connection.
async fn truncated() -> impl IntoResponse {
    let pieces = stream::unfold(0_u8, async |piece| match piece {
        0 => Some((Ok::<_, Infallible>(Bytes::from_static(BODY.as_bytes())), 1)),
        _ => {
            tokio::time::sleep(FLUSH).await;
            None
        }
    });
    ([JSON, (header::CONTENT_LENGTH, "1000")], Body::from_stream(pieces))
}

/// Breaks off between two pieces of a body of unannounced length.
async fn aborted() -> impl IntoResponse {
    let pieces = stream::unfold(0_u8, async |piece| match piece {
        0 => Some((Ok(Bytes::from_static(br#"{"rows":[{"email":"customer-17@example.org"},"#)), 1)),
        _ => {
            tokio::time::sleep(FLUSH).await;
            Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), 2))
        }
    });
    ([JSON], Body::from_stream(pieces))
}

/// Answers after `delay` milliseconds, 1000 when nothing is said.
async fn slow(Query(query): Parameters) -> impl IntoResponse {
    tokio::time::sleep(Duration::from_millis(number(&query, "delay", 1000, DELAY_MILLIS_MAX))).await;
    ([JSON], BODY)
}

/// Sends half of the body, and the rest after `delay` milliseconds.
async fn stall(Query(query): Parameters) -> impl IntoResponse {
    let delay = Duration::from_millis(number(&query, "delay", 1000, DELAY_MILLIS_MAX));
    let (first, second) = BODY.split_at(BODY.len() / 2);
    let pieces = stream::unfold(0_u8, move |piece| async move {
        match piece {
            0 => Some((Ok::<_, Infallible>(Bytes::from_static(first.as_bytes())), 1)),
            1 => {
                tokio::time::sleep(delay).await;
                Some((Ok(Bytes::from_static(second.as_bytes())), 2))
            }
            _ => None,
        }
    });
    ([JSON], Body::from_stream(pieces))
}

/// `n` customers, 10,000 when nothing is said, in pieces of a hundred; beyond the two hundredth they repeat.
async fn big(Query(query): Parameters) -> impl IntoResponse {
    let (usual, max) = ROWS;
    let rows = usize::try_from(number(&query, "n", usual as u64, max as u64)).unwrap_or(usual);
    let pieces = (0..rows.div_ceil(ROWS_PER_PIECE)).map(move |piece| {
        let first = piece * ROWS_PER_PIECE;
        let mut text = String::new();
        for at in first..rows.min(first + ROWS_PER_PIECE) {
            text.push_str(if at == 0 { "" } else { "," });
            text.push_str(&customers::profile(at % customers::COUNT).to_string());
        }
        text
    });
    let all = ["{\"customers\":[".to_owned()].into_iter().chain(pieces).chain(["]}".to_owned()]);
    ([JSON], Body::from_stream(stream::iter(all.map(|text| Ok::<_, Infallible>(Bytes::from(text))))))
}
