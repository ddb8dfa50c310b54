//! A ledger in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use consentry_model::{
    Identifier, LedgerEvent, LedgerRevision, Moment, RecordedEvent, Resolution, SubjectRef, SubjectState,
};

use crate::subject::fresh_reference;
use crate::{Appended, Batch, Ledger, LedgerError, Limit, Reserved, limit};

/// A ledger in memory, for tests, demonstrations and policy cases. It ends with the process.
#[derive(Default)]
pub struct MemoryLedger {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    revision: u64,
    identifiers: HashMap<Identifier, SubjectRef>,
    subjects: HashMap<SubjectRef, Subject>,
}

enum Subject {
    Own(Arc<SubjectState>),
    /// Merged into another, which is itself no alias.
    AliasOf(SubjectRef),
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The subject of a reference, following an alias to the subject it was merged into.
    ///
    /// # Errors
    /// When an earlier write was interrupted.
    pub fn subject(&self, subject: &SubjectRef) -> Result<Resolution, LedgerError> {
        self.read()?.answer(*subject)
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, Held>, LedgerError> {
        self.held.read().map_err(interrupted)
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Held>, LedgerError> {
        self.held.write().map_err(interrupted)
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn resolve(&self, who: &[Identifier]) -> Result<Batch, LedgerError> {
        let held = self.read()?;
        let answer = |id| match held.identifiers.get(id) {
            None => Ok(Resolution::Unresolved),
            Some(subject) => held.answer(*subject),
        };
        Ok(Batch {
            revision: LedgerRevision(held.revision),
            answers: who.iter().map(answer).collect::<Result<_, _>>()?,
        })
    }

    async fn append(
        &self,
        who: &Identifier,
        events: &[LedgerEvent],
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        let fresh = fresh_reference()?;
        let mut held = self.write()?;
        let subject = match held.identifiers.get(who) {
            Some(known) => held.own(*known)?.subject,
            None => {
                held.identifiers.insert(who.clone(), fresh);
                let state = SubjectState { subject: fresh, events: Vec::new() };
                held.subjects.insert(fresh, Subject::Own(Arc::new(state)));
                held.revision += u64::from(events.is_empty());
                fresh
            }
        };
        held.add(subject, events, recorded_at)
    }

    async fn reserve(
        &self,
        who: &Identifier,
        event: &LedgerEvent,
        limits: &[Limit],
        recorded_at: Moment,
    ) -> Result<Reserved, LedgerError> {
        limit::check(limits, event)?;
        let mut held = self.write()?;
        let Some(known) = held.identifiers.get(who).copied() else { return Ok(Reserved::Unresolved) };
        let state = held.own(known)?;
        if let Some(limit) = limit::exhausted(limits, state) {
            return Ok(Reserved::Exhausted { limit, revision: LedgerRevision(held.revision) });
        }
        let subject = state.subject;
        held.add(subject, std::slice::from_ref(event), recorded_at).map(Reserved::Placed)
    }

    async fn link(
        &self,
        known: &Identifier,
        also: &Identifier,
        _recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        let mut held = self.write()?;
        let Some(kept) = held.identifiers.get(known).copied() else { return Err(LedgerError::UNRESOLVED) };
        let kept = held.own(kept)?.subject;
        let other = match held.identifiers.get(also).copied() {
            Some(other) => Some(held.own(other)?.subject),
            None => None,
        };
        match other {
            Some(other) if other == kept => {}
            Some(other) => {
                held.merge(kept, other)?;
                held.revision += 1;
            }
            None => {
                held.identifiers.insert(also.clone(), kept);
                held.revision += 1;
            }
        }
        Ok(Appended { subject: kept, revision: LedgerRevision(held.revision) })
    }

    async fn revision(&self) -> Result<LedgerRevision, LedgerError> {
        Ok(LedgerRevision(self.read()?.revision))
    }
}

impl Held {
    fn answer(&self, subject: SubjectRef) -> Result<Resolution, LedgerError> {
        if self.subjects.contains_key(&subject) {
            self.own(subject).map(|state| Resolution::Known(Arc::clone(state)))
        } else {
            Ok(Resolution::Unresolved)
        }
    }

    /// The state that a reference stands for, be it the subject's own or an alias.
    fn own(&self, subject: SubjectRef) -> Result<&Arc<SubjectState>, LedgerError> {
        let target = match self.subjects.get(&subject) {
            Some(Subject::AliasOf(other)) => self.subjects.get(other),
            own => own,
        };
        match target {
            Some(Subject::Own(state)) => Ok(state),
            Some(Subject::AliasOf(_)) | None => Err(DANGLING),
        }
    }

    fn own_mut(&mut self, subject: SubjectRef) -> Result<&mut SubjectState, LedgerError> {
        match self.subjects.get_mut(&subject) {
            Some(Subject::Own(state)) => Ok(Arc::make_mut(state)),
            Some(Subject::AliasOf(_)) | None => Err(DANGLING),
        }
    }

    /// Numbers events on from the last entry, for a subject that is no alias.
    fn add(
        &mut self,
        subject: SubjectRef,
        events: &[LedgerEvent],
        recorded_at: Moment,
    ) -> Result<Appended, LedgerError> {
        let first = self.revision + 1;
        let numbered = (first..).map(LedgerRevision).zip(events);
        let recorded =
            numbered.map(|(revision, event)| RecordedEvent { revision, recorded_at, event: event.clone() });
        self.own_mut(subject)?.events.extend(recorded);
        self.revision += events.len() as u64;
        Ok(Appended { subject, revision: LedgerRevision(self.revision) })
    }

    fn merge(&mut self, kept: SubjectRef, other: SubjectRef) -> Result<(), LedgerError> {
        let moved = self.own(other)?.events.clone();
        let state = self.own_mut(kept)?;
        state.events.extend(moved);
        state.events.sort_by_key(|recorded| recorded.revision);
        for subject in self.subjects.values_mut() {
            if matches!(subject, Subject::AliasOf(target) if *target == other) {
                *subject = Subject::AliasOf(kept);
            }
        }
        self.subjects.insert(other, Subject::AliasOf(kept));
        Ok(())
    }
}

const DANGLING: LedgerError = LedgerError::corrupt("a reference leads to no subject");

fn interrupted<G>(_: PoisonError<G>) -> LedgerError {
    LedgerError::unavailable("an earlier write was interrupted")
}
