//! The head of a part: its name, its file's name, its media type.

use std::ops::Range;

use crate::error::BodyFault;

/// How long the head of a part may be, in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Headers that say how a part was sent, and nothing of what it holds.
const SILENT: [&str; 1] = ["content-length"];
/// Encodings that are none (RFC 2045, section 6.2). RFC 7578, section 4.7, wants no other.
const PLAIN: [&str; 3] = ["7bit", "8bit", "binary"];

/// What the head of a part says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The name, and as it is quoted.
    pub(super) name: String,
    pub(super) name_raw: String,
    /// The file's name, as it is quoted.
    pub(super) file: Option<String>,
    /// In lower case, without parameters; `text/plain` when it says nothing.
    pub(super) media_type: String,
    pub(super) charset: Option<String>,
    /// Whether it says a media type.
    pub(super) typed: bool,
    /// How many further headers it has.
    pub(super) undeclared: u64,
    /// Where the content begins.
    pub(super) content: usize,
}

/// Reads the head of a part.
pub(super) fn read(part: &[u8]) -> Result<Head, BodyFault> {
    let end = if part.starts_with(b"\r\n") {
        0
    } else {
        memchr::memmem::find(part, b"\r\n\r\n").map_or(part.len(), |at| at + 2)
    };
    if end > HEAD_BYTES_MAX {
        return Err(BodyFault::RecordTooLarge);
    }
    let content = end + 2;
    if content > part.len() {
        return Err(BodyFault::Malformed);
    }
    let text = part.get(..end).ok_or(BodyFault::Internal)?;
    let text = std::str::from_utf8(text).map_err(|_| BodyFault::InvalidUtf8)?;
    let (mut disposition, mut media, mut encoded, mut undeclared) = (None, None, false, 0);
    for line in text.split_terminator("\r\n") {
        let (name, value) = line.split_once(':').ok_or(BodyFault::Malformed)?;
        let value = value.trim_matches([' ', '\t']);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_name || value.contains(|c: char| c.is_control()) {
            return Err(BodyFault::Malformed);
        }
        let twice = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition.replace(value).is_some(),
            "content-type" => media.replace(value).is_some(),
            "content-transfer-encoding" => {
                if !PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                    return Err(BodyFault::PartUnreadable);
                }
                std::mem::replace(&mut encoded, true)
            }
            silent if SILENT.contains(&silent) => false,
            _ => {
                undeclared += 1;
                false
            }
        };
        if twice {
            return Err(BodyFault::Malformed);
        }
    }
    let (name_raw, file) = disposition.and_then(of_form_data).ok_or(BodyFault::Malformed)?;
    let (media_type, charset) = match media {
        Some(text) => media_type(text).ok_or(BodyFault::PartUnreadable)?,
        None => ("text/plain".to_owned(), None),
    };
    let name = unescaped(&name_raw).ok_or(BodyFault::Malformed)?;
    Ok(Head { name, name_raw, file, media_type, charset, typed: media.is_some(), undeclared, content })
}

/// The name and the file's name of `form-data; name="a"; filename="b"`. A name in any other form, `filename*` among them
/// (RFC 7578, section 4.2), has more than one reading.
fn of_form_data(value: &str) -> Option<(String, Option<String>)> {
    let (kind, mut rest) = value.split_once(';').unwrap_or((value, ""));
    if !kind.trim_end().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file) = (None, None);
    loop {
        let (key, after) = rest.trim_start().split_once('=')?;
        let (text, after) = match after.strip_prefix('"') {
            Some(inside) => inside.split_once('"').filter(|(text, _)| !text.contains('\\'))?,
            None => word(after)?,
        };
        let slot = match key.to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut file,
            _ => return None,
        };
        if slot.replace(text.to_owned()).is_some() {
            return None;
        }
        match after.trim_start() {
            "" => return Some((name?, file)),
            more => rest = more.strip_prefix(';')?,
        }
    }
}

/// A name without quotes, and what comes after it: a word of signs that nobody reads otherwise than in quotes.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let end = text.bytes().position(|b| !is_plain(b)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A name as browsers quote it: a quote and a line end are escaped, nothing else is (HTML Standard, section 4.10.21.8).
fn unescaped(raw: &str) -> Option<String> {
    let name = raw.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
    (!name.is_empty()).then_some(name)
}

/// The media type and its charset. Another parameter would change how the part is read, or say what nobody declared.
fn media_type(text: &str) -> Option<(String, Option<String>)> {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next()?.to_ascii_lowercase();
    let mut charset = None;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        let value = consentry_model::charset_name(value);
        let good = name.eq_ignore_ascii_case("charset") && consentry_model::is_known_charset(&value);
        if !good || charset.replace(value).is_some() {
            return None;
        }
    }
    let nested = essence.starts_with("multipart/") || essence.starts_with("message/");
    (consentry_model::is_media_type(&essence) && !nested).then_some((essence, charset))
}

/// Where the content of a part is.
pub(super) const fn content(part: &Range<usize>, head: &Head) -> Range<usize> {
    part.start + head.content..part.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(head: &str) -> Result<(String, Option<String>, String, u64), BodyFault> {
        read(format!("{head}\r\n\r\nbody").as_bytes()).map(|h| (h.name, h.file, h.media_type, h.undeclared))
    }

    #[test]
    fn law_1_a_head_with_two_readings_has_none() {
        let is = |name: &str, file: Option<&str>, media: &str, undeclared| {
            Ok((name.to_owned(), file.map(str::to_owned), media.to_owned(), undeclared))
        };
        let (malformed, unreadable) = (Err(BodyFault::Malformed), Err(BodyFault::PartUnreadable));
        for (head, expected) in [
            ("Content-Disposition: form-data; name=\"a\"", is("a", None, "text/plain", 0)),
            ("content-disposition:form-data;name=\"a\";filename=\"\"", is("a", Some(""), "text/plain", 0)),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: Image/PNG",
                is("a", None, "image/png", 0),
            ),
            ("Content-Disposition: form-data; name=\"a%22b\"", is("a\"b", None, "text/plain", 0)),
            ("Content-Disposition: form-data; name=\"a\"\r\nX-Y: z", is("a", None, "text/plain", 1)),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Length: 4",
                is("a", None, "text/plain", 0),
            ),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: 8BIT",
                is("a", None, "text/plain", 0),
            ),
            ("Content-Type: text/plain", malformed.clone()),
            ("Content-Disposition: form-data", malformed.clone()),
            ("Content-Disposition: form-data; filename=\"a\"", malformed.clone()),
            ("Content-Disposition: attachment; name=\"a\"", malformed.clone()),
            ("Content-Disposition: form-data; name=a", is("a", None, "text/plain", 0)),
            (
                "Content-Disposition: form-data; name=o.a-b_1; filename=a.b",
                is("o.a-b_1", Some("a.b"), "text/plain", 0),
            ),
            (
                "Content-Disposition: form-data; filename=a.b ; name=\"a\"",
                is("a", Some("a.b"), "text/plain", 0),
            ),
            ("Content-Disposition: form-data; name=", malformed.clone()),
            ("Content-Disposition: form-data; name=a b", malformed.clone()),
            ("Content-Disposition: form-data; name=a\"", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"b", malformed.clone()),
            ("Content-Disposition: form-data; name=a%22", malformed.clone()),
            ("Content-Disposition: form-data; name='a'", malformed.clone()),
            ("Content-Disposition: form-data; name=a\\", malformed.clone()),
            ("Content-Disposition: form-data; name=tags[]", malformed.clone()),
            ("Content-Disposition: form-data; name=\u{e9}", malformed.clone()),
            ("Content-Disposition: form-data; name= a", malformed.clone()),
            ("Content-Disposition: form-data; name=a;", malformed.clone()),
            ("Content-Disposition: form-data; name=a; name=b", malformed.clone()),
            ("Content-Disposition: form-data; name=\"\"", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\\\"b\"", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"; name=\"b\"", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\";", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b", malformed.clone()),
            (
                "Content-Disposition: form-data; name=\"a\"; filename=\"a\"; filename*=UTF-8''b",
                malformed.clone(),
            ),
            ("Content-Disposition: form-data; name*=UTF-8''b", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"; size=\"1\"", malformed.clone()),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
                malformed.clone(),
            ),
            ("Content-Disposition: form-data;\r\n name=\"a\"", malformed.clone()),
            ("Content-Disposition : form-data; name=\"a\"", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"\nContent-Type: text/html", malformed.clone()),
            ("Content-Disposition: form-data; name=\"a\"\r\nno header", malformed.clone()),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: multipart/mixed; boundary=x",
                unreadable.clone(),
            ),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: multipart/mixed",
                unreadable.clone(),
            ),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: image/png; name=ann",
                unreadable.clone(),
            ),
            (
                "Content-Disposition: form-data; name=\"a\"\r\nContent-Type: text/html; charset=4111111111111111",
                unreadable.clone(),
            ),
            ("Content-Disposition: form-data; name=\"a\"\r\nContent-Type: png", unreadable.clone()),
            ("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64", unreadable),
        ] {
            assert_eq!(named(head), expected, "{head:?}");
        }
        assert_eq!(read(b"\r\nbody").unwrap_err(), BodyFault::Malformed, "no head at all");
        assert_eq!(read(b"Content-Disposition: form-data; name=\"a\"").unwrap_err(), BodyFault::Malformed);
    }
}
