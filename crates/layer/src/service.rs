//! The service: one request in, one answer out, never an error.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::exchange;
use crate::gate::Gate;
use crate::layer::Shared;

/// Any error of a service or a body behind the layer. It is never shown to a caller.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service behind a [`ConsentryLayer`](crate::ConsentryLayer).
pub struct Consentry<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S> Consentry<S> {
    pub(crate) fn new(shared: Arc<Shared>, inner: S) -> Self {
        Self { shared, inner }
    }
}

impl<S: Clone> Clone for Consentry<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), inner: self.inner.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Consentry<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Infallible>> + Send>>;

    /// Always ready: an inner service that is not ready is waited for within the request, where waiting is bounded and
    /// recorded.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut admitted = match exchange::admit(&self.shared, &request) {
            Ok(admitted) => admitted,
            Err(reason) => {
                let answer = exchange::stranger(&self.shared, None, reason);
                let answer = exchange::nothing_follows(request.version(), answer);
                return Box::pin(std::future::ready(Ok(answer)));
            }
        };
        let (shared, gate) = (Arc::clone(&self.shared), Gate::new(self.inner.clone()));
        Box::pin(async move {
            let answer = exchange::run(shared, &mut admitted, gate, request).await;
            Ok(answer.map(|body| body.held(admitted)))
        })
    }
}
