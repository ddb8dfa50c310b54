//! Every media type but JSON: what is read, what is refused, what leaves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

mod csv;
mod events;
mod form;
mod lines;
mod multipart;
mod nested;
mod properties;
mod support;
mod whole;
