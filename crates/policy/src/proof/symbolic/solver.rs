//! The solver: a program beside this one, which may be missing, late, at a loss or broken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cedar_policy::{Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, Env, err};
use tokio::process::Command;

/// How long a solver has for one question when nothing else is said, in milliseconds.
const QUESTION_MILLIS_MAX: u64 = 20_000;

/// A program that speaks SMT-LIB as cvc5 does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Solver {
    /// The program.
    pub program: PathBuf,
    /// How long it has for one question, in milliseconds; then the question is not proved.
    pub question_millis_max: u64,
}

impl Solver {
    /// A solver at a path.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), question_millis_max: QUESTION_MILLIS_MAX }
    }

    /// The `cvc5` that is installed, if one of the folders in `PATH` has it.
    #[must_use]
    pub fn installed() -> Option<Self> {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders)
            .map(|folder| folder.join("cvc5"))
            .find(|p| is_program(p))
            .map(Self::at)
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Whether one set of policies permits only what another permits.
pub(super) enum Implied {
    /// Whatever the request and the entities are.
    Always,
    /// Not here.
    NotHere(Box<Env>),
}

/// A solver at work.
pub(super) struct Running<'s> {
    solver: &'s Solver,
    process: Option<CedarSymCompiler<LocalSolver>>,
}

impl<'s> Running<'s> {
    pub(super) const fn new(solver: &'s Solver) -> Self {
        Self { solver, process: None }
    }

    /// Asks one question. Whatever goes wrong is an answer of its own, and the solver is started anew for the next.
    pub(super) async fn implies(
        &mut self,
        all: &CompiledPolicySet,
        among: &CompiledPolicySet,
    ) -> Result<Implied, String> {
        if self.process.is_none() {
            self.process = Some(self.start().await?);
        }
        // Taken out: it returns only if it answered.
        let Some(mut process) = self.process.take() else { return Err("no solver runs".to_owned()) };
        let found = self.ask(&mut process, all, among).await?;
        self.process = Some(process);
        Ok(found)
    }

    async fn ask(
        &self,
        process: &mut CedarSymCompiler<LocalSolver>,
        all: &CompiledPolicySet,
        among: &CompiledPolicySet,
    ) -> Result<Implied, String> {
        let limit = Duration::from_millis(self.solver.question_millis_max);
        let answer =
            tokio::time::timeout(limit, process.check_implies_with_counterexample_opt(all, among)).await;
        match answer {
            Ok(Ok(None)) => Ok(Implied::Always),
            Ok(Ok(Some(found))) => Ok(Implied::NotHere(found.into())),
            Ok(Err(err::Error::SolverUnknown)) => Err("the solver does not know".to_owned()),
            Ok(Err(error)) => Err(format!("the solver failed: {error}")),
            Err(_) => Err(format!("the solver did not answer in {} ms", limit.as_millis())),
        }
    }

    /// Starts the program, and believes it only after it has answered two questions whose answers are known.
    async fn start(&self) -> Result<CedarSymCompiler<LocalSolver>, String> {
        let name = self.solver.program.display();
        let mut command = Command::new(&self.solver.program);
        command.args(["--lang", "smt"]).kill_on_drop(true);
        let process = LocalSolver::from_command(&mut command)
            .map_err(|error| format!("the solver {name} cannot be started: {error}"))?;
        let mut process =
            CedarSymCompiler::new(process).map_err(|error| format!("the solver failed: {error}"))?;
        let (low, high) = known_answers()?;
        let wrong = || format!("{name} answers wrongly what is known: it is not taken for a solver");
        if !matches!(self.ask(&mut process, &low, &high).await?, Implied::Always) {
            return Err(wrong());
        }
        match self.ask(&mut process, &high, &low).await? {
            Implied::NotHere(_) => Ok(process),
            Implied::Always => Err(wrong()),
        }
    }
}

/// Two sets of which the first permits less than the second.
fn known_answers() -> Result<(CompiledPolicySet, CompiledPolicySet), String> {
    let broken = |error: &dyn std::fmt::Display| format!("the solver cannot be tried out: {error}");
    let text = "entity E; action a appliesTo { principal: [E], resource: [E], context: { n: Long } };";
    let (schema, _) = Schema::from_cedarschema_str(text).map_err(|e| broken(&e))?;
    let Some(env) = schema.request_envs().next() else { return Err(broken(&"nothing can be asked")) };
    let below = |n: i64| -> Result<CompiledPolicySet, String> {
        let text = format!("permit (principal, action, resource) when {{ context.n < {n} }};");
        let policy = Policy::parse(None, text).map_err(|e| broken(&e))?;
        let set = PolicySet::from_policies([policy]).map_err(|e| broken(&e))?;
        compiled(&set, &env, &schema)
    };
    Ok((below(3)?, below(5)?))
}

/// A set of policies for one sort of request, as the solver's library wants it.
pub(super) fn compiled(
    set: &PolicySet,
    env: &RequestEnv,
    schema: &Schema,
) -> Result<CompiledPolicySet, String> {
    CompiledPolicySet::compile(set, env, schema).map_err(|error| {
        let why = if let err::Error::PolicyNotWellTyped { errs } = &error {
            errs.first().map(ToString::to_string)
        } else {
            None
        };
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        format!("the policies cannot be put to a solver: {error}{why}")
    })
}
