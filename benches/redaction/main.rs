//! What redaction costs: our redactor beside what one would write with JSON libraries, on one core.
//!
//! ```text
//! cargo bench -p consentry-benches --bench redaction
//! ```
//!
//! `benches/README.md` says how to read it. Before anything is timed, all ways must lead to the same JSON value. Without
//! `--bench`, which `cargo bench` adds, everything runs once and briefly.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod bodies;
mod memory;
mod ours;
mod rivals;
mod rounds;

use std::error::Error;

use bodies::Body;
use rounds::Way;

/// Any error: a benchmark that cannot measure ends.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let smoke = !std::env::args().any(|a| a == "--bench");
    // First, while nothing else has been allocated.
    memory::measure(smoke)?;
    let lists = if smoke {
        [("list of 20", 20), ("list of 500", 500)]
    } else {
        [("200 KB list of 500", 500), ("20 MB list", 51_500)]
    };
    let mut bodies = vec![Body::profile()];
    bodies.extend(lists.map(|(name, records)| Body::list(name, records)));
    for body in &bodies {
        println!();
        measure(body, smoke)?;
    }
    Ok(())
}

/// All ways on one body, side by side.
fn measure(body: &Body, smoke: bool) -> Result<(), Failure> {
    let redactor = ours::Redactor::new(body)?;
    let want: serde_json::Value = serde_json::from_slice(&redactor.run(&body.bytes)?)?;
    let mut ways = vec![Way::new("ours", |bytes| {
        let mut length = 0;
        redactor.stream(bytes, |window| length += std::hint::black_box(window).len())?;
        Ok(length)
    })];
    for rival in rivals::ALL {
        let got: serde_json::Value = serde_json::from_slice(&(rival.run)(&body.bytes)?)?;
        if got != want {
            return Err(format!("{} and ours differ on the {}", rival.name, body.name).into());
        }
        ways.push(Way::new(rival.name, move |bytes| (rival.run)(bytes).map(|out| out.len())));
    }
    ways.push(Way::new("memcpy (the limit)", |bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        out.extend_from_slice(std::hint::black_box(bytes));
        Ok(std::hint::black_box(out).len())
    }));
    let took = rounds::interleaved(&mut ways, &body.bytes, smoke)?;
    rounds::print(body, &ways, &took);
    Ok(())
}
