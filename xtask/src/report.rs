//! What is printed after the last step.

use std::process::ExitCode;

use crate::steps::Done;
use crate::tally::Tally;

/// One word for how a step went.
pub(crate) fn word(tally: &Tally) -> &'static str {
    match tally {
        Tally { failed: 1.., .. } => "FAILED",
        Tally { passed: 0, skipped, .. } if !skipped.is_empty() => "skipped",
        _ => "ok",
    }
}

/// Prints the steps, the failures, the skipped tests and the count, which is the last line.
pub(crate) fn print(done: &[Done]) -> ExitCode {
    let mut all = Tally::default();
    println!("\n=== all steps");
    for step in done {
        let Tally { passed, failed, skipped, .. } = &step.tally;
        println!(
            "{:<12} {:<8} {:>8.1} s   {}",
            step.name,
            word(&step.tally),
            step.took.as_secs_f64(),
            count(*passed, *failed, skipped.len())
        );
        all.add(step.tally.clone());
    }
    if !all.failures.is_empty() {
        println!("\n=== failed");
        for failure in &all.failures {
            println!("FAILED {failure}");
        }
    }
    if !all.skipped.is_empty() {
        println!("\n=== skipped");
        for (name, why) in &all.skipped {
            println!("SKIPPED {name}: {why}");
        }
    }
    println!("\n{}", count(all.passed, all.failed, all.skipped.len()));
    if all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(passed: u64, failed: u64, skipped: usize) -> String {
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_outweighs_everything() {
        let skip = Tally::one_skip("s", "why");
        let cases = [
            (Tally { passed: 9, ..Tally::one_failure("x", "why") }, "FAILED"),
            (skip.clone(), "skipped"),
            (Tally { passed: 1, ..skip }, "ok"),
            (Tally::one_pass(), "ok"),
        ];
        for (tally, expected) in cases {
            assert_eq!(word(&tally), expected, "{tally:?}");
        }
    }
}
