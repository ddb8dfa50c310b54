//! How a requester was authenticated.

use std::fmt;

use serde::{Deserialize, Serialize};

/// By what a requester proved its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A bearer token.
    Token,
    /// A token bound to the certificate that the connection showed (RFC 8705, section 3).
    BoundToken,
    /// The certificate that the connection showed.
    Certificate,
    /// A header of a peer that the configuration names, and that authenticates in front of us.
    Header,
}

impl Proof {
    /// Every proof.
    pub const ALL: [Self; 4] = [Self::Token, Self::BoundToken, Self::Certificate, Self::Header];

    /// The word in records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::BoundToken => "bound-token",
            Self::Certificate => "certificate",
            Self::Header => "header",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
