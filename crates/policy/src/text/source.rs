//! The files of a bundle, as text in memory.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

/// How many files a bundle may have.
const FILES_MAX: usize = 256;
/// How large one file of a bundle may be, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 1024 * 1024;
/// How large all files of a bundle may be together, in bytes.
const BUNDLE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// The files of a bundle, sorted by name: every `*.yaml` and `*.cedar` in its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Reads a bundle's folder; what it holds besides `*.yaml` and `*.cedar`, and what begins with a dot, is not looked
    /// at. Links are followed: where a folder is mounted from a store every file is one. What is over a limit is not
    /// read to its end.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, is no regular file or no UTF-8, or is over the limits (256 files,
    /// 1 MiB each, 8 MiB in all).
    pub fn read(dir: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut left = BUNDLE_BYTES_MAX;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_bundle_file(&name) {
                continue;
            }
            if files.len() == FILES_MAX {
                return Err(io::Error::other(format!("more than {FILES_MAX} files")));
            }
            let text = read_file(&entry.path())?;
            left = left.checked_sub(text.len()).ok_or_else(|| {
                io::Error::other(format!("the files are over {BUNDLE_BYTES_MAX} bytes in all"))
            })?;
            files.push(Source { name: name.into(), text: text.into() });
        }
        Ok(Self::sorted(files))
    }

    /// Sources that are in memory already.
    #[must_use]
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, text): (&str, &str)| Source { name: name.into(), text: text.into() };
        Self::sorted(texts.into_iter().map(owned).collect())
    }

    fn sorted(mut files: Vec<Source>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { files }
    }

    /// Names and texts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|f| (&*f.name, &*f.text))
    }

    pub(crate) fn file(&self, index: usize) -> Option<&Source> {
        self.files.get(index)
    }

    pub(crate) fn push(&mut self, name: &str, text: &str) -> usize {
        self.files.push(Source { name: name.into(), text: text.into() });
        self.files.len() - 1
    }
}

pub(crate) fn is_bundle_file(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|e| e.to_str());
    !name.starts_with('.') && matches!(ending, Some("yaml" | "cedar"))
}

/// Reads a file of a bundle, and no more of it than a file may have.
pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    let over = || io::Error::other(format!("{} is over {FILE_BYTES_MAX} bytes", path.display()));
    let limit = u64::try_from(FILE_BYTES_MAX).map_err(io::Error::other)?;
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other(format!("{} is not a regular file", path.display())));
    }
    if meta.len() > limit {
        return Err(over());
    }
    // It may have grown since.
    let mut text = String::new();
    fs::File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if text.len() > FILE_BYTES_MAX { Err(over()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_is_over_a_limit_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = |n: usize| dir.path().join(format!("{n}.yaml"));
        fs::write(file(0), "x".repeat(FILE_BYTES_MAX)).unwrap();
        assert!(Sources::read(dir.path()).is_ok());
        let refused = |words: &str| {
            let error = Sources::read(dir.path()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        };
        // A file of which nothing but its length is on the disk: reading it would take hours.
        fs::File::create(file(1)).unwrap().set_len(1 << 40).unwrap();
        refused("1.yaml is over 1048576 bytes");
        for n in 1..9 {
            fs::write(file(n), "x".repeat(FILE_BYTES_MAX)).unwrap();
        }
        refused("over 8388608 bytes in all");
        for n in 0..=FILES_MAX {
            fs::write(file(n), "").unwrap();
        }
        refused("more than 256 files");
        fs::remove_file(file(0)).unwrap();
        assert!(Sources::read(dir.path()).is_ok());
    }

    /// A `ConfigMap` of Kubernetes: each file is a link into a folder behind another link, which is exchanged as a whole.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_mounted_from_a_store_is_read_through_its_links_and_once() {
        use std::os::unix::fs::symlink;

        use crate::{LockError, SealedSource, seal};

        const FILES: [&str; 3] = ["a.yaml", "b.yaml", "bundle.lock"];
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let mut digests = Vec::new();
        for version in ["..2026_01_01.yaml", "..2026_02_02.yaml"] {
            let folder = root.join(version);
            fs::create_dir(&folder).unwrap();
            for name in ["a.yaml", "b.yaml"] {
                fs::write(folder.join(name), format!("{name}: {version}\n")).unwrap();
            }
            digests.push(seal(&folder, &Sources::read(&folder).unwrap()).unwrap());
            // What is new is put in the place of the old in one step.
            symlink(version, root.join("..data_tmp")).unwrap();
            fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
            for name in FILES {
                drop(symlink(Path::new("..data").join(name), root.join(name)));
            }
            let read = SealedSource::read(root).unwrap();
            assert_eq!(Some(&read.digest), digests.last());
            let names: Vec<&str> = read.sources.iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["a.yaml", "b.yaml"]);
        }
        assert_ne!(digests.first(), digests.last());
        // A file of one version beside those of the other is neither.
        fs::remove_file(root.join("a.yaml")).unwrap();
        symlink("..2026_01_01.yaml/a.yaml", root.join("a.yaml")).unwrap();
        assert!(matches!(SealedSource::read(root), Err(LockError::Changed(name)) if name == "a.yaml"));
    }

    #[cfg(unix)]
    #[test]
    fn law_1_a_link_leads_to_a_regular_file_or_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        for (to, said) in [
            ("folder", "is not a regular file"),
            ("/dev/zero", "is not a regular file"),
            ("nothing", ""),
            ("a.yaml", ""),
        ] {
            let link = dir.path().join("a.yaml");
            std::os::unix::fs::symlink(to, &link).unwrap();
            let error = Sources::read(dir.path()).unwrap_err();
            assert!(error.to_string().contains(said), "{to}: {error}");
            fs::remove_file(&link).unwrap();
        }
    }
}
