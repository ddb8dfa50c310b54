//! The tables, their version, and what a file must look like to be trusted.

use sqlx::{Connection, SqliteConnection};

use crate::{LedgerError, LedgerErrorKind};

const TABLES: &str = include_str!("schema.sql");

/// Marks a SQLite file as a ledger of ours: "CnLd" in ASCII.
const APPLICATION_ID: i64 = 0x436e_4c64;
const MARK: &str = "PRAGMA application_id = 0x436e4c64; PRAGMA user_version = 1;";

/// The one schema version there is.
const VERSION: i64 = 1;

/// How many triggers [`TABLES`] makes. A file without them is no longer append-only.
const TRIGGERS: i64 = 6;

const NOT_A_LEDGER: LedgerError = LedgerError::corrupt("the file is not a ledger");

/// Makes the tables in an empty file when `create` says so, and checks whatever is there.
pub(super) async fn prepare(connection: &mut SqliteConnection, create: bool) -> Result<(), LedgerError> {
    // One writer at a time: of two processes that find an empty file, the second finds the tables of the first.
    let mut tx =
        if create { connection.begin_with("BEGIN IMMEDIATE").await? } else { connection.begin().await? };
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *tx).await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *tx).await?;
    let objects: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema").fetch_one(&mut *tx).await?;
    match (application, version) {
        (0, 0) if create && objects == 0 => {
            sqlx::raw_sql(TABLES).execute(&mut *tx).await?;
            sqlx::raw_sql(MARK).execute(&mut *tx).await?;
        }
        (APPLICATION_ID, VERSION) => {}
        (APPLICATION_ID, newer) if newer > VERSION => {
            let what = "the ledger file was written by a newer version of the program";
            return Err(LedgerError::new(LedgerErrorKind::Version, what));
        }
        (_, _) => return Err(NOT_A_LEDGER),
    }
    check(&mut tx).await?;
    tx.commit().await?;
    log_ahead(connection).await
}

/// Readers and the writer do not hold each other up. It is a property of the file, and set only once that is known to
/// be a ledger.
async fn log_ahead(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL").fetch_one(connection).await?;
    match mode.as_str() {
        "wal" => Ok(()),
        _ => Err(LedgerError::unavailable("the ledger file cannot be written ahead of")),
    }
}

async fn check(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let triggers: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'trigger'")
        .fetch_one(&mut *connection)
        .await?;
    if triggers != TRIGGERS {
        return Err(LedgerError::corrupt("the ledger file is not append-only"));
    }
    let (entries, last): (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COALESCE(MAX(revision), 0) FROM event")
            .fetch_one(connection)
            .await?;
    if entries == last { Ok(()) } else { Err(LedgerError::corrupt("entries of the ledger are missing")) }
}
