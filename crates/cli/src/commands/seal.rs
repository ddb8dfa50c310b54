//! `consentry seal`: checks a bundle, runs its cases, and writes `bundle.lock`.

use std::path::PathBuf;

use crate::bundle::Checked;
use crate::output::{self, count};
use crate::stop::{Exit, Stop, chain};

const EXAMPLES: &str = "\
Examples:
  consentry seal policies/panopta

Exit codes:
  0 sealed, the digest is printed   1 the bundle has errors, or a case failed   2 it cannot be read";

/// Seal a bundle, so that it can be served
///
/// Checks the bundle and runs its cases; only when all of it holds, `bundle.lock` is written with every file's
/// digest. The sidecar serves sealed bundles alone: whatever is cut, added or changed afterwards is refused.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Seal although no case was run
    #[arg(long)]
    without_cases: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let checked = Checked::need(&args.bundle)?;
    if args.without_cases {
        output::note("no case was run");
    } else {
        let results = super::test::play(checked.bundle(), &checked.sources, None)?;
        let failed = results.iter().filter(|r| !r.holds()).count();
        if failed > 0 {
            output::note(&super::test::failures(&results));
            let what = format!("{} is not sealed: {} failed", args.bundle.display(), count(failed, "case"));
            return Err(Stop::because(Exit::NO, what));
        }
    }
    let digest = consentry_policy::seal(&args.bundle, &checked.sources)
        .map_err(|e| Stop::because(Exit::UNASKED, format!("{}: {}", args.bundle.display(), chain(&e))))?;
    output::say(digest.as_str())?;
    let cases = count(checked.bundle().cases.len(), "case");
    output::note(&format!("sealed {}: {cases}", args.bundle.display()));
    Ok(Exit::OK)
}
