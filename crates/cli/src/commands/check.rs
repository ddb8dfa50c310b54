//! `consentry check`: reads bundles as a compiler would.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::Format;
use crate::bundle::{Checked, Counts, Wrong};
use crate::output::{self, ERROR, GOOD, count, paint};
use crate::stop::{Exit, Stop, chain};

const EXAMPLES: &str = "\
Examples:
  consentry check policies/panopta
  consentry check policies/* --format json

Exit codes:
  0 every bundle holds   1 some bundle has errors   2 some bundle cannot be read";

/// Check bundles: every error at once, with file, line and what was meant
///
/// Reads each bundle, sealed or not, says everything that is wrong with it, and compiles its rules under strict
/// validation. Cases are not run; `consentry test` does.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Folders with a bundle each
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut exit = Exit::OK;
    let mut list = Vec::new();
    for dir in &args.bundles {
        let checked = Checked::load(dir);
        exit = exit.max(match &checked {
            Ok(_) => Exit::OK,
            Err(Wrong::Found(_) | Wrong::Uncompiled(_)) => Exit::NO,
            Err(Wrong::Unreadable(_)) => Exit::UNASKED,
        });
        match args.format {
            Format::Text => tell(dir, checked)?,
            Format::Json => list.push(report(dir, &checked)),
        }
    }
    if args.format == Format::Json {
        output::say_json(&json!({ "bundles": list }))?;
    }
    Ok(exit)
}

fn tell(dir: &Path, checked: Result<Checked, Wrong>) -> Result<(), Stop> {
    let name = dir.display();
    match checked {
        Ok(checked) => {
            let warnings = &checked.bundle().warnings;
            let (_, number) = warnings.counts();
            if number > 0 {
                output::say(&warnings.render(true))?;
            }
            let also = if number > 0 { format!(" ({})", count(number, "warning")) } else { String::new() };
            output::say(&format!("{} {name}: {}{also}", paint(GOOD, "ok"), checked.summary()))
        }
        Err(Wrong::Found(found)) => {
            output::say(&found.render(true))?;
            let (errors, warnings) = found.counts();
            let counts = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
            output::say(&format!("\n{} {name}: {counts}", paint(ERROR, "wrong")))
        }
        Err(wrong) => {
            wrong.stop(dir).tell();
            Ok(())
        }
    }
}

fn report(dir: &Path, checked: &Result<Checked, Wrong>) -> Value {
    let name = dir.display().to_string();
    match checked {
        Ok(checked) => {
            let bundle = checked.bundle();
            let n = Counts::of(bundle);
            json!({
                "bundle": name,
                "ok": true,
                "controller": bundle.controller,
                "version": bundle.version,
                "digest": bundle.digest.as_str(),
                "diagnostics": bundle.warnings.iter().collect::<Vec<_>>(),
                "rules": n.rules,
                "routes": bundle.service.routes.len(),
                "cases": bundle.cases.len(),
                "clauses": {
                    "enforced": n.enforced,
                    "partly": n.partly,
                    "pending": n.pending,
                    "organisational": n.organisational,
                },
            })
        }
        Err(Wrong::Found(found)) => {
            json!({ "bundle": name, "ok": false, "diagnostics": found.iter().collect::<Vec<_>>() })
        }
        Err(Wrong::Unreadable(error)) => {
            json!({ "bundle": name, "ok": false, "unreadable": error.to_string() })
        }
        Err(Wrong::Uncompiled(error)) => json!({ "bundle": name, "ok": false, "uncompiled": chain(error) }),
    }
}
