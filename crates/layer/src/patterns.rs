//! What a payment card's number, an e-mail address and a telephone number look like in a text, however it is written.

use std::borrow::Cow;

use consentry_policy::Detector;

/// Digits of a payment card's number, ISO/IEC 7812.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// How cards print their numbers, in groups.
const PAN_GROUPS: [&[usize]; 7] =
    [&[4, 4, 4, 4], &[4, 4, 4, 4, 1], &[4, 4, 4, 4, 2], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[8, 8]];
/// Digits of a telephone number in international form, E.164.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
const SMALL_GROUP_MAX: usize = 3;
/// More signs than this between two digits, and they belong to two numbers.
const GAP_MAX: usize = 3;

/// Whether a text holds what a detector looks for, as it is written, behind percent signs or behind the escapes of JSON.
pub(crate) fn looks_like(detector: Detector, text: &str) -> bool {
    let has = |text: &str| {
        let text = plain(text);
        match detector {
            Detector::Pan => has_pan(&text),
            Detector::Email => has_email(&text),
            Detector::Phone => has_phone(&text),
        }
    };
    let shows = |text: &str| has(text) || unescaped_json(text).is_some_and(|text| has(&text));
    shows(text) || unescaped(text).is_some_and(|text| shows(&text))
}

/// A text with `\u0040` and its like undone, where there are some.
fn unescaped_json(text: &str) -> Option<String> {
    let mut parts = text.split("\\u");
    let mut out = parts.next()?.to_owned();
    if out.len() == text.len() {
        return None;
    }
    for part in parts {
        let code = part.get(..4).and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32).zip(part.get(4..)) {
            Some((sign, rest)) => {
                out.push(sign);
                out.push_str(rest);
            }
            None => {
                out.push(' ');
                out.push_str(part);
            }
        }
    }
    Some(out)
}

/// A text with percent escapes undone, where there are some.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// A text with what looks like a sign of ASCII as that sign, and without what shows nothing.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().filter_map(|c| match c {
        // Full-width forms lie in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        c if shows_nothing(c) => None,
        // What is drawn over the sign before it.
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => Some('-'),
        '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' => Some('.'),
        '\u{fe6b}' => Some('@'),
        '\u{fe62}' => Some('+'),
        c if c.is_whitespace() => Some(' '),
        c => Some(digit(c).unwrap_or(c)),
    });
    Cow::Owned(shown.collect())
}

/// Whether a sign is one that nobody sees: another program may leave it out (Unicode, Default_Ignorable_Code_Point).
pub(crate) const fn shows_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The digit that a sign of another script, or a raised or circled one, stands for.
fn digit(c: char) -> Option<char> {
    let from = |zero: u32| char::from_digit((u32::from(c) - zero) % 10, 10);
    match c {
        // Nd of the scripts of which texts come, each ten in a row (Unicode, DerivedNumericType).
        '\u{660}'..='\u{669}' => from(0x660),
        '\u{6f0}'..='\u{6f9}' => from(0x6f0),
        '\u{966}'..='\u{96f}' => from(0x966),
        '\u{9e6}'..='\u{9ef}' => from(0x9e6),
        '\u{e50}'..='\u{e59}' => from(0xe50),
        '\u{1d7ce}'..='\u{1d7ff}' => from(0x1d7ce),
        '\u{2070}' | '\u{2074}'..='\u{2079}' => from(0x2070),
        '\u{2080}'..='\u{2089}' => from(0x2080),
        '\u{2460}'..='\u{2468}' => from(0x245f),
        '\u{24ea}' => Some('0'),
        '\u{b9}' => Some('1'),
        '\u{b2}' | '\u{b3}' => from(0xb0),
        _ => None,
    }
}

/// Digits that stand together.
struct Digits {
    digits: Vec<u8>,
    /// Whether they may go on from the ones before: with a few signs between, none of them a letter.
    goes_on: bool,
}

fn has_pan(text: &str) -> bool {
    let groups = groups(text);
    (0..groups.len()).any(|from| {
        let chain = groups.get(from..).unwrap_or_default();
        chain.first().is_some_and(|group| is_pan(&group.digits))
            || in_small_groups(chain).is_some_and(|digits| is_pan(&digits))
            || PAN_GROUPS.iter().any(|shape| in_shape(chain, shape).is_some_and(|digits| is_pan(&digits)))
    })
}

/// The groups of digits of a text.
fn groups(text: &str) -> Vec<Digits> {
    let mut out: Vec<Digits> = Vec::new();
    let (mut gap, mut apart) = (0_usize, true);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            match out.last_mut().filter(|_| gap == 0 && !apart) {
                Some(group) => group.digits.push(digit),
                None => {
                    let joined = !apart && gap <= GAP_MAX;
                    out.push(Digits { digits: vec![digit], goes_on: joined });
                }
            }
            (gap, apart) = (0, false);
        } else {
            gap += 1;
            apart |= c.is_alphanumeric();
        }
    }
    out
}

/// The digits of groups as small as nobody writes numbers in who does not hide them: all of them, where none comes before
/// and they are as many as a card has. Days and amounts stand in groups of different lengths.
fn in_small_groups(chain: &[Digits]) -> Option<Vec<u8>> {
    let (first, rest) = chain.split_first()?;
    if first.goes_on || first.digits.len() > SMALL_GROUP_MAX {
        return None;
    }
    let rest: Vec<&Digits> = rest.iter().take_while(|group| group.goes_on).collect();
    let (last, between) = rest.split_last()?;
    let alike = between.iter().all(|group| group.digits.len() == first.digits.len());
    if !alike || last.digits.len() > first.digits.len() {
        return None;
    }
    let digits: Vec<u8> =
        std::iter::once(first).chain(rest.iter().copied()).flat_map(|group| &group.digits).copied().collect();
    PAN_DIGITS.contains(&digits.len()).then_some(digits)
}

/// The digits of the first groups, if they are as long as these.
fn in_shape(chain: &[Digits], shape: &[usize]) -> Option<Vec<u8>> {
    let groups = chain.get(..shape.len())?;
    let joined = groups.iter().skip(1).all(|group| group.goes_on);
    let fits = joined && groups.iter().zip(shape).all(|(group, length)| group.digits.len() == *length);
    fits.then(|| groups.iter().flat_map(|group| &group.digits).copied().collect())
}

/// Whether some stretch of the digits is a card's number: its issuer, the length of that one's numbers, its check digit
/// (ISO/IEC 7812-1, annex B). Of the lengths that few cards have, and many other numbers, all of the digits must be one.
fn is_pan(digits: &[u8]) -> bool {
    PAN_DIGITS.rev().any(|len| {
        let fits = (14..=16).contains(&len) || len == digits.len();
        fits && digits.windows(len).any(|number| is_issued(number) && checks(number))
    })
}

/// Whether an issuer of cards has numbers that begin so and are as long: by the ranges that the networks publish.
fn is_issued(number: &[u8]) -> bool {
    let first = |digits: usize| {
        number.iter().take(digits).fold(0_u32, |all, digit| all.saturating_mul(10) + u32::from(*digit))
    };
    let (one, two, three, four) = (first(1), first(2), first(3), first(4));
    match number.len() {
        13 => one == 4,
        14 => (300..=305).contains(&three) || four == 3095 || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37) || four == 2131,
        16 => {
            one == 4
                || matches!(two, 30 | 36 | 38 | 39 | 50..=58)
                || one == 6
                || (2200..=2204).contains(&four)
                || (2221..=2720).contains(&four)
                || (3528..=3589).contains(&four)
        }
        19 if one == 4 => true,
        17..=19 => {
            matches!(two, 30 | 36 | 38 | 39 | 50 | 56..=58)
                || one == 6
                || (2200..=2204).contains(&four)
                || (3528..=3589).contains(&four)
        }
        _ => false,
    }
}

fn checks(number: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weigh = |(at, digit): (usize, &u8)| {
        let digit = u32::from(*digit);
        if at % 2 == 1 { doubled(digit) } else { digit }
    };
    number.iter().rev().enumerate().map(weigh).sum::<u32>() % 10 == 0
}

/// An `@` with a name before it and a dotted domain, or a literal address, after it, whatever is around them.
fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let mut name = before.chars().rev();
        let last = match name.next() {
            // Some have names that end with a dot.
            Some('.') => name.next().filter(|c| c.is_alphanumeric()),
            last => last,
        };
        let local = last.is_some_and(|c| c.is_alphanumeric() || ATEXT.contains(c) || is_beyond_ascii(c));
        local && (is_literal(after) || is_domain(after))
    })
}

/// Whether a sign is one of those that RFC 6531 adds to the names of mail boxes, and none that stands around words or for bytes
/// that are no text.
fn is_beyond_ascii(c: char) -> bool {
    let stands_around = matches!(c, '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{ab}' | '\u{bb}');
    !c.is_ascii() && !c.is_whitespace() && !c.is_control() && !stands_around && c != '\u{fffd}'
}

/// No address in brackets is longer.
const LITERAL_MAX: usize = 64;

/// Whether a text begins with an address in brackets (RFC 5321, section 4.1.3).
fn is_literal(text: &str) -> bool {
    let near = text.strip_prefix('[').and_then(|rest| rest.get(..rest.floor_char_boundary(LITERAL_MAX)));
    near.and_then(|near| near.split_once(']')).is_some_and(|(inside, _)| {
        let of_six = inside.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).and(inside.get(5..));
        match of_six {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => inside.parse::<std::net::IpAddr>().is_ok(),
        }
    })
}

/// Signs that a mail box's name may end with besides letters and digits (RFC 5322, section 3.2.3, and a quoted name).
const ATEXT: &str = "\"!#$%&'*+-=?^_`{|}~";

/// Whether a text begins with a domain of several labels.
fn is_domain(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '.').unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    // The last label may be a word that follows a full stop. One that begins with a digit is part of a version or an amount.
    let labels: Vec<&str> = name.split('.').take_while(|label| !label.is_empty()).collect();
    let named = |label: &&str| label.chars().count() >= 2 && label.starts_with(char::is_alphabetic);
    let address = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    labels.iter().skip(1).any(named) || address
}

fn has_phone(text: &str) -> bool {
    let before = |at: usize| text.get(..at).and_then(|before| before.chars().next_back());
    let number_at = |at: usize, ends: fn(char) -> bool| is_number(text.get(at..).unwrap_or_default(), ends);
    // A sum goes on there.
    let goes_on = |at: usize| before(at).is_some_and(|c| c.is_alphanumeric() || c == '+');
    let after_plus = text.match_indices('+').any(|(at, _)| !goes_on(at) && number_at(at + 1, |_| true));
    let after_zeros = text.match_indices("00").any(|(at, _)| {
        // So do a time and a decimal.
        let within = goes_on(at) || before(at).is_some_and(|c| ":.,".contains(c));
        let country = text.get(at + 2..).is_some_and(|rest| rest.starts_with(|c| matches!(c, '1'..='9')));
        // Digits between the letters of an id are none; other scripts have no blanks between words.
        !within && country && number_at(at + 2, |c| !c.is_ascii_alphanumeric())
    });
    after_plus || after_zeros
}

/// Whether a text begins with as many digits as a telephone number has, divided as such numbers are. What follows may be
/// another number. `ends` says which signs may stand directly behind it.
fn is_number(text: &str, ends: fn(char) -> bool) -> bool {
    let (mut digits, mut gap) = (0_usize, 0_usize);
    let is_one = |digits: usize| PHONE_DIGITS.contains(&digits);
    for c in text.chars() {
        match c {
            // Longer than any: what follows need not be counted.
            '0'..='9' if digits == *PHONE_DIGITS.end() => return false,
            '0'..='9' => (digits, gap) = (digits + 1, 0),
            _ if gap == 0 && is_one(digits) => return ends(c),
            ' ' | '-' | '.' | ',' | '_' | '/' | '(' | ')' if gap < GAP_MAX => gap += 1,
            '\t' if gap < GAP_MAX => gap += 1,
            _ => return false,
        }
    }
    gap == 0 && is_one(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_however_it_is_written() {
        for (text, expected) in [
            ("4111111111111111", true),
            ("my card is 4111 1111 1111 1111", true),
            ("4111-1111-1111-1111", true),
            ("id 99 4111111111111111 ok", true),
            ("994111111111111111", true),
            ("4111.1111.1111.1111", true),
            ("4111/1111/1111/1111", true),
            ("4111  1111  1111  1111", true),
            ("4111\u{a0}1111\u{a0}1111\u{a0}1111", true),
            ("4111\u{2013}1111\u{2013}1111\u{2013}1111", true),
            ("4111\u{200b}1111\u{200b}1111\u{200b}1111", true),
            ("\u{ff14}111111111111111", true),
            ("3782-822463-10005", true),
            ("3782, 822463, 10005", true),
            ("41111111.11111111", true),
            ("4111%201111%201111%201111", true),
            ("4111111111111112", false),
            ("1111111111111111", false),
            ("4111.1111.1111.1112", false),
            ("\u{664}\u{661}\u{661}\u{661}111111111111", true),
            ("\u{1d7d2}111111111111111", true),
            ("4111\u{34f}1111\u{3164}1111\u{61c}1111", true),
            ("4\u{e0041}111\u{fe0f}1111\u{180b}1111\u{1d173}1111", true),
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", true),
            ("41.11.11.11.11.11.11.11", true),
            ("2026-11-22 2026-11-23", false),
            ("2026-11-18 2026-11-28", false),
            ("GB82 WEST 1234 5698 7654 32", false),
            ("030 1234567 030 7654321", false),
            ("2-6 3-7 4-8 5-9 10-12 13-15", false),
            ("4,111,111,111,111,111", false),
            ("12, 45, 2026, 30, 07, 19, 22", false),
            ("2026-11-22", false),
            ("+43 1 2345678", false),
            ("", false),
            // Other numbers pass the check digit, too: times, ids, hashes.
            ("20260601120005", false),
            ("20260601120005123", false),
            ("D:20260601120005+02'00'", false),
            ("1748779205000000000", false),
            ("6011000990139424", true),
            ("5105105105105100", true),
            ("2223003122003222", true),
            ("30569309025904", true),
            ("3566002020360505", true),
            ("4222222222222", true),
            ("30951234567897", true),
            ("360000000000000008", true),
            ("994222222222222", false),
        ] {
            assert_eq!(looks_like(Detector::Pan, text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_is_found_whatever_stands_around_it() {
        for (text, expected) in [
            ("write to <ann@example.org>, please", true),
            ("ann@example.org.", true),
            ("ann@example.org!", true),
            ("ann@example.org: hi", true),
            ("[ann@example.org]", true),
            ("'ann@example.org'", true),
            ("https://x.test/?e=ann@example.org&y=1", true),
            ("ann%40example.org", true),
            ("ann@b\u{fc}cher.example", true),
            ("j\u{f6}rg@example.org", true),
            ("ann\u{ff20}example\u{ff0e}org", true),
            ("\"ann b\"@example.org", true),
            ("ann@[192.0.2.1]", true),
            ("ann@example.org.Next", true),
            ("ann at example.org", false),
            ("a@b", false),
            ("@handle.name", false),
            ("ann @ example.org", false),
            ("5 @ 2.50", false),
            ("5 x a@2.5", false),
            ("ann\u{fe6b}example\u{fe52}org", true),
            ("ann@192.0.2.1", true),
            ("lodash@4.17.21", false),
            ("3 apples@2.50", false),
            ("https://medium.test/@john.doe/x", false),
            (".@handle.name", false),
            ("rene\u{301}@example.org", true),
            ("ann@bu\u{308}cher.example", true),
            ("ann\u{2764}@example.org", true),
            ("ann.@mail.example", true),
            ("{\"e\":\"ann\\u0040example.org\"}", true),
            ("{\"e\":\"ann\\u0040example\\u002eorg\"}", true),
            ("%5Cu0061nn%5Cu0040example.org", true),
            ("ann@[IPv6:2001:db8::1]", true),
            ("ann@[", false),
            ("x@[\u{fffd}\u{1}", false),
            ("a\\uzzzz@b", false),
            ("react@18.3.0-rc.1", false),
            ("@scope/pkg@1.2.3-beta.1", false),
            ("3 apples@2.50kg", false),
        ] {
            assert_eq!(looks_like(Detector::Email, text), expected, "{text}");
        }
    }

    #[test]
    fn a_telephone_number_in_international_form_is_found() {
        for (text, expected) in [
            ("call +43 1 2345678", true),
            ("+43 (1) 234-5678", true),
            ("+43/1/2345678", true),
            ("+43.1.2345678", true),
            ("%2B43 1 2345678", true),
            ("0043 1 2345678", true),
            ("call 0043-1-2345678 now", true),
            ("\u{fe62}43 1 2345678", true),
            ("+43_1_2345678", true),
            ("tel.+4312345678", true),
            ("+43,1,2345678", true),
            ("Meet at 18:00 2026-11-22", false),
            ("5.00 10.00 20.00 30.00", false),
            ("100+20000000", false),
            ("UTC+02 2026-11-22", false),
            ("1 + 2 = 3", false),
            ("012345678", false),
            ("1000000000", false),
            ("000000000000", false),
            ("7+12345", false),
            ("+4312345678901234567890", false),
            // What comes behind is another number.
            ("Call +49 30 12345678, 10115 Berlin", true),
            ("+43 1 2345678, 0664 1234567", true),
            ("+49 30 12345678 (2026-06-01)", true),
            ("+43\t1\t2345678", true),
            ("0043 1 2345678, 10115 Vienna", true),
            ("+4312345678ext5", true),
            ("\u{96fb}\u{8a71}: 0081-3-1234-5678\u{3067}\u{3059}", true),
            ("Score +5\n2026060 points", false),
            ("00123456-78ab-4cde-8f01-23456789abcd", false),
            ("+43 1 23", false),
        ] {
            assert_eq!(looks_like(Detector::Phone, text), expected, "{text}");
        }
    }
}
