//! What the configuration says of certificates and of gateways that authenticate in front of us.

use std::collections::BTreeSet;

use consentry_model::{Purpose, RequesterId, Space};

use crate::assurance::Assurance;
use crate::network::Network;
use crate::peer::{Fingerprint, Peer, PeerCertificate};

/// A name by which a certificate is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateName {
    /// One of its alternative names of the kind DNS, compared without regard to case. `*` stands for nothing.
    Dns(String),
    /// One of its alternative names of the kind URI, such as a SPIFFE id, compared byte by byte.
    Uri(String),
    /// The SHA-256 digest of the whole certificate.
    Sha256(Fingerprint),
}

impl CertificateName {
    /// Whether a certificate has this name.
    #[must_use]
    pub fn is_of(&self, certificate: &PeerCertificate) -> bool {
        match self {
            Self::Dns(name) => {
                !name.contains('*') && certificate.dns().iter().any(|dns| dns.eq_ignore_ascii_case(name))
            }
            Self::Uri(name) => certificate.uris().contains(name),
            Self::Sha256(digest) => certificate.fingerprint() == *digest,
        }
    }
}

/// A requester that is known by its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateHolder {
    /// Who it is.
    pub requester: RequesterId,
    /// The names of its certificates: one is enough.
    pub names: Vec<CertificateName>,
    /// What it may declare, each with everything below it.
    pub purposes: Vec<Purpose>,
}

/// A peer that authenticates others and says in headers who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// From where it connects.
    pub networks: Vec<Network>,
    /// The names of its certificates, where it has to show one: one of them is enough. Empty asks for none.
    pub certificates: Vec<CertificateName>,
    /// Whom it may name.
    pub requesters: BTreeSet<RequesterId>,
    /// What those may declare, each with everything below it.
    pub purposes: Vec<Purpose>,
    /// How well the people are identified whom it names.
    pub assurance: Assurance,
}

/// The headers in which gateways say who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingHeaders {
    /// The header that names the requester, in lower case.
    pub requester: String,
    /// The header that names the person, in lower case, and the space of that name.
    pub person: Option<(String, Space)>,
}

impl NamingHeaders {
    /// The names of the headers.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        std::iter::once(self.requester.as_str()).chain(self.person.iter().map(|(name, _)| name.as_str()))
    }
}

impl Gateway {
    /// Whether a peer is this gateway.
    #[must_use]
    pub fn is(&self, peer: &Peer) -> bool {
        let there =
            peer.address.is_some_and(|address| self.networks.iter().any(|network| network.contains(address)));
        let shows = |certificate: &PeerCertificate| self.certificates.iter().any(|n| n.is_of(certificate));
        there && (self.certificates.is_empty() || peer.certificate.as_deref().is_some_and(shows))
    }
}
