//! Sealing: `bundle.lock` lists every file's digest and is written last. What is half written, cut or changed while
//! it is read does not match, and is never installed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

use consentry_model::{BundleDigest, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::Sources;

/// The lock's name in a bundle's folder.
const LOCK: &str = "bundle.lock";

#[derive(Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Lock {
    version: u32,
    files: BTreeMap<String, String>,
}

impl Lock {
    fn of(sources: &Sources) -> Self {
        let digest = |text: &str| hex(&Sha256::digest(text.as_bytes()));
        let files = sources.iter().map(|(name, text)| (name.to_owned(), digest(text))).collect();
        Self { version: 1, files }
    }

    fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Why a bundle could not be sealed.
#[derive(Debug, thiserror::Error)]
#[error("the bundle cannot be sealed")]
pub struct SealError(#[from] io::Error);

/// Why a folder is not a sealed bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// There is no `bundle.lock`.
    #[error("the bundle is not sealed: it has no bundle.lock; run \"consentry seal DIR\"")]
    Unsealed,
    /// The lock cannot be understood.
    #[error("bundle.lock cannot be read as a lock of version 1")]
    Malformed,
    /// A file is missing, was added, or is not as it was sealed.
    #[error("{0} is not as it was sealed; seal the bundle again, or put the file back")]
    Changed(String),
    /// The folder changed while it was read.
    #[error("the bundle changed while it was read")]
    Moving,
    /// The folder or a file cannot be read.
    #[error("the bundle cannot be read")]
    Unreadable(#[source] io::Error),
}

/// The files of a sealed bundle, exactly as sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSource {
    /// The files.
    pub sources: Sources,
    /// SHA-256 of the lock.
    pub digest: BundleDigest,
}

/// The digest that a bundle has, or would have once sealed.
pub(crate) fn digest(sources: &Sources) -> BundleDigest {
    BundleDigest::new(&hex(&Sha256::digest(Lock::of(sources).text().as_bytes())))
}

/// Writes `bundle.lock` for the files as they are, and returns the bundle's digest. The caller checks the bundle first.
///
/// # Errors
/// When a file cannot be read, or the lock cannot be written durably.
pub fn seal(dir: &Path, sources: &Sources) -> Result<BundleDigest, SealError> {
    let there = Sources::read(dir)?;
    if there != *sources {
        return Err(SealError(io::Error::other("the bundle changed since it was checked")));
    }
    let text = Lock::of(sources).text();
    let temporary = dir.join(".bundle.lock.new");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, dir.join(LOCK))?;
    fs::File::open(dir)?.sync_all()?;
    Ok(digest(sources))
}

impl SealedSource {
    /// Reads a sealed bundle, or nothing of it.
    ///
    /// # Errors
    /// When the folder is not sealed, differs from its seal, or changes meanwhile; see [`LockError`].
    pub fn read(dir: &Path) -> Result<Self, LockError> {
        let before = read_lock(dir)?;
        let lock: Lock = serde_json::from_str(&before).map_err(|_| LockError::Malformed)?;
        if lock.version != 1 {
            return Err(LockError::Malformed);
        }
        let sources = Sources::read(dir).map_err(LockError::Unreadable)?;
        let found = Lock::of(&sources);
        for (name, digest) in &lock.files {
            if found.files.get(name) != Some(digest) {
                return Err(LockError::Changed(name.clone()));
            }
        }
        if let Some(added) = found.files.keys().find(|name| !lock.files.contains_key(*name)) {
            return Err(LockError::Changed(added.clone()));
        }
        if read_lock(dir)? != before {
            return Err(LockError::Moving);
        }
        let digest = BundleDigest::new(&hex(&Sha256::digest(before.as_bytes())));
        Ok(Self { sources, digest })
    }
}

fn read_lock(dir: &Path) -> Result<String, LockError> {
    crate::text::read_file(&dir.join(LOCK)).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            LockError::Unsealed
        } else {
            LockError::Unreadable(error)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Sources) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.yaml"), "a: 1\nb: 2\n").unwrap();
        fs::write(dir.path().join("b.yaml"), "c: 3\n").unwrap();
        let sources = Sources::read(dir.path()).unwrap();
        (dir, sources)
    }

    #[test]
    fn a_sealed_bundle_reads_back_with_the_digest_it_was_sealed_under() {
        let (dir, sources) = folder();
        let digest = seal(dir.path(), &sources).unwrap();
        let read = SealedSource::read(dir.path()).unwrap();
        assert_eq!((read.digest, read.sources), (digest, sources));
    }

    #[test]
    fn law_1_whatever_is_not_as_sealed_is_refused() {
        type Damage = fn(&Path);
        let table: [(&str, Damage); 6] = [
            ("cut at a line end", |d| fs::write(d.join("a.yaml"), "a: 1\n").unwrap()),
            ("a file gone", |d| fs::remove_file(d.join("b.yaml")).unwrap()),
            ("a file more", |d| fs::write(d.join("c.yaml"), "d: 4\n").unwrap()),
            ("no lock", |d| fs::remove_file(d.join(LOCK)).unwrap()),
            ("half a lock", |d| fs::write(d.join(LOCK), "{\"version\": 1, \"fil").unwrap()),
            ("a later lock", |d| fs::write(d.join(LOCK), "{\"version\": 2, \"files\": {}}").unwrap()),
        ];
        for (what, damage) in table {
            let (dir, sources) = folder();
            seal(dir.path(), &sources).unwrap();
            damage(dir.path());
            assert!(SealedSource::read(dir.path()).is_err(), "{what}");
        }
    }

    #[test]
    fn a_bundle_that_changed_since_the_check_is_not_sealed() {
        let (dir, sources) = folder();
        fs::write(dir.path().join("a.yaml"), "a: 1\n").unwrap();
        assert!(seal(dir.path(), &sources).is_err());
    }
}
