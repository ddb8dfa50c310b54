//! What the treatments show of a text, whatever the text is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use consentry_body::Limits;
use consentry_model::{MaskForm, Treatment, TruncateForm};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

mod support;
use support::{laddered, map, run, text};

/// What is left of a text; nothing when it is withheld.
fn left(truncated: Option<TruncateForm>, masked: Option<MaskForm>, value: &str) -> Option<String> {
    let map = map(&[("v", laddered(0, truncated, masked))], &[]);
    let asked = if truncated.is_some() { Treatment::Truncated } else { Treatment::Masked };
    let body = serde_json::json!({ "v": value }).to_string();
    let (windows, _) = run(&map, Limits::default(), body.as_bytes(), &[], &|_, _| asked).unwrap();
    let out: serde_json::Value = serde_json::from_str(&text(&windows)).unwrap();
    out.get("v").map(|value| value.as_str().unwrap().to_owned())
}

fn masked(form: MaskForm, value: &str) -> Option<String> {
    left(None, Some(form), value)
}

fn truncated(form: TruncateForm, value: &str) -> Option<String> {
    left(Some(form), None, value)
}

/// How many letters and digits a text has, of whatever script.
fn telling(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn is_part_of(shown: &str, value: &str) -> bool {
    let mut rest = value.chars();
    shown.chars().filter(|c| !matches!(c, '*' | ' ')).all(|c| rest.any(|there| there == c))
}

/// Texts of few signs and of many scripts: marks that combine, signs without width, families, right to left, wide digits.
fn value() -> impl Strategy<Value = String> {
    const PIECES: [&str; 30] = [
        "a",
        "B",
        "7",
        "1",
        "\u{ff11}",
        "\u{661}",
        "\u{738b}",
        "\u{5d0}",
        "\u{634}",
        "\u{301}",
        "\u{200b}",
        "\u{200d}",
        "\u{202e}",
        "\u{200f}",
        "\u{feff}",
        "\u{1f468}",
        "\u{1f3fd}",
        "\u{fe0f}",
        " ",
        "\u{a0}",
        "\u{3000}",
        "-",
        ".",
        "*",
        "***",
        "@",
        "x.org",
        "2001:db8::7",
        "192.0.2.7",
        "1990-05-17",
    ];
    prop_oneof![
        4 => vec(select(PIECES.to_vec()), 0..10).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,14}",
        1 => "[0-9 .-]{0,14}",
        1 => "[a-z*]{1,6}@[a-z.]{1,8}",
        1 => "[A-Z0-9 -]{1,9}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_value_no_more_than_half_is_shown_by_its_last_four(value in value()) {
        let Some(out) = masked(MaskForm::LastFour, &value) else {
            prop_assert!(value.is_empty());
            return Ok(());
        };
        let shown = out.strip_prefix("****").unwrap();
        prop_assert!(value.ends_with(shown) && shown.chars().count() <= 4, "{:?}", out);
        prop_assert!(out == value || telling(shown) * 2 <= telling(&value), "{:?}", out);
        prop_assert_eq!(masked(MaskForm::LastFour, &out), Some(out));
    }

    #[test]
    fn initials_hide_something(value in value()) {
        let Some(out) = masked(MaskForm::Initials, &value) else { return Ok(()) };
        let words = value.split_whitespace().zip(out.split(' '));
        for (word, left) in words {
            prop_assert_eq!(left, format!("{}***", word.chars().next().unwrap()));
        }
        prop_assert!(out == value || telling(&out) < telling(&value) || value.contains('*'), "{:?}", out);
        prop_assert_eq!(masked(MaskForm::Initials, &out), Some(out));
    }

    #[test]
    fn of_an_address_one_character_is_shown_before_its_domain(value in value()) {
        let Some(out) = masked(MaskForm::Email, &value) else { return Ok(()) };
        let (local, domain) = value.split_once('@').unwrap();
        prop_assert_eq!(&out, &format!("{}***@{domain}", local.chars().next().unwrap()));
        prop_assert_eq!(masked(MaskForm::Email, &out), Some(out));
    }

    #[test]
    fn what_is_truncated_is_no_longer_and_holds_nothing_else(value in value()) {
        for form in [TruncateForm::Postcode, TruncateForm::Date] {
            let Some(out) = truncated(form, &value) else { continue };
            prop_assert!(value.starts_with(&out), "{:?} {:?}", form, out);
            prop_assert!(out.is_ascii() && out.len() <= 7, "{:?} {:?}", form, out);
            prop_assert_eq!(truncated(form, &out), Some(out));
        }
        if let Some(out) = truncated(TruncateForm::Ip, &value) {
            prop_assert!(out.ends_with(".0") || out.ends_with("::"), "{:?}", out);
            prop_assert_eq!(truncated(TruncateForm::Ip, &out), Some(out));
        }
        for form in [MaskForm::LastFour, MaskForm::Initials, MaskForm::Email] {
            prop_assert!(masked(form, &value).is_none_or(|out| is_part_of(&out, &value)), "{:?}", form);
        }
    }
}
