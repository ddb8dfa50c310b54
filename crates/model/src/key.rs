//! Purposes and data categories: dotted keys in a hierarchy.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest key that is accepted, in bytes.
const KEY_BYTES_MAX: usize = 200;

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The text is empty or has an empty segment.
    EmptySegment,
    /// A segment holds a character other than `a`–`z`, `0`–`9` and `_`.
    Character,
    /// The text is longer than 200 bytes.
    TooLong,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptySegment => "a key has no empty segments",
            Self::Character => "a key is made of a–z, 0–9 and _ in segments divided by dots",
            Self::TooLong => "a key has at most 200 bytes",
        })
    }
}

impl std::error::Error for KeyError {}

fn check(text: &str) -> Result<(), KeyError> {
    if text.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong);
    }
    for segment in text.split('.') {
        if segment.is_empty() {
            return Err(KeyError::EmptySegment);
        }
        if !segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return Err(KeyError::Character);
        }
    }
    Ok(())
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads a key.
            ///
            /// # Errors
            /// When the text is not a dotted key; see [`KeyError`]. Whether a vocabulary knows the key is
            /// another question.
            pub fn new(text: &str) -> Result<Self, KeyError> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The key as written, for example `user.contact.email`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The key one segment shorter, if there is one.
            #[must_use]
            pub fn parent(&self) -> Option<Self> {
                self.0.rsplit_once('.').map(|(head, _)| Self(head.into()))
            }

            /// Whether this key is `other` or stands below it, segment by segment: `user.contact.email` is within
            /// `user.contact`, `user.contactless` is not. Aliases and further parents are the vocabulary's.
            #[must_use]
            pub fn is_within(&self, other: &Self) -> bool {
                self.0
                    .strip_prefix(&*other.0)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = KeyError;
            fn try_from(text: String) -> Result<Self, KeyError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0.as_ref().into()
            }
        }
    };
}

key! {
    /// Why data is used: `marketing.communications.email`.
    ///
    /// ```
    /// use consentry_model::Purpose;
    ///
    /// let asked = Purpose::new("marketing.communications.email")?;
    /// assert!(asked.is_within(&Purpose::new("marketing")?));
    /// assert!(!asked.is_within(&Purpose::new("market")?));
    /// # Ok::<(), consentry_model::KeyError>(())
    /// ```
    Purpose
}

key! {
    /// What data is used: `user.contact.email`.
    Category
}

/// An asked purpose with everything that bears on it, as the vocabulary tells it.
///
/// A permission must cover the asked key or an ancestor. A refusal counts on the key, on an ancestor or on a
/// descendant: whoever asks for all of `marketing` asks for the e-mails that the person refused, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lineage(Arc<Kin>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Kin {
    asked: Purpose,
    ancestors: Vec<Purpose>,
    descendants: Vec<Purpose>,
}

impl Lineage {
    /// Puts a lineage together: `ancestors` nearest first, neither list holding the asked key itself.
    #[must_use]
    pub fn new(asked: Purpose, ancestors: Vec<Purpose>, descendants: Vec<Purpose>) -> Self {
        Self(Arc::new(Kin { asked, ancestors, descendants }))
    }

    /// The purpose that was asked for.
    #[must_use]
    pub fn asked(&self) -> &Purpose {
        &self.0.asked
    }

    /// How far above the asked key `other` stands: 0 for the key itself, `None` when `other` does not cover it.
    #[must_use]
    pub fn height(&self, other: &Purpose) -> Option<usize> {
        if *other == self.0.asked {
            return Some(0);
        }
        self.0.ancestors.iter().position(|a| a == other).map(|i| i + 1)
    }

    /// Whether `other` is the asked key, an ancestor or a descendant.
    #[must_use]
    pub fn touches(&self, other: &Purpose) -> bool {
        self.height(other).is_some() || self.0.descendants.contains(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchy_goes_by_segments_not_by_prefix() {
        let contact = Category::new("user.contact").unwrap();
        for (key, within) in [
            ("user.contact", true),
            ("user.contact.email", true),
            ("user.contactless", false),
            ("user", false),
        ] {
            assert_eq!(Category::new(key).unwrap().is_within(&contact), within, "{key}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        for (text, error) in [
            ("", KeyError::EmptySegment),
            ("a..b", KeyError::EmptySegment),
            ("a.", KeyError::EmptySegment),
            ("Marketing", KeyError::Character),
            ("mаrketing", KeyError::Character), // Cyrillic а
            ("a b", KeyError::Character),
        ] {
            assert_eq!(Purpose::new(text), Err(error), "{text:?}");
        }
        assert_eq!(Purpose::new(&"a".repeat(201)), Err(KeyError::TooLong));
    }
}
