//! What of a question is settled before anybody knows the person or the request: what the service map attests of the
//! data, what the bundle says of the recipient, and its own configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{FactId, FactValue};

use crate::bundle::{Bundle, DataClass, FactTarget};
use crate::engine::{Engine, Question};
use crate::rules::{BuiltIn, FactBook, FactFrom};

/// One bundle's view of one question.
pub(crate) struct View<'e> {
    pub(crate) engine: &'e Engine,
    /// The facts that have one value, or none.
    fixed: BTreeMap<FactId, Option<FactValue>>,
}

impl<'e> View<'e> {
    pub(crate) fn of(engine: &'e Engine, question: &Question) -> Self {
        let bundle = engine.bundle();
        let mut fixed = BTreeMap::new();
        for (target, from) in &bundle.facts.from {
            if let (FactTarget::Fact(id), FactFrom::Constant(value)) = (target, from) {
                fixed.insert(*id, Some(*value));
            }
        }
        recipient(bundle, question, &mut fixed);
        let stated = stated(bundle);
        fixed.retain(|id, _| !stated.contains(id));
        if let Some(class) = bundle.service.class(question.class) {
            attested(bundle, class, &mut fixed);
        }
        Self { engine, fixed }
    }

    /// The facts of the bundle.
    pub(crate) fn book(&self) -> &FactBook {
        &self.engine.bundle().facts
    }

    /// The value of a fact that has only one; the inner `None` is for one that is never known.
    pub(crate) fn fixed(&self, id: FactId) -> Option<Option<FactValue>> {
        self.fixed.get(&id).copied()
    }

    /// Every fact that has one value.
    pub(crate) fn all_fixed(&self) -> impl Iterator<Item = (FactId, Option<FactValue>)> {
        self.fixed.iter().map(|(id, value)| (*id, *value))
    }

    /// What the bundle assumes of a fact that nobody knows.
    pub(crate) fn assumed(&self, id: FactId) -> Option<FactValue> {
        self.book().assumed.iter().find(|a| a.fact == id).map(|a| a.value)
    }
}

/// What the service map says of a class. Data that is not said to be about a group is one person's.
fn attested(bundle: &Bundle, class: &DataClass, fixed: &mut BTreeMap<FactId, Option<FactValue>>) {
    fixed.insert(bundle.facts.core.shape, Some(FactValue::Word(0)));
    fixed.extend(class.facts.iter().map(|(id, value)| (*id, Some(*value))));
}

/// What the bundle says of whoever receives.
fn recipient(bundle: &Bundle, question: &Question, fixed: &mut BTreeMap<FactId, Option<FactValue>>) {
    let (book, registered) = (&bundle.facts, bundle.recipients.get(&question.recipient));
    let home = bundle.regimes.home.filter(|_| question.recipient.as_str() == "internal");
    let country = registered.map(|r| r.country).or(home);
    let mut word = |built_in: &BuiltIn, word: Option<&str>| {
        let Some(id) = book.built_in(built_in) else { return };
        let words = book.schema.def(id).map_or(&[][..], |def| def.ty.words());
        let at = word.and_then(|word| words.iter().position(|w| **w == *word));
        fixed.insert(id, at.and_then(|at| u16::try_from(at).ok()).map(FactValue::Word));
    };
    word(&BuiltIn::RecipientCountry, country);
    word(&BuiltIn::RecipientSafeguard, Some(registered.map_or("none", |r| r.safeguard)));
    let mut say = |built_in: &BuiltIn, value: bool| {
        if let Some(id) = book.built_in(built_in) {
            fixed.insert(id, Some(FactValue::Bool(value)));
        }
    };
    say(&BuiltIn::RecipientAgreement, registered.is_some_and(|r| r.agreement));
    let task =
        registered.is_some_and(|r| r.tasks.iter().any(|p| bundle.vocabulary.covers(p, &question.purpose)));
    say(&BuiltIn::RecipientTask, task);
    // Where the controller is at home, its own law governs whoever the person is.
    for regime in &bundle.regimes.all {
        if regime.governs(bundle.regimes.home, None) == Some(true) {
            say(&BuiltIn::Regime(Arc::clone(&regime.id)), true);
        }
    }
}

/// The facts that a request or a record may state otherwise.
fn stated(bundle: &Bundle) -> BTreeSet<FactId> {
    let routes = bundle.service.routes.iter();
    let targets = routes.flat_map(|r| r.facts.iter().map(|(target, _)| target).chain(&r.item_facts));
    targets
        .filter_map(|target| match target {
            FactTarget::Fact(id) => Some(*id),
            FactTarget::Operand(_) => None,
        })
        .collect()
}
