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

/// Whether a value by which a list goes on tells of somebody: it is an address or a telephone number, as it stands or in Base64.
/// The numbers and random signs of which such values are made look like a card's number too often to mean one.
pub(crate) fn is_no_cursor(value: &str) -> bool {
    let tells = |text: &str| {
        looks_like(Detector::Email, text) || (text.contains('+') && looks_like(Detector::Phone, text))
    };
    tells(value) || unwrapped(value, &mut { AGAIN_MAX }).iter().any(|text| tells(text))
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

/// How many signs of one request are read once more, from within a stretch that was read as a whole.
pub(crate) const AGAIN_MAX: usize = 1 << 20;
/// A stretch that is longer than this from there to its end is read as a whole alone.
const WITHIN_MAX: usize = 4096;

/// The texts that parts of a value may be a spelling of, for whoever looks into values: each word, each stretch of signs of one
/// alphabet, and what begins behind a sign within one, as far as what is `left` reaches.
pub(crate) fn unwrapped(text: &str, left: &mut usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut read = |engine: &GeneralPurpose, part: &str| {
        out.extend(engine.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
    };
    let is_long = |part: &&str| part.len() >= SPELLED_MIN;
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_long) {
        read(&STANDARD, word);
    }
    for (engine, signs) in [(STANDARD, ['+', '/']), (URL_SAFE, ['-', '_'])] {
        let stretches = text.split(|c: char| !c.is_ascii_alphanumeric() && !signs.contains(&c));
        for stretch in stretches.filter(is_long) {
            // Without a sign it is a word.
            let Some(last) = stretch.rfind(signs) else { continue };
            read(&engine, stretch);
            let within = stretch.match_indices(signs).take(STARTS_MAX).filter(|(at, _)| *at < last);
            for part in within.filter_map(|(at, _)| stretch.get(at + 1..)).filter(is_long) {
                if part.len() <= WITHIN_MAX.min(*left) {
                    *left -= part.len();
                    read(&engine, part);
                }
            }
        }
    }
    out
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

    #[test]
    fn law_1_what_stands_around_a_spelling_does_not_hide_it() {
        for (text, expected) in [
            ("NDExMTExMTExMTExMTExMQ==", true),
            ("ref NDExMTExMTExMTExMTExMQ==", true),
            ("data:text/plain;base64,NDExMTExMTExMTExMTExMQ==", true),
            ("v1.NDExMTExMTExMTExMTExMQ", true),
            ("v1/NDExMTExMTExMTExMTExMQ/x", true),
            ("u_NDExMTExMTExMTExMTExMQ-v2", true),
            ("(NDExMTExMTExMTExMTExMQ)\u{e9}", true),
            // ~ann@example.org?>>, with signs of either alphabet in it.
            ("fmFubkBleGFtcGxlLm9yZz8+Pg==", true),
            ("v1-fmFubkBleGFtcGxlLm9yZz8+Pg==-x", true),
            ("x+fmFubkBleGFtcGxlLm9yZz8+Pg==", true),
            ("x_fmFubkBleGFtcGxlLm9yZz8-Pg", true),
            ("x+v1_fmFubkBleGFtcGxlLm9yZz8-Pg", true),
            ("bm90aGluZyBhdCBhbGw and so on", false),
            ("6f1e2c3d-4b5a-4789-8abc-0123456789ab", false),
            ("https://x.test/a/b-c_d?e=f#customers-and-their-orders", false),
        ] {
            let found = unwrapped(text, &mut AGAIN_MAX.clone()).iter().any(|text| shows(text));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn how_much_is_read_again_is_bounded() {
        for piece in ["QUFB-", "QUFBQUFB+", "-", "QUFBQUFBQUFB ", "QUFB_QUFB/QUFB+"] {
            let (text, mut left) = (piece.repeat((1 << 18) / piece.len()), AGAIN_MAX);
            let read: usize = unwrapped(&text, &mut left).iter().map(String::len).sum();
            assert!(read <= 3 * text.len() + AGAIN_MAX - left, "{piece}");
            let mut none = 0;
            unwrapped(&text, &mut none);
            assert_eq!(none, 0, "{piece}");
        }
    }
}
