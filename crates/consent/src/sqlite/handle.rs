//! Opening a ledger file, and the trait by way of it.

use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment, Resolution, SubjectRef};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, Transaction};

use super::file::LedgerFile;
use super::kept::Kept;
use super::looks::Looks;
use super::readers::{CLOSED, Reader, Readers};
use super::wal_index::{Mark, WalIndex};
use super::{read, schema, write};
use crate::{Appended, Batch, Ledger, LedgerError, LedgerErrorKind, Limit, Reserved, limit};

/// How long a statement waits for another process to let go of the file, in milliseconds.
pub const LEDGER_BUSY_MILLIS_MAX: u64 = 2_000;

/// How long a call takes at most before it fails, in milliseconds, its wait for a connection included.
pub const LEDGER_ANSWER_MILLIS_MAX: u64 = 5_000;

/// How long to wait before the file is tried again that another process is just making a ledger of.
const OPEN_RETRY_MILLIS: u64 = 20;

/// A ledger in one SQLite file, which several handles and processes on one machine may use at the same time.
///
/// What [`append`](Ledger::append) and [`link`](Ledger::link) return was synchronised to the disk. Events can be
/// added and never changed or removed, also not with other programs that respect the file's triggers. **Identifiers
/// and events stand in the file in clear**: it is the controller's own store, made readable for its owner alone
/// (mode 0600); encrypt the disk it is on.
///
/// When the file is deleted or replaced, every call fails from then on: the handle never answers from a file that
/// nobody else sees, and never starts an empty one.
#[derive(Debug)]
pub struct SqliteLedger {
    readers: Readers,
    writer: SqlitePool,
    file: LedgerFile,
    /// The highest revision that this handle has seen. A ledger never goes back.
    seen: AtomicU64,
    index: WalIndex,
    looks: Looks,
    kept: Kept,
}

/// A transaction that writes, and the revision it began at.
struct Open {
    tx: Transaction<'static, Sqlite>,
    revision: LedgerRevision,
}

/// What is asked of one snapshot.
enum Question<'a> {
    /// About everybody whom these name, and the revision; about nobody, for the revision alone.
    Window(&'a [Identifier]),
    /// About one reference.
    Reference(&'a SubjectRef),
}

impl SqliteLedger {
    /// Opens the ledger at `path`, and makes an empty one where there is no file. A service that already has
    /// subjects wants [`open_existing`](Self::open_existing).
    ///
    /// # Errors
    /// When the file cannot be made or read, is something else than a ledger, or was written by a newer version.
    pub async fn open(path: impl AsRef<Path> + Send) -> Result<Self, LedgerError> {
        Self::open_file(LedgerFile::open(path.as_ref(), true)?, true).await
    }

    /// Opens the ledger at `path`, which must be there.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when there is no ledger.
    pub async fn open_existing(path: impl AsRef<Path> + Send) -> Result<Self, LedgerError> {
        Self::open_file(LedgerFile::open(path.as_ref(), false)?, false).await
    }

    /// The subject of a reference, following an alias to the subject it was merged into.
    ///
    /// # Errors
    /// As [`resolve`](Ledger::resolve).
    pub async fn subject(&self, subject: &SubjectRef) -> Result<Resolution, LedgerError> {
        answer_in_time(async {
            let batch = self.ask(Question::Reference(subject), None).await?;
            batch.answers.into_iter().next().ok_or(LedgerError::corrupt("an answer is missing"))
        })
        .await
    }

    /// Waits for the calls under way and lets go of the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Turning a new file to write-ahead logging takes a lock that SQLite does not wait for, and so does a last handle
    /// that is just being closed: what is locked is tried again.
    async fn open_file(file: LedgerFile, create: bool) -> Result<Self, LedgerError> {
        let options = SqliteConnectOptions::new()
            .filename(file.path())
            .create_if_missing(false)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .pragma("recursive_triggers", "ON")
            .pragma("trusted_schema", "OFF")
            .busy_timeout(Duration::from_millis(LEDGER_BUSY_MILLIS_MAX))
            .disable_statement_logging();
        let (readers, writer) = answer_in_time(async {
            loop {
                match connect(&options, create).await {
                    Err(e) if e.is_locked() => {
                        tokio::time::sleep(Duration::from_millis(OPEN_RETRY_MILLIS)).await;
                    }
                    done => return done,
                }
            }
        })
        .await?;
        // The index is there as soon as a connection has read.
        let index = WalIndex::of(file.path());
        let (seen, looks, kept) = (AtomicU64::new(0), Looks::default(), Kept::default());
        let ledger = Self { readers, writer, file, seen, index, looks, kept };
        ledger.revision().await?;
        Ok(ledger)
    }

    /// What a window was answered before, as long as nobody, in this process or another, has written since; and the mark that
    /// it stands for.
    async fn told_before(&self, who: &[Identifier]) -> Result<(Option<Mark>, Option<Batch>), LedgerError> {
        let seen = self.seen.load(Ordering::Acquire);
        let (mark, there) = self.looks.look(&self.index, &self.file).await;
        // It may have been closed meanwhile.
        if self.readers.are_closed() {
            return Err(CLOSED);
        }
        there?;
        let batch = mark.as_ref().and_then(|mark| self.kept.answer(mark, who));
        batch.iter().try_for_each(|batch| self.advance(seen, batch.revision))?;
        Ok((mark, batch))
    }

    /// A window, without a word to SQLite where it was answered before.
    async fn window(&self, who: &[Identifier]) -> Result<Batch, LedgerError> {
        // Nothing of this waits for anybody, so that it needs no time that it may take.
        match self.told_before(who).await? {
            (_, Some(batch)) => Ok(batch),
            (mark, None) => answer_in_time(self.ask(Question::Window(who), mark)).await,
        }
    }

    /// Asks one snapshot, and lets the answers out if the file is still the ledger. What is answered while the mark stands
    /// still is kept.
    async fn ask(&self, question: Question<'_>, mark: Option<Mark>) -> Result<Batch, LedgerError> {
        if self.readers.are_closed() {
            return Err(CLOSED);
        }
        let seen = self.seen.load(Ordering::Acquire);
        self.file.still_there()?;
        let asked_for = match question {
            Question::Window(who) => Some(who),
            Question::Reference(_) => None,
        };
        let mut reader = self.readers.take().await?;
        let asked = match question {
            Question::Reference(subject) => read::subject(reader.connection()?, subject).await,
            Question::Window(who) if who.len() > read::ASKED_PER_STATEMENT_MAX => {
                long_window(&mut reader, who).await
            }
            Question::Window(who) => read::window(reader.connection()?, who).await,
        };
        if matches!(&asked, Err(e) if e.kind() != LedgerErrorKind::Corrupt) {
            reader.unfit();
        }
        drop(reader);
        let batch = asked?;
        self.admit(seen, batch.revision)?;
        // Only what was read while nobody wrote is known to belong to that mark.
        if let (Some(mark), Some(who)) = (mark.filter(|mark| self.index.mark() == Some(*mark)), asked_for) {
            self.kept.keep(mark, who, &batch);
        }
        Ok(batch)
    }

    async fn begin_write(&self) -> Result<Open, LedgerError> {
        self.file.still_there()?;
        let seen = self.seen.load(Ordering::Acquire);
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let revision = read::revision(&mut tx).await?;
        self.admit(seen, revision)?;
        Ok(Open { tx, revision })
    }

    async fn commit(&self, written: Open, appended: Appended) -> Result<Appended, LedgerError> {
        written.tx.commit().await?;
        self.admit(written.revision.0, appended.revision)?;
        Ok(appended)
    }

    fn admit(&self, seen: u64, revision: LedgerRevision) -> Result<(), LedgerError> {
        self.file.still_there()?;
        self.advance(seen, revision)
    }

    /// Notes a revision, which is none before one that was seen.
    fn advance(&self, seen: u64, revision: LedgerRevision) -> Result<(), LedgerError> {
        if revision.0 < seen {
            return Err(LedgerError::corrupt("the ledger went back to an earlier revision"));
        }
        self.seen.fetch_max(revision.0, Ordering::AcqRel);
        Ok(())
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn resolve(&self, who: &[Identifier]) -> Result<Batch, LedgerError> {
        self.window(who).await
    }

    async fn append(
        &self,
        who: &Identifier,
        events: &[LedgerEvent],
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        answer_in_time(async {
            let mut open = self.begin_write().await?;
            let appended = write::append(&mut open.tx, who, events, recorded_at).await?;
            self.commit(open, appended).await
        })
        .await
    }

    async fn reserve(
        &self,
        who: &Identifier,
        event: &LedgerEvent,
        limits: &[Limit],
        recorded_at: Moment,
    ) -> Result<Reserved, LedgerError> {
        limit::check(limits, event)?;
        answer_in_time(async {
            let mut open = self.begin_write().await?;
            match write::reserve(&mut open.tx, who, event, limits, recorded_at).await? {
                Reserved::Placed(appended) => self.commit(open, appended).await.map(Reserved::Placed),
                nothing @ (Reserved::Exhausted { .. } | Reserved::Unresolved) => {
                    open.tx.rollback().await?;
                    self.admit(open.revision.0, open.revision)?;
                    Ok(nothing)
                }
            }
        })
        .await
    }

    async fn link(
        &self,
        known: &Identifier,
        also: &Identifier,
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        answer_in_time(async {
            let mut open = self.begin_write().await?;
            let appended = write::link(&mut open.tx, known, also, recorded_at).await?;
            self.commit(open, appended).await
        })
        .await
    }

    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        Ok(self.window(&[]).await?.revision)
    }
}

/// Makes or checks the tables on a connection of its own, then opens the readers and the writer. That connection goes
/// last: whoever closes a file's last connection takes its write-ahead log away.
async fn connect(options: &SqliteConnectOptions, create: bool) -> Result<(Readers, SqlitePool), LedgerError> {
    let mut first = options.connect().await?;
    schema::prepare(&mut first, create).await?;
    let readers = Readers::open(options.clone()).await?;
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(LEDGER_ANSWER_MILLIS_MAX))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone());
    read::revision(&mut *writer.acquire().await?).await?;
    first.close().await?;
    Ok((readers, writer))
}

/// A window of several statements, in one transaction: one snapshot.
async fn long_window(reader: &mut Reader<'_>, who: &[Identifier]) -> Result<Batch, LedgerError> {
    let mut tx = reader.begin().await?;
    let revision = read::revision(&mut tx).await?;
    let mut answers = Vec::with_capacity(who.len());
    for asked in who.chunks(read::ASKED_PER_STATEMENT_MAX) {
        answers.extend(read::window(&mut tx, asked).await?.answers);
    }
    tx.rollback().await?;
    reader.ended();
    Ok(Batch { revision, answers })
}

async fn answer_in_time<T>(work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    let late = |_| LedgerError::new(LedgerErrorKind::Unavailable, "the ledger did not answer in time");
    tokio::time::timeout(Duration::from_millis(LEDGER_ANSWER_MILLIS_MAX), work).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn law_12_every_connection_is_durable_and_checks_its_references() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(folder.path().join("ledger.db")).await.unwrap();
        let mut reader = ledger.readers.take().await.unwrap();
        let mut writer = ledger.writer.acquire().await.unwrap();
        for connection in [reader.connection().unwrap(), &mut *writer] {
            let mode: String =
                sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.unwrap();
            let synchronous: i64 =
                sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap();
            let keys: i64 =
                sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await.unwrap();
            assert_eq!((mode.as_str(), synchronous, keys), ("wal", 2, 1));
        }
    }
}
