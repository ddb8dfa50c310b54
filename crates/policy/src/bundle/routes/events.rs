//! What a request does to the ledger.

use consentry_model::{ConsentKind, ContractState};
use serde_json::Value;

use super::route::RouteContext;
use super::words::members;
use crate::bundle::service::{EventEffect, EventSpec, Reference};
use crate::text::{Kind, Node, Object, Reader, Span};

/// What an event can say; exactly one of them.
const EFFECTS: [&str; 7] = ["consent", "withdraw", "object", "contract", "erase", "restrict", "suppress"];

impl RouteContext<'_> {
    pub(super) fn events(&self, node: &Node, reader: &mut Reader) -> Vec<EventSpec> {
        let mut out = Vec::new();
        for item in reader.sequence(node) {
            let keys = [&["if", "to"][..], &EFFECTS[..]].concat();
            let Some(event) = reader.object(item, &keys, "an event") else { continue };
            let condition = event.get("if").map(|n| event_condition(n, reader)).unwrap_or_default();
            if let Some(effect) = self.effect(&event, reader) {
                out.push(EventSpec { condition, effect });
            }
        }
        out
    }

    fn effect(&self, event: &Object<'_>, reader: &mut Reader) -> Option<EventEffect> {
        let purpose =
            |node: &Node, reader: &mut Reader| self.vocabulary.purpose(reader.word(node)?, node.span, reader);
        let said: Vec<_> = EFFECTS.iter().filter_map(|key| Some((*key, event.get(key)?))).collect();
        let [(key, node)] = said[..] else {
            let message = format!("an event says exactly one of `{}`", EFFECTS.join("`, `"));
            reader.error("one-effect", event.span, message);
            return None;
        };
        if let Some(to) = event.get("to").filter(|_| key != "consent") {
            reader.error(
                "misplaced-key",
                to.span,
                "`to` says to what somebody agrees, and stands beside `consent`",
            );
        }
        match key {
            "consent" => {
                let kind =
                    reader.one_of(node, "kind of consent", &ConsentKind::ALL.map(|k| (k.code(), k)))?;
                let to = reader.need(event, "to", "a consent event")?;
                purpose(to, reader).map(|p| EventEffect::Consent(kind, p))
            }
            "withdraw" => purpose(node, reader).map(EventEffect::Withdraw),
            "object" => purpose(node, reader).map(EventEffect::Object),
            "contract" => {
                let states = ContractState::ALL.map(|s| (s.code(), s));
                reader.one_of(node, "contract state", &states).map(EventEffect::Contract)
            }
            "erase" => whole_person(node, EventEffect::Erase, reader),
            "restrict" => whole_person(node, EventEffect::Restrict, reader),
            _ => whole_person(node, EventEffect::Suppress, reader),
        }
    }
}

fn whole_person(node: &Node, effect: EventEffect, reader: &mut Reader) -> Option<EventEffect> {
    reader.one_of(node, "word of this effect", &[("subject", ())]).map(|()| effect)
}

fn event_condition(node: &Node, reader: &mut Reader) -> Vec<(Reference, Value)> {
    let Some(object) = reader.mapping(node) else { return Vec::new() };
    if object.entries().is_empty() {
        // It would always hold: a consent for everybody.
        reader.error(
            "empty-condition",
            node.span,
            "a condition asks for something; leave it out if nothing is meant",
        );
    }
    let mut out = Vec::new();
    for (key, span, value) in object.entries() {
        let Some(at) = asked(key, *span, reader) else { continue };
        let wanted = match &value.kind {
            Kind::Bool(b) => (*b).into(),
            Kind::Text(word) => word.as_str().into(),
            Kind::Int(number) => (*number).into(),
            Kind::Null | Kind::Float | Kind::List(_) | Kind::Map(_) => {
                let message = "a member is compared with true, false, a word or a whole number";
                reader.error("wrong-shape", value.span, message);
                continue;
            }
        };
        let wanted = match &at {
            // A parameter is a text, whatever it looks like.
            Reference::Query(_) => as_text(wanted),
            Reference::Path(_)
            | Reference::Header(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Body(_)
            | Reference::Item(_)
            | Reference::Addressees(_) => wanted,
        };
        out.push((at, wanted));
    }
    out
}

/// A condition looks at members of the body and at parameters of the query.
fn asked(key: &str, span: Span, reader: &mut Reader) -> Option<Reference> {
    let found = match key.split_once('.') {
        Some(("body", path)) => members(path).map(Reference::Body),
        Some(("query", name)) if !name.is_empty() => Some(Reference::Query(name.to_owned())),
        _ => None,
    };
    if found.is_none() {
        let message =
            "an event's condition asks for members of the body or parameters of the query: `body.opt_in`";
        reader.error("not-a-reference", span, message);
    }
    found
}

fn as_text(value: Value) -> Value {
    if value.is_string() { value } else { Value::String(value.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_compared_as_text() {
        for (value, text) in [(Value::from(true), "true"), (Value::from(1), "1"), (Value::from("a"), "a")] {
            assert_eq!(as_text(value), Value::from(text));
        }
    }
}
