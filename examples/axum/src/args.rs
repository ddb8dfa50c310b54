//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
usage: axum-example [--policy DIR] [--data DIR] [--keys FILE] [--port PORT] [--self-test] [--help]

  --policy DIR   a sealed bundle; the example's own without it
  --data DIR     where the ledger and the evidence are kept; a folder that goes away without it
  --keys FILE    a JSON Web Key Set; without it a key is made, and tokens to try are printed
  --port PORT    the port on the loopback address; whichever is free without it
  --self-test    send a few requests, say what became of them, and end
  --help         print this";

/// What the command line says.
pub(crate) struct Args {
    pub(crate) policy: PathBuf,
    pub(crate) data: Option<PathBuf>,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) port: u16,
    pub(crate) self_test: bool,
}

impl Args {
    /// Reads it; anything unknown is an error.
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, &'static str> {
        let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/policy"));
        let mut args = Self { policy: own, data: None, keys: None, port: 0, self_test: false };
        while let Some(option) = given.next() {
            let mut value = || given.next().ok_or(USAGE);
            match option.as_str() {
                "--policy" => args.policy = value()?.into(),
                "--data" => args.data = Some(value()?.into()),
                "--keys" => args.keys = Some(value()?.into()),
                "--port" => args.port = value()?.parse().map_err(|_| USAGE)?,
                "--self-test" => args.self_test = true,
                _ => return Err(USAGE),
            }
        }
        // The test signs its own tokens, and writes to the ledger.
        let own_only = args.keys.is_some() || args.data.is_some();
        if args.self_test && own_only { Err(USAGE) } else { Ok(args) }
    }
}
