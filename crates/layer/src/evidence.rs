//! Verdicts and rulings → records.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_audit::{Closing, End, Head as HeadRecord, PathCount, VerdictLine};
use consentry_body::Report;
use consentry_model::{ClassId, FactSource, Facts, LedgerRevision, Outcome, Reason, Treatment, Verdict};

use crate::describe::{Access, Known};
use crate::people::{Told, Whom};
use crate::slot::Installed;

/// Collects answers and groups those that are the same.
#[derive(Default)]
pub(crate) struct Lines {
    lines: BTreeMap<(ClassId, usize), VerdictLine>,
    answers: Vec<(ClassId, Verdict, Facts)>,
}

impl Lines {
    /// Adds the answer for one class of one subject.
    pub(crate) fn add(
        &mut self,
        access: &Access,
        class: ClassId,
        verdict: &Verdict,
        facts: &Facts,
        told: &Told<'_>,
    ) {
        let same = |(c, v, f): &(ClassId, Verdict, Facts)| *c == class && v == verdict && f == facts;
        let at = self.answers.iter().position(same).unwrap_or_else(|| {
            self.answers.push((class, verdict.clone(), facts.clone()));
            self.answers.len() - 1
        });
        let Some(data) = access.installed.engine.bundle().service.class(class) else { return };
        let line = self.lines.entry((class, at)).or_insert_with(|| {
            let mut line = VerdictLine::new(data.category.clone(), data.subject_type.clone(), verdict);
            line.origin = origin(access, class);
            line.facts = access.words(facts);
            line.assumed = told.assumed_for(access, class);
            line
        });
        let whom = told.whom();
        let nobody = matches!(whom, Whom::Nobody);
        match whom.subject() {
            Some(subject) if line.subjects.contains(&subject) => {}
            Some(subject) => line.subjects.push(subject),
            None if nobody => {}
            None => line.unresolved += 1,
        }
    }

    /// Puts another answer for one class of one subject in the place of the one that was found before.
    pub(crate) fn replace(
        &mut self,
        access: &Access,
        class: ClassId,
        verdict: &Verdict,
        facts: &Facts,
        told: &Told<'_>,
    ) {
        if let Some(subject) = told.whom().subject() {
            for ((_, _), line) in self.lines.iter_mut().filter(|((c, _), _)| *c == class) {
                line.subjects.retain(|there| *there != subject);
            }
        }
        self.lines.retain(|(c, _), line| *c != class || !line.subjects.is_empty() || line.unresolved > 0);
        self.add(access, class, verdict, facts, told);
    }

    /// The reason that weighs most among those of what is withheld.
    pub(crate) fn worst(&self) -> Option<Reason> {
        let reasons = self.lines.values().filter(|l| l.treatment == Treatment::Withheld);
        consentry_policy::gravest(reasons.filter_map(|l| l.reason))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<VerdictLine> {
        self.lines.into_values().collect()
    }
}

/// Where the service map says that a class was collected.
fn origin(access: &Access, class: ClassId) -> Option<Arc<str>> {
    let bundle = access.installed.engine.bundle();
    let data = bundle.service.class(class)?;
    let id = bundle.facts.schema.id("datum.origin")?;
    let (_, value) = data.facts.iter().find(|(fact, _)| *fact == id)?;
    match value {
        consentry_model::FactValue::Word(at) => {
            bundle.facts.schema.def(id)?.ty.words().get(usize::from(*at)).cloned()
        }
        consentry_model::FactValue::Bool(_) | consentry_model::FactValue::Int(_) => None,
    }
}

/// The head record of what is known so far.
pub(crate) fn head(
    installed: Option<&Installed>,
    known: &Known,
    outcome: Outcome,
    reason: Option<Reason>,
) -> HeadRecord {
    let mut record = HeadRecord::new(outcome);
    record.requester.clone_from(&known.requester);
    record.proof = known.proof;
    record.recipient.clone_from(&known.recipient);
    record.purpose = known.purpose.as_ref().map(|(purpose, _)| purpose.clone());
    record.purpose_source = known.purpose.as_ref().map(|(_, source)| *source);
    record.route.clone_from(&known.route);
    record.act = known.act;
    record.bundle = installed.map(|i| i.engine.bundle().digest.clone());
    record.vocabulary = installed.map(|i| i.vocabulary.clone());
    record.reason = reason;
    record.report_only = known.report_only;
    record
}

/// The whole head record of a ruling.
pub(crate) fn ruled(
    access: &Access,
    known: &Known,
    ledger: LedgerRevision,
    outcome: Outcome,
    reason: Option<Reason>,
    lines: Lines,
) -> HeadRecord {
    let mut record = head(Some(&access.installed), known, outcome, reason);
    record.ledger = Some(ledger);
    record.verdicts = lines.into_vec();
    let of_request = |name: &Arc<str>| {
        let schema = &access.installed.engine.bundle().facts.schema;
        schema.id(name).and_then(|id| schema.def(id)).is_some_and(|d| d.source == FactSource::Request)
    };
    record.facts = access.words(&access.stated.facts);
    record.facts.retain(|name, _| of_request(name));
    record
}

/// What was taken from a request: paths with the side they stand on, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) paths: BTreeMap<String, u64>,
    pub(crate) undeclared: u64,
}

impl Taken {
    pub(crate) fn path(&mut self, path: String) {
        *self.paths.entry(path).or_default() += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.undeclared == 0
    }
}

/// The record of how a request ended.
pub(crate) fn closing(
    end: End,
    status: u16,
    reason: Option<Reason>,
    taken: &Taken,
    report: &Report,
    bytes: u64,
) -> Closing {
    let mut closing = Closing::new(end);
    closing.status = Some(status);
    closing.reason = reason;
    closing.bytes = bytes;
    closing.records = report.records;
    closing.omitted = report.omitted;
    closing.altered = report.altered.values().sum();
    closing.undeclared = report.undeclared + taken.undeclared;
    let all = taken.paths.iter().chain(&report.withheld);
    closing.withheld = all.map(|(path, count)| PathCount(path.as_str().into(), *count)).collect();
    closing
}
