//! One value and its verdict → what is left of it.

use std::borrow::Cow;

use consentry_model::{ClassId, Ladder, Treatment};

use crate::{Pseudonyms, forms};

/// What leaves of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left<'a> {
    /// The value as it came.
    Clear,
    /// A less revealing form of it.
    Altered(Treatment, Cow<'a, str>),
    /// Nothing.
    Nothing,
}

/// What a verdict makes of a text. A form that the ladder lacks, or that cannot read the text, leaves nothing, and so does
/// a code without a key.
pub(crate) fn treat<'a>(
    (class, ladder): (ClassId, Ladder),
    asked: Treatment,
    text: &str,
    key: Option<&Pseudonyms>,
) -> Left<'a> {
    let known = ladder.steps().any(|step| step == asked);
    if !known {
        return Left::Nothing;
    }
    let altered = match asked {
        Treatment::Clear => return Left::Clear,
        Treatment::Withheld => None,
        Treatment::Truncated => ladder.truncated.and_then(|form| forms::truncate(form, text)),
        Treatment::Masked => ladder.masked.and_then(|form| forms::mask(form, text)),
        Treatment::Pseudonymised => key.map(|key| key.code(class, text)),
    };
    altered.map_or(Left::Nothing, |text| Left::Altered(asked, Cow::Owned(text)))
}
