//! `consentry prove`: whether a bundle's invariants hold, whatever the facts are.

mod anywhere;

use std::path::PathBuf;

use consentry_policy::{Counterexample, Proof, ProofOutcome, Proven};
use serde_json::{Value, json};

use self::anywhere::Anywhere;
use super::impact::need;
use crate::args::Format;
use crate::output::{self, DIM, ERROR, GOOD, NAME, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry prove policies/zabbix
  consentry prove policies/zabbix --any-registry
  consentry prove policies/zabbix --format json

Exit codes:
  0 every invariant holds   1 one is false, or could not be proved   2 the bundle cannot be read
With --any-registry 0 means that every invariant holds over any registry as well.";

/// Prove a bundle's invariants, or show where one is false
///
/// Each invariant is checked in every cell that its scope names: all registered requesters, recipients and data classes,
/// all purposes and acts, whether or not a route can ask it; for every value of every fact that its own conditions leave
/// open. What never may be yields to what every prohibition yields to: the subject's own access, and a lawful demand.
///
/// Where the solver cvc5 is installed, it is asked as well whether the rules keep the invariant over any registry:
/// whoever is registered later, and whatever a route carries then. A solver that is missing, late, at a loss or broken
/// proves nothing.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Insist that every invariant is proved over any registry, too
    #[arg(long)]
    any_registry: bool,
    /// The solver, instead of the cvc5 that the search path has
    #[arg(long, value_name = "PROGRAM")]
    solver: Option<PathBuf>,
    /// How many seconds the solver has for one question
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    solver_secs_max: u64,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let checked = need(&args.bundle)?;
    let proof = Proof::of(&checked.engine);
    let anywhere = Anywhere::of(&checked.engine, args.solver.as_deref(), args.solver_secs_max);
    match args.format {
        Format::Text => tell(&proof, &anywhere)?,
        Format::Json => output::say_json(&report(&proof, &anywhere))?,
    }
    let nothing_to_prove = proof.invariants.is_empty();
    let enough = proof.holds() && (anywhere.holds() || nothing_to_prove || !args.any_registry);
    Ok(if enough { Exit::OK } else { Exit::NO })
}

fn tell(proof: &Proof, anywhere: &Anywhere) -> Result<(), Stop> {
    if proof.invariants.is_empty() {
        return output::say("the bundle states no invariant: there is nothing to prove");
    }
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
        out.extend(anywhere.lines(&proven.id));
    }
    let held = proof.invariants.iter().filter(|p| p.outcome == ProofOutcome::Holds).count();
    out.push(format!("{held} of {} invariants hold", proof.invariants.len()));
    out.push(anywhere.sum());
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

fn report(proof: &Proof, anywhere: &Anywhere) -> Value {
    let invariants: Vec<Value> = proof.invariants.iter().map(|proven| one(proven, anywhere)).collect();
    json!({ "holds": proof.holds(), "any_registry": anywhere.report(), "invariants": invariants })
}

fn one(proven: &Proven, anywhere: &Anywhere) -> Value {
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
        "any_registry": anywhere.report_of(&proven.id),
    })
}
