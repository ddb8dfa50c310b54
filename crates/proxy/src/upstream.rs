//! The clients of the services behind the sidecar.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use consentry_layer::Destination;
use consentry_model::RecipientId;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::arrival::came_by;
use crate::config::{ProxyLimits, UpstreamConfig};
use crate::headers::{prepare_request, remove_hop_by_hop};
use crate::tls::{Connector, client_config};

/// How many unused connections to each service behind are kept.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// How much longer this client waits than the layer before it, which knows how to tell and record that time is up.
const BACKSTOP: Duration = Duration::from_secs(1);

/// Why the service behind gave no answer. It names nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// It cannot be connected to, did not prove who it is, or broke the connection off before it answered.
    #[error("the upstream cannot be reached")]
    Unreachable,
    /// It did not answer in time.
    #[error("the upstream did not answer in time")]
    Timeout,
    /// The request is for a recipient outside whose address nobody configured.
    #[error("nobody says where the recipient is")]
    NoSuchRecipient,
}

/// One service behind, over HTTP/1.1 and a pool of connections.
#[derive(Debug)]
struct Target {
    client: Client<Connector, Full<Bytes>>,
    config: UpstreamConfig,
}

/// Sends requests to the services behind: to the recipient whom the service map names where recipients are configured,
/// else to the one service. Answers stream.
#[derive(Clone, Debug)]
pub struct Upstream {
    service: Arc<Target>,
    recipients: Option<Arc<BTreeMap<RecipientId, Arc<Target>>>>,
    head_wait: Duration,
}

impl Upstream {
    /// A client of the service at `config`, and of the recipients outside by their names. `None` leaves it to the service
    /// to send on what goes outside.
    ///
    /// # Errors
    /// When the authorities that TLS is verified with cannot be read.
    pub fn new(
        config: UpstreamConfig,
        recipients: Option<BTreeMap<RecipientId, UpstreamConfig>>,
        limits: &ProxyLimits,
    ) -> Result<Self, String> {
        let service = Arc::new(Target::new(config, limits)?);
        let open = |all: BTreeMap<RecipientId, UpstreamConfig>| {
            let each =
                all.into_iter().map(|(name, config)| Ok((name, Arc::new(Target::new(config, limits)?))));
            each.collect::<Result<BTreeMap<_, _>, String>>()
        };
        let recipients = recipients.map(open).transpose()?.map(Arc::new);
        let head_wait = Duration::from_millis(limits.upstream_wait_ms_max) + BACKSTOP;
        Ok(Self { service, recipients, head_wait })
    }

    /// Where a request goes.
    fn service(&self, destination: Option<&Destination>) -> Option<&Arc<Target>> {
        match (&self.recipients, destination) {
            (Some(recipients), Some(Destination(recipient))) => recipients.get(recipient),
            (None, _) | (_, None) => Some(&self.service),
        }
    }
}

impl Target {
    fn new(config: UpstreamConfig, limits: &ProxyLimits) -> Result<Self, String> {
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let name = tls.server_name().ok_or("the name to verify is no host name")?;
                Some((client_config(&tls.authorities)?, name))
            }
        };
        let connector = Connector::new(tls, Duration::from_millis(limits.connect_ms_max));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_millis(limits.upstream_idle_ms_max))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Ok(Self { client, config })
    }

    /// Readdresses a request to the service; path and query stay exactly as they are. What a caller proved to us by a token
    /// is nobody's outside.
    fn readdress(&self, request: Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        let (mut head, body) = request.into_parts();
        let UpstreamConfig { authority, preserve_host, tls } = &self.config;
        if head.extensions.get::<Destination>().is_some() {
            head.headers.remove(AUTHORIZATION);
        }
        // In HTTP/2 the host that the caller named stands in the target.
        if let Some(named) = head.uri.authority().filter(|_| !head.headers.contains_key(HOST)) {
            head.headers.insert(HOST, HeaderValue::from_str(named.as_str()).ok()?);
        }
        prepare_request(&mut head.headers, authority, *preserve_host, came_by());
        let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        head.uri = Uri::builder()
            .scheme(if tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP })
            .authority(authority.clone())
            .path_and_query(path)
            .build()
            .ok()?;
        head.version = Version::HTTP_11;
        let mut request = Request::from_parts(head, body);
        say_it_is_empty(&mut request);
        Some(request)
    }

    /// Sends a request. A service may close a connection in the very moment in which the next request goes out on it: one
    /// that changes nothing by its method is sent once more, to the same place and word for word (RFC 9110, section 9.2.2).
    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let again = request.method().is_safe().then(|| request.clone());
        let said = self.client.request(request).await;
        match (said, again) {
            (Err(error), Some(again)) if broke_off(&error) => self.client.request(again).await,
            (said, _) => said,
        }
    }
}

/// Whether a connection that was there ended before the answer did.
fn broke_off(error: &ClientError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    let ended = |cause: &hyper::Error| {
        let of_system = cause.source().and_then(|source| source.downcast_ref::<io::Error>());
        let kinds = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof];
        cause.is_incomplete_message() || of_system.is_some_and(|error| kinds.contains(&error.kind()))
    };
    !error.is_connect() && cause.is_some_and(ended)
}

/// Whether nothing was done to the body on its way but to cut it into chunks: other codings of the transfer are not undone,
/// and of chunks and a length nobody knows which count.
fn is_plainly_framed(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(line) = lines.next() else { return true };
    let alone = lines.next().is_none() && !headers.contains_key(CONTENT_LENGTH);
    alone && line.as_bytes().eq_ignore_ascii_case(b"chunked")
}

/// Says of a method that brings something that it brings nothing this time (RFC 9110, section 8.6): some services refuse it
/// without a length.
fn say_it_is_empty(request: &mut Request<Full<Bytes>>) {
    let brings = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if brings && request.body().is_end_stream() {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

impl Service<Request<Full<Bytes>>> for Upstream {
    type Response = Response<Incoming>;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, UpstreamError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let Some(service) = self.service(request.extensions().get::<Destination>()) else {
            return Box::pin(std::future::ready(Err(UpstreamError::NoSuchRecipient)));
        };
        let (request, service) = (service.readdress(request), Arc::clone(service));
        let head_wait = self.head_wait;
        Box::pin(async move {
            let request = request.ok_or(UpstreamError::Unreachable)?;
            let answer = tokio::time::timeout(head_wait, service.ask(request)).await;
            let mut response =
                answer.map_err(|_| UpstreamError::Timeout)?.map_err(|_| UpstreamError::Unreachable)?;
            if !is_plainly_framed(response.headers()) {
                return Err(UpstreamError::Unreachable);
            }
            remove_hop_by_hop(response.headers_mut());
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_a_caller_proved_by_a_token_stays_here_where_a_request_goes_outside() {
        let authority = http::uri::Authority::from_static("127.0.0.1:3000");
        let config = UpstreamConfig { authority, preserve_host: false, tls: None };
        let target = Target::new(config, &ProxyLimits::default()).unwrap();
        for (outside, heard) in [(false, true), (true, false)] {
            let mut request = Request::new(Full::new(Bytes::new()));
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
            if outside {
                request.extensions_mut().insert(Destination(RecipientId::new("mailer")));
            }
            let sent = target.readdress(request).unwrap();
            assert_eq!(sent.headers().contains_key(AUTHORIZATION), heard, "{outside}");
        }
    }
}
