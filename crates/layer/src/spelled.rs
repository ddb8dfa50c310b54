//! Tokens that are to mean nothing, and spell somebody's address or number all the same.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use consentry_policy::Detector;

use crate::patterns::{looks_like, unescaped};

/// Into how many spellings within one another one looks.
const DEPTH_MAX: usize = 3;
/// At how many places a token is looked into; one that is divided more often is not looked into, and does not pass.
const STARTS_MAX: usize = 64;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Whether an opaque token is, or holds in Base64 or hexadecimal digits, an address, a telephone number or a card's number.
/// Digits among the letters of a longer word are taken for a part of it.
pub(crate) fn tells_of_somebody(token: &str) -> bool {
    let whole = unescaped(token);
    let token = whole.as_deref().unwrap_or(token);
    let words: String = token.split_inclusive(|c: char| !c.is_alphanumeric()).map(without_digits).collect();
    let plain = looks_like(Detector::Email, token) || shows(&words);
    plain || spells(token, DEPTH_MAX)
}

/// Whether a token holds one of them in Base64 or hexadecimal digits.
pub(crate) fn spells_somebody(token: &str) -> bool {
    spells(token, DEPTH_MAX)
}

/// Whether an identifier that is random where it is honest tells of somebody: digits alone, or what could be letters in
/// hexadecimal digits, is looked at, and nothing else costs anything.
pub(crate) fn is_no_random_id(hex: &str) -> bool {
    let digits = hex.bytes().all(|b| b.is_ascii_digit());
    let letters = hex.bytes().step_by(2).all(|b| (b'2'..=b'7').contains(&b));
    (digits && tells_of_somebody(hex.trim_matches('0'))) || ((digits || letters) && tells_of_somebody(hex))
}

fn shows(text: &str) -> bool {
    Detector::ALL.iter().any(|detector| looks_like(*detector, text))
}

/// A word, with the divider after it, whose digits stand for nothing of their own where there are letters in it.
fn without_digits(word: &str) -> String {
    if word.chars().any(char::is_alphabetic) {
        word.chars().map(|c| if c.is_numeric() { 'x' } else { c }).collect()
    } else {
        word.to_owned()
    }
}

fn spells(token: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let Some(parts) = parts(token) else { return true };
    let texts = parts.into_iter().flat_map(unpacked);
    texts.into_iter().any(|text| shows(&text) || spells(&text, depth))
}

/// The parts of a token that may each be a spelling: from the beginning, and from behind each sign that is no letter and no
/// digit, to the next sign that Base64 does not have, and to the next one of any sort. `None` where there are too many.
fn parts(token: &str) -> Option<Vec<&str>> {
    let divides = |c: char| !c.is_ascii_alphanumeric();
    let behind = token.char_indices().filter(|(_, c)| divides(*c)).map(|(at, c)| at + c.len_utf8());
    let starts: Vec<usize> = std::iter::once(0).chain(behind).collect();
    if starts.len() > STARTS_MAX {
        return None;
    }
    let ends = |text: &str, at: fn(char) -> bool| text.find(at).unwrap_or(text.len());
    let mut out = Vec::new();
    for start in starts {
        let rest = token.get(start..).unwrap_or_default();
        let long = ends(rest, |c| !c.is_ascii_alphanumeric() && !"+/-_".contains(c));
        let short = ends(rest, |c| !c.is_ascii_alphanumeric());
        out.extend(rest.get(..long));
        out.extend(rest.get(..short).filter(|_| short != long));
    }
    out.retain(|part| part.len() >= SPELLED_MIN);
    Some(out)
}

/// Shorter than this there is no room for an address.
const SPELLED_MIN: usize = 8;

/// The texts that a part of a token may be a spelling of.
fn unpacked(part: &str) -> Vec<String> {
    let digits = part.strip_prefix("0x").unwrap_or(part);
    let pairs: Option<Vec<u8>> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    let spelled = [STANDARD.decode(part).ok(), URL_SAFE.decode(part).ok(), pairs];
    spelled.into_iter().flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// What a text may be a spelling of as a whole, for whoever looks into values.
pub(crate) fn unwrapped(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.len() < SPELLED_MIN || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b)) {
        return Vec::new();
    }
    let decoded = [STANDARD.decode(text).ok(), URL_SAFE.decode(text).ok()];
    decoded.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_13_a_token_that_spells_somebody_is_found() {
        for (token, expected) in [
            ("GA1.2.1234567890.1600000000", false),
            ("0123456789abcdef0123456789abcdef", false),
            ("4111111111111111abcdefabcdefabcd", false),
            ("dark", false),
            ("eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln", false),
            ("6f1e2c3d-4b5a-4789-8abc-0123456789ab", false),
            ("Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==", false),
            ("+4312345678", true),
            ("4111111111111111", true),
            ("4111-1111-1111-1111", true),
            ("u:4111111111111111", true),
            ("card/4111111111111111", true),
            ("pan.4111111111111111", true),
            ("a-4111111111111111", true),
            ("tel.+4312345678", true),
            ("phone-+4312345678", true),
            ("ann%40example.org", true),
            ("YW5uQGV4YW1wbGUub3Jn", true),
            ("x.YW5uQGV4YW1wbGUub3Jn.y", true),
            ("e=YW5uQGV4YW1wbGUub3Jn", true),
            ("u-YW5uQGV4YW1wbGUub3Jn", true),
            ("u_YW5uQGV4YW1wbGUub3Jn", true),
            ("u_YW5uQGV4YW1wbGUub3Jn_v", true),
            ("a~YW5uQGV4YW1wbGUub3Jn", true),
            ("v1/YW5uQGV4YW1wbGUub3Jn", true),
            ("x+YW5uQGV4YW1wbGUub3Jn", true),
            ("616e6e406578616d706c652e6f7267", true),
            ("0x616e6e406578616d706c652e6f7267", true),
            ("e=616e6e406578616d706c652e6f7267", true),
            ("u-616e6e406578616d706c652e6f7267", true),
            ("WVc1dVFHVjRZVzF3YkdVdWIzSm4=", true),
            ("YW5uJTQwZXhhbXBsZS5vcmc=", true),
            ("eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFubkBleGFtcGxlLm9yZyJ9.c2ln", true),
            ("s=eyJlbWFpbCI6ImFubkBleGFtcGxlLm9yZyJ9", true),
        ] {
            assert_eq!(tells_of_somebody(token), expected, "{token}");
        }
        assert!(tells_of_somebody(&".".repeat(STARTS_MAX)), "nobody looks into so many places");
    }
}
