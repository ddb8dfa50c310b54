//! Where the log's bytes go: the seam at which a test lets a disk fail.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What the log asks of a file system.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// Creates a segment that must not exist yet, durably listed in its folder.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>>;

    /// Replaces a small file as a whole: after a crash it is the old one or the new one.
    ///
    /// # Errors
    /// What the system says.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Appends to a small file, durably.
    ///
    /// # Errors
    /// What the system says.
    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Cuts a file to a length, durably; to nothing is to remove it.
    ///
    /// # Errors
    /// What the system says.
    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()>;
}

/// One segment, open for appending.
pub trait Segment: fmt::Debug + Send {
    /// Writes all of it.
    ///
    /// # Errors
    /// What the system says.
    fn append(&mut self, content: &[u8]) -> io::Result<()>;

    /// Makes durable what was appended.
    ///
    /// # Errors
    /// What the system says. Afterwards nobody knows what is durable, and the segment is not used again.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        sync_folder_of(path)?;
        Ok(Box::new(DiskSegment(file)))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        sync_folder_of(path)
    }

    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(content)?;
        file.sync_all()?;
        if is_new { sync_folder_of(path) } else { Ok(()) }
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        if bytes == 0 {
            std::fs::remove_file(path)?;
            return sync_folder_of(path);
        }
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() < bytes {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file is shorter than what is to stay",
            ));
        }
        file.set_len(bytes)?;
        file.sync_all()
    }
}

#[derive(Debug)]
struct DiskSegment(File);

impl Segment for DiskSegment {
    fn append(&mut self, content: &[u8]) -> io::Result<()> {
        self.0.write_all(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()?;
        // What has no name any more is gone with this process, however durable its bytes are.
        if self.0.metadata()?.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the segment was removed"));
        }
        Ok(())
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
