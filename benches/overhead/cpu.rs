//! How much processor time a proxy took.

use std::fs;
use std::time::Duration;

use crate::Failure;

/// The threads of this process that are no proxy's, by the beginnings of their names.
const OTHERS: [&str; 2] = ["api", "overhead"];
/// How many ticks of a process's times are a second; Linux shows a hundred everywhere.
const TICKS_PER_SEC: u64 = 100;

/// Who is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proxy {
    /// Those of this process's threads that are not the API.
    Own,
    /// A process, and those that it started.
    Process(u32),
    /// Nobody.
    None,
}

impl Proxy {
    /// Time on a processor so far.
    pub(crate) fn used(self) -> Result<Duration, Failure> {
        match self {
            Self::Own => own(),
            Self::Process(pid) => process(pid),
            Self::None => Ok(Duration::ZERO),
        }
    }
}

fn own() -> Result<Duration, Failure> {
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        // A thread may end while it is looked at.
        let (Ok(name), Ok(stat)) =
            (fs::read_to_string(task.join("comm")), fs::read_to_string(task.join("schedstat")))
        else {
            continue;
        };
        if OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        sum += stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}

fn process(pid: u32) -> Result<Duration, Failure> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(Ok(id)) = path.file_name().and_then(|n| n.to_str()).map(str::parse::<u32>) else { continue };
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { continue };
        // What comes before may hold anything; the parent is the second field after it, the times are the 12th and 13th.
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let field = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        if id == pid || field(1) == u64::from(pid) {
            ticks += field(11) + field(12);
        }
    }
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SEC))
}
