//! Consent, contract, restriction, erasure: what the ledger records about a subject.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Category, Moment, Purpose, RecipientId};

/// The ten states of a consent, after W3C DPV 2.3 (`dpv:ConsentStatus`). Two are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentState {
    /// Nothing is known.
    Unknown,
    /// The person was asked and has not answered.
    Requested,
    /// The person put the answer off.
    Deferred,
    /// The person said no.
    Refused,
    /// The person said yes.
    Given,
    /// The person said yes again.
    Renewed,
    /// The person took the yes back.
    Withdrawn,
    /// The yes ran out.
    Expired,
    /// Somebody other than the person ended it.
    Revoked,
    /// It was found not to have been a valid consent.
    Invalidated,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::Requested,
        Self::Deferred,
        Self::Refused,
        Self::Given,
        Self::Renewed,
        Self::Withdrawn,
        Self::Expired,
        Self::Revoked,
        Self::Invalidated,
    ];

    /// The word in the ledger and in records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Requested => "requested",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Given => "given",
            Self::Renewed => "renewed",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Invalidated => "invalidated",
        }
    }

    /// Whether data may be used on this state: given and renewed, no other.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }

    /// Whether the state is the person's own no, which closes every basis that rests on the person's wish.
    #[must_use]
    pub const fn is_a_no(self) -> bool {
        matches!(self, Self::Refused | Self::Withdrawn)
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// In which manner a consent was expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentKind {
    /// Deduced from conduct; satisfies nothing stronger.
    Implied,
    /// Given up by not objecting when an address was taken in the course of a sale.
    SoftOptIn,
    /// An affirmative act.
    OptIn,
    /// An express statement.
    Explicit,
    /// Given by whoever holds parental responsibility; stands apart from the others.
    Parental,
}

impl ConsentKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Implied, Self::SoftOptIn, Self::OptIn, Self::Explicit, Self::Parental];

    /// The word in bundles, the ledger and records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Implied => "implied",
            Self::SoftOptIn => "soft-opt-in",
            Self::OptIn => "opt-in",
            Self::Explicit => "explicit",
            Self::Parental => "parental",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Whether a consent of this kind is enough where `needed` is asked for. Stronger satisfies weaker; parental
    /// satisfies and is satisfied by itself alone.
    #[must_use]
    pub fn satisfies(self, needed: Self) -> bool {
        if self == Self::Parental || needed == Self::Parental { self == needed } else { self >= needed }
    }
}

impl fmt::Display for ConsentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A set of consent kinds that stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindSet(u8);

impl KindSet {
    /// No kind.
    pub const EMPTY: Self = Self(0);

    /// This set and one kind more.
    #[must_use]
    pub const fn with(self, kind: ConsentKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether a kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: ConsentKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether some kind in the set satisfies `needed`.
    #[must_use]
    pub fn satisfies(self, needed: ConsentKind) -> bool {
        ConsentKind::ALL.into_iter().any(|k| self.0 & 1 << k as u8 != 0 && k.satisfies(needed))
    }

    /// Whether no kind stands.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// On what ground data is used; the six of GDPR Article 6(1), by the field's short names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawfulBasis {
    /// Article 6(1)(a).
    Consent,
    /// Article 6(1)(b).
    Contract,
    /// Article 6(1)(c).
    LegalObligation,
    /// Article 6(1)(d).
    VitalInterests,
    /// Article 6(1)(e).
    PublicInterest,
    /// Article 6(1)(f).
    LegitimateInterests,
}

/// Where a contract with the subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContractState {
    /// There never was one.
    None,
    /// The person asked for one: steps before a contract.
    Requested,
    /// It runs.
    Active,
    /// It is over.
    Ended,
}

impl ContractState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::None, Self::Requested, Self::Active, Self::Ended];

    /// The word in bundles and the ledger.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// One entry of a consent's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEvent {
    /// The purpose it speaks of, with everything below it.
    pub purpose: Purpose,
    /// What happened. `Expired` and `Unknown` may be recorded too (an import knows them).
    pub state: ConsentState,
    /// The manner, for a yes; meaningless for a no.
    pub kind: ConsentKind,
    /// For which recipient alone; `None` is for every one.
    pub recipient: Option<RecipientId>,
    /// From when it holds.
    pub effective: Moment,
    /// Until when, exclusive; `None` is until something else is said.
    pub valid_until: Option<Moment>,
    /// Which notice or form it was given on.
    pub notice: Option<String>,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LedgerEvent {
    /// A yes, a no, or another state of a consent.
    Consent(ConsentEvent),
    /// The person objected to a purpose, or opted out of it, whatever its basis (GDPR Article 21, opt-out signals).
    Objection {
        /// The purpose, with everything below it.
        purpose: Purpose,
        /// Against which recipient alone; `None` is against every one.
        recipient: Option<RecipientId>,
        /// From when.
        effective: Moment,
    },
    /// A contract was asked for, concluded, ended.
    Contract {
        /// Where it stands from then on.
        state: ContractState,
        /// From when.
        effective: Moment,
    },
    /// Processing was restricted, or the restriction lifted (GDPR Article 18).
    Restriction {
        /// Whether it is on.
        on: bool,
        /// From when.
        effective: Moment,
    },
    /// The person's data was erased (GDPR Article 17). It is never undone.
    Erasure {
        /// From when.
        effective: Moment,
    },
    /// Nothing may be sent to the person any more, whatever the purpose; or again.
    Suppression {
        /// Whether it is on.
        on: bool,
        /// From when.
        effective: Moment,
    },
    /// Something about the person that rules ask: `region`, `born`, `type`, `employer`.
    Attribute {
        /// Its name.
        name: String,
        /// Its value, as text.
        value: String,
        /// From when.
        effective: Moment,
    },
    /// Something that happened between the controller and the person.
    Occurrence {
        /// What.
        what: Occurrence,
        /// When.
        effective: Moment,
    },
    /// Something that the controller owes the person.
    Duty {
        /// What.
        what: Owed,
        /// Until when; `None` where nobody set a date.
        due: Option<Moment>,
        /// Since when.
        effective: Moment,
    },
}

impl LedgerEvent {
    /// The date that it bears: from when it is to count, or when it happened.
    #[must_use]
    pub const fn effective(&self) -> Moment {
        match self {
            Self::Consent(consent) => consent.effective,
            Self::Objection { effective, .. }
            | Self::Contract { effective, .. }
            | Self::Restriction { effective, .. }
            | Self::Erasure { effective }
            | Self::Suppression { effective, .. }
            | Self::Attribute { effective, .. }
            | Self::Occurrence { effective, .. }
            | Self::Duty { effective, .. } => *effective,
        }
    }
}

/// Something that happened between the controller and the person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "occurrence", rename_all = "snake_case")]
pub enum Occurrence {
    /// A datum of a category was given.
    Collected {
        /// The category.
        category: Category,
        /// In which capacity or through which channel, as the bundle calls it.
        origin: Option<String>,
    },
    /// The person was told that a recipient, or a class of them, may receive data.
    Told {
        /// The recipient or class.
        recipient: RecipientId,
    },
    /// The person was told of a version of the policy.
    Notified {
        /// The version.
        version: String,
    },
    /// The person was told about cookies.
    Informed,
    /// A message was sent to the person.
    Sent {
        /// What it was about.
        topic: String,
    },
    /// A datum of a category was disclosed to a recipient.
    Disclosed {
        /// The category.
        category: Category,
        /// To whom.
        recipient: RecipientId,
    },
}

/// Something that the controller owes the person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "owed", rename_all = "snake_case")]
pub enum Owed {
    /// An answer to a request that exercises a right.
    Answer {
        /// The right.
        right: String,
    },
    /// Erasure by a recipient that had data.
    Erasure {
        /// The recipient.
        recipient: RecipientId,
    },
    /// A category is kept although the person was erased, under a legal obligation.
    Keeping {
        /// The category.
        category: Category,
        /// The obligation.
        obligation: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_5_two_of_ten_states_are_valid() {
        let valid: Vec<_> = ConsentState::ALL.into_iter().filter(|s| s.is_valid()).collect();
        assert_eq!(valid, [ConsentState::Given, ConsentState::Renewed]);
    }

    #[test]
    fn law_5_implied_never_satisfies_opt_in_explicit_or_parental() {
        use ConsentKind::{Explicit, Implied, OptIn, Parental, SoftOptIn};
        for (given, needed, enough) in [
            (Implied, Implied, true),
            (Implied, SoftOptIn, false),
            (Implied, OptIn, false),
            (Implied, Explicit, false),
            (Implied, Parental, false),
            (OptIn, SoftOptIn, true),
            (Explicit, OptIn, true),
            (Explicit, Parental, false),
            (Parental, Parental, true),
            (Parental, Implied, false),
        ] {
            assert_eq!(given.satisfies(needed), enough, "{given} for {needed}");
            assert_eq!(KindSet::EMPTY.with(given).satisfies(needed), enough);
        }
        assert!(!KindSet::EMPTY.satisfies(Implied));
    }
}
