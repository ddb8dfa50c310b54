//! What an authenticator believes.

use std::collections::BTreeMap;

use consentry_model::RequesterId;

use crate::claims::is_name;
use crate::error::ConfigError;
use crate::key_set::KeySet;
use crate::registered::{CertificateHolder, CertificateName, Gateway, NamingHeaders};

/// Most leeway for clocks that disagree, in seconds.
const LEEWAY_SECS_MAX: u64 = 5;
/// Longest token when nothing else is said, in bytes.
const TOKEN_BYTES_MAX_DEFAULT: usize = 8192;
/// Bounds of what may be set as the longest token, in bytes.
const TOKEN_BYTES_MAX_RANGE: (usize, usize) = (256, 65_536);
/// Verified tokens that are kept when nothing else is said, and the most that may be.
const VERIFIED_TOKENS_MAX_DEFAULT: usize = 8192;
const VERIFIED_TOKENS_MAX_MAX: usize = 1_048_576;
/// Bounds of how old keys may become, in seconds.
const KEYS_AGE_SECS_RANGE: (u64, u64) = (60, 30 * 86_400);
/// Headers that mean something already; none of them can name a requester.
const TAKEN: [&str; 20] = [
    "authorization",
    "baggage",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "data-purpose",
    "forwarded",
    "host",
    "sec-gpc",
    "true-client-ip",
    "txn-token",
    "x-client-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// What an [`Authenticator`](crate::Authenticator) holds requests against.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthenticatorConfig {
    /// The keys whose signatures count.
    pub keys: KeySet,
    /// What `iss` must equal.
    pub issuer: String,
    /// What `aud` must equal.
    pub audience: String,
    /// How many seconds a token is accepted before `nbf` and from `exp` on: 0 to 5, 0 when nothing is said.
    pub leeway_secs: u64,
    /// Longest token that is read, in bytes: 256 to 65,536, 8192 when nothing is said.
    pub token_bytes_max: usize,
    /// How many verified tokens are kept until they end, so that they are not verified anew with every request: 0 to
    /// 1,048,576, 8192 when nothing is said.
    pub verified_tokens_max: usize,
    /// How long the keys count without being [confirmed](crate::Authenticator::confirm_keys), in seconds: 60 to
    /// 2,592,000, and for ever when nothing is said. Where it is set, the set of keys may begin empty.
    pub keys_age_secs_max: Option<u64>,
    /// The trust domain whose transaction tokens are believed, which is what their `aud` must equal; none when nothing
    /// is said. They are signed with the same keys.
    pub trust_domain: Option<String>,
    /// The requesters that are known by their certificates.
    pub certificates: Vec<CertificateHolder>,
    /// The headers in which gateways name requesters; none when nothing is said.
    pub naming_headers: Option<NamingHeaders>,
    /// The peers that may send those headers. Everybody else who sends one is refused.
    pub gateways: Vec<Gateway>,
}

impl AuthenticatorConfig {
    /// A configuration that believes tokens alone, without leeway and with the usual limits.
    #[must_use]
    pub fn new(keys: KeySet, issuer: &str, audience: &str) -> Self {
        Self {
            keys,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            leeway_secs: 0,
            token_bytes_max: TOKEN_BYTES_MAX_DEFAULT,
            verified_tokens_max: VERIFIED_TOKENS_MAX_DEFAULT,
            keys_age_secs_max: None,
            trust_domain: None,
            certificates: Vec::new(),
            naming_headers: None,
            gateways: Vec::new(),
        }
    }

    /// Whether it can hold for anybody, and says one thing.
    ///
    /// # Errors
    /// See [`Authenticator::new`](crate::Authenticator::new).
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.keys.is_empty() && self.keys_age_secs_max.is_none() {
            return Err(ConfigError::NoKeys);
        }
        let domain = self.trust_domain.as_deref().unwrap_or("-");
        for (name, text) in
            [("issuer", self.issuer.as_str()), ("audience", &self.audience), ("trust_domain", domain)]
        {
            if text.is_empty() {
                return Err(ConfigError::Empty(name));
            }
        }
        let (min, max) = TOKEN_BYTES_MAX_RANGE;
        range("leeway_secs", self.leeway_secs, (0, LEEWAY_SECS_MAX))?;
        range("token_bytes_max", self.token_bytes_max as u64, (min as u64, max as u64))?;
        range("verified_tokens_max", self.verified_tokens_max as u64, (0, VERIFIED_TOKENS_MAX_MAX as u64))?;
        if let Some(secs) = self.keys_age_secs_max {
            range("keys_age_secs_max", secs, KEYS_AGE_SECS_RANGE)?;
        }
        self.check_certificates()?;
        self.check_gateways()
    }

    fn check_certificates(&self) -> Result<(), ConfigError> {
        let mut holders: BTreeMap<CertificateName, Option<&RequesterId>> = BTreeMap::new();
        let of_holders = self
            .certificates
            .iter()
            .flat_map(|holder| holder.names.iter().map(move |name| (name.clone(), Some(&holder.requester))));
        let of_gateways = self.gateways.iter().flat_map(|g| g.certificates.iter().map(|n| (n.clone(), None)));
        for (name, holder) in of_holders.chain(of_gateways) {
            let wild = matches!(&name, CertificateName::Dns(dns) if dns.contains('*'));
            let empty =
                matches!(&name, CertificateName::Dns(text) | CertificateName::Uri(text) if text.is_empty());
            if wild || empty {
                return Err(ConfigError::Ambiguous("a certificate's name is neither empty nor a pattern"));
            }
            let name = match name {
                CertificateName::Dns(dns) => CertificateName::Dns(dns.to_ascii_lowercase()),
                other @ (CertificateName::Uri(_) | CertificateName::Sha256(_)) => other,
            };
            if holders.insert(name, holder).is_some_and(|other| other != holder) {
                return Err(ConfigError::Ambiguous("a certificate's name stands for two"));
            }
        }
        let good = |holder: &CertificateHolder| {
            is_name(holder.requester.as_str()) && !holder.names.is_empty() && !holder.purposes.is_empty()
        };
        if self.certificates.iter().all(good) {
            return Ok(());
        }
        Err(ConfigError::Ambiguous(
            "whoever is known by certificates has a name, a certificate and a purpose",
        ))
    }

    fn check_gateways(&self) -> Result<(), ConfigError> {
        let Some(headers) = &self.naming_headers else {
            let none = self.gateways.is_empty();
            let error = ConfigError::Ambiguous("gateways need the headers in which they name requesters");
            return if none { Ok(()) } else { Err(error) };
        };
        let names: Vec<&str> = headers.names().collect();
        let plain = |name: &&str| {
            is_name(name) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let differ = names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len();
        if !names.iter().all(plain) || !differ || names.iter().any(|name| TAKEN.contains(name)) {
            return Err(ConfigError::Ambiguous(
                "a header that names somebody has a name of its own, in lower case",
            ));
        }
        let good = |gateway: &Gateway| {
            !gateway.networks.is_empty() && !gateway.requesters.is_empty() && !gateway.purposes.is_empty()
        };
        if self.gateways.iter().all(good) {
            return Ok(());
        }
        Err(ConfigError::Ambiguous("a gateway has a network, a requester that it may name, and a purpose"))
    }
}

fn range(name: &'static str, given: u64, (min, max): (u64, u64)) -> Result<(), ConfigError> {
    if (min..=max).contains(&given) { Ok(()) } else { Err(ConfigError::Range { name, given, min, max }) }
}
