//! The fields of one side of a route: bodies, headers, query parameters.

use std::sync::Arc;

use consentry_model::{Emptied, FactId, FactValue, Field, FieldMap, FieldMapBuilder, RecordScope, Space};

use super::route::RouteContext;
use crate::bundle::service::{About, Body, DataClass, HeadField, ServiceMap};
use crate::text::{Kind, Node, Object, Reader, Span};

/// What the fields of a route are read with.
pub(super) struct Fields<'a> {
    pub(super) context: &'a RouteContext<'a>,
    pub(super) about: Option<&'a About>,
    pub(super) facts: &'a [(FactId, FactValue)],
}

impl Fields<'_> {
    pub(super) fn body(
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

    pub(super) fn head(
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
