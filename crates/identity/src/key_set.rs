//! The public keys whose signatures count, each with the one algorithm it is used with.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use sha2::{Digest, Sha256};

use crate::claims::is_name;
use crate::error::{KeyProblem, KeySetError};
use crate::json::{self, Json, Object};
use crate::pem;

/// Bounds of an RSA modulus, in bits; the verifier reads no longer ones.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// Longest RSA exponent, in bytes.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
/// What stands before the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const SPKI_ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 65 bytes of a P-256 point in its `SubjectPublicKeyInfo` (RFC 5480).
const SPKI_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Every algorithm that a key here may be pinned to.
const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];
/// How many messages a signature made without any key is tried on before an Ed25519 key is accepted.
const FORGERY_TRIALS: u8 = 32;

/// The public keys whose signatures count, by `kid`. Its default is empty and refuses every token.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: BTreeMap<String, Key>,
}

/// One public key and its algorithm.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    public: DecodingKey,
    /// A digest of both.
    digest: [u8; 32],
}

/// By whose key a signature was found to hold.
#[derive(PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) issuer: String,
    kid: String,
    key: [u8; 32],
}

impl Signer {
    pub(crate) fn new(issuer: &str, kid: &str, key: &Key) -> Self {
        Self { issuer: issuer.to_owned(), kid: kid.to_owned(), key: key.digest }
    }
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517): OKP Ed25519, EC P-256 and RSA keys, each with a `kid` of its own.
    /// Public keys of other kinds, for other algorithms or for other uses, and RSA keys of more than 4096 bits, are passed over, as its
    /// section 5 asks; they verify nothing here. A set without a key that verifies is one by which no token holds.
    ///
    /// # Errors
    /// When the text is not a key set; when a key has a private part, is one of those kinds and malformed, or has no
    /// `kid` or the `kid` of another. The error names the key by its place and its `kid`.
    pub fn from_jwks(text: &str) -> Result<Self, KeySetError> {
        let document = json::object(text.as_bytes()).ok_or(KeySetError::Document("no strict JSON object"))?;
        let keys = document.get("keys").and_then(Json::list);
        let keys = keys.ok_or(KeySetError::Document("`keys` is missing or not a list"))?;
        let mut set = Self::default();
        for (position, item) in (1..).zip(keys) {
            let at = |kid: Option<&str>, problem| {
                let kid = kid.filter(|kid| is_name(kid)).map(str::to_owned);
                KeySetError::Jwk { position, kid, problem }
            };
            let jwk = item.members().ok_or(KeySetError::Document("a member of `keys` is not an object"))?;
            let kid = jwk.get("kid").and_then(Json::text);
            let Some(key) = Key::from_jwk(jwk).map_err(|problem| at(kid, problem))? else { continue };
            let name = kid.ok_or_else(|| at(None, KeyProblem::Member("kid")))?;
            set.insert(name, key).map_err(|problem| at(kid, problem))?;
        }
        Ok(set)
    }

    /// This set and one key more: a PEM block `PUBLIC KEY` with an Ed25519, P-256 or RSA key, to be found by `kid`.
    ///
    /// # Errors
    /// When the text is anything else, or the set has a key of that name. The error names the key by its `kid`.
    pub fn with_pem(mut self, kid: &str, text: &str) -> Result<Self, KeySetError> {
        let added = Key::from_pem(text).and_then(|key| self.insert(kid, key));
        added.map_err(|problem| KeySetError::Pem { kid: kid.to_owned(), problem })?;
        Ok(self)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn key(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    /// Whether the key is there by which a signature held: the same one, by the same name.
    pub(crate) fn has(&self, signer: &Signer) -> bool {
        self.key(&signer.kid).is_some_and(|key| key.digest == signer.key)
    }

    fn insert(&mut self, kid: &str, key: Key) -> Result<(), KeyProblem> {
        if !is_name(kid) {
            return Err(KeyProblem::Kid);
        }
        if self.keys.contains_key(kid) {
            return Err(KeyProblem::KidTwice);
        }
        self.keys.insert(kid.to_owned(), key);
        Ok(())
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys.iter().map(|(kid, key)| (kid, key.algorithm))).finish()
    }
}

impl Key {
    /// A key made of these parts.
    fn new(algorithm: Algorithm, public: DecodingKey, parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in [name(algorithm).as_bytes()].iter().chain(parts) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self { algorithm, public, digest: digest.finalize().into() }
    }

    /// The only value of `alg` that tokens signed with this key may have.
    pub(crate) fn algorithm_name(&self) -> &'static str {
        name(self.algorithm)
    }

    /// Whether the signature holds. An error of the verifier is a no.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.public)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }

    /// `None` is a key that is passed over. A private part is no reason to look away: whoever publishes one has to hear it.
    fn from_jwk(jwk: &Object) -> Result<Option<Self>, KeyProblem> {
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|part| jwk.contains_key(*part)) {
            return Err(KeyProblem::Private);
        }
        let text = |name| jwk.get(name).and_then(Json::text).ok_or(KeyProblem::Member(name));
        let part = |name| URL_SAFE_NO_PAD.decode(text(name)?).map_err(|_| KeyProblem::Material);
        let algorithm = jwk.get("alg").map(|alg| alg.text().ok_or(KeyProblem::Algorithm)).transpose()?;
        if !verifies(jwk)? || algorithm.is_some_and(|name| !ALGORITHMS.contains(&name)) {
            return Ok(None);
        }
        let key = match text("kty")? {
            "OKP" if text("crv")? == "Ed25519" => Self::ed25519(&part("x")?)?,
            "EC" if text("crv")? == "P-256" => Self::p256(&part("x")?, &part("y")?)?,
            "RSA" if jwk.contains_key("crv") => return Err(KeyProblem::Algorithm),
            "RSA" => {
                let modulus = part("n")?;
                if bits(&modulus) > *RSA_BITS.end() {
                    return Ok(None);
                }
                Self::rsa(&modulus, &part("e")?)?
            }
            _ => return Ok(None),
        };
        let is_its_own = algorithm.is_none_or(|name| name == key.algorithm_name());
        if is_its_own { Ok(Some(key)) } else { Err(KeyProblem::Algorithm) }
    }

    fn from_pem(text: &str) -> Result<Self, KeyProblem> {
        let der = pem::decode(text, "PUBLIC KEY").ok_or(KeyProblem::Pem)?;
        if let Some(point) = der.strip_prefix(SPKI_ED25519) {
            return Self::ed25519(point);
        }
        if let Some([0x04, point @ ..]) = der.strip_prefix(SPKI_P256) {
            let (x, y) = point.split_at_checked(32).ok_or(KeyProblem::Material)?;
            return Self::p256(x, y);
        }
        let key = DecodingKey::from_rsa_pem(text.trim().as_bytes()).map_err(|_| KeyProblem::Algorithm)?;
        let pkcs1 = key.try_get_as_bytes().map_err(|_| KeyProblem::Material)?;
        let (n, e) = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(pkcs1)
            .map_err(|_| KeyProblem::Material)?;
        Self::rsa(&n, &e)
    }

    /// The verifier takes any 32 bytes or more, so the length is checked here. A key of small order is no key: a
    /// signature with the neutral element and zero, made without any secret, would hold for some messages.
    fn ed25519(point: &[u8]) -> Result<Self, KeyProblem> {
        if point.len() != 32 {
            return Err(KeyProblem::Material);
        }
        let key = Self::new(Algorithm::EdDSA, DecodingKey::from_ed_der(point), &[point]).usable()?;
        let mut forged = [0_u8; 64];
        if let Some(first) = forged.first_mut() {
            *first = 1;
        }
        if (0..FORGERY_TRIALS).any(|trial| key.verifies(&[trial], &forged)) {
            return Err(KeyProblem::Material);
        }
        Ok(key)
    }

    fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyProblem> {
        if x.len() != 32 || y.len() != 32 {
            return Err(KeyProblem::Material);
        }
        let point = [&[0x04], x, y].concat();
        Self::new(Algorithm::ES256, DecodingKey::from_ec_der(&point), &[x, y]).usable()
    }

    fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyProblem> {
        if !RSA_BITS.contains(&bits(n)) {
            return Err(KeyProblem::RsaBits);
        }
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let exponent = e.iter().try_fold(0_u64, |sum, b| sum.checked_mul(256)?.checked_add(u64::from(*b)));
        if !odd(n) || !odd(e) || e.len() > RSA_EXPONENT_BYTES_MAX || exponent.is_none_or(|e| e < 3) {
            return Err(KeyProblem::Material);
        }
        Self::new(Algorithm::RS256, DecodingKey::from_rsa_raw_components(n, e), &[n, e]).usable()
    }

    /// Whether the verifier takes the key at all.
    fn usable(self) -> Result<Self, KeyProblem> {
        match (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.public) {
            Ok(_) => Ok(self),
            Err(_) => Err(KeyProblem::Material),
        }
    }
}

/// Whether the key is for verifying. `use` and `key_ops` may be missing, and say so where they are there.
fn verifies(jwk: &Object) -> Result<bool, KeyProblem> {
    let usage = jwk.get("use").map(|value| value.text().ok_or(KeyProblem::Use)).transpose()?;
    let operations = jwk.get("key_ops").map(|value| value.list().ok_or(KeyProblem::Use)).transpose()?;
    let verify = |list: &[Json]| list.iter().any(|item| item.text() == Some("verify"));
    Ok(usage.is_none_or(|usage| usage == "sig") && operations.is_none_or(verify))
}

/// How many bits a number has that is written with its highest byte first.
fn bits(number: &[u8]) -> usize {
    match number.iter().position(|b| *b != 0).and_then(|zeros| number.get(zeros..)) {
        Some(significant @ [first, ..]) => significant.len() * 8 - first.leading_zeros() as usize,
        Some([]) | None => 0,
    }
}

/// The names of the algorithms that keys here are pinned to; no other has one.
fn name(algorithm: Algorithm) -> &'static str {
    if algorithm == Algorithm::EdDSA {
        "EdDSA"
    } else if algorithm == Algorithm::ES256 {
        "ES256"
    } else {
        "RS256"
    }
}
