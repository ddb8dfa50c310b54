//! `consentry impact`: what a new bundle changes before it is installed.

mod evidence;

use std::path::{Path, PathBuf};

use consentry_policy::{CellChange, Impact};
use serde_json::{Value, json};

use self::evidence::Replayed;
use crate::args::Format;
use crate::bundle::Checked;
use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, count, paint};
use crate::stop::{Exit, Stop};

const EXAMPLES: &str = "\
Examples:
  consentry impact policies/panopta-v1 policies/panopta-v2
  consentry impact policies/panopta-v1 policies/panopta-v2 --evidence /var/lib/consentry/evidence
  consentry impact policies/panopta-v1 policies/panopta-v2 --accept-widening --format json

Exit codes:
  0 nothing more is let through   1 something is, or may be   2 a bundle or the log cannot be read";

/// Compare two bundles: which answers change, for whom, and on which facts
///
/// Every question that the service map of either bundle can make is compared on all values of all facts that its rules
/// ask, by an exhaustive search over the compiled programs. A cell whose search is longer than its bound is reported as
/// not compared, and counts as one that lets more through.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder of the bundle in force
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The folder of the bundle that would follow it
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Replay the decisions that an evidence log retains
    #[arg(long, value_name = "LOG")]
    evidence: Option<PathBuf>,
    /// Exit with 0 although something more is let through
    #[arg(long)]
    accept_widening: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (old, new) = (need(&args.old)?, need(&args.new)?);
    let impact = Impact::of(&old.engine, &new.engine);
    let replayed =
        args.evidence.as_deref().map(|log| evidence::replay(log, &old.engine, &new.engine)).transpose()?;
    let widens = impact.widens() || replayed.as_ref().is_some_and(Replayed::widens);
    match args.format {
        Format::Text => tell(&impact, replayed.as_ref())?,
        Format::Json => output::say_json(&report(&impact, replayed.as_ref(), widens))?,
    }
    Ok(if widens && !args.accept_widening { Exit::NO } else { Exit::OK })
}

/// A bundle that must hold: here 1 is an answer, and a bundle with errors gives none.
pub(crate) fn need(dir: &Path) -> Result<Checked, Stop> {
    Checked::need(dir).map_err(|stop| match stop {
        Stop::Pipe => Stop::Pipe,
        Stop::Because { what, help, .. } => Stop::Because { exit: Exit::UNASKED, what, help },
    })
}

fn tell(impact: &Impact, replayed: Option<&Replayed>) -> Result<(), Stop> {
    let mut out = Vec::new();
    let side = |widens: bool| impact.changes.iter().filter(move |change| change.widens() == widens);
    for (title, style, widens) in [("Lets more through", ERROR, true), ("Lets less through", GOOD, false)] {
        if side(widens).next().is_some() {
            out.push(paint(style, title));
        }
        for change in side(widens) {
            out.extend(indented(2, &change.sentence()));
            out.extend(change.circumstances().iter().flat_map(|line| indented(6, line)));
        }
    }
    for (why, cells) in &impact.not_compared {
        let what = format!(
            "{} not compared, which counts as letting more through: {}",
            count(cells.len(), "cell"),
            why.words()
        );
        out.push(paint(ERROR, what));
        out.extend(cells.iter().flat_map(|cell| indented(2, cell)));
    }
    for (title, style, widens) in
        [("Besides, and may let more through", ERROR, true), ("Besides", FAIR, false)]
    {
        let lines: Vec<&String> =
            impact.differences.iter().filter(|d| d.widens == widens).map(|d| &d.what).collect();
        if !lines.is_empty() {
            out.push(paint(style, title));
            out.extend(lines.iter().flat_map(|line| indented(2, line)));
        }
    }
    if impact.is_nothing() {
        out.push(paint(GOOD, "No answer changes."));
    }
    if let Some(replayed) = replayed {
        out.push(paint(BOLD, "Decisions on record"));
        out.extend(replayed.lines().iter().flat_map(|line| indented(2, line)));
    }
    let looked =
        format!("{} compared, on {} assignments of facts", count(impact.cells, "cell"), impact.assignments);
    out.push(paint(DIM, looked));
    output::say(&out.join("\n"))
}

fn indented(by: usize, text: &str) -> Vec<String> {
    let lines = output::wrap(text, output::width().saturating_sub(by + 2));
    let pads = std::iter::once(by).chain(std::iter::repeat(by + 2));
    lines.iter().zip(pads).map(|(line, pad)| format!("{}{line}", " ".repeat(pad))).collect()
}

fn report(impact: &Impact, replayed: Option<&Replayed>, widens: bool) -> Value {
    let not_compared: Vec<Value> = impact
        .not_compared
        .iter()
        .map(|(why, cells)| json!({ "why": why.words(), "cells": cells }))
        .collect();
    let differences: Vec<Value> =
        impact.differences.iter().map(|d| json!({ "widens": d.widens, "what": d.what })).collect();
    json!({
        "widens": widens,
        "cells": impact.cells,
        "assignments": impact.assignments.to_string(),
        "changes": impact.changes.iter().map(change).collect::<Vec<_>>(),
        "not_compared": not_compared,
        "differences": differences,
        "evidence": replayed.map(Replayed::report),
    })
}

fn change(change: &CellChange) -> Value {
    let when: Vec<Value> = change.when.iter().map(|w| json!({ "facts": w.facts, "core": w.core })).collect();
    json!({
        "widens": change.widens(),
        "from": change.from.code(),
        "to": change.to.code(),
        "purposes": change.purposes,
        "recipients": change.recipients,
        "requesters": change.requesters,
        "acts": change.acts,
        "categories": change.categories,
        "subjects": change.subjects,
        "attested": change.attested,
        "when": when,
        "more": change.more,
        "reach": change.reach.code(),
        "says": change.sentence(),
    })
}
