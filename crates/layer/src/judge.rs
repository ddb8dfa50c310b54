//! The verdicts on one exchange, class by class and person by person.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_audit::Wording;
use consentry_body::{RecordSubject, SubjectIx};
use consentry_model::{Act, ClassId, Outcome, Reason, Resolution, RuleId, SubjectRef, Treatment, Verdict};
use consentry_policy::{Body, Duty, FactTarget, Item, Refusal, Route, Rule, Ruling, SubjectSource};

use crate::asking::Asking;
use crate::data::DataFacts;
use crate::describe::{Access, Known};
use crate::evidence::{self, Lines};
use crate::head::Head;
use crate::people::{Told, Whom};
use crate::precedent::{Answered, Case, Precedent, Somebody};
use crate::present::{Present, item_facts};
use crate::query;
use crate::request::{self, Brought, Treatments};
use crate::stated::Found;

impl Access {
    /// What a record says, with the identifier by which it names its subject, where it names one of its own.
    pub(crate) fn with_name(
        &self,
        subject: &RecordSubject,
        mut says: Vec<(FactTarget, Found)>,
    ) -> Vec<(FactTarget, Found)> {
        if let RecordSubject::Record { id: Some(id), .. } = subject {
            let target = FactTarget::Operand(self.bundle().facts.core_operands.subject);
            says.push((target, Found::Text(id.to_string())));
        }
        says
    }
}

/// The verdicts on what a request brings.
pub(crate) struct Brings {
    pub(crate) items: Vec<Item>,
    pub(crate) treatments: Treatments,
    /// Which item is about which subject and class of the body.
    pub(crate) of_body: BTreeMap<(SubjectIx, ClassId), usize>,
    /// Which of them are left out for the sake of what was promised to their subjects, whatever the rules say of them.
    pub(crate) left_out: BTreeSet<(SubjectIx, ClassId)>,
    /// The rules refuse, which is only reported: the request agrees to nothing, and what it asks for is not done.
    pub(crate) is_refused: bool,
}

impl Access {
    /// The reason for which a class cannot be had whoever the person is.
    pub(crate) fn hopeless(&self, asking: &Asking, class: ClassId) -> Option<Reason> {
        let DataFacts { facts, word } = &**self.impersonal(asking);
        self.installed.engine.hopeless_on(&self.question(asking, class), word, facts, self.now)
    }

    /// Only of what is withheld does it matter whether anybody's state could have made it a yes. Where none could, that
    /// is the reason, whoever the person is.
    pub(crate) fn judge(
        &self,
        asking: &Asking,
        class: ClassId,
        told: &Told<'_>,
        data: &DataFacts,
    ) -> (Verdict, Option<Reason>) {
        let mut verdict = match self.class_of(told, class) {
            Some(class) => {
                let question = self.question(asking, class);
                let engine = &self.installed.engine;
                engine.decide_on(&question, &data.word, &data.facts, told.person, self.now)
            }
            None => Verdict::withheld(Reason::SubjectTypeUnknown),
        };
        let withheld = verdict.treatment == Treatment::Withheld;
        let hopeless = withheld.then(|| self.hopeless(asking, class)).flatten();
        verdict.reason = hopeless.or(verdict.reason);
        (verdict, hopeless)
    }

    /// The verdict on one class of one person, recorded.
    pub(crate) fn item(
        &self,
        asking: &Asking,
        class: ClassId,
        told: &Told<'_>,
        says: &[(FactTarget, Found)],
        lines: &mut Lines,
    ) -> (Item, Treatment) {
        let variant = self.class_of(told, class).unwrap_or(class);
        let data = self.facts_of(told, variant, says);
        let (verdict, hopeless) = self.judge(asking, class, told, &data);
        lines.add(self, variant, &verdict, &data.facts, told);
        let treatment = verdict.treatment;
        (Item { hopeless, verdict: Some(verdict) }, treatment)
    }

    /// The verdict on each class that a request brings.
    pub(crate) fn brings(
        &self,
        brought: &Brought,
        head: &Head,
        bringing: &Asking,
        present: &Present,
        lines: &mut Lines,
    ) -> Brings {
        let mut out = Brings {
            items: Vec::new(),
            treatments: Treatments::default(),
            of_body: BTreeMap::new(),
            left_out: BTreeSet::new(),
            is_refused: false,
        };
        let Ok(route) = self.route() else { return out };
        let (in_query, in_body) = (Brought::in_query(route, head), brought.window().map(|w| &*w.groups));
        let in_headers = route.request_headers.iter().filter(|f| head.has(&f.name));
        let in_headers: Vec<ClassId> = in_headers.filter_map(|f| request::class_of(f.field)).collect();
        if in_query.is_empty() && in_headers.is_empty() && in_body.is_none_or(<[_]>::is_empty) {
            return out;
        }
        let told = self.told(&present.whom, present.own, bringing);
        for class in in_query {
            let (item, treatment) = self.item(bringing, class, &told, &[], lines);
            out.treatments.of_request.insert(class, treatment);
            out.items.push(item);
        }
        for (subject, class) in in_body.unwrap_or_default().iter().copied() {
            let record = brought.window().and_then(|w| w.subject(subject));
            let says = record.map(|r| self.with_name(r, item_facts(self, r))).unwrap_or_default();
            let of_body = present.of_body.get(subject.index());
            let (item, treatment) = match of_body.map(|whom| self.told(whom, false, bringing)) {
                Some(theirs) => self.item(bringing, class, &theirs, &says, lines),
                None => self.item(bringing, class, &told, &says, lines),
            };
            out.treatments.of_body.insert((subject, class), treatment);
            out.of_body.insert((subject, class), out.items.len());
            out.items.push(item);
        }
        // What stands in headers is dropped where it may not be brought, and refuses nothing.
        for class in in_headers {
            if let Entry::Vacant(slot) = out.treatments.of_request.entry(class) {
                slot.insert(self.item(bringing, class, &told, &[], lines).1);
            }
        }
        out
    }

    /// An obligation binds the whole exchange: what one of its data does not meet, refuses all of it.
    pub(crate) fn bound(&self, brought: &[Item], answered: &Answered) -> Ruling {
        let mut broken = self.broken(brought);
        broken.extend_from_slice(&answered.bound);
        Ruling::fold_strictly(&broken)
    }

    /// Those verdicts that an obligation determined.
    fn broken(&self, items: &[Item]) -> Vec<Item> {
        let broken = |item: &&Item| item.verdict.as_ref().is_some_and(|verdict| self.is_bound(verdict));
        items.iter().filter(broken).cloned().collect()
    }

    /// Whether an obligation determined a verdict.
    pub(crate) fn is_bound(&self, verdict: &Verdict) -> bool {
        let is_that: fn(&Duty) -> bool = |duty| matches!(duty, Duty::That(_));
        verdict.rules.iter().any(|id| self.installed.engine.obliges(is_that, id))
    }

    /// The rule by which an exchange is refused for what it is, and not for its data: an obligation that speaks of no data binds
    /// a page, and the mere use of a route that carries nothing. Whether anything else was judged.
    pub(crate) fn unmet(&self, is_judged: bool, present: &Present) -> Option<(Option<RuleId>, Refusal)> {
        let engine = &self.installed.engine;
        if !engine.has_duties(|duty| matches!(duty, Duty::That(_))) {
            return None;
        }
        let is_page = self.route().is_ok_and(|route| route.response_body == Body::Page);
        let used = [self.bringing(), self.answering()].map(|asking| (!is_judged).then_some(asking));
        let served = is_page.then(|| self.answering().doing(Act::Serve));
        used.into_iter().flatten().chain(served).find_map(|asking| self.unmet_by_use(&asking, present))
    }

    fn unmet_by_use(&self, asking: &Asking, present: &Present) -> Option<(Option<RuleId>, Refusal)> {
        let engine = &self.installed.engine;
        let Some(mut page) = self.bare_class() else {
            return Some((None, Refusal::plain(Reason::EvaluationError)));
        };
        let question = self.question(asking, ClassId(u16::MAX));
        let by = |(rule, _): (&Rule, bool), refused: fn(Reason) -> Refusal| {
            (Some(rule.id.clone()), refused(rule.reason.unwrap_or(Reason::Prohibited)))
        };
        // What is so whoever the person is, is told as it is; it must not give way to what is told of some people only.
        let nobody = &self.impersonal(asking).facts;
        let known = engine.unmet_by_page(&page, &question, nobody, self.now).find(|(_, is_known)| *is_known);
        if let Some(unmet) = known {
            return Some(by(unmet, Refusal::plain));
        }
        let told = self.told(&present.whom, present.own, asking);
        page.subject_type = told.subject_type.clone().unwrap_or(page.subject_type);
        let facts = self.facts_of(&told, ClassId(u16::MAX), &[]);
        let unmet = engine.unmet_by_page(&page, &question, &facts.facts, self.now).next();
        unmet.map(|unmet| by(unmet, Refusal::personal))
    }

    /// The verdict on what was found in the values of a request: it cannot be taken out, so it must be clear.
    pub(crate) fn found(
        &self,
        found: &[ClassId],
        bringing: &Asking,
        present: &Present,
        lines: &mut Lines,
    ) -> Vec<Item> {
        if found.is_empty() {
            return Vec::new();
        }
        let told = self.told(&present.whom, present.own, bringing);
        found.iter().map(|class| self.item(bringing, *class, &told, &[], lines).0).collect()
    }

    /// The verdict on what a parameter asks for beyond what the answer carries anyway.
    pub(crate) fn added(
        &self,
        head: &Head,
        answering: &Asking,
        present: &Present,
        lines: &mut Lines,
    ) -> Vec<Item> {
        let Ok(route) = self.route() else { return Vec::new() };
        let asked: Vec<_> = query::added(route, head).collect();
        if asked.is_empty() {
            return Vec::new();
        }
        let told = self.told(&present.whom, present.own, answering);
        asked.into_iter().map(|adds| self.item(answering, adds.class, &told, &[], lines).0).collect()
    }

    /// The verdict on each class that an answer may carry; of records, only whether anybody could be a yes.
    pub(crate) fn may_answer(
        &self,
        classes: &[ClassId],
        answering: &Asking,
        known: &Known,
        present: &Present,
        lines: &mut Lines,
    ) -> Arc<Answered> {
        let records = self.route().is_ok_and(Route::answers_in_records);
        let named = self.about().is_some_and(|a| matches!(a.subject, SubjectSource::Named { .. }));
        let anybody = Whom::Somebody(Resolution::Unresolved);
        let whom = if records && !named { &anybody } else { &present.whom };
        let told = self.told(whom, present.own, answering);
        let asked = Classes::new(self, classes, &told);
        let case = self.case(&asked, &told, known);
        // Lines about records are about nobody: who they are is not known yet.
        let subject = whom.subject().filter(|_| !records);
        if let Some(precedent) = self.installed.precedents.get(&case) {
            lines.follow(&precedent, subject);
            return Arc::clone(&precedent.answered);
        }
        let mut found = Lines::default();
        let answered = Arc::new(self.answer(&asked, &told, (records, named), &mut found));
        match self.precedent((&asked, &told, known), &answered, &found, subject) {
            Some(precedent) => {
                let precedent = Arc::new(precedent);
                lines.follow(&precedent, subject);
                self.installed.precedents.keep(case, precedent);
            }
            None => lines.take_over(found),
        }
        answered
    }

    /// The answers to a case, found afresh.
    fn answer(
        &self,
        asked: &Classes<'_>,
        told: &Told<'_>,
        (records, named): (bool, bool),
        lines: &mut Lines,
    ) -> Answered {
        let mut out = Answered::default();
        for (class, variant, data) in asked.each() {
            let (verdict, hopeless) = self.judge(told.asking, class, told, data);
            let variant = variant.unwrap_or(class);
            // Of somebody whom the request names it may be known already that no record can make it a yes.
            let lost = || {
                let question = self.question(told.asking, variant);
                self.installed.engine.hopeless_on(&question, &data.word, &data.facts, self.now).is_some()
            };
            let lost = records && named && lost();
            if records && hopeless.is_none() && !lost {
                // The records decide, each for itself.
                out.items.push(Item { hopeless, verdict: None });
                continue;
            }
            if records {
                lines.add(self, variant, &verdict, &data.facts, &Told::of_nobody(told));
            } else {
                lines.add(self, variant, &verdict, &data.facts, told);
                out.by_class.insert(class, verdict.clone());
            }
            out.items.push(Item { hopeless, verdict: Some(verdict) });
        }
        out.bound = self.broken(&out.items);
        out
    }

    /// What answers are kept as, if they follow from their case alone.
    fn precedent(
        &self,
        (asked, told, known): (&Classes<'_>, &Told<'_>, &Known),
        answered: &Arc<Answered>,
        lines: &Lines,
        subject: Option<SubjectRef>,
    ) -> Option<Precedent> {
        let engine = &self.installed.engine;
        let follows = |variant| engine.follows_from_word(&self.question(told.asking, variant));
        if !asked.each().all(|(class, variant, _)| follows(variant.unwrap_or(class))) {
            return None;
        }
        let lines = lines.about_anybody(subject)?;
        let head = evidence::head(Some(&self.installed), known, Outcome::Refuse, None);
        let wording = Wording::new(head, self.request_words(), lines.clone().into_vec()).ok()?;
        Some(Precedent { answered: Arc::clone(answered), lines, wording: Arc::new(wording) })
    }

    fn case(&self, asked: &Classes<'_>, told: &Told<'_>, known: &Known) -> Case {
        Case {
            route: self.route,
            requester: self.requester.clone(),
            told: (known.recipient.clone(), known.act),
            proof: known.proof,
            named_by: known.purpose.as_ref().map(|(_, source)| *source),
            recipient: told.asking.recipient.clone(),
            act: told.asking.act,
            purpose: told.asking.purpose().clone(),
            stated: self.stated.facts.clone(),
            impersonal: self.impersonal(told.asking).word.clone(),
            somebody: Somebody::from(told.whom()),
            person: told.person,
            subject_type: told.subject_type.clone(),
            assumed: told.assumed.clone(),
            data: asked.data.clone(),
            of_class: asked.of_class.clone(),
        }
    }
}

/// The classes that are asked about, each with the variant for the person and with what is known of the data.
struct Classes<'a> {
    classes: &'a [ClassId],
    variants: Vec<Option<ClassId>>,
    /// What is known of the data, each once, and which of them each class is.
    data: Vec<Arc<DataFacts>>,
    of_class: Vec<usize>,
}

impl<'a> Classes<'a> {
    fn new(access: &Access, classes: &'a [ClassId], told: &Told<'_>) -> Self {
        let variants: Vec<_> = classes.iter().map(|class| access.class_of(told, *class)).collect();
        if let Some(same) = access.facts_of_all(told, classes.iter().zip(&variants).map(variant_or_itself)) {
            return Self { classes, variants, data: vec![same], of_class: vec![0; classes.len()] };
        }
        let (mut data, mut of_class) = (Vec::<Arc<DataFacts>>::new(), Vec::with_capacity(classes.len()));
        for class in classes.iter().zip(&variants).map(variant_or_itself) {
            let facts = access.facts_of(told, class, &[]);
            let same = |there: &Arc<DataFacts>| Arc::ptr_eq(there, &facts) || *there == facts;
            of_class.push(data.iter().position(same).unwrap_or(data.len()));
            if of_class.last() == Some(&data.len()) {
                data.push(facts);
            }
        }
        Self { classes, variants, data, of_class }
    }

    fn each(&self) -> impl Iterator<Item = (ClassId, Option<ClassId>, &DataFacts)> {
        let data = self.of_class.iter().filter_map(|at| self.data.get(*at).map(Arc::as_ref));
        self.classes
            .iter()
            .zip(&self.variants)
            .zip(data)
            .map(|((class, variant), data)| (*class, *variant, data))
    }
}

fn variant_or_itself((class, variant): (&ClassId, &Option<ClassId>)) -> ClassId {
    variant.unwrap_or(*class)
}
