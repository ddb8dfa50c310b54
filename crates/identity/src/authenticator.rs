//! From an `Authorization` header to claims.

use std::fmt;

use consentry_model::Moment;

use crate::bearer::{self, Segments};
use crate::claims::{self, Claims, Expected};
use crate::error::{ConfigError, IdentityError};
use crate::json::{self, Json, Object};
use crate::key_set::{Key, KeySet};

/// Most leeway for clocks that disagree, in seconds.
const LEEWAY_SECS_MAX: u64 = 5;
/// Longest token when nothing else is said, in bytes.
const TOKEN_BYTES_MAX_DEFAULT: usize = 8192;
/// Bounds of what may be set as the longest token, in bytes.
const TOKEN_BYTES_MAX_RANGE: (usize, usize) = (256, 65_536);

/// What an [`Authenticator`] holds tokens against.
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
}

impl AuthenticatorConfig {
    /// A configuration without leeway and with the usual limit.
    #[must_use]
    pub fn new(keys: KeySet, issuer: &str, audience: &str) -> Self {
        Self {
            keys,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            leeway_secs: 0,
            token_bytes_max: TOKEN_BYTES_MAX_DEFAULT,
        }
    }
}

/// Turns bearer tokens into [`Claims`], or says why not.
pub struct Authenticator {
    config: AuthenticatorConfig,
}

impl Authenticator {
    /// Checks the configuration.
    ///
    /// # Errors
    /// When there is no key, no issuer or no audience, or a number is outside its range.
    pub fn new(config: AuthenticatorConfig) -> Result<Self, ConfigError> {
        if config.keys.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        for (name, text) in [("issuer", &config.issuer), ("audience", &config.audience)] {
            if text.is_empty() {
                return Err(ConfigError::Empty(name));
            }
        }
        let range = |name, given, min, max| {
            if (min..=max).contains(&given) {
                Ok(())
            } else {
                Err(ConfigError::Range { name, given, min, max })
            }
        };
        let (min, max) = TOKEN_BYTES_MAX_RANGE;
        range("leeway_secs", config.leeway_secs, 0, LEEWAY_SECS_MAX)?;
        range("token_bytes_max", config.token_bytes_max as u64, min as u64, max as u64)?;
        Ok(Self { config })
    }

    /// Reads the values of all `Authorization` lines of a request; no line at all is `None`.
    ///
    /// # Errors
    /// With `TokenMissing` when the one line is of another scheme than `Bearer`; with `TokenMalformed` when there
    /// are two lines or the token or one of its claims cannot be read; with `TokenInvalid` when key, algorithm,
    /// signature, issuer or audience does not hold; with `TokenExpired` outside the token's time. Nothing of the
    /// claims is looked at before the signature holds.
    pub fn authenticate(
        &self,
        authorization: &[&[u8]],
        now: Moment,
    ) -> Result<Option<Claims>, IdentityError> {
        let Some(token) = bearer::token(authorization, self.config.token_bytes_max)? else { return Ok(None) };
        let segments = bearer::segments(token)?;
        let header = json::object(&segments.header)
            .ok_or(IdentityError::malformed("the token's header is not a JSON object"))?;
        self.verify(&header, &segments)?;
        let members = json::object(&segments.claims)
            .ok_or(IdentityError::malformed("the token's claims are not a JSON object"))?;
        let AuthenticatorConfig { issuer, audience, leeway_secs, .. } = &self.config;
        claims::read(&members, &Expected { issuer, audience, leeway_secs: *leeway_secs, now }).map(Some)
    }

    /// Finds the key and lets it check the signature. The header chooses among keys, never among algorithms.
    fn verify(&self, header: &Object, segments: &Segments<'_>) -> Result<(), IdentityError> {
        check_type(header)?;
        for extension in ["crit", "b64", "zip", "enc"] {
            if header.contains_key(extension) {
                return Err(IdentityError::invalid("the token's header asks for an extension"));
            }
        }
        let text = |name, what| header.get(name).and_then(Json::text).ok_or(IdentityError::malformed(what));
        let algorithm = text("alg", "`alg` is missing or not a text")?;
        let key = match header.get("kid") {
            None => return Err(IdentityError::invalid("the token names no key")),
            Some(kid) => self.key(kid)?,
        };
        if key.algorithm_name() != algorithm {
            return Err(IdentityError::invalid("the token's algorithm is not its key's"));
        }
        if !key.verifies(segments.signed, &segments.signature) {
            return Err(IdentityError::invalid("the signature does not hold"));
        }
        Ok(())
    }

    fn key(&self, kid: &Json) -> Result<&Key, IdentityError> {
        let kid = kid.text().ok_or(IdentityError::malformed("`kid` is not a text"))?;
        self.config.keys.key(kid).ok_or(IdentityError::invalid("no key has the token's `kid`"))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticator").field(&self.config).finish()
    }
}

/// `typ` may be missing; where it is there, it says that this is a token for access and not, say, a logout token.
fn check_type(header: &Object) -> Result<(), IdentityError> {
    let Some(value) = header.get("typ") else { return Ok(()) };
    let typ = value.text().ok_or(IdentityError::malformed("`typ` is not a text"))?;
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt") {
        return Ok(());
    }
    Err(IdentityError::invalid("the token is of another type"))
}
