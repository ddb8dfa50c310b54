//! Why a ledger did not do what it was asked.

use std::fmt;

/// What went wrong, as far as whoever called can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LedgerErrorKind {
    /// The ledger does not answer: locked for too long, gone, replaced, not readable, not writable. Of an append it
    /// is then not known whether it was recorded.
    Unavailable,
    /// What is stored cannot be read back as it was written.
    Corrupt,
    /// The ledger's own rules forbid the write.
    Conflict,
    /// There is no room left to write to.
    Full,
    /// A newer version of the program wrote it, in a form that this one does not know.
    Version,
    /// The identifier that had to be known names nobody.
    Unresolved,
}

impl LedgerErrorKind {
    /// The stable word for records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Conflict => "conflict",
            Self::Full => "full",
            Self::Version => "version",
            Self::Unresolved => "unresolved",
        }
    }
}

/// Why a ledger did not do what it was asked. It holds a fixed text and at most a numeric code of the storage
/// engine: never an identifier, a purpose or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerError {
    kind: LedgerErrorKind,
    what: &'static str,
    code: Option<u32>,
}

impl LedgerError {
    /// An error of this kind, with a fixed text that says what was found.
    #[must_use]
    pub const fn new(kind: LedgerErrorKind, what: &'static str) -> Self {
        Self { kind, what, code: None }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> LedgerErrorKind {
        self.kind
    }

    pub(crate) const UNRESOLVED: Self =
        Self::new(LedgerErrorKind::Unresolved, "the identifier that had to be known names nobody");

    pub(crate) const fn unavailable(what: &'static str) -> Self {
        Self::new(LedgerErrorKind::Unavailable, what)
    }

    pub(crate) const fn corrupt(what: &'static str) -> Self {
        Self::new(LedgerErrorKind::Corrupt, what)
    }

    /// Whether another process had the file to itself, which passes.
    pub(crate) const fn is_locked(&self) -> bool {
        matches!(self.code, Some(code) if matches!(code & 0xff, 5 | 6))
    }

    /// What SQLite's result code means to a caller. The message is dropped: nobody vouches for what it quotes.
    fn from_sqlite(code: Option<u32>) -> Self {
        let (kind, what) = match code.map(|c| c & 0xff) {
            Some(5 | 6) => (LedgerErrorKind::Unavailable, "the ledger file stayed locked"),
            Some(1 | 11 | 26) => (LedgerErrorKind::Corrupt, "the ledger file is damaged or not a ledger"),
            Some(13) => (LedgerErrorKind::Full, "the disk is full"),
            Some(19) => (LedgerErrorKind::Conflict, "the ledger's own rules forbid the write"),
            Some(_) | None => (LedgerErrorKind::Unavailable, "the ledger file cannot be used"),
        };
        Self { kind, what, code }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.code.map_or(Ok(()), |code| write!(f, " (SQLite result {code})"))
    }
}

impl std::error::Error for LedgerError {}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the foreign enum is open; whatever else it says, the ledger did not answer"
)]
impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(e) => Self::from_sqlite(e.code().and_then(|c| c.parse().ok())),
            sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_) => Self::corrupt("a stored row cannot be read back"),
            sqlx::Error::PoolTimedOut => Self::unavailable("no connection to the ledger came free in time"),
            _ => Self::unavailable("the ledger cannot be reached"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_results_have_the_kind_that_a_caller_can_act_on() {
        for (code, kind) in [
            (None, LedgerErrorKind::Unavailable),
            (Some(5), LedgerErrorKind::Unavailable),
            (Some(517), LedgerErrorKind::Unavailable),
            (Some(8), LedgerErrorKind::Unavailable),
            (Some(10), LedgerErrorKind::Unavailable),
            (Some(11), LedgerErrorKind::Corrupt),
            (Some(26), LedgerErrorKind::Corrupt),
            (Some(13), LedgerErrorKind::Full),
            (Some(1_811), LedgerErrorKind::Conflict),
        ] {
            assert_eq!(LedgerError::from_sqlite(code).kind(), kind, "{code:?}");
        }
        let decode = sqlx::Error::Decode("ann@example.org".into());
        let error = LedgerError::from(decode);
        assert_eq!(error.kind(), LedgerErrorKind::Corrupt);
        assert!(!format!("{error} {error:?}").contains("ann@"), "law 13");
    }
}
