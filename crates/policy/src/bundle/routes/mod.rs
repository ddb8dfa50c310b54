//! YAML → [`Route`](super::Route).

mod about;
mod check;
mod events;
mod facts;
mod fields;
mod media;
mod message;
mod nested;
mod purpose;
mod records;
mod route;
mod words;

pub(crate) use route::{RouteContext, clauses, read_excess, read_routes};
pub(crate) use words::reference;
