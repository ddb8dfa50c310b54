//! The short names of the objects that are open, each as a number: whether one occurs twice.

/// A name of more bytes is no short one.
const SHORT: usize = 16;
/// How many short names of one object are kept. They are compared one by one.
const KEPT_MAX: usize = 64;

/// A short name. Its bytes, and zeros after them: no two names have the same, for none of them has a zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u128);

impl Key {
    /// The key of a name, as it reads; `None` when it is not short, or has a zero byte.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        if name.len() > SHORT || name.contains(&0) {
            return None;
        }
        let mut padded = [0; SHORT];
        padded.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self(u128::from_le_bytes(padded)))
    }

    /// The key of a name that stands in the view from here to there, without escapes and control characters; `None` when
    /// it is not short.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is much of what is done for most names")]
    pub(crate) fn there(view: &[u8], from: usize, to: usize) -> Option<Self> {
        let mask = *MASKS.get(to.wrapping_sub(from))?;
        match view.get(from..)?.first_chunk::<SHORT>() {
            Some(block) => Some(Self(u128::from_le_bytes(*block) & mask)),
            None => Self::of(view.get(from..to)?),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    const fn bit(self) -> u64 {
        let folded = self.0 as u64 ^ ((self.0 >> 64) as u64).rotate_left(29);
        1 << (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
    }
}

/// Ones for as many bytes.
static MASKS: [u128; SHORT + 1] = {
    let mut masks = [u128::MAX; SHORT + 1];
    let mut length = 0;
    let mut mask = 0;
    let (mut rest, _) = masks.split_at_mut(SHORT);
    while let [first, after @ ..] = rest {
        *first = mask;
        mask = mask << 8 | 0xff;
        length += 1;
        rest = after;
    }
    assert!(length == SHORT);
    masks
};

/// The short names of one object, among those of all that are open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Few {
    from: usize,
    /// A bit for each name: most that are new are known to be so at once.
    bits: u64,
}

/// What is known of a short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    New,
    Twice,
    /// It is not among those kept, and no more are.
    Full,
}

/// The short names of the objects that are open, innermost last.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// An object begins.
    pub(crate) const fn open(&self) -> Few {
        Few { from: self.0.len(), bits: 0 }
    }

    /// The innermost object ends.
    pub(crate) fn close(&mut self, few: Few) {
        self.0.truncate(few.from);
    }

    /// Whether the innermost object has a member of this name.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is much of what is done for most names")]
    pub(crate) fn look(&self, few: &Few, key: Key) -> Met {
        if few.bits & key.bit() == 0 && self.0.len().wrapping_sub(few.from) < KEPT_MAX {
            return Met::New;
        }
        self.compare(few, key)
    }

    fn compare(&self, few: &Few, key: Key) -> Met {
        let there = self.0.get(few.from..).unwrap_or_default();
        if there.contains(&key) {
            Met::Twice
        } else if there.len() < KEPT_MAX {
            Met::New
        } else {
            Met::Full
        }
    }

    /// The innermost object has a member of this name, which is new.
    #[inline]
    pub(crate) fn keep(&mut self, few: &mut Few, key: Key) {
        few.bits |= key.bit();
        if self.0.capacity() == 0 {
            self.0.reserve(KEPT_MAX);
        }
        self.0.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_same_key_only_if_they_are_the_same() {
        let names =
            ["", "a", "b", "ab", "a ", "0123456789abcde", "0123456789abcdef", "0123456789abcdeg", "\u{e9}"];
        for one in names {
            for other in names {
                let padded = format!("{other}\"and what stands after it");
                let there = Key::there(padded.as_bytes(), 0, other.len());
                assert_eq!(there == Key::of(one.as_bytes()), one == other, "{one} {other}");
                assert_eq!(there, Key::there(other.as_bytes(), 0, other.len()));
            }
        }
        for none in ["0123456789abcdefg", "a\0", "\0"] {
            assert_eq!(Key::of(none.as_bytes()), None);
        }
        assert_eq!(Key::there(b"0123456789abcdefg", 0, 17), None);
    }

    #[test]
    fn names_that_occur_twice_are_found_among_any_number() {
        let mut keys = Keys::default();
        let mut outer = keys.open();
        let key = |n: usize| Key::of(n.to_string().as_bytes()).unwrap();
        keys.keep(&mut outer, key(1));
        let mut inner = keys.open();
        for n in 0..200 {
            let met = keys.look(&inner, key(n));
            assert_eq!(met, if n < KEPT_MAX { Met::New } else { Met::Full });
            if met == Met::New {
                keys.keep(&mut inner, key(n));
            }
        }
        assert_eq!((keys.look(&inner, key(63)), keys.look(&inner, key(64))), (Met::Twice, Met::Full));
        keys.close(inner);
        assert_eq!((keys.look(&outer, key(1)), keys.look(&outer, key(2))), (Met::Twice, Met::New));
    }
}
