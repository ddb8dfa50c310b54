//! The repository as the tests see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// The top of the repository: of the checkout that runs the tests, not of the one that built them.
///
/// # Panics
/// Never: the package lies in a folder of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().expect("the package lies in the repository").to_path_buf()
}

/// The text of a file, by its path from the top.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The members of the workspace and their targets, without looking at any dependency.
///
/// # Panics
/// When a manifest is not well-formed.
#[must_use]
pub fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps().other_options(["--offline".to_owned()]);
    command.exec().expect("the manifests are well-formed")
}

/// Every file that is in the repository or about to be, by its path from the top, sorted.
///
/// # Panics
/// When git cannot say.
#[must_use]
pub fn tracked() -> Vec<String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    // The checkout may belong to somebody else than who runs the tests.
    let out = Command::new("git").args(["-c", "safe.directory=*"]).args(list).current_dir(root()).output();
    let out = out.expect("git can be started");
    assert!(out.status.success(), "git ls-files: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("paths are UTF-8");
    let mut files: Vec<String> =
        text.split('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}

/// Those of the files that lie in one of the folders and end so.
#[must_use]
pub fn under(files: &[String], folders: &[&str], ending: &str) -> Vec<String> {
    let inside = |path: &&String| folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    files.iter().filter(inside).filter(|path| path.ends_with(ending)).cloned().collect()
}
