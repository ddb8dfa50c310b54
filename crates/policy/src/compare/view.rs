//! What of a question is settled before anybody knows the person or the request: what the service map attests of the
//! data, what the bundle says of the recipient, and its own configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{FactId, FactValue, Moment};

use crate::bundle::{Bundle, DataClass, Dates, FactTarget, NO_SAFEGUARD};
use crate::engine::{Engine, Question};
use crate::rules::{BuiltIn, FactBook, FactFrom};

/// What a fact is whoever asks: `None` for one that is never known. What has dates is otherwise outside of them.
#[derive(Clone, Copy)]
pub(crate) struct Fixed {
    within: Option<FactValue>,
    dates: Dates,
    outside: Option<FactValue>,
}

impl Fixed {
    const fn always(value: Option<FactValue>) -> Self {
        Self { within: value, dates: Dates::ALWAYS, outside: value }
    }

    /// At a time, in milliseconds.
    pub(crate) fn at(&self, millis: i64) -> Option<FactValue> {
        if self.dates.hold(Moment::from_unix_millis(millis)) { self.within } else { self.outside }
    }

    /// The times at which it changes, in milliseconds.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = i64> + use<> {
        self.dates.bounds().map(Moment::unix_millis)
    }
}

/// One bundle's view of one question.
pub(crate) struct View<'e> {
    pub(crate) engine: &'e Engine,
    fixed: BTreeMap<FactId, Fixed>,
}

impl<'e> View<'e> {
    pub(crate) fn of(engine: &'e Engine, question: &Question) -> Self {
        let bundle = engine.bundle();
        let mut fixed = BTreeMap::new();
        for (target, from) in &bundle.facts.from {
            if let (FactTarget::Fact(id), FactFrom::Constant(value)) = (target, from) {
                fixed.insert(*id, Fixed::always(Some(*value)));
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

    /// A fact of which the time alone says what it is.
    pub(crate) fn fixed(&self, id: FactId) -> Option<Fixed> {
        self.fixed.get(&id).copied()
    }

    /// Every such fact, as it is at a time in milliseconds.
    pub(crate) fn all_fixed(&self, millis: i64) -> impl Iterator<Item = (FactId, Option<FactValue>)> {
        self.fixed.iter().map(move |(id, fixed)| (*id, fixed.at(millis)))
    }

    /// What the bundle assumes of a fact that nobody knows.
    pub(crate) fn assumed(&self, id: FactId) -> Option<FactValue> {
        self.book().assumed.iter().find(|a| a.fact == id).map(|a| a.value)
    }
}

/// What the service map says of a class. Data that is not said to be about a group is one person's.
fn attested(bundle: &Bundle, class: &DataClass, fixed: &mut BTreeMap<FactId, Fixed>) {
    fixed.insert(bundle.facts.core.shape, Fixed::always(Some(FactValue::Word(0))));
    fixed.extend(class.facts.iter().map(|(id, value)| (*id, Fixed::always(Some(*value)))));
}

/// What the bundle says of whoever receives.
fn recipient(bundle: &Bundle, question: &Question, fixed: &mut BTreeMap<FactId, Fixed>) {
    let (book, registered) = (&bundle.facts, bundle.recipients.get(&question.recipient));
    let home = bundle.regimes.home.filter(|_| question.recipient.as_str() == "internal");
    let country = registered.map(|r| r.country).or(home);
    let mut word = |built_in: &BuiltIn, word: Option<&str>, dates, outside: Option<&str>| {
        let Some(id) = book.built_in(built_in) else { return };
        let words = book.schema.def(id).map_or(&[][..], |def| def.ty.words());
        let value = |word: Option<&str>| {
            let at = word.and_then(|word| words.iter().position(|w| **w == *word));
            at.and_then(|at| u16::try_from(at).ok()).map(FactValue::Word)
        };
        fixed.insert(id, Fixed { within: value(word), dates, outside: value(outside) });
    };
    word(&BuiltIn::RecipientCountry, country, Dates::ALWAYS, country);
    let (safeguard, dates) = registered.map_or((NO_SAFEGUARD, Dates::ALWAYS), |r| r.safeguard);
    word(&BuiltIn::RecipientSafeguard, Some(safeguard), dates, Some(NO_SAFEGUARD));
    if let Some(id) = book.built_in(&BuiltIn::RecipientAgreement) {
        let agreement = registered.and_then(|r| r.agreement);
        let (yes, no) = (Some(FactValue::Bool(true)), Some(FactValue::Bool(false)));
        let dated = |dates| Fixed { within: yes, dates, outside: no };
        fixed.insert(id, agreement.map_or(Fixed::always(no), dated));
    }
    let mut say = |built_in: &BuiltIn, value: bool| {
        if let Some(id) = book.built_in(built_in) {
            fixed.insert(id, Fixed::always(Some(FactValue::Bool(value))));
        }
    };
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
