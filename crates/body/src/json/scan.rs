//! Strings, numbers and literals, resumable at any byte.

use wide::u8x16;

use super::escape;
use crate::error::{BodyFault, Fault};

/// Scans the inside of a string on from `*at`; `start` is its opening quote. Answers with the position after the
/// closing quote, or `None` when more input is needed; `*at` is where to go on then.
pub(crate) fn string(
    view: &[u8],
    start: usize,
    at: &mut usize,
    escaped: &mut bool,
) -> Result<Option<usize>, Fault> {
    loop {
        *at = plain(view, *at).0;
        match (view.get(*at), view.get(*at + 1)) {
            (None, _) | (Some(b'\\'), None) => return Ok(None),
            (Some(b'\\'), Some(_)) => {
                *escaped = true;
                *at += 2;
            }
            (Some(0..0x20), _) => return Err(Fault::new(BodyFault::Malformed, *at)),
            (Some(_), _) => {
                *at += 1;
                check_string(view, start, *at, *escaped)?;
                return Ok(Some(*at));
            }
        }
    }
}

/// How many bytes are looked at in one go.
const BLOCK: usize = 16;

/// Where the plain text of a string ends that goes on from `from`: at a quote, a backslash, a control character or the
/// end of the view; and whether a byte before that is not ASCII.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most strings end in their first block")]
pub(crate) fn plain(view: &[u8], from: usize) -> (usize, bool) {
    if let Some(block) = view.get(from..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let (stops, high) = look(block);
        if stops != 0 {
            return (from.wrapping_add(stops.trailing_zeros() as usize), below(stops, high));
        }
        return plain_blocks(view, from.wrapping_add(BLOCK), high);
    }
    plain_bytes(view, from, false)
}

/// The same for more than a block; `high` is not 0 if a byte before is not ASCII.
fn plain_blocks(view: &[u8], from: usize, mut high: u32) -> (usize, bool) {
    let mut at = from;
    while let Some(block) = view.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let (stops, here) = look(block);
        if stops != 0 {
            return (at + stops.trailing_zeros() as usize, high != 0 || below(stops, here));
        }
        high |= here;
        at += BLOCK;
    }
    plain_bytes(view, at, high != 0)
}

/// A bit for each byte that interrupts plain text, and for each that is not ASCII.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is a handful of instructions")]
fn look(block: &[u8; BLOCK]) -> (u32, u32) {
    let bytes = u8x16::new(*block);
    let quotes = bytes.simd_eq(u8x16::splat(b'"'));
    let stops = quotes | bytes.simd_eq(u8x16::splat(b'\\')) | bytes.simd_le(u8x16::splat(0x1f));
    (stops.to_bitmask(), bytes.to_bitmask())
}

/// Whether a bit is set below the lowest of those that stop.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is a handful of instructions")]
const fn below(stops: u32, high: u32) -> bool {
    high & !stops & stops.wrapping_sub(1) != 0
}

/// The same byte by byte.
#[cold]
fn plain_bytes(view: &[u8], from: usize, mut high: bool) -> (usize, bool) {
    let rest = view.get(from..).unwrap_or_default();
    for (n, byte) in rest.iter().enumerate() {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            return (from + n, high);
        }
        high |= !byte.is_ascii();
    }
    (from + rest.len(), high)
}

fn check_string(view: &[u8], start: usize, end: usize, escaped: bool) -> Result<(), Fault> {
    let inside = view.get(start + 1..end - 1).ok_or(Fault::internal(start))?;
    let text = std::str::from_utf8(inside)
        .map_err(|e| Fault::new(BodyFault::InvalidUtf8, start + 1 + e.valid_up_to()))?;
    if escaped {
        escape::check(text).map_err(|at| Fault::new(BodyFault::Malformed, start + 1 + at))?;
    }
    Ok(())
}

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

/// The literal that begins with this byte.
pub(crate) const fn literal(first: u8) -> Option<&'static [u8]> {
    match first {
        b't' => Some(b"true"),
        b'f' => Some(b"false"),
        b'n' => Some(b"null"),
        _ => None,
    }
}

/// Compares a literal at `at`. Answers like [`string`].
pub(crate) fn word(view: &[u8], at: usize, word: &[u8]) -> Result<Option<usize>, Fault> {
    let there = view.get(at..).unwrap_or_default();
    match word.iter().zip(there).position(|(want, have)| want != have) {
        Some(wrong) => Err(Fault::new(BodyFault::Malformed, at + wrong)),
        None => Ok((there.len() >= word.len()).then_some(at + word.len())),
    }
}

/// A number that ends before the end of the view: where, and whether it is an integer. `None` when it is none, or may
/// go on.
#[inline]
pub(crate) fn whole_number(view: &[u8], from: usize) -> Option<(usize, bool)> {
    let digits = |mut at: usize| {
        let start = at;
        while view.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > start).then_some(at)
    };
    let first = if *view.get(from)? == b'-' { from + 1 } else { from };
    let mut at = if *view.get(first)? == b'0' { first + 1 } else { digits(first)? };
    let mut integer = true;
    if *view.get(at)? == b'.' {
        integer = false;
        at = digits(at + 1)?;
    }
    if matches!(view.get(at)?, b'e' | b'E') {
        integer = false;
        let sign = matches!(view.get(at + 1)?, b'+' | b'-');
        at = digits(at + 1 + usize::from(sign))?;
    }
    // Behind the view's end there may be more digits.
    view.get(at)?;
    Some((at, integer))
}

/// A string that ends before the end of the view: where. `None` when it is none, or does not end.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most strings end in their first block")]
pub(crate) fn whole_string(view: &[u8], start: usize) -> Option<usize> {
    let (stop, high) = plain(view, start.wrapping_add(1));
    if *view.get(stop)? == b'"' {
        let right = !high || std::str::from_utf8(view.get(start.wrapping_add(1)..stop)?).is_ok();
        return right.then_some(stop.wrapping_add(1));
    }
    odd_string(view, start)
}

/// The same for one that has escapes in it.
#[cold]
fn odd_string(view: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut escaped) = (start + 1, false);
    string(view, start, &mut at, &mut escaped).ok()?
}

/// A literal that ends before the end of the view: where. `None` when it is none.
#[inline]
pub(crate) fn whole_word(view: &[u8], start: usize, first: u8) -> Option<usize> {
    let end = start + literal(first)?.len();
    (view.get(start..end)? == literal(first)?).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_find_what_bytes_find() {
        for length in 0..50 {
            for (special, odd) in
                [(b'"', 0x80), (b'\\', 0xff), (0, b'a'), (0x1f, 0xc3), (0x20, 0x7f), (0x80, b'!')]
            {
                for at in 0..=length {
                    let mut view = vec![b'x'; length];
                    if let Some(byte) = view.get_mut(at) {
                        *byte = special;
                    }
                    for other in 0..=length {
                        if let Some(byte) = view.get_mut(other).filter(|byte| **byte == b'x') {
                            *byte = odd;
                        }
                        for from in 0..=length {
                            assert_eq!(
                                plain(&view, from),
                                plain_bytes(&view, from, false),
                                "{view:?} from {from}"
                            );
                        }
                        if let Some(byte) = view.get_mut(other).filter(|byte| **byte == odd) {
                            *byte = b'x';
                        }
                    }
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
            let (mut at, mut digits) = (0, Digits::Start);
            let want = number(&view, &mut at, &mut digits, false).ok().flatten();
            assert_eq!(whole_number(&view, 0), want.map(|end| (end, digits.is_integer())), "{view:?}");
        }
    }
}
