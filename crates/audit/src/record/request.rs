//! The records of one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{
    Act, BundleDigest, LedgerRevision, Moment, Outcome, Proof, Purpose, Reason, RecipientId, RequesterId,
    RuleId, SubjectRef, VocabularyRevision,
};
use serde::{Deserialize, Serialize};

use super::verdict_line::{Direction, FactWord, VerdictLine, is_zero};
use super::wording::Worded;

/// A record that a ticket commits before it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The ruling on the request, before the inner service is called.
    Head(Head),
    /// The verdicts on one window of a body.
    Verdicts(Verdicts),
}

impl From<Head> for Step {
    fn from(head: Head) -> Self {
        Self::Head(head)
    }
}

impl From<Verdicts> for Step {
    fn from(verdicts: Verdicts) -> Self {
        Self::Verdicts(verdicts)
    }
}

/// Where the purpose came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PurposeSource {
    /// The token's `purposes` fix it.
    Token,
    /// The token's `authorization_details` fix it (RFC 9396).
    Details,
    /// A transaction token names it (draft-ietf-oauth-transaction-tokens).
    Transaction,
    /// The configuration gives the certificate or the gateway no other.
    Registration,
    /// `Data-Purpose` declared it.
    Header,
    /// A member of `baggage` declared it.
    Baggage,
    /// The route fixes it.
    Route,
}

/// An obligation that is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The rule that lays it down.
    pub rule: RuleId,
    /// The clauses that the rule rests on.
    pub clauses: Vec<Arc<str>>,
}

/// What a head follows: an earlier one of its segment, in which is spelled out what both have alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precedent {
    /// The number of that record in the log.
    pub record: u64,
    /// Whom the answers are about this time; `None` when they are about nobody whom the ledger knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRef>,
}

/// The ruling on a request, recorded before the inner service is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Head {
    /// The earlier head that says the same of who asks for what and of the answers; the writer fills it in. In a head that a
    /// [`Reader`](crate::Reader) read, the other members say all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precedent: Option<Box<Precedent>>,
    /// Who asks; `None` when that was never established.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<RequesterId>,
    /// By what the requester proved its name; `None` when it proved none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Who receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    /// Why; `None` when no purpose could be established.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// Where the purpose came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_source: Option<PurposeSource>,
    /// The route's template, such as `GET /customers/{id}`; never the path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<str>>,
    /// What is done with the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    /// The bundle in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleDigest>,
    /// The vocabulary it was compiled against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<VocabularyRevision>,
    /// How far the ledger was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerRevision>,
    /// As of when it was decided: what was in force and had run out at this time. The record itself was written later.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::id::maybe_timestamp")]
    pub at: Option<Moment>,
    /// The ruling so far.
    pub outcome: Outcome,
    /// Whether verdicts on a body follow, which may make less of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending_body: bool,
    /// Why it was refused, or not left clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The obligation that stands against the exchange for what it is, and not for its data, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<Box<Unmet>>,
    /// Whether the ruling was only reported, not carried out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report_only: bool,
    /// The trace, in hex; the ticket fills it in.
    #[serde(default)]
    pub trace_id: String,
    /// The span, in hex; the ticket fills it in.
    #[serde(default)]
    pub span_id: String,
    /// The facts of the request that identify nobody, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Arc<str>, FactWord>,
    /// The answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<VerdictLine>,
    /// How many records of verdicts continue this one; the writer fills it in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u64,
    /// Who asks for what under which bundle, the facts and the answers, where they are in words already; the members for them
    /// are empty then. A head that was read has none.
    #[serde(skip)]
    pub worded: Option<Worded>,
}

impl Head {
    /// A head that says its outcome and nothing else; fill in what is known.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self {
            precedent: None,
            requester: None,
            proof: None,
            recipient: None,
            purpose: None,
            purpose_source: None,
            route: None,
            act: None,
            bundle: None,
            vocabulary: None,
            ledger: None,
            at: None,
            outcome,
            pending_body: false,
            reason: None,
            unmet: None,
            report_only: false,
            trace_id: String::new(),
            span_id: String::new(),
            facts: BTreeMap::new(),
            verdicts: Vec::new(),
            parts: 0,
            worded: None,
        }
    }

    /// Whether it says in members of its own nothing that stands in a [`Wording`](super::Wording).
    pub(crate) fn leaves_to_words(&self) -> bool {
        self.precedent.is_none()
            && self.bundle.is_none()
            && self.vocabulary.is_none()
            && self.says_nothing_of_words()
    }

    /// The same, of what a head that follows another one says of itself: beside that, under which bundle it was decided.
    fn says_nothing_of_words(&self) -> bool {
        let Self {
            requester: None,
            proof: None,
            recipient: None,
            purpose: None,
            purpose_source: None,
            route: None,
            act: None,
            facts,
            verdicts,
            parts: 0,
            // What `Wording` writes, or has spelled out, or what is looked at elsewhere. A new member belongs there, or above.
            precedent: _,
            bundle: _,
            vocabulary: _,
            ledger: _,
            at: _,
            outcome: _,
            pending_body: _,
            reason: _,
            unmet: _,
            report_only: _,
            trace_id: _,
            span_id: _,
            worded: _,
        } = self
        else {
            return false;
        };
        facts.is_empty() && verdicts.is_empty()
    }

    /// Under which bundle and vocabulary, and nothing else.
    pub(crate) fn under(&self) -> Self {
        let (bundle, vocabulary) = (self.bundle.clone(), self.vocabulary.clone());
        Self { bundle, vocabulary, ..Self::new(Outcome::Refuse) }
    }

    /// This head with what it leaves to its precedent; nothing where that is none for it.
    pub(crate) fn following(self, precedent: &Self) -> Option<Self> {
        let is_own = self.says_nothing_of_words() && self.unmet.is_none();
        let is_same = (&self.bundle, &self.vocabulary) == (&precedent.bundle, &precedent.vocabulary);
        let is_whole = precedent.precedent.is_none() && precedent.unmet.is_none() && precedent.parts == 0;
        let is_of_one = precedent.verdicts.iter().all(|line| line.subjects.len() <= 1);
        if !(is_own && is_same && is_whole && is_of_one) {
            return None;
        }
        let subject = self.precedent.as_ref().and_then(|followed| followed.subject);
        let about =
            |line: &VerdictLine| VerdictLine { subjects: subject.into_iter().collect(), ..line.clone() };
        let (facts, verdicts) = (precedent.facts.clone(), precedent.verdicts.iter().map(about).collect());
        Some(Self { facts, verdicts, ..self.asking(precedent.clone()) })
    }

    /// Who asks for what under which bundle, and nothing else.
    pub(crate) fn into_asked(self) -> Self {
        Self::new(Outcome::Refuse).asking(self)
    }

    /// The same, asked by whom and for what another one says.
    pub(crate) fn asking(self, other: Self) -> Self {
        let Self {
            requester, proof, recipient, purpose, purpose_source, route, act, bundle, vocabulary, ..
        } = other;
        Self { requester, proof, recipient, purpose, purpose_source, route, act, bundle, vocabulary, ..self }
    }
}

/// The verdicts on one window of a body, recorded before its bytes are released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdicts {
    /// In which direction the body goes; `None` continues the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The number of the window, from 0; `None` continues the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// The bundle in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleDigest>,
    /// How far the ledger was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerRevision>,
    /// As of when it was decided: what was in force and had run out at this time. The record itself was written later.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::id::maybe_timestamp")]
    pub at: Option<Moment>,
    /// Whether the ruling was only reported, not carried out; the ticket fills it in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report_only: bool,
    /// The answers.
    pub verdicts: Vec<VerdictLine>,
    /// How many records of verdicts continue this one; the writer fills it in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u64,
}

impl Verdicts {
    /// The verdicts on a window.
    #[must_use]
    pub fn new(
        direction: Direction,
        window: u64,
        bundle: BundleDigest,
        ledger: LedgerRevision,
        verdicts: Vec<VerdictLine>,
    ) -> Self {
        Self {
            direction: Some(direction),
            window: Some(window),
            bundle: Some(bundle),
            ledger: Some(ledger),
            at: None,
            report_only: false,
            verdicts,
            parts: 0,
        }
    }
}
