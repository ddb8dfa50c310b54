//! What a request does to the ledger.

use consentry_model::{ConsentKind, ContractState};

use super::route::RouteContext;
use crate::bundle::service::{EventEffect, EventSpec};
use crate::text::{Kind, Node, Object, Reader};

impl RouteContext<'_> {
    pub(super) fn events(&self, node: &Node, reader: &mut Reader) -> Vec<EventSpec> {
        let mut out = Vec::new();
        for item in reader.sequence(node) {
            let keys = ["if", "consent", "to", "withdraw", "object", "contract"];
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
        let said =
            ["consent", "withdraw", "object", "contract"].into_iter().filter(|k| event.get(k).is_some());
        if said.count() != 1 {
            let message = "an event says exactly one of `consent`, `withdraw`, `object` and `contract`";
            reader.error("one-effect", event.span, message);
            return None;
        }
        if let Some(node) = event.get("consent") {
            let kind = reader.one_of(node, "kind of consent", &ConsentKind::ALL.map(|k| (k.code(), k)))?;
            let to = reader.need(event, "to", "a consent event")?;
            return purpose(to, reader).map(|p| EventEffect::Consent(kind, p));
        }
        if let Some(node) = event.get("withdraw") {
            return purpose(node, reader).map(EventEffect::Withdraw);
        }
        if let Some(node) = event.get("object") {
            return purpose(node, reader).map(EventEffect::Object);
        }
        let node = event.get("contract")?;
        let states = ContractState::ALL.map(|s| (s.code(), s));
        reader.one_of(node, "contract state", &states).map(EventEffect::Contract)
    }
}

fn event_condition(node: &Node, reader: &mut Reader) -> Vec<(Vec<String>, serde_json::Value)> {
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
        let Some(path) = key.strip_prefix("body.") else {
            reader.error(
                "not-a-reference",
                *span,
                "an event's condition asks for members of the body: `body.opt_in`",
            );
            continue;
        };
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
        out.push((path.split('.').map(str::to_owned).collect(), wanted));
    }
    out
}
