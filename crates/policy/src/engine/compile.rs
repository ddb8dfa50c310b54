//! Cells → decision programs. Cedar's type-aware partial evaluation folds away requester, recipient, purpose and
//! category; what it leaves of a policy is shared by all questions that the policy cannot tell apart. Act, subject type,
//! treatment and attested facts are put in afterwards, and cells that come to the same share their program.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cedar_policy::PolicySet;
use consentry_model::{Act, Facts, RuleId, SubjectType, Treatment};

use super::atoms::{Atom, Atoms};
use super::cedar::Compiled;
use super::decide::Question;
use super::formula::{Cube, Formula};
use super::kept::Hashed;
use super::program::{Entries, Entry, Fires, Program};
use super::reduce::{Irreducible, Names, Reducer, clauses};
use super::residual::{Left, Reduced, Residuals, Rest, When};
use crate::bundle::{Bundle, DataClass};

/// Compiles the cells of one bundle.
pub(crate) struct Compiler {
    names: Names,
    atoms: Atoms,
    residuals: Residuals,
    programs: RwLock<Hashed<Same, Arc<Program>>>,
    made: Mutex<Made>,
}

/// All that a program is made of.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    /// The number of what partial evaluation left.
    rest: u32,
    act: Act,
    subject_type: SubjectType,
    attested: Facts,
    steps: Box<[Treatment]>,
}

/// What was made so far, each thing once.
#[derive(Default)]
struct Made {
    entries: Hashed<(RuleId, Vec<Cube>), Arc<Entry>>,
    entries_made: u32,
    programs: Hashed<Vec<(Treatment, Vec<u32>)>, Arc<Program>>,
}

impl Compiler {
    pub(crate) fn new(compiled: &Compiled, bundle: &Bundle) -> Self {
        let names = Names::of(&bundle.facts.schema);
        let asked: Vec<BTreeSet<Atom>> = compiled
            .policies()
            .map(|policy| clauses(policy).map_or_else(|_| BTreeSet::new(), |c| names.atoms(&c)))
            .collect();
        let atoms = Atoms::new(asked, &bundle.facts.schema);
        let (programs, made) = (RwLock::default(), Mutex::default());
        Self { names, atoms, residuals: Residuals::new(compiled), programs, made }
    }

    /// The fact words of the bundle.
    pub(crate) fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// The program of a question whose words the bundle knows. What is attested of its class is part of it.
    pub(crate) fn program(
        &self,
        compiled: &Compiled,
        question: &Question,
        class: &DataClass,
        attested: Facts,
        steps: &[Treatment],
    ) -> Arc<Program> {
        let Rest { number: rest, left } = self.residuals.of(compiled, compiled.uids(question, class).into());
        let subject_type = class.subject_type.clone();
        let same = Same { rest, act: question.act, subject_type, attested, steps: steps.into() };
        if let Some(program) = self.programs.read().ok().and_then(|there| there.get(&same).cloned()) {
            return program;
        }
        let program = self.pack(compiled, &same, &left);
        if let Ok(mut there) = self.programs.write() {
            there.insert(same, Arc::clone(&program));
        }
        program
    }

    fn pack(&self, compiled: &Compiled, same: &Same, left: &[Arc<Left>]) -> Arc<Program> {
        let mut out = Entries::new();
        for treatment in &same.steps {
            let words = [
                ("act", same.act.code()),
                ("subject_type", same.subject_type.as_str()),
                ("treatment", treatment.code()),
            ];
            let looked = RefCell::default();
            let (names, atoms, facts) = (&self.names, &self.atoms, &same.attested);
            let reducer = Reducer { names, atoms, words, facts, looked };
            let entries = left
                .iter()
                .enumerate()
                .filter_map(|(at, left)| Some((at, self.entry(compiled, &reducer, left)?)));
            out.push((*treatment, entries.collect()));
        }
        let key: Vec<(Treatment, Vec<u32>)> =
            out.iter().map(|(t, entries)| (*t, entries.iter().map(|(_, e)| e.number).collect())).collect();
        if let Some(program) = self.made().programs.get(&key) {
            return Arc::clone(program);
        }
        let program = Arc::new(Program::new(&out));
        Arc::clone(self.made().programs.entry(key).or_insert(program))
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A policy in one treatment, as it was reduced before or is now; `None` when it cannot fire.
    fn entry(&self, compiled: &Compiled, reducer: &Reducer<'_>, left: &Left) -> Option<Arc<Entry>> {
        if let Ok(before) = left.reduced.read()
            && let Some(same) = before.iter().find(|before| before.looked.iter().all(|at| reducer.sees(at)))
        {
            return same.entry.clone();
        }
        reducer.looked.take();
        let fires = reduce(compiled, reducer, left);
        let entry = fires.map(|fires| self.made().entry(&left.rule, left.permits, fires));
        if let Ok(mut reduced) = left.reduced.write() {
            reduced.push(Reduced { looked: reducer.looked.take(), entry: entry.clone() });
        }
        entry
    }
}

impl Made {
    fn entry(&mut self, rule: &RuleId, permits: bool, fires: Fires) -> Arc<Entry> {
        let key = if let Fires::On(cubes) = &fires { Some((rule.clone(), cubes.clone())) } else { None };
        if let Some(there) = key.as_ref().and_then(|key| self.entries.get(key)) {
            return Arc::clone(there);
        }
        let entry = Arc::new(Entry { number: self.entries_made, rule: rule.clone(), permits, fires });
        self.entries_made += 1;
        if let Some(key) = key {
            self.entries.insert(key, Arc::clone(&entry));
        }
        entry
    }
}

/// When a policy fires; `None` when it cannot.
fn reduce(compiled: &Compiled, reducer: &Reducer<'_>, left: &Left) -> Option<Fires> {
    let formula = match &left.when {
        When::Never => return None,
        When::Always => Ok(Formula::Constant(true)),
        When::If(clauses) => reducer.clauses(clauses),
        When::Beyond => Err(Irreducible),
    };
    match formula {
        Ok(Formula::Constant(false)) => None,
        Ok(formula) => match formula.cubes(reducer.atoms) {
            Some(cubes) if cubes.is_empty() => None,
            Some(cubes) => Some(Fires::On(cubes)),
            None => Some(Fires::As(formula)),
        },
        Err(Irreducible) => Some(Fires::Beyond(Box::new(only(compiled, &left.rule)))),
    }
}

/// One policy by itself, for Cedar. A set without it would never fire, so that a policy that is not there fails.
fn only(compiled: &Compiled, rule: &RuleId) -> PolicySet {
    let policy = compiled.policies().filter(|p| RuleId::new(p.id().as_ref()) == *rule).cloned();
    PolicySet::from_policies(policy).unwrap_or_default()
}
