//! Logs to try things on, and a disk that fails when told to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use consentry_audit::{
    AuditLog, Closing, Direction, Disk, End, Head, LogOptions, PurposeSource, Reader, Record, Segment,
    Storage, VerdictLine, Verdicts,
};
use consentry_model::{
    Act, BundleDigest, Category, LedgerRevision, Moment, Outcome, Purpose, Reason, RequesterId, RuleId,
    SubjectRef, SubjectType, Treatment, Verdict,
};

pub(crate) const NOON: Moment = Moment::from_unix_millis(1_795_348_800_000);

/// Options under which nothing is signed between opening and shutting down, and nothing waits for the disk.
pub(crate) fn unsigned() -> LogOptions {
    let mut options = LogOptions::default();
    options.storage = Arc::new(HastyDisk);
    options.checkpoint_every = Duration::from_secs(3600);
    options.checkpoint_records_max = u64::MAX;
    options
}

pub(crate) fn subject(n: u8) -> SubjectRef {
    SubjectRef::from_bytes([n; 16])
}

pub(crate) fn line(subject_byte: u8, clause: &str, reason: Option<Reason>) -> VerdictLine {
    let verdict = Verdict {
        treatment: if reason.is_some() { Treatment::Withheld } else { Treatment::Clear },
        rules: [RuleId::new("newsletter-needs-opt-in")].into(),
        clauses: [clause.into()].into(),
        reason,
        near: [].into(),
    };
    let category = Category::new("user.contact.email").unwrap();
    let mut line = VerdictLine::new(category, SubjectType::new("customer"), &verdict);
    line.subjects = vec![subject(subject_byte)];
    line
}

pub(crate) fn head(requester: &str, purpose: &str, outcome: Outcome, reason: Option<Reason>) -> Head {
    let mut head = Head::new(outcome);
    head.requester = Some(RequesterId::new(requester));
    head.purpose = Some(Purpose::new(purpose).unwrap());
    head.purpose_source = Some(PurposeSource::Header);
    head.route = Some("GET /customers/{id}".into());
    head.act = Some(Act::Read);
    head.bundle = Some(BundleDigest::new("d1"));
    head.ledger = Some(LedgerRevision(7));
    head.reason = reason;
    head
}

pub(crate) fn window(number: u64, lines: Vec<VerdictLine>) -> Verdicts {
    Verdicts::new(Direction::Response, number, BundleDigest::new("d1"), LedgerRevision(7), lines)
}

/// One whole request: a head, a window, an ending.
pub(crate) async fn request(log: &AuditLog, subject_byte: u8) {
    let mut ticket = log.reserve(NOON).unwrap();
    let head = head("shop", "essential.service", Outcome::Allow, None);
    ticket.commit(head).await.unwrap();
    ticket.commit(window(0, vec![line(subject_byte, "c-1", None)])).await.unwrap();
    ticket.close(&Closing::new(End::Delivered));
}

pub(crate) fn records(dir: &Path) -> Vec<Record> {
    Reader::open(dir).unwrap().records().collect::<Result<_, _>>().unwrap()
}

pub(crate) fn kinds(dir: &Path) -> Vec<&'static str> {
    records(dir).iter().map(|r| r.kind().code()).collect()
}

/// Every file of a folder with its content, in order.
pub(crate) fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// The folder as a power cut would leave it, were everything written so far on the disk.
pub(crate) fn crash_copy(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (path, content) in files(dir) {
        let to = copy.path().join(path.strip_prefix(dir).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, content).unwrap();
        fs::set_permissions(&to, fs::metadata(&path).unwrap().permissions()).unwrap();
    }
    copy
}

/// The disk without its syncs: for what is about bytes and not about power cuts.
#[derive(Debug)]
struct HastyDisk;

impl Storage for HastyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(HastySegment(OpenOptions::new().append(true).create_new(true).open(path)?)))
    }
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        fs::write(path, content)
    }
    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(content)
    }
    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        if bytes == 0 {
            fs::remove_file(path)
        } else {
            OpenOptions::new().write(true).open(path)?.set_len(bytes)
        }
    }
}

#[derive(Debug)]
struct HastySegment(File);

impl Segment for HastySegment {
    fn append(&mut self, content: &[u8]) -> io::Result<()> {
        self.0.write_all(content)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a failing disk does not do any more.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) create: AtomicBool,
    pub(crate) write: AtomicBool,
    pub(crate) sync: AtomicBool,
    pub(crate) checkpoint: AtomicBool,
    pub(crate) cut: AtomicBool,
    /// How often a segment was asked to sync.
    pub(crate) syncs: AtomicU64,
}

fn fails(what: &AtomicBool) -> io::Result<()> {
    if what.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// The disk, until told otherwise. A failing write leaves half of what was to be written.
#[derive(Debug, Default)]
pub(crate) struct FailingDisk(pub(crate) Arc<Faults>);

impl Storage for FailingDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        fails(&self.0.create)?;
        Ok(Box::new(FailingSegment(Disk.create(path)?, Arc::clone(&self.0))))
    }
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        Disk.replace(path, content)
    }
    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        if let Err(error) = fails(&self.0.checkpoint) {
            Disk.append(path, &content[..content.len() / 2])?;
            return Err(error);
        }
        Disk.append(path, content)
    }
    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        fails(&self.0.cut)?;
        Disk.cut(path, bytes)
    }
}

#[derive(Debug)]
struct FailingSegment(Box<dyn Segment>, Arc<Faults>);

impl Segment for FailingSegment {
    fn append(&mut self, content: &[u8]) -> io::Result<()> {
        if let Err(error) = fails(&self.1.write) {
            self.0.append(&content[..content.len() / 2])?;
            return Err(error);
        }
        self.0.append(content)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        fails(&self.1.sync)?;
        self.0.sync()
    }
}
