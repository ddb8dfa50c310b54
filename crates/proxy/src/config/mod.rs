//! The configuration: one YAML file, read strictly, with every mistake told at once.

mod error;
mod file;
mod identity;
mod limits;
mod reader;
mod tls;
mod tree;
mod upstream;

pub use error::{ConfigError, ConfigProblem};
pub use file::{Config, OtlpConfig};
pub use identity::{IdentityConfig, JwksUrl, KeySource};
pub use limits::ProxyLimits;
pub use tls::{ClientCertificates, TlsConfig};
pub use upstream::{UpstreamConfig, UpstreamTls};
