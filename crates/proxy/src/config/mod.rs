//! The configuration: one YAML file, read strictly, with every mistake told at once.

mod error;
mod file;
mod limits;
mod reader;
mod tls;
mod tree;
mod upstream;

pub use error::{ConfigError, ConfigProblem};
pub use file::{Config, IdentityConfig, KeySource, OtlpConfig};
pub use limits::ProxyLimits;
pub use tls::{ClientCertificates, TlsConfig};
pub use upstream::{UpstreamConfig, UpstreamTls};
