//! A bundle: one controller's folder, read and checked.

mod cases;
mod clauses;
mod cookies;
mod facts;
mod given;
mod load;
mod parties;
mod routes;
mod seal;
mod service;
mod vocabulary;

pub use cases::{Case, CaseOutcome, Expectation};
pub use clauses::{Clause, ClauseStatus};
pub use cookies::{CookieDef, CookieForm};
pub use given::Given;
pub use load::{Bundle, Contact, ReadError};
pub(crate) use parties::{ANYONE, Requesters};
pub use parties::{RecipientDef, RequesterDef};
pub use seal::{LockError, SealError, SealedSource, seal};
pub use service::{
    About, Body, DataClass, EventEffect, EventSpec, Excess, HeadField, PurposeRule, Reference, Right, Route,
    RouteMatch, ServiceMap, SubjectSource,
};
pub(crate) use vocabulary::Hierarchy;
pub use vocabulary::Vocabulary;

pub(crate) use seal::hex;
