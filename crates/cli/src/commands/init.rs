//! `consentry init`: a small bundle to begin with.

use std::path::PathBuf;

use super::keygen::write_new;
use crate::output;
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry init policies/mine && consentry check policies/mine && consentry test policies/mine
  consentry prove policies/mine

Exit codes:
  0 written   1 a file is there already, or cannot be written";

/// Write a small, commented bundle that passes its own check and test
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// The files.
const FILES: [(&str, &str); 6] = [
    ("bundle.yaml", include_str!("init/bundle/bundle.yaml")),
    ("parties.yaml", include_str!("init/bundle/parties.yaml")),
    ("service.yaml", include_str!("init/bundle/service.yaml")),
    ("rules.yaml", include_str!("init/bundle/rules.yaml")),
    ("clauses.yaml", include_str!("init/bundle/clauses.yaml")),
    ("cases.yaml", include_str!("init/bundle/cases.yaml")),
];

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let dir = &args.dir;
    std::fs::create_dir_all(dir)
        .map_err(|e| Stop::because(Exit::NO, format!("{} cannot be made: {e}", dir.display())))?;
    if let Some((name, _)) = FILES.iter().find(|(name, _)| dir.join(name).exists()) {
        return Err(Stop::because(Exit::NO, format!("{} is there already", dir.join(name).display())));
    }
    for (name, text) in FILES {
        write_new(&dir.join(name), text.as_bytes(), 0o644)?;
        output::say(&dir.join(name).display().to_string())?;
    }
    output::note(&format!("next: consentry check {0} && consentry test {0}", dir.display()));
    Ok(Exit::OK)
}
