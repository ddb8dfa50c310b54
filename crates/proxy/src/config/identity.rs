//! Whose word is believed about who calls.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use consentry_identity::{
    Assurance, AuthenticatorConfig, CertificateHolder, CertificateName, Fingerprint, Gateway, KeySet,
    NamingHeaders, Network,
};
use consentry_model::{Purpose, RequesterId, Space};
use http::Uri;

use super::file::networks;
use super::reader::{Reader, Section};
use super::tree::{Tree, Value};

const KEYS: [&str; 19] = [
    "issuer",
    "audience",
    "jwks",
    "jwks_url",
    "jwks_ca",
    "jwks_refresh_secs",
    "jwks_cooldown_secs",
    "jwks_wait_ms_max",
    "jwks_bytes_max",
    "jwks_age_secs_max",
    "pem",
    "pem_age_secs_max",
    "leeway_secs",
    "token_bytes_max",
    "verified_tokens_max",
    "trust_domain",
    "certificates",
    "naming_headers",
    "gateways",
];
/// What is said of a URL, and means nothing without one.
const OF_URL: [&str; 5] =
    ["jwks_ca", "jwks_refresh_secs", "jwks_cooldown_secs", "jwks_wait_ms_max", "jwks_bytes_max"];

/// Where the keys of the token issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file with a JSON Web Key Set.
    Jwks(PathBuf),
    /// Where the issuer publishes its JSON Web Key Set.
    Url(JwksUrl),
    /// Files with one PEM public key each, by the `kid` that tokens name.
    Pem(BTreeMap<String, PathBuf>),
}

/// A published key set, and how it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwksUrl {
    /// By https; by http on this machine alone.
    pub url: Uri,
    /// A file of authorities in PEM that are trusted instead of those of the web.
    pub ca: Option<PathBuf>,
    /// How often it is looked at, in seconds.
    pub refresh_secs: u64,
    /// How long to wait after a look that failed, and between two looks for keys that tokens name, in seconds.
    pub cooldown_secs: u64,
    /// How long one look may take, in milliseconds.
    pub wait_ms_max: u64,
    /// Most bytes of it.
    pub bytes_max: u64,
}

impl JwksUrl {
    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

/// Whose word is believed about who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityConfig {
    /// What `iss` must equal.
    pub issuer: String,
    /// What `aud` must equal.
    pub audience: String,
    /// The issuer's keys.
    pub keys: KeySource,
    /// How long they count without having been found there again, in seconds; then no token is believed.
    pub keys_age_secs_max: u64,
    /// How much clocks may disagree, in seconds: 0 to 5.
    pub leeway_secs: u64,
    /// Longest token that is read, in bytes.
    pub token_bytes_max: u64,
    /// How many verified tokens are kept until they end.
    pub verified_tokens_max: u64,
    /// The trust domain whose transaction tokens are believed.
    pub trust_domain: Option<String>,
    /// The requesters that are known by their certificates.
    pub certificates: Vec<CertificateHolder>,
    /// The headers in which gateways name requesters.
    pub naming_headers: Option<NamingHeaders>,
    /// The peers that may send those headers.
    pub gateways: Vec<Gateway>,
}

impl IdentityConfig {
    pub(super) fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let section = reader.section(tree, "identity", &KEYS)?;
        let issuer = reader.need_text(&section, "issuer");
        let audience = reader.need_text(&section, "audience");
        let keys = keys(&section, reader);
        let keys_age_secs_max = keys_age_secs_max(&section, keys.as_ref(), reader);
        let leeway_secs = reader.count(&section, "leeway_secs", 0, 0..=5);
        let token_bytes_max = reader.count(&section, "token_bytes_max", 8_192, 256..=65_536);
        let verified_tokens_max = reader.count(&section, "verified_tokens_max", 8_192, 0..=1_048_576);
        let trust_domain = section.get("trust_domain").map(|_| reader.text(&section, "trust_domain"));
        let certificates = each(&section, "certificates", reader, holder);
        let naming_headers = section.get("naming_headers").map(|tree| naming_headers(tree, reader));
        let gateways = each(&section, "gateways", reader, gateway);
        let config = Self {
            issuer: issuer?.0.to_owned(),
            audience: audience?.0.to_owned(),
            keys: keys?,
            keys_age_secs_max: keys_age_secs_max?,
            leeway_secs,
            token_bytes_max,
            verified_tokens_max,
            trust_domain: match trust_domain {
                None => None,
                Some(read) => Some(read?.0.to_owned()),
            },
            certificates: certificates?,
            naming_headers: match naming_headers {
                None => None,
                Some(read) => Some(read?),
            },
            gateways: gateways?,
        };
        // The keys are looked at when they are there.
        let whole = config.authenticator(KeySet::default());
        if let Err(error) = whole.check() {
            reader.error(section.at, format!("`identity`: {error}"));
            return None;
        }
        Some(config)
    }

    /// What an authenticator with these keys is made from.
    pub(crate) fn authenticator(&self, keys: KeySet) -> AuthenticatorConfig {
        let mut made = AuthenticatorConfig::new(keys, &self.issuer, &self.audience);
        made.leeway_secs = self.leeway_secs;
        made.token_bytes_max = usize::try_from(self.token_bytes_max).unwrap_or(usize::MAX);
        made.verified_tokens_max = usize::try_from(self.verified_tokens_max).unwrap_or(usize::MAX);
        made.keys_age_secs_max = Some(self.keys_age_secs_max);
        made.trust_domain.clone_from(&self.trust_domain);
        made.certificates.clone_from(&self.certificates);
        made.naming_headers.clone_from(&self.naming_headers);
        made.gateways.clone_from(&self.gateways);
        made
    }
}

fn keys(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<KeySource> {
    let sources = ["jwks", "jwks_url", "pem"].map(|key| section.get(key));
    if sources.iter().flatten().count() != 1 {
        reader.error(section.at, "`identity` has exactly one of `jwks`, `jwks_url` and `pem`");
        return None;
    }
    let stray = OF_URL.iter().find_map(|key| section.get(key).map(|tree| (key, tree.at)));
    match (sources, stray) {
        ([_, Some(_), _], _) => jwks_url(section, reader).map(KeySource::Url),
        (_, Some((key, at))) => {
            reader.error(at, format!("`identity.{key}` is for `jwks_url`, and there is none"));
            None
        }
        ([Some(_), ..], None) => reader.path(section, "jwks").map(KeySource::Jwks),
        ([.., tree], None) => tree.and_then(|tree| pem(tree, reader)),
    }
}

fn jwks_url(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<JwksUrl> {
    let (text, at) = reader.text(section, "jwks_url")?;
    let url = check_url(text).map_err(|what| reader.error(at, format!("`identity.jwks_url` {what}")));
    let ca = section.get("jwks_ca").map(|_| reader.path(section, "jwks_ca"));
    let source = JwksUrl {
        url: url.ok()?,
        ca: match ca {
            None => None,
            Some(read) => Some(read?),
        },
        refresh_secs: reader.count(section, "jwks_refresh_secs", 300, 1..=86_400),
        cooldown_secs: reader.count(section, "jwks_cooldown_secs", 10, 1..=3_600),
        wait_ms_max: reader.count(section, "jwks_wait_ms_max", 5_000, 100..=60_000),
        bytes_max: reader.count(section, "jwks_bytes_max", 65_536, 1_024..=1_048_576),
    };
    if source.ca.is_some() && !source.is_https() {
        reader.error(at, "`identity.jwks_ca` is for https, and `jwks_url` is of http");
        return None;
    }
    Some(source)
}

/// How old the keys may become, wherever they are; longer than it takes to look at them again.
fn keys_age_secs_max(
    section: &Section<'_>,
    keys: Option<&KeySource>,
    reader: &mut Reader<'_>,
) -> Option<u64> {
    let (name, other) = match keys? {
        KeySource::Jwks(_) | KeySource::Url(_) => ("jwks_age_secs_max", "pem_age_secs_max"),
        KeySource::Pem(_) => ("pem_age_secs_max", "jwks_age_secs_max"),
    };
    if let Some(stray) = section.get(other) {
        reader.error(stray.at, format!("`identity.{other}` is for other keys; here it is `{name}`"));
        return None;
    }
    let secs = reader.count(section, name, 86_400, 60..=2_592_000);
    if let Some(KeySource::Url(source)) = keys
        && secs <= source.refresh_secs
    {
        reader.error(section.at, "`identity.jwks_age_secs_max` is longer than `jwks_refresh_secs`");
        return None;
    }
    Some(secs)
}

fn check_url(text: &str) -> Result<Uri, &'static str> {
    const FORM: &str = "is of the form https://host/path";
    let url: Uri = text.parse().map_err(|_| FORM)?;
    let authority = url.authority().ok_or(FORM)?;
    if authority.as_str().contains('@') || text.contains('#') {
        return Err("holds a user name or a fragment");
    }
    if authority.host().is_empty() || authority.port_u16() == Some(0) || authority.as_str().ends_with(':') {
        return Err(FORM);
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_here(authority.host()) => Ok(url),
        Some("http") => Err("begins with http, which is for this machine alone: keys come by https"),
        Some(_) | None => Err(FORM),
    }
}

fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn pem(tree: &Tree, reader: &mut Reader<'_>) -> Option<KeySource> {
    let Value::Map(entries) = &tree.value else {
        let message = format!("`identity.pem` maps each `kid` to a file, and is not {}", tree.value.what());
        reader.error(tree.at, message);
        return None;
    };
    let names: Vec<&str> = entries.iter().map(|(kid, ..)| kid.as_str()).collect();
    let section = reader.section(tree, "identity.pem", &names)?;
    let mut files = BTreeMap::new();
    for kid in names {
        files.insert(kid.to_owned(), reader.path(&section, kid)?);
    }
    if files.is_empty() {
        reader.error(tree.at, "`identity.pem` names no key");
        return None;
    }
    Some(KeySource::Pem(files))
}

/// Every entry of a mapping whose keys are names. All are read, and all that is wrong in them is told.
fn each<T>(
    section: &Section<'_>,
    key: &str,
    reader: &mut Reader<'_>,
    read: impl Fn(&str, &Tree, &mut Reader<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(tree) = section.get(key) else { return Some(Vec::new()) };
    let Value::Map(entries) = &tree.value else {
        let full = section.full(key);
        reader.error(tree.at, format!("`{full}` is a mapping of names, not {}", tree.value.what()));
        return None;
    };
    let all: Vec<Option<T>> = entries.iter().map(|(name, _, tree)| read(name, tree, reader)).collect();
    all.into_iter().collect()
}

fn holder(name: &str, tree: &Tree, reader: &mut Reader<'_>) -> Option<CertificateHolder> {
    let keys = ["dns", "uri", "sha256", "purposes"];
    let section = reader.section(tree, "identity.certificates.<requester>", &keys)?;
    let names = certificate_names(&section, reader);
    let purposes = purposes(&section, reader);
    Some(CertificateHolder { requester: RequesterId::new(name), names: names?, purposes: purposes? })
}

fn gateway(_: &str, tree: &Tree, reader: &mut Reader<'_>) -> Option<Gateway> {
    let keys = ["networks", "dns", "uri", "sha256", "requesters", "purposes", "assurance"];
    let section = reader.section(tree, "identity.gateways.<name>", &keys)?;
    let from: Option<Vec<Network>> =
        reader.need(&section, "networks").and_then(|_| networks(&section, "networks", reader));
    let certificates = certificate_names(&section, reader);
    let named = reader.need_text(&section, "requesters");
    let requesters: Option<BTreeSet<RequesterId>> =
        named.map(|(text, _)| text.split_whitespace().map(RequesterId::new).collect());
    let purposes = purposes(&section, reader);
    let assurance = match section.get("assurance") {
        None => Some(Assurance::None),
        Some(_) => reader.text(&section, "assurance").and_then(|(word, at)| {
            let level = Assurance::parse(word);
            if level.is_none() {
                let full = section.full("assurance");
                reader.error(at, format!("`{full}` is one of none, low, substantial and high"));
            }
            level
        }),
    };
    Some(Gateway {
        networks: from?,
        certificates: certificates?,
        requesters: requesters?,
        purposes: purposes?,
        assurance: assurance?,
    })
}

/// The names of certificates, by kind; several of a kind are divided by spaces.
fn certificate_names(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<Vec<CertificateName>> {
    let mut names = Vec::new();
    let mut good = true;
    for kind in ["dns", "uri", "sha256"] {
        if section.get(kind).is_none() {
            continue;
        }
        let Some((text, at)) = reader.text(section, kind) else {
            good = false;
            continue;
        };
        for word in text.split_whitespace() {
            let name = match kind {
                "dns" => Some(CertificateName::Dns(word.to_owned())),
                "uri" => Some(CertificateName::Uri(word.to_owned())),
                _ => Fingerprint::parse(word).map(CertificateName::Sha256),
            };
            if name.is_none() {
                let full = section.full(kind);
                reader.error(at, format!("`{full}` is 64 hexadecimal digits, the SHA-256 of a certificate"));
                good = false;
            }
            names.extend(name);
        }
    }
    good.then_some(names)
}

/// Purposes, divided by spaces. Whether the vocabulary knows them is for the bundle: an unknown one allows nothing.
fn purposes(section: &Section<'_>, reader: &mut Reader<'_>) -> Option<Vec<Purpose>> {
    let (text, at) = reader.need_text(section, "purposes")?;
    let read: Result<Vec<Purpose>, _> = text.split_whitespace().map(Purpose::new).collect();
    if read.is_err() {
        let full = section.full("purposes");
        reader.error(at, format!("`{full}` is one purpose or more, divided by spaces"));
    }
    read.ok()
}

fn naming_headers(tree: &Tree, reader: &mut Reader<'_>) -> Option<NamingHeaders> {
    let keys = ["requester", "person", "person_space"];
    let section = reader.section(tree, "identity.naming_headers", &keys)?;
    let requester = reader.need_text(&section, "requester").map(|(name, _)| name.to_owned());
    let person = match (section.get("person"), section.get("person_space")) {
        (None, None) => Some(None),
        (Some(_), Some(_)) => {
            let (name, space) = (reader.text(&section, "person"), reader.text(&section, "person_space"));
            name.zip(space).map(|((name, _), (space, _))| Some((name.to_owned(), Space::new(space))))
        }
        (Some(_), None) | (None, Some(_)) => {
            reader.error(section.at, "`person` and `person_space` go together");
            None
        }
    };
    Some(NamingHeaders { requester: requester?, person: person? })
}
