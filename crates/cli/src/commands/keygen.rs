//! `consentry keygen`: a signing key for development.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use consentry_identity::Issuer;

use crate::output;
use crate::stop::{Exit, Stop, chain};

const EXAMPLES: &str = "\
Examples:
  consentry keygen --key dev-key.pem --jwks dev-keys.json
  consentry token --key dev-key.pem --requester support --purpose essential.service.operations

Exit codes:
  0 written   1 a file is there already, or cannot be written   2 a mistake in the call";

/// Make a key that signs tokens for development
///
/// For development and demonstrations: whoever has the key can be everybody. In production an identity provider
/// issues tokens, and the sidecar knows its public keys alone.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the private key goes, as PEM, readable for its owner alone
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the public key goes, as a JSON Web Key Set; standard output when nothing is said
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    for path in std::iter::once(&args.key).chain(&args.jwks) {
        if path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
    }
    if args.jwks.as_ref() == Some(&args.key) {
        return Err(Stop::because(Exit::UNASKED, "--key and --jwks name the same file"));
    }
    let issuer = Issuer::generate().map_err(|e| Stop::because(Exit::NO, chain(&e)))?;
    write_new(&args.key, issuer.to_pem().as_bytes(), 0o600)?;
    match &args.jwks {
        Some(path) => write_new(path, format!("{}\n", issuer.jwks()).as_bytes(), 0o644)?,
        None => output::say(&issuer.jwks())?,
    }
    output::note(&format!("{}: a key for development only, kid {}", args.key.display(), issuer.kid()));
    Ok(Exit::OK)
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), Stop> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(content));
    written.map_err(|e| {
        let cannot = |why: &dyn std::fmt::Display| {
            Stop::because(Exit::NO, format!("{} cannot be written: {why}", path.display()))
        };
        if e.kind() == ErrorKind::AlreadyExists {
            taken(path)
        } else if e.kind() == ErrorKind::NotFound {
            cannot(&"its folder is not there")
        } else {
            cannot(&e)
        }
    })
}

fn taken(path: &Path) -> Stop {
    let what = format!("{} is there already; choose another name or remove it", path.display());
    Stop::because(Exit::NO, what)
}
