//! The sidecar: it stands in front of a service that nobody may touch, and enforces a sealed bundle on every request.
//!
//! [`Config::load`] reads one strict YAML file; [`check`] looks at what it names and touches nothing; [`serve`] opens
//! and checks everything it names before it binds a port, and serves until told to stop. What a request passes through
//! is one function in `stack`.
//!
//! The admin address answers `/healthz` (the process lives), `/readyz` (one line for each part that must hold) and
//! `/status`, and `/metrics` for Prometheus. A bundle that changes on disk comes into force when it is sealed and good; any
//! other is told, recorded and changes nothing. Keys and certificates change likewise.
//!
//! [`rehearse`] plays the cases of a bundle through the same layer, in memory.
//!
//! Logs hold routes, digests, counts and the names of the operator's own files: never a request's path, query or
//! headers, or anything of a person.

mod activity;
mod admin;
mod aging;
mod arrival;
mod config;
mod counters;
mod frames;
mod headers;
mod heads;
mod keys;
mod metrics;
mod panics;
mod parts;
mod patience;
mod peers;
mod places;
mod pseudonym_key;
mod rehearsal;
mod reload;
mod run;
mod says;
mod server;
mod stack;
mod state;
mod streams;
mod tls;
mod upkeep;
mod upstream;

pub use config::{
    ClientCertificates, Config, ConfigError, ConfigProblem, IdentityConfig, JwksUrl, KeySource, OtlpConfig,
    ProxyLimits, TlsConfig, UpstreamConfig, UpstreamTls,
};
pub use counters::Counts;
pub use panics::tell_panics_by_place;
pub use parts::PartProblem;
pub use rehearsal::{CaseResult, ClauseCoverage, Coverage, Difference, RuleCoverage, coverage, rehearse};
pub use run::{Report, Running, ServeError, Sidecar, check, serve, stop_signal};
pub use upstream::{Upstream, UpstreamError};
