//! The `Authorization` header and the three segments of a compact token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::IdentityError;

/// A token cut into its segments, each decoded.
pub(crate) struct Segments<'a> {
    /// The first two segments with the dot between them, as they were signed.
    pub(crate) signed: &'a [u8],
    pub(crate) header: Vec<u8>,
    pub(crate) claims: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Takes the token out of the header: the scheme `Bearer` in any case, one space, the token, nothing else.
pub(crate) fn token<'a>(
    authorization: &[&'a [u8]],
    token_bytes_max: usize,
) -> Result<Option<&'a [u8]>, IdentityError> {
    let value = match authorization {
        [] => return Ok(None),
        [value] => *value,
        [_, _, ..] => return Err(IdentityError::malformed("more than one Authorization line came")),
    };
    let mut parts = value.splitn(2, |b| *b == b' ');
    let scheme = parts.next().unwrap_or_default();
    if scheme.is_empty() || !scheme.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
        return Err(IdentityError::malformed("the Authorization line begins with no scheme"));
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(IdentityError::missing("the Authorization line is not of the scheme Bearer"));
    }
    let token = parts.next().unwrap_or_default();
    if token.is_empty() {
        return Err(IdentityError::malformed("no token follows the scheme"));
    }
    if token.len() > token_bytes_max {
        return Err(IdentityError::malformed("the token is over the limit"));
    }
    Ok(Some(token))
}

/// Cuts a token at its two dots and decodes the segments: base64url without padding, and no bits left over.
pub(crate) fn segments(token: &[u8]) -> Result<Segments<'_>, IdentityError> {
    let malformed = IdentityError::malformed("the token is not three base64url segments");
    let mut cuts = token.split(|b| *b == b'.');
    let (Some(header), Some(claims), Some(signature), None) =
        (cuts.next(), cuts.next(), cuts.next(), cuts.next())
    else {
        return Err(malformed);
    };
    let signed_bytes = header.len().saturating_add(1).saturating_add(claims.len());
    let signed = token.get(..signed_bytes).ok_or(malformed)?;
    let decode = |segment: &[u8]| URL_SAFE_NO_PAD.decode(segment).map_err(|_| malformed);
    Ok(Segments { signed, header: decode(header)?, claims: decode(claims)?, signature: decode(signature)? })
}
