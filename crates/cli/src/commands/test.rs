//! `consentry test`: runs the cases of bundles.

mod cover;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use consentry_policy::{Bundle, Sources};
use consentry_proxy::{CaseResult, Coverage, coverage, rehearse};
use serde_json::{Value, json};

use crate::args::Format;
use crate::bundle::Checked;
use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, count, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry test policies/panopta
  consentry test policies/panopta --only newsletter
  consentry test policies/* --coverage --min-clause-coverage 90
  consentry test policies/* --format json

Exit codes:
  0 every case holds   1 a case failed, a bundle has errors, or too little is tried out
  2 a bundle cannot be read, or no case was chosen";

/// Run the cases of bundles against the real pipeline
///
/// Each case is a short story with the outcome that must follow. It is played over HTTP/1.1, in memory, through the same layer that
/// serves, with a ledger that holds what the case says and an evidence log that goes away. A disputed case is one
/// whose clause could be read otherwise; it must hold like any other.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Folders with a bundle each
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Only cases with this in their name or clause
    #[arg(long, value_name = "SUBSTRING")]
    only: Option<String>,
    /// Say which rules and clauses the cases try out
    #[arg(long, conflicts_with = "only")]
    coverage: bool,
    /// How many of a hundred enforced clauses must be tried out, in each bundle
    #[arg(long, value_name = "PERCENT", conflicts_with = "only", value_parser = clap::value_parser!(u8).range(..=100))]
    min_clause_coverage: Option<u8>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What became of one bundle.
struct Played<'a> {
    dir: &'a Path,
    results: Vec<CaseResult>,
    coverage: Option<Coverage>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (mut list, mut all) = (Vec::new(), Vec::new());
    let mut enough = true;
    for dir in &args.bundles {
        let checked = Checked::need(dir)?;
        let results = play(checked.bundle(), &checked.sources, args.only.as_deref())?;
        let asked = args.coverage || args.min_clause_coverage.is_some();
        let runtime = crate::runtime::multi_thread()?;
        let coverage = asked.then(|| runtime.block_on(coverage(checked.bundle(), &results)));
        let played = Played { dir, results, coverage };
        let least = args.min_clause_coverage.map_or(0, usize::from);
        let lacks = played.coverage.as_ref().is_some_and(|coverage| coverage.clause_percent() < least);
        enough &= !lacks;
        match args.format {
            Format::Text => {
                tell(&played, args)?;
                if lacks {
                    let what =
                        format!("{}: fewer than {least} % of the clauses are tried out", dir.display());
                    output::say(&paint(ERROR, what))?;
                }
            }
            Format::Json => list.push(report(&played)),
        }
        all.extend(played.results);
    }
    let failed = all.iter().filter(|r| !r.holds()).count();
    let disputed = all.iter().filter(|r| r.disputed.is_some()).count();
    let passed = all.len() - failed;
    match args.format {
        Format::Text => output::say(&format!("{passed} passed, {failed} failed"))?,
        Format::Json => output::say_json(
            &json!({ "bundles": list, "passed": passed, "failed": failed, "disputed": disputed, "enough": enough }),
        )?,
    }
    if all.is_empty() && args.only.is_some() {
        return Err(Stop::because(Exit::UNASKED, "no case has that in its name or clause"));
    }
    Ok(if failed == 0 && enough { Exit::OK } else { Exit::NO })
}

/// Plays the cases of a bundle, or those that are chosen.
pub(super) fn play(bundle: &Bundle, sources: &Sources, only: Option<&str>) -> Result<Vec<CaseResult>, Stop> {
    let mut chosen = bundle.clone();
    if let Some(only) = only {
        chosen.cases.retain(|case| case.name.contains(only) || case.clause.contains(only));
    }
    let total = chosen.cases.len();
    // Nobody watches what is no terminal.
    let watched = std::io::stderr().is_terminal();
    let heard = |played: usize| {
        if watched {
            output::progress(&format!("{played} of {}", count(total, "case")), played == total);
        }
    };
    Ok(crate::runtime::multi_thread()?.block_on(rehearse(&chosen, sources, heard)))
}

/// Says which cases failed, and how.
pub(super) fn failures(results: &[CaseResult]) -> String {
    results.iter().filter(|r| !r.holds()).map(one).collect()
}

fn tell(played: &Played<'_>, args: &Args) -> Result<(), Stop> {
    if args.bundles.len() > 1 {
        output::say(&paint(BOLD, played.dir.display()))?;
    }
    for result in &played.results {
        output::say(&one(result))?;
    }
    if let Some(coverage) = &played.coverage {
        output::say(&cover::text(coverage))?;
    }
    Ok(())
}

fn one(result: &CaseResult) -> String {
    let clause = paint(DIM, format!("({})", result.clause));
    let disputed = result
        .disputed
        .as_ref()
        .map_or_else(String::new, |why| format!("       {}\n", paint(FAIR, format!("disputed: {why}"))));
    if result.holds() {
        return format!("{}     {} {clause}\n{disputed}", paint(GOOD, "ok"), result.name);
    }
    let mut out = format!("{} {} {clause}\n{disputed}", paint(ERROR, "FAILED"), result.name);
    for difference in &result.differences {
        out.push_str(&format!("       {}\n", difference.what));
        out.push_str(&format!("         expected {}\n", paint(GOOD, &difference.expected)));
        out.push_str(&format!("         found    {}\n", paint(ERROR, &difference.found)));
    }
    out
}

fn report(played: &Played<'_>) -> Value {
    let one = |result: &CaseResult| {
        let differences: Vec<Value> = result
            .differences
            .iter()
            .map(|d| json!({ "what": d.what, "expected": d.expected, "found": d.found }))
            .collect();
        json!({
            "case": result.name,
            "clause": result.clause,
            "ok": result.holds(),
            "disputed": result.disputed,
            "differences": differences,
        })
    };
    json!({
        "bundle": played.dir.display().to_string(),
        "cases": played.results.iter().map(one).collect::<Vec<_>>(),
        "coverage": played.coverage.as_ref().map(cover::json),
    })
}
