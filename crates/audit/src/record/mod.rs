//! What records say, version 1: flat structures whose JSON outlives whatever engine fills them.
//!
//! Every record begins with the same envelope: `v`, `type`, `id`, `seq`, `ts` and, where it belongs to a request,
//! `ticket`. None of them holds a value of anybody's data: names of fields, keys, rules and clauses, counts, and
//! the ledger's random references to subjects are all there is.
//!
//! A head may leave to its `precedent`, an earlier head of the same segment, what both say alike: who asks for what, the
//! facts of the request and the answers. Under which bundle, vocabulary and ledger it was decided, what came of it and whom
//! it is about it says itself.

mod closing;
mod encode;
mod read;
mod request;
mod system;
mod verdict_line;
mod wording;

pub use closing::{Closing, End, PathCount};
pub(crate) use encode::{Body, encode_closing, encode_note, encode_step, encode_system};
pub use read::{Entry, Kind, ReadError, Record};
pub use request::{Head, Precedent, PurposeSource, Step, Unmet, Verdicts};
pub use system::{
    ConsentChanged, LogOpened, LogOutage, LogRecovered, Note, PolicyInstalled, PolicyRefused, Summary,
};
pub use verdict_line::{Direction, FactWord, FactWords, VerdictLine};
pub use wording::{Worded, Wording};
