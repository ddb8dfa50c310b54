//! What rules can tell of names. Names of which they can tell the same are answered the same, whatever the facts are: one
//! of them stands for all.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{Act, ClassId, Purpose, RecipientId, RequesterId};

use crate::bundle::Bundle;
use crate::engine::Question;
use crate::rules::{Condition, Duty, Rule, Test, Verb};

/// Numbers for what rules can tell of the names of questions.
pub(crate) struct Numbers<'a> {
    told: Told<'a>,
    requesters: BTreeMap<RequesterId, Vec<String>>,
    recipients: BTreeMap<RecipientId, Vec<String>>,
    purposes: BTreeMap<Purpose, Vec<String>>,
    classes: BTreeMap<ClassId, Vec<String>>,
    numbers: BTreeMap<Vec<String>, usize>,
}

impl<'a> Numbers<'a> {
    pub(crate) fn of(bundle: &'a Bundle) -> Self {
        Self {
            told: Told::of(bundle, None),
            requesters: BTreeMap::new(),
            recipients: BTreeMap::new(),
            purposes: BTreeMap::new(),
            classes: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// Questions with the same numbers get the same answers.
    pub(crate) fn question(&mut self, question: &Question) -> [usize; 5] {
        let told = &self.told;
        let requester = self.requesters.entry(question.requester.clone());
        let requester = requester.or_insert_with(|| told.requester(&question.requester)).clone();
        let recipient = self.recipients.entry(question.recipient.clone());
        let recipient = recipient.or_insert_with(|| told.recipient(&question.recipient)).clone();
        let purpose = self.purposes.entry(question.purpose.clone());
        let purpose = purpose.or_insert_with(|| told.purpose(&question.purpose)).clone();
        let class = self.classes.entry(question.class).or_insert_with(|| told.class(question.class)).clone();
        let act = told.act(question.act);
        [requester, recipient, purpose, class, act].map(|told| {
            let next = self.numbers.len();
            *self.numbers.entry(told).or_insert(next)
        })
    }
}

/// What rules can tell of names: each name gets the answers to everything that some rule asks of it.
pub(crate) struct Told<'a> {
    bundle: &'a Bundle,
    rules: Vec<&'a Rule>,
    native: Vec<&'a str>,
}

impl<'a> Told<'a> {
    /// What the rules of a bundle can tell, and one more.
    pub(crate) fn of(bundle: &'a Bundle, more: Option<&'a Rule>) -> Self {
        let native = bundle.native.iter().map(|native| native.text.as_str()).collect();
        Self { bundle, rules: bundle.rules.iter().chain(more).collect(), native }
    }

    pub(crate) fn requester(&self, name: &RequesterId) -> Vec<String> {
        let by = self.rules.iter().filter(|r| !r.by.is_empty()).map(|r| r.by.contains(name).to_string());
        by.chain(self.in_native(name.as_str())).collect()
    }

    pub(crate) fn act(&self, act: Act) -> Vec<String> {
        let acts = self.rules.iter().filter(|r| !r.acts.is_empty());
        // What is sent to an outsider is disclosed to them as well.
        let told = acts.map(|r| format!("{} {}", r.acts.contains(&act), r.reaches(act, true)));
        told.chain(self.in_native(act.code())).collect()
    }

    pub(crate) fn recipient(&self, name: &RecipientId) -> Vec<String> {
        let vocabulary = &self.bundle.vocabulary;
        let asked: BTreeSet<&str> = self.rules.iter().flat_map(|r| &r.to).map(|to| to.as_str()).collect();
        let mut asked: Vec<&str> = asked.into_iter().chain(["authority", "external", "internal"]).collect();
        asked.extend(vocabulary.recipients.keys().filter(|key| self.names(key)));
        let mut out: Vec<String> =
            asked.iter().map(|above| vocabulary.recipient_is(name.as_str(), above).to_string()).collect();
        // What the bundle says of a recipient becomes facts.
        out.extend(
            self.bundle.recipients.get(name).map(|def| {
                format!("{} {:?} {:?} {:?}", def.country, def.safeguard, def.agreement, def.tasks)
            }),
        );
        out.push((name.as_str() == "internal").to_string());
        out
    }

    pub(crate) fn purpose(&self, purpose: &Purpose) -> Vec<String> {
        let mut asked: BTreeSet<&str> = ["custom.rights", "third_party_sharing.legal_obligation"].into();
        let keys = &self.bundle.vocabulary.purposes;
        asked.extend(self.rules.iter().flat_map(|r| r.purposes.iter().flatten()).map(|p| p.as_str()));
        asked.extend(self.bundle.recipients.values().flat_map(|r| &r.tasks).map(|p| p.as_str()));
        let mut tested = BTreeSet::new();
        self.each_test(&mut |test| {
            if let Test::Purpose(purposes) = test {
                tested.extend(purposes.iter().map(|p| p.as_str().to_owned()));
            }
        });
        asked.extend(tested.iter().map(String::as_str));
        asked.extend(keys.keys().filter(|key| self.names(key)));
        let told = |above: &&str| {
            format!("{} {}", keys.is_within(purpose.as_str(), above), keys.touches(purpose.as_str(), above))
        };
        asked.iter().map(told).collect()
    }

    pub(crate) fn class(&self, id: ClassId) -> Vec<String> {
        let Some(class) = self.bundle.service.class(id) else { return Vec::new() };
        let keys = &self.bundle.vocabulary.categories;
        let mut asked: BTreeSet<&str> =
            self.rules.iter().flat_map(|r| r.data.iter().flatten()).map(|c| c.as_str()).collect();
        let mut tested = BTreeSet::new();
        self.each_test(&mut |test| {
            if let Test::Data(data) = test {
                tested.extend(data.iter().map(|c| c.as_str().to_owned()));
            }
        });
        asked.extend(tested.iter().map(String::as_str));
        asked.extend(keys.keys().filter(|key| self.names(key)));
        let category = class.category.as_str();
        let told =
            asked.iter().map(|a| format!("{} {}", keys.is_within(category, a), keys.touches(category, a)));
        told.chain([class.subject_type.as_str().to_owned(), format!("{:?} {:?}", class.facts, class.ladder)])
            .collect()
    }

    /// Whether a native policy names a word, in whatever way.
    fn names(&self, word: &str) -> bool {
        self.native.iter().any(|text| text.contains(word))
    }

    fn in_native(&self, word: &str) -> Option<String> {
        self.names(word).then(|| word.to_owned())
    }

    fn each_test(&self, visit: &mut impl FnMut(&Test)) {
        for rule in &self.rules {
            let that: Option<&Condition> = match &rule.verb {
                Verb::Require(Duty::That(that)) => Some(that),
                Verb::Require(_) | Verb::Permit { .. } | Verb::Forbid(_) => None,
            };
            for condition in std::iter::once(&rule.when).chain(&rule.unless).chain(that) {
                condition.each_test(visit);
            }
        }
    }
}
