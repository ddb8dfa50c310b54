//! One decision, and one answer, as the people grow: only their rows of facts do.

use std::sync::Arc;
use std::time::Duration;

use consentry_model::Treatment;
use consentry_policy::{Cell, Engine, FactWord};

use crate::Failure;
use crate::invent::{CATEGORIES, NOW, Random, engine, person, questions};
use crate::measure::{median, per_call, shown};

/// Measures and prints.
pub(crate) fn measure(smoke: bool) -> Result<(), Failure> {
    let (sizes, rounds, time): (&[u64], _, _) = if smoke {
        (&[100, 1_000], 1, Duration::from_millis(1))
    } else {
        (&[100, 1_000, 10_000, 100_000, 1_000_000], 5, Duration::from_millis(150))
    };
    let engine = engine(60)?;
    engine.compile_all();
    let questions = questions(&engine)?;
    let cells: Result<Vec<Arc<Cell>>, _> = questions.iter().flatten().map(|q| engine.cell(q)).collect();
    let cells = cells.map_err(|reason| format!("no cell: {reason}"))?;
    let largest = sizes.iter().copied().max().unwrap_or(1);
    let rows: Vec<FactWord> = (0..largest).map(|at| engine.word(&person(&engine, at), NOW)).collect();
    let mut figures: Vec<Figures> = sizes.iter().map(|size| (*size, Vec::new(), Vec::new())).collect();
    for _ in 0..rounds {
        for (size, one, twenty) in &mut figures {
            one.push(among(&engine, &cells, 1, few(&rows, *size), time));
            twenty.push(among(&engine, &cells, CATEGORIES.len(), few(&rows, *size), time));
        }
    }
    println!("At 60 rules, of a person picked at random among so many\n");
    println!(
        "{:>10}{:>16}{:>8}{:>24}{:>8}",
        "people", "one decision", "ratio", "per category of 20", "ratio"
    );
    let first = |of: fn(&Figures) -> &[f64]| figures.first().map_or(1.0, |f| median(of(f)));
    let (first_one, first_twenty) = (first(|f| &f.1), first(|f| &f.2));
    for (people, one, twenty) in &figures {
        let (one, twenty) = (median(one), median(twenty));
        println!(
            "{people:>10}{:>16}{:>8.2}{:>24}{:>8.2}",
            shown(one),
            one / first_one,
            shown(twenty),
            twenty / first_twenty
        );
    }
    Ok(())
}

/// So many people, and what was measured in each round: one decision, and one of the twenty of an answer.
type Figures = (u64, Vec<f64>, Vec<f64>);

/// Nanoseconds per decision, with so many decisions about each person.
fn among(engine: &Engine, cells: &[Arc<Cell>], decisions: usize, rows: &[FactWord], time: Duration) -> f64 {
    let (mut random, unknown) = (Random::new(7), engine.facts());
    let people = rows.len() as u64;
    let ns = per_call(time, |at| {
        let row = rows.get(usize::try_from(random.below(people)).ok()?)?;
        let decided = (0..decisions).filter_map(|n| {
            engine.decision(cells.get((at * decisions + n) % cells.len())?, row, &unknown, NOW)
        });
        Some(decided.filter(|d| d.treatment() == Treatment::Clear).count())
    });
    #[allow(clippy::cast_precision_loss, reason = "twenty is small")]
    let decisions = decisions as f64;
    ns / decisions
}

fn few(rows: &[FactWord], people: u64) -> &[FactWord] {
    usize::try_from(people).ok().and_then(|people| rows.get(..people)).unwrap_or(rows)
}
