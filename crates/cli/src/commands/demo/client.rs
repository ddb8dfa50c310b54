//! A caller: one request on one connection, HTTP/1.1 or HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::ask::Ask;
use crate::stop::{Exit, Stop};

/// How long an answer may take.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body holds a text.
    pub(super) fn body_holds(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// Sends a request.
pub(super) async fn send(
    addr: SocketAddr,
    ask: &Ask,
    token: Option<&str>,
    trace: &str,
) -> Result<Answer, Stop> {
    let failed = |what: String| Stop::because(Exit::NO, format!("{} {}: {what}", ask.method, ask.path));
    let request = request(addr, ask, token, trace).map_err(|e| failed(e.to_string()))?;
    match tokio::time::timeout(WAIT_MAX, exchange(addr, request, ask.http2)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(failed("no answer in time".to_owned())),
    }
}

fn request(
    addr: SocketAddr,
    ask: &Ask,
    token: Option<&str>,
    trace: &str,
) -> http::Result<Request<Full<Bytes>>> {
    let target = if ask.http2 { format!("http://{addr}{}", ask.path) } else { ask.path.to_owned() };
    let mut request = Request::builder().method(ask.method).uri(target);
    if !ask.http2 {
        request = request.header("host", addr.to_string());
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(why) = ask.why {
        request = request.header("data-purpose", why);
    }
    // The trace leads from the request to its evidence.
    request = request.header("traceparent", format!("00-{trace}-00000000000000a1-01"));
    for (name, value) in &ask.headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::from_static(ask.body.unwrap_or_default().as_bytes())))
}

async fn exchange(
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
    over_http2: bool,
) -> Result<Answer, String> {
    let stream = TcpStream::connect(addr).await.map_err(|e| e.to_string())?;
    let io = TokioIo::new(stream);
    let told = |e: hyper::Error| e.to_string();
    let response: Response<Incoming> = if over_http2 {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.map_err(told)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(told)?
    } else {
        let (mut sender, connection) = http1::handshake(io).await.map_err(told)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(told)?
    };
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(told)?.to_bytes();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}
