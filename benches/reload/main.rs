//! What a decision waits while bundles are replaced: one thread decides without a pause through the policy slot, alone,
//! beside as much work that shares nothing with it, and beside one that loads and installs a large bundle over and over.
//!
//! ```text
//! cargo bench -p consentry-benches --bench reload
//! ```
//!
//! `benches/README.md` says how to read it. Without `--bench`, which `cargo bench` adds, everything runs once and briefly.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use consentry_layer::PolicySlot;
use consentry_model::{Moment, Treatment};
use consentry_policy::{Bundle, Engine, Person, Question, Sources};
use rustix::time::{ClockId, clock_gettime};

/// Any error: a benchmark that cannot measure ends.
type Failure = Box<dyn Error + Send + Sync>;

const NOW: Moment = Moment::from_unix_millis(1_790_000_000_000);
/// The bundle with the most cells.
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/panoptics");

/// What goes on beside the thread that decides.
#[derive(Clone, Copy)]
enum Beside {
    Nothing,
    Work,
    Reloads,
}

/// What one decision took at most so often, in nanoseconds.
struct Row {
    decisions: usize,
    reloads: usize,
    /// By the clock on the wall, which also counts while the machine runs something else.
    wall: [u64; 4],
    /// While the thread had its core.
    own: [u64; 4],
}

fn main() -> Result<(), Failure> {
    let smoke = !std::env::args().any(|a| a == "--bench");
    let (time, rounds) = if smoke { (Duration::from_millis(50), 1) } else { (Duration::from_secs(4), 3) };
    let sources = Sources::read(Path::new(BUNDLE))?;
    let slot = PolicySlot::empty();
    slot.install(loaded(&sources)?, NOW);
    let question = asked(&slot)?;
    println!("One decision through the slot, from taking the bundle in force to letting go of it\n");
    println!("{:>22}{:>12}{:>9}   in microseconds", "beside", "decisions", "reloads");
    for _ in 0..rounds {
        for (name, beside) in
            [("nothing", Beside::Nothing), ("other work", Beside::Work), ("reloads", Beside::Reloads)]
        {
            print(name, &measure(&slot, &question, &sources, beside, time)?);
        }
    }
    Ok(())
}

fn print(name: &str, row: &Row) {
    let shown = |at: &[u64; 4]| {
        let [median, most, nearly, max] = at.map(micros);
        format!("median {median:.2}, p99.9 {most:.2}, p99.99 {nearly:.2}, max {max:.1}")
    };
    println!("{name:>22}{:>12}{:>9}   on the wall: {}", row.decisions, row.reloads, shown(&row.wall));
    println!("{:>46}on its core: {}", "", shown(&row.own));
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds of one decision fit well below 2^52")]
fn micros(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

fn loaded(sources: &Sources) -> Result<Engine, Failure> {
    let engine = Engine::new(Bundle::read(sources).map_err(|found| found.to_string())?)?;
    engine.compile_all();
    Ok(engine)
}

/// A question that the service map can bring about. With nothing known its answer is a no, which costs as much as a yes.
fn asked(slot: &PolicySlot) -> Result<Question, Failure> {
    let installed = slot.current().ok_or("nothing is in force")?;
    installed.engine.questions().into_iter().next().ok_or_else(|| "nothing can be asked".into())
}

fn measure(
    slot: &PolicySlot,
    question: &Question,
    sources: &Sources,
    beside: Beside,
    time: Duration,
) -> Result<Row, Failure> {
    let (stop, reloads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| -> Result<(), Failure> {
            let mut done = 0_usize;
            while !stop.load(Ordering::Relaxed) {
                match beside {
                    Beside::Nothing => std::thread::sleep(Duration::from_millis(5)),
                    Beside::Work => done = black_box(done.wrapping_mul(31).wrapping_add(7)),
                    Beside::Reloads => {
                        slot.install(loaded(sources)?, NOW);
                        reloads.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            Ok(())
        });
        let (mut wall, mut own) = (Vec::new(), Vec::new());
        let began = Instant::now();
        // However slow, a reload that is measured has come into force.
        while began.elapsed() < time
            || (matches!(beside, Beside::Reloads)
                && reloads.load(Ordering::Relaxed) == 0
                && !other.is_finished())
        {
            let (start, core) = (Instant::now(), on_core());
            black_box(decide(slot, question));
            own.push(on_core().saturating_sub(core));
            wall.push(u64::try_from(start.elapsed().as_nanos())?);
        }
        stop.store(true, Ordering::Relaxed);
        other.join().map_err(|_| "the other thread ended by a panic")??;
        let row = Row {
            decisions: wall.len(),
            reloads: reloads.load(Ordering::Relaxed),
            wall: of(wall),
            own: of(own),
        };
        Ok(row)
    })
}

fn decide(slot: &PolicySlot, question: &Question) -> Option<Treatment> {
    let installed = slot.current()?;
    let engine = &installed.engine;
    let facts = engine.facts();
    let (cell, word) = (engine.cell(question).ok()?, engine.word(&facts, NOW));
    Some(engine.verdict(&cell, &word, &facts, Person::ANONYMOUS, NOW).treatment)
}

/// Nanoseconds for which this thread had a core.
fn on_core() -> u64 {
    let at = clock_gettime(ClockId::ThreadCPUTime);
    let secs = u64::try_from(at.tv_sec).unwrap_or(0);
    secs.saturating_mul(1_000_000_000).saturating_add(u64::try_from(at.tv_nsec).unwrap_or(0))
}

/// Median, the 99.9th and the 99.99th hundredth, and the largest.
fn of(mut values: Vec<u64>) -> [u64; 4] {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    [5_000, 9_990, 9_999, 10_000].map(|part| values.get(last * part / 10_000).copied().unwrap_or(0))
}
