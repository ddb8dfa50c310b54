//! Whatever reads bytes, driven by bytes that nobody wrote.
//!
//! Each module is one target: a function from bytes to nothing that panics when a promise is broken. `cargo test -p
//! consentry-fuzz` replays every seed and a fixed number of mutations of them, the same ones every time; `cargo fuzz`
//! searches for more (`README.md` says how). What a search finds becomes a seed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target reports by panicking"
)]

pub mod bundle;
pub mod carriers;
pub mod coding;
pub mod exchange;
// The sidecar's own, which nobody else is to use.
#[path = "../../crates/proxy/src/heads.rs"]
mod heads;
pub mod json;
pub mod media;
mod mutate;
pub mod people;
pub mod purpose;
mod targets;
pub mod token;
mod unsynced;
pub mod wire;

pub use mutate::Mutator;
pub use targets::{TARGETS, Target};
