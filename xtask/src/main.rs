//! `cargo xtask`: every check of the project, one by one or all at once.
//!
//! `cargo xtask ci` is what a fresh machine runs. A step that fails does not stop the ones after it, so that one run
//! shows everything that is wrong; the last line is the count.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool whose output is the point"
)]

mod deps;
mod policies;
mod report;
mod run;
mod solver;
mod spdx;
mod steps;
mod tally;
mod tests;

use std::process::ExitCode;

use steps::STEPS;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{}", help());
            ExitCode::SUCCESS
        }
        ["ci"] => steps::run(STEPS.iter().filter(|step| step.in_ci)),
        names => {
            if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
                eprintln!("xtask: no step is called `{unknown}`\n\n{}", help());
                return ExitCode::from(2);
            }
            steps::run(names.iter().filter_map(|name| STEPS.iter().find(|step| step.name == *name)))
        }
    }
}

fn help() -> String {
    let mut text = String::from(
        "usage: cargo xtask ci | help | <step>...\n\n  ci          every step below but those marked -\n",
    );
    for step in STEPS {
        let mark = if step.in_ci { ' ' } else { '-' };
        text.push_str(&format!("{mark} {:<11} {}\n", step.name, step.what));
    }
    text.push_str(
        "\nA step without tests counts as one check. The last line counts over all steps; every failure and every\n\
         skipped test is named above it. The exit status is not 0 if anything failed.",
    );
    text
}
