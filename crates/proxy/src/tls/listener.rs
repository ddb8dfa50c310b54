//! Handshakes with callers.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use consentry_identity::{Peer, PeerCertificate};
use consentry_layer::{Tls, Transport};
use consentry_model::Moment;
use rustls::server::Acceptor;
use rustls::{ProtocolVersion, ServerConfig};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::wire::{Reset, Wire};
use crate::config::ProxyLimits;

/// What is in force towards callers.
#[derive(Clone)]
pub(crate) struct TlsInForce {
    pub(crate) config: Arc<ServerConfig>,
    /// The first moment at which the certificate no longer holds.
    pub(crate) ends: Moment,
    /// The authorities, in DER, whose certificates are good.
    pub(crate) authorities: BTreeSet<Vec<u8>>,
    /// Told when one of them is believed no more.
    pub(crate) outlived: watch::Sender<bool>,
}

/// Holds it, so that certificates change without a restart: a connection keeps what it began with, unless its caller showed a
/// certificate and those are not all believed any more by whom such ones were good.
#[derive(Clone)]
pub(crate) struct TlsSlot {
    current: Arc<ArcSwap<TlsInForce>>,
}

impl TlsSlot {
    pub(crate) fn new(made: TlsInForce) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(made)) }
    }

    pub(crate) fn install(&self, mut made: TlsInForce) {
        let former = self.current();
        let stay = former.authorities.is_subset(&made.authorities);
        if stay {
            made.outlived = former.outlived.clone();
        }
        self.current.store(Arc::new(made));
        if !stay {
            former.outlived.send_replace(true);
        }
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

/// Makes handshakes, so many at a time and none for long: they are the dearest thing that a stranger can ask for. One begins
/// with the whole first message of the caller: who says nothing holds nobody up.
#[derive(Clone)]
pub(crate) struct Handshakes {
    slot: TlsSlot,
    places: Arc<Semaphore>,
    time_max: Duration,
}

/// A caller's connection.
pub(crate) type Accepted = Wire<TlsStream<TcpStream>>;

/// A caller's connection, and what is known of it.
pub(crate) struct Shaken {
    pub(crate) wire: Accepted,
    pub(crate) transport: Transport,
    /// Whether those are believed no more by whom the caller's certificate was good; `None` where it showed none.
    pub(crate) outlived: Option<watch::Receiver<bool>>,
}

impl Shaken {
    /// A connection without TLS.
    pub(crate) fn plain(stream: TcpStream, peer: Peer) -> Self {
        let transport = Transport { peer, ..Transport::default() };
        Self { wire: Wire::Plain(stream), transport, outlived: None }
    }
}

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
    pub(crate) async fn shake(&self, stream: TcpStream, peer: Peer) -> Option<Shaken> {
        let shaken = async {
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
            let _place = self.places.acquire().await.ok()?;
            let in_force = self.slot.current();
            Some((hello.into_stream(Arc::clone(&in_force.config)).await.ok()?, in_force))
        };
        let (stream, in_force) = tokio::time::timeout(self.time_max, shaken).await.ok().flatten()?;
        let transport = transport(&stream, peer)?;
        let outlived = transport.peer.certificate.as_ref().map(|_| in_force.outlived.subscribe());
        Some(Shaken { wire: Wire::Tls(Box::new(stream)), transport, outlived })
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
