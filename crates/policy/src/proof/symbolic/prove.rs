//! Asking a solver about every invariant of a bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::CompiledPolicySet;
use consentry_model::RuleId;

use super::promise::Promise;
use super::solver::{Implied, Running, Solver, compiled};
use super::told::{SymbolicCounterexample, Teller};
use crate::bundle::Bundle;
use crate::engine::Engine;
use crate::rules::Invariant;

/// The stack of the thread that proves: formulas are taken apart by recursion.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// What became of every invariant over any registry, in the bundle's order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolicProof {
    /// One each.
    pub invariants: Vec<SymbolicallyProven>,
}

/// What became of one invariant over any registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolicallyProven {
    /// Its id.
    pub id: RuleId,
    /// Whether it promises that something is always allowed; otherwise that it never is.
    pub always: bool,
    /// How many purposes the solver was asked about.
    pub purposes: usize,
    /// Whether it holds.
    pub outcome: SymbolicOutcome,
}

/// Whether an invariant holds over any registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolicOutcome {
    /// The solver proved it for every purpose of its scope, whoever and whatever is registered.
    Holds,
    /// Here it does not: Cedar itself answers so.
    False(Box<SymbolicCounterexample>),
    /// It was neither proved nor refuted, which counts as false; why.
    NotProved(String),
}

impl SymbolicProof {
    /// Asks a solver about every invariant. A solver that is missing, late, at a loss or broken proves nothing.
    ///
    /// The proof is as good as the solver's word: what it refutes is checked with Cedar, what it proves is not.
    #[must_use]
    pub fn of(engine: &Engine, solver: &Solver) -> Self {
        // On a thread of its own: the caller may itself run on something that must not wait.
        let proved = std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            thread.spawn_scoped(threads, || prove(engine, solver)).map(std::thread::ScopedJoinHandle::join)
        });
        let invariants = match proved {
            Ok(Ok(proved)) => proved,
            Ok(Err(_)) => Err("the proof broke off".to_owned()),
            Err(error) => Err(format!("the proof cannot be started: {error}")),
        };
        let all = || engine.bundle().invariants.iter();
        Self {
            invariants: invariants.unwrap_or_else(|why| {
                let outcome = SymbolicOutcome::NotProved(why);
                all().map(|invariant| SymbolicallyProven::of(invariant, 0, outcome.clone())).collect()
            }),
        }
    }

    /// Whether all of them hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants.iter().all(|one| one.outcome == SymbolicOutcome::Holds)
    }
}

impl SymbolicallyProven {
    fn of(invariant: &Invariant, purposes: usize, outcome: SymbolicOutcome) -> Self {
        Self { id: invariant.rule.id.clone(), always: invariant.always, purposes, outcome }
    }
}

fn prove(engine: &Engine, solver: &Solver) -> Result<Vec<SymbolicallyProven>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("nothing can wait for a solver: {error}"))?;
    let (policies, schema) = engine.policies_and_schema();
    let own = PolicySet::from_policies(policies.into_iter().cloned())
        .map_err(|error| format!("the policies are no set: {error}"))?;
    let envs = schema.request_envs().collect();
    let mut prover = Prover {
        bundle: engine.bundle(),
        schema,
        own: Arc::new(own),
        envs,
        compiled: BTreeMap::new(),
        solver: Running::new(solver),
    };
    runtime.block_on(async {
        let mut out = Vec::new();
        for invariant in &engine.bundle().invariants {
            out.push(prover.invariant(invariant).await);
        }
        Ok(out)
    })
}

struct Prover<'a> {
    bundle: &'a Bundle,
    schema: &'a Schema,
    own: Arc<PolicySet>,
    /// One for each purpose.
    envs: Vec<RequestEnv>,
    /// The bundle's policies as the solver takes them, by purpose.
    compiled: BTreeMap<String, Arc<CompiledPolicySet>>,
    solver: Running<'a>,
}

impl Prover<'_> {
    async fn invariant(&mut self, invariant: &Invariant) -> SymbolicallyProven {
        let asked: Vec<RequestEnv> =
            self.envs.iter().filter(|env| self.is_asked(invariant, env)).cloned().collect();
        if asked.is_empty() {
            let outcome = SymbolicOutcome::NotProved("no purpose is in its scope".to_owned());
            return SymbolicallyProven::of(invariant, 0, outcome);
        }
        let mut outcome = match Promise::all(self.bundle, &self.own, invariant) {
            Ok(promises) => self.any(&promises, &asked).await,
            Err(why) => SymbolicOutcome::NotProved(why),
        };
        // In which of several treatments an answer is given is the engine's choice, so that no single one refutes.
        if matches!(&outcome, SymbolicOutcome::False(found) if found.treatment_is_one_of_several) {
            outcome = SymbolicOutcome::NotProved("no single treatment is always permitted".to_owned());
        }
        SymbolicallyProven::of(invariant, asked.len(), outcome)
    }

    fn is_asked(&self, invariant: &Invariant, env: &RequestEnv) -> bool {
        let (purposes, asked) = (&self.bundle.vocabulary.purposes, env.action().id().unescaped());
        let in_scope = |above: &str| {
            if invariant.always { purposes.is_within(asked, above) } else { purposes.touches(asked, above) }
        };
        invariant.rule.purposes.as_ref().is_none_or(|scope| scope.iter().any(|p| in_scope(p.as_str())))
    }

    /// Whether one of several promises is kept for every purpose.
    async fn any(&mut self, promises: &[Promise], asked: &[RequestEnv]) -> SymbolicOutcome {
        let mut first = None;
        for promise in promises {
            match self.all(promise, asked).await {
                SymbolicOutcome::Holds => return SymbolicOutcome::Holds,
                SymbolicOutcome::False(mut found) => {
                    found.treatment_is_one_of_several = promises.len() > 1;
                    first.get_or_insert(SymbolicOutcome::False(found));
                }
                not_proved @ SymbolicOutcome::NotProved(_) => {
                    first.get_or_insert(not_proved);
                }
            }
        }
        first.unwrap_or_else(|| SymbolicOutcome::NotProved("nothing was promised".to_owned()))
    }

    async fn all(&mut self, promise: &Promise, asked: &[RequestEnv]) -> SymbolicOutcome {
        for env in asked {
            match self.one(promise, env).await {
                Ok(None) => {}
                Ok(Some(found)) => return SymbolicOutcome::False(found.into()),
                Err(why) => return SymbolicOutcome::NotProved(why),
            }
        }
        SymbolicOutcome::Holds
    }

    /// Whether a promise is kept for one purpose; a counterexample if not.
    async fn one(
        &mut self,
        promise: &Promise,
        env: &RequestEnv,
    ) -> Result<Option<SymbolicCounterexample>, String> {
        let (own, promised) = (self.own(env)?, compiled(&promise.set, env, self.schema)?);
        let (all, among) = if promise.always { (&promised, &*own) } else { (&*own, &promised) };
        match self.solver.implies(all, among).await? {
            Implied::Always => Ok(None),
            Implied::NotHere(found) => {
                let teller = Teller { bundle: self.bundle, schema: self.schema, own: &self.own, promise };
                teller.tell(&found).map(Some)
            }
        }
    }

    fn own(&mut self, env: &RequestEnv) -> Result<Arc<CompiledPolicySet>, String> {
        let purpose = env.action().id().unescaped().to_owned();
        if let Some(there) = self.compiled.get(&purpose) {
            return Ok(Arc::clone(there));
        }
        let made = Arc::new(compiled(&self.own, env, self.schema)?);
        self.compiled.insert(purpose, Arc::clone(&made));
        Ok(made)
    }
}
