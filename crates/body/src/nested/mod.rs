//! JSON and base64 inside of strings, where the map says so.

mod base64;
mod edges;
mod scan;
mod text;
mod wrap;

pub(crate) use base64::decode_text;
pub(crate) use text::Text;
