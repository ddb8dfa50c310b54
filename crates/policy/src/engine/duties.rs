//! Obligations that are carried out beside the decision.

use std::borrow::Cow;

use consentry_model::{FactId, FactSource, Facts, Moment, RuleId, Treatment};

use super::decide::{Engine, Question, with_class};
use super::spoken::Asked;
use crate::bundle::{DataClass, LEDGER_TYPE};
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
        self.obligations().any(|(_, duty)| kind(duty))
    }

    /// Whether a rule lays down an obligation of a kind.
    #[must_use]
    pub fn obliges(&self, kind: fn(&Duty) -> bool, id: &RuleId) -> bool {
        self.obligations().any(|(rule, duty)| rule.id == *id && kind(duty))
    }

    /// Every rule that lays down an obligation, in the bundle's order.
    fn obligations(&self) -> impl Iterator<Item = (&Rule, &Duty)> {
        self.obliging.iter().filter_map(|at| {
            let rule = self.bundle().rules.get(*at)?;
            if let Verb::Require(duty) = &rule.verb { Some((rule, duty)) } else { None }
        })
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

    /// The same for a page, which carries no data: the obligations that speak of none.
    pub fn duties_of_page<'a>(
        &'a self,
        kind: fn(&Duty) -> bool,
        page: &'a DataClass,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, &'a Duty)> {
        let of_none = |rule: &Rule| rule.data.is_none() && !self.asks_of_data(rule);
        self.duties_on(kind, Some(page), question, facts, now).filter(move |(rule, _)| of_none(rule))
    }

    /// The obligations that stand against a page, or against the mere use of a route: those that speak of no data and are not
    /// known to be met there, each with whether that is known.
    pub fn unmet_by_page<'a>(
        &'a self,
        page: &'a DataClass,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, bool)> {
        let bundle = self.bundle();
        self.obligations().filter_map(move |(rule, duty)| {
            if !matches!(duty, Duty::That(_)) || rule.data.is_some() || self.asks_of_data(rule) {
                return None;
            }
            let facts = with_class(bundle, facts, page);
            let asked =
                Asked { bundle, question, class: page, treatment: Treatment::Clear, facts: &facts, now };
            let against = asked.against(&of_whom(rule, page));
            (against != Some(false)).then_some((rule, against == Some(true)))
        })
    }

    /// Whether a rule asks what is known of a datum, and so speaks of data although it names none.
    fn asks_of_data(&self, rule: &Rule) -> bool {
        let schema = &self.bundle().facts.schema;
        schema.iter().any(|(id, def)| def.source == FactSource::Datum && rule.asks(id))
    }

    fn duties_on<'a>(
        &'a self,
        kind: fn(&Duty) -> bool,
        class: Option<&'a DataClass>,
        question: &'a Question,
        facts: &'a Facts,
        now: Moment,
    ) -> impl Iterator<Item = (&'a Rule, &'a Duty)> {
        self.obligations().filter_map(move |(rule, duty)| {
            let class = class.filter(|_| !matches!(duty, Duty::That(_)) && kind(duty))?;
            let facts = with_class(self.bundle(), facts, class);
            let bundle = self.bundle();
            let asked = Asked { bundle, question, class, treatment: Treatment::Clear, facts: &facts, now };
            (asked.binds(&of_whom(rule, class)) != Some(false)).then_some((rule, duty))
        })
    }
}

/// A rule as it speaks of a class. In which capacity somebody is there may be for the ledger to say: then it may be any.
fn of_whom<'r>(rule: &'r Rule, class: &DataClass) -> Cow<'r, Rule> {
    if class.subject_type.as_str() == LEDGER_TYPE && !rule.of.is_empty() {
        Cow::Owned(Rule { of: Vec::new(), ..rule.clone() })
    } else {
        Cow::Borrowed(rule)
    }
}
