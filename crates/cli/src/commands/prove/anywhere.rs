//! What a solver says of a bundle's invariants over any registry.

use std::path::Path;

use consentry_model::RuleId;
use consentry_policy::Engine;
#[cfg(feature = "symbolic")]
use consentry_policy::{Solver, SymbolicCounterexample, SymbolicOutcome, SymbolicProof};
use serde_json::{Value, json};

#[cfg(feature = "symbolic")]
use crate::output::{DIM, ERROR, GOOD, count};
use crate::output::{FAIR, paint};

/// What became of the question.
pub(super) enum Anywhere {
    /// Nobody was asked; why.
    NotAsked(&'static str),
    /// A solver was.
    #[cfg(feature = "symbolic")]
    Asked(Solver, SymbolicProof),
}

impl Anywhere {
    #[cfg(feature = "symbolic")]
    pub(super) fn of(engine: &Engine, program: Option<&Path>, secs_max: u64) -> Self {
        if engine.bundle().invariants.is_empty() {
            return Self::NotAsked("the bundle has no invariant");
        }
        let Some(mut solver) = program.map_or_else(Solver::installed, |path| Some(Solver::at(path))) else {
            return Self::NotAsked("no cvc5 is installed");
        };
        solver.question_millis_max = secs_max.saturating_mul(1_000);
        let proof = SymbolicProof::of(engine, &solver);
        Self::Asked(solver, proof)
    }

    #[cfg(not(feature = "symbolic"))]
    pub(super) fn of(_: &Engine, _: Option<&Path>, _: u64) -> Self {
        Self::NotAsked("this command was built without what speaks to a solver")
    }

    /// Whether every invariant was proved.
    pub(super) fn holds(&self) -> bool {
        match self {
            Self::NotAsked(_) => false,
            #[cfg(feature = "symbolic")]
            Self::Asked(_, proof) => proof.holds(),
        }
    }

    /// What is said below one invariant.
    pub(super) fn lines(&self, id: &RuleId) -> Vec<String> {
        match self {
            Self::NotAsked(_) => Vec::new(),
            #[cfg(feature = "symbolic")]
            Self::Asked(_, proof) => {
                proof.invariants.iter().filter(|one| one.id == *id).flat_map(lines).collect()
            }
        }
    }

    /// The last line.
    pub(super) fn sum(&self) -> String {
        match self {
            Self::NotAsked(why) => paint(FAIR, format!("not proved over any registry: {why}")),
            #[cfg(feature = "symbolic")]
            Self::Asked(solver, proof) => {
                let held = proof.invariants.iter().filter(|p| p.outcome == SymbolicOutcome::Holds).count();
                let (all, name) = (proof.invariants.len(), solver.program.display());
                format!("{held} of {all} invariants hold over any registry, says {name}")
            }
        }
    }

    /// About all of them, as JSON.
    pub(super) fn report(&self) -> Value {
        match self {
            Self::NotAsked(why) => json!({ "asked": false, "holds": false, "why": why }),
            #[cfg(feature = "symbolic")]
            Self::Asked(solver, proof) => {
                json!({ "asked": true, "holds": proof.holds(), "solver": solver.program.display().to_string() })
            }
        }
    }

    /// About one, as JSON.
    pub(super) fn report_of(&self, id: &RuleId) -> Value {
        match self {
            Self::NotAsked(why) => json!({ "outcome": "not-proved", "why": why }),
            #[cfg(feature = "symbolic")]
            Self::Asked(_, proof) => {
                proof.invariants.iter().find(|one| one.id == *id).map_or(Value::Null, |one| {
                    match &one.outcome {
                        SymbolicOutcome::Holds => json!({ "outcome": "holds", "purposes": one.purposes }),
                        SymbolicOutcome::NotProved(why) => json!({ "outcome": "not-proved", "why": why }),
                        SymbolicOutcome::False(found) => {
                            json!({ "outcome": "false", "counterexample": counterexample(found) })
                        }
                    }
                })
            }
        }
    }
}

#[cfg(feature = "symbolic")]
fn lines(one: &consentry_policy::SymbolicallyProven) -> Vec<String> {
    match &one.outcome {
        SymbolicOutcome::Holds => {
            let asked = format!("proved for {}", count(one.purposes, "purpose"));
            vec![format!("  {} {}", paint(GOOD, "over any registry"), paint(DIM, asked))]
        }
        SymbolicOutcome::NotProved(why) => {
            vec![format!("  {} {why}", paint(ERROR, "over any registry not proved:"))]
        }
        SymbolicOutcome::False(found) => {
            let mut out = vec![format!("  {}", paint(ERROR, "over any registry false"))];
            out.push(format!("    {}", found.sentence()));
            out.extend(found.facts.iter().map(|fact| format!("    where {fact}")));
            let rules: Vec<&str> = found.rules.iter().map(RuleId::as_str).collect();
            out.push(match rules.is_empty() {
                true => "    no rule permits it".to_owned(),
                false => format!("    decided by {}", rules.join(", ")),
            });
            out
        }
    }
}

#[cfg(feature = "symbolic")]
fn counterexample(found: &SymbolicCounterexample) -> Value {
    let rules: Vec<&str> = found.rules.iter().map(RuleId::as_str).collect();
    json!({
        "requester": found.requester, "recipient": found.recipient, "act": found.act, "purpose": found.purpose,
        "category": found.category, "subject": found.subject, "treatment": found.treatment,
        "permitted": found.permitted, "facts": found.facts, "rules": rules, "says": found.sentence(),
    })
}
