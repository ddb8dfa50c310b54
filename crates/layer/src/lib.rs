//! The tower middleware: authenticate → describe → decide → gate → redact → close the ticket.
//!
//! [`ConsentryLayer`] wraps any service. The service behind it is called only with a
//! [`Permit`](consentry_policy::Permit), and only after the ruling is durable in the evidence log; what it answers
//! leaves window by window, each released by the receipt of its own verdicts.
//!
//! What defeats a layer: a route added to a router *after* the layer is not behind it. Wrap the finished service.
//!
//! A layer cannot be built without a policy slot, an authenticator, a ledger and an evidence log. While the slot is
//! empty, or the bundle in it is too old, everything is refused.

mod account;
mod admission;
mod anew;
mod answer;
mod arrival;
mod asking;
mod body;
mod browser;
mod cadence;
mod clock;
mod coding;
mod cookies;
mod data;
mod decide;
mod defences;
mod describe;
mod detect;
mod duties;
mod events;
mod evidence;
mod exchange;
mod faults;
mod gate;
mod head;
mod judge;
mod layer;
mod limits;
mod lines;
mod lookalikes;
mod media;
mod message;
mod naming;
mod page;
mod patterns;
mod people;
mod pointers;
mod precedent;
mod present;
mod pseudonyms;
mod pump;
mod purposes;
mod query;
mod refuse;
mod request;
mod response;
mod said;
mod sending;
mod service;
mod slot;
mod source;
mod spelled;
mod stated;
mod target;
mod technical;
mod transport;
mod unheard;
mod vary;
mod window;

pub use account::Account;
pub use body::{ResponseBody, StreamError};
pub use clock::{Clock, SystemClock};
pub use layer::{BuildError, Builder, ConsentryLayer};
pub use limits::Limits;
pub use pseudonyms::PseudonymKey;
pub use service::Consentry;
pub use slot::{AuthenticatorSlot, Installed, NewerKeys, PolicySlot};
pub use transport::{Destination, Tls, Transport};
