//! The same load on all targets, in turns.

use std::time::Duration;

use tokio::runtime::Builder;

use crate::Failure;
use crate::args::Args;
use crate::cores::Cores;
use crate::cpu::Proxy;
use crate::load::{Shot, Turn, answer, turn};
use crate::rivals;
use crate::stats::{median, spread};
use crate::targets::Targets;

/// A machine on which a target's turns are further apart than this does something else besides.
const SPREAD_MAX: f64 = 0.3;

struct Row<'s> {
    name: &'static str,
    shot: &'s Shot,
    proxy: Proxy,
    turns: Vec<Turn>,
}

impl Row<'_> {
    fn rates(&self) -> Vec<f64> {
        self.turns.iter().map(|t| t.requests_per_sec).collect()
    }

    fn median_of(&self, figure: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure))
    }
}

/// Measures and prints.
pub(crate) fn measure(args: &Args) -> Result<(), Failure> {
    let cores = Cores::of_this_machine();
    let targets = Targets::start(&cores)?;
    let row = |name, shot, proxy| Row { name, shot, proxy, turns: Vec::new() };
    let mut rows = vec![
        row("a  the API directly", &targets.direct, Proxy::None),
        row("b  a proxy without a policy", &targets.pass_through, Proxy::Own),
        row("c  the sidecar, everything on", &targets.sidecar, Proxy::Own),
    ];
    if args.smoke {
        let one = Builder::new_current_thread().enable_all().build()?;
        for row in &rows {
            println!("{}: {} bytes", row.name, one.block_on(answer(row.shot))?.len());
        }
        return targets.stop();
    }
    let rivals = rivals::start(targets.folder(), &targets.direct, &cores)?;
    rows.extend(rivals.iter().map(|rival| row(rival.name, &rival.shot, Proxy::Process(rival.pid()))));
    rows.retain(|row| args.wants(row.name));
    let time = args.total / args.rounds / u32::try_from(rows.len().max(1))?;
    let time = Duration::from_secs(time.as_secs().max(1));
    let load = |row: &Row<'_>, time| {
        let turn = turn(row.shot, args.connections, time, &cores, row.proxy);
        turn.map_err(|error| format!("{}: {error}", row.name))
    };
    for row in &rows {
        load(row, Duration::from_secs(1))?;
    }
    for _ in 0..args.rounds {
        // Each round begins with another target, so that none always follows the same one.
        for row in &mut rows {
            let measured = load(row, time)?;
            row.turns.push(measured);
        }
        rows.rotate_left(1);
    }
    rows.sort_by_key(|row| row.name);
    print(args, &rows, time, &cores);
    drop(rows);
    drop(rivals);
    println!("\none durable write to the evidence's disk takes {:.1?} by itself", targets.durable_write()?);
    targets.stop()
}

fn print(args: &Args, rows: &[Row<'_>], time: Duration, cores: &Cores) {
    let Args { rounds, connections, .. } = args;
    let size = if cores.proxy.count() < cores.others.count() + 1 { "one core" } else { "the same core" };
    println!(
        "GET /customers/c-1001: {connections} connections, {rounds} rounds of {time:.0?} for each target;"
    );
    println!("each proxy on {size}, load and API on {}; medians of the rounds\n", cores.others.count());
    println!("{:38}{:>12}{:>10}{:>10}{:>10}{:>10}", "", "requests/s", "spread", "p50 µs", "p99 µs", "CPU µs");
    for row in rows {
        let rate = row.median_of(|t| t.requests_per_sec);
        let (p50, p99) = (row.median_of(|t| t.p50_us), row.median_of(|t| t.p99_us));
        let (apart, cpu) = (spread(&row.rates()) * 100.0, row.median_of(|t| t.cpu_us));
        println!("{:38}{rate:>12.0}{apart:>8.0} %{p50:>10.0}{p99:>10.0}{cpu:>10.1}", row.name);
    }
    let [a, b, c, rivals @ ..] = rows else { return };
    if !args.only.is_empty() {
        return;
    }
    println!("\nof requests/s, and of p99: medians of the rounds' own ratios");
    let ratio = |above: &Row<'_>, below: &Row<'_>, of: fn(&Turn) -> f64| {
        median(above.turns.iter().zip(&below.turns).map(|(x, y)| of(x) / of(y)))
    };
    let pairs = [("b/a", b, a), ("c/a", c, a), ("c/b", c, b)];
    let pairs = pairs.map(|(name, above, below)| (name.to_owned(), above, below)).into_iter();
    let letter = |rival: &Row<'_>| format!("c/{}", rival.name.get(..1).unwrap_or_default());
    for (name, above, below) in pairs.chain(rivals.iter().map(|rival| (letter(rival), c, rival))) {
        let (rate, p99) = (ratio(above, below, |t| t.requests_per_sec), ratio(above, below, |t| t.p99_us));
        println!("{name}  {rate:.3}  p99 {p99:.2}");
    }
    let more = median(c.turns.iter().zip(&b.turns).map(|(c, b)| c.cpu_us - b.cpu_us));
    println!("everything on takes {more:.1} µs of a core more than passing on");
    if rows.iter().any(|row| spread(&row.rates()) > SPREAD_MAX) {
        println!(
            "\nWARNING: the rounds are more than {:.0} % apart: this machine is busy",
            SPREAD_MAX * 100.0
        );
    }
}
