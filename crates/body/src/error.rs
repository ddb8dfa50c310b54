//! What can be wrong with a body: a kind and a place, never content.

/// What is wrong. Each kind stops the body for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BodyFault {
    /// Not as the standard of its media type writes it: RFC 8259 for JSON, where a byte order mark, a raw control character
    /// and a lone surrogate count too.
    #[error("the body is not well-formed")]
    Malformed,
    /// A text is not UTF-8.
    #[error("the body is not UTF-8")]
    InvalidUtf8,
    /// An object names a member twice, a form a field, or a table a column.
    #[error("an object of the body names a member twice")]
    DuplicateKey,
    /// A row of a table has more or fewer cells than its first.
    #[error("a row of the body has other columns than the first")]
    Ragged,
    /// A part of a form has a media type, a charset or an encoding that cannot be read.
    #[error("a part of the body is of a kind that cannot be read")]
    PartUnreadable,
    /// There are more fields than [`Limits::fields_max`](crate::Limits::fields_max).
    #[error("the body has too many fields")]
    TooManyFields,
    /// Arrays and objects are nested deeper than [`Limits::depth_max`](crate::Limits::depth_max).
    #[error("the body is nested too deep")]
    TooDeep,
    /// What must be held back at once is over [`Limits::record_bytes_max`](crate::Limits::record_bytes_max).
    #[error("a record of the body is too large")]
    RecordTooLarge,
    /// The body ends before its value does, or is empty.
    #[error("the body is cut short")]
    Truncated,
    /// Something follows the body's value.
    #[error("the body has bytes after its end")]
    TrailingBytes,
    /// The map declares nothing of the shape that the body as a whole has.
    #[error("the body as a whole is undeclared")]
    Undeclared,
    /// The body as a whole is one datum, and it is withheld, or one record of which nothing personal is left. Unlike the
    /// others this depends on a person.
    #[error("nothing of the body is left")]
    NothingLeft,
    /// A method was called when it may not be.
    #[error("the redactor was called out of turn")]
    OutOfTurn,
    /// The redactor's own books do not agree; it refuses to guess.
    #[error("the redactor is in an impossible state")]
    Internal,
}

/// A fault and where it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{fault} (at byte {offset})")]
pub struct BodyError {
    fault: BodyFault,
    offset: u64,
}

impl BodyError {
    pub(crate) const fn new(fault: BodyFault, offset: u64) -> Self {
        Self { fault, offset }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> BodyFault {
        self.fault
    }

    /// Where it was noticed, in bytes from the start of the body.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// A fault at a position of the buffer, before the redactor turns it into a place in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: BodyFault,
    pub(crate) at: usize,
}

impl Fault {
    pub(crate) const fn new(kind: BodyFault, at: usize) -> Self {
        Self { kind, at }
    }

    pub(crate) const fn internal(at: usize) -> Self {
        Self::new(BodyFault::Internal, at)
    }
}
