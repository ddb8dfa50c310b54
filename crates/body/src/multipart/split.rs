//! Where parts begin and end (RFC 2046, section 5.1.1), strictly.

use std::ops::Range;

use crate::error::{BodyFault, Fault};

const BOUNDARY_BYTES_MAX: usize = 70;

/// Whether a text may divide parts.
pub(crate) fn is_boundary(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b);
    (1..=BOUNDARY_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// The parts of a body, without what stands before the first and after the last.
///
/// A divider is one only on a line of its own that ends as the standard says. Wherever else it occurs, at any place at all,
/// another reader could find a part that is none here: the body is refused.
pub(super) fn parts(body: &[u8], boundary: &str, parts_max: usize) -> Result<Vec<Range<usize>>, Fault> {
    let divider = [b"--", boundary.as_bytes()].concat();
    let mut out = Vec::new();
    // Where the part that is open begins; nothing before the first.
    let mut open: Option<usize> = None;
    let mut closed = false;
    for at in memchr::memmem::find_iter(body, &divider) {
        let wrong = Fault::new(BodyFault::Malformed, at);
        let (before, after) = (body.get(..at).ok_or(wrong)?, at + divider.len());
        let begins = before.is_empty() || before.ends_with(b"\r\n");
        if closed || !begins {
            return Err(wrong);
        }
        if let Some(start) = open {
            // The line end before a divider belongs to it; the line end of the divider before may not be the same one.
            let end = at.checked_sub(2).filter(|end| *end >= start).ok_or(wrong)?;
            if out.len() >= parts_max {
                return Err(Fault::new(BodyFault::TooManyFields, at));
            }
            out.push(start..end);
        }
        let rest = body.get(after..).unwrap_or_default();
        if rest.starts_with(b"\r\n") {
            open = Some(after + 2);
        } else if rest == b"--" || rest.starts_with(b"--\r\n") {
            (open, closed) = (None, true);
        } else if rest.len() < 2 {
            return Err(Fault::new(BodyFault::Truncated, body.len()));
        } else {
            return Err(wrong);
        }
    }
    if !closed {
        return Err(Fault::new(BodyFault::Truncated, body.len()));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<&str>, BodyFault> {
        let parts = parts(body.as_bytes(), "b", 3).map_err(|fault| fault.kind)?;
        Ok(parts.into_iter().map(|range| &body[range]).collect())
    }

    #[test]
    fn law_1_a_divider_that_another_reader_could_find_elsewhere_is_refused() {
        for (body, expected) in [
            ("--b\r\nx\r\n--b--", Ok(&["x"][..])),
            ("--b\r\nx\r\n--b--\r\n", Ok(&["x"])),
            ("--b\r\nx\r\n--b\r\ny\r\nz\r\n--b--\r\n", Ok(&["x", "y\r\nz"])),
            ("before\r\n--b\r\nx\r\n--b--\r\nafter", Ok(&["x"])),
            ("--b\r\n\r\n--b--", Ok(&[""])),
            ("--b--", Ok(&[])),
            ("", Err(BodyFault::Truncated)),
            ("--b\r\nx", Err(BodyFault::Truncated)),
            ("--b\r\nx\r\n--b", Err(BodyFault::Truncated)),
            ("--b\r\nx\r\n--b-", Err(BodyFault::Truncated)),
            ("--b\nx\n--b--\n", Err(BodyFault::Malformed)),
            ("--b\r\nx\n--b\r\ny\r\n--b--", Err(BodyFault::Malformed)),
            ("--b\r\nx--b\r\ny\r\n--b--", Err(BodyFault::Malformed)),
            ("--b\r\nx\r\n--bc\r\n--b--", Err(BodyFault::Malformed)),
            ("--b \r\nx\r\n--b--", Err(BodyFault::Malformed)),
            ("--b\r\nx\r\n--b-- \r\n", Err(BodyFault::Malformed)),
            ("--b\r\nx\r\n--b--\r\n--b\r\ny\r\n--b--", Err(BodyFault::Malformed)),
            ("see --b\r\n--b\r\nx\r\n--b--", Err(BodyFault::Malformed)),
            ("--b\r\n--b\r\nx\r\n--b--", Err(BodyFault::Malformed)),
            ("--b\r\n1\r\n--b\r\n2\r\n--b\r\n3\r\n--b\r\n4\r\n--b--", Err(BodyFault::TooManyFields)),
        ] {
            assert_eq!(read(body), expected.map(<[&str]>::to_vec), "{body:?}");
        }
    }

    #[test]
    fn a_boundary_is_one_of_the_standard() {
        for (text, is_one) in [
            ("----WebKitFormBoundary7MA4YWxkTrZu0gW", true),
            ("a", true),
            ("", false),
            ("a b", false),
            ("a\r\n", false),
            ("ann@example.org", false),
            (&"a".repeat(71), false),
        ] {
            assert_eq!(is_boundary(text), is_one, "{text}");
        }
    }
}
