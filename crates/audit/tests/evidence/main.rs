//! The evidence log from outside: what is durable, what survives a crash, what does not go unnoticed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, helpers included"
)]

mod commits;
mod outage;
mod precedents;
mod recovery;
mod support;
mod tamper;
mod tickets;
