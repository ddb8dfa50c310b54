//! Everything that the policies of a bundle can find out about the facts, each thing one bit: the fact word. It is
//! worked out once for all the questions that are asked on the same facts.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{FactId, FactSchema, FactType, FactValue, Facts, Moment};

use super::bits::Bits;

/// One bit of a fact word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Atom {
    /// The fact is known.
    Known(FactId),
    /// The fact has this value.
    Is(FactId, FactValue),
    /// The level or number is known and below this.
    Below(FactId, i64),
    /// It is earlier than this, in milliseconds since the epoch.
    Before(i64),
}

impl Atom {
    /// The fact that it asks; the time is none.
    pub(crate) const fn fact(self) -> Option<FactId> {
        match self {
            Self::Known(id) | Self::Is(id, _) | Self::Below(id, _) => Some(id),
            Self::Before(_) => None,
        }
    }

    /// Whether it holds of a value of its fact.
    pub(crate) fn holds_of(self, value: Option<FactValue>) -> bool {
        match self {
            Self::Known(_) => value.is_some(),
            Self::Is(_, wanted) => value == Some(wanted),
            Self::Below(_, bound) => value.and_then(number).is_some_and(|n| n < bound),
            Self::Before(_) => false,
        }
    }
}

/// What is compared with a bound.
pub(crate) fn number(value: FactValue) -> Option<i64> {
    match value {
        FactValue::Word(at) => Some(at.into()),
        FactValue::Int(n) => Some(n),
        FactValue::Bool(_) => None,
    }
}

/// The fact words of a bundle: which bit says what.
#[derive(Default)]
pub(crate) struct Atoms {
    all: Vec<Atom>,
    bits: BTreeMap<Atom, usize>,
    facts: Vec<OfFact>,
    times: Vec<(i64, usize)>,
}

/// What one fact contributes to a word.
struct OfFact {
    id: FactId,
    by_value: ByValue,
}

enum ByValue {
    /// For false, for true.
    Bool(Part, Part),
    /// For each word or level.
    Word(Box<[Part]>),
    /// For each stretch of numbers between these bounds: below the first, from the first to below the second, …
    Int(Box<[i64]>, Box<[Part]>),
}

/// Bits of a word: the place and the bits, mostly one pair.
type Part = Box<[(usize, u64)]>;

impl Atoms {
    /// Numbers the atoms: the facts that most policies ask about come first, and the atoms of one fact stand together.
    pub(crate) fn new(asked: impl IntoIterator<Item = BTreeSet<Atom>>, schema: &FactSchema) -> Self {
        let mut often: BTreeMap<Option<FactId>, (usize, BTreeSet<Atom>)> = BTreeMap::new();
        for atoms in asked {
            let facts: BTreeSet<_> = atoms.iter().map(|a| a.fact()).collect();
            for fact in facts {
                often.entry(fact).or_default().0 += 1;
            }
            for atom in atoms {
                often.entry(atom.fact()).or_default().1.insert(atom);
            }
        }
        let mut groups: Vec<_> = often.into_iter().collect();
        groups.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let mut out = Self::default();
        for (fact, (_, atoms)) in groups {
            for atom in &atoms {
                out.bits.insert(*atom, out.all.len());
                if let Atom::Before(millis) = atom {
                    out.times.push((*millis, out.all.len()));
                }
                out.all.push(*atom);
            }
            let def = fact.and_then(|id| Some((id, schema.def(id)?)));
            if let Some((id, def)) = def {
                let by_value = out.by_value(&def.ty, &atoms);
                out.facts.push(OfFact { id, by_value });
            }
        }
        out
    }

    fn by_value(&self, ty: &FactType, atoms: &BTreeSet<Atom>) -> ByValue {
        let part = |value: FactValue| -> Part {
            let mut words: BTreeMap<usize, u64> = BTreeMap::new();
            for bit in atoms.iter().filter(|a| a.holds_of(Some(value))).filter_map(|a| self.bit(*a)) {
                *words.entry(bit / 64).or_default() |= 1 << (bit % 64);
            }
            words.into_iter().collect()
        };
        match ty {
            FactType::Bool => ByValue::Bool(part(FactValue::Bool(false)), part(FactValue::Bool(true))),
            FactType::Word(words) | FactType::Level(words) => {
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                ByValue::Word((0..count).map(|at| part(FactValue::Word(at))).collect())
            }
            FactType::Int => {
                let mut bounds: Vec<i64> = atoms
                    .iter()
                    .flat_map(|atom| match atom {
                        Atom::Below(_, bound) => [Some(*bound), None],
                        Atom::Is(_, FactValue::Int(n)) => [Some(*n), n.checked_add(1)],
                        Atom::Is(..) | Atom::Known(_) | Atom::Before(_) => [None, None],
                    })
                    .flatten()
                    .collect();
                bounds.sort_unstable();
                bounds.dedup();
                let stretches = std::iter::once(i64::MIN).chain(bounds.iter().copied());
                let parts = stretches.map(|n| part(FactValue::Int(n))).collect();
                ByValue::Int(bounds.into(), parts)
            }
        }
    }

    /// The bit of an atom that some policy asks about.
    pub(crate) fn bit(&self, atom: Atom) -> Option<usize> {
        self.bits.get(&atom).copied()
    }

    /// The atom of a bit.
    pub(crate) fn atom(&self, bit: usize) -> Option<Atom> {
        self.all.get(bit).copied()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The word of some facts at some time. A value that is not of its fact's type counts as unknown.
    pub(crate) fn word(&self, facts: &Facts, now: Moment) -> Bits {
        let mut word = Bits::none(self.all.len());
        for OfFact { id, by_value } in &self.facts {
            let Some(value) = facts.get(*id) else { continue };
            let part = match (by_value, value) {
                (ByValue::Bool(no, _), FactValue::Bool(false)) => Some(no),
                (ByValue::Bool(_, yes), FactValue::Bool(true)) => Some(yes),
                (ByValue::Word(parts), FactValue::Word(at)) => parts.get(usize::from(at)),
                (ByValue::Int(bounds, parts), FactValue::Int(n)) => {
                    parts.get(bounds.partition_point(|bound| *bound <= n))
                }
                (ByValue::Bool(..) | ByValue::Word(_) | ByValue::Int(..), _) => None,
            };
            for (at, bits) in part.into_iter().flatten() {
                word.add(*at, *bits);
            }
        }
        let now = now.unix_millis();
        for (_, bit) in self.times.iter().filter(|(millis, _)| now < *millis) {
            word.set(*bit);
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consentry_model::{FactDef, FactSource};

    fn schema() -> (FactSchema, [FactId; 3]) {
        let mut schema = FactSchema::default();
        let mut add =
            |name: &str, ty| schema.add(FactDef { name: name.into(), ty, source: FactSource::Request });
        let words = |of: &[&str]| of.iter().map(|w| (*w).into()).collect::<std::sync::Arc<[_]>>();
        let ids = [
            add("flag", FactType::Bool),
            add("level", FactType::Level(words(&["none", "low", "high"]))),
            add("age", FactType::Int),
        ];
        (schema, ids)
    }

    /// Every bit of the word says what its atom says, and an unknown fact sets none.
    #[test]
    fn a_word_says_of_every_atom_whether_it_holds() {
        let (schema, [flag, level, age]) = schema();
        let mut atoms: BTreeSet<Atom> = [
            Atom::Known(flag),
            Atom::Is(flag, FactValue::Bool(true)),
            Atom::Known(level),
            Atom::Is(level, FactValue::Word(1)),
            Atom::Below(level, 2),
            Atom::Known(age),
            Atom::Is(age, FactValue::Int(13)),
            Atom::Before(1_000),
        ]
        .into();
        // Enough to leave the first word, and the inline words.
        atoms.extend((0..300).map(|n| Atom::Below(age, n)));
        let table = Atoms::new([atoms.clone(), [Atom::Known(age)].into()], &schema);
        assert_eq!(table.len(), atoms.len());
        assert_eq!(table.atom(0).and_then(Atom::fact), Some(age));
        let ages = [i64::MIN, -1, 0, 12, 13, 14, 299, 300, i64::MAX].map(|n| Some(FactValue::Int(n)));
        let flags = [None, Some(FactValue::Bool(false)), Some(FactValue::Bool(true))];
        let levels = [None, Some(FactValue::Word(0)), Some(FactValue::Word(2)), Some(FactValue::Word(9))];
        for (a, f, l) in ages
            .into_iter()
            .chain([None, Some(FactValue::Bool(true))])
            .flat_map(|a| flags.into_iter().flat_map(move |f| levels.into_iter().map(move |l| (a, f, l))))
        {
            let mut facts = Facts::unknown(&schema);
            facts.set(flag, f);
            facts.set(level, l);
            facts.set(age, a);
            for now in [999, 1_000] {
                let word = table.word(&facts, Moment::from_unix_millis(now));
                for atom in &atoms {
                    let fits = |id: FactId| match (schema.def(id).map(|d| &d.ty), facts.get(id)) {
                        (Some(FactType::Bool), Some(FactValue::Bool(_)))
                        | (Some(FactType::Int), Some(FactValue::Int(_))) => facts.get(id),
                        (Some(FactType::Level(words)), Some(FactValue::Word(at))) => {
                            facts.get(id).filter(|_| usize::from(at) < words.len())
                        }
                        _ => None,
                    };
                    let expected = match atom {
                        Atom::Before(millis) => now < *millis,
                        Atom::Known(id) | Atom::Is(id, _) | Atom::Below(id, _) => atom.holds_of(fits(*id)),
                    };
                    assert_eq!(word.has(table.bit(*atom).unwrap()), expected, "{atom:?} of {facts:?}");
                }
            }
        }
    }
}
