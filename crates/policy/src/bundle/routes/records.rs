//! The records of a route's request or answer: whom each is about, and which of its members bear on the decision.

use consentry_model::{Emptied, FieldMapBuilder, Format, MediaTypes, RecordScope, Space};

use super::about::Whose;
use super::facts::Stated;
use super::media::EVENT_DATA;
use super::route::RouteContext;
use super::words::members;
use crate::bundle::service::{FactTarget, Reference};
use crate::rules::BuiltIn;
use crate::text::{Kind, Node, Object, Reader, Span};

/// The space of records that name nobody: figures about groups.
const NOBODY: &str = "nobody";

/// The records of one side of a route.
pub(super) struct Records {
    path: String,
    span: Span,
    scope: RecordScope,
}

/// The records of both sides.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) request: Option<Records>,
    pub(super) response: Option<Records>,
}

impl Records {
    /// Enters them into a field map.
    pub(super) fn enter(
        self,
        types: &MediaTypes,
        builder: FieldMapBuilder,
        reader: &mut Reader,
    ) -> Option<FieldMapBuilder> {
        let Self { path, span, scope } = self;
        if types.has(Format::Csv) && !path.is_empty() {
            reader.error(
                "records-in-table",
                span,
                "the records of a table are its rows: leave `records` out",
            );
            return None;
        }
        let entered = if types.has(Format::Events) && path.is_empty() {
            builder.record(EVENT_DATA, in_data(scope, span, reader)?)
        } else {
            builder.records(&path, scope)
        };
        match entered {
            Ok(builder) => Some(builder),
            Err(error) => {
                reader.error("not-a-path", span, error.to_string());
                None
            }
        }
    }
}

/// What decides about records: whom the route is about, and what each side says.
pub(super) struct Planner<'a> {
    pub(super) context: &'a RouteContext<'a>,
    pub(super) whose: Option<&'a Whose>,
    pub(super) request: Option<Object<'a>>,
    pub(super) response: Option<Object<'a>>,
    pub(super) span: Span,
}

impl Planner<'_> {
    /// The records of both sides. One side has them, or none: what each record states is read in one order.
    pub(super) fn sides(&self, stated: &mut Stated, reader: &mut Reader) -> Sides {
        if let Some((list, space)) = self.whose.and_then(|w| w.addressees().zip(w.space.as_ref())) {
            self.of_addressees_alone(stated, reader);
            let span = self.request.map_or(self.span, |side| side.span);
            let scope = self.scope(Vec::new(), space.clone(), Emptied::Omit, stated);
            let path = format!("{}[]", list.join("."));
            return Sides { request: Some(Records { path, span, scope }), response: None };
        }
        let groups = says_records(self.request);
        if groups && !self.is_population() {
            let message = "the records of a request are groups of people: `about: {population: all}`";
            reader.error("records-in-request", self.request.map_or(self.span, |s| s.span), message);
            return Sides::default();
        }
        if groups && says_records(self.response) {
            let message = "one side of a route has records, the request or the answer";
            reader.error("records-on-both-sides", self.response.map_or(self.span, |s| s.span), message);
            return Sides::default();
        }
        match groups {
            true => Sides { request: self.of_side(self.request, stated, reader), response: None },
            false => Sides { request: None, response: self.of_side(self.response, stated, reader) },
        }
    }

    fn is_population(&self) -> bool {
        self.whose.is_some_and(Whose::is_population)
    }

    /// The addressees of a message are the only records of its route, and state nothing but themselves.
    fn of_addressees_alone(&self, stated: &Stated, reader: &mut Reader) {
        for key in ["records", "size", "emptied"] {
            let sides = self.request.iter().chain(&self.response);
            for node in sides.filter_map(|side| side.get(key)) {
                reader.error("misplaced-key", node.span, "the records of a message are its addressees");
            }
        }
        if !stated.items.is_empty() {
            let message = "an addressee is an address alone, and states no fact";
            reader.error("reference-out-of-place", self.span, message);
        }
    }

    fn of_side(&self, side: Option<Object<'_>>, stated: &mut Stated, reader: &mut Reader) -> Option<Records> {
        let listed = side.and_then(|s| s.get("records"));
        self.size(side, stated, reader);
        let names = match self.whose {
            Some(Whose { at: Some(Reference::Item(path)), .. }) => Some(path.clone()),
            _ => None,
        };
        let needed =
            names.is_some() || !stated.items.is_empty() || (self.is_population() && listed.is_some());
        if !needed {
            let emptied = side.and_then(|s| s.get("emptied"));
            if let Some(node) = listed {
                let message = "records need `about: {id: item.…}`, or figures about groups";
                reader.error("records-about-nobody", node.span, message);
            } else if let Some(node) = emptied {
                reader.error("misplaced-key", node.span, "nothing is emptied where there are no records");
            }
            return None;
        }
        let Some(side) = side.filter(has_fields) else {
            let message = "what stands in the answer, or in its records, needs a body with fields";
            reader.error("records-missing", side.map_or(self.span, |s| s.span), message);
            return None;
        };
        let (path, span) = match listed {
            Some(node) => (reader.word(node)?.to_owned(), node.span),
            // The whole body is one record.
            None => (String::new(), side.span),
        };
        let emptied = side.get("emptied").map_or(Some(Emptied::Omit), |n| {
            reader.one_of(n, "choice", &[("omit", Emptied::Omit), ("keep", Emptied::Keep)])
        })?;
        let space = self.whose.and_then(|w| w.space.clone()).unwrap_or_else(|| Space::new(NOBODY));
        // An empty path is an element that is itself the identifier. Of these elements, which are objects, it names
        // nobody: whom they are about the request says, or nobody is to be found.
        let scope = self.scope(names.unwrap_or_default(), space, emptied, stated);
        Some(Records { path, span, scope })
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn scope(&self, subject: Vec<String>, space: Space, emptied: Emptied, stated: &Stated) -> RecordScope {
        let boxed = |path: &[String]| path.iter().map(|name| name.as_str().into()).collect();
        RecordScope {
            subject: boxed(&subject),
            space,
            emptied,
            captures: stated.items.iter().map(|(_, path)| boxed(path)).collect(),
        }
    }

    /// How many people a group is of stands in one of its members.
    fn size(&self, side: Option<Object<'_>>, stated: &mut Stated, reader: &mut Reader) {
        for node in self.request.iter().chain(&self.response).filter_map(|s| s.get("size")) {
            if !self.is_population() {
                let message = "only a figure about a group has a size: `about: {population: all}`";
                reader.error("size-without-population", node.span, message);
            }
        }
        let Some(node) = side.and_then(|s| s.get("size")).filter(|_| self.is_population()) else { return };
        let Some(word) = reader.word(node) else { return };
        match members(word) {
            Some(path) => {
                let target = FactTarget::Fact(self.context.book.borrow_mut().ask_for(BuiltIn::GroupSize));
                stated.items.push((target, path));
            }
            None => reader.error_help(
                "not-a-member",
                node.span,
                format!("`{word}` is not a member of a record"),
                "seen from the record",
                "name it as the record does: `visitors`, not `groups[].visitors`",
            ),
        }
    }
}

/// What an event's data says, seen from there.
fn in_data(scope: RecordScope, span: Span, reader: &mut Reader) -> Option<RecordScope> {
    let inside = |path: &Vec<Box<str>>| match path.split_first() {
        Some((first, rest)) if **first == *EVENT_DATA && !rest.is_empty() => Some(rest.to_vec()),
        Some(_) | None => None,
    };
    let subject = if scope.subject.is_empty() { Some(Vec::new()) } else { inside(&scope.subject) };
    let captures: Option<Vec<_>> = scope.captures.iter().map(inside).collect();
    let (Some(subject), Some(captures)) = (subject, captures) else {
        let message = "what an event says of somebody stands in its data: `item.data.…`";
        reader.error("event-field", span, message);
        return None;
    };
    Some(RecordScope { subject, captures, ..scope })
}

fn says_records(side: Option<Object<'_>>) -> bool {
    side.is_some_and(|s| s.get("records").is_some() || s.get("size").is_some())
}

fn has_fields(side: &Object<'_>) -> bool {
    matches!(side.get("body"), Some(Node { kind: Kind::Map(_), .. }))
}
