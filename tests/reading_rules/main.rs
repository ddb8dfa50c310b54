//! The thirteen rules by which a careful lawyer reads the policies. Each is shown by stories of the shipped bundles,
//! played through the real layer: the table names the story and what must come of it.
#![allow(clippy::panic, reason = "what cannot be set up fails the test")]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use consentry_proxy::CaseResult;
use consentry_tests::stories::{BUNDLES, bundle, outcome, play, sources};

/// Which stories show which rule, and what must come of each.
const STORIES: &str = include_str!("stories.txt");

/// A clause, a case of it, and its outcome.
type Story = (&'static str, &'static str, &'static str);

/// What came of the stories, by clause and name: the outcome that the bundle names, and the result.
type Played = BTreeMap<(String, String), (String, CaseResult)>;

fn stories() -> &'static BTreeMap<u8, Vec<Story>> {
    static TABLE: OnceLock<BTreeMap<u8, Vec<Story>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut out: BTreeMap<u8, Vec<Story>> = BTreeMap::new();
        let mut rule = 0;
        for line in STORIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.split(" | ").collect();
            match (line.strip_prefix("rule "), parts.as_slice()) {
                (Some(title), _) => {
                    let number = title.split_once(':').and_then(|(number, _)| number.parse().ok());
                    rule = number.unwrap_or_else(|| panic!("no rule: {line}"));
                }
                (None, [clause, case, outcome]) => {
                    out.entry(rule).or_default().push((clause, case, outcome));
                }
                (None, _) => panic!("no story: {line}"),
            }
        }
        out
    })
}

fn played() -> &'static Played {
    static PLAYED: OnceLock<Played> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let mut out = Played::new();
        for name in BUNDLES {
            let told = |clause: &str, case: &str| {
                stories().values().flatten().any(|(there, story, _)| (*there, *story) == (clause, case))
            };
            let sources = sources(name, "");
            let bundle = bundle(&sources, |case| told(&case.clause, &case.name));
            for (case, result) in bundle.cases.iter().zip(play(&bundle, &sources)) {
                let key = (case.clause.clone(), case.name.clone());
                let twice = out.insert(key, (outcome(case), result)).is_some();
                assert!(!twice, "`{}` of {} is told twice", case.name, case.clause);
            }
        }
        out
    })
}

/// Every story of a rule is there, says what the rule says, and comes out so.
fn check(rule: u8) {
    let mut problems = Vec::new();
    let told = stories().get(&rule).unwrap_or_else(|| panic!("nothing shows rule {rule}"));
    for (clause, name, expected) in told {
        let Some((says, result)) = played().get(&((*clause).to_owned(), (*name).to_owned())) else {
            problems.push(format!("nobody tells `{name}` of {clause}"));
            continue;
        };
        if says != expected {
            problems.push(format!("`{name}` of {clause} says {says}, the rule says {expected}"));
        }
        if !result.holds() {
            problems.push(result.to_string());
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn reading_rule_1_a_prohibition_beats_a_permission_except_where_the_policy_or_the_law_says_otherwise() {
    check(1);
}

#[test]
fn reading_rule_2_the_specific_beats_the_general_inside_one_policy() {
    check(2);
}

#[test]
fn reading_rule_3_never_is_not_curable_by_consent_and_unless_told_is() {
    check(3);
}

#[test]
fn reading_rule_4_an_only_list_is_closed_and_an_open_list_is_open_for_description_alone() {
    check(4);
}

#[test]
fn reading_rule_5_may_reserves_a_power_and_supplies_no_basis() {
    check(5);
}

#[test]
fn reading_rule_6_deemed_consent_is_the_weakest_state() {
    check(6);
}

#[test]
fn reading_rule_7_the_notice_at_collection_binds_the_datum() {
    check(7);
}

#[test]
fn reading_rule_8_scope_words_matter() {
    check(8);
}

#[test]
fn reading_rule_9_an_opt_out_of_marketing_does_not_stop_what_a_contract_needs_except_where_it_says_all() {
    check(9);
}

#[test]
fn reading_rule_10_no_purpose_no_access_and_a_strangers_purpose_is_a_claim() {
    check(10);
}

#[test]
fn reading_rule_11_no_basis_is_swapped_after_a_refusal() {
    check(11);
}

#[test]
fn reading_rule_12_aggregates_cannot_be_inverted() {
    check(12);
}

#[test]
fn reading_rule_13_months_are_clamped_ages_count_on_the_day_and_consents_end_exclusively() {
    check(13);
}
