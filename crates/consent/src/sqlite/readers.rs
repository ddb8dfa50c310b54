//! The connections that read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::read;
use crate::LedgerError;

/// How many snapshots are read from at the same time; there is one writer besides.
const READERS_MAX: u32 = 4;

/// Connections that are kept open and handed out without a word to the file: a look-up is one round trip to the
/// connection's thread, where a general pool would ask it before and after each whether it is still well.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    /// One permit for each connection that may be open.
    places: Semaphore,
}

/// A connection for one call. Outside a transaction a statement that is given up half-way leaves nothing behind in
/// it, so that it is used again also when the call was abandoned; not so when it is [`unfit`](Self::unfit).
#[derive(Debug)]
pub(super) struct Reader<'a> {
    home: &'a Readers,
    connection: Option<SqliteConnection>,
    fit: bool,
    _place: SemaphorePermit<'a>,
}

impl Readers {
    /// Opens the first connection, and further ones when they are needed.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, LedgerError> {
        let mut first = options.connect().await?;
        read::revision(&mut first).await?;
        Ok(Self { options, idle: Mutex::new(vec![first]), places: Semaphore::new(READERS_MAX as usize) })
    }

    /// A connection, once there is one.
    pub(super) async fn take(&self) -> Result<Reader<'_>, LedgerError> {
        let place = self.places.acquire().await.map_err(|_| CLOSED)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Reader { home: self, connection: Some(connection), fit: true, _place: place })
    }

    /// Whether nothing is answered any more.
    pub(super) fn are_closed(&self) -> bool {
        self.places.is_closed()
    }

    /// Waits for the calls under way and closes every connection. Later calls fail.
    pub(super) async fn close(&self) {
        // Already closed: another call does the rest.
        let Ok(all) = self.places.acquire_many(READERS_MAX).await else { return };
        self.places.close();
        drop(all);
        let open = std::mem::take(&mut *self.idle());
        for connection in open {
            // It has nothing to write; what does not close in good order is gone all the same.
            let _ = connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader<'_> {
    /// For single statements, each of which is its own snapshot.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, LedgerError> {
        self.connection.as_mut().ok_or(CLOSED)
    }

    /// One snapshot for several statements. Until [`ended`](Self::ended) says that it is over the connection is
    /// unfit: what it would answer later might be of then.
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, LedgerError> {
        self.unfit();
        Ok(self.connection()?.begin().await?)
    }

    /// The transaction is known to have ended.
    pub(super) fn ended(&mut self) {
        self.fit = true;
    }

    /// The connection is not used again.
    pub(super) fn unfit(&mut self) {
        self.fit = false;
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let (true, Some(connection)) = (self.fit, self.connection.take()) {
            self.home.idle().push(connection);
        }
    }
}

/// The ledger was closed: it answers nothing any more, also not what it still knows.
pub(super) const CLOSED: LedgerError = LedgerError::unavailable("the ledger was closed");

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::LedgerErrorKind;
    use crate::sqlite::schema;

    async fn readers(folder: &tempfile::TempDir) -> Readers {
        let file = SqliteConnectOptions::new().filename(folder.path().join("l.db")).create_if_missing(true);
        schema::prepare(&mut file.connect().await.unwrap(), true).await.unwrap();
        Readers::open(file).await.unwrap()
    }

    #[tokio::test]
    async fn a_connection_is_used_again_unless_its_transaction_is_not_known_to_have_ended() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder).await;
        let idle = || readers.idle().len();
        drop(readers.take().await.unwrap());
        assert_eq!(idle(), 1);

        let mut reader = readers.take().await.unwrap();
        let _ = reader.begin().await.unwrap();
        drop(reader);
        assert_eq!(idle(), 0, "it was given up in a transaction");

        let mut reader = readers.take().await.unwrap();
        reader.begin().await.unwrap().rollback().await.unwrap();
        reader.ended();
        read::revision(reader.connection().unwrap()).await.unwrap();
        drop(reader);
        assert_eq!(idle(), 1);
    }

    #[tokio::test]
    async fn no_more_than_the_named_number_are_out_and_closing_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder).await;
        let mut out = Vec::new();
        for _ in 0..READERS_MAX {
            out.push(readers.take().await.unwrap());
        }
        let short = Duration::from_millis(50);
        assert!(tokio::time::timeout(short, readers.take()).await.is_err(), "one too many");
        assert!(tokio::time::timeout(short, readers.close()).await.is_err(), "calls are under way");
        out.clear();
        readers.close().await;
        assert_eq!(readers.take().await.unwrap_err().kind(), LedgerErrorKind::Unavailable);
        assert_eq!(readers.idle().len(), 0);
        readers.close().await;
    }
}
