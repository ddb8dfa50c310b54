//! `consentry clauses`: what became of every sentence of the policy.

use std::path::PathBuf;

use anstyle::Style;
use consentry_policy::{Bundle, Clause, ClauseStatus};
use serde_json::{Value, json};

use crate::args::Format;
use crate::bundle::Checked;
use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, NAME, PLAIN, Table};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry clauses policies/panopta
  consentry clauses policies/panopta --format json | jq '.clauses[] | select(.status == \"pending\")'

Exit codes:
  0 listed   1 the bundle has errors   2 it cannot be read";

/// List a policy's clauses, what became of each, and what enforces it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let checked = Checked::need(&args.bundle)?;
    let bundle = checked.bundle();
    match args.format {
        Format::Text => {
            let mut table = Table::new(["clause", "line", "status", "what it says, and what enforces it"]);
            for clause in &bundle.clauses {
                table.row([
                    (NAME, clause.id.to_string()),
                    (DIM, clause.line.to_string()),
                    (style(&clause.status), clause.status.code().to_owned()),
                    (PLAIN, clause.says.clone()),
                ]);
                let below =
                    [why(&clause.status).map(str::to_owned), Some(enforced_by(bundle, clause).join(", "))];
                for text in below.into_iter().flatten().filter(|t| !t.is_empty()) {
                    let text = format!("↳ {text}");
                    table.row([
                        (PLAIN, String::new()),
                        (PLAIN, String::new()),
                        (PLAIN, String::new()),
                        (DIM, text),
                    ]);
                }
            }
            output::say(&table.render(0, output::width()))?;
            output::say(&format!("{BOLD}{}{BOLD:#}", checked.summary()))?;
        }
        Format::Json => {
            let clauses: Vec<Value> = bundle.clauses.iter().map(|c| one(bundle, c)).collect();
            output::say_json(
                &json!({ "controller": bundle.controller, "version": bundle.version, "clauses": clauses }),
            )?;
        }
    }
    Ok(Exit::OK)
}

fn one(bundle: &Bundle, clause: &Clause) -> Value {
    json!({
        "id": &*clause.id,
        "line": clause.line,
        "section": clause.section,
        "says": clause.says,
        "status": clause.status.code(),
        "why": why(&clause.status),
        "enforced_by": enforced_by(bundle, clause),
        "cases": bundle.cases.iter().filter(|c| c.clause == *clause.id).map(|c| &c.name).collect::<Vec<_>>(),
    })
}

fn style(status: &ClauseStatus) -> Style {
    match status {
        ClauseStatus::Enforced => GOOD,
        ClauseStatus::Partly(_) => FAIR,
        ClauseStatus::Pending(_) => ERROR,
        ClauseStatus::Organisational(_) => DIM,
    }
}

fn why(status: &ClauseStatus) -> Option<&str> {
    match status {
        ClauseStatus::Enforced => None,
        ClauseStatus::Partly(text) | ClauseStatus::Pending(text) | ClauseStatus::Organisational(text) => {
            Some(text)
        }
    }
}

/// Everything in the bundle that cites a clause.
pub(crate) fn enforced_by(bundle: &Bundle, clause: &Clause) -> Vec<String> {
    let cites = |clauses: &[std::sync::Arc<str>]| clauses.contains(&clause.id);
    let rules = bundle.rules.iter().filter(|r| cites(&r.clauses)).map(|r| format!("rule {}", r.id));
    let routes =
        bundle.service.routes.iter().filter(|r| cites(&r.clauses)).map(|r| format!("route {}", r.id));
    let cookies =
        bundle.service.cookies.iter().filter(|c| cites(&c.clauses)).map(|c| format!("cookie {}", c.name));
    let contact = bundle.contact.iter().filter(|c| cites(&c.clauses)).map(|_| "contact".to_owned());
    rules.chain(routes).chain(cookies).chain(contact).collect()
}
