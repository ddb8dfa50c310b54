//! A rule as checked: every word in it is known.

use std::sync::Arc;

use consentry_model::{
    Act, Category, ConsentKind, FactId, FactValue, LawfulBasis, Moment, Purpose, Reason, RecipientId,
    RequesterId, RuleId, SubjectType, Treatment,
};

use super::operand::OperandId;
use super::period::{Period, start_of};

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Lets data through, on a basis, in these treatments (clear covers all).
    Permit {
        /// The lawful basis.
        basis: Basis,
        /// The treatments; clear alone when the rule says nothing.
        treatments: Vec<Treatment>,
    },
    /// Stops it.
    Forbid(Cure),
    /// Binds every access it names, own access and lawful demands too.
    Require(Duty),
}

/// The ground a permission stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A consent of this kind or stronger.
    Consent(ConsentKind),
    /// A contract that was asked for or runs.
    Contract,
    /// The controller's interests, weighed in the named assessment, until the person says no.
    LegitimateInterests(String),
    /// The named legal obligation.
    LegalObligation(String),
    /// The named vital interest.
    VitalInterests(String),
    /// The named task in the public interest.
    PublicInterest(String),
    /// Nobody's data leaves: a figure about a group.
    Aggregate,
    /// The published notice, until the person says no; void where a regime asks for a basis.
    Notice,
    /// The subject's own right.
    Right,
}

impl Basis {
    /// The word in bundles and records.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Consent(kind) => format!("consent: {kind}"),
            Self::Contract => "contract".to_owned(),
            Self::LegitimateInterests(id) => format!("legitimate_interests: {id}"),
            Self::LegalObligation(id) => format!("legal_obligation: {id}"),
            Self::VitalInterests(id) => format!("vital_interests: {id}"),
            Self::PublicInterest(id) => format!("public_interest: {id}"),
            Self::Aggregate => "aggregate".to_owned(),
            Self::Notice => "notice".to_owned(),
            Self::Right => "right".to_owned(),
        }
    }

    /// Which of the six of GDPR Article 6(1) it is, if it is one of them.
    #[must_use]
    pub fn lawful(&self) -> Option<LawfulBasis> {
        match self {
            Self::Consent(_) => Some(LawfulBasis::Consent),
            Self::Contract => Some(LawfulBasis::Contract),
            Self::LegitimateInterests(_) => Some(LawfulBasis::LegitimateInterests),
            Self::LegalObligation(_) => Some(LawfulBasis::LegalObligation),
            Self::VitalInterests(_) => Some(LawfulBasis::VitalInterests),
            Self::PublicInterest(_) => Some(LawfulBasis::PublicInterest),
            Self::Notice | Self::Right | Self::Aggregate => None,
        }
    }

    /// Whether the person's no closes it.
    #[must_use]
    pub const fn yields_to_a_no(&self) -> bool {
        matches!(self, Self::Consent(_) | Self::LegitimateInterests(_) | Self::Notice)
    }
}

/// What lifts a prohibition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Nothing: "never".
    Never,
    /// A consent of this kind to the asked purpose.
    Consent(ConsentKind),
    /// A consent to a purpose of its own, as this fact says.
    ConsentTo(FactId),
    /// The named mechanism, once it exists; until then the clause's whole field is refused.
    Pending(String),
}

/// What an obligation asks for. Only [`That`](Self::That) is an answer to a question; the others are carried out beside
/// the decision, and refuse when they cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// That a condition is known to hold.
    That(Condition),
    /// That data of the one kind and of the other never leave together.
    Apart(Vec<Category>, Vec<Category>),
    /// That no more than so many are sent in a stretch of time.
    AtMost(Cadence),
    /// That no cookie lives longer.
    ClampCookies(Period),
    /// That the answer carries a header.
    SetHeader {
        /// Its name, in lower case.
        name: String,
        /// Its value.
        value: String,
    },
    /// That a consent is noted before the decision.
    Record {
        /// Of this kind.
        kind: ConsentKind,
        /// To this purpose; `None` is to the asked one.
        to: Option<Purpose>,
    },
    /// That data is kept after an erasure, under an obligation.
    Keep {
        /// For how long.
        period: Period,
        /// Counted from here.
        since: OperandId,
        /// Which obligation.
        obligation: String,
    },
    /// That an answer is given in time.
    AnswerWithin(Period),
    /// That whoever received data hears of it.
    TellRecipients,
}

/// How often at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// So many times.
    pub times: u32,
    /// In which stretch of time.
    pub per: Stretch,
    /// Whether messages on different topics are counted apart.
    pub per_topic: bool,
}

/// A stretch of time in which something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// The calendar month of the bundle's time zone.
    CalendarMonth,
    /// The calendar day of the bundle's time zone.
    CalendarDay,
    /// So long before now: what happened exactly then is over, as what `within` says is.
    Last(Period),
}

impl Stretch {
    /// From when on is counted; `None` beyond the calendar.
    #[must_use]
    pub fn begins(self, now: Moment, zone: &jiff::tz::TimeZone) -> Option<Moment> {
        match self {
            Self::CalendarMonth => start_of(now, true, zone),
            Self::CalendarDay => start_of(now, false, zone),
            Self::Last(period) => period.before(now, zone).map(|over| over.saturating_add_millis(1)),
        }
    }
}

/// A condition over facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every one of them; an empty list holds.
    All(Vec<Condition>),
    /// At least one.
    Any(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
    /// A single test.
    Test(Test),
}

/// One test of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The fact has one of these values.
    Is(FactId, Vec<FactValue>),
    /// The level or number is at least this.
    AtLeast(FactId, i64),
    /// The asked purpose is one of these or below.
    Purpose(Vec<Purpose>),
    /// The category is one of these or below.
    Data(Vec<Category>),
    /// The treatment asked about is one of these.
    As(Vec<Treatment>),
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the bundle.
    Bundle,
    /// Among the rules that every bundle gets.
    Core,
    /// In a regime that the bundle names.
    Regime,
}

/// A rule. An empty list of requesters, recipients, subject types, acts means every one; purposes and data that mean
/// everything are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, unique in the bundle.
    pub id: RuleId,
    /// What it does.
    pub verb: Verb,
    /// For which purposes; `None` is any.
    pub purposes: Option<Vec<Purpose>>,
    /// On which data; `None` is any.
    pub data: Option<Vec<Category>>,
    /// Of which subject types.
    pub of: Vec<SubjectType>,
    /// By which requesters.
    pub by: Vec<RequesterId>,
    /// To which recipients or classes of them.
    pub to: Vec<RecipientId>,
    /// Doing what.
    pub acts: Vec<Act>,
    /// Only when this is so.
    pub when: Condition,
    /// Not when this is so.
    pub unless: Option<Condition>,
    /// From when on.
    pub from: Option<Moment>,
    /// Until when, exclusive.
    pub until: Option<Moment>,
    /// The code it gives; `None` leaves it to the engine.
    pub reason: Option<Reason>,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
    /// Where it stands.
    pub origin: Origin,
}

impl Rule {
    /// Whether one of its conditions asks a fact.
    #[must_use]
    pub fn asks(&self, fact: FactId) -> bool {
        let mut found = false;
        let mut look = |test: &Test| {
            if let Test::Is(id, _) | Test::AtLeast(id, _) = test {
                found |= *id == fact;
            }
        };
        self.when.each_test(&mut look);
        self.unless.iter().for_each(|c| c.each_test(&mut look));
        if let Verb::Require(Duty::That(that)) = &self.verb {
            that.each_test(&mut look);
        }
        found
    }

    /// Whether a prohibition or an obligation is about what is done, as far as it names acts. What is sent to somebody
    /// outside is disclosed to them, too; a permission to disclose is none to send.
    pub(crate) fn reaches(&self, act: Act, outside: bool) -> bool {
        self.acts.is_empty()
            || self.acts.contains(&act)
            || (act == Act::Send && outside && self.reaches_sent_out())
    }

    /// Whether a prohibition or an obligation that names acts is about what is sent to somebody outside because it is about
    /// what is disclosed.
    pub(crate) fn reaches_sent_out(&self) -> bool {
        self.acts.contains(&Act::Disclose) && !self.acts.contains(&Act::Send)
    }

    /// The same rule, where a Boolean fact is so besides.
    pub(crate) fn only_when(self, fact: FactId) -> Self {
        let so = Condition::Test(Test::Is(fact, vec![FactValue::Bool(true)]));
        Self { when: Condition::All(vec![so, self.when]), ..self }
    }
}

impl Condition {
    /// The condition that always holds.
    #[must_use]
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Calls `visit` with every test without which it does not hold.
    pub(crate) fn each_necessary<'c>(&'c self, visit: &mut impl FnMut(&'c Test)) {
        match self {
            Self::All(parts) => parts.iter().for_each(|p| p.each_necessary(visit)),
            Self::Test(test) => visit(test),
            Self::Any(_) | Self::Not(_) => {}
        }
    }

    /// Calls `visit` with every test in it.
    pub fn each_test(&self, visit: &mut impl FnMut(&Test)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|p| p.each_test(visit)),
            Self::Not(part) => part.each_test(visit),
            Self::Test(test) => visit(test),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::day_in;

    #[test]
    fn what_happened_exactly_so_long_ago_is_not_counted_any_more() {
        for (per, now, happened, counts) in [
            ("P7D", "2026-06-01", "2026-05-25", false),
            ("P7D", "2026-06-01", "2026-05-26", true),
            ("P1M", "2026-07-01", "2026-06-01", false),
            ("P1M", "2026-02-28", "2026-01-27", false),
        ] {
            let at = |day: &str| day_in(day, &TimeZone::UTC).unwrap();
            let last = Stretch::Last(Period::parse(per).unwrap());
            let begins = last.begins(at(now), &TimeZone::UTC).unwrap();
            assert_eq!(at(happened) >= begins, counts, "{per} {now} {happened}");
        }
    }
}
