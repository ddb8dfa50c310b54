//! Rounds, medians and the table.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

use crate::Failure;
use crate::bodies::Body;

/// Redacts a body, and answers with how long the output is.
type Run<'a> = dyn FnMut(&[u8]) -> Result<usize, Failure> + 'a;

/// One way to redact.
pub(crate) struct Way<'a> {
    name: &'static str,
    run: Box<Run<'a>>,
}

impl<'a> Way<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut(&[u8]) -> Result<usize, Failure> + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// Nanoseconds per call of each way: the medians of rounds in which every way has its turn. What counts is the time
/// that this thread had the core, not what others took of it.
pub(crate) fn interleaved(ways: &mut [Way<'_>], body: &[u8], smoke: bool) -> Result<Vec<f64>, Failure> {
    let (rounds, bytes) = if smoke { (1, 1) } else { (15, 40 << 20) };
    let calls = bytes / body.len() + 1;
    let mut samples = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (way, samples) in ways.iter_mut().zip(&mut samples) {
            // Slow ways get fewer calls; a call to warm up is not counted.
            (way.run)(body)?;
            let (start, mut done) = (cpu_ns(), 0_u32);
            while (done as usize) < calls && cpu_ns() - start < 60_000_000 {
                for _ in 0..(calls / 64 + 1) {
                    black_box((way.run)(black_box(body))?);
                    done += 1;
                }
            }
            #[allow(clippy::cast_precision_loss, reason = "a measurement lasts well below 2^52 nanoseconds")]
            samples.push((cpu_ns() - start) as f64 / f64::from(done));
        }
    }
    Ok(samples.into_iter().map(median).collect())
}

/// The table of one body.
#[allow(clippy::cast_precision_loss, reason = "a body is well below 2^52 bytes")]
pub(crate) fn print(body: &Body, ways: &[Way<'_>], took: &[f64]) {
    println!("{}, {} bytes", body.name, body.bytes.len());
    println!("{:<40} {:>14} {:>8} {:>14}", "", "us per body", "GB/s", "ours is faster");
    let ours = took.first().copied().unwrap_or(f64::NAN);
    for (way, ns) in ways.iter().zip(took) {
        let speed = body.bytes.len() as f64 / ns;
        println!("{:<40} {:>14.2} {speed:>8.3} {:>13.2}x", way.name, ns / 1_000.0, ns / ours);
    }
    let libraries = ways.iter().zip(took).filter(|(way, _)| crate::rivals::is_library(way.name));
    if let Some((best, ns)) = libraries.min_by(|a, b| a.1.total_cmp(b.1)) {
        println!("the best library is {}; ours is {:.2} times as fast", best.name, ns / ours);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long this thread has had a core.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
