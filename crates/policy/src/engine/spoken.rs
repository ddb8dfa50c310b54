//! Which rules speak to a question, in three values and plain Rust.
//!
//! Cedar decides. This evaluator says what Cedar cannot: whether a rule is *known* to speak or only *not known* not to,
//! what a permission still lacks, and whether anybody's state could make the answer a yes. The test suite compares the
//! two on random questions.

use consentry_model::{FactValue, Facts, Moment, Treatment};

use super::decide::Question;
use crate::bundle::{Bundle, DataClass};
use crate::rules::{Basis, Condition, Cure, Duty, Rule, Test, Verb};

/// True, false, or `None` for unknown.
pub(crate) type Tri = Option<bool>;

pub(crate) fn not(value: Tri) -> Tri {
    value.map(|b| !b)
}

fn all(values: impl IntoIterator<Item = Tri>) -> Tri {
    let mut out = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            None => out = None,
            Some(true) => {}
        }
    }
    out
}

fn any(values: impl IntoIterator<Item = Tri>) -> Tri {
    not(all(values.into_iter().map(not)))
}

/// One question, with everything that bears on it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) question: &'a Question,
    pub(crate) class: &'a DataClass,
    pub(crate) treatment: Treatment,
    pub(crate) facts: &'a Facts,
    pub(crate) now: Moment,
}

/// What a permission lacks, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    Recipient,
    When,
    Unless,
    Basis,
    Treatment,
}

impl Asked<'_> {
    /// Whether a prohibition or an obligation speaks against: unknown counts as yes where it matters.
    pub(crate) fn against(&self, rule: &Rule) -> Tri {
        let free = |cure: Tri| all([not(cure), not(self.exempt())]);
        let lifted = match &rule.verb {
            Verb::Permit { basis, .. } if basis.yields_to_a_no() => {
                let core = &self.bundle.facts.core;
                return all([
                    Some(self.scope_touches(rule)),
                    self.is(core.said_no, &[FactValue::Bool(true)]),
                    free(Some(false)),
                ]);
            }
            Verb::Permit { .. } => return Some(false),
            Verb::Forbid(Cure::Never | Cure::Pending(_)) => free(Some(false)),
            Verb::Forbid(Cure::Consent(kind)) => {
                free(self.is(self.bundle.facts.core.consent_of(*kind), &[FactValue::Bool(true)]))
            }
            Verb::Forbid(Cure::ConsentTo(fact)) => free(self.is(*fact, &[FactValue::Bool(true)])),
            Verb::Require(Duty::That(that)) => not(self.condition(that)),
            // Carried out beside the decision.
            Verb::Require(_) => return Some(false),
        };
        let unless = rule.unless.as_ref().map_or(Some(true), |c| not(self.condition(c)));
        all([Some(self.scope_touches(rule)), self.condition(&rule.when), unless, lifted])
    }

    /// Whether a rule's scope, its dates aside, reaches the question.
    pub(crate) fn bears(&self, rule: &Rule) -> bool {
        let timeless = Rule { from: None, until: None, ..rule.clone() };
        self.scope_touches(&timeless)
    }

    /// Whether an obligation that is carried out beside the decision binds: unknown counts as yes.
    pub(crate) fn binds(&self, rule: &Rule) -> Tri {
        let unless = rule.unless.as_ref().map_or(Some(true), |c| not(self.condition(c)));
        all([Some(self.scope_touches(rule)), self.condition(&rule.when), unless])
    }

    /// Whether a permission speaks for: only what is known does.
    pub(crate) fn for_it(&self, rule: &Rule) -> Tri {
        let Verb::Permit { .. } = rule.verb else { return Some(false) };
        if !self.scope_within(rule) || !self.recipient(rule) {
            return Some(false);
        }
        all(self.terms(rule).into_iter().map(|(_, value)| value))
    }

    /// What a permission whose scope fits still lacks; `None` when its scope does not fit.
    pub(crate) fn lacks(&self, rule: &Rule) -> Option<Vec<Lack>> {
        let Verb::Permit { .. } = rule.verb else { return None };
        if !self.scope_within(rule) {
            return None;
        }
        let mut out = Vec::new();
        if !self.recipient(rule) {
            out.push(Lack::Recipient);
        }
        out.extend(self.terms(rule).into_iter().filter(|(_, v)| *v != Some(true)).map(|(lack, _)| lack));
        Some(out)
    }

    fn terms(&self, rule: &Rule) -> Vec<(Lack, Tri)> {
        let Verb::Permit { basis, treatments } = &rule.verb else { return Vec::new() };
        let core = &self.bundle.facts.core;
        let yes = [FactValue::Bool(true)];
        let basis = match basis {
            Basis::Consent(kind) => self.is(core.consent_of(*kind), &yes),
            Basis::Contract => self.is(core.contract, &[FactValue::Word(1), FactValue::Word(2)]),
            Basis::LegitimateInterests(_) => not(self.is(core.said_no, &yes)),
            Basis::Notice => {
                let void = self.bundle.where_notice_is_void().map(|regime| not(self.is(regime, &yes)));
                all(std::iter::once(not(self.is(core.said_no, &yes))).chain(void))
            }
            Basis::Aggregate => self.is(core.shape, &[FactValue::Word(1)]),
            Basis::LegalObligation(_)
            | Basis::VitalInterests(_)
            | Basis::PublicInterest(_)
            | Basis::Right => Some(true),
        };
        let treatment = treatments.contains(&Treatment::Clear) || treatments.contains(&self.treatment);
        vec![
            (Lack::When, self.condition(&rule.when)),
            (Lack::Unless, rule.unless.as_ref().map_or(Some(true), |c| not(self.condition(c)))),
            (Lack::Basis, basis),
            (Lack::Treatment, Some(treatment)),
        ]
    }

    /// The subject's own access and a lawful demand pass every prohibition, and no obligation.
    fn exempt(&self) -> Tri {
        let (core, yes) = (&self.bundle.facts.core, [FactValue::Bool(true)]);
        let purpose =
            |key: &str| self.bundle.vocabulary.purposes.is_within(self.question.purpose.as_str(), key);
        let own = all([Some(purpose("custom.rights")), self.is(core.own, &yes)]);
        let authority = self.bundle.vocabulary.recipient_is(self.question.recipient.as_str(), "authority");
        let compelled = all([
            Some(purpose("third_party_sharing.legal_obligation") && authority),
            self.is(core.legal, &yes),
            self.is(core.approver, &yes),
        ]);
        any([own, compelled])
    }

    fn scope_within(&self, rule: &Rule) -> bool {
        let (purpose, category) = (self.question.purpose.as_str(), self.class.category.as_str());
        let vocabulary = &self.bundle.vocabulary;
        let purposes = rule.purposes.as_ref();
        let data = rule.data.as_ref();
        purposes.is_none_or(|v| v.iter().any(|p| vocabulary.purposes.is_within(purpose, p.as_str())))
            && data.is_none_or(|v| v.iter().any(|c| vocabulary.categories.is_within(category, c.as_str())))
            && (rule.acts.is_empty() || rule.acts.contains(&self.question.act))
            && self.scope_common(rule)
    }

    fn scope_touches(&self, rule: &Rule) -> bool {
        let (purpose, category) = (self.question.purpose.as_str(), self.class.category.as_str());
        let vocabulary = &self.bundle.vocabulary;
        let purposes = rule.purposes.as_ref();
        let data = rule.data.as_ref();
        purposes.is_none_or(|v| v.iter().any(|p| vocabulary.purposes.touches(purpose, p.as_str())))
            && data.is_none_or(|v| v.iter().any(|c| vocabulary.categories.touches(category, c.as_str())))
            && self.recipient(rule)
            && rule.reaches(self.question.act, vocabulary.is_outside(&self.question.recipient))
            && self.scope_common(rule)
    }

    fn scope_common(&self, rule: &Rule) -> bool {
        (rule.of.is_empty() || rule.of.contains(&self.class.subject_type))
            && (rule.by.is_empty() || rule.by.contains(&self.question.requester))
            && rule.from.is_none_or(|from| self.now >= from)
            && rule.until.is_none_or(|until| self.now < until)
    }

    fn recipient(&self, rule: &Rule) -> bool {
        let name = self.question.recipient.as_str();
        let vocabulary = &self.bundle.vocabulary;
        rule.to.is_empty() || rule.to.iter().any(|above| vocabulary.recipient_is(name, above.as_str()))
    }

    fn is(&self, id: consentry_model::FactId, values: &[FactValue]) -> Tri {
        self.facts.get(id).map(|value| values.contains(&value))
    }

    pub(crate) fn condition(&self, condition: &Condition) -> Tri {
        match condition {
            Condition::All(parts) => all(parts.iter().map(|p| self.condition(p))),
            Condition::Any(parts) => any(parts.iter().map(|p| self.condition(p))),
            Condition::Not(part) => not(self.condition(part)),
            Condition::Test(test) => self.test(test),
        }
    }

    fn test(&self, test: &Test) -> Tri {
        let vocabulary = &self.bundle.vocabulary;
        match test {
            Test::Is(id, values) => self.is(*id, values),
            Test::AtLeast(id, level) => match self.facts.get(*id)? {
                FactValue::Word(at) => Some(i64::from(at) >= *level),
                FactValue::Int(n) => Some(n >= *level),
                FactValue::Bool(_) => None,
            },
            Test::Purpose(purposes) => {
                let asked = self.question.purpose.as_str();
                Some(purposes.iter().any(|p| vocabulary.purposes.is_within(asked, p.as_str())))
            }
            Test::Data(data) => {
                let asked = self.class.category.as_str();
                Some(data.iter().any(|c| vocabulary.categories.is_within(asked, c.as_str())))
            }
            Test::As(treatments) => Some(treatments.contains(&self.treatment)),
        }
    }
}
