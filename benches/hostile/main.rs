//! How long hostile YAML is looked at before it is refused, and how much memory that takes: as a bundle, and as a
//! configuration of the sidecar.
//!
//! ```text
//! cargo bench -p consentry-benches --bench hostile
//! ```
//!
//! Each text is a file, and is read, refused, and told as text and as JSON by a process of its own, so that the peak
//! of its memory is what this one text took. A text that is not refused ends the run with an error.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod texts;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use consentry_policy::{Bundle, ReadError};
use consentry_proxy::Config;

/// Any error: a benchmark that cannot measure ends.
type Failure = Box<dyn Error + Send + Sync>;

/// What a hostile text may take, in milliseconds and in MB.
const GOAL: (f64, f64) = (100.0, 100.0);
/// What the first argument of a process is that reads one text.
const READ: &str = "--read";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, first, kind, place] = &arguments[..]
        && first == READ
    {
        return read(kind, Path::new(place));
    }
    let runs = if arguments.iter().any(|a| a == "--bench") { 5 } else { 1 };
    println!("{:<44}{:>10}{:>12}{:>12}{:>10}", "", "size", format!("worst of {runs}"), "peak", "told");
    let mut over = 0;
    for (what, text) in texts::all() {
        for kind in ["bundle", "configuration"] {
            let folder = tempfile::tempdir()?;
            text.write(&folder.path().join("hostile.yaml"))?;
            let mut worst = Run::default();
            for _ in 0..runs {
                worst = worst.or(one(kind, folder.path())?);
            }
            let is_over = worst.millis > GOAL.0 || worst.peak_mb > GOAL.1;
            over += usize::from(is_over);
            println!(
                "{:<44}{:>10}{:>9.1} ms{:>9.1} MB{:>10}{}",
                format!("{what}, as a {kind}"),
                text.len(),
                worst.millis,
                worst.peak_mb,
                worst.told,
                if is_over { "  over the goal" } else { "" }
            );
        }
    }
    println!("\n{over} of them are over {} ms or {} MB", GOAL.0, GOAL.1);
    Ok(())
}

/// What reading one text took.
#[derive(Clone, Copy, Default)]
struct Run {
    millis: f64,
    peak_mb: f64,
    /// How many bytes were said about it.
    told: usize,
}

impl Run {
    fn or(self, other: Self) -> Self {
        Self {
            millis: self.millis.max(other.millis),
            peak_mb: self.peak_mb.max(other.peak_mb),
            told: self.told.max(other.told),
        }
    }
}

fn one(kind: &str, folder: &Path) -> Result<Run, Failure> {
    let run = Command::new(std::env::current_exe()?).args([READ, kind]).arg(folder).output()?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into());
    }
    let said = String::from_utf8(run.stdout)?;
    let mut words = said.split_whitespace();
    let mut next = || words.next().ok_or("a reader said too little");
    Ok(Run { millis: next()?.parse()?, peak_mb: next()?.parse()?, told: next()?.parse()? })
}

/// Reads one text in this process, and says what that took.
fn read(kind: &str, folder: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    let told = if kind == "bundle" {
        match Bundle::load(folder) {
            Ok(_) => return Err("the bundle was read".into()),
            Err(ReadError::Wrong(found)) => {
                if !found.has_errors() {
                    return Err("nothing is wrong".into());
                }
                found.render(true).len() + found.to_json().len()
            }
            Err(error) => error.to_string().len(),
        }
    } else {
        match Config::load(&folder.join("hostile.yaml")) {
            Ok(_) => return Err("the configuration was read".into()),
            Err(error) => error.to_string().len(),
        }
    };
    let millis = start.elapsed().as_secs_f64() * 1_000.0;
    println!("{millis} {} {told}", peak_mb()?);
    Ok(())
}

/// The most memory that this process had, in MB, as Linux tells it.
fn peak_mb() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak is told")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1_024.0 / 1_000_000.0)
}
