//! Fields, and what lies inside of strings.

use consentry_model::{Field, FieldMapBuilder, MediaTypes, PathError, Wrap};

use super::fields::Fields;
use super::media;
use crate::bundle::service::ServiceMap;
use crate::text::{Kind, Node, Object, Reader, Span};

/// A path, its place, and what it is said to carry.
pub(super) type Entry<'n> = (&'n str, Span, &'n Node);

/// How what a string holds is written in it, and what is said of that.
fn wrapped(node: &Node) -> Option<(Wrap, &Node)> {
    if let Some(inside) = inner(node, "json") {
        return Some((Wrap::Json, inside));
    }
    let inside = inner(node, "base64")?;
    match inner(inside, "json") {
        Some(json) => Some((Wrap::Base64Json, json)),
        None => Some((Wrap::Base64, inside)),
    }
}

/// What stands under a key, if that is the only one.
fn inner<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Map(entries) => match &entries[..] {
            [(there, _, value)] if there == key => Some(value),
            _ => None,
        },
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) => None,
    }
}

/// Whether a field says that `null` stands where it is withheld; nothing when it says so in vain.
fn null_when_withheld(
    object: &Object<'_>,
    field: Field,
    types: &MediaTypes,
    reader: &mut Reader,
) -> Option<bool> {
    let Some(node) = object.get("withheld") else { return Some(false) };
    let message = match &node.kind {
        Kind::Null if field == Field::Open => "a field that says nothing about a person is never withheld",
        Kind::Null if types.listed().any(|(_, format)| format.is_flat()) => {
            "a form and a table have no `null`: what is withheld is gone from a form, and an empty cell of a table"
        }
        Kind::Null => return Some(true),
        Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => {
            "`withheld` says what stands there instead, and that can only be `null`; leave it out, and nothing does"
        }
    };
    reader.error("withheld-as", node.span, message);
    None
}

impl Fields<'_> {
    /// Enters a field, or what lies inside of one. What cannot be entered is told, and left out.
    pub(super) fn enter(
        &self,
        builder: FieldMapBuilder,
        types: &MediaTypes,
        (path, span, value): Entry<'_>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> FieldMapBuilder {
        let tried = match wrapped(value) {
            Some((wrap, inside)) => {
                if types.listed().any(|(_, format)| format.is_flat()) {
                    let message = "what lies inside of a text of a form or a table is not looked into";
                    reader.error("nested-in-flat", span, message);
                    return builder;
                }
                match builder.clone().wrapped(path, wrap) {
                    Ok(next) if wrap == Wrap::Base64 => {
                        self.leaf(next, types, (path, span, inside), map, reader)
                    }
                    Ok(next) => return self.inside(next, types, (path, span, inside), map, reader),
                    Err(error) => Err(Some(error)),
                }
            }
            None => self.leaf(builder.clone(), types, (path, span, value), map, reader),
        };
        match tried {
            Ok(next) => next,
            Err(error) => {
                if let Some(error) = error {
                    reader.error("not-a-path", span, error.to_string());
                }
                builder
            }
        }
    }

    fn leaf(
        &self,
        builder: FieldMapBuilder,
        types: &MediaTypes,
        (path, span, value): Entry<'_>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Result<FieldMapBuilder, Option<PathError>> {
        let (field, null) = match &value.kind {
            Kind::Map(_) => {
                let keys = ["is", "facts", "can", "withheld"];
                let object = reader.object(value, &keys, "a field of a body").ok_or(None)?;
                let field = self.field_of(&object, map, reader).ok_or(None)?;
                (field, null_when_withheld(&object, field, types, reader).ok_or(None)?)
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) | Kind::List(_) => {
                (self.field(value, map, reader).ok_or(None)?, false)
            }
        };
        media::fits(types, path, field, span, reader);
        let builder = builder.leaf(path, field).map_err(Some)?;
        if null { builder.null_when_withheld(path).map_err(Some) } else { Ok(builder) }
    }

    /// Enters what is declared inside of a string.
    fn inside(
        &self,
        mut builder: FieldMapBuilder,
        types: &MediaTypes,
        (path, span, inside): Entry<'_>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> FieldMapBuilder {
        let Some(fields) = reader.mapping(inside) else { return builder };
        if fields.entries().is_empty() || fields.entries().iter().any(|(inner, ..)| inner == "**") {
            let message = "the JSON in a string is declared field by field; a string that is one datum is declared as that";
            reader.error("nested-as-whole", span, message);
            return builder;
        }
        for (inner, span, value) in fields.entries() {
            let dot = if inner.starts_with("[]") { "" } else { "." };
            let path = format!("{path}{dot}{inner}");
            builder = self.enter(builder, types, (&path, *span, value), map, reader);
        }
        builder
    }
}
