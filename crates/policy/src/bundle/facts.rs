//! Facts that a bundle adds: words that the service map states, references that a request carries.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{FactDef, FactSchema, FactSource, FactType, Purpose};

use super::routes::reference;
use super::service::Reference;
use crate::text::{Node, Object, Reader, Span};

/// Reads a `facts` section.
pub(crate) fn read_facts(
    node: &Node,
    schema: &mut FactSchema,
    references: &mut BTreeMap<String, Reference>,
    reader: &mut Reader,
) {
    let Some(section) = reader.mapping(node) else { return };
    for (name, span, value) in section.entries() {
        if !may_be_named(name, *span, schema, references, reader) {
            continue;
        }
        if name.starts_with("datum.") {
            let Some(entry) = reader.object(value, &["values"], "a fact of a datum") else {
                continue;
            };
            let ty = FactType::Word(datum_words(&entry, reader));
            schema.add(FactDef { name: name.as_str().into(), ty, source: FactSource::Datum });
        } else if name.starts_with("request.") {
            let keys = ["type", "from"];
            let Some(entry) = reader.object(value, &keys, "a fact of the request") else { continue };
            let from = request_fact(&entry, reader);
            schema.add(FactDef {
                name: name.as_str().into(),
                ty: FactType::Bool,
                source: FactSource::Request,
            });
            references.extend(from.map(|r| (name.clone(), r)));
        } else {
            let message = "a bundle's own facts begin with `datum.` or `request.`";
            reader.error("unknown-fact-source", *span, message);
        }
    }
}

/// The two core facts whose place in a request is the bundle's to say.
const PLACED_BY_BUNDLE: [&str; 2] = ["request.legal", "request.approver"];

/// Whether a bundle may define a fact of this name. Names that differ in their punctuation alone are one name.
fn may_be_named(
    name: &str,
    span: Span,
    schema: &FactSchema,
    references: &BTreeMap<String, Reference>,
    reader: &mut Reader,
) -> bool {
    if Purpose::new(name).is_err() {
        reader.error(
            "not-a-key",
            span,
            format!("`{name}` is not a key: small letters, digits and `_`, in parts divided by dots"),
        );
        return false;
    }
    let flat = |name: &str| name.replace('.', "_");
    let there = schema.iter().any(|(_, def)| flat(&def.name) == flat(name));
    let placed = PLACED_BY_BUNDLE.contains(&name) && !references.contains_key(name);
    if there && !placed {
        reader.error("defined-twice", span, format!("the fact `{name}` is defined already"));
    }
    !there || placed
}

fn datum_words(entry: &Object<'_>, reader: &mut Reader) -> Arc<[Arc<str>]> {
    let Some(node) = reader.need(entry, "values", "a fact of a datum") else { return [].into() };
    let words: Arc<[Arc<str>]> = reader.words(node).into_iter().map(|(w, _)| Arc::from(w)).collect();
    if words.is_empty() {
        reader.error("empty-list", node.span, "`values` names nothing; leave the fact out or name its words");
    }
    words
}

fn request_fact(entry: &Object<'_>, reader: &mut Reader) -> Option<Reference> {
    if let Some(node) = reader.need(entry, "type", "a fact of the request") {
        reader.one_of(node, "type of a request's fact", &[("reference", ())]);
    }
    let node = reader.need(entry, "from", "a fact of the request")?;
    let found = reference(node, reader)?;
    if matches!(found, Reference::Header(_) | Reference::Query(_)) {
        return Some(found);
    }
    reader.error(
        "not-a-reference",
        node.span,
        "a fact of the request stands in a header or a query parameter",
    );
    None
}
