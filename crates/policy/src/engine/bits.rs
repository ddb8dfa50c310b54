//! A set of small numbers, of any size; no allocation below 257 of them.

/// How many words of 64 bits are kept in place.
const INLINE: usize = 4;

/// Bits by their number. Two with the same bits are equal, however many they were made for.
#[derive(Clone, Debug)]
pub(crate) enum Bits {
    Few([u64; INLINE]),
    Many(Box<[u64]>),
}

impl Bits {
    /// None of so many.
    pub(crate) fn none(count: usize) -> Self {
        let words = count.div_ceil(64);
        if words <= INLINE { Self::Few([0; INLINE]) } else { Self::Many(vec![0; words].into()) }
    }

    /// The first 64, as one word.
    #[cfg(test)]
    pub(crate) const fn from_word(word: u64) -> Self {
        Self::Few([word, 0, 0, 0])
    }

    pub(crate) fn words(&self) -> &[u64] {
        match self {
            Self::Few(words) => words,
            Self::Many(words) => words,
        }
    }

    fn words_mut(&mut self) -> &mut [u64] {
        match self {
            Self::Few(words) => words,
            Self::Many(words) => words,
        }
    }

    /// The word at a place; 0 beyond the last.
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.words().get(at).copied().unwrap_or(0)
    }

    /// Adds bits to the word at a place.
    pub(crate) fn add(&mut self, at: usize, bits: u64) {
        if let Some(word) = self.words_mut().get_mut(at) {
            *word |= bits;
        }
    }

    /// Adds one.
    pub(crate) fn set(&mut self, bit: usize) {
        self.add(bit / 64, 1 << (bit % 64));
    }

    pub(crate) fn has(&self, bit: usize) -> bool {
        self.word(bit / 64) >> (bit % 64) & 1 == 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words().iter().all(|w| *w == 0)
    }

    /// Those of this that are (`keep`) or are not among the others.
    pub(crate) fn only(mut self, others: &Self, keep: bool) -> Self {
        for (at, word) in self.words_mut().iter_mut().enumerate() {
            *word &= if keep { others.word(at) } else { !others.word(at) };
        }
        self
    }

    /// The numbers, in order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words().iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }

    fn trimmed(&self) -> &[u64] {
        let words = self.words();
        let used = words.iter().rposition(|w| *w != 0).map_or(0, |last| last + 1);
        words.get(..used).unwrap_or(words)
    }
}

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Few(a), Self::Few(b)) => a == b,
            (Self::Few(_) | Self::Many(_), Self::Few(_) | Self::Many(_)) => self.trimmed() == other.trimmed(),
        }
    }
}

impl Eq for Bits {}

impl std::hash::Hash for Bits {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for word in self.trimmed() {
            state.write_u64(*word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_bits_is_kept() {
        for count in [1, 64, 65, 256, 257, 5_000] {
            let mut bits = Bits::none(count);
            assert!(bits.is_empty());
            let picked: Vec<usize> = [0, count / 2, count - 1].into_iter().collect();
            picked.iter().for_each(|bit| bits.set(*bit));
            let mut expected = picked.clone();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(bits.iter().collect::<Vec<_>>(), expected, "{count}");
            assert!(expected.iter().all(|bit| bits.has(*bit)) && !bits.has(count + 1_000));
            assert!(bits.clone().only(&bits, false).is_empty());
            assert_eq!(bits.clone().only(&bits, true), bits);
        }
        let mut wide = Bits::none(1_000);
        wide.set(3);
        assert_eq!(wide, Bits::from_word(8));
    }
}
