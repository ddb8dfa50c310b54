//! Answers that were given before. Deciding is pure: where the same requester does the same for the same purpose on the
//! same route, and the same is known of the request, of the person and of the data, the answers are the same, and so
//! are the words in which evidence tells them. What is different is whom they are about.
//!
//! A precedent belongs to the bundle that it was found under and goes with it. It saves work and is no rule: whatever is
//! not exactly alike is decided afresh.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_audit::{PurposeSource, Wording};
use consentry_model::{
    Act, ClassId, FactId, Facts, Proof, Purpose, RecipientId, RequesterId, SubjectType, Verdict,
};
use consentry_policy::{FactWord, Item, Kept, Person};

use crate::data::DataFacts;
use crate::evidence::Lines;
use crate::people::Whom;

/// The verdicts on what an answer may carry.
#[derive(Clone, Default)]
pub(crate) struct Answered {
    /// As far as they can be found before there is a body, in the order of the classes.
    pub(crate) items: Vec<Item>,
    /// Those that hold for the whole body.
    pub(crate) by_class: BTreeMap<ClassId, Verdict>,
    /// Those against which an obligation stands.
    pub(crate) bound: Vec<Item>,
}

/// Everything that the answers follow from.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Case {
    pub(crate) route: usize,
    pub(crate) requester: RequesterId,
    /// Who receives what leaves, and what is done, as evidence tells it.
    pub(crate) told: (Option<RecipientId>, Option<Act>),
    /// By what the requester proved its name.
    pub(crate) proof: Option<Proof>,
    /// What named the purpose.
    pub(crate) named_by: Option<PurposeSource>,
    pub(crate) recipient: RecipientId,
    pub(crate) act: Act,
    pub(crate) purpose: Purpose,
    /// What the request states.
    pub(crate) stated: Facts,
    /// What is known whoever the person is.
    pub(crate) impersonal: FactWord,
    pub(crate) somebody: Somebody,
    pub(crate) person: Person,
    pub(crate) subject_type: Option<SubjectType>,
    pub(crate) assumed: Vec<FactId>,
    /// What is known of the data, each once, and which of them each class is.
    pub(crate) data: Vec<Arc<DataFacts>>,
    pub(crate) of_class: Vec<usize>,
}

/// Whether the answers are about anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Somebody {
    Nobody,
    Unknown,
    Known,
}

impl From<&Whom> for Somebody {
    fn from(whom: &Whom) -> Self {
        match whom {
            Whom::Nobody => Self::Nobody,
            Whom::Somebody(_) if whom.subject().is_some() => Self::Known,
            Whom::Somebody(_) => Self::Unknown,
        }
    }
}

/// The answers to a case.
pub(crate) struct Precedent {
    pub(crate) answered: Arc<Answered>,
    /// The same for evidence, about nobody, and in words.
    pub(crate) lines: Lines,
    pub(crate) wording: Arc<Wording>,
}

/// The precedents of a bundle.
pub(crate) type Precedents = Kept<Case, Arc<Precedent>>;
