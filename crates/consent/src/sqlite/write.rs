//! Writes to the file, each inside a transaction that the caller commits.

use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment, Resolution, SubjectRef};
use sqlx::SqliteConnection;

use super::read;
use super::row::{EntryKind, encode};
use crate::subject::fresh_reference;
use crate::{Appended, LedgerError, Limit, Reserved, limit};

/// Appends the events for whoever the identifier names, and creates the subject when it names nobody.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    who: &Identifier,
    events: &[LedgerEvent],
    recorded_at: Moment,
) -> Result<Appended, LedgerError> {
    let (subject, is_new) = match read::named_by(connection, who).await? {
        Some(known) => (known, false),
        None => (create(connection, who).await?, true),
    };
    let mut entries = Entries::after_last(connection, recorded_at).await?;
    for event in events {
        entries.add(connection, subject, EntryKind::Event, &encode(event)?).await?;
    }
    if is_new && events.is_empty() {
        entries.add(connection, subject, EntryKind::Registered, "").await?;
    }
    Ok(Appended { subject, revision: entries.last })
}

/// Appends the event if every limit has room for one more. The transaction began with the right to write, so that nobody
/// else counts in between.
pub(super) async fn reserve(
    connection: &mut SqliteConnection,
    who: &Identifier,
    event: &LedgerEvent,
    limits: &[Limit],
    recorded_at: Moment,
) -> Result<Reserved, LedgerError> {
    let batch = read::window(connection, std::slice::from_ref(who)).await?;
    match batch.answers.first() {
        Some(Resolution::Known(state)) => {
            if let Some(limit) = limit::exhausted(limits, state) {
                return Ok(Reserved::Exhausted { limit, revision: batch.revision });
            }
            let mut entries = Entries::after_last(connection, recorded_at).await?;
            entries.add(connection, state.subject, EntryKind::Event, &encode(event)?).await?;
            Ok(Reserved::Placed(Appended { subject: state.subject, revision: entries.last }))
        }
        Some(Resolution::Unresolved) => Ok(Reserved::Unresolved),
        None => Err(LedgerError::corrupt("an answer is missing")),
    }
}

/// Makes both identifiers name the subject that `known` names.
pub(super) async fn link(
    connection: &mut SqliteConnection,
    known: &Identifier,
    also: &Identifier,
    recorded_at: Moment,
) -> Result<Appended, LedgerError> {
    let Some(kept) = read::named_by(connection, known).await? else { return Err(LedgerError::UNRESOLVED) };
    let mut entries = Entries::after_last(connection, recorded_at).await?;
    match read::named_by(connection, also).await? {
        Some(other) if other == kept => {}
        Some(other) => {
            merge(connection, kept, other).await?;
            entries.add(connection, kept, EntryKind::Linked, &other.to_string()).await?;
        }
        None => {
            name(connection, also, kept).await?;
            entries.add(connection, kept, EntryKind::Linked, "").await?;
        }
    }
    Ok(Appended { subject: kept, revision: entries.last })
}

/// Numbers entries on from the last one.
struct Entries {
    last: LedgerRevision,
    recorded_at: Moment,
}

impl Entries {
    async fn after_last(connection: &mut SqliteConnection, recorded_at: Moment) -> Result<Self, LedgerError> {
        Ok(Self { last: read::revision(connection).await?, recorded_at })
    }

    async fn add(
        &mut self,
        connection: &mut SqliteConnection,
        subject: SubjectRef,
        kind: EntryKind,
        body: &str,
    ) -> Result<(), LedgerError> {
        let next = self.last.0.saturating_add(1);
        let stored = i64::try_from(next).map_err(|_| LedgerError::corrupt("the revisions are used up"))?;
        sqlx::query("INSERT INTO event (revision, subject, recorded_at, kind, body) VALUES (?, ?, ?, ?, ?)")
            .bind(stored)
            .bind(subject.as_bytes().as_slice())
            .bind(self.recorded_at.unix_millis())
            .bind(kind.code())
            .bind(body)
            .execute(connection)
            .await?;
        self.last = LedgerRevision(next);
        Ok(())
    }
}

async fn create(connection: &mut SqliteConnection, who: &Identifier) -> Result<SubjectRef, LedgerError> {
    let subject = fresh_reference()?;
    sqlx::query("INSERT INTO subject (id) VALUES (?)")
        .bind(subject.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?;
    name(connection, who, subject).await?;
    Ok(subject)
}

async fn name(
    connection: &mut SqliteConnection,
    who: &Identifier,
    subject: SubjectRef,
) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO identifier (space, value, subject) VALUES (?, ?, ?)")
        .bind(who.space().as_str())
        .bind(who.reveal())
        .bind(subject.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes `other`, and whatever was merged into it before, an alias of `kept`: an alias always leads to a subject in
/// one step.
async fn merge(
    connection: &mut SqliteConnection,
    kept: SubjectRef,
    other: SubjectRef,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE subject SET merged_into = ?1 WHERE id = ?2 OR merged_into = ?2")
        .bind(kept.as_bytes().as_slice())
        .bind(other.as_bytes().as_slice())
        .execute(connection)
        .await?;
    Ok(())
}
