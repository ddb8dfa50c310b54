//! Some of the values of one variable.

const WORDS: usize = 4;

/// How many values a variable may have.
pub(crate) const VALUES_MAX: usize = WORDS * 64;

/// A set of values by their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Set([u64; WORDS]);

impl Set {
    pub(crate) const NONE: Self = Self([0; WORDS]);

    /// The first so many.
    pub(crate) fn first(count: usize) -> Self {
        (0..count).collect()
    }

    pub(crate) fn has(self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(crate) fn both(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(crate) fn either(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..VALUES_MAX).filter(move |at| self.has(*at))
    }

    fn zip(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = self;
        out.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = join(*a, b));
        out
    }
}

impl FromIterator<usize> for Set {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut out = Self::NONE;
        for at in places {
            if let Some(word) = out.0.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        out
    }
}
