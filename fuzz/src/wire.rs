//! Heads of requests over HTTP/1 as they come off the wire: no cut of the input changes what is spoilt, and whatever the parser
//! behind finds in what is left has one reading.

use crate::heads::Heads;

/// Most headers of a request here: whoever parses one refuses more.
const HEADERS_MAX: usize = 128;
/// What ends a head that was spoilt.
const END: &[u8] = b"\r\n\r\n";

/// The first byte says how the input is cut.
pub fn run(data: &[u8]) {
    let [cut, said @ ..] = data else { return };
    let (left, ended) = looked_at(said, usize::MAX);
    for piece in [1, usize::from(*cut) + 1] {
        assert_eq!(looked_at(said, piece), (left.clone(), ended), "pieces of {piece} changed the result");
    }
    let stays = said.iter().zip(&left).take_while(|(was, is)| was == is).count();
    assert!(left[stays..].iter().all(|byte| *byte == 0), "something stands behind what was spoilt");
    assert!(!ended || stays < left.len(), "a head was ended, and none was spoilt");
    let mut at = 0;
    while let Some(found) = Found::in_front_of(&left[at..]) {
        assert_eq!(found.second_reading(), None, "{}", left[at..].escape_ascii());
        let Some(length) = found.length else { break };
        at += length;
    }
    let mut good = 0;
    while let Some(found) = Found::in_front_of(&said[good..]).filter(|f| f.second_reading().is_none()) {
        let Some(length) = found.length else { break };
        good += length;
    }
    assert!(good <= stays, "a request with one reading was spoilt: {}", said[..good].escape_ascii());
}

/// What is left of bytes that come in pieces, and whether a head had to be ended.
fn looked_at(said: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let (mut heads, mut left, mut ended) = (Heads::default(), said.to_vec(), false);
    for part in left.chunks_mut(piece) {
        heads.look(part);
        assert_eq!(heads.end(END.len() - 1), None, "there is no room for an end");
        if let Some(end) = heads.end(END.len()) {
            assert!(end == END && !ended, "a head is ended twice");
            ended = true;
        }
    }
    (left, ended)
}

/// A request that the parser behind finds.
struct Found<'a> {
    head: &'a [u8],
    lengths: usize,
    /// Head and body, where the body is there and has a length that is one.
    length: Option<usize>,
}

impl<'a> Found<'a> {
    /// The request that the bytes begin with; nothing where there is none, or not the whole head of one.
    fn in_front_of(bytes: &'a [u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let Ok(httparse::Status::Complete(end)) = request.parse(bytes) else { return None };
        let (head, body) = bytes.split_at(end);
        let of = |wanted: &str| -> Vec<&[u8]> {
            let lines = request.headers.iter().filter(|line| line.name.eq_ignore_ascii_case(wanted));
            lines.map(|line| line.value).collect()
        };
        let (lengths, codings) = (of("content-length"), of("transfer-encoding"));
        let behind = match (&*lengths, &*codings) {
            ([], []) => Some(0),
            ([length], []) => counted(length, body),
            ([], [b"chunked"]) if request.version == Some(1) => chunks(body),
            _ => None,
        };
        Some(Self { head, lengths: lengths.len() + codings.len(), length: behind.map(|behind| end + behind) })
    }

    /// What in the head another reader may understand otherwise.
    fn second_reading(&self) -> Option<&'static str> {
        let after = |byte: u8, before: u8| {
            let mut pairs = self.head.iter().zip([&0].into_iter().chain(self.head));
            pairs.any(|(is, was)| *is == byte && *was != before)
        };
        let first = self.head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        if after(b'\n', b'\r') {
            Some("a line that ends without a carriage return")
        } else if self.head.windows(2).any(|two| two[0] == b'\r' && two[1] != b'\n') {
            Some("a carriage return within a line")
        } else if first.is_some_and(|line| line.contains(&b'#')) {
            Some("a fragment")
        } else if self.lengths > 1 {
            Some("more than one length")
        } else {
            None
        }
    }
}

/// How long a body is whose length is told, where it is all there.
fn counted(length: &[u8], body: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(length).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().filter(|length| *length <= body.len())
}

/// How long a body of chunks is, with what stands behind the last one, where it is all there.
fn chunks(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = line(&body[at..])?;
        at += line.len() + 2;
        let (size, rest) = line.split_at(line.iter().take_while(|b| b.is_ascii_hexdigit()).count());
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if !matches!(rest.trim_ascii_start(), [] | [b';', ..]) {
            return None;
        }
        if size == 0 {
            break;
        }
        at = at.checked_add(size)?;
        at += body.get(at..)?.strip_prefix(b"\r\n").map(|_| 2)?;
    }
    loop {
        let line = line(&body[at..])?;
        at += line.len() + 2;
        if line.is_empty() {
            return Some(at);
        }
    }
}

/// The first line, without its end; nothing where it does not end in the one way.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    bytes[..end].strip_suffix(b"\r").filter(|line| !line.contains(&b'\r'))
}
