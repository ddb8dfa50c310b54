//! Verdicts and rulings → records.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_audit::{
    Closing, End, FactWords, Head as HeadRecord, PathCount, Unmet, VerdictLine, Worded, Wording,
};
use consentry_body::Report;
use consentry_model::{
    Category, ClassId, FactSource, Facts, LedgerRevision, Outcome, Reason, RuleId, SubjectRef, SubjectType,
    Treatment, Verdict,
};
use consentry_policy::DataClass;

use crate::decide::AsOf;
use crate::describe::{Access, Known};
use crate::people::{Told, Whom};
use crate::precedent::Precedent;
use crate::slot::Installed;

/// Among how many lines one is looked for that says the same of another class.
const SHARED_WITH_MAX: usize = 16;

/// Collects answers and groups those that are the same.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    /// Facts, and the same in words.
    facts: Vec<(Facts, Arc<FactWords>)>,
    /// Answers that were given before, and whom they are about this time.
    followed: Option<(Arc<Precedent>, Option<SubjectRef>)>,
    /// The obligation that stands against the exchange for what it is.
    unmet: Option<RuleId>,
}

/// The answer for one class of any number of subjects.
#[derive(Clone)]
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
    /// One more subject has it: one whom the ledger knows, once, or another.
    fn count(&mut self, subject: Option<SubjectRef>) {
        match subject {
            Some(subject) if self.subjects.contains(&subject) => {}
            Some(subject) => self.subjects.push(subject),
            None => self.unresolved += 1,
        }
    }

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
        let assumed = told.assumed_for(access, class);
        let line = self.line((class, &assumed), facts, verdict, || Line {
            class,
            category: data.category.clone(),
            subject_type: data.subject_type.clone(),
            origin: origin(access, data),
            verdict: verdict.clone(),
            facts,
            assumed: assumed.clone(),
            subjects: Vec::new(),
            unresolved: 0,
        });
        match (told.whom(), line) {
            (whom @ Whom::Somebody(_), Some(line)) => line.count(whom.subject()),
            (Whom::Somebody(_), None) | (Whom::Nobody, _) => {}
        }
    }

    /// The line that says this of this class, and rests on as much that is only assumed.
    fn line(
        &mut self,
        (class, assumed): (ClassId, &[Arc<str>]),
        facts: usize,
        verdict: &Verdict,
        new: impl FnOnce() -> Line,
    ) -> Option<&mut Line> {
        let same = |line: &Line| {
            (line.class, line.facts, &*line.assumed) == (class, facts, assumed)
                && is_same(&line.verdict, verdict)
        };
        match self.lines.iter().rposition(same) {
            Some(at) => self.lines.get_mut(at),
            None => Some(self.lines.push_mut(new())),
        }
    }

    /// Adds that an obligation stands against the exchange for what it is, and not for its data.
    pub(crate) fn unmet(&mut self, rule: RuleId) {
        self.unmet = Some(rule);
    }

    /// Adds the answers that a precedent gives, about one person or about nobody whom the ledger knows.
    pub(crate) fn follow(&mut self, precedent: &Arc<Precedent>, subject: Option<SubjectRef>) {
        self.spell_out();
        self.followed = Some((Arc::clone(precedent), subject));
    }

    /// Adds what a precedent says line by line: from here on it is one of several things that are said.
    fn spell_out(&mut self) {
        let Some((precedent, subject)) = self.followed.take() else { return };
        let mut lines = precedent.lines.clone();
        lines.lines.iter_mut().for_each(|line| line.subjects.extend(subject));
        self.take_over(lines);
    }

    /// Adds others.
    pub(crate) fn take_over(&mut self, others: Self) {
        self.unmet = self.unmet.take().or(others.unmet);
        for line in others.lines {
            let Some((facts, words)) = others.facts.get(line.facts) else { continue };
            let facts = self.facts.iter().rposition(|(there, _)| there == facts).unwrap_or_else(|| {
                self.facts.push((facts.clone(), Arc::clone(words)));
                self.facts.len() - 1
            });
            let (subjects, unresolved) = (line.subjects.clone(), line.unresolved);
            let new = || Line { facts, subjects: Vec::new(), unresolved: 0, ..line.clone() };
            let Some(there) = self.line((line.class, &line.assumed), facts, &line.verdict, new) else {
                continue;
            };
            subjects.into_iter().for_each(|subject| there.count(Some(subject)));
            there.unresolved += unresolved;
        }
    }

    /// The same about nobody, if all of it is about this person, or none of it about anybody.
    pub(crate) fn about_anybody(&self, subject: Option<SubjectRef>) -> Option<Self> {
        let about: Vec<SubjectRef> = subject.into_iter().collect();
        if self.followed.is_some() || !self.lines.iter().all(|line| line.subjects == about) {
            return None;
        }
        let mut lines = self.clone();
        lines.lines.iter_mut().for_each(|line| line.subjects.clear());
        Some(lines)
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
        self.spell_out();
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
        let followed = self.followed.iter().flat_map(|(precedent, _)| &precedent.lines.lines);
        let lines = self.lines.iter().chain(followed);
        let withheld = lines.filter(|line| line.verdict.treatment == Treatment::Withheld);
        consentry_policy::gravest(withheld.filter_map(|line| line.verdict.reason))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.followed.is_none()
    }

    /// Says in a head record what stands against the exchange for what it is.
    fn note_unmet(&mut self, record: &mut HeadRecord, installed: &Installed) {
        let Some(rule) = self.unmet.take() else { return };
        let clauses = installed.engine.bundle().clauses_of(&rule).cloned().collect();
        record.unmet = Some(Box::new(Unmet { rule, clauses }));
    }

    /// What the only thing that is said is in words already.
    fn in_words(&self) -> Option<Worded> {
        let (precedent, subject) = self.followed.as_ref().filter(|_| self.lines.is_empty())?;
        Some(Worded::new(Arc::clone(&precedent.wording), *subject))
    }

    /// The lines in the order of their classes; classes of which the same is said share one.
    pub(crate) fn into_vec(mut self) -> Vec<VerdictLine> {
        self.spell_out();
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
    let mut record = changing(known, outcome, reason);
    record.requester.clone_from(&known.requester);
    record.proof = known.proof;
    record.recipient.clone_from(&known.recipient);
    record.purpose = known.purpose.as_ref().map(|(purpose, _)| purpose.clone());
    record.purpose_source = known.purpose.as_ref().map(|(_, source)| *source);
    record.route.clone_from(&known.route);
    record.act = known.act;
    record.bundle = installed.map(|i| i.engine.bundle().digest.clone());
    record.vocabulary = installed.map(|i| i.vocabulary.clone());
    record
}

/// The head record without who asks for what under which bundle.
fn changing(known: &Known, outcome: Outcome, reason: Option<Reason>) -> HeadRecord {
    let mut record = HeadRecord::new(outcome);
    record.reason = reason;
    record.report_only = known.report_only();
    record
}

/// The head record of a refusal, before anything was asked of the service.
pub(crate) fn refused(
    installed: &Installed,
    known: &Known,
    reason: Reason,
    as_of: AsOf,
    mut lines: Lines,
) -> HeadRecord {
    let mut record = head(Some(installed), known, Outcome::Refuse, Some(reason));
    (record.ledger, record.at) = (as_of.ledger, as_of.at);
    lines.note_unmet(&mut record, installed);
    record.verdicts = lines.into_vec();
    record
}

/// The whole head record of a ruling.
pub(crate) fn ruled(
    access: &Access,
    known: &Known,
    ledger: LedgerRevision,
    outcome: Outcome,
    reason: Option<Reason>,
    mut lines: Lines,
) -> HeadRecord {
    // Words that told of another request would cost the truth: then it is put into words again.
    let worded = lines.in_words().filter(|worded| tells(worded.wording(), known, &access.installed));
    let mut record = match &worded {
        Some(_) => changing(known, outcome, reason),
        None => head(Some(&access.installed), known, outcome, reason),
    };
    (record.ledger, record.at) = (Some(ledger), Some(access.now));
    lines.note_unmet(&mut record, &access.installed);
    if worded.is_none() {
        record.verdicts = lines.into_vec();
        record.facts = access.request_words();
    }
    record.worded = worded;
    record
}

/// Whether words tell who asks for what as it is known.
fn tells(wording: &Wording, known: &Known, installed: &Installed) -> bool {
    let asked = wording.asked();
    let (purpose, source) = known.purpose.as_ref().map(|(purpose, source)| (purpose, *source)).unzip();
    (&asked.requester, asked.proof, &asked.recipient) == (&known.requester, known.proof, &known.recipient)
        && (asked.purpose.as_ref(), asked.purpose_source) == (purpose, source)
        && (&asked.route, asked.act) == (&known.route, known.act)
        && asked.bundle.as_ref() == Some(&installed.engine.bundle().digest)
        && asked.vocabulary.as_ref() == Some(&installed.vocabulary)
}

impl Access {
    /// What the request states, in words.
    pub(crate) fn request_words(&self) -> FactWords {
        self.words(&self.stated.facts, |def| def.source == FactSource::Request)
    }
}

/// What was taken from a request: paths with the side they stand on, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) paths: BTreeMap<String, u64>,
    pub(crate) undeclared: u64,
    /// How many values went on in another form.
    pub(crate) altered: u64,
    /// How many records did not go on.
    pub(crate) omitted: u64,
}

impl Taken {
    pub(crate) fn path(&mut self, path: String) {
        *self.paths.entry(path).or_default() += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && (self.undeclared, self.altered, self.omitted) == (0, 0, 0)
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
    closing.omitted = report.omitted + taken.omitted;
    closing.altered = report.altered.values().sum::<u64>() + taken.altered;
    closing.undeclared = report.undeclared + taken.undeclared;
    let all = taken.paths.iter().chain(&report.withheld);
    closing.withheld = all.map(|(path, count)| PathCount(path.as_str().into(), *count)).collect();
    closing
}
