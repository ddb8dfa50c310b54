//! Where the services behind the sidecar are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use consentry_model::RecipientId;
use http::Uri;
use http::uri::{Authority, Scheme};
use rustls::pki_types::ServerName;

use super::reader::{Reader, Section};
use super::tree::{At, Tree, Value};

/// A service behind the sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamConfig {
    /// Its host and port.
    pub authority: Authority,
    /// Whether it is told the host that the caller named, instead of its own.
    pub preserve_host: bool,
    /// How it proves who it is; `None` over plain HTTP.
    pub tls: Option<UpstreamTls>,
}

/// How a service behind the sidecar proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamTls {
    /// A PEM file: the authorities whose certificates are good, and no others.
    pub authorities: PathBuf,
    /// The name that its certificate must be for.
    pub name: String,
}

impl UpstreamTls {
    /// The name, as TLS compares it and says it to the other end.
    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        ServerName::try_from(self.name.clone()).ok()
    }
}

impl UpstreamConfig {
    pub(super) fn read(tree: &Tree, name: &'static str, reader: &mut Reader<'_>) -> Option<Self> {
        let section = reader.section(tree, name, &["url", "preserve_host", "ca", "server_name"])?;
        let preserve_host = reader.flag(&section, "preserve_host", false);
        let (text, at) = reader.need_text(&section, "url")?;
        let found = check(text).map_err(|message| reader.error(at, format!("`{name}.url` {message}")));
        let (authority, is_tls) = found.ok()?;
        let tls = if is_tls {
            Some(tls(&section, name, at, &authority, reader)?)
        } else {
            for key in ["ca", "server_name"] {
                if let Some(tree) = section.get(key) {
                    reader.error(tree.at, format!("`{name}.{key}` is for a url that begins with https"));
                }
            }
            None
        };
        Some(Self { authority, preserve_host, tls })
    }
}

fn tls(
    section: &Section<'_>,
    name: &'static str,
    at: At,
    authority: &Authority,
    reader: &mut Reader<'_>,
) -> Option<UpstreamTls> {
    if section.get("ca").is_none() {
        reader
            .error(at, format!("`{name}.ca` is missing: the authorities that an https url is verified with"));
    }
    let authorities = reader.path(section, "ca")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let (named, at) = reader.text(section, "server_name").unwrap_or((host, at));
    let tls = UpstreamTls { authorities, name: named.to_owned() };
    if tls.server_name().is_none() {
        reader
            .error(at, format!("`{name}` is verified by a host name or an address, and {named} is neither"));
        return None;
    }
    Some(tls)
}

/// The services of recipients outside, by the name that the bundle knows them under.
pub(super) fn recipients(
    tree: &Tree,
    reader: &mut Reader<'_>,
) -> Option<BTreeMap<RecipientId, UpstreamConfig>> {
    let Value::Map(entries) = &tree.value else {
        let message = format!("`recipients` maps names to services, and is not {}", tree.value.what());
        reader.error(tree.at, message);
        return None;
    };
    let mut out = BTreeMap::new();
    for (name, _, tree) in entries {
        out.insert(RecipientId::new(name), UpstreamConfig::read(tree, "recipients", reader)?);
    }
    Some(out)
}

fn check(text: &str) -> Result<(Authority, bool), &'static str> {
    const FORM: &str = "is not of the form http://host:port or https://host:port";
    let uri: Uri = text.parse().map_err(|_| FORM)?;
    let is_tls = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => false,
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(_) | None => return Err(FORM),
    };
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
    Ok((authority.clone(), is_tls))
}
