//! The token issuer's keys, fetched from where the issuer publishes them.

mod fetch;
mod keeper;

pub(crate) use fetch::Fetcher;
pub(crate) use keeper::{Asked, KeyKeeper};
