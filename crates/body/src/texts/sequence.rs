//! JSON text sequences (RFC 7464).

use super::framed::Frame;
use crate::error::{BodyFault, Fault};

const SEPARATOR: u8 = 0x1e;

/// Texts that each begin after a record separator and end with a line feed.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    /// How much of the view is known to hold no second separator.
    seen: usize,
}

impl Frame for Sequence {
    fn frame(&mut self, view: &[u8], last: bool) -> Result<Option<usize>, Fault> {
        if view.first() != Some(&SEPARATOR) {
            return Err(Fault::new(BodyFault::Malformed, 0));
        }
        let from = self.seen.max(1);
        let next = memchr::memchr(SEPARATOR, view.get(from..).unwrap_or_default()).map(|at| from + at);
        let length = next.or(last.then_some(view.len()));
        self.seen = if length.is_some() { 0 } else { view.len() };
        Ok(length)
    }

    fn text(&self, unit: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
        match unit {
            // Separators in a row hold no empty text between them (section 2.1), and one at the end none after it.
            [SEPARATOR] => Ok(None),
            [SEPARATOR, text @ ..] if text.ends_with(b"\n") => Ok(Some((1, unit.len() - 1))),
            // A text without its line feed was cut short (section 2.4).
            _ => Err(Fault::new(BodyFault::Truncated, unit.len())),
        }
    }
}
