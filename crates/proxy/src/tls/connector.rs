//! Connections to the services behind, with TLS where they want it. Certificates are always verified: there is no
//! option that would turn it off.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::files::{VERSIONS, authorities, provider, read};
use super::wire::Wire;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What TLS towards a service behind is configured with: the authorities in a PEM file, and no others.
pub(crate) fn client_config(ca: &Path) -> Result<Arc<ClientConfig>, String> {
    let roots = authorities(ca, &read(ca)?)?;
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&VERSIONS);
    let mut made = builder.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth();
    made.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(made))
}

/// Looks the name up, connects, and shakes hands where there is TLS, all within one time.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    time_max: Duration,
}

impl Connector {
    /// Without TLS, or with it: then the other end must prove to be `ServerName`, which is also told to it (SNI).
    pub(crate) fn new(tls: Option<(Arc<ClientConfig>, ServerName<'static>)>, time_max: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(tls.is_none());
        tcp.set_connect_timeout(Some(time_max));
        Self { tcp, tls, time_max }
    }
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connecting = self.tcp.call(target);
        let (tls, time_max) = (self.tls.clone(), self.time_max);
        Box::pin(async move {
            let connected = async {
                let stream = connecting.await?.into_inner();
                let wire = match tls {
                    None => Wire::Plain(stream),
                    Some((config, name)) => {
                        Wire::Tls(Box::new(TlsConnector::from(config).connect(name, stream).await?))
                    }
                };
                Ok::<_, BoxError>(wire)
            };
            // The time of the connector within is for connecting alone: looking the name up has none of its own.
            Ok(TokioIo::new(tokio::time::timeout(time_max, connected).await??))
        })
    }
}

/// A connection to a service behind.
pub(crate) type Link = TokioIo<Wire<TlsStream<TcpStream>>>;

impl Connection for Wire<TlsStream<TcpStream>> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
