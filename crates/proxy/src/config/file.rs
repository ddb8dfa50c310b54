//! The file as a whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use consentry_identity::Network;
use consentry_model::RecipientId;

use super::error::{ConfigError, ConfigProblem};
use super::identity::IdentityConfig;
use super::limits::ProxyLimits;
use super::reader::{Reader, Section};
use super::tls::TlsConfig;
use super::tree::{self, At, Tree};
use super::upstream::{self, UpstreamConfig};

/// Longest configuration that is read, in bytes.
const CONFIG_BYTES_MAX: usize = 256 * 1024;
/// Where the admin pages are when nothing is said.
const ADMIN_DEFAULT: &str = "127.0.0.1:9901";
/// What problem types begin with when nothing is said.
const PROBLEM_TYPE_BASE_DEFAULT: &str = "urn:consentry:problem:";

const KEYS: [&str; 18] = [
    "listen",
    "tls",
    "tls_ended_by",
    "admin",
    "upstream",
    "recipients",
    "dangerous_report_only",
    "bundle",
    "ledger",
    "evidence",
    "evidence_key",
    "pseudonym_key",
    "identity",
    "limits",
    "otlp",
    "problem_type_base",
    "drain_secs_max",
    "reload_poll_ms",
];

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpConfig {
    /// `http://host:port` of a collector.
    pub endpoint: String,
    /// The name that spans are sent under.
    pub service_name: String,
}

/// Everything that an operator says about one sidecar.
///
/// ```
/// use consentry_proxy::Config;
///
/// let text = "listen: 127.0.0.1:0\nupstream: {url: 'https://localhost'}\n";
/// let error = Config::parse(text, "consentry.yaml".as_ref()).unwrap_err();
/// assert!(error.to_string().contains("consentry.yaml:2:17: `upstream.ca` is missing"));
/// assert!(error.problems().len() > 1); // and whatever else is missing
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where callers connect.
    pub listen: SocketAddr,
    /// With which certificate TLS is ended here; callers speak plain HTTP when nothing is said.
    pub tls: Option<TlsConfig>,
    /// Who ends TLS in front of the sidecar and is believed when they say so in `X-Forwarded-Proto`, and about where a request
    /// began in `X-Forwarded-For`; nobody when nothing is said, and then every request counts as unprotected.
    pub tls_ended_by: Vec<Network>,
    /// Where the health and status pages are.
    pub admin: SocketAddr,
    /// The service behind.
    pub upstream: UpstreamConfig,
    /// Where the recipients outside are whom routes name with `to:`. When nothing is said, the service behind is asked
    /// for all of them; else a recipient who is not listed is refused.
    pub recipients: Option<BTreeMap<RecipientId, UpstreamConfig>>,
    /// Routes whose verdicts are recorded and not carried out. It lets through what the bundle does not permit.
    pub dangerous_report_only: Vec<String>,
    /// The folder of the sealed bundle.
    pub bundle: PathBuf,
    /// The file of the ledger.
    pub ledger: PathBuf,
    /// The folder of the evidence log.
    pub evidence: PathBuf,
    /// The file of the evidence log's signing key; `key` in the log's folder when nothing is said.
    pub evidence_key: Option<PathBuf>,
    /// The file of the key that pseudonyms are made with; beside the ledger when nothing is said.
    pub pseudonym_key: Option<PathBuf>,
    /// Whose tokens are believed.
    pub identity: IdentityConfig,
    /// Every limit.
    pub limits: ProxyLimits,
    /// Where spans go; nowhere when nothing is said.
    pub otlp: Option<OtlpConfig>,
    /// What problem types begin with (RFC 9457); the reason's code follows.
    pub problem_type_base: String,
    /// How long requests under way may take to finish when the sidecar stops, in seconds.
    pub drain_secs_max: u64,
    /// How often bundle and keys are looked at, in milliseconds.
    pub reload_poll_ms: u64,
}

impl Config {
    /// Reads a configuration file; relative paths in it start at its folder.
    ///
    /// # Errors
    /// When the file cannot be read, and everything that is wrong in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = bounded(path).map_err(|e| ConfigError::unreadable(path, e))?;
        text.map_or_else(|| Err(too_long(path)), |text| Self::parse(&text, path))
    }

    /// Reads a configuration from its text, as if it stood in `path`. No file is looked at.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let whole = |at: At, message: String| ConfigProblem { line: at.line, column: at.column, message };
        if text.len() > CONFIG_BYTES_MAX {
            return Err(too_long(path));
        }
        let tree =
            tree::parse(text).map_err(|(at, message)| ConfigError::wrong(path, vec![whole(at, message)]))?;
        let mut reader = Reader::new(path.parent().unwrap_or(Path::new("")));
        let config = reader.section(&tree, "", &KEYS).and_then(|section| read(&section, &mut reader));
        match config {
            Some(config) if reader.problems.is_empty() => Ok(config),
            Some(_) | None => Err(ConfigError::wrong(path, reader.problems)),
        }
    }
}

/// The text of a file; `None` when it is too long for a configuration, whose end is then not read.
fn bounded(path: &Path) -> io::Result<Option<String>> {
    let limit = u64::try_from(CONFIG_BYTES_MAX).map_err(io::Error::other)?;
    let mut text = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut text)?;
    if text.len() > CONFIG_BYTES_MAX {
        return Ok(None);
    }
    String::from_utf8(text).map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

fn too_long(path: &Path) -> ConfigError {
    let message = format!("the configuration is over {CONFIG_BYTES_MAX} bytes");
    ConfigError::wrong(path, vec![ConfigProblem { line: 1, column: 1, message }])
}

fn read(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<Config> {
    let listen = reader.need(section, "listen").and_then(|_| address(section, "listen", reader));
    let tls_ended_by = match section.get("tls_ended_by") {
        None => Some(Vec::new()),
        Some(_) => networks(section, "tls_ended_by", reader),
    };
    let admin = match section.get("admin") {
        None => ADMIN_DEFAULT.parse().ok(),
        Some(_) => address(section, "admin", reader),
    };
    let tls = section.get("tls").map(|tree| TlsConfig::read(tree, reader));
    let upstream =
        reader.need(section, "upstream").and_then(|tree| UpstreamConfig::read(tree, "upstream", reader));
    let recipients = section.get("recipients").map(|tree| upstream::recipients(tree, reader));
    let reported = reader.texts(section, "dangerous_report_only");
    let bundle = reader.need_path(section, "bundle");
    let ledger = reader.need_path(section, "ledger");
    let evidence = reader.need_path(section, "evidence");
    let evidence_key = section.get("evidence_key").map(|_| reader.path(section, "evidence_key"));
    let pseudonym_key = section.get("pseudonym_key").map(|_| reader.path(section, "pseudonym_key"));
    let identity = reader.need(section, "identity").and_then(|tree| IdentityConfig::read(tree, reader));
    let limits = match section.get("limits") {
        None => Some(ProxyLimits::default()),
        Some(tree) => {
            let names = reader.section(tree, "limits", ProxyLimits::NAMES);
            names.map(|section| ProxyLimits::read(&section, reader))
        }
    };
    let otlp = section.get("otlp").map(|tree| otlp(tree, reader));
    let problem_type_base = match section.get("problem_type_base") {
        None => Some(PROBLEM_TYPE_BASE_DEFAULT.to_owned()),
        Some(_) => problem_type_base(section, reader),
    };
    let drain_secs_max = reader.count(section, "drain_secs_max", 20, 0..=3_600);
    let reload_poll_ms = reader.count(section, "reload_poll_ms", 1_000, 50..=3_600_000);
    let place = |key: &str| section.get(key).map_or(section.at, |tree| tree.at);
    addresses_differ(section, listen, admin, &services(upstream.as_ref(), recipients.as_ref()), reader);
    if let (Some(_), Some(tree)) = (&tls, section.get("tls_ended_by")) {
        reader.error(tree.at, "`tls` and `tls_ended_by` exclude each other: TLS is ended in one place");
    }
    outlasts_polls(identity.as_ref(), limits.as_ref(), reload_poll_ms, place("reload_poll_ms"), reader);
    let keys = [("evidence_key", evidence_key.as_ref()), ("pseudonym_key", pseudonym_key.as_ref())];
    places_differ(section, [&bundle, &ledger, &evidence].map(Option::as_ref), &keys, reader);
    Some(Config {
        listen: listen?,
        tls: if_said(tls)?,
        tls_ended_by: tls_ended_by?,
        admin: admin?,
        upstream: upstream?,
        recipients: if_said(recipients)?,
        dangerous_report_only: reported.into_iter().map(|(route, _)| route.to_owned()).collect(),
        bundle: bundle?,
        ledger: ledger?,
        evidence: evidence?,
        evidence_key: if_said(evidence_key)?,
        pseudonym_key: if_said(pseudonym_key)?,
        identity: identity?,
        limits: limits?,
        otlp: if_said(otlp)?,
        problem_type_base: problem_type_base?,
        drain_secs_max,
        reload_poll_ms,
    })
}

/// Each thing is kept in a place of its own: bundle, ledger and evidence, and the keys that are said.
fn places_differ(
    section: &Section<'_>,
    [bundle, ledger, evidence]: [Option<&PathBuf>; 3],
    keys: &[(&str, Option<&Option<PathBuf>>)],
    reader: &mut Reader<'_>,
) {
    let place = |key: &str| section.get(key).map_or(section.at, |tree| tree.at);
    if let (Some(ledger), Some(evidence), Some(bundle)) = (ledger, evidence, bundle)
        && (ledger == evidence || evidence == bundle || ledger == bundle)
    {
        reader.error(place("evidence"), "`bundle`, `ledger` and `evidence` are three places");
    }
    let mut taken: Vec<&PathBuf> = [bundle, ledger, evidence].into_iter().flatten().collect();
    for (name, key) in keys {
        let Some(Some(key)) = key else { continue };
        if taken.contains(&key) {
            reader.error(place(name), format!("`{name}` is a file of its own"));
        }
        taken.push(key);
    }
}

/// What need not be said, and is good if it is.
fn if_said<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

/// Keys and bundles that grow too old between two looks at them would come and go.
fn outlasts_polls(
    identity: Option<&IdentityConfig>,
    limits: Option<&ProxyLimits>,
    reload_poll_ms: u64,
    at: At,
    reader: &mut Reader<'_>,
) {
    let keys = identity.map(|identity| ("keys", identity.keys_age_secs_max));
    let bundle = limits.map(|limits| ("a bundle", limits.bundle_age_secs_max));
    for (what, age_secs_max) in keys.into_iter().chain(bundle) {
        if age_secs_max.saturating_mul(1_000) <= reload_poll_ms {
            reader.error(at, format!("`reload_poll_ms` is shorter than {what} may become old"));
        }
    }
}

/// Nobody may listen where somebody else does, or call themselves.
fn addresses_differ(
    section: &Section<'_>,
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    called: &[(&str, &UpstreamConfig)],
    reader: &mut Reader<'_>,
) {
    let (Some(listen), Some(admin)) = (listen, admin) else { return };
    let place = |key: &str| section.get(key).map_or(section.at, |tree| tree.at);
    if same(listen, admin) {
        reader.error(place("listen"), "`listen` and `admin` are the same address");
    }
    for (key, service) in called {
        if addresses(service).iter().any(|called| leads_to(*called, listen) || leads_to(*called, admin)) {
            reader.error(place(key), format!("`{key}.url` is the sidecar's own address"));
        }
    }
}

/// Everything that is called, with the option that leads to it.
fn services<'a>(
    upstream: Option<&'a UpstreamConfig>,
    recipients: Option<&'a Option<BTreeMap<RecipientId, UpstreamConfig>>>,
) -> Vec<(&'static str, &'a UpstreamConfig)> {
    let outside = recipients.into_iter().flatten().flat_map(BTreeMap::values);
    upstream
        .map(|service| ("upstream", service))
        .into_iter()
        .chain(outside.map(|r| ("recipients", r)))
        .collect()
}

/// Where a service is called, as far as that is known without asking for names.
fn addresses(service: &UpstreamConfig) -> Vec<SocketAddr> {
    let port = service.authority.port_u16().unwrap_or(if service.tls.is_some() { 443 } else { 80 });
    let host = service.authority.host().trim_start_matches('[').trim_end_matches(']');
    let addresses = if host.eq_ignore_ascii_case("localhost") {
        vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]
    } else {
        host.parse().into_iter().collect()
    };
    addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()
}

/// Whether two addresses would take the same port; port 0 takes whichever is free.
fn same(a: SocketAddr, b: SocketAddr) -> bool {
    let meets = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && meets
}

/// Whether whoever calls an address reaches this listener. One that listens on every address of the machine is reached
/// on the machine itself: which other addresses are the machine's is not known here.
fn leads_to(called: SocketAddr, listener: SocketAddr) -> bool {
    let (to, on) = (called.ip().to_canonical(), listener.ip().to_canonical());
    let is_here = |address: IpAddr| address.is_unspecified() || address.is_loopback();
    let is_every = to.is_unspecified() || on.is_unspecified();
    called.port() == listener.port() && (to == on || is_every && is_here(to) && is_here(on))
}

fn address(section: &Section<'_>, key: &str, reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let (text, at) = reader.text(section, key)?;
    let read = text.parse().ok();
    if read.is_none() {
        reader.error(at, format!("`{key}` is an address and a port, such as 127.0.0.1:8080"));
    }
    read
}

/// Networks, divided by spaces; an address is a network of one.
pub(super) fn networks(section: &Section<'_>, key: &str, reader: &mut Reader<'_>) -> Option<Vec<Network>> {
    let (text, at) = reader.text(section, key)?;
    let read: Option<Vec<Network>> = text.split_whitespace().map(Network::parse).collect();
    if read.is_none() {
        let full = section.full(key);
        let form = "one address or network or more, divided by spaces, such as 10.0.0.5 or 10.1.0.0/16";
        reader.error(at, format!("`{full}` is {form}"));
    }
    read
}

fn problem_type_base(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let (text, at) = reader.text(section, "problem_type_base")?;
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\<>`{}|^".contains(&b));
    let good = plain && text.contains(':') && text.ends_with(['/', ':', '#']);
    if !good {
        reader.error(at, "`problem_type_base` is a URI that ends in `/`, `:` or `#`");
    }
    good.then(|| text.to_owned())
}

fn otlp(tree: &Tree, reader: &mut Reader<'_>) -> Option<OtlpConfig> {
    let section = reader.section(tree, "otlp", &["endpoint", "service_name"])?;
    let service_name = match section.get("service_name") {
        None => Some("consentry"),
        Some(_) => reader.text(&section, "service_name").map(|(name, _)| name),
    };
    let (endpoint, at) = reader.need_text(&section, "endpoint")?;
    // What comes before an `@` would be a password, and stand in a configuration that is printed. What comes behind the
    // port would stand before the path that is added, where no collector listens.
    let plain = endpoint.parse::<http::Uri>().is_ok_and(|uri| {
        let is_bare = uri.path() == "/" && uri.query().is_none() && !endpoint.contains('#');
        let is_nobody = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        uri.scheme_str() == Some("http") && is_nobody && is_bare
    });
    if !plain {
        reader.error(at, "`otlp.endpoint` is of the form http://host:port");
        return None;
    }
    Some(OtlpConfig { endpoint: endpoint.to_owned(), service_name: service_name?.to_owned() })
}
