//! Opening a log: create it, or see that what is there is what was written, and cut off what a crash left.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, NoteSigner, PublicKey, split_history};
use crate::error::{Damage, OpenError};
use crate::layout::{Layout, at, identity_json, io_error, read_required};
use crate::merkle::{CompactTree, Hash};
use crate::options::LogOptions;
use crate::walk::walk;
use consentry_model::hex;

/// How much of the history's end is read at opening; a note has a few hundred bytes.
const HISTORY_TAIL_BYTES: u64 = 4_096;

/// A log that may be written to.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) layout: Layout,
    /// Held for as long as the log is open.
    pub(crate) lock: File,
    pub(crate) signer: NoteSigner,
    pub(crate) tree: CompactTree,
    pub(crate) signed_size: u64,
    /// How long the history of checkpoints is.
    pub(crate) history_bytes: u64,
    /// How many bytes of an incomplete group were cut off.
    pub(crate) dropped_bytes: u64,
}

/// Locks, creates or checks, and repairs what a crash explains.
pub(crate) fn recover(dir: &Path, options: &LogOptions) -> Result<Recovered, OpenError> {
    options.check()?;
    let layout = Layout::of(dir);
    fs::create_dir_all(&layout.segments).map_err(|e| io_error(&layout.segments, e))?;
    let lock = take_lock(dir, &layout.lock)?;
    let key_path = options.key_path.as_deref().unwrap_or(&layout.key);
    let signer = if layout.identity.exists() {
        let public = layout.read_identity()?;
        let signer = NoteSigner::new(public.origin(), &read_key(key_path)?);
        if *signer.public() != public {
            let what = "is not the one that the log was created with";
            return Err(OpenError::Key { path: key_path.into(), what });
        }
        if options.origin.as_deref().is_some_and(|origin| origin != public.origin()) {
            return Err(OpenError::Option("`origin` is not the name of the log that is there"));
        }
        signer
    } else {
        create(&layout, key_path, options)?
    };
    let signed = signed_roots(&layout, signer.public(), options)?;
    let walked = walk(&layout, &signed, |_, _| Ok(()))?;
    let mut dropped_bytes = 0;
    if let Some(torn) = walked.torn {
        options.storage.cut(&torn.file, torn.good_bytes).map_err(|e| io_error(&torn.file, e))?;
        dropped_bytes = torn.dropped_bytes;
    }
    let signed_size = signed.keys().next_back().copied().unwrap_or(0);
    let history_bytes = fs::metadata(&layout.history).map_err(|e| io_error(&layout.history, e))?.len();
    Ok(Recovered { layout, lock, signer, tree: walked.tree, signed_size, history_bytes, dropped_bytes })
}

fn take_lock(dir: &Path, path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|e| io_error(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.into() }),
        Err(TryLockError::Error(e)) => Err(io_error(path, e)),
    }
}

/// Whether a process has the log open. Where that cannot be told, none has.
pub(crate) fn is_open(layout: &Layout) -> bool {
    let lock = File::open(&layout.lock);
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Creates key, first checkpoint and, last of all, `log.json`: where that is, the others must be.
fn create(layout: &Layout, key_path: &Path, options: &LogOptions) -> Result<NoteSigner, OpenError> {
    if !layout.list_segments()?.is_empty() {
        return Err(Damage::Missing { file: layout.identity.clone() }.into());
    }
    if !key_path.exists() {
        create_key(key_path)?;
    }
    let seed = read_key(key_path)?;
    let origin = match &options.origin {
        Some(origin) => origin.clone(),
        None => {
            let mut name = [0; 6];
            getrandom::fill(&mut name).map_err(|_| OpenError::Random)?;
            format!("consentry/{}", hex(&name))
        }
    };
    let signer = NoteSigner::new(&origin, &seed);
    let note = signer.sign(0, CompactTree::default().root());
    // What is left of a creation that was cut short is begun anew; a history that says more than that is not touched.
    if let Ok(old) = fs::read_to_string(&layout.history)
        && split_history(&old).0.len() > 1
    {
        return Err(Damage::Missing { file: layout.identity.clone() }.into());
    }
    for (path, content) in [
        (&layout.history, format!("{note}\n")),
        (&layout.checkpoint, note),
        (&layout.identity, identity_json(signer.public())),
    ] {
        options.storage.replace(path, content.as_bytes()).map_err(|e| io_error(path, e))?;
    }
    Ok(signer)
}

fn create_key(path: &Path) -> Result<(), OpenError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| OpenError::Random)?;
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(format!("{}\n", STANDARD.encode(seed)).as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| match path.parent() {
        // The file is made here: what is not there is its folder.
        Some(folder) if e.kind() == io::ErrorKind::NotFound => io_error(folder, e),
        Some(_) | None => io_error(path, e),
    })
}

fn read_key(path: &Path) -> Result<[u8; 32], OpenError> {
    let content = match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::KeyMissing { path: path.into() });
        }
        other => other.map_err(|e| io_error(path, e))?,
    };
    let wrong = |what| OpenError::Key { path: path.into(), what };
    let mode = fs::metadata(path).map_err(|e| io_error(path, e))?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(wrong("can be read or written by everybody"));
    }
    let text = content.strip_suffix(b"\n").unwrap_or(&content);
    let seed = STANDARD.decode(text).ok().and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    seed.ok_or_else(|| wrong("is not 32 bytes in base64"))
}

/// The signed sizes with their roots, from `checkpoint` and from the end of the history, which is written first.
/// How the history began is left to [`verify`](crate::verify()).
fn signed_roots(
    layout: &Layout,
    public: &PublicKey,
    options: &LogOptions,
) -> Result<BTreeMap<u64, Hash>, OpenError> {
    let latest = read_checkpoint(&layout.checkpoint, public)?;
    let (tail, tail_start) = history_tail(&layout.history, public)?;
    let (notes, unfinished) = split_history(&tail);
    let mut signed = BTreeMap::new();
    for note in notes {
        let signature = || Damage::Signature { file: layout.history.clone() };
        let checkpoint = public.verify(note).ok_or_else(signature)?;
        signed.insert(checkpoint.size, checkpoint.root);
    }
    let end = tail_start + tail.len() as u64;
    if signed.get(&latest.size) != Some(&latest.root) {
        return Err(at(&layout.history, end, latest.size, "the history lacks the newest checkpoint"));
    }
    if unfinished > 0 {
        let good = end - unfinished as u64;
        options.storage.cut(&layout.history, good).map_err(|e| io_error(&layout.history, e))?;
    }
    Ok(signed)
}

/// The checkpoint in a file, which must be there and be signed.
pub(crate) fn read_checkpoint(path: &Path, public: &PublicKey) -> Result<Checkpoint, OpenError> {
    let note = String::from_utf8(read_required(path)?).ok();
    let checkpoint = note.and_then(|note| public.verify(&note));
    checkpoint.ok_or_else(|| Damage::Signature { file: path.into() }.into())
}

/// The last notes of the history, and at which offset they begin.
fn history_tail(path: &Path, public: &PublicKey) -> Result<(String, u64), OpenError> {
    let read = || -> io::Result<(Vec<u8>, u64)> {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(HISTORY_TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok((tail, start))
    };
    let (bytes, start) = match read() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Damage::Missing { file: path.into() }.into());
        }
        other => other.map_err(|e| io_error(path, e))?,
    };
    if start == 0 {
        return Ok((lossless(bytes, path)?, 0));
    }
    // From somewhere inside a note to the beginning of the next: an empty line and the log's name.
    let border = format!("\n\n{}\n", public.origin());
    let skip = bytes.windows(border.len()).position(|w| w == border.as_bytes());
    let skip = skip.ok_or_else(|| Damage::Signature { file: path.into() })? + 2;
    Ok((lossless(bytes.get(skip..).unwrap_or_default().to_vec(), path)?, start + skip as u64))
}

/// The bytes as text; a character that the end cuts in two belongs to an unfinished note and is left out.
fn lossless(bytes: Vec<u8>, path: &Path) -> Result<String, OpenError> {
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(e) if e.error_len().is_none() => {
            Ok(String::from_utf8_lossy(bytes.get(..e.valid_up_to()).unwrap_or_default()).into())
        }
        Err(e) => Err(at(path, e.valid_up_to() as u64, 0, "not text")),
    }
}
