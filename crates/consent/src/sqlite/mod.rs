//! A ledger in one SQLite file.

mod file;
mod handle;
mod read;
mod row;
mod schema;
mod write;

pub use handle::{LEDGER_ANSWER_MILLIS_MAX, LEDGER_BUSY_MILLIS_MAX, SqliteLedger};
