//! Whose data it is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{SubjectState, hex};

/// A named space of identifiers: `customer`, `email`, `device`, `session`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space(Arc<str>);

impl Space {
    /// Takes a name as the bundle writes it.
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

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In which capacity a datum was given: `customer`, `visitor`, `prospect`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectType(Arc<str>);

impl SubjectType {
    /// Takes a name as the bundle writes it.
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

/// A subject's name in one space. It is personal data: it is never printed, logged or serialised by accident.
///
/// ```
/// use consentry_model::{Identifier, Space};
///
/// let ann = Identifier::new(Space::new("email"), "ann@example.org");
/// assert_eq!(format!("{ann:?}"), "email:<redacted>");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    space: Space,
    value: Arc<str>,
}

impl Identifier {
    /// An identifier from its space and its value, exactly as the source spells it.
    #[must_use]
    pub fn new(space: Space, value: &str) -> Self {
        Self { space, value: value.into() }
    }

    /// The space.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The value. Whoever calls this answers for where it goes: the ledger's look-up, and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:<redacted>", self.space)
    }
}

/// A random reference that the ledger gave a subject. It stands in evidence instead of any identifier; whoever
/// forgets the link forgets the person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef([u8; 16]);

impl SubjectRef {
    /// From 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads 32 lower-case hex digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let nibble = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0_u8; 16];
        for (out, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *out = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SubjectRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for SubjectRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a subject reference has 32 hex digits"))
    }
}

/// What the ledger says to an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// No subject is known by it: everything about the person is unknown.
    Unresolved,
    /// The subject and all that is recorded. No record of a kind is known absence of it.
    Known(Arc<SubjectState>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_13_an_identifier_does_not_print_its_value() {
        let ann = Identifier::new(Space::new("email"), "ann@example.org");
        assert!(!format!("{ann:?} {:?}", Some(&ann)).contains("ann"));
    }

    #[test]
    fn subject_references_read_back() {
        let there = SubjectRef::from_bytes(*b"0123456789abcdef");
        assert_eq!(SubjectRef::parse(&there.to_string()), Some(there));
        for wrong in ["", "00", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdeg"] {
            assert_eq!(SubjectRef::parse(wrong), None, "{wrong}");
        }
    }
}
