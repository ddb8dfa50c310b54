//! Rows and cells, strictly.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{BodyFault, Fault};

/// Looks for the end of a row, in pieces.
#[derive(Debug, Default)]
pub(super) struct RowEnd {
    seen: usize,
    quoted: bool,
}

impl RowEnd {
    /// The length of the row that begins with the view, with its line end.
    pub(super) fn find(&mut self, view: &[u8], last: bool) -> Option<usize> {
        let mut at = self.seen;
        while let Some(step) = memchr::memchr2(b'"', b'\n', view.get(at..).unwrap_or_default()) {
            at += step + 1;
            if view.get(at - 1) == Some(&b'"') {
                self.quoted = !self.quoted;
            } else if !self.quoted {
                *self = Self::default();
                return Some(at);
            }
        }
        self.seen = view.len();
        if last && !self.quoted {
            *self = Self::default();
            return Some(view.len());
        }
        None
    }
}

/// One cell: where it is with its quotes, and what it reads as.
#[derive(Debug)]
pub(super) struct CellText {
    pub(super) raw: Range<usize>,
    pub(super) text: String,
}

/// A row's length without its line end.
pub(super) fn content(row: &[u8]) -> usize {
    let line = row.strip_suffix(b"\n").unwrap_or(row);
    let ended = line.len() < row.len();
    line.len() - usize::from(ended && line.ends_with(b"\r"))
}

/// The cells of a row without its line end.
pub(super) fn cells(row: &[u8], fields_max: usize) -> Result<Vec<CellText>, Fault> {
    let utf8 = |e: std::str::Utf8Error| Fault::new(BodyFault::InvalidUtf8, e.valid_up_to());
    let row = std::str::from_utf8(row).map_err(utf8)?;
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let (length, text) =
            cell(row.get(at..).ok_or(Fault::internal(at))?).ok_or(Fault::new(BodyFault::Malformed, at))?;
        if out.len() >= fields_max {
            return Err(Fault::new(BodyFault::TooManyFields, at));
        }
        out.push(CellText { raw: at..at + length, text: text.into_owned() });
        at += length;
        match row.as_bytes().get(at) {
            None => return Ok(out),
            Some(b',') => at += 1,
            Some(_) => return Err(Fault::new(BodyFault::Malformed, at)),
        }
    }
}

/// The cell that a text begins with: its length, and what it reads as.
fn cell(text: &str) -> Option<(usize, Cow<'_, str>)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let plain = text.get(..end)?;
        // A line end by itself, or a quote in the middle, is read differently from one reader to the next.
        return (!plain.contains(['"', '\r', '\n'])).then_some((end, Cow::Borrowed(plain)));
    };
    let mut from = 0;
    loop {
        let quote = from + inside.get(from..)?.find('"')?;
        if inside.as_bytes().get(quote + 1) == Some(&b'"') {
            from = quote + 2;
            continue;
        }
        return Some((quote + 2, Cow::Owned(inside.get(..quote)?.replace("\"\"", "\""))));
    }
}

/// Writes a text as a cell.
pub(super) fn write(text: &str, quoted: bool, out: &mut Vec<u8>) {
    if !quoted && !text.contains([',', '"', '\r', '\n']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_row_with_two_readings_has_none() {
        for (row, expected) in [
            (&b"a,b"[..], Some(&["a", "b"][..])),
            (b"", Some(&[""])),
            (b",", Some(&["", ""])),
            (b"\"a\"\"b\",\"\"", Some(&["a\"b", ""])),
            (b"\"a,b\nc\",d", Some(&["a,b\nc", "d"])),
            (b" a , b", Some(&[" a ", " b"])),
            (b"=1+1,@x", Some(&["=1+1", "@x"])),
            (b"a\"b", None),
            (b"\"a\"b", None),
            (b"\"a\" ,b", None),
            (b" \"a\"", None),
            (b"\"a", None),
            (b"\"a\"\"", None),
            (b"a\rb", None),
            (b"\xff", None),
        ] {
            let read = cells(row, 10).ok();
            let texts = read.as_ref().map(|r| r.iter().map(|c| c.text.as_str()).collect::<Vec<_>>());
            assert_eq!(texts.as_deref(), expected, "{row:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["", "a", "a,b", "a\"b", "a\r\nb", " "] {
            for quoted in [false, true] {
                let mut out = Vec::new();
                write(text, quoted, &mut out);
                assert_eq!(cells(&out, 1).unwrap()[0].text, text, "{text:?} {quoted}");
            }
        }
    }
}
