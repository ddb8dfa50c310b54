//! Which cores do what: each proxy has one of its own, as far as there are two.

use std::process::Command;

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Failure;

/// Some of the machine's cores.
#[derive(Clone, Debug)]
pub(crate) struct Share(Vec<usize>);

/// The machine's cores, in two shares.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    /// The proxy that is measured.
    pub(crate) proxy: Share,
    /// The load and the API.
    pub(crate) others: Share,
}

impl Cores {
    pub(crate) fn of_this_machine() -> Self {
        let all: Vec<usize> = (0..std::thread::available_parallelism().map_or(1, usize::from)).collect();
        match &all[..] {
            [others @ .., last] if !others.is_empty() => {
                Self { proxy: Share(vec![*last]), others: Share(others.to_vec()) }
            }
            _ => Self { proxy: Share(all.clone()), others: Share(all) },
        }
    }
}

impl Share {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Keeps this thread, and whatever it starts, on these cores.
    pub(crate) fn keep_here(&self) -> Result<(), Failure> {
        let mut set = CpuSet::new();
        self.0.iter().for_each(|core| set.set(*core));
        Ok(sched_setaffinity(None, &set)?)
    }

    /// A command that runs on these cores.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let list: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        let mut command = Command::new("taskset");
        command.args(["-c", &list.join(",")]).arg(program);
        command
    }
}
