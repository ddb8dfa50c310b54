//! One issuer, one authenticator, one moment, and a way to sign whatever a hostile test wants signed.
#![allow(clippy::unwrap_used, reason = "test support: what cannot be set up fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet};
use consentry_model::Moment;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

pub(crate) const ISS: &str = "https://id.example.org";
pub(crate) const AUD: &str = "https://api.example.org";
pub(crate) const NOW_SECS: i64 = 1_800_000_000;
pub(crate) const NOW: Moment = Moment::from_unix_millis(NOW_SECS * 1000);

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) authenticator: Authenticator,
}

impl World {
    pub(crate) fn new() -> Self {
        let issuer = Issuer::generate().unwrap();
        let keys = KeySet::from_jwks(&issuer.jwks())
            .unwrap()
            .with_pem("p256", include_str!("../data/p256-public.pem"))
            .unwrap()
            .with_pem("rsa", include_str!("../data/rsa-2048-public.pem"))
            .unwrap();
        let authenticator = Authenticator::new(AuthenticatorConfig::new(keys, ISS, AUD)).unwrap();
        Self { issuer, authenticator }
    }

    /// The key of the issuer, for signing what the issuer itself would not.
    pub(crate) fn ed(&self) -> (EncodingKey, Algorithm) {
        (EncodingKey::from_ed_pem(self.issuer.to_pem().as_bytes()).unwrap(), Algorithm::EdDSA)
    }

    /// A header that chooses the issuer's key.
    pub(crate) fn header(&self) -> String {
        format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, self.issuer.kid())
    }

    /// Claims signed with the issuer's own key under its own header.
    pub(crate) fn signed(&self, claims: &str) -> String {
        sign(&self.header(), claims, &self.ed())
    }
}

pub(crate) fn p256() -> (EncodingKey, Algorithm) {
    (EncodingKey::from_ec_pem(include_bytes!("../data/p256-private.pem")).unwrap(), Algorithm::ES256)
}

pub(crate) fn rsa(algorithm: Algorithm) -> (EncodingKey, Algorithm) {
    (EncodingKey::from_rsa_pem(include_bytes!("../data/rsa-2048-private.pem")).unwrap(), algorithm)
}

pub(crate) fn sign(header: &str, claims: &str, (key, algorithm): &(EncodingKey, Algorithm)) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, *algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Good claims with further members, or with some of the good ones replaced. `None` leaves one out.
pub(crate) fn claims(changes: &[(&str, Option<&str>)]) -> String {
    let exp = (NOW_SECS + 300).to_string();
    let good = [
        ("iss", format!("\"{ISS}\"")),
        ("aud", format!("\"{AUD}\"")),
        ("client_id", "\"newsletter\"".to_owned()),
        ("exp", exp),
    ];
    let kept = good
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name))
        .map(|(name, value)| format!("\"{name}\":{value}"));
    let changed = changes.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", (*value)?)));
    format!("{{{}}}", kept.chain(changed).collect::<Vec<_>>().join(","))
}
