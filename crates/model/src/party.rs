//! Who asks, and in which capacity the data is received.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a name as the bundle writes it. Whether the bundle knows it is another question.
            #[must_use]
            pub fn new(name: &str) -> Self {
                Self(name.into())
            }

            /// The name as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A requester that the bundle registers: a service, a role's client, the portal of the subjects themselves.
    RequesterId
}

name! {
    /// A recipient: a built-in class such as `internal`, or a party that the bundle registers.
    RecipientId
}

/// In which capacity data is received. Everything below [`External`](Self::External) leaves the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientClass {
    /// The controller's own people and services.
    Internal,
    /// The person the data is about.
    Subject,
    /// Anybody outside; the classes below narrow it.
    External,
    /// Acts for the controller, under its instructions.
    Processor,
    /// Belongs to the same group of undertakings.
    Affiliate,
    /// Receives for its own ends.
    ThirdParty,
    /// A public authority.
    Authority,
    /// Everybody.
    Public,
}

impl RecipientClass {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::Internal,
        Self::Subject,
        Self::External,
        Self::Processor,
        Self::Affiliate,
        Self::ThirdParty,
        Self::Authority,
        Self::Public,
    ];

    /// The word in bundles and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Subject => "subject",
            Self::External => "external",
            Self::Processor => "processor",
            Self::Affiliate => "affiliate",
            Self::ThirdParty => "third_party",
            Self::Authority => "authority",
            Self::Public => "public",
        }
    }

    /// Whether data that reaches this class leaves the controller and its subject.
    #[must_use]
    pub const fn is_external(self) -> bool {
        !matches!(self, Self::Internal | Self::Subject)
    }
}
