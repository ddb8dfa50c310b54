//! YAML → [`Route`].

use std::sync::Arc;

use consentry_model::{
    ConsentKind, ContractState, Emptied, FactId, FactSchema, FactSource, FactValue, Field, FieldMap,
    FieldMapBuilder, Purpose, RecordScope, Space,
};

use super::service::{
    About, Body, DataClass, EventEffect, EventSpec, Excess, HeadField, PurposeRule, Reference, Right, Route,
    Segment, ServiceMap, SubjectSource,
};
use super::vocabulary::Vocabulary;
use crate::text::{Kind, Node, Object, Reader, Span};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

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
        let given = [object.get("purpose").is_some(), object.get("purposes").is_some(), right.is_some()];
        if given.iter().filter(|g| **g).count() != 1 {
            let message = "a route has exactly one of `purpose`, `purposes` and `right`";
            reader.error("one-purpose", object.span, message);
            return None;
        }
        if let Some(right) = right {
            return Purpose::new(&format!("custom.rights.{}", right.code())).ok().map(PurposeRule::Fixed);
        }
        let read = |node: &Node, reader: &mut Reader| -> Vec<Purpose> {
            let words = reader.words(node);
            words.into_iter().filter_map(|(w, at)| self.vocabulary.purpose(w, at, reader)).collect()
        };
        if let Some(node) = object.get("purpose") {
            return read(node, reader).into_iter().next().map(PurposeRule::Fixed);
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
    fn facts(&self, node: &Node, reader: &mut Reader) -> Vec<(FactId, FactValue)> {
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

    fn events(&self, node: &Node, reader: &mut Reader) -> Vec<EventSpec> {
        let mut out = Vec::new();
        for item in reader.sequence(node) {
            let keys = ["if", "consent", "to", "withdraw", "object", "contract"];
            let Some(event) = reader.object(item, &keys, "an event") else { continue };
            let condition = event.get("if").map(|n| event_condition(n, reader)).unwrap_or_default();
            if let Some(effect) = self.effect(&event, reader) {
                out.push(EventSpec { condition, effect });
            }
        }
        out
    }

    fn effect(&self, event: &Object<'_>, reader: &mut Reader) -> Option<EventEffect> {
        let purpose =
            |node: &Node, reader: &mut Reader| self.vocabulary.purpose(reader.word(node)?, node.span, reader);
        let said =
            ["consent", "withdraw", "object", "contract"].into_iter().filter(|k| event.get(k).is_some());
        if said.count() != 1 {
            let message = "an event says exactly one of `consent`, `withdraw`, `object` and `contract`";
            reader.error("one-effect", event.span, message);
            return None;
        }
        if let Some(node) = event.get("consent") {
            let kind = reader.one_of(node, "kind of consent", &ConsentKind::ALL.map(|k| (k.code(), k)))?;
            let to = reader.need(event, "to", "a consent event")?;
            return purpose(to, reader).map(|p| EventEffect::Consent(kind, p));
        }
        if let Some(node) = event.get("withdraw") {
            return purpose(node, reader).map(EventEffect::Withdraw);
        }
        if let Some(node) = event.get("object") {
            return purpose(node, reader).map(EventEffect::Object);
        }
        let node = event.get("contract")?;
        let states = ContractState::ALL.map(|s| (s.code(), s));
        reader.one_of(node, "contract state", &states).map(EventEffect::Contract)
    }
}

struct Fields<'a> {
    context: &'a RouteContext<'a>,
    about: Option<&'a About>,
    facts: &'a [(FactId, FactValue)],
}

impl Fields<'_> {
    fn body(
        &self,
        side: &Object<'_>,
        item: Option<&(Vec<Box<str>>, Space)>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Body> {
        let records = side.get("records").and_then(|n| Some((reader.word(n)?, n.span)));
        if let (None, Some(_)) = (records, item) {
            reader.error("records-missing", side.span, "`id: item.…` needs `response.records`");
        }
        let node = match side.get("body") {
            None => return Some(Body::None),
            Some(Node { kind: Kind::Text(word), .. }) if word == "none" => return Some(Body::None),
            Some(node) => node,
        };
        let fields = reader.mapping(node)?;
        let mut builder = FieldMap::builder();
        if let Some((path, span)) = records {
            builder = self.records(builder, path, span, side, item, reader)?;
        }
        for (path, span, value) in fields.entries() {
            let Some(field) = self.field(value, map, reader) else { continue };
            match builder.clone().leaf(path, field) {
                Ok(next) => builder = next,
                Err(error) => reader.error("not-a-path", *span, error.to_string()),
            }
        }
        Some(Body::Json(Arc::new(builder.build())))
    }

    fn records(
        &self,
        builder: FieldMapBuilder,
        path: &str,
        span: Span,
        side: &Object<'_>,
        item: Option<&(Vec<Box<str>>, Space)>,
        reader: &mut Reader,
    ) -> Option<FieldMapBuilder> {
        let emptied = side.get("emptied").map_or(Some(Emptied::Omit), |n| {
            reader.one_of(n, "choice", &[("omit", Emptied::Omit), ("keep", Emptied::Keep)])
        })?;
        let Some((subject, space)) = item.cloned() else {
            reader.error("records-about-nobody", span, "records need `about: {id: item.…}`");
            return None;
        };
        match builder.records(path, RecordScope { subject, space, emptied }) {
            Ok(builder) => Some(builder),
            Err(error) => {
                reader.error("not-a-path", span, error.to_string());
                None
            }
        }
    }

    fn field(&self, node: &Node, map: &mut ServiceMap, reader: &mut Reader) -> Option<Field> {
        let (word_node, own) = match &node.kind {
            Kind::Map(_) => {
                let object = reader.object(node, &["is", "facts"], "a field")?;
                let facts = object.get("facts").map(|n| self.context.facts(n, reader)).unwrap_or_default();
                (reader.need(&object, "is", "a field")?, facts)
            }
            Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) => {
                (node, Vec::new())
            }
        };
        let word = reader.word(word_node)?;
        if word == "none" {
            return Some(Field::Open);
        }
        let category = self.context.vocabulary.category(word, word_node.span, reader)?;
        let Some(about) = self.about else {
            reader.error("about-missing", word_node.span, "personal data needs `about`: whose is it?");
            return None;
        };
        let subject_type = about.subject_type.clone();
        let mut facts = own;
        for (id, value) in self.facts {
            if facts.iter().all(|(there, _)| there != id) {
                facts.push((*id, *value));
            }
        }
        facts.sort_unstable();
        let ladder = self.context.vocabulary.ladder(&category);
        let class = map.class_id(DataClass { category, subject_type, facts });
        Some(Field::Class(class, ladder))
    }

    fn head(
        &self,
        node: Option<&Node>,
        lower: bool,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Vec<HeadField> {
        let Some(object) = node.and_then(|n| reader.mapping(n)) else { return Vec::new() };
        let mut out: Vec<HeadField> = Vec::new();
        for (key, span, value) in object.entries() {
            let name = if lower { key.to_ascii_lowercase() } else { key.clone() };
            if out.iter().any(|f| f.name == name) {
                reader.error("defined-twice", *span, format!("`{name}` is given twice"));
            }
            if let Some(field) = self.field(value, map, reader) {
                out.push(HeadField { name, field });
            }
        }
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

fn template(node: &Node, reader: &mut Reader) -> Option<(Arc<str>, String, Vec<Segment>)> {
    let text = reader.word(node)?;
    let wrong = |reader: &mut Reader| {
        let message = format!("`{text}` is not a route such as `GET /customers/{{id}}`");
        reader.error("not-a-route", node.span, message);
    };
    let Some((method, path)) = text.split_once(' ') else {
        wrong(reader);
        return None;
    };
    if !METHODS.contains(&method) || !path.starts_with('/') {
        wrong(reader);
        return None;
    }
    let mut segments = Vec::new();
    for part in path.split('/').skip(1) {
        let variable = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
        match variable {
            Some(name) if !name.is_empty() && plain(name) => {
                segments.push(Segment::Variable(name.to_owned()))
            }
            None if plain(part) && part != "." && part != ".." => {
                segments.push(Segment::Literal(part.to_owned()));
            }
            _ => {
                wrong(reader);
                return None;
            }
        }
    }
    Some((text.into(), method.to_owned(), segments))
}

/// Reads `path.id`, `query.t`, `header.X-Order`, `body.email`, `item.email`.
pub(crate) fn reference(node: &Node, reader: &mut Reader) -> Option<Reference> {
    let text = reader.word(node)?;
    let path = |rest: &str| rest.split('.').map(str::to_owned).collect::<Vec<_>>();
    match text.split_once('.') {
        Some(("path", name)) if !name.is_empty() => Some(Reference::Path(name.to_owned())),
        Some(("query", name)) if !name.is_empty() => Some(Reference::Query(name.to_owned())),
        Some(("header", name)) if !name.is_empty() => Some(Reference::Header(name.to_ascii_lowercase())),
        Some(("body", rest)) if path(rest).iter().all(|p| !p.is_empty()) => Some(Reference::Body(path(rest))),
        Some(("item", rest)) if path(rest).iter().all(|p| !p.is_empty()) => Some(Reference::Item(path(rest))),
        _ => {
            let message =
                format!("`{text}` is not a reference such as `path.id`, `body.email` or `item.email`");
            reader.error("not-a-reference", node.span, message);
            None
        }
    }
}

fn event_condition(node: &Node, reader: &mut Reader) -> Vec<(Vec<String>, serde_json::Value)> {
    let Some(object) = reader.mapping(node) else { return Vec::new() };
    let mut out = Vec::new();
    for (key, span, value) in object.entries() {
        let Some(path) = key.strip_prefix("body.") else {
            reader.error(
                "not-a-reference",
                *span,
                "an event's condition asks for members of the body: `body.opt_in`",
            );
            continue;
        };
        let wanted = match &value.kind {
            Kind::Bool(b) => (*b).into(),
            Kind::Text(word) => word.as_str().into(),
            Kind::Int(number) => (*number).into(),
            Kind::Null | Kind::Float | Kind::List(_) | Kind::Map(_) => {
                let message = "a member is compared with true, false, a word or a whole number";
                reader.error("wrong-shape", value.span, message);
                continue;
            }
        };
        out.push((path.split('.').map(str::to_owned).collect(), wanted));
    }
    out
}
