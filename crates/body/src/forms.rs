//! The treatments between *clear* and *withheld*. A form that cannot read a value says so, and it is withheld. Each
//! form reads its own result, and leaves it as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use consentry_model::{MaskForm, TruncateForm};
use wide::u8x16;

use crate::json::interruptions;

const HIDDEN: &str = "****";
const HIDDEN_REST: &str = "***";
/// Of how many letters and digits a value has to be for its last characters to stay.
const TELLING_MIN: u32 = 8;
const POSTCODE_CHARS_MAX: usize = 12;
/// How addresses begin that go on with an IPv4 address (RFC 3056, section 2). Elsewhere such an address comes later
/// (RFC 4291, section 2.5.5; RFC 6052 and 8215), or the one in front is a server's (RFC 4380, section 4).
const SIX_TO_FOUR: u16 = 0x2002;

/// A value made coarser.
pub(crate) fn truncate(form: TruncateForm, text: &str) -> Option<String> {
    match form {
        TruncateForm::Ip => network(text),
        TruncateForm::Date => month(text),
        TruncateForm::Postcode => postcode_area(text),
    }
}

/// A value with parts replaced by asterisks, of which there are always as many.
pub(crate) fn mask(form: MaskForm, text: &str) -> Option<String> {
    match form {
        MaskForm::Email => email(text),
        MaskForm::LastFour => last_four(text),
        MaskForm::Initials => initials(text),
    }
}

/// A short form as a JSON string, with its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// As many as are written at once; what is after its length is of no account.
    pub(crate) bytes: [u8; 16],
    pub(crate) length: usize,
}

/// A short ASCII text without escapes, with what stands after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortText {
    block: [u8; 16],
    length: usize,
}

impl ShortText {
    /// The text of a string whose inside begins at `from` and is so long. `None` where one has to look closer.
    #[inline]
    pub(crate) fn at(view: &[u8], from: usize, length: usize) -> Option<Self> {
        let block = *view.get(from..)?.first_chunk()?;
        let text = Self { block, length };
        (length <= block.len() && interruptions(&block) & text.all() == 0).then_some(text)
    }

    /// A bit for each of its characters.
    const fn all(&self) -> u32 {
        (1 << self.length) - 1
    }

    /// A bit for each letter and digit, and one for each blank and hyphen.
    #[inline]
    fn alphanumerics(&self) -> (u32, u32) {
        let bytes = u8x16::new(self.block);
        let (letters, digits) =
            ((bytes | u8x16::splat(0x20)) - u8x16::splat(b'a'), bytes - u8x16::splat(b'0'));
        let found = letters.simd_le(u8x16::splat(25)) | digits.simd_le(u8x16::splat(9));
        let between = bytes.simd_eq(u8x16::splat(b' ')) | bytes.simd_eq(u8x16::splat(b'-'));
        (found.to_bitmask() & self.all(), between.to_bitmask() & self.all())
    }

    /// [`mask`] of it.
    #[inline]
    pub(crate) fn mask(&self, form: MaskForm) -> Option<Short> {
        match form {
            MaskForm::LastFour => {
                let last: [u8; 4] = *self.block.get(self.length.checked_sub(4)?..)?.first_chunk()?;
                let mut bytes = *b"\"****....\"______";
                *bytes.get_mut(5..)?.first_chunk_mut()? = last;
                (self.alphanumerics().0.count_ones() >= TELLING_MIN).then_some(Short { bytes, length: 10 })
            }
            MaskForm::Email | MaskForm::Initials => None,
        }
    }

    /// [`truncate`] of it.
    #[inline]
    pub(crate) fn truncate(&self, form: TruncateForm) -> Option<Short> {
        match form {
            TruncateForm::Postcode if self.length <= POSTCODE_CHARS_MAX => {
                let area: [u8; 2] = *self.block.first_chunk()?;
                let (found, between) = self.alphanumerics();
                let readable = found & 3 == 3 && found | between == self.all();
                let mut bytes = *b"\"..\"____________";
                *bytes.get_mut(1..)?.first_chunk_mut()? = area;
                readable.then_some(Short { bytes, length: 4 })
            }
            TruncateForm::Postcode | TruncateForm::Ip | TruncateForm::Date => None,
        }
    }
}

fn network(text: &str) -> Option<String> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).to_string()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            // Of an address with an IPv4 address in it this would keep all of that, where that stands in front.
            let c = if a == SIX_TO_FOUR { c & 0xff00 } else { c };
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string()
        }
    })
}

fn month(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next());
    let reads = parts.next().is_none()
        && year.len() == 4
        && year.bytes().all(|b| b.is_ascii_digit())
        && two_digits(month).is_some_and(|m| (1..=12).contains(&m))
        && day.is_none_or(|d| two_digits(d).is_some_and(|d| (1..=31).contains(&d)))
        && time.is_none_or(|t| day.is_some() && is_time(t));
    reads.then(|| format!("{year}-{month}"))
}

fn is_time(text: &str) -> bool {
    let hour = text.get(..2).and_then(two_digits).is_some_and(|h| h <= 24);
    hour && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b',' | b'+' | b'-' | b'Z'))
}

fn two_digits(text: &str) -> Option<u8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn postcode_area(text: &str) -> Option<String> {
    let readable = text.len() <= POSTCODE_CHARS_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-'));
    let area = text.get(..2).filter(|area| area.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    readable.then(|| area.to_owned())
}

fn email(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || r#"@"(),:;<>[]\"#.contains(c);
    let first = local.chars().next().filter(|_| !local.contains(odd))?;
    let names = domain
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    names.then(|| format!("{first}{HIDDEN_REST}@{domain}"))
}

/// What stands between letters and digits, is blank or has no width hides nothing of them.
fn last_four(text: &str) -> Option<String> {
    let count = text.chars().count();
    let is_masked = text.starts_with(HIDDEN) && count == HIDDEN.len() + 4;
    let telling = text.chars().filter(|c| c.is_alphanumeric()).count();
    match telling {
        _ if text.is_empty() => None,
        _ if is_masked => Some(text.to_owned()),
        few if few < TELLING_MIN as usize => Some(HIDDEN.to_owned()),
        _ => Some(HIDDEN.chars().chain(text.chars().skip(count.saturating_sub(4))).collect()),
    }
}

/// Where more would be shown than hidden, as of words of one character, it is no mask.
fn initials(text: &str) -> Option<String> {
    let (mut out, mut shown, mut hidden) = (String::new(), 0, 0);
    for word in text.split_whitespace() {
        let mut chars = word.chars();
        let first = chars.next()?;
        // What was masked before hides what it hid.
        let masked = chars.as_str() == HIDDEN_REST;
        hidden += if masked { HIDDEN_REST.len() } else { chars.filter(|c| c.is_alphanumeric()).count() };
        shown += 1;
        if !out.is_empty() {
            out.push(' ');
        }
        out.push(first);
        out.push_str(HIDDEN_REST);
    }
    (shown > 0 && hidden >= shown).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Copy + std::fmt::Debug>(
        apply: fn(F, &str) -> Option<String>,
        form: F,
        cases: &[(&str, Option<&str>)],
    ) {
        for (text, want) in cases {
            let out = apply(form, text);
            assert_eq!(out.as_deref(), *want, "{form:?} of {text:?}");
            if let Some(out) = out {
                assert_eq!(apply(form, &out), Some(out.clone()), "{form:?} twice of {text:?}");
            }
        }
    }

    #[test]
    fn the_short_way_leads_to_the_same() {
        let texts = [
            "",
            "1",
            "10",
            "1-0",
            "SW1A 1AA",
            "SW1A-1AA 123",
            "SW1A-1AA 1234",
            "-SW",
            "x.y",
            "1234567",
            "12345678",
            "+44 20 7946 0123",
        ];
        let quoted = |out: Option<String>| out.map(|text| format!("\"{text}\""));
        let short = |out: Option<Short>| {
            out.map(|short| String::from_utf8(short.bytes[..short.length].to_vec()).unwrap())
        };
        let of_bytes = (0x20..0x7f).flat_map(|byte| {
            let byte = char::from(byte);
            ["{}", "{}A 1", "A{}1", "1234567{}", "{}ABCDEFG", "12{}DEFGHIJKLMNOP"]
                .map(|at| at.replace("{}", &byte.to_string()))
        });
        // What stands after a text is none of its characters.
        let at =
            |text: &str, after: &str| ShortText::at(format!("{text}\"{after}").as_bytes(), 0, text.len());
        for text in texts.map(str::to_owned).into_iter().chain(of_bytes) {
            let (some, other) = (at(&text, ",0123456789abcdef"), at(&text, "              --"));
            for form in [TruncateForm::Ip, TruncateForm::Date, TruncateForm::Postcode] {
                let [out, again] = [some, other].map(|text| short(text.and_then(|text| text.truncate(form))));
                assert!(out.is_none() || out == quoted(truncate(form, &text)), "{form:?} of {text:?}");
                assert_eq!(out, again, "{form:?} of {text:?}");
            }
            for form in [MaskForm::Email, MaskForm::LastFour, MaskForm::Initials] {
                let [out, again] = [some, other].map(|text| short(text.and_then(|text| text.mask(form))));
                assert!(out.is_none() || out == quoted(mask(form, &text)), "{form:?} of {text:?}");
                assert_eq!(out, again, "{form:?} of {text:?}");
            }
        }
        let (digits, postcode) = (at("12345678", "        "), at("SW1A 1AA", "        "));
        assert!(digits.and_then(|text| text.mask(MaskForm::LastFour)).is_some());
        assert!(postcode.and_then(|text| text.truncate(TruncateForm::Postcode)).is_some());
        assert!(at("12345678", "").is_none() && at("1\u{e9}3", "          ").is_none());
        assert!(at("1\\n3", "          ").is_none() && at("1\"3", "          ").is_none());
    }

    #[test]
    fn addresses_are_shortened_to_their_network_and_so_are_those_inside_of_others() {
        let cases = [
            ("192.0.2.77", Some("192.0.2.0")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
            ("::1", Some("::")),
            ("::ffff:192.0.2.7", Some("::")),
            ("::192.0.2.7", Some("::")),
            ("::ffff:0:192.0.2.7", Some("::")),
            ("2002:c000:24d::1", Some("2002:c000:200::")),
            ("2002:c000:24d:1:2:3:4:5", Some("2002:c000:200::")),
            ("64:ff9b::192.0.2.77", Some("64:ff9b::")),
            ("64:ff9b:1:c000:2:4d00::", Some("64:ff9b:1::")),
            ("2001:0:c000:207:0:fbee:3fff:fdb2", Some("2001:0:c000::")),
            ("2001:db8:1::5efe:c000:24d", Some("2001:db8:1::")),
            ("192.0.2.077", None),
            ("192.0.2.7:80", None),
            ("fe80::1%eth0", None),
            (" 192.0.2.7", None),
            ("", None),
        ];
        check(truncate, TruncateForm::Ip, &cases);
    }

    #[test]
    fn dates_are_shortened_to_their_month() {
        let cases = [
            ("1990-05-17", Some("1990-05")),
            ("1990-05", Some("1990-05")),
            ("1990-05-17T10:20:30.5+02:00", Some("1990-05")),
            ("1990-05-17T10:20:30Z", Some("1990-05")),
            ("1990", None),
            ("1990-13-01", None),
            ("1990-00", None),
            ("1990-05-32", None),
            ("1990-5-17", None),
            ("1990-+5", None),
            ("1990-05T10:00", None),
            ("1990-05-17T", None),
            ("1990-05-17T10 Ann", None),
            ("1990-05-17 10:20", None),
            ("1990-05-17-01", None),
            ("17.05.1990", None),
            ("\u{661}990-05", None),
        ];
        check(truncate, TruncateForm::Date, &cases);
    }

    #[test]
    fn postcodes_are_shortened_to_two_characters() {
        let cases = [
            ("SW1A 1AA", Some("SW")),
            ("10115", Some("10")),
            ("NL-1012", Some("NL")),
            ("1", None),
            ("", None),
            (" 10115", None),
            ("10115 Berlin Mitte", None),
            ("1\u{e9}115", None),
            ("a@b.org", None),
        ];
        check(truncate, TruncateForm::Postcode, &cases);
    }

    #[test]
    fn of_an_address_the_first_character_and_the_domain_stay() {
        let cases = [
            ("ann@example.org", Some("a***@example.org")),
            ("\u{e9}va@ex\u{e4}mple.org", Some("\u{e9}***@ex\u{e4}mple.org")),
            ("a@x", Some("a***@x")),
            ("@example.org", None),
            ("ann@", None),
            ("ann", None),
            ("ann@x@y", None),
            ("Ann <ann@example.org>", None),
            ("ann@example.org;bob@example.org", None),
            ("ann@example.org, Bob", None),
            ("mailto:ann@example.org", None),
            ("ann@example..org", None),
            ("", None),
        ];
        check(mask, MaskForm::Email, &cases);
    }

    #[test]
    fn of_a_long_value_the_last_four_stay_and_of_a_short_one_none() {
        let cases = [
            ("4111111111111234", Some("****1234")),
            ("12345678", Some("****5678")),
            ("1234567", Some("****")),
            ("1", Some("****")),
            // Letters and digits count: what stands between or before them hides nothing.
            ("    1234", Some("****")),
            ("----1234", Some("****")),
            ("12-34-567", Some("****")),
            ("1\u{200b}2\u{200b}3\u{200b}4\u{200b}", Some("****")),
            ("e\u{301}e\u{301}e\u{301}e\u{301}", Some("****")),
            ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}\u{fe0f}", Some("****")),
            ("\u{202e}1234\u{202c}\u{200f}\u{200f}", Some("****")),
            ("\u{ff11}\u{ff12}\u{ff13}\u{ff14}", Some("****")),
            ("12-34-5678", Some("****5678")),
            ("****1234", Some("****1234")),
            ("****12345", Some("****")),
            ("\u{e9}\u{e9}\u{e9}\u{e9}abcd", Some("****abcd")),
            ("", None),
        ];
        check(mask, MaskForm::LastFour, &cases);
    }

    #[test]
    fn of_each_word_the_first_character_stays() {
        let cases = [
            ("Ann Smith", Some("A*** S***")),
            ("  \u{c9}va\tde la  Cruz ", Some("\u{c9}*** d*** l*** C***")),
            ("Ann", Some("A***")),
            ("Ann B", Some("A*** B***")),
            ("4*** 1***", Some("4*** 1***")),
            // More would be shown than hidden.
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 12", None),
            ("4* 1* 1* 1*", None),
            ("4*** 1* 1* 1*", None),
            ("J O N E SS", None),
            ("Al B C", None),
            ("A", None),
            ("A B", None),
            ("J. R.", None),
            ("e\u{301}", None),
            ("\u{738b} \u{660e}", None),
            ("\u{738b}\u{660e}", Some("\u{738b}***")),
            ("   ", None),
            ("", None),
        ];
        check(mask, MaskForm::Initials, &cases);
    }
}
