//! Which file the ledger is, so that another in its place is noticed.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::LedgerError;

/// Only the owner reads and writes a ledger file.
const LEDGER_FILE_MODE: u32 = 0o600;

/// A file's path and what was there when the ledger was opened.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl LedgerFile {
    /// Remembers the file at `path`. The path is made absolute first, so that it neither depends on the working
    /// directory nor can be taken for one of SQLite's special names.
    pub(super) fn open(path: &Path, create: bool) -> Result<Self, LedgerError> {
        let path = std::path::absolute(path).map_err(|_| UNREACHABLE)?;
        if create {
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).mode(LEDGER_FILE_MODE).open(&path) {
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(_) => return Err(LedgerError::unavailable("the ledger file cannot be created")),
            }
        }
        let there = fs::metadata(&path).map_err(|_| UNREACHABLE)?;
        if !there.is_file() {
            return Err(LedgerError::corrupt("the ledger's path leads to something other than a file"));
        }
        Ok(Self { path, device: there.dev(), inode: there.ino() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails when the file is gone or another one is in its place: what an open handle still shows is then a ledger
    /// that nobody else writes to.
    pub(super) fn still_there(&self) -> Result<(), LedgerError> {
        let there = fs::metadata(&self.path).map_err(|_| UNREACHABLE)?;
        if (there.dev(), there.ino()) == (self.device, self.inode) {
            Ok(())
        } else {
            Err(LedgerError::unavailable("another file is in the ledger's place"))
        }
    }
}

const UNREACHABLE: LedgerError =
    LedgerError::unavailable("the ledger file is not there or cannot be reached");
