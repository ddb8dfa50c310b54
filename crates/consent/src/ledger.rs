//! What every ledger does.

use async_trait::async_trait;
use consentry_model::{Identifier, LedgerEvent, LedgerRevision, Moment, Resolution, SubjectRef};

use crate::{LedgerError, Limit, Reserved};

/// The answers to one window of identifiers, all from one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many entries the ledger held in that snapshot.
    pub revision: LedgerRevision,
    /// One answer for each identifier, in the order in which they were asked.
    pub answers: Vec<Resolution>,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Whom it was written for.
    pub subject: SubjectRef,
    /// The revision that holds it: whatever is decided at or after it is bound by it.
    pub revision: LedgerRevision,
}

/// An append-only history of events per subject, and the identifiers that name the subjects.
///
/// The revision counts entries, without gaps. An entry is an event, a link of two identifiers, or the registration
/// of a subject without events: whatever changes an answer raises the revision.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Answers a whole window in one batch, in the order asked, from one consistent snapshot. An identifier that
    /// nobody recorded is [`Resolution::Unresolved`].
    ///
    /// # Errors
    /// When the ledger does not answer in time, or holds something about one of those asked for that cannot be read
    /// back. There is no partial answer.
    async fn resolve(&self, who: &[Identifier]) -> Result<Batch, LedgerError>;

    /// Appends events for the subject that the identifier names, and creates the subject when it names nobody.
    /// Durable when it returns; all of them or none. Without any events it only makes sure that the subject exists.
    ///
    /// # Errors
    /// When the events were not recorded. Of a [kind](LedgerError::kind) of
    /// [`Unavailable`](crate::LedgerErrorKind::Unavailable) it is not known whether they were; the same state
    /// recorded twice is the same state, so that the call can be repeated.
    async fn append(
        &self,
        who: &Identifier,
        events: &[LedgerEvent],
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError>;

    /// Claims a place under all of these limits at once: counts the messages that were sent to the subject, and appends
    /// `event` once, which must itself be such a message, only if there are fewer than each of them allows. Counting and
    /// writing are one step: however many ask at once, no more than a limit's `times` are [`Placed`](Reserved::Placed).
    /// Durable when it returns. Nobody is created.
    ///
    /// Only [`Placed`](Reserved::Placed) allows what the place is for.
    ///
    /// # Errors
    /// [`Conflict`](crate::LedgerErrorKind::Conflict) when one of the limits would not count `event`, or there is no limit,
    /// so that it would hold no place; otherwise as for [`append`](Self::append), and when something about the subject cannot be read back, for
    /// then nobody knows the number. After an error of a [kind](LedgerError::kind) of
    /// [`Unavailable`](crate::LedgerErrorKind::Unavailable) it is not known whether the place was taken: it counts as
    /// taken, and what it was for must not happen. Here a repetition is not the same: it may take a second place.
    async fn reserve(
        &self,
        who: &Identifier,
        event: &LedgerEvent,
        limits: &[Limit],
        recorded_at: Moment,
    ) -> Result<Reserved, LedgerError>;

    /// States that two identifiers name the same subject: an act of the controller, never of a caller. Where both
    /// already name a subject, the one that `known` names keeps its reference, the events of both count from now on,
    /// so that the stricter state wins, and the other reference becomes an alias of it. Where they already name the
    /// same subject, nothing is written.
    ///
    /// # Errors
    /// [`Unresolved`](crate::LedgerErrorKind::Unresolved) when `known` names nobody; otherwise as for
    /// [`append`](Self::append).
    async fn link(
        &self,
        known: &Identifier,
        also: &Identifier,
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError>;

    /// How many entries the ledger holds now. An answer is also the sign that the ledger is ready.
    ///
    /// # Errors
    /// When the ledger does not answer in time.
    async fn revision(&self) -> Result<LedgerRevision, LedgerError>;
}
