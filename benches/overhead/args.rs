//! The command line.

use std::time::Duration;

use crate::Failure;

const USAGE: &str = "options: [--rounds N] [--connections N] [--seconds S] [--only LETTERS] [--test]";

/// How much is measured.
pub(crate) struct Args {
    /// How often each target has its turn.
    pub(crate) rounds: u32,
    /// How many connections send requests at a time.
    pub(crate) connections: usize,
    /// How long all turns take together.
    pub(crate) total: Duration,
    /// The targets that are measured, by their letters; all when none is named. `l` is the layer.
    pub(crate) only: String,
    /// Whether this is only to see that everything runs.
    pub(crate) smoke: bool,
}

impl Args {
    /// Reads it.
    pub(crate) fn read(given: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let given: Vec<String> = given.collect();
        // `cargo test --benches` does not say `--bench`, and hands on whatever the test harness would understand.
        let smoke = given.iter().any(|a| a == "--test") || !given.iter().any(|a| a == "--bench");
        if smoke {
            return Ok(Self {
                rounds: 1,
                connections: 2,
                total: Duration::from_millis(150),
                only: String::new(),
                smoke,
            });
        }
        let mut args =
            Self { rounds: 5, connections: 64, total: Duration::from_secs(80), only: String::new(), smoke };
        let mut words = given.iter().filter(|a| *a != "--bench");
        while let Some(option) = words.next() {
            if option == "--only" {
                args.only = words.next().ok_or(USAGE)?.clone();
                continue;
            }
            let mut number = |max: u32| -> Result<u32, Failure> {
                let number = words.next().and_then(|n| n.parse().ok()).filter(|n| (1..=max).contains(n));
                number.ok_or_else(|| format!("{option} takes a number from 1 to {max}; {USAGE}").into())
            };
            match option.as_str() {
                "--rounds" => args.rounds = number(1_000)?,
                "--connections" => args.connections = usize::try_from(number(1_000)?)?,
                "--seconds" => args.total = Duration::from_secs(number(3_600)?.into()),
                _ => return Err(format!("`{option}` is unknown; {USAGE}").into()),
            }
        }
        Ok(args)
    }

    /// Whether a target is measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || name.chars().next().is_some_and(|letter| self.only.contains(letter))
    }
}
