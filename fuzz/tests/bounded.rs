//! Every seed and a fixed number of mutations through every target, the same ones every time. `CONSENTRY_FUZZ_ROUNDS`
//! multiplies the number.
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "test support: what cannot be set up fails the test, and what broke is shown"
)]

use std::path::Path;

use consentry_fuzz::{Mutator, TARGETS, Target};

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn bounded(name: &str) {
    let target = TARGETS.iter().find(|t| t.name == name).unwrap();
    let seeds = seeds(target);
    assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
    let times = std::env::var("CONSENTRY_FUZZ_ROUNDS").map_or(1, |n| n.parse::<u32>().unwrap());
    let mut mutator = Mutator::new(0x5eed);
    let mutations = (0..target.rounds * times).map(|_| mutator.mutate(&seeds));
    for input in seeds.clone().into_iter().chain(mutations) {
        let shown = Shown(name, &input);
        (target.run)(&input);
        std::mem::forget(shown);
    }
}

/// Shows the input that broke a promise, so that it can become a seed.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        eprintln!("{}: b\"{}\"", self.0, self.1.escape_ascii());
    }
}

#[test]
fn law_1_a_bundle_is_read_or_says_what_is_wrong() {
    bounded("bundle");
}

#[test]
fn law_1_no_exchange_shows_what_nobody_may_see() {
    bounded("exchange");
}

#[test]
fn law_1_a_json_body_leaves_as_json_however_it_is_cut() {
    bounded("json");
}

#[test]
fn law_1_no_cut_changes_a_coded_body() {
    bounded("coding");
}

#[test]
fn law_1_no_cut_changes_what_leaves_of_any_media_type() {
    bounded("media");
}

#[test]
fn law_2_lines_are_one_purpose_or_none() {
    bounded("purpose");
}

#[test]
fn law_1_nothing_authenticates_but_a_signed_token() {
    bounded("token");
}

#[test]
fn law_1_whoever_calls_is_whom_every_carrier_names() {
    bounded("carriers");
}

#[test]
fn law_1_what_is_left_of_a_head_has_one_reading_however_it_is_cut() {
    bounded("wire");
}

#[test]
fn law_7_nothing_goes_on_of_whoever_objected() {
    bounded("people");
}
