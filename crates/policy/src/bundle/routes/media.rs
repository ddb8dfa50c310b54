//! The media types that a body may have.

use consentry_model::{Field, FieldMap, Format, MediaTypes, UnreadableType};

use crate::text::{Object, Reader, Span};

/// What an event says that is JSON.
pub(super) const EVENT_DATA: &str = "data";
/// What else an event says.
const EVENT_BESIDE: [&str; 3] = ["event", "id", "retry"];
const READABLE: &str = "field by field are read JSON (any `+json`), application/x-ndjson, application/json-seq, text/event-stream, application/x-www-form-urlencoded, multipart/form-data and text/csv; anything else passes as one datum: `body: CATEGORY`";

/// The media types of a body with fields: any JSON when nothing is said.
pub(super) fn types(side: &Object<'_>, is_answer: bool, reader: &mut Reader) -> Option<MediaTypes> {
    let Some(node) = side.get("type") else {
        never_live(side, reader);
        return Some(MediaTypes::json());
    };
    let types = listed(node, MediaTypes::read, READABLE, reader)?;
    let in_texts = types.has(Format::JsonLines) || types.has(Format::JsonSequence);
    let types = match side.get("live").filter(|_| in_texts).map(|node| reader.boolean(node)) {
        Some(live) if live? => types.live(),
        Some(_) => types,
        None => {
            never_live(side, reader);
            types
        }
    };
    if types.has(Format::Events) && !is_answer {
        reader.error("misplaced-key", node.span, "events are what a service answers, not what it is sent");
        return None;
    }
    if types.has(Format::Events) && types.listed().any(|(_, format)| format != Format::Events) {
        let message = "what an event says lies in its `data`, so that no other type has the same fields";
        reader.error("event-field", node.span, message);
        return None;
    }
    Some(types)
}

/// Says that a body has no texts of its own that could leave one by one.
pub(super) fn never_live(side: &Object<'_>, reader: &mut Reader) {
    if let Some(node) = side.get("live") {
        let message = "only the texts of JSON lines and sequences leave as they come where that is said; events always do";
        reader.error("misplaced-key", node.span, message);
    }
}

/// The media types of a body that is one datum; they must be said.
pub(super) fn whole(side: &Object<'_>, reader: &mut Reader) -> Option<MediaTypes> {
    never_live(side, reader);
    let node = reader.need(side, "type", "a body that is one datum")?;
    let help = "name each as it is, in small letters and without parameters: `type: [application/pdf]`";
    listed(node, MediaTypes::whole, help, reader)
}

fn listed<'n>(
    node: &'n crate::text::Node,
    read: impl Fn(Vec<&'n str>) -> Result<MediaTypes, UnreadableType>,
    help: &str,
    reader: &mut Reader,
) -> Option<MediaTypes> {
    let words = reader.words(node);
    if words.is_empty() {
        reader.error("empty-list", node.span, "`type` names no media type");
        return None;
    }
    let mut good = true;
    for (at, (word, span)) in words.iter().enumerate() {
        if let Err(error) = read(vec![*word]) {
            reader.error_help("media-type", *span, error.to_string(), "nothing reads this", help);
            good = false;
        }
        if words.iter().take(at).any(|(there, _)| there == word) {
            reader.error("defined-twice", *span, format!("`{word}` is given twice"));
            good = false;
        }
    }
    if good { read(words.into_iter().map(|(word, _)| word).collect()).ok() } else { None }
}

/// Says what cannot be a field of such a body.
pub(super) fn fits(types: &MediaTypes, path: &str, field: Field, span: Span, reader: &mut Reader) {
    if !types.has(Format::Events) {
        return;
    }
    let first = path.split(['.', '[']).next().unwrap_or_default();
    let beside = EVENT_BESIDE.contains(&path);
    if first != EVENT_DATA && !beside {
        let message = "an event says `data`, and what lies in it, `event`, `id` and `retry`";
        reader.error("event-field", span, message);
    }
    if beside && field != Field::Open {
        let message =
            "what stands beside an event's data is about nobody: declare it as `none`, or leave it out";
        reader.error("event-field", span, message);
    }
}

/// Says what such a body lacks.
pub(super) fn complete(types: &MediaTypes, map: &FieldMap, span: Span, reader: &mut Reader) {
    if types.has(Format::Events) && map.member(map.root(), EVENT_DATA).is_none() {
        reader.error("event-field", span, "an event's `data` is not declared");
    }
}
