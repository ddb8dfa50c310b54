//! What a caller accepts (RFC 9110, section 12.5.3).

use super::name::trimmed;

/// Whether a caller takes an answer in gzip at least as gladly as a plain one, by the lines of its `Accept-Encoding`.
/// Only what can be read in one way counts: anything else, and no line at all, accepts no coding.
///
/// Gzip is the one coding that is written here: whoever accepts any accepts it.
#[must_use]
pub fn accepts_gzip<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut all: Vec<(Vec<u8>, u16)> = Vec::new();
    for item in lines.into_iter().flat_map(|line| line.split(|b| *b == b',')) {
        let Some((name, weight)) = read(item) else { return false };
        if all.iter().any(|(there, _)| *there == name) {
            return false;
        }
        all.push((name, weight));
    }
    let weight = |name: &[u8]| all.iter().find(|(there, _)| there == name).map(|(_, weight)| *weight);
    let gzip = weight(b"gzip").or_else(|| weight(b"*")).unwrap_or(0);
    // A plain answer that nobody weighs is always acceptable, and never more welcome than what is named.
    gzip > 0 && gzip >= weight(b"identity").unwrap_or(0)
}

/// A name in lower case and its weight in thousandths.
fn read(item: &[u8]) -> Option<(Vec<u8>, u16)> {
    let mut parts = item.split(|b| *b == b';');
    let name = trimmed(parts.next()?).to_ascii_lowercase();
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    if name.is_empty() || !name.iter().all(token) {
        return None;
    }
    let weight = parts.next().map_or(Some(1000), |text| thousandths(trimmed(text)))?;
    let name = if name == b"x-gzip" { b"gzip".to_vec() } else { name };
    parts.next().is_none().then_some((name, weight))
}

/// `q=0.5` and its like: at most three digits behind the point, and never more than one.
fn thousandths(text: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), rest @ ..] = text else { return None };
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] => digits,
        _ => return None,
    };
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().chain(b"000").take(3);
    let fraction = padded.fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let weight = u16::from(whole - b'0') * 1000 + fraction;
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_only_what_is_plainly_accepted_is_written() {
        for (lines, expected) in [
            (&["gzip"][..], true),
            (&["GZIP"], true),
            (&["x-gzip"], true),
            (&["gzip, deflate, br, zstd"], true),
            (&["br;q=1.0, gzip;q=0.8, *;q=0.1"], true),
            (&["deflate", "gzip"], true),
            (&["*"], true),
            (&["*;q=0.5"], true),
            (&["gzip;q=0.001"], true),
            (&["gzip ; q=1.000"], true),
            (&["gzip;Q=1"], true),
            (&["identity;q=0, gzip"], true),
            (&["identity;q=0.5, gzip;q=0.5"], true),
            (&["*;q=0, gzip"], true),
            (&[], false),
            (&[""], false),
            (&["identity"], false),
            (&["br, zstd"], false),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000"], false),
            (&["*;q=0"], false),
            (&["gzip;q=0, *"], false),
            (&["identity, gzip;q=0.5"], false),
            (&["gzip;q=1.001"], false),
            (&["gzip;q=0.0001"], false),
            (&["gzip;q=2"], false),
            (&["gzip;q="], false),
            (&["gzip;q=.5"], false),
            (&["gzip;q=-1"], false),
            (&["gzip;level=9"], false),
            (&["gzip;q=1;x=y"], false),
            (&["gzip,"], false),
            (&["gzip,,br"], false),
            (&["gzip br"], false),
            (&["gzip, gzip;q=0"], false),
            (&["gzip, x-gzip;q=0"], false),
            (&["gzip\x01"], false),
        ] {
            assert_eq!(accepts_gzip(lines.iter().map(|l| l.as_bytes())), expected, "{lines:?}");
        }
    }
}
