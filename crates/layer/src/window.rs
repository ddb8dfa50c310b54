//! What a window of an answer is decided on: whom it is about, what each value is, and what stands now.

use bytes::Bytes;
use consentry_audit::Receipt;
use consentry_body::{BodyFault, RecordSubject, SubjectIx, Window};
use consentry_model::{ClassId, Identifier, Moment, Reason, Resolution, Treatment, Verdict};
use consentry_policy::{Refusal, Route, SubjectSource};

use crate::anew::is_old;
use crate::asking::Asking;
use crate::body::release;
use crate::decide::{is_broken, spare_one};
use crate::describe::Access;
use crate::evidence::Lines;
use crate::faults::of_answer;
use crate::people::{Told, Whom, resolve};
use crate::present::{Says, item_facts};
use crate::pseudonyms::is_same_month;
use crate::pump::Pump;

/// The verdicts of a window.
type Verdicts = std::collections::BTreeMap<(SubjectIx, ClassId), Verdict>;

impl<R> Pump<R> {
    /// Decides a window, records the verdicts, and releases its bytes for the receipt.
    pub(crate) async fn release(&mut self, window: &Window) -> Result<Bytes, Refusal> {
        // Beside records nothing is decided beforehand.
        let beside =
            !window.groups.is_empty() && self.decided.access.route().is_ok_and(Route::answers_in_records);
        let whole = !beside && window.subjects.iter().all(|s| *s == RecordSubject::Request);
        // What streams is decided window by window: a person who says no while it does is heard.
        let anew = self.streaming || is_old(self.looked_at, self.open.shared.clock.now(), &self.open);
        if whole && !anew {
            let answers = &self.decided.answered.by_class;
            // A body asks for each of its values: in order, they are found quickly.
            let answers: Vec<_> =
                answers.iter().map(|(class, verdict)| (*class, verdict.treatment)).collect();
            let decide = |_: SubjectIx, class: ClassId| {
                let at = answers.binary_search_by_key(&class, |(class, _)| *class).ok();
                at.and_then(|at| answers.get(at)).map_or(Treatment::Withheld, |(_, treatment)| *treatment)
            };
            return release(&mut self.redactor, &decide, &self.receipt).map_err(of_answer);
        }
        if self.streaming && window.groups.is_empty() {
            // There is nothing to decide on, and nothing to record: a sign of life costs no look at the ledger.
            let now = self.open.shared.clock.now();
            self.decided.may_go_on(now, &self.open).map_err(Refusal::plain)?;
            self.pass_time(now).map_err(Refusal::plain)?;
            let nobody = |_: SubjectIx, _: ClassId| Treatment::Withheld;
            return release(&mut self.redactor, &nobody, &self.receipt).map_err(of_answer);
        }
        let (verdicts, receipt, worst) = Box::pin(self.decide(window, anew)).await?;
        let decide = |subject: SubjectIx, class: ClassId| {
            verdicts.get(&(subject, class)).map_or(Treatment::Withheld, |v| v.treatment)
        };
        // Where nothing is left of the whole answer, it is for the reason of what was withheld.
        release(&mut self.redactor, &decide, &receipt).map_err(|error| match (error.kind(), worst) {
            (BodyFault::NothingLeft, Some(reason)) => Refusal::personal(reason),
            _ => of_answer(error),
        })
    }

    async fn decide(
        &mut self,
        window: &Window,
        anew: bool,
    ) -> Result<(Verdicts, Receipt, Option<Reason>), Refusal> {
        let people = self.whom(window, anew).await.map_err(Refusal::plain)?;
        let access = &self.decided.access;
        let in_records = access.route().is_ok_and(Route::answers_in_records);
        let answering = access.answering();
        let (mut lines, mut verdicts, mut bound) = (Lines::default(), Verdicts::new(), None);
        let told: Vec<_> = people.iter().map(|(whom, own)| access.told(whom, *own, &answering)).collect();
        for (subject, class) in &window.groups {
            let no_such = || Refusal::plain(Reason::EvaluationError);
            let told = told.get(subject.index()).ok_or_else(no_such)?;
            let record = window.subject(*subject).ok_or_else(no_such)?;
            let says = access.with_name(record, item_facts(access, record));
            let mut verdict = access.verdict(&answering, *class, told, &says, &mut lines);
            if self.open.known.report_only() {
                if let Some(reason) = is_broken(&verdict) {
                    return Err(Refusal::plain(reason));
                }
                self.open.known.note_spared(spare_one(&mut verdict.treatment));
            } else if !in_records && access.is_bound(&verdict) {
                bound = bound.or(verdict.reason);
            }
            verdicts.insert((*subject, *class), verdict);
        }
        drop(told);
        let record = window.subjects.iter().zip(&people).find(|(s, _)| **s != RecordSubject::Request);
        if let Some((subject, (whom, own))) = record.filter(|_| self.records == 0) {
            self.only = Some((whom.clone(), *own, item_facts(access, subject)));
        }
        let more = window.subjects.iter().filter(|s| **s != RecordSubject::Request).count();
        self.records = self.records.saturating_add(more);
        let worst = lines.worst();
        let record = self.open.verdicts(&self.decided, self.window, lines);
        self.window += 1;
        let receipt = self.open.commit(record).await.map_err(Refusal::plain)?;
        // An obligation refuses the whole exchange, whenever it is broken.
        bound.map_or(Ok((verdicts, receipt, worst)), |reason| Err(Refusal::personal(reason)))
    }

    /// Whom a window is about. What is decided by an answer of the ledger is decided at a time that is not before it: what it
    /// holds has happened.
    async fn whom(&mut self, window: &Window, anew: bool) -> Result<Vec<(Whom, bool)>, Reason> {
        let per_record = self.decided.access.about().is_some_and(|a| a.subject == SubjectSource::PerRecord);
        let people = self.people(window, per_record, anew).await?;
        let now = self.open.shared.clock.now();
        if anew {
            self.decided.may_go_on(now, &self.open)?;
            self.looked_at = now;
        }
        if anew || per_record {
            self.pass_time(now)?;
        }
        Ok(people)
    }

    /// Decides at this time from now on, with the key of its month: a pseudonym says nothing of one that was made before.
    fn pass_time(&mut self, now: Moment) -> Result<(), Reason> {
        let access = &mut self.decided.access;
        let before = access.now;
        access.pass_time(now)?;
        if !is_same_month(before, access.now) {
            self.redactor.use_pseudonyms(self.open.shared.pseudonyms(access));
        }
        Ok(())
    }

    /// Whom the window is about, and whether it is whoever asks, in one answer of the ledger. Where the request names the
    /// subject, every record is about them; figures are about nobody.
    async fn people(
        &mut self,
        window: &Window,
        per_record: bool,
        anew: bool,
    ) -> Result<Vec<(Whom, bool)>, Reason> {
        let route = self.decided.access.route()?;
        let map = route.response_body.fields().ok_or(Reason::EvaluationError)?;
        if !per_record {
            if anew {
                self.decided.look_again(&self.open.shared).await?;
            }
            let (whom, own) = (self.decided.whom.clone(), self.decided.own);
            return Ok(window.subjects.iter().map(|_| (whom.clone(), own)).collect());
        }
        let identifier = |subject: &RecordSubject| match subject {
            RecordSubject::Request => None,
            RecordSubject::Record { scope, id, .. } => {
                let space = map.scope(*scope)?.space.clone();
                id.as_ref().map(|id| Identifier::new(space, id))
            }
        };
        let named: Vec<Option<Identifier>> = window.subjects.iter().map(identifier).collect();
        let asked: Vec<Identifier> = named.iter().flatten().cloned().collect();
        let (ledger, answers) = resolve(&self.open.shared, &asked).await?;
        self.decided.ledger = ledger;
        let mut answers = answers.into_iter();
        let whom = named.into_iter().map(|name| match name {
            Some(_) => (Whom::Somebody(answers.next().unwrap_or(Resolution::Unresolved)), false),
            None => (Whom::Somebody(Resolution::Unresolved), false),
        });
        Ok(whom.collect())
    }
}

impl Access {
    /// The verdict on one class of an answer about somebody, who says this.
    fn verdict(
        &self,
        answering: &Asking,
        class: ClassId,
        told: &Told<'_>,
        says: &Says,
        lines: &mut Lines,
    ) -> Verdict {
        let variant = self.class_of(told, class);
        let data = self.facts_of(told, variant.unwrap_or(class), says);
        let verdict = match variant {
            Some(class) => {
                let (engine, question) = (&self.installed.engine, self.question(answering, class));
                engine.decide_on(&question, &data.word, &data.facts, told.person, self.now)
            }
            None => Verdict::withheld(Reason::SubjectTypeUnknown),
        };
        lines.add(self, variant.unwrap_or(class), &verdict, &data.facts, told);
        verdict
    }
}
