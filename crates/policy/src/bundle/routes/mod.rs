//! YAML → [`Route`](super::Route).

mod events;
mod fields;
mod route;
mod words;

pub(crate) use route::{RouteContext, clauses, read_excess, read_routes};
pub(crate) use words::reference;
