//! Why not: the one reason that evidence gives, and the one that depends on nobody.

use consentry_model::{ConsentState, Reason, RuleId, Treatment};

use super::cedar_text::no_of;
use super::decide::Person;
use super::spoken::{Asked, Lack};
use crate::rules::{Condition, Cure, Rule, Test, Verb};

/// What stands against a yes.
pub(crate) struct WhyNot {
    pub(crate) reason: Reason,
    pub(crate) near: Vec<(RuleId, Reason)>,
}

impl Asked<'_> {
    /// The reason that holds whoever the person is: `None` as long as somebody's state could make it a yes. The facts
    /// of this question must leave everything about the person unknown.
    pub(crate) fn hopeless(&self, steps: &[Treatment]) -> Option<Reason> {
        let open = |treatment: &Treatment| {
            let asked = Self { treatment: *treatment, ..*self };
            let rules = &self.bundle.rules;
            rules.iter().all(|r| asked.against(r) != Some(true))
                && rules.iter().any(|r| asked.for_it(r) != Some(false))
        };
        if steps.iter().any(open) {
            return None;
        }
        let stopped = self.bundle.rules.iter().filter(|r| self.against(r) == Some(true));
        let stated: Vec<_> = stopped.filter_map(stated_reason).collect();
        Some(stated.into_iter().min_by_key(|r| rank(*r)).unwrap_or_else(|| self.nothing_permits()))
    }

    /// Why a known person's data is not clear.
    pub(crate) fn why_not(&self, person: &Person) -> WhyNot {
        let near = self.near(person);
        let mut candidates: Vec<Reason> = Vec::new();
        for rule in &self.bundle.rules {
            match self.against(rule) {
                Some(false) => {}
                None if !person.resolved => candidates.push(Reason::SubjectUnresolved),
                Some(true) | None => candidates.push(self.reason_against(rule, person)),
            }
        }
        if !self.bundle.rules.iter().any(|r| self.for_it(r) == Some(true)) {
            let nearest = near.iter().map(|(_, reason)| *reason).min_by_key(|r| rank(*r));
            let unresolved = !person.resolved && !near.is_empty();
            candidates.push(match nearest {
                Some(_) if unresolved => Reason::SubjectUnresolved,
                Some(reason) => reason,
                None => self.nothing_permits(),
            });
        }
        let reason = candidates.into_iter().min_by_key(|r| rank(*r)).unwrap_or(Reason::Prohibited);
        WhyNot { reason, near }
    }

    fn reason_against(&self, rule: &Rule, person: &Person) -> Reason {
        match &rule.verb {
            Verb::Permit { .. } => by_state(person),
            Verb::Forbid(_) | Verb::Require(_) => {
                let stated = stated_reason(rule).unwrap_or(Reason::Prohibited);
                // A prohibition on the person's wish says which wish.
                let about_a_wish = matches!(rule.verb, Verb::Forbid(Cure::Consent(_)) if rule.reason.is_none_or(is_a_wish))
                    || (asks_for(&rule.when, self.bundle.facts.core.said_no)
                        && rule.reason.is_none_or(is_a_wish));
                if about_a_wish { by_state(person) } else { stated }
            }
        }
    }

    /// The permissions that came near, with what each lacked first.
    fn near(&self, person: &Person) -> Vec<(RuleId, Reason)> {
        let mut out = Vec::new();
        for rule in &self.bundle.rules {
            let Some(lacks) = self.lacks(rule) else { continue };
            let Some(first) = lacks.first() else { continue };
            let reason = match first {
                Lack::Recipient => Reason::RecipientNotPermitted,
                Lack::When => rule.reason.unwrap_or_else(|| self.missing(&rule.when)),
                Lack::Unless => Reason::ConditionUnmet,
                Lack::Treatment => Reason::MinimisationViolation,
                Lack::Basis => match &rule.verb {
                    Verb::Permit { basis: crate::rules::Basis::Contract, .. } => Reason::BasisLapsed,
                    Verb::Permit { .. } | Verb::Forbid(_) | Verb::Require(_) => by_state(person),
                },
            };
            out.push((rule.id.clone(), reason));
        }
        out
    }

    fn missing(&self, condition: &Condition) -> Reason {
        let core = &self.bundle.facts.core;
        if asks_for(condition, core.legal) || asks_for(condition, core.approver) {
            Reason::LegalReferenceRequired
        } else if asks_for(condition, core.own) {
            Reason::IdentityUnverified
        } else {
            Reason::ConditionUnmet
        }
    }

    fn nothing_permits(&self) -> Reason {
        let elsewhere = self
            .bundle
            .rules
            .iter()
            .any(|r| self.lacks(r).is_some_and(|lacks| lacks.first() == Some(&Lack::Recipient)));
        if elsewhere {
            return Reason::RecipientNotPermitted;
        }
        let asked_for = self.bundle.rules.iter().any(|r| {
            let purposes = &self.bundle.vocabulary.purposes;
            let asked = self.question.purpose.as_str();
            let named =
                r.purposes.as_ref().is_some_and(|v| v.iter().any(|p| purposes.is_within(asked, p.as_str())));
            matches!(r.verb, Verb::Permit { .. }) && named
        });
        if asked_for && self.question.act == consentry_model::Act::Collect {
            return Reason::MinimisationViolation;
        }
        Reason::PurposeNotPermitted
    }
}

fn stated_reason(rule: &Rule) -> Option<Reason> {
    match &rule.verb {
        Verb::Forbid(Cure::Pending(_)) => Some(Reason::MechanismPending),
        Verb::Forbid(_) | Verb::Require(_) => rule.reason,
        Verb::Permit { .. } => None,
    }
}

/// Whether a reason says no more than that the person's wish decides, so that the state of the wish says it better.
fn is_a_wish(reason: Reason) -> bool {
    matches!(reason, Reason::ConsentRequired | Reason::ObjectionRecorded | Reason::Prohibited)
}

fn asks_for(condition: &Condition, fact: consentry_model::FactId) -> bool {
    let mut found = false;
    condition.each_test(&mut |test| {
        if let Test::Is(id, _) | Test::AtLeast(id, _) = test {
            found |= *id == fact;
        }
    });
    found
}

/// The person's wish as a reason.
fn by_state(person: &Person) -> Reason {
    if !person.resolved {
        return Reason::SubjectUnresolved;
    }
    if person.objected {
        return Reason::ObjectionRecorded;
    }
    match person.consent {
        None => Reason::ConsentRequired,
        Some(ConsentState::Unknown) => Reason::ConsentUnknown,
        Some(ConsentState::Requested) => Reason::ConsentRequested,
        Some(ConsentState::Deferred) => Reason::ConsentDeferred,
        Some(ConsentState::Refused) => Reason::ConsentRefused,
        Some(ConsentState::Withdrawn) => Reason::ConsentWithdrawn,
        Some(ConsentState::Expired) => Reason::ConsentExpired,
        Some(ConsentState::Revoked) => Reason::ConsentRevoked,
        Some(ConsentState::Invalidated) => Reason::ConsentInvalidated,
        Some(ConsentState::Given | ConsentState::Renewed) => Reason::ConsentInsufficient,
    }
}

/// The order in which one reason is preferred to another: what nobody can change first, then the person's state from
/// the gravest down, then what is merely missing.
pub(crate) fn rank(reason: Reason) -> (u8, Reason) {
    const GROUPS: [(Reason, u8); 12] = [
        (Reason::EvaluationError, 0),
        (Reason::SubjectUnresolved, 1),
        (Reason::Erased, 2),
        (Reason::ProcessingRestricted, 3),
        (Reason::IdentityUnverified, 4),
        (Reason::LegalReferenceRequired, 4),
        (Reason::MechanismPending, 6),
        (Reason::ConditionUnmet, 8),
        (Reason::Prohibited, 8),
        (Reason::PurposeNotPermitted, 9),
        (Reason::RecipientNotPermitted, 9),
        (Reason::MinimisationViolation, 9),
    ];
    let group = GROUPS.iter().find(|(r, _)| *r == reason).map_or(5, |(_, group)| *group);
    (group, reason)
}

/// The reason that is preferred to the others.
#[must_use]
pub fn gravest(reasons: impl IntoIterator<Item = Reason>) -> Option<Reason> {
    reasons.into_iter().min_by_key(|reason| rank(*reason))
}

/// The rules that a verdict names, as ids: a doubled permission under the id of its prohibition.
pub(crate) fn id_against(rule: &Rule) -> RuleId {
    match rule.verb {
        Verb::Permit { .. } => no_of(&rule.id),
        Verb::Forbid(_) | Verb::Require(_) => rule.id.clone(),
    }
}
