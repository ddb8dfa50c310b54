//! Whether anybody has written to the file, told by the head of SQLite's write-ahead index.
//!
//! Every reader of SQLite begins by comparing this head with the one it saw last, and takes its cached pages for good
//! when nothing in it has changed; what is kept here is taken for good on the same sign. The head is part of the
//! documented file format (WAL-mode file format, section 2.2): it is written by whichever process commits, before its
//! commit returns, and holds a counter that every transaction raises.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Bytes of one copy of the head; there are two, one after the other.
const HEAD_BYTES: usize = 48;
/// The version of the format, in the machine's own byte order as all of the index.
const FORMAT: u32 = 3_007_000;
/// Where the flag stands that says that the index was initialised.
const INITIALISED_AT: usize = 12;

/// What the head said at one moment. Two that are equal stand for the same content of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; HEAD_BYTES]);

#[cfg(test)]
impl Mark {
    pub(super) const fn for_tests(n: u8) -> Self {
        Self([n; HEAD_BYTES])
    }
}

/// Files by device and inode.
type Opened = BTreeMap<(u64, u64), Arc<File>>;

/// Files that were opened. They are never closed: to close any descriptor of a file lets go of every POSIX lock that the
/// process has on it, and those of SQLite's own connections are on this file.
static OPENED: LazyLock<Mutex<Opened>> = LazyLock::new(Mutex::default);

/// The write-ahead index of an open ledger.
#[derive(Debug)]
pub(super) struct WalIndex {
    /// None when it cannot be read: then there is never a mark, and nothing is kept.
    file: Option<Arc<File>>,
}

impl WalIndex {
    /// The index of the ledger at `path`, which some connection of this process has open.
    pub(super) fn of(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push("-shm");
        Self { file: opened(Path::new(&name)) }
    }

    /// What the head says now; `None` when it cannot be told, also when somebody is just writing it.
    pub(super) fn mark(&self) -> Option<Mark> {
        let file = self.file.as_ref()?;
        // An index that was removed is one that nobody else writes to.
        if file.metadata().ok()?.nlink() == 0 {
            return None;
        }
        let mut both = [0; 2 * HEAD_BYTES];
        file.read_exact_at(&mut both, 0).ok()?;
        let (first, second) = both.split_first_chunk::<HEAD_BYTES>()?;
        let format = first.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        let sound = first.as_slice() == second
            && format == Some(FORMAT)
            && first.get(INITIALISED_AT).is_some_and(|flag| *flag == 1);
        sound.then_some(Mark(*first))
    }
}

fn opened(path: &Path) -> Option<Arc<File>> {
    let mut all = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let there = std::fs::metadata(path).ok()?;
    if let Some(file) = all.get(&(there.dev(), there.ino())) {
        return Some(Arc::clone(file));
    }
    let file = Arc::new(File::open(path).ok()?);
    let opened = file.metadata().ok()?;
    // Kept under what was opened, which may be another file than the one that was looked at.
    Some(Arc::clone(all.entry((opened.dev(), opened.ino())).or_insert(file)))
}
