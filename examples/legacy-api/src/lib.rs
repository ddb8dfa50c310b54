//! An ordinary JSON API with made-up customers that knows nothing of privacy.
//!
//! It asks nobody who they are, answers with everything it has, and misbehaves under `/faults/`. Whatever protects
//! these people has to stand in front of it. All data is invented and the same at every start: names are
//! combinations of neutral words, addresses end in `example.org` or `example.com`, telephone numbers lie in the
//! range kept for fiction, network addresses in those kept for documentation, and card numbers are test tokens.
//!
//! `GET /admin/received` tells which requests arrived, with headers, query and body.

mod customers;
mod faults;
mod feeds;
mod received;
mod routes;

pub use received::{Legacy, Received};
pub use routes::{router, serve};
