//! What a window comes to, written over the window itself.
//!
//! What stays of a text moves towards its front, so that it never overtakes what is still to be read. Only a value that
//! becomes longer may need more room than there is; what is written then moves to a place of its own.

use bytes::BytesMut;

use crate::tape::At;

/// How much is moved at once, where less is wanted.
const SHORT: usize = 64;

/// The text of a window, and what has been written of it. Its methods answer `None` for a stretch that is not there,
/// which never happens.
pub(crate) struct Out<'a> {
    /// The window, with a byte before it that may be written over, or none.
    all: &'a mut [u8],
    lead: usize,
    written: usize,
    elsewhere: Option<Vec<u8>>,
}

/// Where what was written is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// So many bytes, from the front of the text on.
    There(usize),
    Elsewhere(Vec<u8>),
}

impl<'a> Out<'a> {
    /// The text begins after `lead` bytes.
    pub(crate) const fn new(all: &'a mut [u8], lead: usize) -> Self {
        Self { all, lead, written: 0, elsewhere: None }
    }

    /// The text, as far as nothing was written over it: from the end of the last stretch on that was taken.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        self.all.get(self.lead..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.elsewhere.as_ref().map_or(self.written, Vec::len)
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        match &mut self.elsewhere {
            None => self.written = length,
            Some(out) => out.truncate(length),
        }
    }

    /// Writes a stretch of the text.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most values")]
    pub(crate) fn take(&mut self, start: At, end: At) -> Option<()> {
        if start == end {
            return Some(());
        }
        let (from, to) = (self.lead.checked_add(start as usize)?, self.lead.checked_add(end as usize)?);
        match self.take_short(from, to) {
            Some(()) => Some(()),
            None => self.take_any(from, to),
        }
    }

    /// Moves a short stretch with what stands after it, when there is room for that: most are short, and a length that is
    /// known beforehand takes no call. `None` when there is not.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is half of what is done for most values")]
    fn take_short(&mut self, from: usize, to: usize) -> Option<()> {
        let length = to.wrapping_sub(from);
        if length > SHORT || self.elsewhere.is_some() {
            return None;
        }
        let (before, after) = self.all.split_at_mut_checked(from)?;
        *before.get_mut(self.written..)?.first_chunk_mut::<SHORT>()? = *after.first_chunk()?;
        self.written = self.written.wrapping_add(length);
        Some(())
    }

    /// The same for any stretch.
    #[inline(never)]
    fn take_any(&mut self, from: usize, to: usize) -> Option<()> {
        if let Some(out) = &mut self.elsewhere {
            out.extend_from_slice(self.all.get(from..to)?);
            return Some(());
        }
        let after = self.written.checked_add(to.checked_sub(from)?)?;
        if to > self.all.len() || self.written > from {
            return None;
        }
        if self.written < from {
            self.all.copy_within(from..to, self.written);
        }
        self.written = after;
        Some(())
    }

    /// Writes other bytes, instead of what stands in the text before `until`.
    pub(crate) fn put(&mut self, bytes: &[u8], until: At) -> Option<()> {
        let out = match &mut self.elsewhere {
            Some(out) => out,
            None => {
                let after = self.written.checked_add(bytes.len())?;
                if after <= self.lead.checked_add(until as usize)? {
                    self.all.get_mut(self.written..after)?.copy_from_slice(bytes);
                    self.written = after;
                    return Some(());
                }
                let mut out = Vec::with_capacity(self.all.len().saturating_add(bytes.len()));
                out.extend_from_slice(self.all.get(..self.written)?);
                self.elsewhere.insert(out)
            }
        };
        out.extend_from_slice(bytes);
        Some(())
    }

    /// The same for the first `length` of these bytes.
    #[inline]
    pub(crate) fn put_short(&mut self, bytes: &[u8; 16], length: usize, until: At) -> Option<()> {
        let gone = self.lead.checked_add(until as usize)?;
        let room = self.all.get_mut(self.written..gone).and_then(<[u8]>::first_chunk_mut);
        if let (None, Some(room)) = (&self.elsewhere, room) {
            *room = *bytes;
            self.written = self.written.checked_add(length)?;
            return Some(());
        }
        self.put(bytes.get(..length)?, until)
    }

    pub(crate) fn finish(self) -> Written {
        self.elsewhere.map_or(Written::There(self.written), Written::Elsewhere)
    }
}

/// Takes the window off the buffer, in which it ends after `bytes`. Answers with what was written of it, and whether the
/// buffer begins with a byte that is no more needed.
pub(crate) fn cut(
    buffer: &mut BytesMut,
    bytes: usize,
    written: Written,
    last: bool,
) -> (bytes::Bytes, usize) {
    let there = match &written {
        Written::There(length) => *length,
        Written::Elsewhere(_) => 0,
    };
    // In the place of the comma that may have ended the window, the next one writes its first.
    let lead = usize::from(!last && there < bytes);
    let gone = bytes.saturating_sub(lead).min(buffer.len());
    let mut window = if gone == buffer.len() { std::mem::take(buffer) } else { buffer.split_to(gone) };
    match written {
        Written::There(length) => {
            window.truncate(length);
            (window.freeze(), lead)
        }
        Written::Elsewhere(out) => (out.into(), lead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_moves_to_the_front_and_elsewhere_only_when_it_must() {
        let mut text = *b"_abcdef";
        let mut out = Out::new(&mut text, 1);
        assert_eq!((out.put(b",", 0), out.take(1, 3), out.put(b"X", 4)), (Some(()), Some(()), Some(())));
        assert_eq!((out.text().get(4..), out.len()), (Some(&b"ef"[..]), 4));
        assert_eq!((out.take(4, 7), out.take(2, 3)), (None, None));
        out.truncate(3);
        assert_eq!(out.take(4, 6), Some(()));
        assert_eq!(out.finish(), Written::There(5));
        assert_eq!(text.get(..5), Some(&b",bcef"[..]));

        let mut text = *b"abcdef";
        let mut out = Out::new(&mut text, 0);
        assert_eq!((out.take(0, 2), out.put(b"XYZ", 4), out.take(4, 5)), (Some(()), Some(()), Some(())));
        assert_eq!((out.len(), out.take(4, 7)), (6, None));
        out.truncate(5);
        assert_eq!(out.take(5, 6), Some(()));
        assert_eq!(out.finish(), Written::Elsewhere(b"abXYZf".to_vec()));
    }

    #[test]
    fn a_byte_stays_before_the_next_window_if_it_is_not_needed() {
        for (written, last, want, lead, rest) in [
            (Written::There(4), false, &b"abcd"[..], 0, &b"ef"[..]),
            (Written::There(3), false, b"abc", 1, b"def"),
            (Written::There(3), true, b"abc", 0, b"ef"),
            (Written::Elsewhere(b"longer".to_vec()), false, b"longer", 1, b"def"),
        ] {
            let mut buffer = BytesMut::from(&b"abcdef"[..]);
            let (out, left) = cut(&mut buffer, 4, written, last);
            assert_eq!((&out[..], left, &buffer[..]), (want, lead, rest));
        }
    }
}
