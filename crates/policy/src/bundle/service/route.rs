//! One route, and what it carries.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{
    ClassId, ConsentKind, ContractState, FactId, FactValue, Field, FieldMap, MediaTypes, Purpose, RecipientId,
};

use super::about::{About, FactTarget, Reference, SubjectSource};
use crate::bundle::derived::Derived;

/// What may be asked for on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PurposeRule {
    /// The route fixes it.
    Fixed(Purpose),
    /// The requester declares it, one of these or below.
    OneOf(Vec<Purpose>),
    /// A value of the request decides.
    By {
        /// Where it stands.
        at: Reference,
        /// What each value means; any other is an unknown purpose.
        values: BTreeMap<String, Purpose>,
    },
}

/// To whom a request goes on, when the route is a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To this recipient.
    Fixed(RecipientId),
    /// To the recipient that a variable of the path names.
    Path(String),
}

/// The parts of an outbound message, by the paths of their members in the request's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageMap {
    /// Its addressees, a list.
    pub to: Vec<String>,
    /// Who sends it.
    pub from: Option<Vec<String>>,
    /// What it is about.
    pub topic: Option<Vec<String>>,
    /// Its text.
    pub text: Option<Vec<String>>,
    /// The product that it is about.
    pub product: Option<Vec<String>>,
    /// Its mail headers, an object.
    pub headers: Option<Vec<String>>,
}

impl MessageMap {
    /// The headers that a message may bring, unless its route describes its body itself. None of them names anybody to whom
    /// it goes; they are written exactly so.
    pub const HEADERS: [&str; 4] = ["List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To", "Subject"];
}

/// A value of a query parameter that asks for a category beyond what the answer carries anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adds {
    /// The parameter.
    pub parameter: String,
    /// The value.
    pub value: String,
    /// The data class that it asks for.
    pub class: ClassId,
}

/// A right of the subject that a route serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// GDPR Article 15.
    Access,
    /// Article 20.
    Portability,
    /// Article 16.
    Rectification,
    /// Article 17.
    Erasure,
    /// Article 18.
    Restriction,
    /// Article 21.
    Objection,
    /// Consent and opt-out settings, Article 7(3).
    Preferences,
    /// A complaint to the controller.
    Complaint,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 8] = [
        Self::Access,
        Self::Portability,
        Self::Rectification,
        Self::Erasure,
        Self::Restriction,
        Self::Objection,
        Self::Preferences,
        Self::Complaint,
    ];

    /// The word in bundles, and the last segment of the purpose `custom.rights.…`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Portability => "portability",
            Self::Rectification => "rectification",
            Self::Erasure => "erasure",
            Self::Restriction => "restriction",
            Self::Objection => "objection",
            Self::Preferences => "preferences",
            Self::Complaint => "complaint",
        }
    }
}

/// What becomes of data that a request brings and may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Excess {
    /// The request is refused.
    #[default]
    Refuse,
    /// It is dropped, the rest goes on.
    Drop,
}

/// What a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none to pass.
    None,
    /// These fields, in any of these media types. Where nobody looks into the body, it is one field.
    Fields(Arc<FieldMap>, MediaTypes),
    /// A page or an asset that is no datum, passed on whole.
    Page,
}

impl Body {
    /// Its fields, if it has any.
    #[must_use]
    pub const fn fields(&self) -> Option<&Arc<FieldMap>> {
        match self {
            Self::Fields(map, _) => Some(map),
            Self::None | Self::Page => None,
        }
    }

    /// The media types that its fields come in.
    #[must_use]
    pub const fn types(&self) -> Option<&MediaTypes> {
        match self {
            Self::Fields(_, types) => Some(types),
            Self::None | Self::Page => None,
        }
    }
}

/// What a header or a query parameter carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadField {
    /// Its name; a header's in lower case.
    pub name: String,
    /// What it carries.
    pub field: Field,
}

/// What a request does to the ledger before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSpec {
    /// Only when these members of the body, or parameters of the query, have these values.
    pub condition: Vec<(Reference, serde_json::Value)>,
    /// What happens.
    pub effect: EventEffect,
}

/// What an event records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventEffect {
    /// The person agrees.
    Consent(ConsentKind, Purpose),
    /// The person takes a consent back.
    Withdraw(Purpose),
    /// The person objects or opts out.
    Object(Purpose),
    /// A contract changes.
    Contract(ContractState),
    /// The person is erased.
    Erase,
    /// Processing is restricted.
    Restrict,
    /// Nothing may be sent to the person any more.
    Suppress,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// As the bundle writes it: `GET /customers/{id}`.
    pub id: Arc<str>,
    /// The method, in upper case.
    pub method: String,
    /// The path, segment by segment.
    pub(crate) segments: Vec<Segment>,
    /// Whether a request without a token is served, as `anyone`.
    pub public: bool,
    /// What may be asked for.
    pub purpose: PurposeRule,
    /// The right that it serves.
    pub right: Option<Right>,
    /// Whom it is about; nobody when the route carries no personal data.
    pub about: Option<About>,
    /// What a request that brings too much meets.
    pub excess: Excess,
    /// The request's body.
    pub request_body: Body,
    /// The query parameters that are passed on; every other is excess.
    pub request_query: Vec<HeadField>,
    /// The headers beyond the technical ones that are passed on; every other is dropped.
    pub request_headers: Vec<HeadField>,
    /// The response's body.
    pub response_body: Body,
    /// The response's headers beyond the technical ones.
    pub response_headers: Vec<HeadField>,
    /// The statuses of the service's refusals that are told to everybody, although the route is public and about somebody.
    pub told_errors: Vec<u16>,
    /// What the request does to the ledger.
    pub events: Vec<EventSpec>,
    /// The host it is served on alone, in lower case; any of the bundle's when there is none.
    pub host: Option<String>,
    /// To whom the request goes on, when the route is a way out: what it brings is disclosed, what is answered obtained.
    pub to: Option<Destination>,
    /// The message that the request is.
    pub message: Option<MessageMap>,
    /// Facts that values of the request state. Those that stand in each record of the answer are in `item_facts`.
    pub facts: Vec<(FactTarget, Reference)>,
    /// Facts that members of each record state: of the answer, or of the request where groups stand there; in the order
    /// of the field map's [captures](consentry_model::RecordScope::captures).
    pub item_facts: Vec<FactTarget>,
    /// Query parameters whose presence narrows a population.
    pub narrows: Vec<String>,
    /// Query parameters that ask for more.
    pub adds: Vec<Adds>,
    /// The status to refuse with, instead of a problem.
    pub refused_status: Option<u16>,
    /// What the map states of a cookie that travels on the route.
    pub cookie_facts: Vec<(FactId, FactValue)>,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
    pub(crate) answered: Derived<Vec<ClassId>>,
    /// The positions of those that a service may take it for which compares paths less closely.
    pub(crate) rivals: Derived<Vec<usize>>,
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Variable(String),
}

impl Route {
    /// The recipient of what a request brings: the controller itself.
    #[must_use]
    pub fn collector(&self) -> RecipientId {
        RecipientId::new("internal")
    }

    /// Where it reads of a request whom it is about, what for, and what the route itself states.
    pub fn reads(&self) -> impl Iterator<Item = &Reference> {
        let subject = self.about.as_ref().and_then(|about| match &about.subject {
            SubjectSource::Named { at, .. } => Some(at),
            SubjectSource::Anonymous
            | SubjectSource::PerRecord
            | SubjectSource::Addressees
            | SubjectSource::Population { .. } => None,
        });
        let purpose = match &self.purpose {
            PurposeRule::By { at, .. } => Some(at),
            PurposeRule::Fixed(_) | PurposeRule::OneOf(_) => None,
        };
        subject.into_iter().chain(purpose).chain(self.facts.iter().map(|(_, at)| at))
    }

    /// Every place of a request by which something is decided: what it [reads](Self::reads), and what its events ask for.
    pub fn decides_by(&self) -> impl Iterator<Item = &Reference> {
        let asked = self.events.iter().flat_map(|event| event.condition.iter().map(|(at, _)| at));
        self.reads().chain(asked)
    }

    /// Whether the request describes what stands at one of its places. What it describes nowhere never goes on; what of a
    /// place is no part of what goes on, or names no place of the request alone, is not its to describe.
    #[must_use]
    pub fn describes(&self, at: &Reference) -> bool {
        let named = |fields: &[HeadField], name: &str| {
            fields.iter().any(|f| f.name == name || f.name.strip_suffix("[]") == Some(name))
        };
        match at {
            Reference::Query(name) => {
                let beside = |other: &String| other == name;
                named(&self.request_query, name)
                    || self.narrows.iter().any(beside)
                    || self.adds.iter().any(|adds| beside(&adds.parameter))
            }
            // The host goes on in any case.
            Reference::Header(name) => name == "host" || named(&self.request_headers, name),
            Reference::Body(path) => self.request_body.fields().is_some_and(|m| m.field_at(path).is_some()),
            Reference::Path(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Item(_)
            | Reference::Addressees(_) => true,
        }
    }

    /// Whether the answer's verdicts are found record by record.
    #[must_use]
    pub fn answers_in_records(&self) -> bool {
        self.response_body.fields().is_some_and(|map| map.has_records())
    }

    /// Every data class that a response may carry.
    #[must_use]
    pub fn response_classes(&self) -> &[ClassId] {
        self.answered.get_or(|| classes_of(&self.response_body, &self.response_headers))
    }

    /// Every data class that a request may bring.
    #[must_use]
    pub fn request_classes(&self) -> Vec<ClassId> {
        let mut all = classes_of(&self.request_body, &self.request_headers);
        all.extend(self.request_query.iter().filter_map(|f| class_of(f.field)));
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn class_of(field: Field) -> Option<ClassId> {
    match field {
        Field::Class(class, _) => Some(class),
        Field::Open => None,
    }
}

fn classes_of(body: &Body, headers: &[HeadField]) -> Vec<ClassId> {
    let leaves = body.fields().into_iter().flat_map(|map| map.leaves());
    let mut all: Vec<ClassId> = leaves.filter_map(|(_, field)| class_of(field)).collect();
    all.extend(headers.iter().filter_map(|h| class_of(h.field)));
    all.sort_unstable();
    all.dedup();
    all
}
