//! Base64 in its one canonical form (RFC 4648, section 4): padded, without line ends, with zero bits at the end.

const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn value(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

/// The bytes; `None` when the text is not the form in which [`encode`] writes them.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let mut groups = bytes.chunks_exact(4).peekable();
    while let Some(group) = groups.next() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && groups.peek().is_some()) {
            return None;
        }
        let digits = group.get(..4 - padding)?;
        let bits = digits.iter().try_fold(0, |bits, b| Some(bits << 6 | value(*b)?))? << (6 * padding);
        let [_, three @ ..] = bits.to_be_bytes();
        let (kept, cut) = three.split_at_checked(3 - padding)?;
        if cut.iter().any(|b| *b != 0) {
            return None;
        }
        out.extend(kept);
    }
    Some(out)
}

/// The text that the bytes are; `None` when they are none, or not in that form.
pub(crate) fn decode_text(text: &str) -> Option<String> {
    String::from_utf8(decode(text)?).ok()
}

/// The text for some bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at) & 63) as usize;
            let there = at <= group.len();
            out.push(if there { ALPHABET.get(digit).copied().map_or('=', char::from) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_bytes_have_one_text() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("YQ==", Some(b"a")),
            ("YWI=", Some(b"ab")),
            ("YWJj", Some(b"abc")),
            ("+/+/", Some(b"\xfb\xff\xbf")),
            ("YR==", None),
            ("YWJ=", None),
            ("YQ", None),
            ("YQ=", None),
            ("Y===", None),
            ("====", None),
            ("YQ==YQ==", None),
            ("YW Jj", None),
            ("YWJj\n", None),
            ("-_-_", None),
            ("YQ=a", None),
        ] {
            assert_eq!(decode(text).as_deref(), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(encode(bytes), text);
            }
        }
    }
}
