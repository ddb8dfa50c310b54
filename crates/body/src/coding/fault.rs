//! What can be wrong with a coded body.

/// Why a coded body cannot be undone. Each stops the body for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CodingFault {
    /// `Content-Encoding` is not a list of codings that are known here.
    #[error("the content coding is unknown")]
    Unknown,
    /// More codings were applied than [`CodingLimits::codings_max`](crate::CodingLimits::codings_max).
    #[error("too many content codings were applied")]
    Stacked,
    /// The body begins with something that is not of the coding it is labelled with.
    #[error("the body is not of the content coding it is labelled with")]
    Mislabelled,
    /// It began well, and is broken further on.
    #[error("the content coding is broken")]
    Malformed,
    /// It ends before its end.
    #[error("the coded body is cut short")]
    Truncated,
    /// Something follows its end.
    #[error("the coded body has bytes after its end")]
    TrailingBytes,
    /// What was decoded is not what its checksum or its length says.
    #[error("the checksum or the length of the coded body does not hold")]
    Checksum,
    /// It grows by more than [`CodingLimits::ratio_max`](crate::CodingLimits::ratio_max), or falls into many more members,
    /// frames or blocks than its length calls for.
    #[error("the coded body grows by more than it may")]
    Ratio,
    /// It becomes longer than [`CodingLimits::decoded_bytes_max`](crate::CodingLimits::decoded_bytes_max).
    #[error("the decoded body is too large")]
    TooLarge,
    /// It needs more memory than [`CodingLimits::window_bytes_max`](crate::CodingLimits::window_bytes_max).
    #[error("the coded body needs too large a window")]
    Window,
    /// It needs a dictionary, which nobody has.
    #[error("the coded body needs a dictionary")]
    Dictionary,
    /// A method was called when it may not be.
    #[error("the decoder was called out of turn")]
    OutOfTurn,
}
