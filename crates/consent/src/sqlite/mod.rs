//! A ledger in one SQLite file.

mod file;
mod handle;
mod kept;
mod looks;
mod read;
mod readers;
mod row;
mod schema;
mod wal_index;
mod write;

pub use handle::{LEDGER_ANSWER_MILLIS_MAX, LEDGER_BUSY_MILLIS_MAX, SqliteLedger};
