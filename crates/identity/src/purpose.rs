//! The purpose that a request declares: the header `Data-Purpose`, and a member of `baggage`.

use consentry_model::{Purpose, Reason};

use crate::authenticator::Lines;
use crate::baggage;

/// Longest header value that is read, in bytes.
const VALUE_BYTES_MAX: usize = 1024;

/// What declared a purpose. Either is a claim: it counts only inside what requester, token and route allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The header `Data-Purpose`.
    Header,
    /// The member `data-purpose` of `baggage` (W3C Baggage).
    Baggage,
}

/// Reads every purpose that a request declares, each with what declared it. Whether they are one and the same is for
/// whoever knows the vocabulary.
///
/// # Errors
/// As [`declared_purpose`]; the same reasons for a member `data-purpose` of `baggage` that is there twice, malformed or
/// carries properties. Malformed baggage in which that key does not occur declares nothing.
pub fn declared_purposes(lines: &Lines<'_>) -> Result<Vec<(Purpose, Carrier)>, Reason> {
    let header = declared_purpose(&lines("data-purpose"))?.map(|purpose| (purpose, Carrier::Header));
    let member = baggage::purpose(&lines("baggage"))?.map(|purpose| (purpose, Carrier::Baggage));
    Ok(header.into_iter().chain(member).collect())
}

/// Reads the purpose that a request declares in the header `Data-Purpose`, from the values of all its `Data-Purpose` lines.
///
/// The header is a structured-field list (RFC 9651) with exactly one member, a token without parameters, on
/// exactly one line. Whether the requester may claim the purpose is another question.
///
/// ```
/// use consentry_identity::declared_purpose;
/// use consentry_model::Reason;
///
/// assert_eq!(declared_purpose(&[]), Ok(None));
/// assert!(declared_purpose(&[b"marketing.communications.email"]).is_ok_and(|p| p.is_some()));
/// assert_eq!(declared_purpose(&[b"marketing, analytics"]), Err(Reason::PurposeConflict));
/// ```
///
/// # Errors
/// [`Reason::PurposeConflict`] for two lines or two tokens, [`Reason::PurposeMalformed`] for anything that is not
/// a token or carries parameters, [`Reason::PurposeUnknown`] for a token that is not spelt like any purpose.
pub fn declared_purpose(header_values: &[&[u8]]) -> Result<Option<Purpose>, Reason> {
    let value = match header_values {
        [] => return Ok(None),
        [value] => *value,
        [_, _, ..] => return Err(Reason::PurposeConflict),
    };
    if value.len() > VALUE_BYTES_MAX {
        return Err(Reason::PurposeMalformed);
    }
    let value = trim(value, b" ");
    if value.first() == Some(&b'\t') {
        return Err(Reason::PurposeMalformed);
    }
    // No token holds a comma, and nothing but tokens is accepted: splitting first loses nothing.
    let members: Vec<&str> =
        value.split(|b| *b == b',').map(|m| token(trim(m, b" \t"))).collect::<Result<_, _>>()?;
    match members.as_slice() {
        [one] => Purpose::new(one).map(Some).map_err(|_| Reason::PurposeUnknown),
        _ => Err(Reason::PurposeConflict),
    }
}

fn trim<'a>(mut bytes: &'a [u8], blanks: &[u8]) -> &'a [u8] {
    while let [first, rest @ ..] = bytes
        && blanks.contains(first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && blanks.contains(last)
    {
        bytes = rest;
    }
    bytes
}

/// An sf-token: a letter or `*`, then token characters, `:` and `/`.
fn token(bytes: &[u8]) -> Result<&str, Reason> {
    let begins = bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'*');
    let goes_on = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(b);
    if !begins || !bytes.iter().all(goes_on) {
        return Err(Reason::PurposeMalformed);
    }
    std::str::from_utf8(bytes).map_err(|_| Reason::PurposeMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reason::{PurposeConflict, PurposeMalformed, PurposeUnknown};

    #[test]
    fn law_1_only_one_token_on_one_line_is_a_purpose() {
        let long = "a".repeat(VALUE_BYTES_MAX + 1);
        type Case<'a> = (&'a [&'a str], Result<Option<&'a str>, Reason>);
        let cases: &[Case<'_>] = &[
            (&[], Ok(None)),
            (&["marketing"], Ok(Some("marketing"))),
            (&["essential.service_2"], Ok(Some("essential.service_2"))),
            (&["  marketing "], Ok(Some("marketing"))),
            (&["marketing", "marketing"], Err(PurposeConflict)),
            (&["marketing", ""], Err(PurposeConflict)),
            (&["", ""], Err(PurposeConflict)),
            (&["a", "b", "c"], Err(PurposeConflict)),
            (&["marketing, analytics"], Err(PurposeConflict)),
            (&["marketing\t,\tmarketing"], Err(PurposeConflict)),
            (&[""], Err(PurposeMalformed)),
            (&[" "], Err(PurposeMalformed)),
            (&[","], Err(PurposeMalformed)),
            (&["marketing,"], Err(PurposeMalformed)),
            (&[",marketing"], Err(PurposeMalformed)),
            (&["marketing;q=1"], Err(PurposeMalformed)),
            (&["marketing;a"], Err(PurposeMalformed)),
            (&["marketing;q=1, analytics"], Err(PurposeMalformed)),
            (&["\"marketing\""], Err(PurposeMalformed)),
            (&[":bWFya2V0aW5n:"], Err(PurposeMalformed)),
            (&["(marketing)"], Err(PurposeMalformed)),
            (&["1"], Err(PurposeMalformed)),
            (&["?1"], Err(PurposeMalformed)),
            (&["9lives"], Err(PurposeMalformed)),
            (&["_a"], Err(PurposeMalformed)),
            (&["marketing analytics"], Err(PurposeMalformed)),
            (&["\tmarketing"], Err(PurposeMalformed)),
            (&["marketing\r\n"], Err(PurposeMalformed)),
            (&["marketing\0"], Err(PurposeMalformed)),
            (&["mаrketing"], Err(PurposeMalformed)), // Cyrillic а
            (&[&long], Err(PurposeMalformed)),
            (&["Marketing"], Err(PurposeUnknown)),
            (&["*"], Err(PurposeUnknown)),
            (&["a..b"], Err(PurposeUnknown)),
            (&["marketing."], Err(PurposeUnknown)),
            (&["marketing/email"], Err(PurposeUnknown)),
            (&["market-ing"], Err(PurposeUnknown)),
        ];
        for (lines, expected) in cases {
            let bytes: Vec<&[u8]> = lines.iter().map(|l| l.as_bytes()).collect();
            let read = declared_purpose(&bytes);
            let expected = expected.map(|p| p.map(|p| Purpose::new(p).unwrap()));
            assert_eq!(read, expected, "{lines:?}");
        }
        assert_eq!(declared_purpose(&[b"marketing\xff"]), Err(PurposeMalformed));
    }
}
