//! Certificates and keys in PEM files → what TLS is configured with.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use consentry_identity::validity_of;
use consentry_model::Moment;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::sync::watch;

use super::listener::TlsInForce;
use crate::config::{ClientCertificates, TlsConfig};
use crate::says::says;

/// Most bytes of a PEM file.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// The versions that are spoken.
pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS13, &rustls::version::TLS12];

/// The texts of all files that one configuration is made from: read at once, so that what is made from them is what was
/// compared with the last ones. It holds a private key and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TlsTexts {
    certificate: Vec<u8>,
    key: Vec<u8>,
    clients: Option<Vec<u8>>,
}

impl fmt::Debug for TlsTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTexts")
    }
}

/// Reads the files that a configuration names.
pub(crate) fn read_texts(config: &TlsConfig) -> Result<TlsTexts, String> {
    let clients = config.clients.as_ref().map(|clients| read(&clients.authorities)).transpose()?;
    Ok(TlsTexts { certificate: read(&config.certificate)?, key: read(&config.key)?, clients })
}

/// What TLS towards callers is configured with, made from these texts; `config` says what the files are called.
pub(crate) fn server_config(config: &TlsConfig, texts: &TlsTexts, now: Moment) -> Result<TlsInForce, String> {
    let chain = certificates(&config.certificate, &texts.certificate)?;
    let told = |path: &Path, what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let leaf = chain.first().ok_or_else(|| told(&config.certificate, &NO_CERTIFICATE))?;
    // Of one's own certificate the names are for callers to compare, however many there are.
    let (begins, ends) = validity_of(leaf).map_err(|e| told(&config.certificate, &e))?;
    if now < begins || ends <= now {
        return Err(told(&config.certificate, &"the certificate is not valid now"));
    }
    // The errors of this parser speak of the form of the file, never of what stands in it.
    let key = PrivateKeyDer::from_pem_slice(&texts.key)
        .map_err(|_| told(&config.key, &"no private key in PEM stands in it"))?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .map_err(|e| e.to_string())?;
    let mut authorities = BTreeSet::new();
    let builder = match (&config.clients, &texts.clients) {
        (None, None) => builder.with_no_client_auth(),
        (Some(clients), Some(text)) => {
            let all = certificates(&clients.authorities, text)?;
            authorities.extend(all.iter().map(|authority| authority.to_vec()));
            builder.with_client_cert_verifier(verifier(clients, text)?)
        }
        (None, Some(_)) | (Some(_), None) => {
            return Err("`tls` and its files do not belong together".to_owned());
        }
    };
    let mut made = builder.with_single_cert(chain, key).map_err(|e| {
        told(&config.certificate, &format!("cannot be used with {}: {e}", config.key.display()))
    })?;
    made.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (outlived, _) = watch::channel(false);
    Ok(TlsInForce { config: Arc::new(made), ends, authorities, outlived })
}

fn verifier(clients: &ClientCertificates, text: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let path = &clients.authorities;
    let roots = Arc::new(authorities(path, text)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    // Without a certificate nobody is anybody: whatever asks for one refuses such a request later.
    let builder = if clients.required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|e| format!("{}: {e}", path.display()))
}

/// The authorities that certificates are checked against.
pub(super) fn authorities(path: &Path, text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, text)? {
        roots.add(certificate).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(roots)
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match read {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) | Err(_) => Err(format!("{}: {NO_CERTIFICATE}", path.display())),
    }
}

const NO_CERTIFICATE: &str = "no certificate in PEM stands in it";

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A PEM file as bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let told = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let meta = fs::metadata(path).map_err(|e| told(&says(&e)))?;
    if !meta.is_file() || meta.len() > PEM_BYTES_MAX {
        return Err(told(&"not a regular file of at most 1 MiB"));
    }
    fs::read(path).map_err(|e| told(&says(&e)))
}
