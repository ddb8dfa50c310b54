//! Where the sidecar keeps things: looked at before anything is made.

use std::fs;
use std::path::Path;

use crate::config::Config;
use crate::parts::PartProblem;
use crate::says::says;

/// What can be told to be wrong without making or opening anything.
pub(crate) fn look(config: &Config) -> Vec<PartProblem> {
    let mut problems = Vec::new();
    let mut keep = |part, message| problems.push(PartProblem { part, message });
    if config.ledger.exists() && !config.ledger.is_file() {
        keep("ledger", format!("{} is not a file", config.ledger.display()));
    }
    // Only a first start makes folders: later, one that is gone may be a disk that is not mounted, and a new ledger in
    // its place would know of no withdrawal.
    let folder = folder_of(&config.ledger);
    if log_is_there(&config.evidence) && !folder.exists() {
        let (ledger, folder) = (config.ledger.display(), folder.display());
        let why = "while the evidence log is";
        keep("ledger", format!("{ledger} cannot be created: its folder {folder} is not there, {why}"));
    }
    if config.evidence.exists() && !config.evidence.is_dir() {
        keep("evidence", format!("{} is not a folder", config.evidence.display()));
    }
    if let Some(key) = &config.evidence_key {
        // A folder that is not there may be a disk that is not mounted: no key is made in its place.
        let folder = folder_of(key);
        if !key.exists() && !folder.is_dir() && !log_is_there(&config.evidence) {
            let folder = folder.display();
            keep(
                "evidence_key",
                format!("{} cannot be created: its folder {folder} is not there", key.display()),
            );
        }
    }
    problems
}

/// Makes the folder that a file is to be in, with those above it.
pub(crate) fn make_folder_of(file: &Path) -> Result<(), String> {
    let folder = folder_of(file);
    fs::create_dir_all(folder).map_err(|e| {
        let (file, folder) = (file.display(), folder.display());
        format!("{file} cannot be created: its folder {folder} cannot be made: {}", says(&e))
    })
}

/// What the system says against a file that could not be used, if it says anything. Nothing is made or written.
pub(crate) fn why_not(file: &Path) -> Option<String> {
    if !file.exists() {
        let folder = folder_of(file);
        return match fs::metadata(folder) {
            Ok(meta) if meta.permissions().readonly() => Some("its folder cannot be written".to_owned()),
            Ok(_) => None,
            Err(e) => Some(says(&e)),
        };
    }
    fs::OpenOptions::new().read(true).write(true).open(file).err().map(|e| says(&e))
}

fn log_is_there(evidence: &Path) -> bool {
    evidence.join("log.json").exists()
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}
