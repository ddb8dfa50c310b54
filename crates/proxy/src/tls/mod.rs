//! TLS at both ends: towards callers, and towards the service behind. One provider of cryptography, *ring*; versions 1.2
//! and 1.3 and nothing older (RFC 8996).

mod connector;
mod files;
mod listener;
mod wire;

pub(crate) use connector::{Connector, client_config};
pub(crate) use files::{TlsTexts, read_texts, server_config};
pub(crate) use listener::{Accepted, Handshakes, Shaken, TlsInForce, TlsSlot};
pub(crate) use wire::Reset;
