//! Escapes in strings.

use std::borrow::Cow;

use super::scan::plain;

/// Checks every escape of a string's inside; the error is the position of the first that is none.
pub(crate) fn check(inside: &str) -> Result<(), usize> {
    walk(inside, |_, _| ())
}

/// What a string's inside reads as; the error is the position of the first escape that is none.
pub(crate) fn unescape(inside: &str) -> Result<Cow<'_, str>, usize> {
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inside));
    }
    let mut out = String::with_capacity(inside.len());
    walk(inside, |plain, escaped| {
        out.push_str(plain);
        out.extend(escaped);
    })?;
    Ok(Cow::Owned(out))
}

/// Writes a text as a JSON string, with its quotes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push(b'"');
    let plain = plain(text.as_bytes(), 0).0;
    let (before, rest) = text.as_bytes().split_at_checked(plain).unwrap_or((text.as_bytes(), &[]));
    out.extend_from_slice(before);
    for byte in rest.iter().copied() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(*b"\\n"),
            b'\r' => out.extend(*b"\\r"),
            b'\t' => out.extend(*b"\\t"),
            0..0x20 => {
                let digit = HEX.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
                out.extend([b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), digit]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn walk(inside: &str, mut piece: impl FnMut(&str, Option<char>)) -> Result<(), usize> {
    let mut at = 0;
    loop {
        let rest = inside.get(at..).ok_or(at)?;
        let Some(plain) = memchr::memchr(b'\\', rest.as_bytes()) else {
            piece(rest, None);
            return Ok(());
        };
        let (before, escape) = rest.split_at_checked(plain).ok_or(at)?;
        let (read, length) = escape_at(escape.as_bytes()).ok_or(at + plain)?;
        piece(before, Some(read));
        at += plain + length;
    }
}

/// The character that the escape at the start of `text` stands for, and the escape's length.
fn escape_at(text: &[u8]) -> Option<(char, usize)> {
    let read = match text.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point_at(text),
        _ => return None,
    };
    Some((read, 2))
}

fn code_point_at(text: &[u8]) -> Option<(char, usize)> {
    let first = unit_at(text)?;
    match first {
        0xd800..=0xdbff => {
            let second = unit_at(text.get(6..)?)?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return None;
            }
            let point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Some((char::from_u32(point)?, 12))
        }
        // A low surrogate alone is no character, and `from_u32` says so.
        _ => Some((char::from_u32(first)?, 6)),
    }
}

fn unit_at(text: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text.get(..6)? else { return None };
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_read_as_what_they_stand_for() {
        for (inside, text) in [
            ("plain \u{e9}", Some("plain \u{e9}")),
            (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r"a\u00e9b\u20AC", Some("a\u{e9}b\u{20ac}")),
            (r"\ud83d\ude00!", Some("\u{1f600}!")),
            (r"\u0000", Some("\0")),
            (r"\", None),
            (r"\x", None),
            (r"\u12", None),
            (r"\u12g4", None),
            (r"\u+123", None),
            (r"\ud83d", None),
            (r"\ud83dx", None),
            (r"\ud83d\u0041", None),
            (r"\ud83d\n", None),
            (r"\ude00", None),
        ] {
            assert_eq!(unescape(inside).ok().as_deref(), text, "{inside}");
            assert_eq!(check(inside).is_ok(), text.is_some(), "{inside}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let text: String = (0..0x300).filter_map(char::from_u32).chain("\u{1f600}".chars()).collect();
        let mut out = Vec::new();
        write_string(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
