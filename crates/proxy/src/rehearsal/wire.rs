//! The connection of a case: HTTP/1.1 as it goes over any wire, served as the sidecar serves it.

use std::convert::Infallible;

use bytes::Bytes;
use consentry_layer::Transport;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tower_service::Service;

use super::stage::StageError;
use crate::arrival::Arrived;
use crate::config::ProxyLimits;
use crate::server::builder;

/// How many bytes are under way at most, in each direction.
const UNDER_WAY_BYTES: usize = 64 * 1024;

/// Sends one request to a service over a connection in memory, and waits until both ends have let go of it.
///
/// # Errors
/// When the connection breaks off before the answer is complete.
pub(super) async fn exchange<S, B>(
    service: S,
    transport: Transport,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, StageError>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<StageError>,
{
    let (near, far) = tokio::io::duplex(UNDER_WAY_BYTES);
    let arrived = TowerToHyperService::new(Arrived { inner: service, transport, outlived: None });
    let limits = ProxyLimits::default();
    let serving =
        builder(&limits, TokioExecutor::new()).serve_connection(TokioIo::new(far), arrived).into_owned();
    let serving = tokio::spawn(async move { serving.await.map_err(|_| "the answer broke off") });
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await.map_err(|_| "the answer broke off")?.to_bytes();
    drop(sender);
    connection.await??;
    serving.await??;
    Ok(Response::from_parts(head, body))
}
