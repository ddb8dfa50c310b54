//! Values that look like something the service map does not call them.

use std::collections::BTreeSet;

use consentry_body::Said;
use consentry_model::{ClassId, FieldMap, Format, NodeId};
use consentry_policy::{Bundle, Detector, Reference, Route, SubjectSource};

use crate::describe::Access;
use crate::head::Head;
use crate::message;
use crate::patterns::looks_like;
use crate::request::Brought;
use crate::spelled::{AGAIN_MAX, unwrapped};

/// Into how many texts within one another one looks.
const WRAPS_MAX: usize = 4;
/// How far from the dot between two names what both belong to may begin and end.
const DIVIDED_MAX: usize = 128;
/// How deep an array or object in a text may nest to be looked into.
const NESTED_MAX: usize = 128;

/// The data classes of everything that the request brings and that looks like one of what the bundle looks for, in its
/// path, its query, its declared headers and its body; of values and of names. What the map calls by that category itself is not
/// looked at: it is decided as what it is. Nor is the controller's own address as the sender of a message. Of a parameter that can be
/// decoded in two ways both are looked at: it goes on as it came.
pub(crate) fn detected(access: &Access, route: &Route, head: &Head, brought: &Brought) -> Vec<ClassId> {
    let bundle = access.bundle();
    if bundle.settings.detect.is_empty() {
        return Vec::new();
    }
    let senders = route.message.as_ref().map(message::senders).unwrap_or_default();
    let mut look = Look { bundle, senders, found: BTreeSet::new(), left: AGAIN_MAX };
    if let Some((value, format)) = brought.whole() {
        let map = route.request_body.fields().map(|map| (&**map, map.root()));
        // Each text of several is a body of its own. A table is there column by column, each with its name once.
        match (value, format) {
            (Said::List(texts), Format::JsonLines | Format::JsonSequence) => {
                texts.iter().for_each(|text| look.value(text, map, &mut String::new()));
            }
            _ => look.value(value, map, &mut String::new()),
        }
    }
    brought.beside().iter().for_each(|text| look.wrapped(text, None, WRAPS_MAX));
    // By one of them the route may name whom it is about, as the map says. To somebody outside it is told like anything else.
    let goes_out = access.destination.is_some();
    let named = match route.about.as_ref().map(|about| &about.subject) {
        Some(SubjectSource::Named { at: Reference::Path(name), .. }) => Some(name),
        _ => None,
    };
    for (_, segment) in access.variables.iter().filter(|(name, _)| goes_out || Some(*name) != named) {
        look.spelled(segment, None);
    }
    for parameter in &head.query {
        let declared = crate::query::declared(route, &parameter.name);
        let class = declared.and_then(|field| crate::request::class_of(field.field));
        look.spelled(&parameter.name, None);
        parameter.readings().iter().for_each(|reading| look.spelled(reading, class));
    }
    for field in &route.request_headers {
        for line in head.lines(&field.name) {
            look.spelled(&String::from_utf8_lossy(line), crate::request::class_of(field.field));
        }
    }
    let Look { found, .. } = look;
    let categories = bundle.settings.detect.iter().filter(|(detector, _)| found.contains(detector));
    categories.filter_map(|(_, category)| bundle.service.detected_class(route, category)).collect()
}

/// A place of the map, if the map describes it.
type At<'a> = Option<(&'a FieldMap, NodeId)>;

struct Look<'a> {
    bundle: &'a Bundle,
    /// Where the sender of a message stands.
    senders: Vec<String>,
    found: BTreeSet<Detector>,
    /// How much may still be read once more.
    left: usize,
}

impl Look<'_> {
    /// Looks at a value and the names in it. `path` is what its own name is put together from.
    fn value(&mut self, value: &Said, at: At<'_>, path: &mut String) {
        match value {
            Said::Text(text) if self.senders.contains(path) && message::is_own(self.bundle, text) => {
                self.text(text.split_once('<').map_or("", |(name, _)| name), None);
            }
            Said::Text(text) => self.wrapped(text, at, WRAPS_MAX),
            Said::Integer(digits) => self.text(digits, class_at(at)),
            Said::Number(written) => {
                self.text(written, class_at(at));
                // A fraction or an exponent could divide digits that belong together.
                if let Ok(number) = written.parse::<serde_json::Number>() {
                    self.text(&number.to_string(), class_at(at));
                }
            }
            Said::List(items) => {
                let items_at = at.and_then(|(map, node)| Some((map, map.items(node)?)));
                // Where a list is one datum, its elements are of its class.
                let inside = items_at.or(at.filter(|_| class_at(at).is_some()));
                items.iter().for_each(|item| self.value(item, inside, path));
            }
            Said::Object(members) => {
                for (name, member) in members.iter() {
                    let length = path.len();
                    path.push_str(if length == 0 { "" } else { "." });
                    path.push_str(name);
                    self.spelled(name, None);
                    if length > 0 {
                        // What is divided over several names is short.
                        let from = path.floor_char_boundary(length.saturating_sub(DIVIDED_MAX));
                        let to = path.floor_char_boundary(length.saturating_add(DIVIDED_MAX));
                        self.text(path.get(from..to).unwrap_or_default(), None);
                    }
                    let inside = at.and_then(|(map, node)| Some((map, map.member(node, name)?)));
                    self.value(member, inside, path);
                    path.truncate(length);
                }
            }
            Said::Null | Said::Bool(_) => {}
        }
    }

    /// Looks at a text, and at what it may be a spelling of.
    fn wrapped(&mut self, text: &str, at: At<'_>, depth: usize) {
        self.text(text, class_at(at));
        let Some(depth) = depth.checked_sub(1) else { return };
        if text.trim_start().starts_with(['{', '[', '"'])
            && let Some(inside) = Said::one(text.as_bytes(), NESTED_MAX)
        {
            if let Said::Text(inner) = &inside {
                self.wrapped(inner, None, depth);
            } else {
                self.value(&inside, at, &mut String::new());
            }
        }
        for inside in unwrapped(text, &mut self.left) {
            self.wrapped(&inside, at, depth);
        }
    }

    /// Looks at a text of a class, or of none, and at what it may be a spelling of.
    fn spelled(&mut self, text: &str, class: Option<ClassId>) {
        self.text(text, class);
        unwrapped(text, &mut self.left).iter().for_each(|inside| self.text(inside, class));
    }

    /// Looks at a text of a class, or of none.
    fn text(&mut self, text: &str, class: Option<ClassId>) {
        let category = class.and_then(|class| self.bundle.service.class(class)).map(|data| &data.category);
        for (detector, sought) in &self.bundle.settings.detect {
            let called_so = category.is_some_and(|c| self.bundle.vocabulary.category_is(c, sought));
            if !called_so && !self.found.contains(detector) && looks_like(*detector, text) {
                self.found.insert(*detector);
            }
        }
    }
}

fn class_at(at: At<'_>) -> Option<ClassId> {
    at.and_then(|(map, node)| map.class(node))
}
