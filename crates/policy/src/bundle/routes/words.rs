//! Templates of routes, and references into a request.

use std::sync::Arc;

use crate::bundle::service::{Reference, Segment};
use crate::text::{Node, Reader};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Reads `GET /customers/{id}`.
pub(super) fn template(node: &Node, reader: &mut Reader) -> Option<(Arc<str>, String, Vec<Segment>)> {
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
