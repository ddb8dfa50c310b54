//! An issuer for development: one Ed25519 key, made in memory.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_model::{Identifier, Moment, Purpose, RequesterId};
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};

use crate::assurance::Assurance;
use crate::claims::SECONDS_MAX;
use crate::error::IssuerError;
use crate::pem;

/// What stands before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410).
const PKCS8_ED25519: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// How long a token lives when nothing else is said, in seconds.
const LIFETIME_SECS_DEFAULT: i64 = 300;

/// Signs tokens for tests, examples and the demo. It is no identity provider: it asks nobody for a password.
pub struct Issuer {
    pkcs8: Vec<u8>,
    public: Vec<u8>,
    kid: String,
}

/// What a token is to say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenSpec {
    /// `client_id`.
    pub requester: RequesterId,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `purposes`.
    pub purposes: Vec<Purpose>,
    /// `person`; left out when there is none.
    pub person: Option<Identifier>,
    /// `acr`.
    pub assurance: Assurance,
    /// From `iat` to `exp`, in seconds; 300 when nothing is said.
    pub lifetime_secs: i64,
    /// `jti`; left out when there is none.
    pub token_id: Option<String>,
    /// Further claims; where one has the name of one above, that one is written.
    pub others: Map<String, Value>,
}

impl TokenSpec {
    /// A token without purposes and without a person, for five minutes.
    #[must_use]
    pub fn new(requester: RequesterId, issuer: &str, audience: &str) -> Self {
        Self {
            requester,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            purposes: Vec::new(),
            person: None,
            assurance: Assurance::None,
            lifetime_secs: LIFETIME_SECS_DEFAULT,
            token_id: None,
            others: Map::new(),
        }
    }
}

impl Issuer {
    /// Makes a key from the system's randomness.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn generate() -> Result<Self, IssuerError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|_| IssuerError::Randomness)?;
        Self::from_pkcs8([PKCS8_ED25519, &seed].concat())
    }

    /// Reads a key that [`to_pem`](Self::to_pem) wrote.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn from_pem(text: &str) -> Result<Self, IssuerError> {
        let pkcs8 = pem::decode(text, "PRIVATE KEY").ok_or(IssuerError::Pem)?;
        let seed = pkcs8.strip_prefix(PKCS8_ED25519).ok_or(IssuerError::Pem)?;
        if seed.len() != 32 {
            return Err(IssuerError::Pem);
        }
        Self::from_pkcs8(pkcs8)
    }

    /// The private key as PEM, PKCS #8. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// The public key as a JSON Web Key Set, for [`KeySet::from_jwks`](crate::KeySet::from_jwks).
    #[must_use]
    pub fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(&self.public);
        let key =
            json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x});
        json!({"keys": [key]}).to_string()
    }

    /// The name of the key in tokens: the first 16 characters of the public key in base64url.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a token that begins at `now`, rounded down to the second.
    ///
    /// # Errors
    /// When the lifetime is not positive or ends after the year 9999, or `now` lies before 1970.
    pub fn token(&self, spec: &TokenSpec, now: Moment) -> Result<String, IssuerError> {
        let issued = now.unix_millis().div_euclid(1000);
        let expires = issued.checked_add(spec.lifetime_secs).ok_or(IssuerError::Lifetime)?;
        let ends_in_time = u64::try_from(expires).is_ok_and(|secs| secs <= SECONDS_MAX);
        if issued < 0 || spec.lifetime_secs < 1 || !ends_in_time {
            return Err(IssuerError::Lifetime);
        }
        let mut claims = spec.others.clone();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(spec.issuer));
        put("aud", json!(spec.audience));
        put("client_id", json!(spec.requester.as_str()));
        put("purposes", spec.purposes.iter().map(Purpose::as_str).collect());
        put("acr", json!(spec.assurance.code()));
        put("iat", json!(issued));
        put("nbf", json!(issued));
        put("exp", json!(expires));
        if let Some(person) = &spec.person {
            put("person", json!({"space": person.space().as_str(), "id": person.reveal()}));
        }
        if let Some(id) = &spec.token_id {
            put("jti", json!(id));
        }
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid});
        self.sign(&header.to_string(), &Value::Object(claims).to_string())
    }

    fn sign(&self, header: &str, claims: &str) -> Result<String, IssuerError> {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        let signature = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::EdDSA, &key)
            .and_then(|signer| signer.try_sign(message.as_bytes()).map_err(Into::into))
            .map_err(|_| IssuerError::Signing)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn from_pkcs8(pkcs8: Vec<u8>) -> Result<Self, IssuerError> {
        let public =
            (DEFAULT_PROVIDER.key_utils.ed_pub_components_from_private_key)(&pkcs8, &EllipticCurve::Ed25519)
                .map_err(|_| IssuerError::Signing)?;
        let kid = URL_SAFE_NO_PAD.encode(&public).chars().take(16).collect();
        Ok(Self { pkcs8, public, kid })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}
