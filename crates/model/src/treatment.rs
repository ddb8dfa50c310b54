//! How revealing a datum is when it leaves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How revealing a datum is when it leaves, from the most revealing to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// As it is.
    Clear,
    /// Shortened to a coarser value: a network instead of an address, a month instead of a day.
    Truncated,
    /// Parts replaced by asterisks.
    Masked,
    /// Replaced by a keyed code: the same value has the same code for one purpose and recipient and within one month, and
    /// another for the next.
    Pseudonymised,
    /// Removed, name and value.
    Withheld,
}

impl Treatment {
    /// Every treatment, most revealing first.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Truncated, Self::Masked, Self::Pseudonymised, Self::Withheld];

    /// The word in bundles and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Truncated => "truncated",
            Self::Masked => "masked",
            Self::Pseudonymised => "pseudonymised",
            Self::Withheld => "withheld",
        }
    }

    /// The less revealing of two: what data about several people gets.
    #[must_use]
    pub fn least_revealing(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How a value of a category is shortened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruncateForm {
    /// An IP address to its network: /24 for version 4, /48 for version 6, /40 where that holds one of version 4 (6to4).
    Ip,
    /// An ISO 8601 date or date-time to its year and month.
    Date,
    /// A postcode to its first two characters; of twelve letters, digits, blanks and hyphens at most.
    Postcode,
}

/// How a value of a category is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskForm {
    /// First character of the local part and the whole domain stay: `a***@example.org`.
    Email,
    /// The last four characters of a value of at least eight letters and digits stay; of a shorter one, none.
    LastFour,
    /// The first character of each word stays, if some word has more than that.
    Initials,
}

/// Which treatments between *clear* and *withheld* a category knows. A value that a form cannot read is withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ladder {
    /// How it is truncated, if it can be.
    pub truncated: Option<TruncateForm>,
    /// How it is masked, if it can be.
    pub masked: Option<MaskForm>,
    /// Whether it may be replaced by a keyed code. Only strings and numbers have one, and without a key nothing has.
    pub pseudonymised: bool,
}

impl Ladder {
    /// The treatments to ask for, most revealing first; *withheld* needs no permission and is not among them.
    pub fn steps(self) -> impl Iterator<Item = Treatment> {
        [
            Some(Treatment::Clear),
            self.truncated.map(|_| Treatment::Truncated),
            self.masked.map(|_| Treatment::Masked),
            self.pseudonymised.then_some(Treatment::Pseudonymised),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether [`steps`](Self::steps) has a treatment.
    #[must_use]
    #[inline]
    pub const fn has(self, treatment: Treatment) -> bool {
        match treatment {
            Treatment::Clear => true,
            Treatment::Truncated => self.truncated.is_some(),
            Treatment::Masked => self.masked.is_some(),
            Treatment::Pseudonymised => self.pseudonymised,
            Treatment::Withheld => false,
        }
    }
}
