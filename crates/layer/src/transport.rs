//! What whoever accepted the connection knows of it.

use std::net::IpAddr;

use consentry_identity::Peer;
use consentry_model::RecipientId;

/// The protection of the connection that a request came by, and who is at its other end. Whoever accepts connections puts it among the request's
/// extensions; a request without it came unprotected.
///
/// ```
/// use consentry_layer::{Tls, Transport};
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Transport { tls: Tls::V1_3, ..Transport::default() });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// The version of TLS.
    pub tls: Tls,
    /// Whether the sender signed the request itself, or showed a certificate of its own (RFC 9421, RFC 8446). Where the certificate is
    /// that of a gateway which the authenticator knows, or is not in its time, it does not count.
    pub signed: bool,
    /// Who is at the other end: the address, and the certificate where TLS ended here and the client's was verified.
    pub peer: Peer,
    /// Where the request began, where the peer may be believed about it; the peer's own address when nothing is said.
    /// Requests are counted by it, and nobody is trusted for it.
    pub client: Option<IpAddr>,
}

impl Transport {
    /// Where the request comes from, as far as anybody knows.
    #[must_use]
    pub fn origin(&self) -> Option<IpAddr> {
        self.client.or(self.peer.address)
    }
}

/// The recipient outside to whom a request goes on, as the service map says; the inner service finds it among the
/// request's extensions, and only there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination(pub RecipientId);

/// A version of TLS, from none to the highest. What is older than 1.2 counts as none (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tls {
    /// None, or one that no longer protects.
    #[default]
    None,
    /// TLS 1.2, RFC 5246.
    V1_2,
    /// TLS 1.3, RFC 8446.
    V1_3,
}

impl Tls {
    /// Every version.
    pub const ALL: [Self; 3] = [Self::None, Self::V1_2, Self::V1_3];

    /// The word in bundles and cases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::V1_2 => "tls1.2",
            Self::V1_3 => "tls1.3",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.code() == code)
    }
}
