//! The service map: which route serves which purpose and carries which data about whom.

mod about;
mod headers;
mod map;
mod route;

pub use about::{About, FactTarget, LEDGER_TYPE, Reference, SubjectSource};
pub(crate) use headers::is_header_name;
pub use headers::{may_be_answered, may_be_sent};
pub use map::{DataClass, RouteMatch, ServiceMap};
pub(crate) use route::Segment;
pub use route::{
    Adds, Body, Destination, EventEffect, EventSpec, Excess, HeadField, MessageMap, PurposeRule, Right, Route,
};
