//! One look at the issuer's key set: one request, one answer, within its bounds.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::config::JwksUrl;
use crate::says::says;

/// Most bytes of a file of authorities.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// Fetches one key set. Redirects are not followed: where keys come from is the operator's to say.
pub(crate) struct Fetcher {
    source: JwksUrl,
    host: String,
    port: u16,
    /// `None` for plain HTTP, which goes to this machine alone.
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Fetcher {
    /// Reads the authorities; nothing is sent. The error is for operators.
    pub(crate) fn new(source: &JwksUrl) -> Result<Self, String> {
        let authority = source.url.authority().ok_or("the URL of the keys names no host")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let https = source.is_https();
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let tls = if https {
            let name = ServerName::try_from(host.clone()).map_err(|_| "the host of the keys is no name")?;
            Some((connector(source.ca.as_deref())?, name))
        } else {
            None
        };
        Ok(Self { source: source.clone(), host, port, tls })
    }

    /// The text of the key set. The error is for operators, and holds nothing of the answer.
    pub(crate) async fn fetch(&self) -> Result<String, String> {
        let wait = Duration::from_millis(self.source.wait_ms_max);
        match tokio::time::timeout(wait, self.connect()).await {
            Ok(said) => said.map_err(|why| format!("{}: {why}", self.source.url)),
            Err(_) => Err(format!("{}: no answer within {wait:?}", self.source.url)),
        }
    }

    async fn connect(&self) -> Result<String, String> {
        let failed = |e: std::io::Error| format!("it cannot be reached: {}", says(&e));
        let found = lookup_host((self.host.as_str(), self.port)).await.map_err(failed)?;
        // A name may be this machine's today and somebody else's tomorrow.
        let found: Vec<SocketAddr> =
            found.filter(|address| self.tls.is_some() || is_here(address.ip())).collect();
        if found.is_empty() {
            return Err("plain HTTP goes to this machine alone, and the host is elsewhere".to_owned());
        }
        let stream = TcpStream::connect(found.as_slice()).await.map_err(failed)?;
        match &self.tls {
            None => self.exchange(stream).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await;
                self.exchange(stream.map_err(|_| "it cannot be spoken to by TLS".to_owned())?).await
            }
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<String, String> {
        let broken = |_: hyper::Error| "the connection broke".to_owned();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends with this function, however it ends.
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let path = self.source.url.path_and_query().map_or("/", |path| path.as_str());
        let target: Uri = path.parse().map_err(|_| "its path is none")?;
        let host = self.source.url.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(target)
            .header(HOST, host)
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .body(Empty::<Bytes>::new());
        let answer = sender.send_request(request.map_err(|_| "no request can be made of it")?);
        let answer = answer.await.map_err(broken)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answers {}, and only 200 is an answer", answer.status().as_u16()));
        }
        if answer.headers().get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
            return Err("the answer is encoded".to_owned());
        }
        let bytes_max = usize::try_from(self.source.bytes_max).unwrap_or(usize::MAX);
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body = body.map_err(|_| format!("the answer is over {bytes_max} bytes, or broke off"))?;
        String::from_utf8(body.to_bytes().to_vec()).map_err(|_| "the answer is no text".to_owned())
    }
}

/// A client that trusts the authorities in a file, and no others; those of the web where no file is named.
fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let told = |what: &str| format!("{}: {what}", file.display());
            let meta = fs::metadata(file).map_err(|e| told(&says(&e)))?;
            if !meta.is_file() || meta.len() > CA_BYTES_MAX {
                return Err(told("not a regular file of at most 1 MiB"));
            }
            let text = fs::read(file).map_err(|e| told(&says(&e)))?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
                added.ok_or_else(|| told("a certificate in it cannot be read"))?;
            }
            if roots.is_empty() {
                return Err(told("it holds no certificate in PEM"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn is_here(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
