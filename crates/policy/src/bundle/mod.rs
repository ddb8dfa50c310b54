//! A bundle: one controller's folder, read and checked.

mod cases;
mod clauses;
mod cookies;
mod countries;
mod dates;
mod days;
mod derived;
mod facts;
mod given;
mod head;
mod hierarchy;
mod load;
mod parties;
mod published;
mod regimes;
mod routes;
mod seal;
mod service;
mod vocabulary;

pub use cases::{Case, CaseOutcome, Change, Expectation};
pub use clauses::{Clause, ClauseStatus};
pub use cookies::{CookieDef, CookieForm};
pub(crate) use countries::COUNTRIES;
pub use countries::is_country;
pub(crate) use dates::Dates;
pub use given::Given;
pub use head::{Contact, Detector, MailSettings, Settings};
pub(crate) use hierarchy::Hierarchy;
pub use load::{Bundle, ReadError};
pub(crate) use parties::{ANYONE, NO_SAFEGUARD, Requesters};
pub use parties::{RecipientDef, RequesterDef};
pub use published::JSON_SCHEMA;
pub use regimes::{Regime, Regimes};
pub use seal::{LockError, SealError, SealedSource, seal};
pub use service::{
    About, Adds, Body, DataClass, Destination, EventEffect, EventSpec, Excess, FactTarget, HeadField,
    LEDGER_TYPE, MessageMap, PurposeRule, Reference, Right, Route, RouteMatch, ServiceMap, SubjectSource,
    may_be_answered, may_be_sent,
};
pub use vocabulary::Vocabulary;

pub(crate) use consentry_model::hex;
