//! Reading a log, also one that is being written to.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::checkpoint::{Checkpoint, PublicKey};
use crate::error::OpenError;
use crate::frame::{Ending, Frame, parse_segment};
use crate::id::RecordId;
use crate::layout::{Layout, at, io_error};
use crate::precedents::SegmentRecords;
use crate::record::Record;
use crate::recover::read_checkpoint;

/// A log that is only read. It takes no lock and sees the groups that are complete when it comes by.
#[derive(Clone, Debug)]
pub struct Reader {
    layout: Layout,
    public: PublicKey,
}

impl Reader {
    /// Opens the log in a folder for reading.
    ///
    /// # Errors
    /// When there is no log, or its description cannot be read.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let layout = Layout::of(dir);
        let public = layout.read_identity()?;
        Ok(Self { layout, public })
    }

    /// The key that the log says its checkpoints are signed with, and its name.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// When there is none, or its signature does not hold.
    pub fn checkpoint(&self) -> Result<Checkpoint, OpenError> {
        read_checkpoint(&self.layout.checkpoint, &self.public)
    }

    /// All records, oldest first. Frames, checksums and sequence are checked on the way; the tree is
    /// [`verify()`](crate::verify())'s to check. The first error ends it.
    #[must_use]
    pub fn records(&self) -> Records {
        let (segments, failed) = match self.layout.list_segments() {
            Ok(segments) => (segments, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let next_seq = segments.first().map_or(0, |(first, _)| *first);
        Records { segments: segments.into_iter(), now: Vec::new().into_iter(), next_seq, failed }
    }

    /// The records of one ticket, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read to its end.
    pub fn ticket(&self, id: RecordId) -> Result<Vec<Record>, OpenError> {
        self.records()
            .filter(|record| record.as_ref().map_or(true, |record| record.ticket() == Some(id)))
            .collect()
    }
}

/// The records of a log; see [`Reader::records`].
#[derive(Debug)]
pub struct Records {
    segments: std::vec::IntoIter<(u64, PathBuf)>,
    now: std::vec::IntoIter<Record>,
    next_seq: u64,
    failed: Option<OpenError>,
}

impl Iterator for Records {
    type Item = Result<Record, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.now.next() {
                return Some(Ok(record));
            }
            if let Some(error) = self.failed.take() {
                self.segments = Vec::new().into_iter();
                return Some(Err(error));
            }
            let (first_seq, path) = self.segments.next()?;
            self.read(first_seq, &path);
        }
    }
}

impl Records {
    /// Reads one segment: its records before the first thing that is wrong, and that.
    fn read(&mut self, first_seq: u64, path: &Path) {
        if first_seq != self.next_seq {
            self.failed = Some(at(path, 0, self.next_seq, "the segment does not follow the one before"));
            return;
        }
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(error) => {
                self.failed = Some(io_error(path, error));
                return;
            }
        };
        let parsed = parse_segment(&content, first_seq);
        self.next_seq = parsed.next_seq;
        if let Ending::Broken { offset, what } = parsed.ending {
            self.failed = Some(at(path, offset as u64, parsed.next_seq, what));
        }
        let mut records = Vec::with_capacity(parsed.frames.len());
        let mut segment = SegmentRecords::new(&content, &parsed.frames);
        for frame in &parsed.frames {
            let Frame::Record { seq, bytes } = frame else { continue };
            let bytes = content.get(bytes.clone()).unwrap_or_default();
            match segment.read(bytes, *seq) {
                Ok(record) => records.push(record),
                Err(what) => {
                    self.failed = Some(at(path, frame.start() as u64, *seq, what));
                    break;
                }
            }
        }
        self.now = records.into_iter();
    }
}
