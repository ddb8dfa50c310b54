//! How well somebody was identified.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How well the person behind a token was identified, after the levels of eIDAS (Regulation 910/2014, Article 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// Not at all, or nobody said.
    #[default]
    None,
    /// Low.
    Low,
    /// Substantial.
    Substantial,
    /// High.
    High,
}

impl Assurance {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Substantial, Self::High];

    /// The word in tokens, bundles and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Substantial => "substantial",
            Self::High => "high",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.code() == code)
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
