//! How much memory a long body takes.

use consentry_body::Step;

use crate::Failure;
use crate::bodies::{self, Body};
use crate::ours::{self, PIECE_BYTES};

/// More growth than this, and the run ends with an error.
const GROWTH_MIB_MAX: u64 = 32;

/// Streams a gigabyte of records through the redactor, and prints by how much the process grew meanwhile.
pub(crate) fn measure(smoke: bool) -> Result<(), Failure> {
    let bytes: u64 = if smoke { 4 << 20 } else { 1 << 30 };
    let Some(before) = resident_kib() else {
        println!("memory: this system does not say how much a process holds");
        return Ok(());
    };
    let mut redactor = ours::Redactor::new(&Body::list("", 0))?.start();
    let mut source = Source { next: 0, left: bytes, piece: String::new() };
    let (mut out, mut most) = (0_u64, before);
    loop {
        match redactor.step()? {
            Step::NeedInput => match source.piece() {
                Some(piece) => redactor.push(piece)?,
                None => redactor.end()?,
            },
            Step::NeedVerdicts(_) => {
                out += redactor.release(&ours::verdict)?.len() as u64;
                most = most.max(resident_kib().unwrap_or(u64::MAX));
            }
            Step::Done => break,
        }
    }
    let grown = most.saturating_sub(before);
    println!(
        "memory: {} MiB streamed, {} MiB out, the process grew by at most {:.1} MiB",
        bytes >> 20,
        out >> 20,
        grown as f64 / 1024.0
    );
    if grown > GROWTH_MIB_MAX << 10 {
        return Err(format!("that is more than {GROWTH_MIB_MAX} MiB").into());
    }
    Ok(())
}

/// A list of records, made as it is read.
struct Source {
    next: usize,
    left: u64,
    piece: String,
}

impl Source {
    fn piece(&mut self) -> Option<&[u8]> {
        if self.left == 0 {
            return None;
        }
        self.piece.clear();
        while self.piece.len() < PIECE_BYTES {
            self.piece.push(if self.next == 0 { '[' } else { ',' });
            bodies::record(self.next, &mut self.piece);
            self.next += 1;
        }
        self.left = self.left.saturating_sub(self.piece.len() as u64);
        if self.left == 0 {
            self.piece.push(']');
        }
        Some(self.piece.as_bytes())
    }
}

/// What the process holds now, as Linux counts it.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
