//! Names and values as forms write them (WHATWG URL Standard, section 5), strictly.

use std::borrow::Cow;

/// What a name or a value reads as; `None` when it could be read in more than one way, or in none.
pub(crate) fn decode(raw: &[u8]) -> Option<Cow<'_, str>> {
    if raw.iter().all(|b| is_plain(*b)) {
        return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let (high, low) = (digit(*bytes.next()?)?, digit(*bytes.next()?)?);
                out.push(high << 4 | low);
            }
            plain if is_plain(*plain) => out.push(*plain),
            _ => return None,
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Writes a text as a form does.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for byte in text.bytes() {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(byte),
            _ => out.extend([b'%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
}

/// A byte that stands for itself. Some readers divide pairs at `;`, and what is no visible ASCII nobody writes so.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e)
        && !matches!(
            byte,
            b'%' | b'+' | b'&' | b';' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_text_with_two_readings_has_none() {
        for (raw, text) in [
            (&b"ann@example.org"[..], Some("ann@example.org")),
            (b"a+b%20c", Some("a b c")),
            (b"%C3%A9", Some("\u{e9}")),
            (b"%c3%a9", Some("\u{e9}")),
            (b"YQ==", Some("YQ==")),
            (b"%00", Some("\0")),
            (b"", Some("")),
            (b"%", None),
            (b"%4", None),
            (b"%4g", None),
            (b"%+1", None),
            (b"%C3", None),
            (b"%ff", None),
            (b"%u0041", None),
            (b"a;b", None),
            (b"a b", None),
            (b"a\n", None),
            (b"a\0", None),
            ("\u{e9}".as_bytes(), None),
            (b"\xef\xbb\xbfa", None),
        ] {
            assert_eq!(decode(raw).as_deref(), text, "{raw:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let text: String = (0..0x300).filter_map(char::from_u32).chain("\u{1f600}".chars()).collect();
        let mut out = Vec::new();
        encode(&text, &mut out);
        assert_eq!(decode(&out).as_deref(), Some(&*text));
    }
}
