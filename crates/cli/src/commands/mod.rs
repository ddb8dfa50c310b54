//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod clauses;
pub(crate) mod completions;
pub(crate) mod consent;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keygen;
pub(crate) mod policy;
pub(crate) mod seal;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod token;

use crate::stop::{Exit, Stop};

/// What runs a command that waits for one thing after the other.
fn current_thread() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::because(Exit::NO, format!("no runtime can be made: {e}")))
}

/// What runs a server, and who calls it.
fn multi_thread() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::because(Exit::NO, format!("no runtime can be made: {e}")))
}
