//! Numbers, resumable at any byte, and such as are whole and in view.

use wide::u8x16;

use crate::error::{BodyFault, Fault};

/// How many bytes are looked at in one go.
const BLOCK: usize = 16;

/// How far into a number the scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Digits {
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Start, b'-') => Self::Minus,
            (Self::Start | Self::Minus, b'0') => Self::Zero,
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }

    const fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::Power)
    }

    pub(crate) const fn is_integer(self) -> bool {
        matches!(self, Self::Zero | Self::Whole)
    }
}

/// Scans a number on from `*at`. Answers like [`string`]; a number ends before the first byte that cannot go on, or
/// with the input when that is `last`.
pub(crate) fn number(
    view: &[u8],
    at: &mut usize,
    digits: &mut Digits,
    last: bool,
) -> Result<Option<usize>, Fault> {
    for byte in view.get(*at..).unwrap_or_default() {
        match digits.next(*byte) {
            Some(next) => *digits = next,
            None if digits.may_end() => return Ok(Some(*at)),
            None => return Err(Fault::new(BodyFault::Malformed, *at)),
        }
        *at += 1;
    }
    Ok((last && digits.may_end()).then_some(*at))
}

/// A number that ends before the end of the view: where, and whether it is an integer. `None` when it is none, or may
/// go on.
#[inline]
pub(crate) fn whole_number(view: &[u8], from: usize) -> Option<(usize, bool)> {
    short_number(view, from).or_else(|| any_number(view, from))
}

/// The same for a number without an exponent that ends within a block; `None` also where one has to look closer.
#[inline]
pub(crate) fn short_number(view: &[u8], from: usize) -> Option<(usize, bool)> {
    let block = view.get(from..)?.first_chunk::<BLOCK>()?;
    let bytes = u8x16::new(*block);
    // Ones where digits end; there is always one.
    let others = !(bytes - u8x16::splat(b'0')).simd_le(u8x16::splat(9)).to_bitmask() | 1 << BLOCK;
    let first = usize::from(*block.first()? == b'-');
    let whole = (others >> first).trailing_zeros() as usize;
    let at = first + whole;
    if whole == 0 || whole > 1 && *block.get(first)? == b'0' {
        return None;
    }
    let (at, integer) = if *block.get(at)? == b'.' {
        let fraction = (others >> (at + 1)).trailing_zeros() as usize;
        if fraction == 0 {
            return None;
        }
        (at + 1 + fraction, false)
    } else {
        (at, true)
    };
    let goes_on = matches!(*block.get(at)?, b'e' | b'E');
    (!goes_on).then_some((from.wrapping_add(at), integer))
}

/// The same for any number.
fn any_number(view: &[u8], from: usize) -> Option<(usize, bool)> {
    let some_digits = |at: usize| Some(digits(view, at)).filter(|end| *end > at);
    let first = from.wrapping_add(usize::from(*view.get(from)? == b'-'));
    let mut at = if *view.get(first)? == b'0' { first.wrapping_add(1) } else { some_digits(first)? };
    let mut integer = true;
    if *view.get(at)? == b'.' {
        integer = false;
        at = some_digits(at.wrapping_add(1))?;
    }
    if matches!(view.get(at)?, b'e' | b'E') {
        integer = false;
        let sign = matches!(view.get(at.wrapping_add(1))?, b'+' | b'-');
        at = some_digits(at.wrapping_add(1 + usize::from(sign)))?;
    }
    // Behind the view's end there may be more digits.
    view.get(at)?;
    Some((at, integer))
}

/// Whether every reader takes a whole number for the same one: many keep numbers as fractions of 53 bits, in which those beyond
/// ±(2⁵³ − 1) are no longer told from their neighbours, and minus zero is zero. Takes it as JSON writes it.
#[must_use]
pub fn is_exact(integer: &str) -> bool {
    let digits = integer.strip_prefix('-').unwrap_or(integer);
    integer != "-0" && (digits.len(), digits) <= (16, "9007199254740991")
}

/// Where digits end that begin here, which may be none.
#[inline]
fn digits(view: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(block) = view.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        // A digit is below 0x3a, and 0x30 or more; sums of seven bits do not carry into the next byte.
        let word = u64::from_le_bytes(*block);
        let low = word & LOW;
        let other = (word | low.wrapping_add(0x46 * ONES) | !low.wrapping_add(0x50 * ONES)) & HIGH;
        if other != 0 {
            return at.wrapping_add(other.trailing_zeros() as usize / 8);
        }
        at = at.wrapping_add(8);
    }
    while view.get(at).is_some_and(u8::is_ascii_digit) {
        at = at.wrapping_add(1);
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * ONES;
const HIGH: u64 = 0x80 * ONES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_number_is_exact_where_no_reader_rounds_it() {
        for (integer, exact) in [
            ("0", true),
            ("-1", true),
            ("999999999999999", true),
            ("9007199254740991", true),
            ("-9007199254740991", true),
            ("9007199254740992", false),
            ("9007199254740993", false),
            ("-9007199254740992", false),
            ("10000000000000000", false),
            ("-0", false),
        ] {
            assert_eq!(is_exact(integer), exact, "{integer}");
        }
    }

    #[test]
    fn digits_end_where_others_begin() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                for at in 0..=length {
                    let mut view = vec![b'0' + u8::try_from(at % 10).unwrap_or_default(); length];
                    if let Some(there) = view.get_mut(at) {
                        *there = byte;
                    }
                    let end = view.iter().position(|b| !b.is_ascii_digit()).unwrap_or(length);
                    assert_eq!(digits(&view, 0), end, "{view:?}");
                }
            }
        }
    }

    #[test]
    fn whole_numbers_are_what_the_digits_say() {
        let alphabet = b"-0179.eE+, ";
        for n in 0..alphabet.len().pow(5) {
            let view: Vec<u8> =
                (0..5).map(|place| alphabet[n / alphabet.len().pow(place) % alphabet.len()]).collect();
            for (before, after) in [
                ("", ""),
                ("", ",,,,,,,,,,,,,,,,"),
                ("123456789", ",123456789012345"),
                ("-12.34", "567890123456789,"),
            ] {
                let view = [before.as_bytes(), &view, after.as_bytes()].concat();
                let (mut at, mut digits) = (0, Digits::Start);
                let want = number(&view, &mut at, &mut digits, false).ok().flatten();
                assert_eq!(whole_number(&view, 0), want.map(|end| (end, digits.is_integer())), "{view:?}");
            }
        }
    }
}
