//! What must fit together in one route.

use consentry_model::{ClassId, Field, FieldMap};

use super::about::Whose;
use crate::bundle::service::{Body, Destination, HeadField, Reference, Route, Segment, SubjectSource};
use crate::text::{Reader, Span};

/// Checks a route that was read.
pub(super) fn route(
    route: &Route,
    whose: Option<&Whose>,
    span: Span,
    narrows: &[(String, Span)],
    reader: &mut Reader,
) {
    whom(route, span, reader);
    told(route, span, reader);
    variables(route, span, reader);
    message(route, whose, span, reader);
    listed(route, span, reader);
    described(route, span, reader);
    if !whose.is_some_and(Whose::is_population) {
        for (name, at) in narrows {
            let message = format!("`{name}` narrows a population, and the route is about none");
            reader.error("narrows-without-population", *at, message);
        }
    }
    if route.response_body == Body::Page && !route.response_classes().is_empty() {
        let message = "a page passes whole, so its route answers nothing personal";
        reader.error("page-with-data", span, message);
    }
    if route.to.is_some() && route.request_headers.iter().any(|field| field.name == "authorization") {
        let message = "`authorization` is said to the product alone, and to nobody outside";
        reader.error("header-not-declarable", span, message);
    }
    let personal = |field: &&HeadField| matches!(field.field, Field::Class(..));
    if route.answers_in_records()
        && let Some(HeadField { name, .. }) = route.response_headers.iter().find(personal)
    {
        let message = format!(
            "records are decided one by one, and nobody decides on `{name}` beside them: it would never pass"
        );
        reader.error("header-beside-records", span, message);
    }
}

fn whom(route: &Route, span: Span, reader: &mut Reader) {
    let personal = !route.request_classes().is_empty() || !route.response_classes().is_empty();
    let subject = route.about.as_ref().map(|a| &a.subject);
    if personal && subject.is_none() {
        reader.error("about-missing", span, format!("`{}` carries personal data about nobody", route.id));
    }
    if subject == Some(&SubjectSource::PerRecord) && !route.request_classes().is_empty() {
        let message = "a request cannot bring data about the records of its response";
        reader.error("about-per-record", span, message);
    }
    if !route.events.is_empty() && !matches!(subject, Some(SubjectSource::Named { .. })) {
        reader.error("event-about-nobody", span, "an event needs a subject that the request names");
    }
}

/// Statuses that say whether something is there, or was.
const OF_EXISTENCE: [u16; 3] = [404, 409, 410];

/// Where anybody may ask, a status may tell whether somebody is there.
fn told(route: &Route, span: Span, reader: &mut Reader) {
    let telling = route.told_errors.iter().find(|status| OF_EXISTENCE.contains(status));
    if let Some(status) = telling.filter(|_| route.public && route.about.is_some()) {
        let message = format!(
            "anybody may ask on `{}`, which is about somebody: by {status} strangers learn whether somebody is there",
            route.id
        );
        reader.warning("status-tells-of-somebody", span, message);
    }
}

/// Every variable that a route reads stands in its path.
fn variables(route: &Route, span: Span, reader: &mut Reader) {
    let mut names: Vec<&String> = route
        .reads()
        .filter_map(|at| match at {
            Reference::Path(name) => Some(name),
            Reference::Query(_)
            | Reference::Header(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Body(_)
            | Reference::Item(_)
            | Reference::Addressees(_) => None,
        })
        .collect();
    if let Some(Destination::Path(name)) = &route.to {
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    for name in names {
        if !route.segments.iter().any(|s| *s == Segment::Variable(name.clone())) {
            reader.error("unknown-variable", span, format!("`{}` has no `{{{name}}}`", route.id));
        }
    }
}

/// The service behind is told by what was decided: what a request brings and does not describe would never reach it.
fn described(route: &Route, span: Span, reader: &mut Reader) {
    let mut places: Vec<&Reference> = route.decides_by().filter(|at| !route.describes(at)).collect();
    places.sort_unstable();
    places.dedup();
    for at in places {
        let (place, side) = match at {
            Reference::Query(name) => (format!("query.{name}"), "query"),
            Reference::Header(name) => (format!("header.{name}"), "headers"),
            Reference::Body(path) => (format!("body.{}", path.join(".")), "body"),
            Reference::Path(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Item(_)
            | Reference::Addressees(_) => continue,
        };
        let message = format!(
            "something is decided by `{place}`, and the service would never see it: say in `request: {{{side}: …}}` what it is"
        );
        reader.error("decides-by-undeclared", span, message);
    }
}

/// Nothing is decided on one of several values of a parameter.
fn listed(route: &Route, span: Span, reader: &mut Reader) {
    for at in route.decides_by() {
        let Reference::Query(name) = at else { continue };
        let is_list = |field: &HeadField| field.name.strip_suffix("[]") == Some(name);
        if name.ends_with("[]") || route.request_query.iter().any(is_list) {
            let message =
                format!("`query.{name}` may come several times, and nothing is decided on one of several");
            reader.error("parameter-lists", span, message);
        }
    }
}

/// A message is about its addressees, and about nobody else.
fn message(route: &Route, whose: Option<&Whose>, span: Span, reader: &mut Reader) {
    let Some(list) = whose.and_then(Whose::addressees) else { return };
    if route.message.is_none() {
        let message = "a list of addressees belongs to a message: say `message: {to: …}`";
        reader.error("key-missing", span, message);
        return;
    }
    let path = format!("{}[]", list.join("."));
    let body = route.request_body.fields();
    let of_addressees = body.map(|map| classes_at(map, &path)).unwrap_or_default();
    if of_addressees.is_empty() {
        let message =
            format!("the request has no body that says what `{path}` holds: the addresses of people");
        reader.error("message-without-addresses", span, message);
    }
    let elsewhere = body.is_some_and(|map| map.leaves().any(|(at, f)| at != path && is_personal(f)));
    let heads = [&route.request_query, &route.request_headers, &route.response_headers];
    let beside = heads.into_iter().flatten().any(|HeadField { field, .. }| is_personal(*field));
    if elsewhere || beside || !route.response_classes().is_empty() {
        let message =
            "a message carries the addresses of its addressees, and no further data of anybody in particular";
        reader.error("message-about-others", span, message);
    }
}

fn classes_at(map: &FieldMap, path: &str) -> Vec<ClassId> {
    let class = |(at, field): (&str, Field)| match field {
        Field::Class(class, _) if at == path => Some(class),
        Field::Class(..) | Field::Open => None,
    };
    map.leaves().filter_map(class).collect()
}

fn is_personal(field: Field) -> bool {
    matches!(field, Field::Class(..))
}
