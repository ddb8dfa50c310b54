//! How much processor time the proxies' own threads took: those of this process that neither make load nor are the API.

use std::fs;

use crate::Failure;

/// The threads that are not a proxy's, by the beginnings of their names.
const OTHERS: [&str; 3] = ["load", "api", "overhead"];

/// Nanoseconds on a processor so far, of all of the proxies' threads that are there.
pub(crate) fn proxies_ns() -> Result<u64, Failure> {
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
    Ok(sum)
}
