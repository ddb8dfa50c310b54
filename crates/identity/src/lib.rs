//! Who asks: from tokens, certificates and the headers of gateways to an authenticated requester, and from
//! `Data-Purpose` and `baggage` to the purpose it declares.
//!
//! A token is read strictly. Its key is chosen by `kid`, its algorithm is the key's own and never the token's
//! choice; issuer, audience, requester and expiry are mandatory; a member named twice, an unknown critical
//! extension or a claim of the wrong type makes it no token at all. Time is an argument, and nothing here reads a file
//! or a network: connections and their certificates come in as a [`Peer`], keys as a [`KeySet`].
//!
//! ```
//! use consentry_identity::{Authenticator, AuthenticatorConfig, Issuer, KeySet, TokenSpec, declared_purpose};
//! use consentry_model::{Moment, Purpose, Reason, RequesterId};
//!
//! let issuer = Issuer::generate()?;
//! let keys = KeySet::from_jwks(&issuer.jwks())?;
//! let authenticator =
//!     Authenticator::new(AuthenticatorConfig::new(keys, "https://id.example.org", "https://api.example.org"))?;
//!
//! let now = Moment::from_unix_millis(1_800_000_000_000);
//! let marketing = Purpose::new("marketing")?;
//! let mut spec =
//!     TokenSpec::new(RequesterId::new("newsletter"), "https://id.example.org", "https://api.example.org");
//! spec.purposes = vec![marketing.clone()];
//! let header = format!("Bearer {}", issuer.token(&spec, now)?);
//!
//! let claims = authenticator.authenticate(&[header.as_bytes()], now)?.ok_or("no token came")?;
//! assert_eq!(claims.requester.as_str(), "newsletter");
//! assert_eq!(claims.ceilings[0].purposes, [marketing.clone()]);
//! assert_eq!(declared_purpose(&[b"marketing"]), Ok(Some(marketing)));
//!
//! let late = now.saturating_add_millis(spec.lifetime_secs * 1000);
//! let refused = authenticator.authenticate(&[header.as_bytes()], late).unwrap_err();
//! assert_eq!(refused.reason(), Reason::TokenExpired);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assurance;
mod authenticator;
mod baggage;
mod bearer;
mod cache;
mod claims;
mod config;
mod details;
mod error;
mod issuer;
mod json;
mod key_set;
mod network;
mod peer;
mod pem;
mod purpose;
mod registered;
mod token;
mod transaction;

pub use assurance::Assurance;
pub use authenticator::{Authenticator, Lines};
pub use cache::CacheCounts;
pub use claims::{Ceiling, CeilingSource, Claims};
pub use config::AuthenticatorConfig;
pub use error::{ConfigError, IdentityError, IssuerError, KeyProblem, KeySetError};
pub use issuer::{Issuer, TokenSpec};
pub use key_set::KeySet;
pub use network::Network;
pub use peer::{CertificateError, Fingerprint, Peer, PeerCertificate, validity_of};
pub use purpose::{Carrier, declared_purpose, declared_purposes};
pub use registered::{CertificateHolder, CertificateName, Gateway, NamingHeaders};
