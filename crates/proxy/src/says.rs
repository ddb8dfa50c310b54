//! What the system said, in words for operators.

use std::io;

/// The words for an error of the system.
pub(crate) fn says(error: &io::Error) -> String {
    says_kind(error.kind())
}

/// The words for a kind of error.
pub(crate) fn says_kind(kind: io::ErrorKind) -> String {
    if kind == io::ErrorKind::NotFound { "there is no such file".to_owned() } else { kind.to_string() }
}
