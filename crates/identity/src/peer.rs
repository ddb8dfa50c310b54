//! Who is at the other end of a connection, as whoever accepted it found out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use consentry_model::Moment;
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

/// Longest certificate that is read, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Most names of one certificate.
const NAMES_MAX: usize = 64;

/// The other end of a connection. Its default is nobody known: no address, no certificate.
///
/// ```
/// use consentry_identity::Peer;
///
/// let peer = Peer { address: Some("192.0.2.7".parse()?), certificate: None };
/// assert!(Peer::default().address.is_none() && peer.certificate.is_none());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// From where the connection comes; `None` when that is not known.
    pub address: Option<IpAddr>,
    /// The certificate that the peer showed and whose key it proved to hold; `None` without mutual TLS.
    pub certificate: Option<Arc<PeerCertificate>>,
}

/// A SHA-256 digest of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// What a client's certificate says of its holder (RFC 5280). It is made from a leaf that whoever ended TLS has already
/// verified against its authorities: nothing is verified here.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    fingerprint: Fingerprint,
    dns: Vec<String>,
    uris: Vec<String>,
    begins: Moment,
    ends: Moment,
}

/// Why a certificate says nothing: it is treated as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the certificate cannot be read: {0}")]
pub struct CertificateError(&'static str);

const NOT_IN_DER: CertificateError = CertificateError("it is not in DER");

impl PeerCertificate {
    /// Reads a verified leaf certificate from its DER.
    ///
    /// # Errors
    /// When it is over 16 KiB, no certificate of RFC 5280, or has more than 64 names or one that is no text.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError("it is over the limit"));
        }
        let certificate = Certificate::from_der(der).map_err(|_| NOT_IN_DER)?;
        let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
        let names = names.map_err(|_| CertificateError("its names are not in DER"))?;
        let names = names.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
        if names.len() > NAMES_MAX {
            return Err(CertificateError("it has too many names"));
        }
        let (mut dns, mut uris) = (Vec::new(), Vec::new());
        for name in &names {
            // Names of other kinds stand for nobody here.
            if let GeneralName::DnsName(name) = name {
                dns.push(name.as_str().to_ascii_lowercase());
            } else if let GeneralName::UniformResourceIdentifier(name) = name {
                uris.push(name.as_str().to_owned());
            }
        }
        let (begins, ends) = times(&certificate)?;
        Ok(Self { fingerprint: Fingerprint::of(der), dns, uris, begins, ends })
    }

    /// The SHA-256 digest of the whole certificate.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Its alternative names of the kind DNS, in lower case.
    #[must_use]
    pub fn dns(&self) -> &[String] {
        &self.dns
    }

    /// Its alternative names of the kind URI, such as SPIFFE ids.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The first moment at which it no longer holds.
    #[must_use]
    pub const fn ends(&self) -> Moment {
        self.ends
    }

    /// The same certificate as one whose time is over: what it is where whoever issued it is believed no more.
    #[must_use]
    pub fn ended(&self) -> Self {
        Self { ends: Moment::BEGINNING, ..self.clone() }
    }

    /// Whether it holds at this moment: a connection may outlive its certificate.
    #[must_use]
    pub fn holds(&self, now: Moment) -> bool {
        self.begins <= now && now < self.ends
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerCertificate").field(&self.fingerprint).finish()
    }
}

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Reads 64 hexadecimal digits, with or without a colon after each pair.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = if text.contains(':') {
            let pairs: Vec<&str> = text.split(':').collect();
            if pairs.iter().any(|pair| pair.len() != 2) {
                return None;
            }
            pairs.concat().into_bytes()
        } else {
            text.as_bytes().to_vec()
        };
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let mut bytes = [0_u8; 32];
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Since when a certificate holds, and the first moment at which it no longer does. Nothing else is read of it, so that it may be as
/// long and have as many names as it likes: this is for one's own, by which nobody is to be told.
///
/// # Errors
/// When it is no certificate of RFC 5280.
pub fn validity_of(der: &[u8]) -> Result<(Moment, Moment), CertificateError> {
    times(&Certificate::from_der(der).map_err(|_| NOT_IN_DER)?)
}

fn times(certificate: &Certificate) -> Result<(Moment, Moment), CertificateError> {
    let validity = certificate.tbs_certificate().validity();
    // The last second belongs to the certificate (RFC 5280, section 4.1.2.5).
    Ok((moment(validity.not_before)?, moment(validity.not_after)?.saturating_add_millis(1000)))
}

fn moment(time: Time) -> Result<Moment, CertificateError> {
    let millis = i64::try_from(time.to_unix_duration().as_millis());
    millis.map(Moment::from_unix_millis).map_err(|_| CertificateError("its time does not fit the calendar"))
}
