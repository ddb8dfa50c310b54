//! Revisions: every record names those it was decided under.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// SHA-256 of a sealed bundle, in lower-case hex: of its `bundle.lock`, which lists every file's own digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BundleDigest(Arc<str>);

impl BundleDigest {
    /// Takes the hex text as computed.
    #[must_use]
    pub fn new(hex: &str) -> Self {
        Self(hex.into())
    }

    /// The hex text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BundleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which vocabulary a bundle was compiled against: SHA-256 of the shipped keys and the bundle's additions, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VocabularyRevision(Arc<str>);

impl VocabularyRevision {
    /// Takes the hex text as computed.
    #[must_use]
    pub fn new(hex: &str) -> Self {
        Self(hex.into())
    }

    /// The hex text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many events the ledger held when it answered. A withdrawal binds every decision made at or after the
/// revision that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerRevision(pub u64);

impl fmt::Display for LedgerRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
