//! Strings, numbers and literals, resumable at any byte. A vectorised scanner replaces this file alone.

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
        let rest = view.get(*at..).unwrap_or_default();
        let stop = memchr::memchr2(b'"', b'\\', rest);
        let plain = stop.unwrap_or(rest.len());
        if let Some(control) = rest.iter().take(plain).position(|byte| *byte < 0x20) {
            return Err(Fault::new(BodyFault::Malformed, *at + control));
        }
        *at += plain;
        match (rest.get(plain), rest.get(plain + 1)) {
            (None, _) | (Some(b'\\'), None) => return Ok(None),
            (Some(b'\\'), Some(_)) => {
                *escaped = true;
                *at += 2;
            }
            (Some(_), _) => {
                *at += 1;
                check_string(view, start, *at, *escaped)?;
                return Ok(Some(*at));
            }
        }
    }
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
