//! The key that pseudonyms are made with: read from its file, and made at the first start.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consentry_layer::PseudonymKey;

use crate::config::Config;
use crate::says::says;

/// Longest file of a key that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024;

/// Where the key is: where the configuration says, or beside the ledger.
pub(crate) fn place(config: &Config) -> PathBuf {
    config.pseudonym_key.clone().unwrap_or_else(|| {
        let mut beside = config.ledger.clone().into_os_string();
        beside.push(".pseudonyms");
        beside.into()
    })
}

/// The key in its file; `None` when there is no such file. Nothing is made.
pub(crate) fn read(file: &Path) -> Result<Option<PseudonymKey>, String> {
    let told = |what: &str| format!("{} {what}", file.display());
    let meta = match fs::metadata(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|e| told(&format!("cannot be read: {}", says(&e))))?,
    };
    if !meta.is_file() || meta.len() > FILE_BYTES_MAX {
        return Err(told("is not 32 bytes in base64"));
    }
    if meta.permissions().mode() & 0o007 != 0 {
        return Err(told("can be read or written by everybody"));
    }
    let content = fs::read(file).map_err(|e| told(&format!("cannot be read: {}", says(&e))))?;
    let text = content.strip_suffix(b"\n").unwrap_or(&content);
    let key = STANDARD.decode(text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    key.map(PseudonymKey::new).map(Some).ok_or_else(|| told("is not 32 bytes in base64"))
}

/// The key in its file, which is made when it is not there.
pub(crate) fn open(file: &Path) -> Result<PseudonymKey, String> {
    if let Some(key) = read(file)? {
        return Ok(key);
    }
    make(file).map_err(|why| format!("{} cannot be created: {why}", file.display()))?;
    read(file)?.ok_or_else(|| format!("{} is gone again", file.display()))
}

/// The file has its whole content before it has its name, so that nobody ever reads half a key; one that another process
/// made meanwhile stays.
fn make(file: &Path) -> Result<(), String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|_| "the system gives no random bytes".to_owned())?;
    let mut begun = file.as_os_str().to_owned();
    begun.push(format!(".{}", std::process::id()));
    let begun = PathBuf::from(begun);
    let write = || -> io::Result<()> {
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&begun)?;
        out.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())?;
        out.sync_all()
    };
    let linked = write().and_then(|()| match fs::hard_link(&begun, file) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    // What is not there any more need not go, and what stays is read by nobody.
    let _gone = fs::remove_file(&begun);
    linked.map_err(|e| says(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        assert!(read(&file).unwrap().is_none());
        open(&file).unwrap();
        let made = fs::read(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        open(&file).unwrap();
        make(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), made);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let another = folder.path().join("another");
        open(&another).unwrap();
        assert_ne!(fs::read(&another).unwrap(), made);
    }

    #[test]
    fn law_1_a_key_that_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let good = STANDARD.encode([7; 32]);
        for (content, mode, said) in [
            (String::new(), 0o600, "is not 32 bytes in base64"),
            (good.replace('w', ""), 0o600, "is not 32 bytes in base64"),
            (format!("{good}{good}"), 0o600, "is not 32 bytes in base64"),
            ("A".repeat(5000), 0o600, "is not 32 bytes in base64"),
            (good.clone(), 0o604, "can be read or written by everybody"),
        ] {
            fs::write(&file, &content).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = open(&file).unwrap_err();
            assert!(error.contains(said), "{error}");
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        assert!(open(folder.path()).is_err());
        let nowhere = folder.path().join("nowhere/key");
        assert!(open(&nowhere).unwrap_err().contains("cannot be created"));
    }
}
