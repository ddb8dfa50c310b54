//! Any bytes at all: what another reader rejects never passes, and what it accepts passes as it is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use consentry_body::Limits;
use consentry_model::{Field, Treatment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

mod support;
use support::oracle::{Answer, read};
use support::random::{any_map, doc};
use support::{class, map, run};

/// Pieces of JSON text that are more often wrong together than random bytes are nearly right.
const PIECES: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\"",
    "\"\\u0061\"",
    "\"rows\"",
    "1",
    "-",
    "0",
    ".5",
    "e+1",
    "true",
    "null",
    "fals",
    "\"",
    "\\",
    "\\u",
    "d83d",
    "\\ude00",
    " ",
    "\n",
    "\u{b}",
    "\u{feff}",
    "\u{1f600}",
    "{\"a\":",
    "[1,",
    "\"a\":1",
    ",\"b\":[]",
    "{}",
    "[]",
];

fn check(bytes: &[u8], pieces: &[usize]) -> Result<(), TestCaseError> {
    let answer = read(bytes);
    for field in [Field::Open, class(0)] {
        let map = map(&[("**", field)], &[]);
        let ran = run(&map, Limits::default(), bytes, pieces, &|_, _| Treatment::Clear);
        match answer {
            Answer::Json => prop_assert_eq!(ran.unwrap().0.concat(), bytes),
            Answer::NotJson => prop_assert!(ran.unwrap_err().0.is_empty()),
            Answer::Unsure => {}
        }
        let cut = run(&map, Limits::default(), bytes, &[1], &|_, _| Treatment::Clear);
        let whole = run(&map, Limits::default(), bytes, &[], &|_, _| Treatment::Clear);
        prop_assert_eq!(cut, whole);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..40), pieces in vec(1_usize..5, 0..3)) {
        check(&bytes, &pieces)?;
    }

    #[test]
    fn random_pieces(parts in vec(select(PIECES.to_vec()), 0..12), pieces in vec(1_usize..5, 0..3)) {
        check(parts.concat().as_bytes(), &pieces)?;
    }

    #[test]
    fn random_strings(inside in vec(select(PIECES.to_vec()), 0..6), raw in vec(any::<u8>(), 0..4)) {
        check(&[b"[\"", inside.concat().as_bytes(), &raw, b"\"]"].concat(), &[2])?;
    }

    #[test]
    fn documents_with_a_few_bytes_changed(
        doc in doc(), changes in vec((any::<Index>(), any::<u8>(), 0..4_u8), 0..3), pieces in vec(1_usize..20, 0..3),
    ) {
        check(&changed(doc.render(), &changes), &pieces)?;
    }

    #[test]
    fn nothing_broken_passes_any_map_in_one_window(
        doc in doc(), map in any_map(), changes in vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..3),
    ) {
        let bytes = changed(doc.render(), &changes);
        let ran = run(&map, Limits { window_subjects_max: usize::MAX, ..Limits::default() }, &bytes, &[], &|_, _| Treatment::Clear);
        match (read(&bytes), ran) {
            (Answer::NotJson, ran) => prop_assert!(ran.unwrap_err().0.is_empty()),
            (_, Ok((out, _))) => prop_assert_ne!(read(&out.concat()), Answer::NotJson),
            (_, Err(_)) => {}
        }
    }
}

fn changed(text: String, changes: &[(Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for (at, byte, how) in changes {
        let at = at.index(bytes.len() + 1);
        match how {
            0 => bytes.insert(at, *byte),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] = b"{}[],:\"\\ 0"[usize::from(*byte) % 10],
            _ => bytes.push(*byte),
        }
    }
    bytes
}
