//! The same load on all three targets, in turns.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::Failure;
use crate::args::Args;
use crate::load::{Shot, Turn, turn};
use crate::rivals;
use crate::stats::{median, spread};
use crate::targets::Targets;

/// A machine on which a target's turns are further apart than this does something else besides.
const SPREAD_MAX: f64 = 0.3;

struct Row {
    name: &'static str,
    shot: Arc<Shot>,
    turns: Vec<Turn>,
}

impl Row {
    fn rates(&self) -> Vec<f64> {
        self.turns.iter().map(|t| t.requests_per_sec).collect()
    }

    fn median_of(&self, figure: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure))
    }
}

/// Measures and prints.
pub(crate) fn measure(args: &Args) -> Result<(), Failure> {
    let targets = Targets::start()?;
    let row = |name, shot: &Arc<Shot>| Row { name, shot: Arc::clone(shot), turns: Vec::new() };
    let rivals = if args.smoke { Vec::new() } else { rivals::start(targets.folder(), &targets.direct)? };
    let mut rows = vec![
        row("a  the API directly", &targets.direct),
        row("b  a proxy without a policy", &targets.pass_through),
        row("c  the sidecar, everything on", &targets.sidecar),
    ];
    rows.extend(rivals.iter().map(|rival| row(rival.name, &rival.shot)));
    let time = args.total / args.rounds / u32::try_from(rows.len())?;
    let threads = Builder::new_multi_thread().thread_name("load").enable_all().build()?;
    for row in &rows {
        threads.block_on(turn(&row.shot, args.connections, time / 4))?;
    }
    for _ in 0..args.rounds {
        // Each round begins with another target, so that none always follows the same one.
        for row in &mut rows {
            let measured = threads.block_on(turn(&row.shot, args.connections, time))?;
            row.turns.push(measured);
        }
        rows.rotate_left(1);
    }
    drop(rivals);
    rows.sort_by_key(|row| row.name);
    print(args, &rows, time);
    println!("\none durable write to the evidence's disk takes {:.1?} by itself", targets.durable_write()?);
    targets.stop()
}

fn print(args: &Args, rows: &[Row], time: Duration) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let Args { rounds, connections, .. } = args;
    println!(
        "GET /customers/c-1001: {connections} connections, {rounds} rounds of {time:.1?} for each target,"
    );
    println!("load, proxies and API on the same {cores} cores; medians of the rounds\n");
    println!("{:32}{:>12}{:>10}{:>12}{:>12}{:>12}", "", "requests/s", "spread", "p50 µs", "p99 µs", "CPU µs");
    for row in rows {
        let rate = row.median_of(|t| t.requests_per_sec);
        let (p50, p99) = (row.median_of(|t| t.p50_ns) / 1e3, row.median_of(|t| t.p99_ns) / 1e3);
        let apart = spread(&row.rates()) * 100.0;
        // Rivals are processes of their own.
        let own = row.name.starts_with(['b', 'c']);
        let cpu = if own { format!("{:.1}", row.median_of(|t| t.cpu_ns) / 1e3) } else { "-".to_owned() };
        println!("{:32}{rate:>12.0}{apart:>8.0} %{p50:>12.0}{p99:>12.0}{cpu:>12}", row.name);
    }
    let [a, b, c, rivals @ ..] = rows else { return };
    println!("\nrequests/s, medians of the rounds' own ratios");
    let ratio =
        |above: &Row, below: &Row| median(above.rates().iter().zip(below.rates()).map(|(x, y)| x / y));
    for (name, above, below) in [("b/a", b, a), ("c/a", c, a), ("c/b", c, b)] {
        println!("{name}  {:.3}", ratio(above, below));
    }
    for rival in rivals {
        let letter = rival.name.get(..1).unwrap_or_default();
        println!("c/{letter}  {:.3}", ratio(c, rival));
    }
    if rows.iter().any(|row| spread(&row.rates()) > SPREAD_MAX) {
        println!(
            "\nWARNING: the rounds are more than {:.0} % apart: this machine is busy",
            SPREAD_MAX * 100.0
        );
    }
}
