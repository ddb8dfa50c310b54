//! Templates of routes, and references into a request.

use std::sync::Arc;

use crate::bundle::service::{Reference, Segment};
use crate::text::{Node, Reader};

/// What a route can be asked by. What may be got may be asked about with `HEAD` without a word; `OPTIONS`, by which browsers
/// ask in advance, is a route of its own.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

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
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    for (at, part) in parts.iter().copied().enumerate() {
        let variable = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
        // What else may stand in a path for itself (RFC 3986, section 3.3), but for what services read otherwise.
        let literal =
            |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~:@$!,()'+=&".contains(&b));
        // A slash at the end is part of the path, and only there is nothing a segment.
        let is_last = at + 1 == parts.len();
        match variable {
            Some(name) if !name.is_empty() && plain(name) => {
                segments.push(Segment::Variable(name.to_owned()))
            }
            None if literal(part) && !part.ends_with('.') && (is_last || !part.is_empty()) => {
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

/// Where a value may stand, and how it is written.
const PLACES: [&str; 9] = [
    "path.NAME",
    "query.NAME",
    "header.NAME",
    "cookie.NAME",
    "token.NAME",
    "body.MEMBER",
    "body.LIST[]",
    "item.MEMBER",
    "config.NAME",
];

/// Reads `path.id`, `query.t`, `header.X-Order`, `cookie.sid`, `token.sub`, `body.email`, `body.to[]`, `item.email`.
pub(crate) fn reference(node: &Node, reader: &mut Reader) -> Option<Reference> {
    let text = reader.word(node)?;
    let found = parse(text);
    if found.is_none() {
        let message = format!("`{text}` is not a reference such as `path.id`, `body.email` or `item.email`");
        let help =
            format!("a value stands in one of: {}", PLACES.split_last().map_or(&[][..], |p| p.1).join(", "));
        reader.error_help("not-a-reference", node.span, message, "no place of a request or an answer", help);
    }
    found
}

fn parse(text: &str) -> Option<Reference> {
    let (head, rest) = text.split_once('.')?;
    let name = (!rest.is_empty()).then(|| rest.to_owned());
    match head {
        "path" => name.map(Reference::Path),
        "query" => name.map(Reference::Query),
        "header" => name.map(|n| Reference::Header(n.to_ascii_lowercase())),
        "cookie" => name.map(Reference::Cookie),
        "token" => name.map(Reference::Token),
        "body" => match rest.strip_suffix("[]") {
            Some(list) => members(list).map(Reference::Addressees),
            None => members(rest).map(Reference::Body),
        },
        "item" => members(rest).map(Reference::Item),
        _ => None,
    }
}

/// The path of a member: names divided by dots.
pub(super) fn members(path: &str) -> Option<Vec<String>> {
    let plain = |name: &&str| !name.is_empty() && !name.contains(['[', ']', '*']);
    let names: Vec<&str> = path.split('.').collect();
    names.iter().all(plain).then(|| names.into_iter().map(str::to_owned).collect())
}

/// Whether a text is meant as a place rather than as a word: it begins like one.
pub(super) fn looks_like_a_place(text: &str) -> bool {
    let head = text.split_once('.').map(|(head, _)| head);
    head.is_some_and(|head| PLACES.iter().any(|p| p.split_once('.').is_some_and(|(known, _)| known == head)))
}

/// Whether a reference names one value of the request as a whole.
pub(super) fn of_the_request(reference: &Reference) -> bool {
    match reference {
        Reference::Path(_)
        | Reference::Query(_)
        | Reference::Header(_)
        | Reference::Cookie(_)
        | Reference::Token(_)
        | Reference::Body(_) => true,
        Reference::Item(_) | Reference::Addressees(_) => false,
    }
}

/// Reads the name of a host, in lower case and without a port.
pub(super) fn host(node: &Node, reader: &mut Reader) -> Option<String> {
    let text = reader.word(node)?;
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let good = text.len() <= 253 && text.split('.').all(label);
    if !good {
        let message = format!("`{text}` is not the name of a host, in small letters and without a port");
        reader.error("not-a-host", node.span, message);
    }
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_1_what_is_no_place_of_an_exchange_is_no_reference() {
        let path = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let rows = [
            ("path.id", Some(Reference::Path("id".into()))),
            ("query.t", Some(Reference::Query("t".into()))),
            ("header.X-Order", Some(Reference::Header("x-order".into()))),
            ("cookie.vid", Some(Reference::Cookie("vid".into()))),
            ("token.sub", Some(Reference::Token("sub".into()))),
            ("body.a.b", Some(Reference::Body(path(&["a", "b"])))),
            ("body.to[]", Some(Reference::Addressees(path(&["to"])))),
            ("body.mail.to[]", Some(Reference::Addressees(path(&["mail", "to"])))),
            ("item.a.b", Some(Reference::Item(path(&["a", "b"])))),
            ("item.tags[]", None),
            ("body.rows[].id", None),
            ("body.[]", None),
            ("body.a..b", None),
            ("body.*", None),
            ("path.", None),
            ("token.", None),
            ("config.open", None),
            ("ledger.employer", None),
            ("id", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_place_is_told_from_a_word() {
        for (text, place) in [
            ("body.source", true),
            ("config.x", true),
            ("item.", true),
            ("web", false),
            ("tls1.2", false),
            ("v1.body", false),
        ] {
            assert_eq!(looks_like_a_place(text), place, "{text}");
        }
    }
}
