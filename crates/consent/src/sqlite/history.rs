//! When each entry was recorded, which may be long after the moment from which it counts.

use std::time::Duration;

use consentry_model::{LedgerRevision, Moment, SubjectRef};

use crate::{LEDGER_ANSWER_MILLIS_MAX, LedgerError, LedgerErrorKind, SqliteLedger};

/// The entries of a subject and of those that were merged into it.
const RECORDED: &str = "SELECT event.revision, event.recorded_at FROM subject \
     CROSS JOIN event ON event.subject = subject.id \
     WHERE subject.id = ?1 OR subject.merged_into = ?1 ORDER BY event.revision";

impl SqliteLedger {
    /// When each entry about a subject was recorded, the oldest entry first: what tells a yes that was dated back
    /// from one that was recorded when it was given. Of a reference that nobody has, there is no entry.
    ///
    /// # Errors
    /// When the ledger does not answer in time, or holds what cannot be read back.
    pub async fn history(&self, subject: &SubjectRef) -> Result<Vec<(LedgerRevision, Moment)>, LedgerError> {
        let late = |_| LedgerError::new(LedgerErrorKind::Unavailable, "the ledger did not answer in time");
        let asked = self.recorded(subject);
        tokio::time::timeout(Duration::from_millis(LEDGER_ANSWER_MILLIS_MAX), asked).await.map_err(late)?
    }

    async fn recorded(&self, subject: &SubjectRef) -> Result<Vec<(LedgerRevision, Moment)>, LedgerError> {
        self.file.still_there()?;
        let mut reader = self.readers.take().await?;
        let found: Result<Vec<(i64, i64)>, sqlx::Error> = sqlx::query_as(RECORDED)
            .bind(subject.as_bytes().as_slice())
            .fetch_all(reader.connection()?)
            .await;
        if found.is_err() {
            reader.unfit();
        }
        drop(reader);
        self.file.still_there()?;
        let entry = |(revision, recorded): (i64, i64)| {
            let revision = u64::try_from(revision)
                .map_err(|_| LedgerError::corrupt("a stored revision cannot be read back"))?;
            Ok((LedgerRevision(revision), Moment::from_unix_millis(recorded)))
        };
        found?.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use consentry_model::{ContractState, Identifier, LedgerEvent, Space};

    use super::*;
    use crate::Ledger as _;

    #[tokio::test]
    async fn entries_tell_when_they_were_recorded_also_after_a_merge() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(folder.path().join("ledger.db")).await.unwrap();
        let at = Moment::from_unix_millis;
        let event = [LedgerEvent::Contract { state: ContractState::Active, effective: at(1) }];
        let who = |id| Identifier::new(Space::new("customer"), id);
        for (id, recorded) in [("a", 100), ("b", 200), ("a", 300), ("other", 400)] {
            ledger.append(&who(id), &event, at(recorded)).await.unwrap();
        }
        let kept = ledger.link(&who("a"), &who("b"), at(500)).await.unwrap().subject;
        let told: Vec<_> = ledger.history(&kept).await.unwrap();
        let told: Vec<_> = told.into_iter().map(|(r, at)| (r.0, at.unix_millis())).collect();
        assert_eq!(told, [(1, 100), (2, 200), (3, 300), (5, 500)]);
        assert_eq!(ledger.history(&SubjectRef::from_bytes([0; 16])).await.unwrap(), []);
    }
}
