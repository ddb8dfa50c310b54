//! Values that look like something the service map does not call them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use consentry_model::ClassId;
use consentry_policy::{Bundle, Detector, Route};

use crate::head::Head;
use crate::request::Brought;

/// Digits of a payment card's number, ISO/IEC 7812.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Digits of a telephone number in international form, E.164.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The data classes of everything that the request brings and that looks like one of what the bundle looks for, in its
/// body and in its query. A parameter that has no plain reading is not looked at: it never passes.
pub(crate) fn detected(bundle: &Bundle, route: &Route, head: &Head, brought: &Brought) -> Vec<ClassId> {
    let mut found: BTreeSet<Detector> = BTreeSet::new();
    let mut look = |text: &str| {
        let sorts = bundle.settings.detect.iter().map(|(detector, _)| *detector);
        found.extend(sorts.filter(|detector| looks_like(*detector, text)));
    };
    if bundle.settings.detect.is_empty() {
        return Vec::new();
    }
    brought.each_scalar(&mut look);
    head.query.iter().filter_map(|p| p.value.as_deref()).for_each(&mut look);
    let categories = bundle.settings.detect.iter().filter(|(detector, _)| found.contains(detector));
    categories.filter_map(|(_, category)| bundle.service.detected_class(route, category)).collect()
}

/// Whether an opaque token is, or holds in Base64 or hexadecimal digits, an address, a telephone number or a card's number.
/// Each stretch between dots is looked at by itself: that is how a token of three parts is put together.
pub(crate) fn tells_of_somebody(token: &str) -> bool {
    let shown = |text: &str| Detector::ALL.iter().any(|detector| looks_like(*detector, text));
    let plain = |part: &str| !part.bytes().any(|b| b.is_ascii_hexdigit() && !b.is_ascii_digit());
    token.split([':', '|', '=']).any(|part| plain(part) && shown(part)) || spells_somebody(token)
}

/// Whether a token holds one of them in Base64 or hexadecimal digits.
pub(crate) fn spells_somebody(token: &str) -> bool {
    let shown = |text: &String| Detector::ALL.iter().any(|detector| looks_like(*detector, text));
    token.split(['.', ':', '|']).any(|part| unpacked(part).iter().any(shown))
}

/// The texts that a token may be a spelling of.
fn unpacked(part: &str) -> Vec<String> {
    let bare = part.trim_end_matches('=');
    let pairs: Option<Vec<u8>> =
        (0..bare.len() / 2).map(|at| u8::from_str_radix(bare.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    let spelled = [STANDARD_NO_PAD.decode(bare).ok(), URL_SAFE_NO_PAD.decode(bare).ok(), pairs];
    spelled.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
}

fn looks_like(detector: Detector, text: &str) -> bool {
    match detector {
        Detector::Pan => runs(text).iter().any(|digits| is_pan(digits)),
        Detector::Email => text.split(|c: char| c.is_whitespace() || "<>,;()\"".contains(c)).any(is_email),
        Detector::Phone => {
            let after_plus = text.split('+').skip(1);
            after_plus
                .map(runs)
                .any(|runs| runs.first().is_some_and(|digits| PHONE_DIGITS.contains(&digits.len())))
        }
    }
}

/// The digits of each stretch of digits that single spaces and hyphens may divide.
fn runs(text: &str) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    let mut gap = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                run.push(byte - b'0');
                gap = 0;
            }
            b' ' | b'-' if !run.is_empty() && gap == 0 => gap = 1,
            _ => {
                out.push(std::mem::take(&mut run));
                gap = 0;
            }
        }
    }
    out.push(run);
    out.retain(|run| !run.is_empty());
    out
}

/// Whether some stretch of the digits is a card's number: its length, its issuer, its check digit (ISO/IEC 7812-1,
/// annex B).
fn is_pan(digits: &[u8]) -> bool {
    let issuer = |number: &[u8]| matches!(number.first(), Some(2..=6));
    PAN_DIGITS.rev().any(|len| digits.windows(len).any(|number| issuer(number) && checks(number)))
}

fn checks(number: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weigh = |(at, digit): (usize, &u8)| {
        let digit = u32::from(*digit);
        if at % 2 == 1 { doubled(digit) } else { digit }
    };
    number.iter().rev().enumerate().map(weigh).sum::<u32>() % 10 == 0
}

fn is_email(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else { return false };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    let dotted = domain.rsplit_once('.').is_some_and(|(head, tail)| !head.is_empty() && tail.len() >= 2);
    !local.is_empty() && dotted && domain.bytes().all(plain)
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
            ("4111111111111112", false),
            ("1111111111111111", false),
            ("2026-11-22", false),
            ("+43 1 2345678", false),
            ("", false),
        ] {
            assert_eq!(looks_like(Detector::Pan, text), expected, "{text}");
        }
    }

    #[test]
    fn law_13_a_token_that_spells_somebody_is_found() {
        for (token, expected) in [
            ("GA1.2.1234567890.1600000000", false),
            ("0123456789abcdef0123456789abcdef", false),
            ("dark", false),
            ("eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln", false),
            ("+4312345678", true),
            ("4111111111111111", true),
            ("4111-1111-1111-1111", true),
            ("u:4111111111111111", true),
            ("YW5uQGV4YW1wbGUub3Jn", true),
            ("x.YW5uQGV4YW1wbGUub3Jn.y", true),
            ("616e6e406578616d706c652e6f7267", true),
            ("eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFubkBleGFtcGxlLm9yZyJ9.c2ln", true),
        ] {
            assert_eq!(tells_of_somebody(token), expected, "{token}");
        }
    }

    #[test]
    fn addresses_and_telephone_numbers() {
        for (detector, text, expected) in [
            (Detector::Email, "write to <ann@example.org>, please", true),
            (Detector::Email, "ann at example.org", false),
            (Detector::Email, "a@b", false),
            (Detector::Phone, "call +43 1 2345678", true),
            (Detector::Phone, "1 + 2 = 3", false),
            (Detector::Phone, "012345678", false),
        ] {
            assert_eq!(looks_like(detector, text), expected, "{text}");
        }
    }
}
