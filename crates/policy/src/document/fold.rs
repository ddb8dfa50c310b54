//! One spelling for sentences that read the same, and the fingerprint of it.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// How many bytes of the digest a fingerprint shows.
const FINGERPRINT_BYTES: usize = 8;

/// Letters that stand for others, as Unicode's compatibility forms have them.
const SAME: &[(char, &str)] = &[
    ('\u{ab}', "\""),
    ('\u{bb}', "\""),
    ('\u{2018}', "'"),
    ('\u{2019}', "'"),
    ('\u{201b}', "'"),
    ('\u{2032}', "'"),
    ('\u{2bc}', "'"),
    ('`', "'"),
    ('\u{b4}', "'"),
    // The low quote is often a comma that went wrong on the way.
    ('\u{201a}', ","),
    ('\u{201c}', "\""),
    ('\u{201d}', "\""),
    ('\u{201e}', "\""),
    ('\u{201f}', "\""),
    ('\u{2033}', "\""),
    ('\u{2010}', "-"),
    ('\u{2011}', "-"),
    ('\u{2012}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2015}', "-"),
    ('\u{2212}', "-"),
    ('\u{fe63}', "-"),
    ('\u{2026}', "..."),
    ('\u{2122}', "tm"),
    ('\u{fb00}', "ff"),
    ('\u{fb01}', "fi"),
    ('\u{fb02}', "fl"),
    ('\u{fb03}', "ffi"),
    ('\u{fb04}', "ffl"),
    ('\u{b9}', "1"),
    ('\u{b2}', "2"),
    ('\u{b3}', "3"),
];

/// Marks that follow a letter, each with pairs of that letter and the one that both make.
const MARKS: &[(char, &str)] = &[
    ('\u{300}', "aàeèiìoòuùnǹ"),
    ('\u{301}', "aáeéiíoóuúyýcćnńsśzźlĺrŕ"),
    ('\u{302}', "aâeêiîoôuûcĉgĝhĥjĵsŝwŵyŷ"),
    ('\u{303}', "aãoõnñiĩuũ"),
    ('\u{304}', "aāeēiīoōuū"),
    ('\u{306}', "aăgğuŭ"),
    ('\u{307}', "eėgġzżcċ"),
    ('\u{308}', "aäeëiïoöuüyÿ"),
    ('\u{30a}', "aåuů"),
    ('\u{30b}', "oőuű"),
    ('\u{30c}', "cčdďeěnňrřsštťzž"),
    ('\u{327}', "cçsştţ"),
    ('\u{328}', "aąeęiįuų"),
];

/// The first 16 hex digits of the SHA-256 digest of a sentence in its one spelling: case, white space, the kind of
/// quotes and dashes, and the punctuation at both ends do not count.
#[must_use]
pub fn fingerprint(sentence: &str) -> Arc<str> {
    let digest = Sha256::digest(fold(sentence).as_bytes());
    let mut out = String::new();
    for byte in digest.iter().take(FINGERPRINT_BYTES) {
        // A string takes whatever is written.
        _ = write!(out, "{byte:02x}");
    }
    out.into()
}

/// A sentence in its one spelling.
pub(super) fn fold(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    for c in sentence.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            continue;
        }
        let c = narrow(c);
        match SAME.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => out.push_str(to),
            None => c.to_lowercase().for_each(|c| push(&mut out, c)),
        }
    }
    out.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// Adds a letter; a mark joins the letter before it.
fn push(out: &mut String, c: char) {
    let joined = MARKS.iter().find(|(mark, _)| *mark == c).and_then(|(_, pairs)| {
        let last = out.chars().next_back()?;
        let at = pairs.chars().step_by(2).position(|base| base == last)?;
        pairs.chars().nth(at * 2 + 1)
    });
    if joined.is_some() {
        out.pop();
    }
    out.push(joined.unwrap_or(c));
}

/// What is not seen and does not part words.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The full-width forms of East Asian fonts as plain letters.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_reads_the_same_has_one_fingerprint() {
        let rows = [
            ("We keep bees.", "we  keep\tBEES"),
            ("It\u{2019}s \u{201c}ours\u{201d} \u{2014} always", "It's \"ours\" - always"),
            ("Of\u{fb01}ce hours", "office hours"),
            ("\u{2022} Honey", "honey;"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("\u{ff28}\u{ff49}ve", "hive"),
            ("bee\u{200b}keeper", "beekeeper"),
            ("a\u{a0}b", "a b"),
            ("wait\u{2026} for it", "wait... for it"),
        ];
        for (one, other) in rows {
            assert_eq!(fingerprint(one), fingerprint(other), "{one} / {other}");
        }
    }

    #[test]
    fn what_says_something_else_has_another() {
        let rows = [
            ("We keep bees.", "We keep no bees."),
            ("We keep bees.", "We kept bees."),
            ("e-mail", "email"),
            ("5 days", "15 days"),
            ("beekeeper", "bee keeper"),
            ("cafe", "caf\u{e9}"),
        ];
        for (one, other) in rows {
            assert_ne!(fingerprint(one), fingerprint(other), "{one} / {other}");
        }
    }

    #[test]
    fn a_fingerprint_is_the_start_of_a_known_digest() {
        // The digest of `abc` that FIPS 180-2 gives.
        assert_eq!(&*fingerprint(" \u{201c}ABC.\u{201d}\n"), "ba7816bf8f01cfea");
    }

    proptest! {
        #[test]
        fn white_space_and_case_do_not_count(words in proptest::collection::vec("[A-Za-z0-9'-]{1,8}", 1..8), gap in "[ \t\u{a0}]{1,4}") {
            let plain = words.join(" ");
            prop_assert_eq!(fingerprint(&plain), fingerprint(&format!("{gap}{}{gap}.", words.join(&gap).to_uppercase())));
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,60}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
