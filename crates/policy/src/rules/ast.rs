//! A rule as checked: every word in it is known.

use std::sync::Arc;

use consentry_model::{
    Act, Category, ConsentKind, FactId, FactValue, LawfulBasis, Moment, Purpose, Reason, RecipientId,
    RequesterId, RuleId, SubjectType, Treatment,
};

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
            Self::Notice | Self::Right => None,
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
    /// The named mechanism, once it exists; until then the clause's whole field is refused.
    Pending(String),
}

/// What an obligation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// That a condition is known to hold.
    That(Condition),
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
    /// The level fact is at least this.
    AtLeast(FactId, u16),
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

impl Condition {
    /// The condition that always holds.
    #[must_use]
    pub const fn always() -> Self {
        Self::All(Vec::new())
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
