//! `authorization_details`: what a token may be used for, as a rich authorization request (RFC 9396) asked for it.

use consentry_model::Purpose;

use crate::claims;
use crate::error::IdentityError;
use crate::json::{Json, Object};

/// The type of the objects that speak of purposes.
const TYPE: &str = "consentry_purpose";
/// Their members.
const MEMBERS: [&str; 3] = ["type", "purposes", "locations"];

/// The purposes that the objects of our type allow at this audience; `None` when there is no such object, and an empty
/// list when all of them are for elsewhere.
///
/// Each object is a product of its members, and the objects together are a sum: an object whose `locations` leave us out
/// allows nothing here, whatever the others say. A member that is not known may restrict the object in a way that nobody
/// would enforce, so that there is no token then.
pub(crate) fn purposes(value: &Json, audience: &str) -> Result<Option<Vec<Purpose>>, IdentityError> {
    let list = value.list().ok_or(IdentityError::malformed("`authorization_details` is not a list"))?;
    let mut allowed = None;
    for item in list {
        let object = item.members().filter(|object| object.get("type").is_some_and(|t| t.text().is_some()));
        let object = object.ok_or(IdentityError::malformed("authorization details have no `type`"))?;
        if object.get("type").and_then(Json::text) != Some(TYPE) {
            continue;
        }
        let here = read(object, audience)?;
        allowed.get_or_insert_with(Vec::new).extend(here);
    }
    Ok(allowed)
}

fn read(object: &Object, audience: &str) -> Result<Vec<Purpose>, IdentityError> {
    if object.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(IdentityError::invalid("authorization details restrict in a way that is not known here"));
    }
    let missing = IdentityError::malformed("authorization details name no purposes");
    let purposes = claims::purposes(object.get("purposes").ok_or(missing)?)?;
    if purposes.is_empty() {
        return Err(missing);
    }
    let Some(locations) = object.get("locations") else { return Ok(purposes) };
    let error = IdentityError::malformed("`locations` is not a list of texts");
    let texts: Option<Vec<&str>> = locations.list().ok_or(error)?.iter().map(Json::text).collect();
    let texts = texts.filter(|texts| !texts.is_empty()).ok_or(error)?;
    Ok(if texts.contains(&audience) { purposes } else { Vec::new() })
}
