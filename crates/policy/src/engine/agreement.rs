//! The decision programs beside Cedar itself, on bundles that nobody wrote and on those that are shipped.
//!
//! `CONSENTRY_DIFFERENTIAL=1000000 cargo test -p consentry-policy --release agreement -- --nocapture` asks a million
//! questions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry_model::{ConsentState, Facts, Moment, RuleId, Treatment};

use super::bits::Bits;
use super::cedar::Answer;
use super::cells::Cell;
use super::decide::{Engine, Person, with_class};
use super::invented::{Random, World, awkward, bundle, question};
use super::program::{Failed, Program, Table};
use crate::bundle::{Bundle, DataClass};

pub(super) const SEED: u64 = 0x5eed_2026_1122;
/// Questions that are asked when the environment does not say how many.
const QUESTIONS: usize = 12_000;
/// How many facts are tried in one cell.
const WORLDS_PER_CELL: usize = 40;
const INVENTED: u64 = 12;

pub(super) type Said = Option<(bool, BTreeSet<RuleId>)>;

pub(super) fn engines() -> Vec<(String, Engine)> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut out = Vec::new();
    for entry in std::fs::read_dir(policies).unwrap() {
        let folder = entry.unwrap().path();
        // Whether each of them can be read is a test of its own.
        if let Ok(bundle) = Bundle::load(&folder) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            out.push((name, Engine::new(bundle).unwrap()));
        }
    }
    assert!(!out.is_empty(), "no shipped bundle can be read");
    out.push(("awkward".to_owned(), Engine::new(awkward()).unwrap()));
    for seed in 0..INVENTED {
        let rules = 9 + 4 * usize::try_from(seed).unwrap();
        out.push((format!("invented {seed}"), Engine::new(bundle(SEED + seed, rules)).unwrap()));
    }
    out
}

/// Everything that bears on the cell of a question.
pub(super) struct Tried<'e> {
    pub(super) engine: &'e Engine,
    pub(super) cell: std::sync::Arc<Cell>,
    class: &'e DataClass,
}

impl<'e> Tried<'e> {
    pub(super) fn any(
        engine: &'e Engine,
        reachable: &[super::decide::Question],
        random: &mut Random,
    ) -> Self {
        loop {
            let question = match random.below(3) {
                0 if !reachable.is_empty() => random.of(reachable).clone(),
                _ => question(engine.bundle(), random),
            };
            let class = engine.bundle().service.class(question.class).unwrap();
            if let Ok(cell) = engine.cell(&question) {
                return Self { engine, cell, class };
            }
        }
    }

    /// Facts that are aimed at one of the program's cubes and away from its prohibitions, or anywhere; and a treatment.
    pub(super) fn world(&self, random: &mut Random) -> (World, Treatment) {
        let bundle = self.engine.bundle();
        let mut world = World::new(bundle, self.engine.compiler.atoms(), random);
        let treatments: Vec<_> = self.class.ladder.steps().collect();
        let mut treatment = *random.of(&treatments);
        let cubes = cubes(&self.cell.program);
        if !cubes.is_empty() {
            let aim = random.of(&cubes);
            treatment = aim.treatment;
            let cubes: Vec<&Cube> = cubes.iter().filter(|c| c.treatment == treatment).collect();
            for _ in 0..random.below(12) {
                let word = self.word(&world.facts, world.now);
                let fires = |cube: &&Cube| cube.literals.iter().all(|(bit, value)| word.has(*bit) == *value);
                let against: Vec<&Cube> =
                    cubes.iter().copied().filter(|c| !c.permits).filter(fires).collect();
                let permit = if against.is_empty() { cubes.iter().find(|c| c.permits) } else { None };
                match (permit, against.is_empty()) {
                    (Some(cube), _) => self.make(&mut world, &cube.literals, None, random),
                    (None, true) => break,
                    (None, false) => {
                        let literals = &random.of(&against).literals;
                        let broken = Some(random.below(literals.len()));
                        self.make(&mut world, literals, broken, random);
                    }
                }
            }
            if random.below(4) > 0 {
                let broken = (random.below(2) == 0).then(|| random.below(aim.literals.len()));
                self.make(&mut world, &aim.literals, broken, random);
            }
        }
        world.facts = with_class(bundle, &world.facts, self.class);
        (world, treatment)
    }

    /// Makes every literal true, but the broken one, which becomes false.
    fn make(
        &self,
        world: &mut World,
        literals: &[(usize, bool)],
        broken: Option<usize>,
        random: &mut Random,
    ) {
        let (atoms, schema) = (self.engine.compiler.atoms(), &self.engine.bundle().facts.schema);
        for (at, (bit, value)) in literals.iter().enumerate() {
            if let Some(atom) = atoms.atom(*bit) {
                world.make(schema, atoms, atom, *value != (broken == Some(at)), random);
            }
        }
    }

    pub(super) fn cedar(&self, treatment: Treatment, world: &World) -> Said {
        let (compiled, bundle) = (&self.engine.compiled, self.engine.bundle());
        match compiled.ask(bundle, self.cell.question(), self.class, treatment, &world.facts, world.now) {
            Answer::Yes(rules) => Some((true, rules.into_iter().collect())),
            Answer::No(rules) => Some((false, rules.into_iter().collect())),
            Answer::Error => None,
        }
    }

    pub(super) fn program(
        &self,
        program: &Program,
        treatment: Treatment,
        world: &World,
        word: &Bits,
    ) -> Said {
        let beyond = |set: &cedar_policy::PolicySet, treatment| {
            let (compiled, bundle) = (&self.engine.compiled, self.engine.bundle());
            let question = self.cell.question();
            let request = compiled.request(bundle, question, self.class, treatment, &world.facts, world.now);
            compiled.fires(set, &request.ok_or(Failed)?)
        };
        let answer = program.ask(treatment, word, beyond).unwrap();
        answer.ok().map(|(yes, rules)| (yes, rules.into_iter().collect()))
    }

    pub(super) fn word(&self, facts: &Facts, now: Moment) -> Bits {
        self.engine.word(facts, now).0
    }
}

/// A cube of a program, as bits of the fact word.
pub(super) struct Cube {
    pub(super) treatment: Treatment,
    pub(super) permits: bool,
    pub(super) literals: Vec<(usize, bool)>,
}

pub(super) fn cubes(program: &Program) -> Vec<Cube> {
    let read = |mask: &[u64], value: &[u64]| -> Vec<(usize, bool)> {
        let words = program.selected.iter().zip(mask.iter().zip(value));
        words
            .flat_map(|(word, (mask, value))| {
                let bits = (0..64).filter(move |bit| mask >> bit & 1 == 1);
                bits.map(move |bit| (word * 64 + bit, value >> bit & 1 == 1))
            })
            .collect()
    };
    let mut out = Vec::new();
    let mut add = |mask: &[u64], value: &[u64], policy: usize| {
        let literals = read(mask, value);
        for step in program.steps.iter().filter(|step| !literals.is_empty() && step.asks.has(policy)) {
            let (treatment, permits) = (step.treatment, program.permits.has(policy));
            out.push(Cube { treatment, permits, literals: literals.clone() });
        }
    };
    match &program.table {
        Table::One(rows) => rows.iter().for_each(|r| add(&r.mask, &r.value, r.policy as usize)),
        Table::Two(rows) => rows.iter().for_each(|r| add(&r.mask, &r.value, r.policy as usize)),
        Table::Many(rows) => rows.iter().for_each(|r| add(&r.mask, &r.value, r.policy)),
    }
    out
}

fn wanted() -> usize {
    std::env::var("CONSENTRY_DIFFERENTIAL").ok().and_then(|n| n.parse().ok()).unwrap_or(QUESTIONS)
}

/// A person whose state colours the reason and nothing else.
fn person(random: &mut Random) -> Person {
    let states =
        [None, Some(ConsentState::Given), Some(ConsentState::Refused), Some(ConsentState::Withdrawn)];
    Person { resolved: random.below(4) > 0, consent: *random.of(&states), objected: random.below(4) == 0 }
}

/// The decision and the full set of determining rules; and the verdict that is kept is the one that would be found.
#[test]
fn law_3_programs_answer_as_cedar_does_on_bundles_that_nobody_wrote() {
    let engines = engines();
    let (wanted, asked, yes, beyond) =
        (wanted(), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (engines, asked, yes, beyond) = (&engines, &asked, &yes, &beyond);
            scope.spawn(move || {
                let mut random = Random::new(SEED + worker as u64);
                let reach: Vec<_> =
                    engines.iter().map(|(_, e)| super::reach::questions(e.bundle())).collect();
                let mut at = worker;
                while asked.load(Ordering::Relaxed) < wanted {
                    let (name, engine) = &engines[at % engines.len()];
                    let tried = Tried::any(engine, &reach[at % engines.len()], &mut random);
                    at += 1;
                    beyond.fetch_add(usize::from(tried.cell.program.is_beyond()), Ordering::Relaxed);
                    for _ in 0..WORLDS_PER_CELL {
                        let (world, treatment) = tried.world(&mut random);
                        let word = tried.word(&world.facts, world.now);
                        let cedar = tried.cedar(treatment, &world);
                        let program = tried.program(&tried.cell.program, treatment, &world, &word);
                        let about = (name, tried.cell.question(), treatment, &world.facts, world.now);
                        assert_eq!(program, cedar, "{about:?}");
                        let person = person(&mut random);
                        let kept = engine.decide(tried.cell.question(), &world.facts, person, world.now);
                        let word = engine.word(&world.facts, world.now);
                        let fresh = engine.find_verdict(&tried.cell, &word, &world.facts, &person, world.now);
                        assert_eq!(kept, fresh, "{about:?}");
                        yes.fetch_add(usize::from(cedar.is_some_and(|(yes, _)| yes)), Ordering::Relaxed);
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let [asked, yes, beyond] = [asked, yes, beyond].map(AtomicUsize::into_inner);
    eprintln!(
        "{asked} questions, {yes} of them permitted, {beyond} cells left to Cedar in part: 0 mismatches"
    );
    assert!(yes * 20 > asked, "only {yes} of {asked} questions end in a yes");
}

/// What cannot be masks is evaluated as a formula, or by Cedar where it cannot be read; everything else stays masks.
#[test]
fn law_3_nothing_is_too_large_for_a_program_and_only_what_cannot_be_read_is_left_to_cedar() {
    let engine = Engine::new(awkward()).unwrap();
    let (mut trees, mut beyond) = (BTreeSet::new(), BTreeSet::new());
    for question in super::reach::questions(engine.bundle()) {
        let cell = engine.cell(&question).unwrap();
        let program = &cell.program;
        trees.extend(program.trees.iter().map(|(at, _)| program.rules[*at].as_str().to_owned()));
        beyond.extend(program.beyond.iter().map(|(at, _)| program.rules[*at].as_str().to_owned()));
    }
    assert_eq!(trees, ["many".to_owned()].into());
    assert_eq!(beyond, ["native-set".to_owned()].into());
    for (name, engine) in engines().iter().filter(|(name, _)| name != "awkward") {
        for question in super::reach::questions(engine.bundle()).iter().step_by(97) {
            if let Ok(cell) = engine.cell(question) {
                assert!(!cell.program.is_beyond(), "{name}: {question:?}");
            }
        }
    }
}
