//! What the header of a token must say, and what it must not.

use crate::bearer::Segments;
use crate::error::IdentityError;
use crate::json::{self, Json, Object};
use crate::key_set::{Key, KeySet};

/// The kinds of token, each of which is taken for no other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For access (RFC 9068), where `typ` may be missing.
    Access,
    /// Of a transaction, which always says so.
    Transaction,
}

/// Members that ask for something that is not done here: extensions (RFC 7515, section 4.1.11; RFC 7797), encryption,
/// compression, and a token within the token (RFC 7519, section 5.2).
const EXTENSIONS: [&str; 5] = ["crit", "b64", "zip", "enc", "cty"];
/// Members that bring a key along or say where to fetch one (RFC 7515, section 4.1). A key that comes with what it is
/// to verify proves nothing, and whoever sends one hopes that somebody believes it.
const BROUGHT_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// Reads the header, finds the key and lets it check the signature; returns the claims, and the key by its name. The header chooses among keys,
/// never among algorithms, and nothing of the claims is looked at before the signature holds.
pub(crate) fn verify<'k>(
    keys: &'k KeySet,
    segments: &Segments<'_>,
    kind: Kind,
) -> Result<(Object, String, &'k Key), IdentityError> {
    let header = json::object(&segments.header)
        .ok_or(IdentityError::malformed("the token's header is not a JSON object"))?;
    check_type(&header, kind)?;
    if EXTENSIONS.iter().any(|name| header.contains_key(*name)) {
        return Err(IdentityError::invalid("the token's header asks for an extension"));
    }
    if BROUGHT_KEYS.iter().any(|name| header.contains_key(*name)) {
        return Err(IdentityError::invalid("the token brings a key along"));
    }
    let algorithm = header.get("alg").and_then(Json::text);
    let algorithm = algorithm.ok_or(IdentityError::malformed("`alg` is missing or not a text"))?;
    let (kid, key) = match header.get("kid") {
        None => return Err(IdentityError::invalid("the token names no key")),
        Some(kid) => find(keys, kid)?,
    };
    if key.algorithm_name() != algorithm {
        return Err(IdentityError::invalid("the token's algorithm is not its key's"));
    }
    if !key.verifies(segments.signed, &segments.signature) {
        return Err(IdentityError::invalid("the signature does not hold"));
    }
    let claims = json::object(&segments.claims)
        .ok_or(IdentityError::malformed("the token's claims are not a JSON object"))?;
    Ok((claims, kid.to_owned(), key))
}

fn find<'a, 'k>(keys: &'k KeySet, kid: &'a Json) -> Result<(&'a str, &'k Key), IdentityError> {
    let kid = kid.text().ok_or(IdentityError::malformed("`kid` is not a text"))?;
    let key = keys.key(kid).ok_or(IdentityError::unknown_key("no key has the token's `kid`"))?;
    Ok((kid, key))
}

fn check_type(header: &Object, kind: Kind) -> Result<(), IdentityError> {
    let other = IdentityError::invalid("the token is of another type");
    let Some(value) = header.get("typ") else {
        return if kind == Kind::Access { Ok(()) } else { Err(other) };
    };
    let typ = value.text().ok_or(IdentityError::malformed("`typ` is not a text"))?;
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    let accepted: &[&str] = match kind {
        Kind::Access => &["jwt", "at+jwt"],
        Kind::Transaction => &["txntoken+jwt"],
    };
    if accepted.iter().any(|name| typ.eq_ignore_ascii_case(name)) { Ok(()) } else { Err(other) }
}
