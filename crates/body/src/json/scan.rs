//! Strings and literals, resumable at any byte, and such as are whole and in view.

use wide::{i8x16, u8x16};

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

/// Where the closing quote is of a string whose inside begins at `from`, if all of it is plain ASCII and in view with a
/// block after it. `None` where one has to look closer.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most strings end in their first block")]
pub(crate) fn easy(view: &[u8], from: usize) -> Option<usize> {
    let (quotes, odd) = look_for_end(view.get(from..)?.first_chunk::<BLOCK>()?);
    if quotes == 0 {
        return if odd == 0 { easy_blocks(view, from.wrapping_add(BLOCK)) } else { None };
    }
    // Ones up to the first quote.
    if odd & (quotes ^ quotes.wrapping_sub(1)) != 0 {
        return None;
    }
    Some(from.wrapping_add(quotes.trailing_zeros() as usize))
}

/// The same for more than a block.
fn easy_blocks(view: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let (quotes, odd) = look_for_end(view.get(from..)?.first_chunk::<BLOCK>()?);
        if quotes != 0 {
            let plain = odd & (quotes ^ quotes.wrapping_sub(1)) == 0;
            return plain.then_some(from.wrapping_add(quotes.trailing_zeros() as usize));
        }
        if odd != 0 {
            return None;
        }
        from = from.wrapping_add(BLOCK);
    }
}

/// How long a string was the last time, in a form that is quick to compare.
///
/// Where things are alike most are as long as the last time. Whoever knows the length need not wait for the quote to be found
/// before the next one is looked at: that it is there is looked at beside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// With both quotes.
    bytes: usize,
    /// A bit for each quote, and for each byte up to the last one.
    quotes: u32,
    up_to: u32,
}

impl Length {
    /// Not known, longer than is looked at, or no string.
    pub(crate) const UNKNOWN: Self = Self { bytes: 0, quotes: 0, up_to: 0 };

    pub(crate) const fn of(bytes: usize) -> Self {
        if bytes < 2 || bytes > 2 * BLOCK {
            return Self::UNKNOWN;
        }
        let last = 1 << (bytes - 1);
        Self { bytes, quotes: last | 1, up_to: last | (last - 1) }
    }

    /// The scalar that begins here, if it is a string that is plain ASCII, short, and in view with a block after it: where it
    /// ends. `None` where one has to look closer. It may be as long as the last time, which takes least; how long it is is
    /// remembered.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most members")]
    pub(crate) fn easy(&mut self, view: &[u8], start: usize) -> Option<usize> {
        let blocks: &[u8; 2 * BLOCK] = view.get(start..)?.first_chunk()?;
        let (first, second) = blocks.split_at(BLOCK);
        let (mut quotes, mut odd) = look_for_end(first.first_chunk()?);
        // Of an unknown length there is nothing to compare.
        let fits = |quotes, odd| ((quotes ^ self.quotes) | odd) & self.up_to == 0 && self.up_to != 0;
        if self.bytes <= BLOCK && fits(quotes, odd) {
            return Some(start.wrapping_add(self.bytes));
        }
        let (more_quotes, more_odd) = look_for_end(second.first_chunk()?);
        (quotes, odd) = (quotes | more_quotes << BLOCK, odd | more_odd << BLOCK);
        if fits(quotes, odd) {
            return Some(start.wrapping_add(self.bytes));
        }
        // The bits up to the second quote.
        let after = quotes & quotes.wrapping_sub(1);
        if quotes & 1 == 0 || after == 0 || odd & (after ^ after.wrapping_sub(1)) != 0 {
            return None;
        }
        *self = Self::of(after.trailing_zeros() as usize + 1);
        Some(start.wrapping_add(self.bytes))
    }

    /// Whether strings are short here, as far as one knows.
    pub(crate) const fn is_known(self) -> bool {
        self.up_to != 0
    }
}

/// A bit for each quote, and for each byte that is a backslash, a control character or not ASCII.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is a handful of instructions")]
fn look_for_end(block: &[u8; BLOCK]) -> (u32, u32) {
    // What is not ASCII is below zero.
    let bytes = i8x16::new(bytemuck::must_cast(*block));
    let odd = i8x16::splat(0x20).simd_gt(bytes) | bytes.simd_eq(i8x16::splat(b'\\'.cast_signed()));
    (bytes.simd_eq(i8x16::splat(b'"'.cast_signed())).to_bitmask(), odd.to_bitmask())
}

/// A bit for each byte that is a quote, a backslash, a control character or not ASCII.
#[inline]
pub(crate) fn interruptions(block: &[u8; BLOCK]) -> u32 {
    let (quotes, odd) = look_for_end(block);
    quotes | odd
}

/// [`plain`] byte by byte.
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

/// A string that ends before the end of the view: where. `None` when it is none, or does not end.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most strings end in their first block")]
pub(crate) fn whole_string(view: &[u8], start: usize) -> Option<usize> {
    match easy(view, start.wrapping_add(1)) {
        Some(stop) => Some(stop.wrapping_add(1)),
        None => odd_string(view, start),
    }
}

/// The same for any string.
#[cold]
fn odd_string(view: &[u8], start: usize) -> Option<usize> {
    let from = start.wrapping_add(1);
    let (stop, high) = plain(view, from);
    if *view.get(stop)? == b'"' {
        let right = !high || std::str::from_utf8(view.get(from..stop)?).is_ok();
        return right.then_some(stop.wrapping_add(1));
    }
    let (mut at, mut escaped) = (stop, false);
    string(view, start, &mut at, &mut escaped).ok()?
}

/// A literal that ends before the end of the view: where. `None` when it is none.
#[inline]
pub(crate) fn whole_word(view: &[u8], start: usize, first: u8) -> Option<usize> {
    let rest = view.get(start..)?;
    let (is_it, length) = match first {
        b't' => (rest.first_chunk()? == b"true", 4),
        b'n' => (rest.first_chunk()? == b"null", 4),
        b'f' => (rest.first_chunk()? == b"false", 5),
        _ => (false, 0),
    };
    is_it.then_some(start.wrapping_add(length))
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
                            let (stop, high) = plain_bytes(&view, from, false);
                            let end = view.get(stop).filter(|byte| !high && **byte == b'"').map(|_| stop);
                            let quoted = [b"\"".as_slice(), view.get(from..).unwrap_or_default()].concat();
                            let whole = end.map(|end| end - from + 2);
                            for last in [0, 2, BLOCK + 1, 2 * BLOCK] {
                                let mut length = Length::of(last);
                                let found = length.easy(&quoted, 0);
                                assert!(found.is_none() || found == whole, "{quoted:?} after {last}");
                                let near =
                                    quoted.len() >= 2 * BLOCK && whole.is_some_and(|end| end <= 2 * BLOCK);
                                assert!(found.is_some() || !near, "{quoted:?} after {last}");
                                assert!(
                                    found.is_none_or(|end| end == length.bytes),
                                    "{quoted:?} after {last}"
                                );
                            }
                            if let found @ Some(_) = easy(&view, from) {
                                assert_eq!(found, end, "{view:?} from {from}");
                            } else if stop + 2 * BLOCK < length {
                                assert_eq!(None, end, "{view:?} from {from}");
                            }
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
}
