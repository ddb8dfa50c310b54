//! Rounds and medians.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median; 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Nanoseconds per call of something that is called with ever further numbers, for at least so long.
pub(crate) fn per_call<T>(time: Duration, mut call: impl FnMut(usize) -> T) -> f64 {
    let (start, mut calls, mut batch) = (Instant::now(), 0_usize, 1_usize);
    loop {
        for at in calls..calls + batch {
            black_box(call(black_box(at)));
        }
        calls += batch;
        let took = start.elapsed();
        if took >= time {
            #[allow(
                clippy::cast_precision_loss,
                reason = "a measurement lasts well below 2^52 nanoseconds"
            )]
            return took.as_nanos() as f64 / calls as f64;
        }
        batch = (batch * 2).min(4_096);
    }
}

/// Nanoseconds as people read them.
pub(crate) fn shown(ns: f64) -> String {
    if ns < 1_000.0 {
        format!("{ns:.1} ns")
    } else if ns < 1_000_000.0 {
        format!("{:.1} us", ns / 1_000.0)
    } else {
        format!("{:.1} ms", ns / 1_000_000.0)
    }
}
