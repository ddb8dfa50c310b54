//! A log that is written nowhere: what is fuzzed is not the disk.

use std::io;
use std::path::Path;
use std::sync::Arc;

use consentry_audit::{LogOptions, Segment, Storage};

/// Keeps the small files, and forgets the segments.
#[derive(Debug)]
pub(crate) struct Unsynced;

impl Unsynced {
    pub(crate) fn options() -> LogOptions {
        let mut options = LogOptions::default();
        options.storage = Arc::new(Self);
        options
    }
}

impl Storage for Unsynced {
    fn create(&self, _: &Path) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(Self))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        std::fs::write(path, content)
    }

    fn append(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn cut(&self, _: &Path, _: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Segment for Unsynced {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
