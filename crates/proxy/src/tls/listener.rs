//! Handshakes with callers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use consentry_identity::{Peer, PeerCertificate};
use consentry_layer::{Tls, Transport};
use consentry_model::Moment;
use rustls::{ProtocolVersion, ServerConfig};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::wire::{Reset, Wire};
use crate::config::ProxyLimits;

/// What is in force towards callers.
#[derive(Clone)]
pub(crate) struct TlsInForce {
    pub(crate) config: Arc<ServerConfig>,
    /// The first moment at which the certificate no longer holds.
    pub(crate) ends: Moment,
}

/// Holds it, so that certificates change without a restart: a connection keeps what it began with.
#[derive(Clone)]
pub(crate) struct TlsSlot {
    current: Arc<ArcSwap<TlsInForce>>,
}

impl TlsSlot {
    pub(crate) fn new(made: TlsInForce) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(made)) }
    }

    pub(crate) fn install(&self, made: TlsInForce) {
        self.current.store(Arc::new(made));
    }

    pub(crate) fn current(&self) -> Arc<TlsInForce> {
        self.current.load_full()
    }
}

impl fmt::Debug for TlsSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsSlot")
    }
}

/// Makes handshakes, so many at a time and none for long: they are the dearest thing that a stranger can ask for.
#[derive(Clone)]
pub(crate) struct Handshakes {
    slot: TlsSlot,
    places: Arc<Semaphore>,
    time_max: Duration,
}

/// A caller's connection.
pub(crate) type Accepted = Wire<TlsStream<TcpStream>>;

impl Accepted {
    /// The protocol that both ends agreed on in the handshake, if they spoke of any.
    pub(crate) fn agreed(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }
}

impl Reset for TlsStream<TcpStream> {
    fn reset_when_dropped(&self) {
        self.get_ref().0.reset_when_dropped();
    }
}

impl Handshakes {
    pub(crate) fn new(slot: TlsSlot, limits: &ProxyLimits) -> Self {
        let places = usize::try_from(limits.tls_handshakes_max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            slot,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            time_max: Duration::from_millis(limits.tls_handshake_ms_max),
        }
    }

    /// Shakes hands; `None` when that fails, takes too long, or its turn does not come in time.
    pub(crate) async fn shake(&self, stream: TcpStream, peer: Peer) -> Option<(Accepted, Transport)> {
        let shaken = async {
            let _place = self.places.acquire().await.ok()?;
            let acceptor = TlsAcceptor::from(Arc::clone(&self.slot.current().config));
            acceptor.accept(stream).await.ok()
        };
        let stream = tokio::time::timeout(self.time_max, shaken).await.ok().flatten()?;
        let transport = transport(&stream, peer)?;
        Some((Wire::Tls(Box::new(stream)), transport))
    }
}

/// What the handshake proved; `None` when what it says cannot be understood.
fn transport(stream: &TlsStream<TcpStream>, peer: Peer) -> Option<Transport> {
    let (_, connection) = stream.get_ref();
    let version = connection.protocol_version()?;
    let known = [(ProtocolVersion::TLSv1_3, Tls::V1_3), (ProtocolVersion::TLSv1_2, Tls::V1_2)];
    let (_, tls) = known.into_iter().find(|(named, _)| *named == version)?;
    let certificate = match connection.peer_certificates().and_then(|chain| chain.first()) {
        None => None,
        // A certificate that was verified and yet cannot be read is nobody's, and not the same as none.
        Some(leaf) => Some(Arc::new(PeerCertificate::from_der(leaf).ok()?)),
    };
    let signed = certificate.is_some();
    Some(Transport { tls, signed, client: None, peer: Peer { certificate, ..peer } })
}
