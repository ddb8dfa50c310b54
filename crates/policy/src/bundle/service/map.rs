//! The routes of a bundle, the data classes that they carry, and the cookies that may travel.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{Category, ClassId, FactId, FactValue, Ladder, SubjectType};

use super::about::LEDGER_TYPE;
use super::route::{Route, Segment};
use crate::bundle::cookies::CookieDef;

/// A category together with what binds the datum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataClass {
    /// What it is.
    pub category: Category,
    /// In which capacity it was given.
    pub subject_type: SubjectType,
    /// What the service map states about it: the controller's attestation.
    pub facts: Vec<(FactId, FactValue)>,
    /// The treatments that it can be given.
    pub ladder: Ladder,
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
    /// Matches a method and the decoded segments of a canonical path among the routes that are served on every host. A
    /// literal segment is preferred to a variable, from left to right.
    #[must_use]
    pub fn find<'a>(&'a self, method: &str, segments: &[&'a str]) -> Option<RouteMatch<'a>> {
        self.find_on(None, method, segments)
    }

    /// The same for a request to one host, in lower case and without a port: of two routes that match alike, the one
    /// that is served on this host alone is preferred.
    #[must_use]
    pub fn find_on<'a>(
        &'a self,
        host: Option<&str>,
        method: &str,
        segments: &[&'a str],
    ) -> Option<RouteMatch<'a>> {
        let mut best: Option<&Route> = None;
        let served = |r: &&Route| r.method == method && (r.host.is_none() || r.host.as_deref() == host);
        for route in self.routes.iter().filter(served).filter(|r| matches(&r.segments, segments)) {
            if best.is_none_or(|there| rank(route).gt(rank(there))) {
                best = Some(route);
            }
        }
        let route = best?;
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

    /// Whether a service that compares paths less closely may take one that a route was found for as another's: of a route with
    /// a literal where this one has a variable, once case does not count, or the last segment loses what stands behind its
    /// last dot.
    #[must_use]
    pub fn may_be_another(&self, found: &Route, segments: &[&str]) -> bool {
        let rivals = found.rivals.get_or(|| self.rivals_of(found));
        let takes =
            |rival: &Route| !matches(&rival.segments, segments) && matches_loosely(&rival.segments, segments);
        rivals.iter().filter_map(|at| self.routes.get(*at)).any(takes)
    }

    /// The routes, by position, that have a literal where this one has a variable, and may match what it matches.
    fn rivals_of(&self, route: &Route) -> Vec<usize> {
        let literal_beside = |(own, other): (&Segment, &Segment)| {
            matches!((own, other), (Segment::Variable(_), Segment::Literal(_)))
        };
        let is_rival = |other: &Route| {
            let hosts = other.host == route.host || other.host.is_none() || route.host.is_none();
            // A variable of this route stands for what would match there.
            let path: Vec<&str> = route.segments.iter().zip(&other.segments).map(in_common).collect();
            let beside = route.segments.iter().zip(&other.segments).any(literal_beside);
            hosts
                && beside
                && other.method == route.method
                && other.segments.len() == route.segments.len()
                && matches_loosely(&other.segments, &path)
        };
        self.routes.iter().enumerate().filter(|(_, other)| is_rival(other)).map(|(at, _)| at).collect()
    }

    /// Whether some route begins with these segments, each a literal of the map.
    #[must_use]
    pub fn begins_with(&self, segments: &[&str]) -> bool {
        let literal = |(there, asked): (&Segment, &&str)| match there {
            Segment::Literal(literal) => literal == asked,
            Segment::Variable(_) => false,
        };
        let begins = |all: &[Segment]| all.len() >= segments.len() && all.iter().zip(segments).all(literal);
        self.routes.iter().any(|route| begins(&route.segments))
    }

    /// A data class.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&DataClass> {
        self.classes.get(usize::from(id.0))
    }

    /// The variant of a class for a person whose capacity the ledger told; the class itself when its capacity is the
    /// map's to say.
    #[must_use]
    pub fn class_for(&self, id: ClassId, subject_type: Option<&SubjectType>) -> Option<ClassId> {
        let class = self.class(id)?;
        if class.subject_type.as_str() != LEDGER_TYPE {
            return Some(id);
        }
        self.id_of(&DataClass { subject_type: subject_type?.clone(), ..class.clone() })
    }

    /// The data class of a cookie that travels on a route: what it holds, of whom the route is about. Where only the
    /// ledger knows their capacity, see [`class_for`](Self::class_for).
    #[must_use]
    pub fn cookie_class(&self, route: &Route, cookie: &CookieDef) -> Option<ClassId> {
        self.id_of(&held_by(route, cookie)?)
    }

    /// The data class of a value that is found to be of a category: of whom a route is about, or of whoever calls.
    #[must_use]
    pub fn detected_class(&self, route: &Route, category: &Category) -> Option<ClassId> {
        self.id_of(&found_on(route, category))
    }

    /// Every category that is looked for may be found on every route.
    pub(crate) fn add_detected(&mut self, categories: &[Category], subjects: &BTreeSet<String>) {
        let pairs = self.routes.iter().flat_map(|r| categories.iter().map(|c| found_on(r, c)));
        let found: BTreeSet<DataClass> = pairs.collect();
        for class in found {
            self.class_id(class, subjects);
        }
    }

    fn id_of(&self, class: &DataClass) -> Option<ClassId> {
        let at = self.classes.iter().position(|c| c == class)?;
        u16::try_from(at).ok().map(ClassId)
    }

    /// Every registered cookie may travel on every route that is about somebody.
    pub(crate) fn add_cookie_classes(&mut self, subjects: &BTreeSet<String>) {
        let pairs = self.routes.iter().flat_map(|r| self.cookies.iter().filter_map(|c| held_by(r, c)));
        let held: BTreeSet<DataClass> = pairs.collect();
        for class in held {
            self.class_id(class, subjects);
        }
    }

    /// The id of a class, new or not. One whose capacity only the ledger knows brings a variant for each that it may be.
    pub(crate) fn class_id(&mut self, class: DataClass, subjects: &BTreeSet<String>) -> ClassId {
        if class.subject_type.as_str() == LEDGER_TYPE {
            for subject in subjects {
                self.enter(DataClass { subject_type: SubjectType::new(subject), ..class.clone() });
            }
        }
        self.enter(class)
    }

    fn enter(&mut self, class: DataClass) -> ClassId {
        let at = self.classes.iter().position(|c| *c == class).unwrap_or_else(|| {
            self.classes.push(class);
            self.classes.len() - 1
        });
        // More than 65,535 classes cannot be written within a bundle's size limit.
        ClassId(u16::try_from(at).unwrap_or(u16::MAX))
    }
}

/// A cookie cannot be shown in part: it travels or is stripped.
fn held_by(route: &Route, cookie: &CookieDef) -> Option<DataClass> {
    route.about.as_ref().map(|_| found_on(route, &cookie.category))
}

/// What is found on a route that is about nobody is whoever's who calls.
fn found_on(route: &Route, category: &Category) -> DataClass {
    let about = route.about.as_ref().map(|about| about.subject_type.clone());
    DataClass {
        category: category.clone(),
        subject_type: about.unwrap_or_else(|| SubjectType::new("visitor")),
        facts: route.cookie_facts.clone(),
        ladder: Ladder::default(),
    }
}

fn matches(template: &[Segment], path: &[&str]) -> bool {
    let fits = |(segment, value): (&Segment, &&str)| match segment {
        Segment::Literal(literal) => literal == value,
        Segment::Variable(_) => !value.is_empty(),
    };
    template.len() == path.len() && template.iter().zip(path).all(fits)
}

/// What stands in a path where both templates match, as far as either says.
fn in_common<'a>((own, other): (&'a Segment, &'a Segment)) -> &'a str {
    match (own, other) {
        (Segment::Literal(text), _)
        | (Segment::Variable(_), Segment::Literal(text) | Segment::Variable(text)) => text,
    }
}

/// The same for a service to which the case of a literal is nothing, and what stands behind the last dot of a path the format
/// that is asked for.
fn matches_loosely(template: &[Segment], path: &[&str]) -> bool {
    let last = path.len().saturating_sub(1);
    let fits = |(at, (segment, value)): (usize, (&Segment, &&str))| match segment {
        Segment::Literal(literal) => {
            let bare = value.rsplit_once('.').map(|(bare, _)| bare).filter(|_| at == last);
            same_but_for_case(literal, value) || bare.is_some_and(|bare| same_but_for_case(literal, bare))
        }
        Segment::Variable(_) => !value.is_empty(),
    };
    template.len() == path.len() && template.iter().zip(path).enumerate().all(fits)
}

/// Whether two texts are the same to whoever compares them in small letters, or in capital ones.
fn same_but_for_case(literal: &str, value: &str) -> bool {
    let folded =
        || literal.to_lowercase() == value.to_lowercase() || literal.to_uppercase() == value.to_uppercase();
    literal.eq_ignore_ascii_case(value) || (!value.is_ascii() && folded())
}

/// Which of two routes that match alike is meant: the one with a literal where the other has a variable, from the left;
/// then the one that is served on one host alone.
fn rank(route: &Route) -> impl Iterator<Item = bool> {
    let literal = route.segments.iter().map(|segment| matches!(segment, Segment::Literal(_)));
    literal.chain([route.host.is_some()])
}
