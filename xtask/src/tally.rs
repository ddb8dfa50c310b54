//! What a step counted, read from what its programs printed.

use std::collections::BTreeMap;

/// Passed, failed and skipped tests, the latter two by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many passed.
    pub(crate) passed: u64,
    /// How many failed.
    pub(crate) failed: u64,
    /// What failed: a name, sometimes with a reason.
    pub(crate) failures: Vec<String>,
    /// What was skipped: name and reason.
    pub(crate) skipped: Vec<(String, String)>,
}

impl Tally {
    /// One check that passed.
    pub(crate) fn one_pass() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// One check that failed.
    pub(crate) fn one_failure(name: &str, why: &str) -> Self {
        let mut tally = Self::default();
        tally.fail(format!("{name}: {why}"));
        tally
    }

    /// One check that could not be made, and need not be.
    pub(crate) fn one_skip(name: &str, why: &str) -> Self {
        Self { skipped: vec![(name.to_owned(), why.to_owned())], ..Self::default() }
    }

    /// Counts one more failure.
    pub(crate) fn fail(&mut self, what: String) {
        self.failed += 1;
        self.failures.push(what);
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.skipped.extend(other.skipped);
    }

    /// Reads what `cargo test` printed. `None` if no test binary got as far as a result.
    pub(crate) fn of_cargo_test(output: &str) -> Option<Self> {
        let mut tally = Self::default();
        let (mut results, mut ignored) = (0_u64, 0);
        for line in output.lines() {
            if let Some(result) = line.strip_prefix("test result: ") {
                results += 1;
                tally.passed += number_before(result, " passed")?;
                tally.failed += number_before(result, " failed")?;
                ignored += number_before(result, " ignored")?;
            } else if let Some((name, state)) =
                line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
            {
                if state == "FAILED" {
                    tally.failures.push(name.to_owned());
                } else if let Some(why) = state.strip_prefix("ignored") {
                    let why = why
                        .strip_prefix(", ")
                        .filter(|w| !w.is_empty())
                        .unwrap_or("ignored without a reason");
                    tally.skipped.push((name.to_owned(), why.to_owned()));
                }
            }
        }
        for _ in tally.skipped.len() as u64..ignored {
            tally.skipped.push(("a test that was not named".to_owned(), "ignored".to_owned()));
        }
        (results > 0).then_some(tally)
    }

    /// Reads the last `N passed, M failed` (and `, K skipped`, if it is there) that a policy test printed.
    pub(crate) fn of_policy_test(name: &str, output: &str) -> Option<Self> {
        let line = output.lines().rev().find(|line| line.contains(" passed, "))?;
        let (passed, failed) = (number_before(line, " passed")?, number_before(line, " failed")?);
        let skipped = if line.contains(" skipped") { number_before(line, " skipped")? } else { 0 };
        let failures = (failed > 0).then(|| format!("{name}: {failed} cases, named above"));
        let skipped = (0..skipped).map(|_| (name.to_owned(), "a case, named above".to_owned())).collect();
        Some(Self { passed, failed, failures: failures.into_iter().collect(), skipped })
    }

    /// Moves the tests that skipped themselves from passed to skipped. The log has lines `SKIPPED <name>: <reason>`.
    pub(crate) fn move_skipped(&mut self, log: &str) {
        let mut by_name = BTreeMap::new();
        for line in log.lines() {
            let Some(rest) = line.strip_prefix("SKIPPED ") else { continue };
            let (name, why) = rest.split_once(": ").unwrap_or((rest, "no reason given"));
            by_name.entry(name.to_owned()).or_insert_with(|| why.to_owned());
        }
        self.passed = self.passed.saturating_sub(by_name.len() as u64);
        self.skipped.extend(by_name);
    }
}

/// The number that stands right before the word.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let before = text.split_once(word)?.0;
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test a::b ... ok
test a::c ... FAILED
test a::d ... ignored
test a::e - should panic ... ignored, needs a moon

test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.00s

running 2 tests
test src/lib.rs - x (line 3) ... ok
test src/lib.rs - y (line 9) - compile fail ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";

    fn pair(name: &str, why: &str) -> (String, String) {
        (name.to_owned(), why.to_owned())
    }

    #[test]
    fn cargo_test_is_summed_over_its_binaries() {
        let tally = Tally::of_cargo_test(OUTPUT).unwrap();
        assert_eq!((tally.passed, tally.failed), (3, 1));
        assert_eq!(tally.failures, ["a::c"]);
        let skipped = [pair("a::d", "ignored without a reason"), pair("a::e - should panic", "needs a moon")];
        assert_eq!(tally.skipped, skipped);
    }

    #[test]
    fn no_result_is_not_a_success() {
        for output in
            ["", "running 3 tests\ntest a ... ok\n", "test result: ok. many passed; 0 failed; 0 ignored\n"]
        {
            assert_eq!(Tally::of_cargo_test(output), None, "{output}");
        }
        for output in ["", "all well", "x passed, 0 failed", "3 passed, no failed"] {
            assert_eq!(Tally::of_policy_test("p", output), None, "{output}");
        }
    }

    #[test]
    fn a_test_that_skips_itself_has_not_passed() {
        let mut tally = Tally { passed: 5, ..Tally::default() };
        tally.move_skipped(
            "SKIPPED x::a: no database\nnoise\nSKIPPED x::a: no database\nSKIPPED x::b: no net: off\n",
        );
        assert_eq!(tally.passed, 3);
        assert_eq!(tally.skipped, [pair("x::a", "no database"), pair("x::b", "no net: off")]);
    }

    #[test]
    fn policy_tests_count_by_their_last_line() {
        let tally = Tally::of_policy_test(
            "policies/p",
            "a.yaml: 2 passed, 0 failed\n\n7 passed, 1 failed, 1 skipped\n",
        );
        let tally = tally.unwrap();
        assert_eq!((tally.passed, tally.failed, tally.skipped.len()), (7, 1, 1));
        assert_eq!(tally.failures, ["policies/p: 1 cases, named above"]);
        assert_eq!(Tally::of_policy_test("p", "60 passed, 0 failed").unwrap().passed, 60);
    }
}
