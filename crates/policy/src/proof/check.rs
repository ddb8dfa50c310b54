//! Checking every invariant of a bundle.

use std::collections::HashSet;
use std::sync::Arc;

use consentry_model::{Category, ClassId, Purpose, Reason, RuleId, Treatment};

use super::counterexample::Counterexample;
use super::formula::Promised;
use super::scope::{Alike, Scope};
use crate::bundle::Bundle;
use crate::compare::{Expr, Found, Open, Search, Set, Space, exactly};
use crate::engine::{Engine, Question, Shape, reachable};
use crate::rules::{Invariant, Rule, Verb};

/// How many questions that rules can tell apart are checked for one invariant; one that has more is not proved.
const QUESTIONS_MAX: usize = 200_000;

/// What became of every invariant, in the bundle's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// One each.
    pub invariants: Vec<Proven>,
}

/// What became of one invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proven {
    /// Its id.
    pub id: RuleId,
    /// Whether it promises that something is always allowed; otherwise that it never is.
    pub always: bool,
    /// The clauses that promise it.
    pub clauses: Vec<Arc<str>>,
    /// How many cells its scope has: requesters, recipients, purposes, acts and data classes, each with each.
    pub cells: u64,
    /// How many of them a route can ask.
    pub reachable: u64,
    /// How many assignments of facts those cells have together in which a permission could speak at all.
    pub assignments: u128,
    /// Whether it holds.
    pub outcome: ProofOutcome,
}

/// Whether an invariant holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofOutcome {
    /// In every cell, whatever the facts are.
    Holds,
    /// Here it does not.
    False(Box<Counterexample>),
    /// It was neither proved nor refuted, which counts as false; why.
    NotProved(&'static str),
}

impl Proof {
    /// Checks every invariant in every cell of its scope, for every value of every fact that its own conditions leave
    /// open. The engine must not have been compiled whole: cells that no route reaches are checked, too.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let questions = reachable(engine.bundle());
        let check = |invariant| Check { engine, invariant, reachable: &questions }.run();
        Self { invariants: engine.bundle().invariants.iter().map(check).collect() }
    }

    /// Whether all of them hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants.iter().all(|one| one.outcome == ProofOutcome::Holds)
    }
}

struct Check<'e> {
    engine: &'e Engine,
    invariant: &'e Invariant,
    reachable: &'e [Question],
}

/// What is found in one part of the cells.
#[derive(Default)]
struct Part {
    assignments: u128,
    failed: Option<Failed>,
}

enum Failed {
    At(Box<Broken>),
    NotProved(&'static str),
}

/// Where an invariant does not hold: all over this box.
pub(super) struct Broken {
    pub(super) question: Question,
    pub(super) space: Space,
    pub(super) expr: Expr,
    pub(super) found: Vec<Set>,
}

impl Check<'_> {
    fn run(&self) -> Proven {
        let bundle = self.engine.bundle();
        let scope = Scope::of(bundle, self.invariant);
        let in_scope = |question: &&Question| scope.are_alike(question, question);
        let reached = self.reachable.iter().filter(in_scope).count() as u64;
        let always = self.invariant.always || bundle.native.iter().any(|native| native.permits);
        let alike = scope.alike(
            |purpose, class| always || bundle.rules.iter().any(|rule| touches(bundle, rule, purpose, class)),
            |question| always || bundle.rules.iter().any(|rule| fits(bundle, rule, question)),
        );
        let (assignments, outcome) = if scope.count() == 0 {
            (0, ProofOutcome::NotProved("nothing that the bundle knows is in its scope"))
        } else if alike.len() > QUESTIONS_MAX {
            (0, ProofOutcome::NotProved("its scope has more cells than are checked"))
        } else {
            self.all(&alike, &scope)
        };
        Proven {
            id: self.invariant.rule.id.clone(),
            always: self.invariant.always,
            clauses: self.invariant.clauses().to_vec(),
            cells: scope.count(),
            reachable: reached,
            assignments,
            outcome,
        }
    }

    fn all(&self, alike: &[Alike], scope: &Scope) -> (u128, ProofOutcome) {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let share = alike.len().div_ceil(workers).max(1);
        let parts: Vec<Part> = std::thread::scope(|threads| {
            let started: Vec<_> =
                alike.chunks(share).map(|part| threads.spawn(move || self.part(part))).collect();
            let broken = || Part { assignments: 0, failed: Some(Failed::NotProved("a check broke off")) };
            started.into_iter().map(|thread| thread.join().unwrap_or_else(|_| broken())).collect()
        });
        let assignments = parts.iter().fold(0_u128, |sum, part| sum.saturating_add(part.assignments));
        let mut outcome = ProofOutcome::Holds;
        for failed in parts.into_iter().filter_map(|part| part.failed) {
            match failed {
                Failed::At(broken) => {
                    let asked = self.reachable.iter().find(|q| scope.are_alike(q, &broken.question));
                    let told = Counterexample::of(self.engine, &broken, asked);
                    return (
                        assignments,
                        told.map_or_else(ProofOutcome::NotProved, |c| ProofOutcome::False(c.into())),
                    );
                }
                Failed::NotProved(why) => outcome = ProofOutcome::NotProved(why),
            }
        }
        (assignments, outcome)
    }

    /// Checks some cells, up to the first in which the invariant is broken.
    fn part(&self, alike: &[Alike]) -> Part {
        let mut out = Part::default();
        let mut held: HashSet<(Space, Expr)> = HashSet::new();
        for Alike { question, count } in alike {
            match self.cell(question, &mut held) {
                Ok(assignments) => {
                    out.assignments =
                        out.assignments.saturating_add(assignments.saturating_mul(u128::from(*count)));
                }
                Err(failed @ Failed::At(_)) => return Part { failed: Some(failed), ..out },
                Err(failed @ Failed::NotProved(_)) => out.failed = Some(failed),
            }
        }
        out
    }

    /// Whether the invariant holds in one cell: how many assignments it was checked for.
    fn cell(&self, question: &Question, held: &mut HashSet<(Space, Expr)>) -> Result<u128, Failed> {
        if self.engine.cell(question).is_err_and(|reason| reason == Reason::EvaluationError) {
            return Err(Failed::NotProved("a cell of its scope cannot be asked"));
        }
        let beyond = Failed::NotProved("a cell's program cannot be taken apart");
        let Some(open) = Open::of(self.engine, question) else { return Err(beyond) };
        let bundle = self.engine.bundle();
        let Some(class) = bundle.service.class(question.class) else { return Err(beyond) };
        let promised = Promised { bundle, invariant: self.invariant, question, class };
        let bound: Vec<(Treatment, Shape)> = Treatment::ALL.map(|t| (t, promised.binds(t))).into();
        let shapes = open.shapes().chain(bound.iter().map(|(_, shape)| (&open.view, shape)));
        let space = Space::of(shapes, open.cedar())
            .map_err(|_| Failed::NotProved("a fact has more than 256 values that matter"))?;
        let (every, decided) = (space.every(), open.decided(&space));
        let wrong = bound.iter().filter(|(treatment, _)| !self.keeps(*treatment));
        let broken = Expr::any(wrong.map(|(treatment, binds)| {
            Expr::all([exactly(&decided, *treatment, &every), space.expr(&open.view, binds)])
        }));
        let assignments = space.assignments();
        let key = (space, broken);
        if held.contains(&key) {
            return Ok(assignments);
        }
        match Search::new().find(&key.1, &every) {
            Found::Nowhere => {
                held.insert(key);
                Ok(assignments)
            }
            Found::TooMuch => Err(Failed::NotProved("the search was given up at its bound")),
            Found::Here(found) => {
                let (space, expr) = key;
                Err(Failed::At(Box::new(Broken { question: question.clone(), space, expr, found })))
            }
        }
    }

    /// Whether an answer is as promised.
    fn keeps(&self, treatment: Treatment) -> bool {
        if !self.invariant.always {
            return treatment == Treatment::Withheld;
        }
        let wanted = match &self.invariant.rule.verb {
            Verb::Permit { treatments, .. } => treatments.iter().min().copied().unwrap_or(Treatment::Clear),
            Verb::Forbid(_) | Verb::Require(_) => Treatment::Clear,
        };
        treatment <= wanted
    }
}

/// Whether a rule permits, and is about a purpose and a class.
fn touches(bundle: &Bundle, rule: &Rule, purpose: &Purpose, class: ClassId) -> bool {
    let Some(class) = bundle.service.class(class) else { return true };
    let (purpose, category) = (purpose.as_str(), class.category.as_str());
    let vocabulary = &bundle.vocabulary;
    let purposes =
        |v: &Vec<Purpose>| v.iter().any(|above| vocabulary.purposes.is_within(purpose, above.as_str()));
    let data =
        |v: &Vec<Category>| v.iter().any(|above| vocabulary.categories.is_within(category, above.as_str()));
    matches!(rule.verb, Verb::Permit { .. })
        && (rule.of.is_empty() || rule.of.contains(&class.subject_type))
        && rule.purposes.as_ref().is_none_or(purposes)
        && rule.data.as_ref().is_none_or(data)
}

/// Whether the scope of a permission fits a question; where none does, nothing ever permits it.
fn fits(bundle: &Bundle, rule: &Rule, question: &Question) -> bool {
    let recipient = question.recipient.as_str();
    (rule.by.is_empty() || rule.by.contains(&question.requester))
        && (rule.acts.is_empty() || rule.acts.contains(&question.act))
        && (rule.to.is_empty()
            || rule.to.iter().any(|above| bundle.vocabulary.recipient_is(recipient, above.as_str())))
        && touches(bundle, rule, &question.purpose, question.class)
}
