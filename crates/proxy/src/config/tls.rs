//! Where the certificates are with which TLS is ended here.

use std::path::PathBuf;

use super::reader::Reader;
use super::tree::Tree;

/// The files of the certificate that callers are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// A PEM file: the certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// A PEM file: its private key.
    pub key: PathBuf,
    /// Whether callers show certificates of their own; they are not asked for one when nothing is said.
    pub clients: Option<ClientCertificates>,
}

/// Which certificates of callers are good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificates {
    /// A PEM file: the authorities that issue them.
    pub authorities: PathBuf,
    /// Whether a caller without one is turned away in the handshake.
    pub required: bool,
}

impl TlsConfig {
    pub(super) fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let keys = ["certificate", "key", "client_ca", "client_certificates"];
        let section = reader.section(tree, "tls", &keys)?;
        let certificate = reader.need_path(&section, "certificate");
        let key = reader.need_path(&section, "key");
        let authorities = reader.path(&section, "client_ca");
        let asked = reader.text(&section, "client_certificates");
        let required = match asked {
            None => true,
            Some(("required", _)) => true,
            Some(("optional", _)) => false,
            Some((_, at)) => {
                reader.error(at, "`tls.client_certificates` is `required` or `optional`");
                return None;
            }
        };
        if let (Some((_, at)), None) = (asked, section.get("client_ca")) {
            reader.error(at, "`tls.client_certificates` needs `tls.client_ca`: who issues them");
        }
        let clients = authorities.map(|authorities| ClientCertificates { authorities, required });
        Some(Self { certificate: certificate?, key: key?, clients })
    }
}
