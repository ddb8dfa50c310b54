//! Questions to the file. Each is answered inside one transaction: one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Resolution, SubjectRef, SubjectState};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::row;
use crate::LedgerError;

/// How many identifiers or subjects one statement asks for; a longer window takes several statements.
const ASKED_PER_STATEMENT_MAX: usize = 200;

/// After the rows of `asked (n, space, value)`. The cross joins keep the order: for each that is asked, one look-up by
/// primary key, however many subjects there are.
const NAMED_BY: &str = ") SELECT asked.n, own.id, own.merged_into FROM asked \
     CROSS JOIN identifier ON identifier.space = asked.space AND identifier.value = asked.value \
     LEFT JOIN subject ON subject.id = identifier.subject \
     LEFT JOIN subject AS own ON own.id = COALESCE(subject.merged_into, subject.id)";

/// After the rows of `asked (own)`. What was recorded under a reference stays there when that is merged into another.
const HISTORIES: &str = "), member (own, id) AS (\
         SELECT own, own FROM asked UNION ALL \
         SELECT own, subject.id FROM asked CROSS JOIN subject ON subject.merged_into = asked.own\
     ) SELECT member.own, event.revision, event.kind, event.body FROM member \
     CROSS JOIN event ON event.subject = member.id";

/// How many entries there are.
pub(super) async fn revision(connection: &mut SqliteConnection) -> Result<LedgerRevision, LedgerError> {
    let last: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(revision), 0) FROM event").fetch_one(connection).await?;
    revision_of(last)
}

/// Answers a window, in the order asked.
pub(super) async fn resolve(
    connection: &mut SqliteConnection,
    who: &[Identifier],
) -> Result<Vec<Resolution>, LedgerError> {
    let mut subjects: Vec<Option<SubjectRef>> = Vec::with_capacity(who.len());
    for asked in who.chunks(ASKED_PER_STATEMENT_MAX) {
        subjects.extend(named_by(connection, asked).await?);
    }
    let mut wanted: Vec<SubjectRef> = subjects.iter().flatten().copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut states = BTreeMap::new();
    for asked in wanted.chunks(ASKED_PER_STATEMENT_MAX) {
        states.extend(histories(connection, asked).await?);
    }
    let answer = |subject: Option<SubjectRef>| match subject {
        None => Ok(Resolution::Unresolved),
        Some(subject) => states.get(&subject).map(|s| Resolution::Known(Arc::clone(s))).ok_or(DANGLING),
    };
    subjects.into_iter().map(answer).collect()
}

/// The subject of a reference, or of the one it was merged into.
pub(super) async fn subject(
    connection: &mut SqliteConnection,
    subject: &SubjectRef,
) -> Result<Resolution, LedgerError> {
    let own: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT COALESCE(merged_into, id) FROM subject WHERE id = ?")
            .bind(subject.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await?;
    let Some(own) = own else { return Ok(Resolution::Unresolved) };
    let own = row::reference(&own)?;
    let state = histories(connection, &[own]).await?.remove(&own).ok_or(DANGLING)?;
    Ok(Resolution::Known(state))
}

/// Whom each identifier names.
pub(super) async fn named_by(
    connection: &mut SqliteConnection,
    asked: &[Identifier],
) -> Result<Vec<Option<SubjectRef>>, LedgerError> {
    let mut named = vec![None; asked.len()];
    if asked.is_empty() {
        return Ok(named);
    }
    let mut sql = QueryBuilder::<Sqlite>::new("WITH asked (n, space, value) AS (");
    sql.push_values((0_i64..).zip(asked), |mut tuple, (n, id)| {
        tuple.push_bind(n).push_bind(id.space().as_str()).push_bind(id.reveal());
    });
    sql.push(NAMED_BY);
    for found in sql.build().fetch_all(connection).await? {
        let n: i64 = found.try_get(0)?;
        let subject: Option<Vec<u8>> = found.try_get(1)?;
        let merged_further: Option<Vec<u8>> = found.try_get(2)?;
        let (Some(subject), None) = (subject, merged_further) else { return Err(DANGLING) };
        let slot = usize::try_from(n).ok().and_then(|n| named.get_mut(n)).ok_or(DANGLING)?;
        *slot = Some(row::reference(&subject)?);
    }
    Ok(named)
}

/// Everything recorded about each subject, under whatever reference it was recorded.
async fn histories(
    connection: &mut SqliteConnection,
    asked: &[SubjectRef],
) -> Result<BTreeMap<SubjectRef, Arc<SubjectState>>, LedgerError> {
    let mut events: BTreeMap<SubjectRef, Vec<(LedgerRevision, LedgerEvent)>> =
        asked.iter().map(|subject| (*subject, Vec::new())).collect();
    let mut sql = QueryBuilder::<Sqlite>::new("WITH asked (own) AS (");
    sql.push_values(asked, |mut tuple, subject| {
        tuple.push_bind(subject.as_bytes().as_slice());
    });
    sql.push(HISTORIES);
    for found in sql.build().fetch_all(connection).await? {
        let own = row::reference(found.try_get(0)?)?;
        let revision = revision_of(found.try_get(1)?)?;
        if let Some(event) = row::decode(found.try_get(2)?, found.try_get(3)?)? {
            events.get_mut(&own).ok_or(DANGLING)?.push((revision, event));
        }
    }
    let state = |(subject, mut events): (SubjectRef, Vec<(LedgerRevision, LedgerEvent)>)| {
        events.sort_by_key(|(revision, _)| *revision);
        (subject, Arc::new(SubjectState { subject, events }))
    };
    Ok(events.into_iter().map(state).collect())
}

fn revision_of(stored: i64) -> Result<LedgerRevision, LedgerError> {
    u64::try_from(stored)
        .map(LedgerRevision)
        .map_err(|_| LedgerError::corrupt("a stored revision cannot be read back"))
}

const DANGLING: LedgerError = LedgerError::corrupt("a reference leads to no subject");

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions};

    use super::*;
    use crate::sqlite::schema;

    #[tokio::test]
    async fn look_ups_go_by_index_and_never_through_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteConnectOptions::new().filename(folder.path().join("l.db")).create_if_missing(true);
        let mut connection = file.connect().await.unwrap();
        schema::prepare(&mut connection, true).await.unwrap();
        for sql in [
            format!("WITH asked (n, space, value) AS (VALUES (0, 'a', 'b'), (1, 'a', 'c'){NAMED_BY}"),
            format!("WITH asked (own) AS (VALUES (x'00'), (x'01'){HISTORIES}"),
        ] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&mut connection).await.unwrap();
            assert!(plan.iter().any(|step| step.3.starts_with("SEARCH ")), "{plan:?}");
            for table in ["identifier", "subject", "own", "event"] {
                assert!(!plan.iter().any(|step| step.3.starts_with(&format!("SCAN {table}"))), "{plan:?}");
            }
        }
    }
}
