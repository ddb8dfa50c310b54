//! Heads of requests over HTTP/1 as they come off the wire. Some have two readings of which the one is gone once they are
//! parsed: a line that ends without a carriage return, a fragment, a length beside chunks or another length.

use std::mem;

/// Reads along, and spoils a head that has two readings by a byte that none may have: whoever parses it refuses it.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    at: At,
    /// What came of the line under way.
    line: Vec<u8>,
    seen: Seen,
    /// A head was spoilt, and whoever parses it may still wait for its end.
    spoilt: bool,
}

/// What ends a head.
const END: &[u8] = b"\r\n\r\n";

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// A line of a head, or an empty one before it.
    #[default]
    Head,
    /// So many bytes of a body.
    Body(u64),
    /// The line before a chunk.
    Size,
    /// So many bytes of a chunk, with the end of the line behind it.
    Chunk(u64),
    /// A line behind the last chunk.
    Trailers,
    /// Nobody can tell, and whoever parses it goes no further.
    Lost,
}

/// What was found in the head under way.
#[derive(Debug, Default)]
struct Seen {
    begun: bool,
    length: Option<u64>,
    chunked: bool,
}

impl Heads {
    /// Looks at what came next. Behind what nobody can tell nothing is a head.
    pub(crate) fn look(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.at == At::Lost {
                return bytes.fill(0);
            }
            let taken = match &mut self.at {
                At::Body(left) | At::Chunk(left) => skip(left, bytes.len()),
                At::Head | At::Size | At::Trailers | At::Lost => self.line(bytes),
            };
            match self.at {
                At::Body(0) => self.at = At::Head,
                At::Chunk(0) => self.at = At::Size,
                At::Head | At::Body(_) | At::Size | At::Chunk(_) | At::Trailers | At::Lost => {}
            }
            bytes = mem::take(&mut bytes).get_mut(taken..).unwrap_or_default();
        }
    }

    /// The end of a head that was spoilt, once, and where there is room for it.
    pub(crate) fn end(&mut self, room: usize) -> Option<&'static [u8]> {
        (room >= END.len() && mem::take(&mut self.spoilt)).then_some(END)
    }

    /// Takes what there is of a line; how much that is.
    fn line(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
            self.line.extend_from_slice(bytes);
            return bytes.len();
        };
        let mut line = bytes.get(..end).unwrap_or_default();
        if !self.line.is_empty() {
            self.line.extend_from_slice(line);
            line = &self.line;
        }
        let next = match (self.at, line.strip_suffix(b"\r")) {
            (At::Head, Some(line)) => self.seen.line(line),
            (At::Size, Some(line)) => chunk(line),
            (At::Trailers, Some(line)) => Some(if line.is_empty() { At::Head } else { At::Trailers }),
            _ => None,
        };
        if let (At::Head, None, Some(last)) = (self.at, next, bytes.get_mut(end)) {
            *last = 0;
            self.spoilt = true;
        }
        self.at = next.unwrap_or(At::Lost);
        self.line.clear();
        end.saturating_add(1)
    }
}

impl Seen {
    /// What comes after a line of a head; `None` when it, or the head that it ends, has two readings.
    fn line(&mut self, line: &[u8]) -> Option<At> {
        if !self.begun {
            self.begun = !line.is_empty();
            return (!line.contains(&b'#')).then_some(At::Head);
        }
        if line.is_empty() {
            return Some(match mem::take(self) {
                Self { chunked: true, .. } => At::Size,
                Self { length: Some(length @ 1..), .. } => At::Body(length),
                Self { .. } => At::Head,
            });
        }
        let framed = self.chunked || self.length.is_some();
        if let Some(value) = of_name(line, b"content-length") {
            let digits = std::str::from_utf8(value.trim_ascii()).ok()?;
            self.length = Some(digits.parse().ok().filter(|_| !framed)?);
        } else if of_name(line, b"transfer-encoding").is_some() {
            self.chunked = !framed;
            return self.chunked.then_some(At::Head);
        }
        Some(At::Head)
    }
}

/// What stands behind a name and its colon, if the line is one of that name.
fn of_name<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (there, rest) = line.split_at_checked(name.len())?;
    rest.strip_prefix(b":").filter(|_| there.eq_ignore_ascii_case(name))
}

/// Takes as much of what is left as there is.
fn skip(left: &mut u64, there: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(there);
    *left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
    taken
}

/// What comes after the line before a chunk.
fn chunk(line: &[u8]) -> Option<At> {
    let digits = line.split(|b| !b.is_ascii_hexdigit()).next()?;
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some(if size == 0 { At::Trailers } else { At::Chunk(size.checked_add(2)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of bytes that come in pieces.
    fn looked_at(text: &str, piece: usize) -> String {
        let (mut heads, mut bytes) = (Heads::default(), text.as_bytes().to_vec());
        bytes.chunks_mut(piece).for_each(|part| heads.look(part));
        String::from_utf8(bytes).unwrap()
    }

    const NEXT: &str = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";

    #[test]
    fn what_has_one_reading_stays_as_it_is() {
        for text in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "\r\n\r\nGET /?q=%23 HTTP/1.1\r\nx: #\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:  0 \r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 12\r\n\r\n#\n\n#\r\n\r\n#\n#\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\n#\n\r\na;x=#\r\n#\n34567890\r\n0\r\nx: #\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n000\r\n\r\n",
        ] {
            let text = format!("{text}{NEXT}{text}");
            for piece in 1..=text.len() {
                assert_eq!(looked_at(&text, piece), text, "in pieces of {piece}");
            }
        }
    }

    #[test]
    fn law_1_what_has_two_readings_is_spoilt_and_so_is_what_follows() {
        let chunks = "3\r\n\n#\n\r\n0\r\n\r\n";
        // What stays as it is, and what does not.
        for (stays, goes) in [
            ("GET /a#b HTTP/1.1\r", "\nhost: a\r\n\r\n"),
            ("GET /a HTTP/1.1", "\n"),
            ("", "\nGET /a HTTP/1.1\r\n"),
            ("GET /a HTTP/1.1\r\nx: a", "\ny: b\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nx: a\r\n", "\n"),
            ("POST /a HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r", "\n\r\n"),
            ("POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\nContent-Length: 1\r", "\n\r\n"),
            ("POST /a HTTP/1.1\r\ncontent-length: 1\r\nContent-Length: 1\r", "\n\r\n"),
            ("POST /a HTTP/1.1\r\ncontent-length: +1\r\n\r\na", ""),
            // Whoever parses these refuses the body, and must not come upon another head.
            ("POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nx\n", NEXT),
            ("POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\n", "abc"),
            ("POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: a\n", NEXT),
        ] {
            for before in
                ["", NEXT, &format!("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")]
            {
                let text = format!("{before}{stays}{goes}");
                let want = format!("{before}{stays}{}", "\0".repeat(goes.len()));
                for piece in 1..=text.len() {
                    assert_eq!(looked_at(&text, piece), want, "{text:?} in pieces of {piece}");
                }
            }
        }
    }
}
