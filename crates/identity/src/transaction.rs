//! Transaction tokens (draft-ietf-oauth-transaction-tokens): what a call within a trust domain is for, signed by the
//! domain's own service and passed on unchanged from one workload to the next.

use std::sync::Arc;

use consentry_model::{Identifier, Moment, Purpose};

use crate::claims::{self, Expected};
use crate::error::IdentityError;
use crate::json::{Json, Object};
use crate::key_set::Signer;

/// What a transaction token says. It authenticates nobody: any workload of the chain may hold it.
pub(crate) struct Transaction {
    pub(crate) begins: Moment,
    pub(crate) expires: Moment,
    /// What the transaction is for, each with everything below it.
    pub(crate) purposes: Vec<Purpose>,
    /// On whose behalf: the member `person` of `tctx`.
    pub(crate) person: Option<Identifier>,
    pub(crate) signer: Arc<Signer>,
}

/// Reads the claims of a transaction token whose signature holds. `iss` may be left out, as the draft allows where the
/// keys are known.
pub(crate) fn read(members: &Object, expected: &Expected<'_>) -> Result<Transaction, IdentityError> {
    let required = |name, what| members.get(name).and_then(Json::text).ok_or(IdentityError::malformed(what));
    match members.get("iss") {
        None => {}
        Some(issuer) if issuer.text() == Some(expected.issuer) => {}
        Some(Json::Text(_)) => {
            return Err(IdentityError::invalid("the transaction token comes from another issuer"));
        }
        Some(_) => return Err(IdentityError::malformed("`iss` is not a text")),
    }
    if required("aud", "`aud` is missing or not a single text")? != expected.audience {
        return Err(IdentityError::invalid("the transaction token is for another trust domain"));
    }
    if members.contains_key("cnf") {
        return Err(IdentityError::invalid("a transaction token is bound to nothing"));
    }
    let issued = members.get("iat").and_then(Json::natural);
    if issued.is_none() {
        return Err(IdentityError::malformed("`iat` is missing or not a whole number of seconds"));
    }
    let (begins, expires) = claims::lifetime(members, expected)?;
    if !claims::is_name(required("txn", "`txn` is missing or not a text")?) {
        return Err(IdentityError::malformed("`txn` is not a name"));
    }
    if required("sub", "`sub` is missing or not a text")?.is_empty() {
        return Err(IdentityError::malformed("`sub` is empty"));
    }
    if members.get("req_wl").is_some_and(|workload| workload.text().is_none()) {
        return Err(IdentityError::malformed("`req_wl` is not a text"));
    }
    let (purposes, person) = (purposes(members)?, context(members)?);
    Ok(Transaction { begins, expires, purposes, person, signer: Arc::clone(expected.signer) })
}

/// `scope`, or `purp` as older versions of the draft have it; both would be two readings.
fn purposes(members: &Object) -> Result<Vec<Purpose>, IdentityError> {
    let error = IdentityError::malformed("the transaction token does not say in one way what it is for");
    let words: Vec<&str> = match (members.get("scope"), members.get("purp")) {
        (Some(Json::Text(scope)), None) => scope.split(' ').collect(),
        (None, Some(Json::Text(purpose))) => vec![purpose],
        (Some(_), _) | (None, _) => return Err(error),
    };
    let read: Result<Vec<_>, _> =
        words.into_iter().map(|word| Purpose::new(word).map_err(|_| error)).collect();
    read.map(claims::distinct)
}

/// What stays the same along the chain. The circumstances of the first request, `rctx`, decide nothing.
fn context(members: &Object) -> Result<Option<Identifier>, IdentityError> {
    let object = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(value) => {
            let error = IdentityError::malformed("`tctx` or `rctx` is not an object");
            value.members().map(Some).ok_or(error)
        }
    };
    object("rctx")?;
    object("tctx")?.map_or(Ok(None), claims::person)
}
