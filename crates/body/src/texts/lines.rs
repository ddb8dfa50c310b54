//! A JSON text on each line.

use super::framed::Frame;
use crate::error::{BodyFault, Fault};

/// Lines that end with a line feed, which may have a carriage return before it; the last may lack both. To many readers a carriage
/// return alone ends a line, too, and JSON has it for white space anywhere: a body with one has two readings.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// How much of the view is known to hold no line feed.
    seen: usize,
}

impl Frame for Lines {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        let rest = view.get(self.seen..).unwrap_or_default();
        if let Some(at) = memchr::memchr(b'\n', rest) {
            let length = self.seen + at + 1;
            self.seen = 0;
            return Ok(Some(length));
        }
        if !last {
            self.seen = view.len();
            return Ok(None);
        }
        // Nobody knows whether `12` was to be `123`.
        if view.last().is_some_and(u8::is_ascii_digit) {
            return Err(Fault::new(BodyFault::Truncated, view.len()));
        }
        self.seen = 0;
        Ok(Some(view.len()))
    }

    fn text(&self, unit: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
        let end = unit.len() - usize::from(unit.ends_with(b"\n"));
        let text = unit.get(..end).ok_or(Fault::internal(0))?;
        if let Some(at) = memchr::memchr(b'\r', text)
            && (at + 1 != end || end == unit.len())
        {
            return Err(Fault::new(BodyFault::Malformed, at));
        }
        Ok(if text.iter().all(|b| is_space(*b)) { None } else { Some((0, end)) })
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}
