//! What lies where in a log's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::PublicKey;
use crate::error::{Damage, OpenError};

/// The format this crate writes.
pub(crate) const FORMAT: &str = "consentry-log/1";

/// The paths of a log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) identity: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) lock: PathBuf,
    pub(crate) segments: PathBuf,
    pub(crate) checkpoint: PathBuf,
    pub(crate) history: PathBuf,
}

impl Layout {
    pub(crate) fn of(dir: &Path) -> Self {
        Self {
            identity: dir.join("log.json"),
            key: dir.join("key"),
            lock: dir.join("LOCK"),
            segments: dir.join("wal"),
            checkpoint: dir.join("checkpoint"),
            history: dir.join("checkpoints"),
        }
    }

    pub(crate) fn segment(&self, first_seq: u64) -> PathBuf {
        self.segments.join(format!("{first_seq:012}.wal"))
    }

    /// The segments in order, each with the number of its first record.
    pub(crate) fn list_segments(&self) -> Result<Vec<(u64, PathBuf)>, OpenError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.segments).map_err(|e| io_error(&self.segments, e))? {
            let path = entry.map_err(|e| io_error(&self.segments, e))?.path();
            let first = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".wal"));
            let first = first.and_then(|digits| digits.parse::<u64>().ok());
            match first.filter(|seq| self.segment(*seq) == path) {
                Some(seq) => found.push((seq, path)),
                None => return Err(at(&path, 0, 0, "a file that is no segment")),
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The log's name and public key.
    pub(crate) fn read_identity(&self) -> Result<PublicKey, OpenError> {
        let text = read_required(&self.identity)?;
        let wrong = || at(&self.identity, 0, 0, "not the description of a log of this format");
        let file: IdentityFile = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let public = PublicKey::parse(&file.public_key).ok_or_else(wrong)?;
        if file.format == FORMAT && file.origin == public.origin() { Ok(public) } else { Err(wrong()) }
    }
}

/// `log.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityFile {
    format: String,
    origin: String,
    public_key: String,
}

/// The content of `log.json`.
pub(crate) fn identity_json(public: &PublicKey) -> String {
    // Three texts: serialising them cannot fail, and an empty file would be refused on reading.
    let file = IdentityFile {
        format: FORMAT.into(),
        origin: public.origin().into(),
        public_key: public.to_string(),
    };
    serde_json::to_string(&file).map(|json| json + "\n").unwrap_or_default()
}

/// Reads a file that must be there.
pub(crate) fn read_required(path: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(path).map_err(|e| {
        if e.kind() == io::ErrorKind::NotFound {
            Damage::Missing { file: path.into() }.into()
        } else {
            io_error(path, e)
        }
    })
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.into(), source }
}

pub(crate) fn at(file: &Path, offset: u64, seq: u64, what: &'static str) -> OpenError {
    Damage::At { file: file.into(), offset, seq, what }.into()
}
