//! What a case tells, and what it expects.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Moment, Outcome, Reason, Treatment};
use serde_json::Value;

use crate::bundle::given::Given;

/// What must come out of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// Everything clear.
    Allow,
    /// Some of it not.
    Redact,
    /// Refused, with this reason in the evidence.
    Refuse(Reason),
    /// The bundle, altered as the case says, cannot be loaded: an error of this code is found.
    LoadError(Arc<str>),
}

impl CaseOutcome {
    /// The outcome without its reason. A bundle that does not load serves nobody.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Allow => Outcome::Allow,
            Self::Redact => Outcome::Redact,
            Self::Refuse(_) | Self::LoadError(_) => Outcome::Refuse,
        }
    }
}

/// A change that an obligation makes to an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The header, in lower case, has this value.
    Header(String, String),
    /// The cookie lives for so many seconds at most.
    CookieMaxAge(String, i64),
}

/// What must come out besides the outcome. Each list is exact: what is removed and not listed fails the case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Fields of the request that do not reach the upstream.
    pub dropped: Vec<String>,
    /// Fields of the response that are not delivered, by their path in the service map.
    pub withheld: Vec<String>,
    /// How many records, addressees or groups are left out.
    pub omitted: u64,
    /// Which of them, where the case names them: then as many as are omitted.
    pub omitted_names: Vec<String>,
    /// Cookies that do not travel.
    pub stripped: Vec<String>,
    /// Fields that are delivered in a lesser treatment.
    pub left: BTreeMap<String, Treatment>,
    /// What obligations change of the answer.
    pub changed: Vec<Change>,
    /// Facts that were assumed because nobody knew them.
    pub assumed: Vec<String>,
    /// Sentences that the ledger holds afterwards.
    pub recorded: Vec<Given>,
    /// Members that the problem body shows.
    pub shows: BTreeMap<String, String>,
    /// The status, where it is not the usual one.
    pub status: Option<u16>,
    /// The policy's version that the evidence must rest on.
    pub version: Option<String>,
}

/// What a request brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) claims: BTreeMap<String, Value>,
    pub(super) assurance: Option<String>,
    pub(super) tls: Option<String>,
    pub(super) signed: bool,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What happens, in one sentence.
    pub name: String,
    /// The clause it tests.
    pub clause: String,
    /// The day of the story, from its first moment; the runner's own today when it says nothing.
    pub at: Option<Moment>,
    /// A requester, `anyone`, or a person's name: that person, proved.
    pub who: String,
    /// The method; empty where the bundle is not to load.
    pub method: String,
    /// The path; empty where the bundle is not to load.
    pub path: String,
    /// The host that is asked, when it matters.
    pub host: Option<String>,
    /// The declared purpose.
    pub why: Option<String>,
    /// What the body says that is sent, in whatever format the service map takes it.
    pub sends: Option<Value>,
    /// Headers that are sent.
    pub headers: BTreeMap<String, String>,
    /// Query parameters that are sent.
    pub query: BTreeMap<String, String>,
    /// Cookies that are sent.
    pub cookies: BTreeMap<String, String>,
    /// The assurance that the token states.
    pub assurance: Option<String>,
    /// Further claims of the token: a text, a number, true or false, or a list of texts.
    pub claims: BTreeMap<String, Value>,
    /// The connection's TLS, `none`, `tls1.2` or `tls1.3`; the latter when the case says nothing.
    pub tls: Option<String>,
    /// Whether the request is signed.
    pub signed: bool,
    /// The people it is about.
    pub about: Vec<String>,
    /// What the ledger holds.
    pub given: Vec<Given>,
    /// What the bundle has in addition, as text in the bundle's own language. See [`Case::altered`].
    pub if_bundle_had: Option<String>,
    /// What the upstream's answer says, in whatever format the service map takes it; made up from the map when the case
    /// says nothing.
    pub answer: Option<Value>,
    /// The status of the upstream's answer; 200 when the case says nothing.
    pub answer_status: Option<u16>,
    /// Cookies that the upstream sets, each with its value and, behind semicolons, its attributes.
    pub sets: BTreeMap<String, String>,
    /// Beside a rule that permits everything: only a prohibition can still refuse.
    pub tempted: bool,
    /// The ledger does not answer.
    pub ledger_down: bool,
    /// The outcome.
    pub then: CaseOutcome,
    /// What else must come out.
    pub expect: Expectation,
    /// Why somebody could read the clause otherwise, where the outcome is not the only defensible one.
    pub disputed: Option<String>,
}
