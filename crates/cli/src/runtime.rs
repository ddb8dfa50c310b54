//! What asynchronous commands run on.

use tokio::runtime::{Builder, Runtime};

use crate::stop::{Exit, Stop};

/// What runs a command that waits for one thing after the other.
pub(crate) fn current_thread() -> Result<Runtime, Stop> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::because(Exit::NO, format!("no runtime can be made: {e}")))
}

/// What runs a server, and who calls it.
pub(crate) fn multi_thread() -> Result<Runtime, Stop> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::because(Exit::NO, format!("no runtime can be made: {e}")))
}
