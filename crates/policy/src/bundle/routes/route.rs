//! One route, and what it says as a whole.

use std::cell::RefCell;
use std::sync::Arc;

use super::fields::{Fields, Query};
use super::message::Outbound;
use super::records::{Planner, Sides};
use super::words::{host, template};
use crate::bundle::derived::Derived;
use crate::bundle::parties::Recipients;
use crate::bundle::service::{
    Body, Excess, HeadField, MessageMap, Right, Route, Segment, ServiceMap, may_be_answered, may_be_sent,
};
use crate::bundle::vocabulary::Vocabulary;
use crate::rules::FactBook;
use crate::text::{Node, Object, Reader};

/// What a route's words are looked up in.
pub(crate) struct RouteContext<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    /// Routes may be the first to ask for one of the product's own facts.
    pub(crate) book: &'a RefCell<FactBook>,
    pub(crate) recipients: &'a Recipients,
    pub(crate) excess: Excess,
}

const KEYS: [&str; 17] = [
    "route",
    "host",
    "public",
    "purpose",
    "purposes",
    "purpose_by",
    "right",
    "to",
    "about",
    "message",
    "facts",
    "excess",
    "request",
    "response",
    "events",
    "refused",
    "clauses",
];

const REQUEST_KEYS: [&str; 8] = ["body", "type", "query", "headers", "records", "emptied", "size", "excess"];
const RESPONSE_KEYS: [&str; 8] = ["body", "type", "live", "headers", "records", "emptied", "size", "errors"];

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

/// Whether two routes match the same path, or paths that many services take for the same: with a slash at the end and without.
/// Of those two neither comes before the other, as it does where a literal stands for a variable, or one host for any.
fn clash(a: &Route, b: &Route) -> bool {
    let (one, other) = (without_slash(&a.segments), without_slash(&b.segments));
    let apart = (one.len() < a.segments.len()) != (other.len() < b.segments.len());
    let same = |(x, y): (&Segment, &Segment)| match (x, y) {
        (Segment::Literal(x), Segment::Literal(y)) => x == y,
        (Segment::Variable(_), Segment::Variable(_)) => true,
        (Segment::Literal(_), Segment::Variable(_)) | (Segment::Variable(_), Segment::Literal(_)) => apart,
    };
    let hosts = a.host == b.host || (apart && (a.host.is_none() || b.host.is_none()));
    a.method == b.method && hosts && one.len() == other.len() && one.iter().zip(other).all(same)
}

/// The segments without the empty one that a slash at the end is.
fn without_slash(segments: &[Segment]) -> &[Segment] {
    match segments {
        [before @ .., Segment::Literal(last)] if last.is_empty() => before,
        all => all,
    }
}

/// What a route carries in both directions.
struct Carried {
    query: Query,
    request_body: Body,
    request_headers: Vec<HeadField>,
    response_body: Body,
    response_headers: Vec<HeadField>,
}

impl RouteContext<'_> {
    fn route(&self, node: &Node, map: &mut ServiceMap, reader: &mut Reader) -> Option<Route> {
        let object = reader.object(node, &KEYS, "a route")?;
        let named = reader.need(&object, "route", "a route")?;
        let (id, method, segments) = template(named, reader)?;
        let right =
            object.get("right").and_then(|n| reader.one_of(n, "right", &Right::ALL.map(|r| (r.code(), r))));
        let purpose = self.purpose(&object, right, reader);
        let to = object.get("to").map(|n| self.destination(n, reader));
        let mut stated = object.get("facts").map(|n| self.stated(n, reader)).unwrap_or_default();
        let about = object.get("about").map(|n| self.about(n, reader));
        let request = object.get("request").and_then(|n| reader.object(n, &REQUEST_KEYS, "a request"));
        let response = object.get("response").and_then(|n| reader.object(n, &RESPONSE_KEYS, "a response"));
        let excess = self.excess(&object, request.as_ref(), reader);
        // What is not understood of whom, to whom or what for is not passed over: the route is not there.
        let whose = match about {
            Some(read) => Some(read?),
            None => None,
        };
        let message: Option<MessageMap> = match object.get("message") {
            Some(node) => Some(self.message(node, whose.as_ref(), &mut stated, reader)?),
            None => None,
        };
        let planner = Planner { context: self, whose: whose.as_ref(), request, response, span: named.span };
        let sides = planner.sides(&mut stated, reader);
        let about = whose.as_ref().map(|w| &w.about);
        let fields = Fields { context: self, about, stated: &stated };
        let outbound = whose.as_ref().and_then(|w| w.addressees()).zip(message.as_ref());
        let outbound = outbound.map(|(list, message)| Outbound { message, list, span: named.span });
        let carried = Carried::read(&fields, request, response, sides, outbound, map, reader)?;
        let route = Route {
            id,
            method,
            segments,
            public: object.get("public").and_then(|n| reader.boolean(n)).unwrap_or(false),
            purpose: purpose?,
            right,
            about: about.cloned(),
            excess: excess?,
            request_body: carried.request_body,
            request_query: carried.query.fields,
            request_headers: carried.request_headers,
            response_body: carried.response_body,
            response_headers: carried.response_headers,
            told_errors: response
                .and_then(|r| r.get("errors"))
                .map(|n| errors(n, reader))
                .unwrap_or_default(),
            events: object.get("events").map(|n| self.events(n, reader)).unwrap_or_default(),
            host: match object.get("host") {
                Some(node) => Some(host(node, reader)?),
                None => None,
            },
            to: match to {
                Some(read) => Some(read?),
                None => None,
            },
            message,
            cookie_facts: self.all_of(Vec::new(), &stated, false),
            facts: stated.places,
            item_facts: stated.items.into_iter().map(|(target, _)| target).collect(),
            narrows: carried.query.narrows.iter().map(|(name, _)| name.clone()).collect(),
            adds: carried.query.adds,
            refused_status: object.get("refused").and_then(|n| refused(n, reader)),
            clauses: clauses(&object, reader),
            answered: Derived::default(),
            rivals: Derived::default(),
        };
        super::check::route(&route, whose.as_ref(), named.span, &carried.query.narrows, reader);
        Some(route)
    }

    /// What a request that brings too much meets: the route's word, the request's, or the bundle's.
    fn excess(
        &self,
        route: &Object<'_>,
        request: Option<&Object<'_>>,
        reader: &mut Reader,
    ) -> Option<Excess> {
        let (outer, inner) = (route.get("excess"), request.and_then(|r| r.get("excess")));
        if let (Some(_), Some(inner)) = (outer, inner) {
            reader.error("defined-twice", inner.span, "`excess` is said of the route already");
        }
        outer.or(inner).map_or(Some(self.excess), |n| read_excess(n, reader))
    }
}

impl Carried {
    fn read(
        fields: &Fields<'_>,
        request: Option<Object<'_>>,
        response: Option<Object<'_>>,
        sides: Sides,
        outbound: Option<Outbound<'_>>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Self> {
        let described = request.is_some_and(|r| r.get("body").is_some());
        let request_body = match (outbound, request) {
            (Some(outbound), _) if !described => fields.message_body(outbound, sides.request, map, reader),
            (_, Some(side)) => fields.body(&side, sides.request, false, map, reader),
            (_, None) => Some(Body::None),
        };
        let query = fields.query(request.and_then(|r| r.get("query")), map, reader);
        let request_headers =
            fields.headers(request.and_then(|r| r.get("headers")), may_be_sent, map, reader);
        let response_body = match response {
            Some(side) => fields.body(&side, sides.response, true, map, reader),
            None => Some(Body::None),
        };
        let response_headers =
            fields.headers(response.and_then(|r| r.get("headers")), may_be_answered, map, reader);
        Some(Self {
            query,
            request_body: request_body?,
            request_headers,
            response_body: response_body?,
            response_headers,
        })
    }
}

/// Reads `refused: {status: 204}`: something harmless instead of a problem.
fn refused(node: &Node, reader: &mut Reader) -> Option<u16> {
    let object = reader.object(node, &["status"], "`refused`")?;
    let status = reader.need(&object, "status", "`refused`")?;
    let read = reader.integer(status)?;
    let found = u16::try_from(read).ok().filter(|s| (200..300).contains(s) || (400..500).contains(s));
    if found.is_none() {
        let message = format!("{read} is no status to refuse with; one of 200 to 299 or 400 to 499 is");
        reader.error("out-of-range", status.span, message);
    }
    found
}

/// Statuses that speak of the connection to the service, which is not the caller's.
const OF_THE_CONNECTION: [i64; 4] = [407, 408, 421, 426];

/// Reads `errors: [400, 422]`.
fn errors(node: &Node, reader: &mut Reader) -> Vec<u16> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let Some(read) = reader.integer(item) else { continue };
        let told = (400..500).contains(&read) && !OF_THE_CONNECTION.contains(&read);
        match u16::try_from(read).ok().filter(|_| told) {
            Some(status) if out.contains(&status) => {
                reader.error("defined-twice", item.span, format!("`{status}` is listed twice"));
            }
            Some(status) => out.push(status),
            None => {
                let message = format!(
                    "{read} is no status of a refusal that may be told; one of 400 to 499 is, but those of a connection (407, 408, 421, 426)"
                );
                reader.error("out-of-range", item.span, message);
            }
        }
    }
    out
}

pub(crate) fn read_excess(node: &Node, reader: &mut Reader) -> Option<Excess> {
    reader.one_of(node, "choice", &[("drop", Excess::Drop), ("refuse", Excess::Refuse)])
}

pub(crate) fn clauses(object: &Object<'_>, reader: &mut Reader) -> Vec<Arc<str>> {
    let Some(node) = object.get("clauses") else { return Vec::new() };
    reader.words(node).into_iter().map(|(word, _)| Arc::from(word)).collect()
}
