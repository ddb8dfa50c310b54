//! Whether the comparison with Cedar would notice a wrong decision program.

use consentry_model::{Facts, Moment, Treatment};

use super::agreement::{SEED, Said, Tried, cubes, engines};
use super::atoms::Atom;
use super::bits::Bits;
use super::invented::{Random, World};
use super::program::{Program, Table};

/// One thing that is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    BitOfMask,
    BitOfValue,
    CubeDropped,
    PolicyDropped,
    SidesSwapped,
    StepForgets,
    BoundShifted,
}

const FAULTS: [Fault; 7] = [
    Fault::BitOfMask,
    Fault::BitOfValue,
    Fault::CubeDropped,
    Fault::PolicyDropped,
    Fault::SidesSwapped,
    Fault::StepForgets,
    Fault::BoundShifted,
];

/// A wrong program, and the atom that means something else in it.
struct Mutant {
    program: Program,
    shifted: Option<(usize, Atom)>,
}

impl Mutant {
    fn of(tried: &Tried<'_>, fault: Fault, random: &mut Random) -> Option<Self> {
        let mut program = (*tried.cell.program).clone();
        if program.rules.is_empty() {
            return None;
        }
        let cubes = cubes(&program);
        let policy = random.below(program.rules.len());
        let mut shifted = None;
        match fault {
            Fault::SidesSwapped => {
                let (all, permits) = (program.rules.len(), &program.permits);
                let mut flipped = Bits::none(all);
                for rule in (0..all).filter(|rule| permits.has(*rule) != (*rule == policy)) {
                    flipped.set(rule);
                }
                program.permits = flipped;
            }
            Fault::StepForgets => {
                let at = random.below(program.steps.len());
                let step = program.steps.get_mut(at)?;
                let mut alone = Bits::none(policy + 1);
                alone.set(policy);
                if !step.asks.has(policy) {
                    return None;
                }
                step.asks = step.asks.clone().only(&alone, false);
            }
            Fault::BoundShifted => {
                let bits: Vec<(usize, Atom)> = cubes
                    .iter()
                    .flat_map(|cube| &cube.literals)
                    .filter_map(|(bit, _)| Some((*bit, tried.engine.compiler.atoms().atom(*bit)?)))
                    .filter(|(_, atom)| matches!(atom, Atom::Below(..) | Atom::Before(_)))
                    .collect();
                if bits.is_empty() {
                    return None;
                }
                let by = if random.below(2) == 0 { 1 } else { -1 };
                let (bit, atom) = *random.of(&bits);
                shifted = Some((
                    bit,
                    match atom {
                        Atom::Below(id, bound) => Atom::Below(id, bound + by),
                        Atom::Before(millis) => Atom::Before(millis + by),
                        Atom::Known(_) | Atom::Is(..) => atom,
                    },
                ));
            }
            Fault::BitOfMask | Fault::BitOfValue | Fault::CubeDropped | Fault::PolicyDropped => {
                let changed = match &mut program.table {
                    Table::One(rows) => wrong_rows(rows, fault, policy, random, |r| {
                        (&mut r.mask[..], &mut r.value[..], r.policy as usize)
                    }),
                    Table::Two(rows) => wrong_rows(rows, fault, policy, random, |r| {
                        (&mut r.mask[..], &mut r.value[..], r.policy as usize)
                    }),
                    Table::Many(rows) => wrong_rows(rows, fault, policy, random, |r| {
                        (&mut r.mask[..], &mut r.value[..], r.policy)
                    }),
                };
                if !changed {
                    return None;
                }
            }
        }
        Some(Self { program, shifted })
    }

    fn word(&self, tried: &Tried<'_>, facts: &Facts, now: Moment) -> Bits {
        let word = tried.word(facts, now);
        let Some((bit, atom)) = self.shifted else { return word };
        let mut shifted = Bits::none(tried.engine.compiler.atoms().len());
        word.iter().filter(|other| *other != bit).for_each(|other| shifted.set(other));
        let holds = match atom {
            Atom::Before(millis) => now.unix_millis() < millis,
            Atom::Known(id) | Atom::Is(id, _) | Atom::Below(id, _) => atom.holds_of(facts.get(id)),
        };
        if holds {
            shifted.set(bit);
        }
        shifted
    }
}

/// Puts the fault into rows; whether there was something to put it in.
fn wrong_rows<R>(
    rows: &mut Vec<R>,
    fault: Fault,
    policy: usize,
    random: &mut Random,
    parts: impl Fn(&mut R) -> (&mut [u64], &mut [u64], usize),
) -> bool {
    if rows.is_empty() {
        return false;
    }
    let at = random.below(rows.len());
    if fault == Fault::CubeDropped {
        rows.remove(at);
        return true;
    }
    if fault == Fault::PolicyDropped {
        let before = rows.len();
        rows.retain_mut(|row| parts(row).2 != policy);
        return rows.len() < before;
    }
    let (mask, value, _) = parts(&mut rows[at]);
    let set: Vec<(usize, u32)> = (0..mask.len())
        .flat_map(|word| (0..64).map(move |bit| (word, bit)))
        .filter(|(word, bit)| mask[*word] >> bit & 1 == 1)
        .collect();
    if set.is_empty() {
        return false;
    }
    let (word, bit) = *random.of(&set);
    if fault == Fault::BitOfMask {
        mask[word] &= !(1 << bit);
        value[word] &= !(1 << bit);
    } else {
        value[word] ^= 1 << bit;
    }
    true
}

/// Cells that are asked, facts that are tried in each, and faults that are put into each of its programs.
const CELLS: usize = 60;
const WORLDS: usize = 200;
const MUTANTS: usize = 12;
/// In how many further worlds a mutant that nobody noticed is looked for a difference. One that has none there is taken
/// to say the same as the program.
const DOUBTS: usize = 1_000;

#[test]
fn law_3_the_comparison_notices_a_wrong_program() {
    let engines = engines();
    let mut random = Random::new(SEED ^ 0xfa17);
    let reach: Vec<_> = engines.iter().map(|(_, e)| super::reach::questions(e.bundle())).collect();
    let (mut killed, mut same, mut missed) = (0, 0, Vec::new());
    for at in 0..CELLS {
        let tried = Tried::any(&engines[at % engines.len()].1, &reach[at % engines.len()], &mut random);
        let worlds = WORLDS.max(6 * cubes(&tried.cell.program).len());
        let worlds: Vec<(World, Treatment, Said)> = (0..worlds)
            .map(|_| {
                let (world, treatment) = tried.world(&mut random);
                let said = tried.cedar(treatment, &world);
                (world, treatment, said)
            })
            .collect();
        for _ in 0..MUTANTS {
            let fault = *random.of(&FAULTS);
            let Some(mutant) = Mutant::of(&tried, fault, &mut random) else { continue };
            let differs = |world: &World, treatment: Treatment, said: &Said| {
                let word = mutant.word(&tried, &world.facts, world.now);
                tried.program(&mutant.program, treatment, world, &word) != *said
            };
            if worlds.iter().any(|(world, treatment, said)| differs(world, *treatment, said)) {
                killed += 1;
                continue;
            }
            let in_doubt = (0..DOUBTS).any(|_| {
                let (world, treatment) = tried.world(&mut random);
                let right = tried.program(
                    &tried.cell.program,
                    treatment,
                    &world,
                    &tried.word(&world.facts, world.now),
                );
                differs(&world, treatment, &right)
            });
            if in_doubt {
                missed.push((engines[at % engines.len()].0.clone(), fault));
            } else {
                same += 1;
            }
        }
    }
    let wrong = killed + missed.len();
    eprintln!(
        "{} mutants: {same} say the same, {killed} of the {wrong} others noticed; missed {missed:?}",
        wrong + same
    );
    assert!(killed * 100 >= wrong * 95, "{killed} of {wrong} noticed; missed {missed:?}");
    assert!(wrong > CELLS, "only {wrong} wrong programs were made");
}
