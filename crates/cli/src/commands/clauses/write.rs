//! `--write`: fingerprints into the bundle's files.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use consentry_policy::{Document, WhyLeftOut, take_fingerprints};

use crate::bundle::Checked;
use crate::output::{self, count};
use crate::stop::{Exit, Stop, chain, io_words};

/// Takes the fingerprints that are missing or have changed, and writes them.
pub(super) fn fingerprints(dir: &Path, checked: &Checked, document: &Document) -> Result<(), Stop> {
    let taken = take_fingerprints(&checked.sources, checked.bundle(), document)
        .map_err(|error| Stop::because(Exit::NO, format!("{}: {}", dir.display(), chain(&error))))?;
    for (name, text) in &taken.files {
        let read = checked.sources.iter().find(|(known, _)| known == name).map(|(_, text)| text);
        replace(&dir.join(name), read.unwrap_or_default(), text).map_err(|error| {
            let what = format!("{} cannot be written: {}", dir.join(name).display(), io_words(&error));
            Stop::because(Exit::UNASKED, what)
        })?;
    }
    for clause in &taken.changed {
        output::note(&format!("{clause}: its sentence had changed; read the clause again"));
    }
    for left in &taken.left_out {
        let why = match left.why {
            WhyLeftOut::EmptyLine => "no sentence stands on its line".to_owned(),
            WhyLeftOut::LineMoved { to } => {
                format!("its sentence has changed, and its line seems to be {to} now; set `line` right first")
            }
        };
        output::note(&format!("{}: left as it is: {why}", left.clause));
    }
    let number = count(taken.new.len() + taken.changed.len(), "clause");
    let names: Vec<&str> = taken.files.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        output::note("no fingerprint is to be written");
    } else {
        output::note(&format!("wrote the fingerprints of {number} to {}", names.join(", ")));
        if dir.join("bundle.lock").exists() {
            output::note("the bundle is no longer as it was sealed; seal it again");
        }
    }
    Ok(())
}

/// Replaces a file as a whole, unless somebody has changed it since it was read.
fn replace(path: &Path, read: &str, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let write = || {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::set_permissions(&beside, fs::metadata(path)?.permissions())?;
        if fs::read_to_string(path)? != read {
            return Err(io::Error::other("it was changed meanwhile"));
        }
        fs::rename(&beside, path)
    };
    let written = write();
    if written.is_err() {
        // What could not take its place is of no use.
        drop(fs::remove_file(&beside));
    }
    written
}
