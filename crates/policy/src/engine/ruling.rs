//! The fold of the verdicts, and the permit without which nothing is served.

use consentry_model::{Outcome, Reason, Treatment, Verdict};

/// Proof that the rules let a request through. Nothing outside this crate can make one, and the gate before the inner
/// service takes one: bypassing enforcement is a type error.
///
/// ```compile_fail
/// let forged = consentry_policy::Permit { outcome: consentry_model::Outcome::Allow, reported: None };
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not shown to the gate serves nothing"]
pub struct Permit {
    pub(super) outcome: Outcome,
    /// Why the rules refused, where their ruling is reported and not carried out.
    pub(super) reported: Option<Reason>,
}

impl Permit {
    /// Allow, or redact; refuse where the ruling is reported and not carried out.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why the rules refused, where their ruling is reported and not carried out.
    #[must_use]
    pub const fn reported(&self) -> Option<Reason> {
        self.reported
    }

    const ALLOW: Self = Self { outcome: Outcome::Allow, reported: None };
    const REDACT: Self = Self { outcome: Outcome::Redact, reported: None };
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The true reason, for evidence.
    pub reason: Reason,
    /// What a caller hears who may not know what depends on a person.
    pub told: Reason,
}

impl Refusal {
    /// A refusal that depends on nobody's state.
    #[must_use]
    pub const fn plain(reason: Reason) -> Self {
        Self { reason, told: reason.told_to_strangers() }
    }

    /// A refusal that depends on a person's state, whatever its reason says.
    #[must_use]
    pub const fn personal(reason: Reason) -> Self {
        Self { reason, told: Reason::NotPermitted }
    }
}

/// What became of a request's head.
#[derive(Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Everything clear.
    Allow(Permit),
    /// Some of it withheld, dropped or altered; or the records of the body decide.
    Redact(Permit),
    /// Nothing passes.
    Refuse(Refusal),
}

/// One data class, as far as it can be decided before a body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The reason that holds whoever the person is.
    pub hopeless: Option<Reason>,
    /// The verdict; `None` while each record of the body has its own.
    pub verdict: Option<Verdict>,
}

impl Ruling {
    /// Folds the classes that one side of a request carries. Without any class there is nothing to ask.
    #[must_use]
    pub fn fold(items: &[Item]) -> Self {
        let left = |item: &Item| match &item.verdict {
            None => item.hopeless.is_none(),
            Some(verdict) => verdict.treatment != Treatment::Withheld,
        };
        let clear = |item: &Item| item.verdict.as_ref().is_some_and(|v| v.treatment == Treatment::Clear);
        if items.iter().all(clear) {
            return Self::Allow(Permit::ALLOW);
        }
        if items.iter().any(left) {
            return Self::Redact(Permit::REDACT);
        }
        Self::Refuse(refusal(items))
    }

    /// A write from which nothing may be dropped: whatever is not clear refuses it. What nobody's state could clear is
    /// looked at first, so that the answer to it is the same whoever the person is.
    #[must_use]
    pub fn fold_strictly(items: &[Item]) -> Self {
        let not_clear = |i: &&Item| i.verdict.as_ref().is_none_or(|v| v.treatment != Treatment::Clear);
        let never: Vec<_> = items.iter().filter(|i| i.hopeless.is_some()).cloned().collect();
        let lacking: Vec<_> = items.iter().filter(not_clear).cloned().collect();
        if !never.is_empty() {
            Self::Refuse(refusal(&never))
        } else if lacking.is_empty() {
            Self::Allow(Permit::ALLOW)
        } else {
            Self::Refuse(refusal(&lacking))
        }
    }

    /// Two sides of one request: the less favourable. Of two refusals it is the one that depends on nobody: it would
    /// be told to whoever asks about anybody, and must not give way to what is told of some people only.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refuse(one), Self::Refuse(plain)) if one.told == Reason::NotPermitted => {
                Self::Refuse(plain)
            }
            (Self::Refuse(refusal), _) | (_, Self::Refuse(refusal)) => Self::Refuse(refusal),
            (Self::Redact(permit), _) | (_, Self::Redact(permit)) => Self::Redact(permit),
            (Self::Allow(permit), Self::Allow(_)) => Self::Allow(permit),
        }
    }

    /// Something of the request was taken away besides.
    #[must_use]
    pub fn redacted(self) -> Self {
        match self {
            // What was refused and is only reported stays refused.
            Self::Redact(permit) if permit.reported.is_some() => Self::Redact(permit),
            Self::Allow(_) | Self::Redact(_) => Self::Redact(Permit::REDACT),
            Self::Refuse(refusal) => Self::Refuse(refusal),
        }
    }

    /// The outcome.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Allow(permit) | Self::Redact(permit) => permit.outcome(),
            Self::Refuse(_) => Outcome::Refuse,
        }
    }
}

/// As long as one class could have been a yes for somebody, the caller learns nothing of the reason.
fn refusal(items: &[Item]) -> Refusal {
    let verdicts = items.iter().filter_map(|i| i.verdict.as_ref().and_then(|v| v.reason));
    let hopeless: Vec<_> = items.iter().filter_map(|i| i.hopeless).collect();
    if hopeless.len() == items.len() {
        let reason = hopeless.into_iter().min_by_key(|r| super::reasons::rank(*r));
        return Refusal::plain(reason.unwrap_or(Reason::PurposeNotPermitted));
    }
    let personal = items.iter().filter(|i| i.hopeless.is_none());
    let personal = personal.filter_map(|i| i.verdict.as_ref().and_then(|v| v.reason));
    let reason = personal.chain(verdicts).min_by_key(|r| super::reasons::rank(*r));
    Refusal::personal(reason.unwrap_or(Reason::Prohibited))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(treatment: Treatment, reason: Option<Reason>, hopeless: Option<Reason>) -> Item {
        let verdict = Verdict { treatment, rules: [].into(), clauses: [].into(), reason, near: [].into() };
        Item { hopeless, verdict: Some(verdict) }
    }

    #[test]
    fn the_fold() {
        use Treatment::{Clear, Masked, Withheld};
        let clear = item(Clear, None, None);
        let masked = item(Masked, Some(Reason::MinimisationViolation), None);
        let no = item(Withheld, Some(Reason::ConsentWithdrawn), None);
        let never = item(Withheld, Some(Reason::PurposeNotPermitted), Some(Reason::PurposeNotPermitted));
        let records = Item { hopeless: None, verdict: None };
        for (items, outcome) in [
            (vec![], Outcome::Allow),
            (vec![clear.clone()], Outcome::Allow),
            (vec![clear.clone(), no.clone()], Outcome::Redact),
            (vec![masked], Outcome::Redact),
            (vec![no.clone(), never.clone()], Outcome::Refuse),
            (vec![records], Outcome::Redact),
        ] {
            assert_eq!(Ruling::fold(&items).outcome(), outcome, "{items:?}");
        }
        assert_eq!(Ruling::fold_strictly(&[clear.clone(), no.clone()]).outcome(), Outcome::Refuse);
        let told = |items: &[Item]| {
            let Ruling::Refuse(refusal) = Ruling::fold(items) else { panic!("{items:?}") };
            refusal.told
        };
        assert_eq!(told(&[no.clone(), never.clone()]), Reason::NotPermitted);
        assert_eq!(told(&[never]), Reason::PurposeNotPermitted);
        assert_eq!(told(&[no]), Reason::NotPermitted);
    }

    #[test]
    fn law_13_what_is_told_of_two_sides_depends_on_nobody_as_soon_as_one_side_does() {
        let side = |items: &[Item]| Ruling::fold(items);
        let never = [item(Treatment::Withheld, None, Some(Reason::PurposeNotPermitted))];
        let told = |ruling: Ruling| {
            let Ruling::Refuse(refusal) = ruling else { panic!("{ruling:?}") };
            refusal.told
        };
        // What one side says of somebody who agreed, and of somebody who did not.
        for person in [item(Treatment::Clear, None, None), item(Treatment::Withheld, None, None)] {
            let person = [person];
            assert_eq!(told(side(&person).and(side(&never))), Reason::PurposeNotPermitted, "{person:?}");
            assert_eq!(told(side(&never).and(side(&person))), Reason::PurposeNotPermitted, "{person:?}");
            let both: Vec<_> = person.iter().chain(&never).cloned().collect();
            assert_eq!(told(Ruling::fold_strictly(&both)), Reason::PurposeNotPermitted, "{person:?}");
        }
    }

    #[test]
    fn law_13_a_reason_that_depends_on_a_person_is_not_told_even_when_its_code_is_harmless() {
        let depends = item(Treatment::Withheld, Some(Reason::AggregateOnly), None);
        let Ruling::Refuse(refusal) = Ruling::fold(&[depends]) else { panic!() };
        assert_eq!((refusal.reason, refusal.told), (Reason::AggregateOnly, Reason::NotPermitted));
    }
}
