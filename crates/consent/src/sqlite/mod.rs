//! A ledger in one SQLite file.

mod file;
mod handle;
mod history;
mod read;
mod readers;
mod row;
mod schema;
mod write;

pub use handle::{LEDGER_ANSWER_MILLIS_MAX, LEDGER_BUSY_MILLIS_MAX, SqliteLedger};
