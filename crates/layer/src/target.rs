//! Path and query of a request, taken apart. There is one way to write each; any other is refused, not brought into it.

use std::collections::{HashMap, HashSet};

use crate::patterns::shows_nothing;

/// One query parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// As it came.
    pub(crate) raw: String,
    pub(crate) name: String,
    /// Decoded; `None` when it could be decoded in more than one way, or is one of a list: nothing is decided on it.
    pub(crate) value: Option<String>,
    /// Whether it is one of a list: it came several times, or could by its name.
    pub(crate) many: bool,
}

impl Parameter {
    /// Whether the value, or one of several that it lists, may be taken for a word by whoever does not look closely: in
    /// whatever way it is decoded, and whatever its case and the white space around it.
    pub(crate) fn may_list(&self, word: &str) -> bool {
        let word = loosely(word);
        // Whatever is no letter and no digit may divide a list, but for what joins two words to one.
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let ends = |signs: &mut dyn Iterator<Item = char>| match (signs.next(), signs.next()) {
            (Some('-'), further) => !further.is_some_and(is_part),
            (next, _) => !next.is_some_and(is_part),
        };
        let lists = |reading: &String| {
            let reading = loosely(reading);
            let stands_alone = |(at, _): (usize, &str)| {
                let before = reading.get(..at).unwrap_or_default();
                let after = reading.get(at + word.len()..).unwrap_or_default();
                ends(&mut before.chars().rev()) && ends(&mut after.chars())
            };
            reading == word || reading.match_indices(&word).any(stands_alone)
        };
        self.readings().iter().any(lists)
    }

    /// The value in every way in which it can be decoded: a plus sign is itself, or a blank.
    pub(crate) fn readings(&self) -> Vec<String> {
        if let Some(value) = &self.value {
            return vec![value.clone()];
        }
        let value = self.raw.split_once('=').map_or("", |(_, value)| value);
        [value.to_owned(), value.replace('+', "%20")].iter().filter_map(|text| decode(text)).collect()
    }
}

/// Of how many names a parameter's may be made. Every one more costs as much as all before it.
const STEPS_MAX: usize = 8;

/// Parameters by which a framework may be talked into another method, folded.
const METHODS: [&str; 7] = [
    "_method",
    "_http_method",
    "_httpmethod",
    "http_method",
    "x_http_method",
    "x_http_method_override",
    "x_method_override",
];

/// A path as it is matched and forwarded. Of what has to be encoded in a path (RFC 3986, section 3.3) browsers leave the bar alone as
/// it is (WHATWG URL, path percent-encode set), and it stands for nothing but itself: it is written in its one way.
pub(crate) fn canonical(path: &str) -> String {
    path.replace('|', "%7C")
}

/// The decoded segments of a path, or nothing when it has a second reading. A slash at the end is an empty segment, which only
/// a route that ends in one has.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    let (rest, last) = match rest.strip_suffix('/') {
        Some(rest) => (rest, Some(String::new())),
        None if rest.is_empty() => return Some(vec![String::new()]),
        None => (rest, None),
    };
    rest.split('/').map(segment).chain(last.map(Some)).collect()
}

fn segment(raw: &str) -> Option<String> {
    // Most names are of signs that stand for nothing but themselves.
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !raw.is_empty() && raw.bytes().all(is_plain) {
        return Some(raw.to_owned());
    }
    let plain = |b: u8| b.is_ascii_graphic() && !b";\\#?\"<>^`{|}".contains(&b);
    if raw.is_empty() || !raw.bytes().all(plain) || encodes_what_needs_it_not(raw) {
        return None;
    }
    let decoded = decode(raw)?;
    let hidden = decoded.contains(['/', '\\', ';', '?', '#', '%']) || decoded.chars().any(is_deceptive);
    // Some systems drop blanks around a name, and dots behind it.
    let trimmed = decoded.trim().trim_end_matches('.');
    (!hidden && trimmed == decoded).then_some(decoded)
}

/// Whether a character is written as a percent sign and two digits although it stands for itself everywhere (RFC 3986,
/// section 2.3): whoever compares texts sees two names where whoever decodes sees one.
fn encodes_what_needs_it_not(raw: &str) -> bool {
    raw.match_indices('%').any(|(at, _)| {
        let code = raw.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    })
}

/// Control characters, ends of lines that few know, and what shows nothing: another program may leave them out.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || shows_nothing(c)
}

/// A text as whoever does not look closely takes it: without what nobody sees, whatever its case and the white space around
/// it.
pub(crate) fn loosely(text: &str) -> String {
    let seen: String = text.chars().filter(|c| c.is_whitespace() || !is_unseen(*c)).collect();
    seen.trim().to_lowercase()
}

/// Characters that are not seen, and those that another program may take for a dot or a slash.
pub(crate) fn is_deceptive(c: char) -> bool {
    let dot = matches!(c, '\u{2024}'..='\u{2026}' | '\u{3002}' | '\u{fe52}' | '\u{ff0e}' | '\u{ff61}');
    let slash = matches!(
        c,
        '\u{2044}'
            | '\u{2215}'
            | '\u{2216}'
            | '\u{29f5}'
            | '\u{29f8}'
            | '\u{29f9}'
            | '\u{fe68}'
            | '\u{ff0f}'
            | '\u{ff3c}'
    );
    let other = matches!(c, '\u{ff05}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff03}');
    is_unseen(c) || dot || slash || other
}

/// The parameters of a query, or nothing when it has a second reading. One that comes several times, or says by `[]` that it
/// could, is one of a list; whether there may be one is the route's to say.
pub(crate) fn parameters(query: &str) -> Option<Vec<Parameter>> {
    let mut out: Vec<Parameter> = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut within: HashSet<String> = HashSet::new();
    if !query.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b';') {
        return None;
    }
    for raw in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        if name.contains('+') || encodes_what_needs_it_not(name) {
            return None;
        }
        let name = decode(name)?;
        let decoded = decode(value)?;
        // A text may have several lines; any other control character may end it for somebody.
        if decoded.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return None;
        }
        let value = (!value.contains('+')).then_some(decoded);
        let (path, mut many) = steps(&name)?;
        let folded = fold(&path.join("."));
        if METHODS.contains(&folded.as_str()) {
            return None;
        }
        within.extend((1..path.len()).filter_map(|count| Some(fold(&path.get(..count)?.join(".")))));
        if let Some(at) = names.get(&folded) {
            // Of one name in two spellings nobody knows whether they are one.
            let first = out.get_mut(*at).filter(|first| first.name == name)?;
            (first.many, first.value, many) = (true, None, true);
        } else {
            names.insert(folded, out.len());
        }
        let value = value.filter(|_| !many);
        out.push(Parameter { raw: raw.to_owned(), name, value, many });
    }
    // What is a text and has something in it has two readings.
    (!within.iter().any(|name| names.contains_key(name))).then_some(out)
}

/// How many parameters a query has to whoever counts every piece between two dividers, also one with nothing in it.
pub(crate) fn pieces(query: Option<&str>) -> usize {
    query.map_or(0, |query| query.split('&').count())
}

/// The names of which a parameter's is made, as `page` and `number` of `page[number]`, and whether it ends in `[]`. Nothing when
/// it has a second reading.
fn steps(name: &str) -> Option<(Vec<&str>, bool)> {
    let (path, many) = name.strip_suffix("[]").map_or((name, false), |path| (path, true));
    let (base, rest) = path.split_at(path.find('[').unwrap_or(path.len()));
    let hidden = base.contains([']', '=', '&', ';', '%', '+']) || base.chars().any(is_deceptive);
    if base.trim() != base || base.is_empty() || hidden {
        return None;
    }
    let mut out = vec![base];
    if !rest.is_empty() {
        let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
        for key in inner.split("][") {
            let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            // A number is the place in a list.
            if key.is_empty() || !plain || key.bytes().all(|b| b.is_ascii_digit()) || out.len() >= STEPS_MAX {
                return None;
            }
            out.push(key);
        }
    }
    Some((out, many))
}

/// Whether a parameter that a map declares is the one of this name: `ids[]` stands for `ids` as well.
pub(crate) fn is_named(declared: &str, name: &str) -> bool {
    declared == name || declared.strip_suffix("[]") == Some(name)
}

/// What a lenient framework may make of a name: case does not count, and a dot, a dash or a blank is an underscore.
pub(crate) fn fold(name: &str) -> String {
    // Some letters have one in another alphabet for their capital.
    let small = |c: char| c.to_uppercase().next().and_then(|c| c.to_lowercase().next()).unwrap_or(c);
    let plain = |c: char| if c.is_alphanumeric() { small(c) } else { '_' };
    name.chars().map(plain).collect()
}

/// Percent-decodes to UTF-8; a stray `%` has no reading.
pub(crate) fn decode(raw: &str) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit =
                |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_a_sign_that_nobody_sees_is_no_part_of_a_name() {
        for sign in [
            "%C2%AD",
            "%CD%8F",
            "%D8%9C",
            "%E1%85%9F",
            "%E1%A0%8B",
            "%E1%A0%8E",
            "%E2%80%8B",
            "%E2%80%A8",
            "%E2%80%AE",
            "%E2%81%A0",
            "%E3%85%A4",
            "%EF%B8%80",
            "%EF%B8%8F",
            "%EF%BB%BF",
            "%EF%BE%A0",
            "%F0%9D%85%B3",
            "%F3%A0%80%81",
            "%F3%A0%81%81",
            "%F3%A0%87%AF",
            "%7F",
        ] {
            assert_eq!(segments(&format!("/customers/c-1{sign}")), None, "{sign}");
            assert!(parameters(&format!("na{sign}me=1")).is_none(), "{sign}");
        }
        // What is seen is part of a name.
        assert_eq!(segments("/%E2%9D%A4").as_deref(), Some(&["\u{2764}".to_owned()][..]));
        assert_eq!(
            (loosely("n\u{fe0f}O\u{e0041} "), loosely("a\u{2028}b")),
            ("no".into(), "a\u{2028}b".into())
        );
    }

    #[test]
    fn what_is_written_in_the_one_way_is_read() {
        for (path, expected) in [
            ("/", &[""][..]),
            ("/customers/c-1001", &["customers", "c-1001"]),
            ("/a.b/c~d/e_f", &["a.b", "c~d", "e_f"]),
            ("/.well-known/x", &[".well-known", "x"]),
            ("/caf%C3%A9", &["caf\u{e9}"]),
            ("/caf%c3%a9", &["caf\u{e9}"]),
            ("/a%20b", &["a b"]),
            ("/ann@example.org", &["ann@example.org"]),
            ("/a+b/c:d/e,f/g=h/i!j", &["a+b", "c:d", "e,f", "g=h", "i!j"]),
        ] {
            assert_eq!(
                segments(path).as_deref(),
                Some(expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice()),
                "{path}"
            );
        }
        let query = parameters("a=1&b=%C3%A9&c&&d=x+y&e.f=2").unwrap();
        let read: Vec<_> = query.iter().map(|p| (p.name.as_str(), p.value.as_deref())).collect();
        let expected =
            [("a", Some("1")), ("b", Some("\u{e9}")), ("c", Some("")), ("d", None), ("e.f", Some("2"))];
        assert_eq!(read, expected);
    }

    #[test]
    fn law_1_a_parameter_of_very_many_names_costs_nothing() {
        let of = |count: usize| parameters(&format!("a{}=1", "[b]".repeat(count)));
        assert!(of(STEPS_MAX - 1).is_some());
        assert!(of(STEPS_MAX).is_none());
        assert!(of(20_000).is_none());
    }
}
