//! What can go wrong. No error holds anything of a token.

use consentry_model::Reason;
use thiserror::Error;

/// Why a token authenticates nobody. It says which rule failed, never what the token held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct IdentityError {
    reason: Reason,
    what: &'static str,
    newer_keys: bool,
}

impl IdentityError {
    pub(crate) const fn because(reason: Reason, what: &'static str) -> Self {
        Self { reason, what, newer_keys: false }
    }

    pub(crate) const fn missing(what: &'static str) -> Self {
        Self::because(Reason::TokenMissing, what)
    }

    pub(crate) const fn malformed(what: &'static str) -> Self {
        Self::because(Reason::TokenMalformed, what)
    }

    pub(crate) const fn invalid(what: &'static str) -> Self {
        Self::because(Reason::TokenInvalid, what)
    }

    pub(crate) const fn expired(what: &'static str) -> Self {
        Self::because(Reason::TokenExpired, what)
    }

    pub(crate) const fn unknown_key(what: &'static str) -> Self {
        Self { reason: Reason::TokenInvalid, what, newer_keys: true }
    }

    pub(crate) const fn no_keys(what: &'static str) -> Self {
        Self { reason: Reason::KeysUnavailable, what, newer_keys: true }
    }

    /// The reason to refuse with: one of those that [`Authenticator::identify`](crate::Authenticator::identify) names.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Whether the issuer may have newer keys with which the same token would do.
    #[must_use]
    pub const fn wants_newer_keys(&self) -> bool {
        self.newer_keys
    }
}

/// Why an authenticator cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The key set is empty, so that no token could ever hold.
    #[error("the key set holds no key")]
    NoKeys,
    /// Issuer or audience is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// What is said of certificates, gateways or headers can be read in two ways, or stands for nobody.
    #[error("{0}")]
    Ambiguous(&'static str),
    /// A number is outside its range.
    #[error("{name} is {given}, and must lie between {min} and {max}")]
    Range {
        /// The field of the configuration.
        name: &'static str,
        /// What it was set to.
        given: u64,
        /// The least that is accepted.
        min: u64,
        /// The most that is accepted.
        max: u64,
    },
}

/// Why a key set cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JSON Web Key Set.
    #[error("not a JSON Web Key Set: {0}")]
    Document(&'static str),
    /// A key of a JSON Web Key Set cannot be used.
    #[error("key {position}{}: {problem}", named(.kid.as_deref()))]
    Jwk {
        /// Its place in `keys`, from 1.
        position: usize,
        /// Its `kid`, where it has a readable one.
        kid: Option<String>,
        /// What is wrong.
        problem: KeyProblem,
    },
    /// A key in PEM cannot be used.
    #[error("key `{kid}`: {problem}")]
    Pem {
        /// The name that was given for it.
        kid: String,
        /// What is wrong.
        problem: KeyProblem,
    },
}

fn named(kid: Option<&str>) -> String {
    kid.map(|kid| format!(" (`{kid}`)")).unwrap_or_default()
}

/// What is wrong with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// A member is missing or has the wrong type.
    #[error("`{0}` is missing or not a text")]
    Member(&'static str),
    /// The `kid` is empty, longer than 200 bytes, or holds other than visible ASCII.
    #[error("a `kid` has 1 to 200 visible ASCII characters")]
    Kid,
    /// Another key has the same `kid`.
    #[error("another key has the same `kid`")]
    KidTwice,
    /// Type, curve and algorithm are not among those accepted, or do not belong together.
    #[error("accepted are OKP Ed25519 with EdDSA, EC P-256 with ES256 and RSA with RS256")]
    Algorithm,
    /// What the key is for cannot be read.
    #[error("`use` is a text and `key_ops` a list of texts")]
    Use,
    /// Private parts are present.
    #[error("the private part does not belong here: only public keys are read")]
    Private,
    /// The parts do not form a usable public key.
    #[error("the key material is not a usable public key")]
    Material,
    /// The RSA modulus is shorter than 2048 bits or longer than 4096.
    #[error("an RSA modulus has 2048 to 4096 bits")]
    RsaBits,
    /// The text is not one PEM block `PUBLIC KEY`.
    #[error("expected exactly one PEM block `PUBLIC KEY`")]
    Pem,
}

/// Why a development issuer cannot be made or cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Randomness,
    /// The text is not one PEM block `PRIVATE KEY` with an Ed25519 key as [`Issuer::to_pem`](crate::Issuer::to_pem)
    /// writes it.
    #[error("expected one PEM block `PRIVATE KEY` with an Ed25519 key")]
    Pem,
    /// The key does not sign.
    #[error("the key does not sign")]
    Signing,
    /// The expiry does not fit the calendar, or the lifetime is not positive.
    #[error("a token lives for at least one second and ends before the year 10000")]
    Lifetime,
}
