//! Checking a whole log without trusting whoever wrote it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checkpoint::{PublicKey, split_history};
use crate::error::{Damage, OpenError};
use crate::id::RecordId;
use crate::layout::{Layout, at, read_required};
use crate::merkle::Hash;
use crate::record::Entry;
use crate::recover::{is_open, read_checkpoint};
use crate::walk::walk;

/// What the verifier brings along. Without it the log is checked against the key that lies beside it, which shows
/// damage but not a rewriting by whoever holds the signing key.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// The log's public key, kept elsewhere.
    pub public_key: Option<PublicKey>,
    /// A signed checkpoint, kept elsewhere: the log must still hold exactly those records.
    pub checkpoint: Option<String>,
}

/// How often, and how long apart, is looked whether the end of a log is being written.
const WRITING_LOOKS: u32 = 50;
const WRITING_REST: Duration = Duration::from_millis(20);

/// The result in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyStatus {
    /// Everything holds.
    Ok,
    /// What is there holds, but its end was cut short, as a crash does; opening the log repairs it.
    Incomplete,
    /// Something was changed, removed, added or reordered.
    Integrity,
    /// The log is not there or cannot be read.
    Unreadable,
}

/// What is wrong first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyFailure {
    /// In which file, or folder.
    pub file: PathBuf,
    /// At which byte, where that can be said.
    pub offset: Option<u64>,
    /// At which record, where that can be said.
    pub seq: Option<u64>,
    /// What.
    pub what: String,
}

/// What checking a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The result.
    pub status: VerifyStatus,
    /// The log's name, where it can be read.
    pub origin: Option<String>,
    /// How many records the tree holds; of a damaged log, those that were read before the damage.
    pub records: u64,
    /// The root over them; `None` of a damaged log.
    pub root: Option<Hash>,
    /// How many of them the newest checkpoint covers.
    pub signed_records: u64,
    /// How many segments there are.
    pub segments: u64,
    /// How many signed checkpoints were found to hold.
    pub checkpoints: u64,
    /// How many tickets have records but no last one: open, or cut off by a crash.
    pub tickets_open: u64,
    /// What is wrong first.
    pub first_failure: Option<VerifyFailure>,
}

/// Checks frames, checksums, sequence, the form of every record, every marker's root, and every signed checkpoint.
#[must_use]
pub fn verify(dir: &Path, options: &VerifyOptions) -> VerifyReport {
    let mut report = VerifyReport {
        status: VerifyStatus::Ok,
        origin: None,
        records: 0,
        root: None,
        signed_records: 0,
        segments: 0,
        checkpoints: 0,
        tickets_open: 0,
        first_failure: None,
    };
    if let Err(error) = check(dir, options, &mut report) {
        let (status, failure) = explain(dir, &error);
        report.status = status;
        report.first_failure = Some(failure);
    }
    report
}

fn check(dir: &Path, options: &VerifyOptions, report: &mut VerifyReport) -> Result<(), OpenError> {
    let layout = Layout::of(dir);
    if let Err(source) = fs::read_dir(dir) {
        return Err(OpenError::Io { path: dir.into(), source });
    }
    if !layout.identity.exists() && !layout.segments.exists() {
        return Err(OpenError::Io { path: dir.into(), source: io::ErrorKind::NotFound.into() });
    }
    let public = layout.read_identity()?;
    report.origin = Some(public.origin().into());
    if options.public_key.as_ref().is_some_and(|known| *known != public) {
        return Err(at(
            &layout.identity,
            0,
            0,
            "the log has another public key than the one that was brought",
        ));
    }
    let (signed, unfinished, history_bytes) = signed_roots(&layout, &public, options, report)?;
    let mut open: HashSet<RecordId> = HashSet::new();
    let mut records = 0;
    let walked = walk(&layout, &signed, |passing, segment| {
        let wrong = |what| at(passing.file, passing.offset, passing.seq, what);
        let record = segment.read(passing.bytes, passing.seq).map_err(wrong)?;
        if let Some(ticket) = record.ticket() {
            if matches!(record.entry(), Entry::Outcome(_)) {
                open.remove(&ticket);
            } else {
                open.insert(ticket);
            }
        }
        records = passing.seq + 1;
        Ok(())
    });
    report.records = records;
    let walked = walked?;
    report.root = Some(walked.tree.root());
    report.segments = walked.segments;
    report.tickets_open = open.len() as u64;
    let torn = walked.torn.filter(|torn| torn.dropped_bytes > 0).map(|torn| {
        let what = format!("{} bytes of an incomplete group", torn.dropped_bytes);
        let length = torn.good_bytes + torn.dropped_bytes;
        let offset = Some(torn.good_bytes);
        (VerifyFailure { file: torn.file, offset, seq: Some(records), what }, length)
    });
    let torn = torn.or_else(|| {
        (unfinished > 0).then(|| {
            let what = format!("{unfinished} bytes of an unfinished checkpoint");
            let failure = VerifyFailure { file: layout.history.clone(), offset: None, seq: None, what };
            (failure, history_bytes)
        })
    });
    if let Some((failure, _)) = torn.filter(|(failure, length)| !goes_on(&layout, &failure.file, *length)) {
        report.status = VerifyStatus::Incomplete;
        report.first_failure = Some(failure);
    }
    Ok(())
}

/// Whether what seems cut short was being written while it was read: the file does not stay as long as it was. As long as a
/// process has the log open, some time is given to it.
fn goes_on(layout: &Layout, file: &Path, length: u64) -> bool {
    let is_longer = || fs::metadata(file).is_ok_and(|file| file.len() > length);
    for _ in 0..WRITING_LOOKS {
        if is_longer() || !is_open(layout) {
            break;
        }
        std::thread::sleep(WRITING_REST);
    }
    is_longer()
}

/// All signed sizes with their roots, how many bytes of an unfinished checkpoint follow, and how many there are in all.
fn signed_roots(
    layout: &Layout,
    public: &PublicKey,
    options: &VerifyOptions,
    report: &mut VerifyReport,
) -> Result<(BTreeMap<u64, Hash>, usize, u64), OpenError> {
    let latest = read_checkpoint(&layout.checkpoint, public)?;
    let history = read_required(&layout.history)?;
    let text = match std::str::from_utf8(&history) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(history.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(e) => return Err(at(&layout.history, e.valid_up_to() as u64, 0, "not text")),
    };
    let (notes, unfinished) = split_history(text);
    let mut signed = BTreeMap::new();
    let (mut offset, mut newest) = (0, 0);
    for note in notes {
        let wrong = |what| at(&layout.history, offset, newest, what);
        let checkpoint =
            public.verify(note).ok_or_else(|| wrong("a checkpoint whose signature does not hold"))?;
        if checkpoint.size < newest {
            return Err(wrong("a checkpoint that is smaller than the one before"));
        }
        if signed.insert(checkpoint.size, checkpoint.root).is_some_and(|root| root != checkpoint.root) {
            return Err(wrong("two checkpoints of the same size with different roots"));
        }
        newest = checkpoint.size;
        offset += note.len() as u64 + 1;
        report.checkpoints += 1;
    }
    if signed.get(&latest.size) != Some(&latest.root) {
        return Err(at(&layout.history, offset, latest.size, "the history lacks the newest checkpoint"));
    }
    if let Some(note) = &options.checkpoint {
        let known = public.verify(note).ok_or(Damage::Signature { file: layout.identity.clone() })?;
        if signed.insert(known.size, known.root).is_some_and(|root| root != known.root) {
            return Err(Damage::Root { size: known.size }.into());
        }
    }
    report.signed_records = newest;
    Ok((signed, unfinished + (history.len() - text.len()), history.len() as u64))
}

fn explain(dir: &Path, error: &OpenError) -> (VerifyStatus, VerifyFailure) {
    let what = error.to_string();
    let plain = |file: &Path, seq| VerifyFailure { file: file.into(), offset: None, seq, what: what.clone() };
    match error {
        OpenError::Damaged(damage) => (
            VerifyStatus::Integrity,
            match damage {
                Damage::At { file, offset, seq, what } => VerifyFailure {
                    file: file.clone(),
                    offset: Some(*offset),
                    seq: Some(*seq),
                    what: (*what).into(),
                },
                Damage::Missing { file } | Damage::Signature { file } => plain(file, None),
                Damage::Shorter { size, .. } | Damage::Root { size } => plain(dir, Some(*size)),
            },
        ),
        // A folder of the log that is gone was removed; a log that is not there at all is nothing to judge.
        OpenError::Io { path, source } if source.kind() == io::ErrorKind::NotFound && path != dir => {
            (VerifyStatus::Integrity, plain(path, None))
        }
        OpenError::Io { path, .. } => (VerifyStatus::Unreadable, plain(path, None)),
        OpenError::Locked { .. }
        | OpenError::KeyMissing { .. }
        | OpenError::Key { .. }
        | OpenError::Option(_)
        | OpenError::Random => (VerifyStatus::Unreadable, plain(dir, None)),
    }
}
