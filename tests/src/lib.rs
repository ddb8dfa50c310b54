//! What the integration tests share.
//!
//! Each test binary is declared in `tests/Cargo.toml`, with its path beside this folder:
//!
//! ```toml
//! [[test]]
//! name = "tidy"
//! path = "tidy.rs"
//! ```
//!
//! A test that cannot run where it is (no database at hand, say) calls [`skip`] and returns. It then counts as
//! skipped, by name and reason, and not as passed.

mod repo;
mod skipping;
mod source;
pub mod stories;
pub mod world;

pub use repo::{read, root, tracked, under, workspace};
pub use skipping::skip;
pub use source::{code_only, functions, modules, without_tests};
