//! What an invariant forbids, as a formula over the atoms of its bundle.

use consentry_model::{FactId, FactValue, Treatment};

use crate::bundle::{Bundle, DataClass};
use crate::engine::{Atom, Question, Shape};
use crate::rules::{Condition, Invariant, Test};

/// An invariant at one question.
pub(super) struct Promised<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) invariant: &'a Invariant,
    pub(super) question: &'a Question,
    pub(super) class: &'a DataClass,
}

impl Promised<'_> {
    /// Where it binds an answer in a treatment. A prohibition yields to what every prohibition yields to, the subject's
    /// own access and a lawful demand; a promise that something is always so binds where nothing that lifts it can be.
    pub(super) fn binds(&self, treatment: Treatment) -> Shape {
        let rule = &self.invariant.rule;
        let mut parts = vec![self.condition(&rule.when, treatment, true)];
        if let Some(unless) = &rule.unless {
            parts.push(if self.invariant.always {
                self.condition(unless, treatment, false)
            } else {
                not(self.condition(unless, treatment, true))
            });
        }
        if !self.invariant.always {
            parts.push(not(self.exempt()));
        }
        parts.extend(rule.from.map(|from| not(Shape::Is(Atom::Before(from.unix_millis())))));
        parts.extend(rule.until.map(|until| Shape::Is(Atom::Before(until.unix_millis()))));
        Shape::All(parts)
    }

    fn exempt(&self) -> Shape {
        let (bundle, core) = (self.bundle, &self.bundle.facts.core);
        let within = |key: &str| {
            Shape::Constant(bundle.vocabulary.purposes.is_within(self.question.purpose.as_str(), key))
        };
        let authority = bundle.vocabulary.recipient_is(self.question.recipient.as_str(), "authority");
        let so = |id: FactId| Shape::Is(Atom::Is(id, FactValue::Bool(true)));
        Shape::Any(vec![
            Shape::All(vec![within("custom.rights"), so(core.own)]),
            Shape::All(vec![
                within("third_party_sharing.legal_obligation"),
                Shape::Constant(authority),
                so(core.legal),
                so(core.approver),
            ]),
        ])
    }

    /// That a condition is known to hold, or known not to.
    fn condition(&self, condition: &Condition, treatment: Treatment, known: bool) -> Shape {
        let each = |parts: &[Condition]| parts.iter().map(|p| self.condition(p, treatment, known)).collect();
        match condition {
            Condition::All(parts) if known => Shape::All(each(parts)),
            Condition::All(parts) => Shape::Any(each(parts)),
            Condition::Any(parts) if known => Shape::Any(each(parts)),
            Condition::Any(parts) => Shape::All(each(parts)),
            Condition::Not(part) => self.condition(part, treatment, !known),
            Condition::Test(test) => self.test(test, treatment, known),
        }
    }

    fn test(&self, test: &Test, treatment: Treatment, known: bool) -> Shape {
        let vocabulary = &self.bundle.vocabulary;
        match test {
            Test::Is(id, values) => {
                let any = Shape::Any(values.iter().map(|v| Shape::Is(Atom::Is(*id, *v))).collect());
                if known { any } else { Shape::All(vec![Shape::Is(Atom::Known(*id)), not(any)]) }
            }
            Test::AtLeast(id, level) => {
                let below = Shape::Is(Atom::Below(*id, *level));
                if known { Shape::All(vec![Shape::Is(Atom::Known(*id)), not(below)]) } else { below }
            }
            Test::Purpose(purposes) => {
                let asked = self.question.purpose.as_str();
                let so = purposes.iter().any(|p| vocabulary.purposes.is_within(asked, p.as_str()));
                Shape::Constant(so == known)
            }
            Test::Data(data) => {
                let asked = self.class.category.as_str();
                let so = data.iter().any(|c| vocabulary.categories.is_within(asked, c.as_str()));
                Shape::Constant(so == known)
            }
            Test::As(treatments) => Shape::Constant(treatments.contains(&treatment) == known),
        }
    }
}

fn not(shape: Shape) -> Shape {
    Shape::Not(Box::new(shape))
}
