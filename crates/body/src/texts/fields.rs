//! The lines of an event (HTML Standard, section 9.2.5).

/// One line of an event and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The event is over.
    Blank,
    /// Nobody is told what it says.
    Comment(&'a str),
    /// A name and a value.
    Field { name: &'a str, value: &'a str, raw: &'a str },
}

/// Where the line ends that goes on at `from`, and where the next one begins. `None` when more bytes may belong to it.
pub(super) fn end_of_line(view: &[u8], from: usize, last: bool) -> Option<(usize, usize)> {
    let rest = view.get(from..)?;
    let end = from + memchr::memchr2(b'\r', b'\n', rest)?;
    match (view.get(end), view.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some((end, end + 2)),
        // A line feed may still come.
        (Some(b'\r'), None) if !last => None,
        _ => Some((end, end + 1)),
    }
}

/// Reads a line without its end.
pub(super) fn read(raw: &str) -> Line<'_> {
    if raw.is_empty() {
        return Line::Blank;
    }
    match raw.split_once(':') {
        Some(("", comment)) => Line::Comment(comment),
        Some((name, value)) => Line::Field { name, value: value.strip_prefix(' ').unwrap_or(value), raw },
        None => Line::Field { name: raw, value: "", raw },
    }
}

/// The lines of a unit, which is complete.
pub(super) fn lines(unit: &str) -> impl Iterator<Item = Line<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (end, next) = end_of_line(unit.as_bytes(), from, true)?;
        let line = unit.get(from..end)?;
        from = next;
        Some(read(line))
    })
}
