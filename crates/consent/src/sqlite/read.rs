//! Questions to the file. Each is one statement, which is its own snapshot and one round trip to the connection's
//! thread: a single row holds the revision, whom the identifiers name, and what is recorded about them.

use std::sync::{Arc, LazyLock};

use consentry_model::{
    Identifier, LedgerRevision, Moment, RecordedEvent, Resolution, SubjectRef, SubjectState,
};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Row, Sqlite, SqliteConnection};

use super::row;
use crate::{Batch, LedgerError};

/// How many identifiers one statement asks for at most.
pub(super) const ASKED_PER_STATEMENT_MAX: usize = 256;

/// The statements that there are for windows, by how many identifiers they ask for, so that each is prepared once
/// for a connection. A smaller window leaves the rest NULL, which equals nothing.
static WINDOWS: LazyLock<[(usize, String); 4]> =
    LazyLock::new(|| [1, 8, 64, ASKED_PER_STATEMENT_MAX].map(|size| (size, window_sql(size))));

/// Answers about one reference.
static REFERENCE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{ANSWER}SELECT json_array(0) AS asked, {OWN} AS id FROM subject {FOLLOWED} WHERE subject.id = ?) AS named)"
    )
});

/// Whom one identifier names.
static NAMED_BY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {OWN} FROM identifier {NAMES} {FOLLOWED} WHERE identifier.space = ? AND identifier.value = ?"
    )
});

/// The subject itself or the one it was merged into; NULL when that is not there or is itself merged further.
const OWN: &str = "CASE WHEN own.merged_into IS NULL THEN own.id END";

/// From `identifier` to the `subject` it was recorded for.
const NAMES: &str = "LEFT JOIN subject ON subject.id = identifier.subject";

/// From `subject` to the subject `own` that it stands for.
const FOLLOWED: &str = "LEFT JOIN subject AS own ON own.id = COALESCE(subject.merged_into, subject.id)";

/// Before a query for `named (asked, id)`, which has a row for each subject. What was recorded under a reference stays
/// there when that is merged into another. The texts are JSON strings in the list: they come out as they are stored.
const ANSWER: &str = "SELECT (SELECT COALESCE(MAX(revision), 0) FROM event), (\
     SELECT json_group_array(json_array(json(asked), NULLIF(lower(hex(id)), ''), \
         (SELECT json_group_array(json_array(revision, recorded_at, kind, body)) FROM event WHERE event.subject = named.id), \
         (SELECT json_group_array(json_array(revision, recorded_at, kind, body)) FROM subject AS alias \
          CROSS JOIN event ON event.subject = alias.id WHERE alias.merged_into = named.id)\
     )) FROM (";

/// An entry as the list has it. No known kind needs an escape in JSON: what cannot be borrowed is unknown.
type Entry<'a> = (u64, i64, &'a str, String);

/// A subject as the list has it: which of those asked for name it, and what is recorded under its own reference and
/// under those that were merged into it.
type Named<'a> = (Vec<usize>, Option<SubjectRef>, Vec<Entry<'a>>, Vec<Entry<'a>>);

/// The cross join keeps the order: for each that is asked, one look-up by primary key, however many subjects there are.
fn window_sql(size: usize) -> String {
    let rows: Vec<String> = (0..size).map(|n| format!("({n}, ?, ?)")).collect();
    format!(
        "WITH asked (n, space, value) AS (VALUES {}) {ANSWER}\
         SELECT json_group_array(asked.n) AS asked, {OWN} AS id FROM asked CROSS JOIN identifier \
         ON identifier.space = asked.space AND identifier.value = asked.value {NAMES} {FOLLOWED} GROUP BY 2\
         ) AS named)",
        rows.join(", ")
    )
}

/// How many entries there are.
pub(super) async fn revision(connection: &mut SqliteConnection) -> Result<LedgerRevision, LedgerError> {
    let last: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(revision), 0) FROM event").fetch_one(connection).await?;
    revision_of(last)
}

/// Answers a window of at most [`ASKED_PER_STATEMENT_MAX`] identifiers, in the order asked; a longer one is refused.
pub(super) async fn window(
    connection: &mut SqliteConnection,
    asked: &[Identifier],
) -> Result<Batch, LedgerError> {
    if asked.is_empty() {
        return Ok(Batch { revision: revision(connection).await?, answers: Vec::new() });
    }
    let Some((size, sql)) = WINDOWS.iter().find(|(size, _)| asked.len() <= *size) else {
        return Err(LedgerError::unavailable("a window is too long for one statement"));
    };
    let mut query = sqlx::query(sql.as_str());
    for id in asked {
        query = query.bind(id.space().as_str()).bind(id.reveal());
    }
    for _ in asked.len()..*size {
        query = query.bind(None::<&str>).bind(None::<&str>);
    }
    answer(connection, query, asked.len()).await
}

/// The subject of a reference, or of the one it was merged into.
pub(super) async fn subject(
    connection: &mut SqliteConnection,
    subject: &SubjectRef,
) -> Result<Batch, LedgerError> {
    let query = sqlx::query(REFERENCE.as_str()).bind(subject.as_bytes().as_slice());
    answer(connection, query, 1).await
}

/// Whom an identifier names.
pub(super) async fn named_by(
    connection: &mut SqliteConnection,
    who: &Identifier,
) -> Result<Option<SubjectRef>, LedgerError> {
    let found: Option<Option<Vec<u8>>> = sqlx::query_scalar(NAMED_BY.as_str())
        .bind(who.space().as_str())
        .bind(who.reveal())
        .fetch_optional(connection)
        .await?;
    found.map(|own| row::reference(&own.ok_or(DANGLING)?)).transpose()
}

/// Runs a statement made of [`ANSWER`] about `asked` identifiers or references.
async fn answer(
    connection: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
    asked: usize,
) -> Result<Batch, LedgerError> {
    let found = query.fetch_one(connection).await?;
    let revision = revision_of(found.try_get(0)?)?;
    let list: Vec<Named<'_>> = serde_json::from_str(found.try_get(1)?).map_err(|_| UNREADABLE)?;
    let mut answers = vec![Resolution::Unresolved; asked];
    for (places, subject, own, merged) in list {
        let subject = subject.ok_or(DANGLING)?;
        let mut events = Vec::with_capacity(own.len().saturating_add(merged.len()));
        for (revision, recorded_at, kind, body) in own.into_iter().chain(merged) {
            if let Some(event) = row::decode(kind, &body)? {
                let recorded_at = Moment::from_unix_millis(recorded_at);
                events.push(RecordedEvent { revision: LedgerRevision(revision), recorded_at, event });
            }
        }
        events.sort_by_key(|recorded| recorded.revision);
        let state = Arc::new(SubjectState { subject, events });
        for place in places {
            *answers.get_mut(place).ok_or(DANGLING)? = Resolution::Known(Arc::clone(&state));
        }
    }
    Ok(Batch { revision, answers })
}

fn revision_of(stored: i64) -> Result<LedgerRevision, LedgerError> {
    u64::try_from(stored)
        .map(LedgerRevision)
        .map_err(|_| LedgerError::corrupt("a stored revision cannot be read back"))
}

const UNREADABLE: LedgerError = LedgerError::corrupt("a stored row cannot be read back");
const DANGLING: LedgerError = LedgerError::corrupt("a reference leads to no subject");

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions};

    use super::*;
    use crate::sqlite::schema;

    async fn connection(folder: &tempfile::TempDir) -> SqliteConnection {
        let file = SqliteConnectOptions::new().filename(folder.path().join("l.db")).create_if_missing(true);
        let mut connection = file.connect().await.unwrap();
        schema::prepare(&mut connection, true).await.unwrap();
        connection
    }

    #[tokio::test]
    async fn look_ups_go_by_index_and_never_through_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connection(&folder).await;
        let windows = WINDOWS.iter().map(|(_, sql)| sql.clone());
        for sql in windows.chain([REFERENCE.clone(), NAMED_BY.clone()]) {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&mut connection).await.unwrap();
            assert!(plan.iter().any(|step| step.3.starts_with("SEARCH ")), "{plan:?}");
            for table in ["identifier", "subject", "own", "event"] {
                assert!(!plan.iter().any(|step| step.3.starts_with(&format!("SCAN {table}"))), "{plan:?}");
            }
        }
    }

    #[tokio::test]
    async fn law_1_a_text_that_a_list_could_bend_is_no_event() {
        let good = r#"{"type":"restriction","on":true,"effective":1}"#;
        let who = [Identifier::new(consentry_model::Space::new("customer"), "1")];
        for (kind, tail, well) in [
            ("CAST('event' AS TEXT)", "''", true),
            ("'event'", "char(0)", false),
            ("'event'", "char(0) || 'x'", false),
            ("'event'", "CAST(x'ff' AS TEXT)", false),
            ("'event'", "char(10)", false),
            ("'event' || char(0)", "''", false),
            ("'\"event'", "''", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut connection = connection(&folder).await;
            let sql = format!(
                "INSERT INTO subject (id) VALUES (zeroblob(16)); \
                 INSERT INTO identifier VALUES ('customer', '1', zeroblob(16)); \
                 INSERT INTO event VALUES (1, zeroblob(16), 0, {kind}, '{good}' || {tail})"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            let answered = window(&mut connection, &who).await;
            match answered {
                Ok(batch) => assert!(well && batch.answers != [Resolution::Unresolved], "{kind} {tail}"),
                Err(e) => assert!(!well && e.kind() == crate::LedgerErrorKind::Corrupt, "{kind} {tail}"),
            }
        }
    }

    #[tokio::test]
    async fn a_window_of_any_size_is_answered_place_by_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connection(&folder).await;
        let id = |n: usize| Identifier::new(consentry_model::Space::new("customer"), &n.to_string());
        let at = Moment::from_unix_millis(0);
        let even = crate::sqlite::write::append(&mut connection, &id(0), &[], at).await.unwrap().subject;
        for n in (2..300).step_by(2) {
            crate::sqlite::write::link(&mut connection, &id(0), &id(n), at).await.unwrap();
        }
        for size in [0, 1, 2, 7, 8, 9, 63, 64, 65, 255, 256] {
            let who: Vec<_> = (0..size).map(id).collect();
            let batch = window(&mut connection, &who).await.unwrap();
            assert_eq!((batch.revision.0, batch.answers.len()), (150, size));
            for (n, answer) in batch.answers.iter().enumerate() {
                match answer {
                    Resolution::Known(state) => {
                        assert_eq!((n % 2, state.subject), (0, even), "{n} of {size}")
                    }
                    Resolution::Unresolved => assert_eq!(n % 2, 1, "{n} of {size}"),
                }
            }
        }
        assert!(window(&mut connection, &vec![id(0); 257]).await.is_err());
    }
}
