//! `consentry test`: runs the cases of bundles.

use std::path::{Path, PathBuf};

use consentry_policy::Bundle;
use consentry_proxy::{CaseResult, rehearse};
use serde_json::{Value, json};

use crate::args::Format;
use crate::bundle::Checked;
use crate::output::{self, BOLD, DIM, ERROR, GOOD, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry test policies/panopta
  consentry test policies/panopta --only newsletter
  consentry test policies/* --format json

Exit codes:
  0 every case holds   1 a case failed, or a bundle has errors   2 a bundle cannot be read, or no case was chosen";

/// Run the cases of bundles against the real pipeline
///
/// Each case is a short story with the outcome that must follow. It is played in memory through the same layer that
/// serves, with a ledger that holds what the case says and an evidence log that goes away.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Folders with a bundle each
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Only cases with this in their name or clause
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (mut list, mut all) = (Vec::new(), Vec::new());
    for dir in &args.bundles {
        let checked = Checked::need(dir)?;
        let results = play(checked.bundle(), args.only.as_deref())?;
        match args.format {
            Format::Text => tell(dir, &results, args.bundles.len() > 1)?,
            Format::Json => list.push(report(dir, &results)),
        }
        all.extend(results);
    }
    let failed = all.iter().filter(|r| !r.holds()).count();
    let passed = all.len() - failed;
    match args.format {
        Format::Text => output::say(&format!("{passed} passed, {failed} failed"))?,
        Format::Json => output::say_json(&json!({ "bundles": list, "passed": passed, "failed": failed }))?,
    }
    if all.is_empty() && args.only.is_some() {
        return Err(Stop::because(Exit::UNASKED, "no case has that in its name or clause"));
    }
    Ok(if failed == 0 { Exit::OK } else { Exit::NO })
}

/// Plays the cases of a bundle, or those that are chosen.
pub(super) fn play(bundle: &Bundle, only: Option<&str>) -> Result<Vec<CaseResult>, Stop> {
    let mut chosen = bundle.clone();
    if let Some(only) = only {
        chosen.cases.retain(|case| case.name.contains(only) || case.clause.contains(only));
    }
    Ok(crate::runtime::multi_thread()?.block_on(rehearse(&chosen)))
}

/// Says which cases failed, and how.
pub(super) fn failures(results: &[CaseResult]) -> String {
    results.iter().filter(|r| !r.holds()).map(one).collect()
}

fn tell(dir: &Path, results: &[CaseResult], several: bool) -> Result<(), Stop> {
    if several {
        output::say(&paint(BOLD, dir.display()))?;
    }
    for result in results {
        output::say(&one(result))?;
    }
    Ok(())
}

fn one(result: &CaseResult) -> String {
    let clause = paint(DIM, format!("({})", result.clause));
    if result.holds() {
        return format!("{}     {} {clause}\n", paint(GOOD, "ok"), result.name);
    }
    let mut out = format!("{} {} {clause}\n", paint(ERROR, "FAILED"), result.name);
    for difference in &result.differences {
        out.push_str(&format!("       {}\n", difference.what));
        out.push_str(&format!("         expected {}\n", paint(GOOD, &difference.expected)));
        out.push_str(&format!("         found    {}\n", paint(ERROR, &difference.found)));
    }
    out
}

fn report(dir: &Path, results: &[CaseResult]) -> Value {
    let one = |result: &CaseResult| {
        let differences: Vec<Value> = result
            .differences
            .iter()
            .map(|d| json!({ "what": d.what, "expected": d.expected, "found": d.found }))
            .collect();
        json!({ "case": result.name, "clause": result.clause, "ok": result.holds(), "differences": differences })
    };
    json!({ "bundle": dir.display().to_string(), "cases": results.iter().map(one).collect::<Vec<_>>() })
}
