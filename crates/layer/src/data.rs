//! What is known of one data class of a person: since when it is there, under which notice, whether it is kept.

use std::sync::Arc;

use consentry_consent::{collected_at, notified_of};
use consentry_model::{Act, Category, ClassId, FactDef, FactValue, Facts, Moment, Resolution};
use consentry_policy::{BuiltIn, DataClass, Duty, FactTarget, FactWord, OperandId, Value, Verb};

use crate::describe::Access;
use crate::people::{Told, Whom};
use crate::stated::{Found, Stated};

/// The facts about one data class of a person, and what the rules can find out about them.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct DataFacts {
    pub(crate) facts: Facts,
    pub(crate) word: FactWord,
}

impl Access {
    /// The variant of a class for this person; `None` when nobody knows in which capacity the data was given.
    pub(crate) fn class_of(&self, told: &Told<'_>, class: ClassId) -> Option<ClassId> {
        self.bundle().service.class_for(class, told.subject_type.as_ref())
    }

    /// The facts about one data class of the person, with what the record that holds it says.
    pub(crate) fn facts_of(
        &self,
        told: &Told<'_>,
        class: ClassId,
        item: &[(FactTarget, Found)],
    ) -> Arc<DataFacts> {
        let bundle = self.bundle();
        if item.is_empty() && !self.keeps() {
            return self.facts_by_time(told, class);
        }
        let mut stated = told.stated.clone();
        for (target, found) in item {
            stated.state(&bundle.facts, *target, found, &bundle.settings.zone);
        }
        let collected_at = bundle.facts.core_operands.collected_at;
        let said = item.iter().any(|(target, _)| *target == FactTarget::Operand(collected_at));
        // What the record should say and does not is unknown.
        if let Some(class) = bundle.service.class(class)
            && (!said || *stated.values.get(collected_at) != Value::Unknown)
        {
            self.state_time(&mut stated, told, &class.category);
        }
        if let Some(class) = bundle.service.class(class) {
            self.state_notice(&mut stated, told);
            self.compare(&mut stated);
            self.state_held(&mut stated, told, class);
        } else {
            self.compare(&mut stated);
        }
        self.data_facts(stated.facts)
    }

    /// The same for several classes of which it is the same for all; nothing where it may differ.
    pub(crate) fn facts_of_all(
        &self,
        told: &Told<'_>,
        mut classes: impl Iterator<Item = ClassId> + Clone,
    ) -> Option<Arc<DataFacts>> {
        let known = |class: ClassId| self.bundle().service.class(class).is_some();
        let is_same = !self.keeps() && !told.has_collections(self.now) && classes.clone().all(known);
        classes.next().filter(|_| is_same).map(|class| self.facts_by_time(told, class))
    }

    /// Whether there is a duty to keep something.
    fn keeps(&self) -> bool {
        self.installed.engine.has_duties(|duty| matches!(duty, Duty::Keep { .. }))
    }

    pub(crate) fn data_facts(&self, facts: Facts) -> Arc<DataFacts> {
        let word = self.installed.engine.word(&facts, self.now);
        Arc::new(DataFacts { facts, word })
    }

    /// The same where neither a record nor a duty to keep it says anything of the datum: two that are there since the same
    /// time have the same facts.
    fn facts_by_time(&self, told: &Told<'_>, class: ClassId) -> Arc<DataFacts> {
        let Some(class) = self.bundle().service.class(class) else {
            let mut stated = told.stated.clone();
            self.compare(&mut stated);
            return self.data_facts(stated.facts);
        };
        // Of whom no collection is recorded, all data is there since the same time.
        if !told.has_collections(self.now)
            && let Some((_, facts)) = told.of_data.borrow().first()
        {
            return Arc::clone(facts);
        }
        let since = self.time_of(&told.stated, told, &class.category);
        if let Some((_, facts)) = told.of_data.borrow().iter().find(|(there, _)| *there == since) {
            return Arc::clone(facts);
        }
        let mut stated = told.stated.clone();
        stated.values.set(self.bundle().facts.core_operands.collected_at, since.clone());
        self.state_notice(&mut stated, told);
        self.compare(&mut stated);
        self.state_held(&mut stated, told, class);
        let facts = self.data_facts(stated.facts);
        told.of_data.borrow_mut().push((since, Arc::clone(&facts)));
        facts
    }

    /// The moment that an operand is, for one category of the person's data.
    pub(crate) fn moment_of(
        &self,
        told: &Told<'_>,
        operand: OperandId,
        category: &Category,
    ) -> Option<Moment> {
        let mut stated = told.stated.clone();
        self.state_time(&mut stated, told, category);
        match stated.values.get(operand) {
            Value::Time(at) => Some(*at),
            Value::Unknown | Value::Absent | Value::Id(_) | Value::Ids(_) => None,
        }
    }

    /// Since when the datum is there: from now on when it is being given, else as the ledger says.
    fn state_time(&self, stated: &mut Stated, told: &Told<'_>, category: &Category) {
        let at = self.time_of(stated, told, category);
        stated.values.set(self.bundle().facts.core_operands.collected_at, at);
    }

    /// Since when the datum is there, unless the request says it.
    fn time_of(&self, stated: &Stated, told: &Told<'_>, category: &Category) -> Value {
        let bundle = self.bundle();
        let said = stated.values.get(bundle.facts.core_operands.collected_at);
        let covers = |given: &Category| bundle.vocabulary.category_is(category, given);
        let recorded = told.whom.state().and_then(|s| collected_at(s, &covers, self.now));
        let unreadable = FactTarget::Operand(bundle.facts.core_operands.collected_at);
        if stated.unreadable.contains(&unreadable) {
            // What is said and cannot be read may be any time.
            return Value::Unknown;
        }
        match said {
            // What is to come has not been, and of two times the older one binds.
            Value::Time(at) if *at > self.now => Value::Unknown,
            Value::Time(at) => Value::Time(recorded.map_or(*at, |recorded| recorded.min(*at))),
            Value::Unknown => {
                let now = (told.asking.act == Act::Collect).then_some(self.now);
                recorded.or(now).map_or(Value::Unknown, Value::Time)
            }
            Value::Absent | Value::Id(_) | Value::Ids(_) => said.clone(),
        }
    }

    /// Law 10: whether the purpose came with a later notice than the datum, and whether the person was told of it.
    fn state_notice(&self, stated: &mut Stated, told: &Told<'_>) {
        let bundle = self.bundle();
        let book = &bundle.facts;
        let asked = [BuiltIn::PurposeNew, BuiltIn::PurposeTold].map(|b| book.built_in(&b));
        if asked.iter().all(Option::is_none) {
            return;
        }
        let since = bundle.vocabulary.since(told.asking.purpose());
        let version = since.and_then(|id| bundle.settings.versions.iter().find(|(there, _)| there == id));
        let (new, heard) = match (since, version) {
            (None, _) => (Some(false), Some(true)),
            (Some(_), None) => (None, None),
            (Some(id), Some((_, from))) => {
                let new = match stated.values.get(book.core_operands.collected_at) {
                    Value::Time(at) => Some(at < from),
                    Value::Unknown | Value::Absent | Value::Id(_) | Value::Ids(_) => None,
                };
                let heard = match told.whom {
                    Whom::Nobody => Some(false),
                    Whom::Somebody(Resolution::Unresolved) => None,
                    // Word that comes ahead of a version opens nothing before the version is in force.
                    Whom::Somebody(Resolution::Known(state)) => {
                        Some(*from <= self.now && notified_of(state, id, self.now).is_some())
                    }
                };
                (new, heard)
            }
        };
        for (id, value) in asked.into_iter().zip([new, heard]) {
            if let Some(id) = id {
                stated.facts.set(id, value.map(FactValue::Bool));
            }
        }
    }

    /// Whether a duty to keep the datum runs: one that is known to bind, and known not to be over.
    fn state_held(&self, stated: &mut Stated, told: &Told<'_>, class: &DataClass) {
        let (bundle, engine) = (self.bundle(), &self.installed.engine);
        let mut held = (!told.whom.is_unknown()).then_some(false);
        for rule in &bundle.rules {
            let Verb::Require(Duty::Keep { period, since, .. }) = &rule.verb else { continue };
            let question = self.question(told.asking, ClassId(u16::MAX));
            let runs = match stated.values.get(*since) {
                Value::Time(since) => period.after(*since, &bundle.settings.zone).map(|end| self.now < end),
                Value::Absent => Some(false),
                Value::Unknown | Value::Id(_) | Value::Ids(_) => None,
            };
            held = match engine.binds(rule, class, &question, &stated.facts, self.now) {
                Some(false) => held,
                Some(true) if runs == Some(true) => Some(true),
                Some(true) if runs == Some(false) => held,
                Some(true) | None => held.filter(|held| *held),
            };
        }
        stated.facts.set(bundle.facts.core.held, held.map(FactValue::Bool));
    }

    /// The facts about a category of the person's data, of whatever class.
    pub(crate) fn facts_about(&self, told: &Told<'_>, category: &Category) -> Facts {
        let mut stated = told.stated.clone();
        self.state_time(&mut stated, told, category);
        self.compare(&mut stated);
        stated.facts
    }

    /// What a set of facts says in words, for evidence. A fact that is unknown is not there.
    pub(crate) fn words(
        &self,
        facts: &Facts,
        wanted: fn(&FactDef) -> bool,
    ) -> std::collections::BTreeMap<Arc<str>, consentry_audit::FactWord> {
        use consentry_audit::FactWord as Word;
        let schema = &self.bundle().facts.schema;
        let word = |(id, def): (_, &FactDef)| {
            if !wanted(def) {
                return None;
            }
            let value = match facts.get(id)? {
                FactValue::Bool(b) => Word::Bool(b),
                FactValue::Int(n) => Word::Int(n),
                FactValue::Word(at) => Word::Word(Arc::clone(def.ty.words().get(usize::from(at))?)),
            };
            Some((Arc::clone(&def.name), value))
        };
        schema.iter().filter_map(word).collect()
    }
}
