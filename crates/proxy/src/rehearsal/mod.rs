//! Plays the cases of a bundle through the layer that serves, over HTTP/1.1 in memory: the same ledger semantics, a real
//! evidence log in a folder that goes away, signed tokens, and a service behind that answers what the case says.

mod behind;
mod compare;
mod coverage;
mod evidence;
mod ledger;
mod made_up;
mod people;
mod recorded;
mod rehearse;
mod request;
mod result;
mod stage;
mod verdict;
mod wire;
mod writing;

pub use coverage::{ClauseCoverage, Coverage, RuleCoverage, coverage};
pub use rehearse::rehearse;
pub use result::{CaseResult, Difference};
