//! The listener: connections in, each within its limits, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use consentry_identity::Peer;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use crate::activity::{Activity, Ends, Silence, keep};
use crate::arrival::Arrived;
use crate::config::{Config, ProxyLimits};
use crate::counters::Counters;
use crate::patience::Patience;
use crate::peers::{PeerPlace, Peers};
use crate::streams::Streams;
use crate::tls::{Accepted, Handshakes, Shaken};

/// How long accepting rests after it failed, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often an HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How many headers of a request are read when nothing else is said.
const HEADERS_DEFAULT: u64 = 100;

/// How serving ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drained {
    /// Connections that were still open when the time to finish was over, and were cut off.
    pub(crate) connections_cut: u64,
    /// Connections that ended by a panic.
    pub(crate) panics: u64,
}

/// Serves connections until `stop` is over, then lets those under way finish for at most `drain_secs_max`.
pub(crate) async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    config: &Config,
    handshakes: Option<Handshakes>,
    counters: &Arc<Counters>,
    stop: impl Future<Output = ()> + Send,
) -> Drained
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limits = &config.limits;
    let places = Arc::new(Semaphore::new(to_usize(limits.connections_max)));
    let peers = Peers::new(to_usize(limits.client_connections_max), &config.tls_ended_by);
    let (draining, _) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut panics = 0;
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.join_next() => {
                panics += count_panic(&ended);
                continue;
            }
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let open = counters.connection();
        let Some(of_peer) = peer.address.and_then(|address| peers.take(address)) else {
            counters.turned_away();
            continue;
        };
        let (draining, service, handshakes) = (draining.subscribe(), service.clone(), handshakes.clone());
        let (limits, counters) = (limits.clone(), Arc::clone(counters));
        connections.spawn(async move {
            let _held: (_, PeerPlace, _) = (place, of_peer, open);
            let arrived = match handshakes {
                None => Some(Shaken::plain(stream, peer)),
                Some(handshakes) => handshakes.shake(stream, peer).await,
            };
            let Some(Shaken { wire, transport, outlived }) = arrived else {
                return counters.handshake_failed();
            };
            let ends = Ends { draining, outlived: outlived.clone() };
            let told = TowerToHyperService::new(Arrived { inner: service, transport, outlived });
            if serve_one(wire, told, &limits, ends).await.is_err() {
                tracing::debug!("a connection ended early");
            }
        });
    }
    drop(listener);
    draining.send_replace(true);
    let drain_max = Duration::from_secs(config.drain_secs_max);
    drop(tokio::time::timeout(drain_max, draining.closed()).await);
    let connections_cut = finish(&mut connections, &mut panics).await;
    Drained { connections_cut, panics }
}

/// Takes the next connection as soon as a place is free; `None` when accepting failed.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Without it answers are slower, not wrong.
            drop(stream.set_nodelay(true));
            Some((stream, Peer { address: Some(from.ip()), certificate: None }, place))
        }
        Err(error) => {
            tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
            None
        }
    }
}

/// Serves one connection to its end, within its times.
async fn serve_one<S, B>(
    wire: Accepted,
    service: TowerToHyperService<S>,
    limits: &ProxyLimits,
    ends: Ends,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head_wait, stall_max) =
        (Duration::from_millis(limits.head_wait_ms_max), Duration::from_millis(limits.write_stall_ms_max));
    let activity = Arc::new(Activity::default());
    let agreed = wire.agreed().map(<[u8]>::to_vec);
    let patient = Patience::new(wire, head_wait, stall_max, Arc::clone(&activity));
    let streams_max = limits.streams_max;
    let builder = builder(limits, Streams { stall_max, streams_max, activity: Arc::clone(&activity) });
    // What was agreed on is what is spoken (RFC 9113, section 3.2): whoever looks on reads it so.
    let builder = match agreed.as_deref() {
        Some(b"h2") => builder.http2_only(),
        Some(_) => builder.http1_only(),
        None => builder,
    };
    let connection = builder.serve_connection(TokioIo::new(patient), service).into_owned();
    keep(connection, &activity, ends, Silence { idle_max: head_wait, unread_max: stall_max }).await
}

/// How every connection is served, over HTTP/1.1 or HTTP/2.
pub(crate) fn builder<E>(limits: &ProxyLimits, executor: E) -> auto::Builder<E> {
    let head_wait = Duration::from_millis(limits.head_wait_ms_max);
    let head_bytes = to_usize(limits.head_bytes_max);
    let mut builder = auto::Builder::new(executor);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_wait).max_buf_size(head_bytes);
    // What is asked for by name is kept on the heap; the default is not.
    if limits.headers_max > HEADERS_DEFAULT {
        builder.http1().max_headers(to_usize(limits.headers_max));
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(u32::try_from(limits.streams_max).unwrap_or(1))
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    builder
}

/// Collects what has ended, and cuts off what has not.
async fn finish(connections: &mut JoinSet<()>, panics: &mut u64) -> u64 {
    while let Some(ended) = connections.try_join_next() {
        *panics += count_panic(&ended);
    }
    connections.abort_all();
    let mut cut = 0;
    while let Some(ended) = connections.join_next().await {
        *panics += count_panic(&ended);
        cut += u64::from(ended.is_err_and(|e| e.is_cancelled()));
    }
    cut
}

fn count_panic(ended: &Result<(), tokio::task::JoinError>) -> u64 {
    let panicked = ended.as_ref().is_err_and(tokio::task::JoinError::is_panic);
    if panicked {
        tracing::error!("a connection ended by a panic");
    }
    u64::from(panicked)
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
