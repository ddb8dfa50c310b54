//! Boolean formulas over the bits of a fact word, and their disjunctive normal form: cubes, each a set of bits that
//! must be as stated.

use std::collections::BTreeMap;

use super::atoms::{Atom, Atoms, number};
use super::bits::Bits;

/// How many cubes a formula may have, on the way too. One that has more is evaluated as it stands, which is as exact.
const CUBES_MAX: usize = 4_096;
/// Up to how many cubes those are sought that another one covers.
const ABSORB_MAX: usize = 512;

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    Constant(bool),
    Bit(usize),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

impl Formula {
    pub(crate) fn not(self) -> Self {
        match self {
            Self::Constant(b) => Self::Constant(!b),
            Self::Not(inner) => *inner,
            Self::Bit(_) | Self::All(_) | Self::Any(_) => Self::Not(Box::new(self)),
        }
    }

    pub(crate) fn all(parts: Vec<Self>) -> Self {
        Self::join(parts, true)
    }

    pub(crate) fn any(parts: Vec<Self>) -> Self {
        Self::join(parts, false)
    }

    fn join(parts: Vec<Self>, conjunction: bool) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Constant(b) if b == conjunction => {}
                Self::Constant(b) => return Self::Constant(b),
                Self::Bit(_) | Self::Not(_) | Self::All(_) | Self::Any(_) => kept.push(part),
            }
        }
        match (kept.len(), conjunction) {
            (0, _) => Self::Constant(conjunction),
            (_, true) => Self::All(kept),
            (_, false) => Self::Any(kept),
        }
    }

    /// Whether it holds of a word.
    pub(crate) fn holds(&self, word: &Bits) -> bool {
        match self {
            Self::Constant(b) => *b,
            Self::Bit(bit) => word.has(*bit),
            Self::Not(inner) => !inner.holds(word),
            Self::All(parts) => parts.iter().all(|p| p.holds(word)),
            Self::Any(parts) => parts.iter().any(|p| p.holds(word)),
        }
    }

    /// Its cubes: none when it never holds, one without bits when it always does; `None` when there are too many.
    pub(crate) fn cubes(&self, atoms: &Atoms) -> Option<Vec<Cube>> {
        self.normal_form(false, atoms)
    }

    fn normal_form(&self, negated: bool, atoms: &Atoms) -> Option<Vec<Cube>> {
        let (parts, conjunction) = match self {
            Self::Constant(b) if *b != negated => return Some(vec![Cube::default()]),
            Self::Constant(_) => return Some(Vec::new()),
            Self::Bit(bit) => return Some(vec![Cube(vec![(*bit, !negated)])]),
            Self::Not(inner) => return inner.normal_form(!negated, atoms),
            Self::All(parts) => (parts, !negated),
            Self::Any(parts) => (parts, negated),
        };
        let mut out = if conjunction { vec![Cube::default()] } else { Vec::new() };
        for part in parts {
            let more = part.normal_form(negated, atoms)?;
            if conjunction {
                if out.len().saturating_mul(more.len()) > CUBES_MAX {
                    return None;
                }
                out = out.iter().flat_map(|a| more.iter().filter_map(|b| a.meet(b, atoms))).collect();
            } else {
                out.extend(more);
            }
            absorb(&mut out);
            if out.len() > CUBES_MAX {
                return None;
            }
        }
        Some(out)
    }
}

/// Drops every cube that another one covers.
fn absorb(cubes: &mut Vec<Cube>) {
    cubes.sort_unstable();
    cubes.dedup();
    if cubes.len() > ABSORB_MAX {
        return;
    }
    let covered: Vec<bool> = cubes.iter().map(|c| cubes.iter().any(|d| d != c && d.covers(c))).collect();
    let mut covered = covered.into_iter();
    cubes.retain(|_| covered.next() != Some(true));
}

/// Bits that must be as stated, by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cube(pub(crate) Vec<(usize, bool)>);

impl Cube {
    /// What both cubes ask for together; `None` when no facts can give it.
    fn meet(&self, other: &Self, atoms: &Atoms) -> Option<Self> {
        let mut bits: BTreeMap<usize, bool> = self.0.iter().copied().collect();
        for (bit, value) in &other.0 {
            if *bits.entry(*bit).or_insert(*value) != *value {
                return None;
            }
        }
        Self(bits.into_iter().collect()).plain(atoms)
    }

    fn covers(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().all(|bit| other.0.binary_search(bit).is_ok())
    }

    /// Without what follows from the rest; `None` when the bits of one fact contradict each other.
    fn plain(self, atoms: &Atoms) -> Option<Self> {
        let stated: Vec<(Atom, bool)> =
            self.0.iter().filter_map(|(bit, value)| Some((atoms.atom(*bit)?, *value))).collect();
        let mut out = Vec::new();
        for (bit, value) in &self.0 {
            let Some(atom) = atoms.atom(*bit) else {
                out.push((*bit, *value));
                continue;
            };
            let others = stated.iter().filter(|(other, _)| *other != atom && other.fact() == atom.fact());
            let mut follows = false;
            for (other, theirs) in others {
                match implied(*other, *theirs, atom) {
                    Some(implied) if implied != *value => return None,
                    Some(_) => follows = true,
                    None => {}
                }
            }
            if !follows {
                out.push((*bit, *value));
            }
        }
        Some(Self(out))
    }
}

/// What one atom says about another of the same fact. No two different atoms say the same, so that what follows from
/// something else never says it in turn.
fn implied(known: Atom, value: bool, asked: Atom) -> Option<bool> {
    match (known, value, asked) {
        // No value at all.
        (Atom::Known(_), false, Atom::Is(..) | Atom::Below(..)) => Some(false),
        // This very value.
        (Atom::Is(_, is), true, Atom::Known(_) | Atom::Is(..) | Atom::Below(..)) => {
            Some(asked.holds_of(Some(is)))
        }
        (Atom::Below(..), true, Atom::Known(_)) => Some(true),
        (Atom::Below(_, a), true, Atom::Below(_, b)) | (Atom::Before(a), true, Atom::Before(b)) if a < b => {
            Some(true)
        }
        (Atom::Below(_, a), false, Atom::Below(_, b)) | (Atom::Before(a), false, Atom::Before(b))
            if a > b =>
        {
            Some(false)
        }
        (Atom::Below(_, bound), below, Atom::Is(_, is)) => match number(is) {
            Some(n) if (n < bound) != below => Some(false),
            Some(_) | None => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consentry_model::{FactDef, FactSchema, FactSource, FactType, FactValue};

    /// Two Boolean facts, a number and the time.
    fn atoms() -> Atoms {
        let mut schema = FactSchema::default();
        let mut add =
            |name: &str, ty| schema.add(FactDef { name: name.into(), ty, source: FactSource::Request });
        let (a, b, n) = (add("a", FactType::Bool), add("b", FactType::Bool), add("n", FactType::Int));
        let all = [
            Atom::Known(a),
            Atom::Is(a, FactValue::Bool(true)),
            Atom::Known(b),
            Atom::Is(b, FactValue::Bool(true)),
            Atom::Known(n),
            Atom::Below(n, 5),
            Atom::Below(n, 9),
            Atom::Is(n, FactValue::Int(7)),
            Atom::Before(10),
            Atom::Before(20),
        ];
        Atoms::new([all.into_iter().collect()], &schema)
    }

    /// Every word that facts can make.
    fn words(atoms: &Atoms) -> Vec<Bits> {
        let flags = [None, Some(FactValue::Bool(false)), Some(FactValue::Bool(true))];
        let numbers = [None, Some(4), Some(5), Some(7), Some(8), Some(9)].map(|n| n.map(FactValue::Int));
        let mut out = Vec::new();
        for (at, a) in flags.into_iter().flat_map(|a| flags.map(|b| (a, b))) {
            for n in numbers {
                for now in [9, 10, 20] {
                    let mut word = Bits::none(atoms.len());
                    for bit in 0..atoms.len() {
                        let holds = match atoms.atom(bit).unwrap() {
                            Atom::Before(millis) => now < millis,
                            atom @ (Atom::Known(id) | Atom::Is(id, _) | Atom::Below(id, _)) => {
                                let id = id.index();
                                atom.holds_of([at, a, n][id])
                            }
                        };
                        if holds {
                            word.set(bit);
                        }
                    }
                    out.push(word);
                }
            }
        }
        out
    }

    fn random(next: &mut impl FnMut() -> usize, depth: usize, bits: usize) -> Formula {
        match (depth, next() % 4) {
            (0, _) | (_, 0) => Formula::Bit(next() % bits),
            (_, 1) => random(next, depth - 1, bits).not(),
            (_, kind) => {
                let parts = (0..next() % 4).map(|_| random(next, depth - 1, bits)).collect();
                if kind == 2 { Formula::all(parts) } else { Formula::any(parts) }
            }
        }
    }

    #[test]
    fn the_cubes_of_a_formula_hold_exactly_where_it_does() {
        let atoms = atoms();
        let words = words(&atoms);
        let mut seed = 7_usize;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        let (mut tested, mut simpler) = (0, 0);
        for _ in 0..3_000 {
            let formula = random(&mut next, 4, atoms.len());
            let Some(cubes) = formula.cubes(&atoms) else { continue };
            tested += 1;
            simpler += usize::from(cubes.is_empty());
            for word in &words {
                let fires = cubes.iter().any(|c| c.0.iter().all(|(bit, value)| word.has(*bit) == *value));
                assert_eq!(fires, formula.holds(word), "{formula:?} {cubes:?}");
            }
        }
        assert!(tested > 2_000 && simpler > 100, "{tested} {simpler}");
    }

    #[test]
    fn a_formula_with_too_many_cubes_has_none_rather_than_some() {
        let atoms = atoms();
        let pair = |n: usize| Formula::Any(vec![Formula::Bit(2 * n + 100), Formula::Bit(2 * n + 101)]);
        assert_eq!(Formula::All((0..13).map(pair).collect()).cubes(&atoms), None);
        assert_eq!(Formula::All((0..3).map(pair).collect()).cubes(&atoms).map(|c| c.len()), Some(8));
    }
}
