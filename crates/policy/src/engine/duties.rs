//! Obligations that are carried out beside the decision.

use consentry_model::{FactId, Facts, Moment, Treatment};

use super::decide::{Engine, Question, with_class};
use super::spoken::Asked;
use crate::bundle::DataClass;
use crate::rules::{Duty, Rule, Verb};

impl Engine {
    /// The obligations of a kind, other than `that`, which bind an access, in the bundle's order. One whose condition is not
    /// known to fail binds.
    pub fn duties<'a>(
        &'a self,
        kind: fn(&Duty) -> bool,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, &'a Duty)> {
        self.duties_on(kind, self.bundle().service.class(question.class), question, facts, now)
    }

    /// Whether some rule lays down an obligation of a kind.
    #[must_use]
    pub fn has_duties(&self, kind: fn(&Duty) -> bool) -> bool {
        self.bundle().rules.iter().any(|rule| matches!(&rule.verb, Verb::Require(duty) if kind(duty)))
    }

    /// Whether an obligation binds a question about a class, `None` where that is not known.
    #[must_use]
    pub fn binds(
        &self,
        rule: &Rule,
        class: &DataClass,
        question: &Question,
        facts: &Facts,
        now: Moment,
    ) -> Option<bool> {
        let bundle = self.bundle();
        let facts = with_class(bundle, facts, class);
        let asked = Asked { bundle, question, class, treatment: Treatment::Clear, facts: &facts, now };
        asked.binds(rule)
    }

    /// Whether some rule that can bear on a question asks a fact.
    #[must_use]
    pub fn asks(&self, question: &Question, fact: FactId) -> bool {
        let Some(class) = self.bundle().service.class(question.class) else { return false };
        let facts = self.facts();
        let (bundle, now) = (self.bundle(), Moment::BEGINNING);
        let asked = Asked { bundle, question, class, treatment: Treatment::Clear, facts: &facts, now };
        bundle.rules.iter().any(|rule| rule.asks(fact) && asked.bears(rule))
    }

    /// The same for a page, which carries no data: the obligations that name none.
    pub fn duties_of_page<'a>(
        &'a self,
        kind: fn(&Duty) -> bool,
        page: &'a DataClass,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, &'a Duty)> {
        self.duties_on(kind, Some(page), question, facts, now).filter(|(rule, _)| rule.data.is_none())
    }

    fn duties_on<'a>(
        &'a self,
        kind: fn(&Duty) -> bool,
        class: Option<&'a DataClass>,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, &'a Duty)> {
        self.bundle().rules.iter().filter_map(move |rule| {
            let Verb::Require(duty) = &rule.verb else { return None };
            let class = class.filter(|_| !matches!(duty, Duty::That(_)) && kind(duty))?;
            let facts = with_class(self.bundle(), facts, class);
            let bundle = self.bundle();
            let asked = Asked { bundle, question, class, treatment: Treatment::Clear, facts: &facts, now };
            (asked.binds(rule) != Some(false)).then_some((rule, duty))
        })
    }
}
