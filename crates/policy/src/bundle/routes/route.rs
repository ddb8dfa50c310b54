//! One route, and what it says as a whole.

use std::sync::Arc;

use consentry_model::{FactId, FactSchema, FactSource, FactValue, Purpose, Space};

use super::fields::Fields;
use super::words::{reference, template};
use crate::bundle::service::{
    About, Body, Excess, PurposeRule, Reference, Right, Route, Segment, ServiceMap, SubjectSource,
};
use crate::bundle::vocabulary::Vocabulary;
use crate::text::{Node, Object, Reader, Span};

/// What a route's words are looked up in.
pub(crate) struct RouteContext<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) schema: &'a FactSchema,
    pub(crate) excess: Excess,
}

pub(crate) fn read_routes(
    node: &Node,
    context: &RouteContext<'_>,
    map: &mut ServiceMap,
    reader: &mut Reader,
) {
    for item in reader.sequence(node) {
        let Some(route) = context.route(item, map, reader) else { continue };
        if let Some(there) = map.routes.iter().find(|r| clash(r, &route)) {
            let message = format!("`{}` matches what `{}` matches", route.id, there.id);
            reader.error("route-ambiguous", item.span, message);
        }
        map.routes.push(route);
    }
}

fn clash(a: &Route, b: &Route) -> bool {
    let same = |(x, y): (&Segment, &Segment)| match (x, y) {
        (Segment::Literal(x), Segment::Literal(y)) => x == y,
        (Segment::Variable(_), Segment::Variable(_)) => true,
        (Segment::Literal(_), Segment::Variable(_)) | (Segment::Variable(_), Segment::Literal(_)) => false,
    };
    a.method == b.method
        && a.segments.len() == b.segments.len()
        && a.segments.iter().zip(&b.segments).all(same)
}

impl RouteContext<'_> {
    fn route(&self, node: &Node, map: &mut ServiceMap, reader: &mut Reader) -> Option<Route> {
        let keys = [
            "route", "public", "purpose", "purposes", "right", "about", "facts", "excess", "request",
            "response", "events", "clauses",
        ];
        let object = reader.object(node, &keys, "a route")?;
        let named = reader.need(&object, "route", "a route")?;
        let (id, method, segments) = template(named, reader)?;
        let right =
            object.get("right").and_then(|n| reader.one_of(n, "right", &Right::ALL.map(|r| (r.code(), r))));
        let purpose = self.purpose(&object, right, reader);
        let facts = object.get("facts").map(|n| self.facts(n, reader)).unwrap_or_default();
        let about = object.get("about").map(|n| self.about(n, reader));
        let response = object
            .get("response")
            .and_then(|n| reader.object(n, &["body", "records", "emptied", "headers"], "a response"));
        let request =
            object.get("request").and_then(|n| reader.object(n, &["body", "query", "headers"], "a request"));
        let about = match about {
            Some(read) => Some(read?),
            None => None,
        };
        let fields = Fields { context: self, about: about.as_ref().map(|(a, _)| a), facts: &facts };
        let mut route = Route {
            id,
            method,
            segments,
            public: object.get("public").and_then(|n| reader.boolean(n)).unwrap_or(false),
            purpose: purpose?,
            right,
            about: about.as_ref().map(|(a, _)| a.clone()),
            excess: object.get("excess").map_or(Some(self.excess), |n| read_excess(n, reader))?,
            request_body: Body::None,
            request_query: Vec::new(),
            request_headers: Vec::new(),
            response_body: Body::None,
            response_headers: Vec::new(),
            events: object.get("events").map(|n| self.events(n, reader)).unwrap_or_default(),
            clauses: clauses(&object, reader),
        };
        if let Some(request) = request {
            route.request_body = fields.body(&request, None, map, reader)?;
            route.request_query = fields.head(request.get("query"), false, map, reader);
            route.request_headers = fields.head(request.get("headers"), true, map, reader);
        }
        if let Some(response) = response {
            let item = about.as_ref().and_then(|(_, item)| item.as_ref());
            route.response_body = fields.body(&response, item, map, reader)?;
            route.response_headers = fields.head(response.get("headers"), true, map, reader);
        }
        self.check_about(&route, named.span, reader);
        Some(route)
    }

    fn check_about(&self, route: &Route, span: Span, reader: &mut Reader) {
        let personal = !route.request_classes().is_empty() || !route.response_classes().is_empty();
        if personal && route.about.is_none() {
            reader.error("about-missing", span, format!("`{}` carries personal data about nobody", route.id));
        }
        let per_record = route.about.as_ref().is_some_and(|a| a.subject == SubjectSource::PerRecord);
        if per_record && !route.request_classes().is_empty() {
            let message = "a request cannot bring data about the records of its response";
            reader.error("about-per-record", span, message);
        }
        if !route.events.is_empty()
            && !matches!(&route.about, Some(About { subject: SubjectSource::Named { .. }, .. }))
        {
            reader.error("event-about-nobody", span, "an event needs a subject that the request names");
        }
        if let Some(About { subject: SubjectSource::Named { at: Reference::Path(name), .. }, .. }) =
            &route.about
        {
            let known = route.segments.iter().any(|s| *s == Segment::Variable(name.clone()));
            if !known {
                reader.error("unknown-variable", span, format!("`{}` has no `{{{name}}}`", route.id));
            }
        }
    }

    fn purpose(&self, object: &Object<'_>, right: Option<Right>, reader: &mut Reader) -> Option<PurposeRule> {
        let given = [
            object.get("purpose").is_some(),
            object.get("purposes").is_some(),
            object.get("right").is_some(),
        ];
        if given.iter().filter(|g| **g).count() != 1 {
            let message = "a route has exactly one of `purpose`, `purposes` and `right`";
            reader.error("one-purpose", object.span, message);
            return None;
        }
        if object.get("right").is_some() {
            let right = right?;
            return Purpose::new(&format!("custom.rights.{}", right.code())).ok().map(PurposeRule::Fixed);
        }
        let read = |node: &Node, reader: &mut Reader| -> Vec<Purpose> {
            let words = reader.words(node);
            words.into_iter().filter_map(|(w, at)| self.vocabulary.purpose(w, at, reader)).collect()
        };
        if let Some(node) = object.get("purpose") {
            let word = reader.word(node)?;
            return self.vocabulary.purpose(word, node.span, reader).map(PurposeRule::Fixed);
        }
        let several = read(object.get("purposes")?, reader);
        (!several.is_empty()).then_some(PurposeRule::OneOf(several))
    }

    /// Whom, and for records the path and space of what names each.
    #[expect(clippy::type_complexity, reason = "used once, right above")]
    fn about(&self, node: &Node, reader: &mut Reader) -> Option<(About, Option<(Vec<Box<str>>, Space)>)> {
        let object = reader.object(node, &["type", "space", "id", "anonymous"], "about")?;
        let subject_type = reader
            .need(&object, "type", "about")
            .and_then(|n| self.vocabulary.subject(reader.word(n)?, n.span, reader))?;
        let anonymous = object.get("anonymous").and_then(|n| reader.boolean(n)).unwrap_or(false);
        if anonymous {
            for node in ["space", "id"].into_iter().filter_map(|key| object.get(key)) {
                reader.error("misplaced-key", node.span, "nobody is named on a route about anonymous people");
            }
            return Some((About { subject_type, subject: SubjectSource::Anonymous }, None));
        }
        let space = reader.need(&object, "space", "about").and_then(|n| reader.word(n)).map(Space::new);
        let at = reader.need(&object, "id", "about").and_then(|n| reference(n, reader));
        let (space, at) = (space?, at?);
        if let Reference::Item(path) = &at {
            let path = path.iter().map(|p| p.as_str().into()).collect();
            return Some((About { subject_type, subject: SubjectSource::PerRecord }, Some((path, space))));
        }
        Some((About { subject_type, subject: SubjectSource::Named { space, at } }, None))
    }

    /// What the map states about the data: constants of datum facts.
    pub(super) fn facts(&self, node: &Node, reader: &mut Reader) -> Vec<(FactId, FactValue)> {
        let Some(object) = reader.mapping(node) else { return Vec::new() };
        let mut out = Vec::new();
        for (key, span, value) in object.entries() {
            let stated = || self.schema.iter().filter(|(_, d)| d.source == FactSource::Datum);
            let Some((id, def)) = stated().find(|(_, d)| *d.name == **key) else {
                reader.unknown(
                    "unknown-fact",
                    *span,
                    "fact of a datum",
                    key,
                    stated().map(|(_, d)| &*d.name),
                );
                continue;
            };
            let Some(word) = reader.word(value) else { continue };
            let words = def.ty.words();
            match words.iter().position(|w| **w == *word).and_then(|at| u16::try_from(at).ok()) {
                Some(at) => out.push((id, FactValue::Word(at))),
                None => {
                    let known = words.iter().map(|w| &**w);
                    reader.unknown("unknown-value", value.span, "value of this fact", word, known);
                }
            }
        }
        out.sort_unstable();
        out
    }
}

pub(crate) fn read_excess(node: &Node, reader: &mut Reader) -> Option<Excess> {
    reader.one_of(node, "choice", &[("drop", Excess::Drop), ("refuse", Excess::Refuse)])
}

pub(crate) fn clauses(object: &Object<'_>, reader: &mut Reader) -> Vec<Arc<str>> {
    let Some(node) = object.get("clauses") else { return Vec::new() };
    reader.words(node).into_iter().map(|(word, _)| Arc::from(word)).collect()
}
