//! The service map: which route serves which purpose and carries which data about whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consentry_model::{
    Category, ClassId, ConsentKind, ContractState, FactId, FactValue, Field, FieldMap, Purpose, RecipientId,
    Space, SubjectType,
};

use super::cookies::CookieDef;

/// A category together with what binds the datum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataClass {
    /// What it is.
    pub category: Category,
    /// In which capacity it was given.
    pub subject_type: SubjectType,
    /// What the service map states about it: the controller's attestation.
    pub facts: Vec<(FactId, FactValue)>,
}

/// Where in a request a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A variable of the route.
    Path(String),
    /// A query parameter.
    Query(String),
    /// A header, in lower case.
    Header(String),
    /// A member of the request's JSON body, by its path.
    Body(Vec<String>),
    /// A member of each record of the response.
    Item(Vec<String>),
}

/// Whom a route is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// In which capacity they gave what the route carries.
    pub subject_type: SubjectType,
    /// How they are found.
    pub subject: SubjectSource,
}

/// How the subject of a route is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectSource {
    /// Nobody is identified; the ledger cannot know them.
    Anonymous,
    /// By an identifier that the request names.
    Named {
        /// Its space.
        space: Space,
        /// Where it stands.
        at: Reference,
    },
    /// Each record of the response names its own; the field map knows where.
    PerRecord,
}

/// What may be asked for on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PurposeRule {
    /// The route fixes it.
    Fixed(Purpose),
    /// The requester declares it, one of these or below.
    OneOf(Vec<Purpose>),
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
    /// JSON with these fields.
    Json(Arc<FieldMap>),
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
    /// Only when these members of the body have these values.
    pub condition: Vec<(Vec<String>, serde_json::Value)>,
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
    /// What the request does to the ledger.
    pub events: Vec<EventSpec>,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Variable(String),
}

/// A request matched to its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch<'a> {
    /// The route.
    pub route: &'a Route,
    /// The values of its variables.
    pub variables: BTreeMap<&'a str, &'a str>,
}

/// The service map of one bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceMap {
    /// The routes, as written.
    pub routes: Vec<Route>,
    /// The data classes that the field maps name, by [`ClassId`].
    pub classes: Vec<DataClass>,
    /// The cookies that may travel.
    pub cookies: Vec<CookieDef>,
}

impl ServiceMap {
    /// Matches a method and the decoded segments of a canonical path. A literal segment is preferred to a variable,
    /// from left to right.
    #[must_use]
    pub fn find<'a>(&'a self, method: &str, segments: &[&'a str]) -> Option<RouteMatch<'a>> {
        let mut best: Option<(&Route, Vec<bool>)> = None;
        for route in self.routes.iter().filter(|r| r.method == method) {
            let Some(literal) = matches(&route.segments, segments) else { continue };
            if best.as_ref().is_none_or(|(_, there)| literal > *there) {
                best = Some((route, literal));
            }
        }
        let (route, _) = best?;
        let variables = route
            .segments
            .iter()
            .zip(segments)
            .filter_map(|(segment, value)| match segment {
                Segment::Variable(name) => Some((name.as_str(), *value)),
                Segment::Literal(_) => None,
            })
            .collect();
        Some(RouteMatch { route, variables })
    }

    /// A data class.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&DataClass> {
        self.classes.get(usize::from(id.0))
    }

    /// The data class of a category of somebody, without any further attestation: what a cookie holds.
    #[must_use]
    pub fn class_of(&self, category: &Category, subject_type: &SubjectType) -> Option<ClassId> {
        let bare =
            |c: &DataClass| c.category == *category && c.subject_type == *subject_type && c.facts.is_empty();
        self.classes.iter().position(bare).and_then(|at| u16::try_from(at).ok()).map(ClassId)
    }

    /// Every registered cookie may meet every kind of person that the routes are about.
    pub(crate) fn add_cookie_classes(&mut self) {
        let types: BTreeSet<_> =
            self.routes.iter().filter_map(|r| r.about.as_ref()).map(|a| a.subject_type.clone()).collect();
        let categories: BTreeSet<_> = self.cookies.iter().map(|c| c.category.clone()).collect();
        for category in &categories {
            for subject_type in &types {
                let class = DataClass {
                    category: category.clone(),
                    subject_type: subject_type.clone(),
                    facts: Vec::new(),
                };
                self.class_id(class);
            }
        }
    }

    pub(crate) fn class_id(&mut self, class: DataClass) -> ClassId {
        let at = self.classes.iter().position(|c| *c == class).unwrap_or_else(|| {
            self.classes.push(class);
            self.classes.len() - 1
        });
        // More than 65,535 classes cannot be written within a bundle's size limit.
        ClassId(u16::try_from(at).unwrap_or(u16::MAX))
    }
}

fn matches(template: &[Segment], path: &[&str]) -> Option<Vec<bool>> {
    if template.len() != path.len() {
        return None;
    }
    template
        .iter()
        .zip(path)
        .map(|(segment, value)| match segment {
            Segment::Literal(literal) => (literal == value).then_some(true),
            Segment::Variable(_) => (!value.is_empty()).then_some(false),
        })
        .collect()
}

impl Route {
    /// The recipient of what a request brings: the controller itself.
    #[must_use]
    pub fn collector(&self) -> RecipientId {
        RecipientId::new("internal")
    }

    /// Every data class that a response may carry.
    #[must_use]
    pub fn response_classes(&self) -> Vec<ClassId> {
        classes_of(&self.response_body, &self.response_headers)
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
    let mut all: Vec<ClassId> = match body {
        Body::None => Vec::new(),
        Body::Json(map) => map.leaves().filter_map(|(_, field)| class_of(field)).collect(),
    };
    all.extend(headers.iter().filter_map(|h| class_of(h.field)));
    all.sort_unstable();
    all.dedup();
    all
}
