//! Content codings (RFC 9110, section 8.4): undone before anything is read, strictly and within bounds.

mod accept;
mod brotli;
mod checked;
mod decoder;
mod encoder;
mod fault;
mod gzip;
mod limits;
mod name;
mod stage;
mod zlib;
mod zstd;

pub use accept::accepts_gzip;
pub use decoder::{Decoded, Decoder, decode};
pub use encoder::Encoder;
pub use fault::CodingFault;
pub use limits::CodingLimits;
pub use name::Coding;
