//! `consentry prove`: whether a bundle's invariants hold, whatever the facts are.

use std::path::PathBuf;

use consentry_policy::{Counterexample, Proof, ProofOutcome, Proven};
use serde_json::{Value, json};

use super::impact::need;
use crate::args::Format;
use crate::output::{self, DIM, ERROR, GOOD, NAME, count, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry prove policies/zabbix
  consentry prove policies/zabbix --format json

Exit codes:
  0 every invariant holds   1 one is false, or could not be proved   2 the bundle cannot be read";

/// Prove a bundle's invariants, or show where one is false
///
/// Each invariant is checked in every cell that its scope names: all registered requesters, recipients and data classes,
/// all purposes and acts, whether or not a route can ask it; for every value of every fact that its own conditions leave
/// open. What never may be yields to what every prohibition yields to: the subject's own access, and a lawful demand.
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
    let checked = need(&args.bundle)?;
    let proof = Proof::of(&checked.engine);
    match args.format {
        Format::Text => tell(&proof)?,
        Format::Json => output::say_json(&report(&proof))?,
    }
    Ok(if proof.holds() { Exit::OK } else { Exit::NO })
}

fn tell(proof: &Proof) -> Result<(), Stop> {
    let mut out = Vec::new();
    for proven in &proof.invariants {
        let looked = format!(
            "{} cells, {} of them reachable, {} assignments of facts",
            proven.cells, proven.reachable, proven.assignments
        );
        let id = paint(NAME, &proven.id);
        match &proven.outcome {
            ProofOutcome::Holds => {
                let never = if proven.always { "always" } else { "never" };
                out.push(format!("{} {id} {}", paint(GOOD, never), paint(DIM, looked)));
            }
            ProofOutcome::NotProved(why) => {
                out.push(format!("{} {id} {}", paint(ERROR, "not proved"), paint(DIM, looked)));
                out.push(format!("  {why}"));
            }
            ProofOutcome::False(counter) => {
                out.push(format!("{} {id}", paint(ERROR, "false")));
                out.extend(story(counter).into_iter().map(|line| format!("  {line}")));
            }
        }
        if !proven.clauses.is_empty() && proven.outcome != ProofOutcome::Holds {
            out.push(format!("  promised by {}", proven.clauses.join(", ")));
        }
    }
    let held = proof.invariants.iter().filter(|p| p.outcome == ProofOutcome::Holds).count();
    out.push(format!("{held} of {} hold", count(proof.invariants.len(), "invariant")));
    output::say(&out.join("\n"))
}

fn story(counter: &Counterexample) -> Vec<String> {
    let mut out = vec![counter.sentence()];
    out.extend(counter.facts.iter().map(|fact| format!("where {fact}")));
    let rules: Vec<&str> = counter.rules.iter().map(|rule| rule.as_str()).collect();
    out.push(match rules.is_empty() {
        true => "no rule permits it".to_owned(),
        false => format!("decided by {}", rules.join(", ")),
    });
    out
}

fn report(proof: &Proof) -> Value {
    json!({ "holds": proof.holds(), "invariants": proof.invariants.iter().map(one).collect::<Vec<_>>() })
}

fn one(proven: &Proven) -> Value {
    let (outcome, why, counter) = match &proven.outcome {
        ProofOutcome::Holds => ("holds", None, None),
        ProofOutcome::NotProved(why) => ("not-proved", Some(*why), None),
        ProofOutcome::False(counter) => ("false", None, Some(counter)),
    };
    let counter = counter.map(|c| {
        let rules: Vec<&str> = c.rules.iter().map(|rule| rule.as_str()).collect();
        json!({
            "requester": c.requester, "recipient": c.recipient, "act": c.act.code(), "purpose": c.purpose,
            "category": c.category, "subject": c.subject, "attested": c.attested, "facts": c.facts,
            "treatment": c.treatment.code(), "rules": rules, "reachable": c.reachable, "says": c.sentence(),
        })
    });
    json!({
        "id": proven.id.as_str(),
        "promises": if proven.always { "always" } else { "never" },
        "clauses": proven.clauses.iter().map(|c| &**c).collect::<Vec<_>>(),
        "outcome": outcome,
        "why": why,
        "cells": proven.cells,
        "reachable": proven.reachable,
        "assignments": proven.assignments.to_string(),
        "counterexample": counter,
    })
}
