//! The steps, in the order in which they run.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::{cargo, ensure_component};
use crate::tally::Tally;
use crate::{deps, policies, report, tests};

/// One step.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// One line for the help.
    pub(crate) what: &'static str,
    /// Whether `ci` runs it; what is left out there is part of another step.
    pub(crate) in_ci: bool,
    run: fn() -> Tally,
}

/// Every step.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", what: "every file is as rustfmt writes it", in_ci: true, run: fmt },
    Step { name: "clippy", what: "no warning in any target", in_ci: true, run: clippy },
    Step { name: "test", what: "all tests except those in the documentation", in_ci: true, run: tests::all },
    Step {
        name: "doctest",
        what: "the examples in the documentation",
        in_ci: true,
        run: tests::documentation,
    },
    Step { name: "doc", what: "the documentation builds without a warning", in_ci: true, run: doc },
    Step {
        name: "bench-build",
        what: "the benchmarks build; `clippy` checks them too, but links nothing",
        in_ci: false,
        run: bench_build,
    },
    Step {
        name: "deps",
        what: "licences, sources, duplicates and walls, by deny.toml",
        in_ci: true,
        run: deps::check,
    },
    Step {
        name: "advisories",
        what: "no dependency has a known vulnerability",
        in_ci: true,
        run: deps::advisories,
    },
    Step {
        name: "policies",
        what: "every bundle in policies/ is good, its invariants are proved and its cases hold",
        in_ci: true,
        run: policies::all,
    },
    Step { name: "demo", what: "the demonstration runs to its end", in_ci: true, run: demo },
    Step {
        name: "release",
        what: "the command builds as it is shipped: optimised, which takes as long as all tests",
        in_ci: false,
        run: release,
    },
    Step {
        name: "tidy",
        what: "the house's own rules only (`test` has them too)",
        in_ci: false,
        run: tests::tidy,
    },
];

/// One step that has run.
pub(crate) struct Done {
    /// Which.
    pub(crate) name: &'static str,
    /// How long it took.
    pub(crate) took: Duration,
    /// What it counted.
    pub(crate) tally: Tally,
}

/// Runs the steps one after the other, whatever becomes of each, and reports.
pub(crate) fn run<'a>(steps: impl Iterator<Item = &'a Step>) -> ExitCode {
    let steps: Vec<&Step> = steps.collect();
    let mut done = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        println!("\n=== {} ({} of {}): {}", step.name, at + 1, steps.len(), step.what);
        let started = Instant::now();
        let tally = (step.run)();
        let took = started.elapsed();
        println!("=== {}: {} in {:.1} s", step.name, report::word(&tally), took.as_secs_f64());
        done.push(Done { name: step.name, took, tally });
    }
    report::print(&done)
}

fn fmt() -> Tally {
    match ensure_component("rustfmt", "fmt") {
        Ok(()) => cargo(["fmt", "--all", "--", "--check"]).check("fmt"),
        Err(why) => Tally::one_failure("fmt", &why),
    }
}

fn clippy() -> Tally {
    match ensure_component("clippy", "clippy") {
        Ok(()) => cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).check("clippy"),
        Err(why) => Tally::one_failure("clippy", &why),
    }
}

fn doc() -> Tally {
    cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings").check("doc")
}

fn bench_build() -> Tally {
    cargo(["build", "--package", tests::BENCHES, "--all-targets"]).check("bench-build")
}

fn demo() -> Tally {
    match policies::build() {
        Ok(()) => policies::command(&["demo"]).check("demo"),
        Err(why) => Tally::one_failure("demo", &why),
    }
}

fn release() -> Tally {
    cargo(["build", "--release", "--package", "consentry-cli"]).check("release")
}
