//! Verdicts and rulings → records.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_audit::{Closing, End, FactWords, Head as HeadRecord, PathCount, VerdictLine};
use consentry_body::Report;
use consentry_model::{
    Category, ClassId, FactSource, Facts, LedgerRevision, Outcome, Reason, SubjectRef, SubjectType,
    Treatment, Verdict,
};
use consentry_policy::DataClass;

use crate::describe::{Access, Known};
use crate::people::{Told, Whom};
use crate::slot::Installed;

/// Among how many lines one is looked for that says the same of another class.
const SHARED_WITH_MAX: usize = 16;

/// Collects answers and groups those that are the same.
#[derive(Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    /// Facts, and the same in words.
    facts: Vec<(Facts, Arc<FactWords>)>,
}

/// The answer for one class of any number of subjects.
struct Line {
    class: ClassId,
    category: Category,
    subject_type: SubjectType,
    origin: Option<Arc<str>>,
    verdict: Verdict,
    /// The position of the facts that it was found on.
    facts: usize,
    assumed: Vec<Arc<str>>,
    subjects: Vec<SubjectRef>,
    unresolved: u64,
}

impl Line {
    /// Whether another one says the same of another class.
    fn says_as(&self, other: &Self) -> bool {
        self.facts == other.facts
            && self.unresolved == other.unresolved
            && is_same(&self.verdict, &other.verdict)
            && self.subjects == other.subjects
            && self.subject_type == other.subject_type
            && self.origin == other.origin
            && self.assumed == other.assumed
    }
}

/// Whether two verdicts say the same. Those that were kept share what they rest on.
fn is_same(one: &Verdict, other: &Verdict) -> bool {
    let shared = Arc::ptr_eq(&one.rules, &other.rules)
        && Arc::ptr_eq(&one.clauses, &other.clauses)
        && Arc::ptr_eq(&one.near, &other.near);
    if shared { one.treatment == other.treatment && one.reason == other.reason } else { one == other }
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
        let Some(data) = access.installed.engine.bundle().service.class(class) else { return };
        let facts = self.facts.iter().rposition(|(there, _)| there == facts).unwrap_or_else(|| {
            self.facts.push((facts.clone(), Arc::new(access.words(facts, |_| true))));
            self.facts.len() - 1
        });
        let same =
            |line: &Line| line.class == class && line.facts == facts && is_same(&line.verdict, verdict);
        let at = self.lines.iter().rposition(same).unwrap_or_else(|| {
            self.lines.push(Line {
                class,
                category: data.category.clone(),
                subject_type: data.subject_type.clone(),
                origin: origin(access, data),
                verdict: verdict.clone(),
                facts,
                assumed: told.assumed_for(access, class),
                subjects: Vec::new(),
                unresolved: 0,
            });
            self.lines.len() - 1
        });
        let Some(line) = self.lines.get_mut(at) else { return };
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
            for line in self.lines.iter_mut().filter(|line| line.class == class) {
                line.subjects.retain(|there| *there != subject);
            }
        }
        self.lines.retain(|line| line.class != class || !line.subjects.is_empty() || line.unresolved > 0);
        self.add(access, class, verdict, facts, told);
    }

    /// The reason that weighs most among those of what is withheld.
    pub(crate) fn worst(&self) -> Option<Reason> {
        let withheld = self.lines.iter().filter(|line| line.verdict.treatment == Treatment::Withheld);
        consentry_policy::gravest(withheld.filter_map(|line| line.verdict.reason))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines in the order of their classes; classes of which the same is said share one.
    pub(crate) fn into_vec(mut self) -> Vec<VerdictLine> {
        self.lines.sort_by_key(|line| line.class);
        let mut groups: Vec<(Line, Vec<Category>)> = Vec::new();
        for line in self.lines {
            // However many people there are, those of one class stand together.
            match groups.iter_mut().rev().take(SHARED_WITH_MAX).find(|(there, _)| there.says_as(&line)) {
                Some((_, further)) => further.push(line.category),
                None => groups.push((line, Vec::new())),
            }
        }
        let words = &self.facts;
        groups
            .into_iter()
            .map(|(line, further)| {
                let mut out = VerdictLine::new(line.category, line.subject_type, &line.verdict);
                out.categories.extend(further);
                out.categories.sort_unstable();
                out.categories.dedup();
                out.origin = line.origin;
                out.subjects = line.subjects;
                out.unresolved = line.unresolved;
                out.facts = words.get(line.facts).map(|(_, words)| Arc::clone(words));
                out.assumed = line.assumed;
                out
            })
            .collect()
    }
}

/// Where the service map says that a class was collected.
fn origin(access: &Access, data: &DataClass) -> Option<Arc<str>> {
    let schema = &access.installed.engine.bundle().facts.schema;
    let id = schema.id("datum.origin")?;
    let (_, value) = data.facts.iter().find(|(fact, _)| *fact == id)?;
    match value {
        consentry_model::FactValue::Word(at) => schema.def(id)?.ty.words().get(usize::from(*at)).cloned(),
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
    record.facts = access.words(&access.stated.facts, |def| def.source == FactSource::Request);
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
