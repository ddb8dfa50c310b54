//! Where the service behind the sidecar is.

use http::Uri;
use http::uri::{Authority, Scheme};

use super::reader::{Reader, Section};
use super::tree::At;

/// The service behind the sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamConfig {
    /// Its host and port.
    pub authority: Authority,
    /// Whether it is told the host that the caller named, instead of its own.
    pub preserve_host: bool,
}

impl UpstreamConfig {
    pub(super) fn read(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let preserve_host = reader.flag(section, "preserve_host", false);
        let (text, at) = reader.need_text(section, "url")?;
        let authority = authority(text, at, reader)?;
        Some(Self { authority, preserve_host })
    }
}

fn authority(text: &str, at: At, reader: &mut Reader<'_>) -> Option<Authority> {
    let found = check(text);
    found.map_err(|message| reader.error(at, format!("`upstream.url` {message}"))).ok()
}

fn check(text: &str) -> Result<Authority, &'static str> {
    const FORM: &str = "is not of the form http://host:port";
    let uri: Uri = text.parse().map_err(|_| FORM)?;
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => {}
        Some(scheme) if *scheme == Scheme::HTTPS => {
            return Err(
                "begins with https, which is not supported yet: the upstream is reached by plain http, on this machine or through a tunnel",
            );
        }
        Some(_) | None => return Err(FORM),
    }
    let authority = uri.authority().ok_or(FORM)?;
    if authority.as_str().contains('@') {
        return Err("holds a user name, which is not passed on");
    }
    if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
        return Err("has a path, a query or a fragment: paths are forwarded as they are");
    }
    if authority.host().is_empty() || authority.port_u16() == Some(0) || authority.as_str().ends_with(':') {
        return Err(FORM);
    }
    Ok(authority.clone())
}
