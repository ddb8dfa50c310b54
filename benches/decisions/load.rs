//! What it takes until a bundle can be in force: read, checked, compiled to Cedar, every reachable cell compiled.

use std::path::Path;
use std::time::{Duration, Instant};

use consentry_policy::{Bundle, Engine, Sources};

use crate::Failure;
use crate::invent;
use crate::measure::median;

/// The bundles that are shipped.
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

/// Measures and prints.
pub(crate) fn measure(smoke: bool) -> Result<(), Failure> {
    println!("Loading: medians in milliseconds\n");
    println!(
        "{:>20}{:>8}{:>10}{:>14}{:>12}{:>12}{:>10}",
        "bundle", "rules", "cells", "read, checked", "to Cedar", "all cells", "in all"
    );
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(POLICIES)? {
        folders.push(entry?.path());
    }
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        one(&name, &Sources::read(Path::new(folder))?, smoke)?;
    }
    for rules in [60, 1_000] {
        let text = invent::text(rules);
        one(&format!("invented {rules}"), &Sources::from_texts([("invented.yaml", text.as_str())]), smoke)?;
    }
    Ok(())
}

fn one(name: &str, sources: &Sources, smoke: bool) -> Result<(), Failure> {
    let (mut read, mut cedar, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rules, mut reachable) = (0, 0);
    for _ in 0..if smoke { 1 } else { 5 } {
        let started = Instant::now();
        let bundle = Bundle::read(sources).map_err(|found| found.to_string())?;
        read.push(millis(started.elapsed()));
        rules = bundle.rules.len();
        let started = Instant::now();
        let engine = Engine::new(bundle)?;
        cedar.push(millis(started.elapsed()));
        let started = Instant::now();
        reachable = engine.compile_all();
        cells.push(millis(started.elapsed()));
    }
    let [read, cedar, cells] = [read, cedar, cells].map(|values| median(&values));
    let all = read + cedar + cells;
    println!("{name:>20}{rules:>8}{reachable:>10}{read:>14.0}{cedar:>12.0}{cells:>12.0}{all:>10.0}");
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
