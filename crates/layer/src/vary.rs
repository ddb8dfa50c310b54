//! What an answer depends on besides its target, for a cache that keeps it although it may not.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_policy::{FactFrom, Kept, Reference};
use http::HeaderValue;

use crate::describe::Access;

/// What every answer depends on, a refusal too.
pub(crate) const ALWAYS: HeaderValue = HeaderValue::from_static(NAMES);
const NAMES: &str = "accept-encoding, authorization, baggage, cookie, data-purpose, sec-gpc, txn-token";

/// What the answers of each route depend on, with the headers of our own that it was found with.
pub(crate) type Varies = Kept<usize, Arc<(Box<[Box<str>]>, HeaderValue)>>;

/// The headers that an answer depends on: those by which a request says who asks and why, which are our `own`, those that
/// go on, and those by which it names whom it is about or states what rules ask.
pub(crate) fn vary<'a>(access: &'a Access, own: impl Iterator<Item = &'a str> + Clone) -> HeaderValue {
    let first = || Arc::new((own.clone().map(Into::into).collect(), find(access, own.clone())));
    let found = access.installed.varies.get_or(&access.route, first);
    let (with, value) = &*found;
    if own.clone().eq(with.iter().map(AsRef::as_ref)) { value.clone() } else { find(access, own) }
}

fn find<'a>(access: &'a Access, own: impl Iterator<Item = &'a str>) -> HeaderValue {
    let Ok(route) = access.route() else { return ALWAYS };
    let facts = access.bundle().facts.from.iter().filter_map(|(_, from)| match from {
        FactFrom::Request(at) | FactFrom::Presence(at) => Some(at),
        FactFrom::Attribute(_) | FactFrom::Constant(_) => None,
    });
    let named = route.reads().chain(facts).filter_map(|at| match at {
        Reference::Header(name) => Some(name.as_str()),
        Reference::Path(_)
        | Reference::Query(_)
        | Reference::Cookie(_)
        | Reference::Body(_)
        | Reference::Token(_)
        | Reference::Item(_)
        | Reference::Addressees(_) => None,
    });
    let goes_on = route.request_headers.iter().map(|field| field.name.as_str());
    let there = |name: &&str| !NAMES.split(", ").any(|known| known == *name);
    let more: BTreeSet<&str> = own.chain(named).chain(goes_on).filter(there).collect();
    if more.is_empty() {
        return ALWAYS;
    }
    let all: Vec<&str> = std::iter::once(NAMES).chain(more).collect();
    // Names of headers are visible signs alone.
    HeaderValue::from_str(&all.join(", ")).unwrap_or(HeaderValue::from_static("*"))
}
