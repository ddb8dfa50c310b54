//! What is counted: how many, never who or what.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use consentry_layer::Account;
use http::{Request, Response, StatusCode};
use serde::Serialize;
use tower_layer::Layer;
use tower_service::Service;

use crate::metrics::Metrics;

/// How many of each there were since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that are open.
    pub connections_open: u64,
    /// Connections that were closed at once because their address has its number.
    pub connections_turned_away: u64,
    /// Connections whose handshake of TLS failed, or took too long.
    pub handshakes_failed: u64,
    /// Requests that came.
    pub requests: u64,
    /// Answers below 400.
    pub answered: u64,
    /// Answers from 400 to 499: refusals.
    pub refused: u64,
    /// Answers of 500 and above: faults.
    pub failed: u64,
    /// Answers that were counted by their head and broke off later because what was to follow failed or was refused.
    pub broken_off: u64,
}

/// Counts while serving.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    connections_closed: AtomicU64,
    connections_turned_away: AtomicU64,
    handshakes_failed: AtomicU64,
    requests: AtomicU64,
    answered: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    broken_off: AtomicU64,
}

impl Counters {
    pub(crate) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let closed = read(&self.connections_closed);
        let connections = read(&self.connections);
        Counts {
            connections,
            connections_open: connections.saturating_sub(closed),
            connections_turned_away: read(&self.connections_turned_away),
            handshakes_failed: read(&self.handshakes_failed),
            requests: read(&self.requests),
            answered: read(&self.answered),
            refused: read(&self.refused),
            failed: read(&self.failed),
            broken_off: read(&self.broken_off),
        }
    }

    /// Counts a connection until the guard goes.
    pub(crate) fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }

    pub(crate) fn turned_away(&self) {
        self.connections_turned_away.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn breaks_off(&self) {
        self.broken_off.fetch_add(1, Ordering::Relaxed);
    }

    fn answer(&self, status: StatusCode) {
        let counter = match status.as_u16() {
            ..400 => &self.answered,
            400..500 => &self.refused,
            500.. => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection that is open.
pub(crate) struct OpenConnection(Arc<Counters>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts requests and answers.
#[derive(Clone)]
pub(crate) struct CountLayer {
    pub(crate) counters: Arc<Counters>,
    pub(crate) metrics: Arc<Metrics>,
}

impl<S> Layer<S> for CountLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { counters: Arc::clone(&self.counters), metrics: Arc::clone(&self.metrics), inner }
    }
}

/// A service whose requests and answers are counted.
#[derive(Clone)]
pub(crate) struct Counted<S> {
    counters: Arc<Counters>,
    metrics: Arc<Metrics>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<R>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let (counters, metrics, began) =
            (Arc::clone(&self.counters), Arc::clone(&self.metrics), Instant::now());
        let answering = self.inner.call(request);
        Box::pin(async move {
            let mut response = answering.await?;
            counters.answer(response.status());
            if let Some(account) = response.extensions_mut().remove::<Account>() {
                metrics.count(&account, began.elapsed());
            }
            Ok(response)
        })
    }
}
