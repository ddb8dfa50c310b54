//! What is done with the data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is done with the data. Rules that name no act mean every act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Data enters by a request, its headers or its cookies, in either direction of the cookie.
    Collect,
    /// Data reaches the controller's own people, its processors acting as such, or the subject.
    Read,
    /// A message is sent to the subject.
    Send,
    /// Data reaches an external recipient, whether that party fetches it or it is pushed to it.
    Disclose,
    /// Data comes back from an external party that was asked.
    Obtain,
    /// A page as such is served; no datum is meant.
    Serve,
}

impl Act {
    /// Every act, in the order of the glossary.
    pub const ALL: [Self; 6] =
        [Self::Collect, Self::Read, Self::Send, Self::Disclose, Self::Obtain, Self::Serve];

    /// The word in bundles and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Read => "read",
            Self::Send => "send",
            Self::Disclose => "disclose",
            Self::Obtain => "obtain",
            Self::Serve => "serve",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
