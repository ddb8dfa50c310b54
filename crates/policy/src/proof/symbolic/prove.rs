//! Asking a solver about every invariant of a bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::CompiledPolicySet;
use consentry_model::{RuleId, Treatment};

use super::promise::{Promise, enough};
use super::solver::{Implied, Running, Solver, compiled};
use super::told::{SymbolicCounterexample, Teller};
use crate::bundle::Bundle;
use crate::engine::{Engine, Groups};
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
    let envs = schema.request_envs().collect();
    let mut prover = Prover {
        bundle: engine.bundle(),
        schema,
        policies,
        groups: Groups::of(engine.bundle()),
        envs,
        own: BTreeMap::new(),
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

/// The policies that are about one purpose.
struct Own {
    set: PolicySet,
    /// The same, as the solver takes them.
    compiled: CompiledPolicySet,
    permits: bool,
}

struct Prover<'a> {
    bundle: &'a Bundle,
    schema: &'a Schema,
    policies: Vec<&'a Policy>,
    groups: Groups,
    /// One for each purpose.
    envs: Vec<RequestEnv>,
    own: BTreeMap<String, Arc<Own>>,
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
        let outcome = self.any(invariant, &asked).await;
        SymbolicallyProven::of(invariant, asked.len(), outcome)
    }

    fn is_asked(&self, invariant: &Invariant, env: &RequestEnv) -> bool {
        let (purposes, asked) = (&self.bundle.vocabulary.purposes, env.action().id().unescaped());
        let in_scope = |above: &str| {
            if invariant.always { purposes.is_within(asked, above) } else { purposes.touches(asked, above) }
        };
        invariant.rule.purposes.as_ref().is_none_or(|scope| scope.iter().any(|p| in_scope(p.as_str())))
    }

    /// Whether an invariant is kept for every purpose, in one of the treatments that are enough.
    async fn any(&mut self, invariant: &Invariant, asked: &[RequestEnv]) -> SymbolicOutcome {
        let treatments = enough(invariant);
        let mut outcome = SymbolicOutcome::NotProved("nothing was promised".to_owned());
        for treatment in &treatments {
            outcome = self.all(invariant, *treatment, asked).await;
            if outcome == SymbolicOutcome::Holds {
                return outcome;
            }
        }
        // Which of several treatments is permitted may depend on the facts, so that no single one refutes.
        if treatments.len() > 1 {
            return SymbolicOutcome::NotProved("no single treatment is always permitted".to_owned());
        }
        outcome
    }

    async fn all(
        &mut self,
        invariant: &Invariant,
        treatment: Option<Treatment>,
        asked: &[RequestEnv],
    ) -> SymbolicOutcome {
        for env in asked {
            match self.one(invariant, treatment, env).await {
                Ok(None) => {}
                Ok(Some(found)) => return SymbolicOutcome::False(found.into()),
                Err(why) => return SymbolicOutcome::NotProved(why),
            }
        }
        SymbolicOutcome::Holds
    }

    /// Whether an invariant is kept for one purpose; a counterexample if not.
    async fn one(
        &mut self,
        invariant: &Invariant,
        treatment: Option<Treatment>,
        env: &RequestEnv,
    ) -> Result<Option<SymbolicCounterexample>, String> {
        let own = self.own(env)?;
        // Where no permission is about the purpose, nothing is permitted: no solver has to say so.
        if !own.permits && !invariant.always {
            return Ok(None);
        }
        let promise = Promise::of(self.bundle, &own.set, invariant, treatment)?;
        let promised = compiled(&promise.set, env, self.schema)?;
        let (all, among) =
            if promise.always { (&promised, &own.compiled) } else { (&own.compiled, &promised) };
        match self.solver.implies(all, among).await? {
            Implied::Always => Ok(None),
            Implied::NotHere(found) => {
                let (bundle, schema) = (self.bundle, self.schema);
                let teller = Teller { bundle, schema, own: &own.set, promise: &promise };
                teller.tell(&found).map(Some)
            }
        }
    }

    fn own(&mut self, env: &RequestEnv) -> Result<Arc<Own>, String> {
        let purpose = env.action().id().unescaped();
        if let Some(there) = self.own.get(purpose) {
            return Ok(Arc::clone(there));
        }
        let about: Vec<&Policy> =
            self.policies.iter().copied().filter(|policy| self.is_about(policy, purpose)).collect();
        let set = PolicySet::from_policies(about.iter().copied().cloned())
            .map_err(|error| format!("the policies are no set: {error}"))?;
        let compiled = compiled(&set, env, self.schema)?;
        let permits = about.iter().any(|policy| policy.effect() == Effect::Permit);
        let made = Arc::new(Own { set, compiled, permits });
        self.own.insert(purpose.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// Whether the head of a policy lets it speak about a purpose.
    fn is_about(&self, policy: &Policy, purpose: &str) -> bool {
        let groups = self.groups.purposes.get(purpose);
        let is = |action: &EntityUid| {
            let id = action.id().unescaped();
            id == purpose || groups.is_none_or(|groups| groups.contains(id))
        };
        match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::In(actions) => actions.iter().any(is),
            ActionConstraint::Eq(action) => is(&action),
        }
    }
}
