//! The files of a bundle, as text in memory.

use std::path::Path;
use std::{fs, io};

/// How many files a bundle may have.
const FILES_MAX: usize = 256;
/// How large one file of a bundle may be, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The files of a bundle, sorted by name: every `*.yaml` and `*.cedar` in its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Reads a bundle's folder; what it holds besides `*.yaml` and `*.cedar` is not looked at.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, is no regular file or no UTF-8, or is over the limits (256 files,
    /// 4 MiB each).
    pub fn read(dir: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_bundle_file(&name) {
                files.push(Source { text: read_file(&entry.path())?, name });
            }
            if files.len() > FILES_MAX {
                return Err(io::Error::other(format!("more than {FILES_MAX} files")));
            }
        }
        Ok(Self::sorted(files))
    }

    /// Sources that are in memory already.
    #[must_use]
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, text): (&str, &str)| Source { name: name.to_owned(), text: text.to_owned() };
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
        self.files.push(Source { name: name.to_owned(), text: text.to_owned() });
        self.files.len() - 1
    }
}

pub(crate) fn is_bundle_file(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|e| e.to_str());
    !name.starts_with('.') && matches!(ending, Some("yaml" | "cedar"))
}

pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other(format!("{} is not a regular file", path.display())));
    }
    if meta.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("{} is over {FILE_BYTES_MAX} bytes", path.display())));
    }
    fs::read_to_string(path)
}
