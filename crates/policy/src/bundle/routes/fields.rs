//! The fields of one side of a route: bodies, headers, query parameters.

use std::sync::Arc;

use consentry_model::{Category, FactId, FactValue, Field, FieldMap, Ladder, MaskForm, TruncateForm};

use super::facts::Stated;
use super::media;
use super::records::Records;
use super::route::RouteContext;
use crate::bundle::service::{
    About, Adds, Body, DataClass, HeadField, ServiceMap, SubjectSource, is_header_name,
};
use crate::text::{Kind, Node, Object, Reader, Span};

/// What the fields of a route are read with.
pub(super) struct Fields<'a> {
    pub(super) context: &'a RouteContext<'a>,
    pub(super) about: Option<&'a About>,
    pub(super) stated: &'a Stated,
}

/// What a field is said to carry.
enum Said<'a> {
    Nothing,
    Personal(Category, &'a About),
}

/// What the query parameters of a route do.
#[derive(Default)]
pub(super) struct Query {
    pub(super) fields: Vec<HeadField>,
    pub(super) narrows: Vec<(String, Span)>,
    pub(super) adds: Vec<Adds>,
}

impl Fields<'_> {
    /// The body of a side; a page is an answer's alone.
    pub(super) fn body(
        &self,
        side: &Object<'_>,
        records: Option<Records>,
        is_answer: bool,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Body> {
        let node = match side.get("body") {
            None => {
                untyped(side, "there is no body that could have a type", reader);
                return Some(Body::None);
            }
            Some(Node { kind: Kind::Text(word), .. }) if word == "none" => {
                untyped(side, "there is no body that could have a type", reader);
                return Some(Body::None);
            }
            Some(node @ Node { kind: Kind::Text(word), .. }) if word == "page" => {
                untyped(side, "pages and what belongs to them have types of their own", reader);
                if !is_answer {
                    let message = "a page is what a service answers, not what it is sent";
                    reader.error("misplaced-key", node.span, message);
                }
                return is_answer.then_some(Body::Page);
            }
            Some(node @ Node { kind: Kind::Text(_), .. }) => {
                return self.whole_body((side, node), records.is_some(), map, reader);
            }
            Some(node) => node,
        };
        let types = media::types(side, is_answer, reader)?;
        let fields = reader.mapping(node)?;
        let mut builder = FieldMap::builder();
        if let Some(records) = records {
            builder = records.enter(&types, builder, reader)?;
        }
        for (path, span, value) in fields.entries() {
            builder = self.enter(builder, &types, (path, *span, value), map, reader);
        }
        let map = builder.build();
        media::complete(&types, &map, node.span, reader);
        Some(Body::Fields(Arc::new(map), types))
    }

    /// A body that nobody looks into: all of it is one datum.
    fn whole_body(
        &self,
        (side, node): (&Object<'_>, &Node),
        records: bool,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Body> {
        let types = media::whole(side, reader)?;
        if records {
            let message = "nobody looks into a body that is one datum: whose it is must stand in the request";
            reader.error("records-in-whole", node.span, message);
            return None;
        }
        let field = self.field(node, map, reader)?;
        let builder = FieldMap::builder().leaf("**", field).ok()?;
        Some(Body::Fields(Arc::new(builder.build()), types))
    }

    pub(super) fn field(&self, node: &Node, map: &mut ServiceMap, reader: &mut Reader) -> Option<Field> {
        let Kind::Map(_) = &node.kind else {
            return Some(match self.said(node, reader)? {
                Said::Nothing => Field::Open,
                Said::Personal(category, about) => {
                    let ladder = self.context.vocabulary.ladder(&category);
                    self.class(category, about, Vec::new(), ladder, map)
                }
            });
        };
        let object = reader.object(node, &["is", "facts", "can"], "a field")?;
        self.field_of(&object, map, reader)
    }

    /// The field that an object with `is` says.
    pub(super) fn field_of(
        &self,
        object: &Object<'_>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Field> {
        let facts = object.get("facts").map(|n| self.context.constants(n, reader)).unwrap_or_default();
        match reader.need(object, "is", "a field").and_then(|n| self.said(n, reader))? {
            Said::Nothing => {
                for node in ["facts", "can"].into_iter().filter_map(|key| object.get(key)) {
                    let message =
                        "a field that says nothing about a person has nothing to state, and is always clear";
                    reader.error("misplaced-key", node.span, message);
                }
                Some(Field::Open)
            }
            Said::Personal(category, about) => {
                let known = self.context.vocabulary.ladder(&category);
                let ladder =
                    object.get("can").map_or(Some(known), |n| ladder(n, known, &category, reader))?;
                Some(self.class(category, about, facts, ladder, map))
            }
        }
    }

    /// The field of a category that the product itself names.
    pub(super) fn known(
        &self,
        category: &str,
        span: Span,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Field> {
        let category = self.context.vocabulary.category(category, span, reader)?;
        let ladder = self.context.vocabulary.ladder(&category);
        Some(self.class(category, self.about?, Vec::new(), ladder, map))
    }

    fn said(&self, node: &Node, reader: &mut Reader) -> Option<Said<'_>> {
        let word = reader.word(node)?;
        if word == "none" {
            return Some(Said::Nothing);
        }
        let category = self.context.vocabulary.category(word, node.span, reader)?;
        let Some(about) = self.about else {
            reader.error("about-missing", node.span, "personal data needs `about`: whose is it?");
            return None;
        };
        Some(Said::Personal(category, about))
    }

    fn class(
        &self,
        category: Category,
        about: &About,
        own: Vec<(FactId, FactValue)>,
        ladder: Ladder,
        map: &mut ServiceMap,
    ) -> Field {
        let aggregate = matches!(about.subject, SubjectSource::Population { .. });
        let facts = self.context.all_of(own, self.stated, aggregate);
        let class = DataClass { category, subject_type: about.subject_type.clone(), facts, ladder };
        Field::Class(map.class_id(class, &self.context.vocabulary.subjects), ladder)
    }

    pub(super) fn headers(
        &self,
        node: Option<&Node>,
        may_be_declared: fn(&str) -> bool,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Vec<HeadField> {
        let Some(object) = node.and_then(|n| reader.mapping(n)) else { return Vec::new() };
        let mut out: Vec<HeadField> = Vec::new();
        for (key, span, value) in object.entries() {
            let name = key.to_ascii_lowercase();
            if out.iter().any(|f| f.name == name) {
                reader.error("defined-twice", *span, format!("`{name}` is given twice"));
            }
            if !is_header_name(&name) {
                reader.error("header-not-declarable", *span, format!("`{name}` is no name of a header"));
                continue;
            }
            if !may_be_declared(&name) {
                let message = format!(
                    "`{name}` is not a service's to pass through: it would speak of other bytes than those that go on, or the product says it"
                );
                reader.error("header-not-declarable", *span, message);
                continue;
            }
            if let Some(field) = self.field(value, map, reader) {
                out.push(HeadField { name, field });
            }
        }
        out
    }

    pub(super) fn query(&self, node: Option<&Node>, map: &mut ServiceMap, reader: &mut Reader) -> Query {
        let mut out = Query::default();
        let Some(object) = node.and_then(|n| reader.mapping(n)) else { return out };
        for (name, span, value) in object.entries() {
            let plain = matches!(&value.kind, Kind::Text(word) if word != "narrows")
                || matches!(&value.kind, Kind::Map(entries) if !entries.iter().any(|(key, ..)| key == "adds"));
            let base = name.strip_suffix("[]");
            let twice = base.is_some_and(|base| object.get(base).is_some());
            if !is_parameter(name) || twice || (base.is_some() && !plain) {
                let message = format!("no parameter can be declared as `{name}` here");
                let help = "`ids[]` lists values, written `ids` or `ids[]`, that neither narrow nor add; `page[number]` is one value";
                reader.error_help(
                    "parameter-not-declarable",
                    *span,
                    message,
                    "never matches",
                    help.to_owned(),
                );
                continue;
            }
            let field = match &value.kind {
                Kind::Text(word) if word == "narrows" => {
                    out.narrows.push((name.clone(), *span));
                    Some(Field::Open)
                }
                Kind::Map(entries) if entries.iter().any(|(key, ..)| key == "adds") => {
                    out.adds.extend(self.adds(name, value, map, reader));
                    Some(Field::Open)
                }
                Kind::Text(_)
                | Kind::Map(_)
                | Kind::Null
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::Float
                | Kind::List(_) => self.field(value, map, reader),
            };
            out.fields.extend(field.map(|field| HeadField { name: name.clone(), field }));
        }
        out
    }

    /// Reads `{adds: {customer_id: user.unique_id}}`: a value of the parameter asks for a category.
    fn adds(&self, parameter: &str, node: &Node, map: &mut ServiceMap, reader: &mut Reader) -> Vec<Adds> {
        let mut out = Vec::new();
        let object = reader.object(node, &["adds"], "a parameter that adds");
        let Some(values) = object.and_then(|o| o.get("adds")).and_then(|n| reader.mapping(n)) else {
            return out;
        };
        if values.entries().is_empty() {
            reader.error("empty-list", node.span, "`adds` names no value that asks for something");
        }
        for (value, span, word) in values.entries() {
            match self.field(word, map, reader) {
                Some(Field::Class(class, _)) => {
                    out.push(Adds { parameter: parameter.to_owned(), value: value.clone(), class });
                }
                Some(Field::Open) => {
                    reader.error(
                        "adds-nothing",
                        *span,
                        "a value that asks for nothing personal adds nothing; leave it out",
                    );
                }
                None => {}
            }
        }
        out
    }
}

fn untyped(side: &Object<'_>, message: &str, reader: &mut Reader) {
    if let Some(node) = side.get("type") {
        reader.error("misplaced-key", node.span, message);
    }
    media::never_live(side, reader);
}

/// The treatments that a field knows: those that it lists, as far as its category has a form for them.
fn ladder(node: &Node, known: Ladder, category: &Category, reader: &mut Reader) -> Option<Ladder> {
    const WORDS: [(&str, u8); 4] = [("clear", 0), ("truncated", 1), ("masked", 2), ("pseudonymised", 3)];
    let mut listed = [false; 4];
    for item in reader.list(node) {
        let at = reader.one_of(item, "treatment", &WORDS)?;
        if let Some(slot) = listed.get_mut(usize::from(at)) {
            *slot = true;
        }
        let formless = (at == 1 && known.truncated.is_none()) || (at == 2 && known.masked.is_none());
        if formless {
            let message = format!("the vocabulary has no form in which `{category}` could be so treated");
            reader.error("treatment-without-form", item.span, message);
        }
    }
    let [clear, truncated, masked, pseudonymised] = listed;
    if !clear {
        reader.error_help(
            "never-clear",
            node.span,
            "`can` lists what is possible, and `clear` always is",
            "`clear` is missing",
            "whether a field may be clear is for a rule to say",
        );
        return None;
    }
    let truncated: Option<TruncateForm> = known.truncated.filter(|_| truncated);
    let masked: Option<MaskForm> = known.masked.filter(|_| masked);
    Some(Ladder { truncated, masked, pseudonymised })
}

/// Of how many names a parameter's may be made: of more it is not read.
const PARAMETER_STEPS_MAX: usize = 8;

/// Whether a parameter of this name can come: a name, names in brackets after it, and `[]` where there may be several.
fn is_parameter(name: &str) -> bool {
    let path = name.strip_suffix("[]").unwrap_or(name);
    let (base, rest) = path.split_at(path.find('[').unwrap_or(path.len()));
    let plain = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = |key: &str| !key.is_empty() && plain(key) && !key.bytes().all(|b| b.is_ascii_digit());
    let inner = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let few = |inner: &str| inner.split("][").count() < PARAMETER_STEPS_MAX;
    let nested = rest.is_empty() || inner.is_some_and(|inner| inner.split("][").all(key) && few(inner));
    let hidden = base.contains([']', '=', '&', ';', '%', '+', '#']) || base.chars().any(char::is_control);
    !base.is_empty() && base.trim() == base && !hidden && nested
}
