//! Routes by which messages go out.

use std::sync::Arc;

use consentry_model::{Field, FieldMap, MediaTypes};

use super::about::Whose;
use super::facts::Stated;
use super::fields::Fields;
use super::records::Records;
use super::route::RouteContext;
use super::words::reference;
use crate::bundle::service::{Body, FactTarget, MessageMap, Reference, ServiceMap};
use crate::text::{Node, Reader, Span};

/// What an addressee's entry is, unless the route's body says otherwise.
const ADDRESS: &str = "user.contact.email";

impl RouteContext<'_> {
    /// Reads `message`. What the message is about, and about which product, are facts that rules may ask.
    pub(super) fn message(
        &self,
        node: &Node,
        whose: Option<&Whose>,
        stated: &mut Stated,
        reader: &mut Reader,
    ) -> Option<MessageMap> {
        let object =
            reader.object(node, &["to", "from", "topic", "text", "product", "headers"], "a message")?;
        let to = reader.need(&object, "to", "a message")?;
        let addressees = reference(to, reader)?;
        let subject = whose.and_then(|w| w.at.as_ref());
        if !matches!(addressees, Reference::Addressees(_)) || subject != Some(&addressees) {
            reader.error_help(
                "message-addressees",
                to.span,
                "each addressee of a message is a subject of its own",
                "not whom the route is about",
                "write the list of addressees twice: `to: body.to[]`, and the same under `about.id`",
            );
        }
        let mut part = |key: &str| -> Option<Vec<String>> {
            let node = object.get(key)?;
            match reference(node, reader)? {
                Reference::Body(path) => Some(path),
                Reference::Path(_)
                | Reference::Query(_)
                | Reference::Header(_)
                | Reference::Cookie(_)
                | Reference::Token(_)
                | Reference::Item(_)
                | Reference::Addressees(_) => {
                    let message = "a part of a message is a member of the body: `body.topic`";
                    reader.error("reference-out-of-place", node.span, message);
                    None
                }
            }
        };
        let to = if let Reference::Addressees(path) = &addressees { path.clone() } else { Vec::new() };
        let map = MessageMap {
            to,
            from: part("from"),
            topic: part("topic"),
            text: part("text"),
            product: part("product"),
            headers: part("headers"),
        };
        let mut book = self.book.borrow_mut();
        if let (Some(path), Some(target)) = (&map.topic, book.target("message.topic")) {
            stated.also(target, Reference::Body(path.clone()));
        }
        if let Some(path) = &map.product {
            let product = FactTarget::Operand(book.core_operands.product);
            stated.also(product, Reference::Body(path.clone()));
        }
        Some(map)
    }
}

/// A message and the list of its addressees.
#[derive(Clone, Copy)]
pub(super) struct Outbound<'a> {
    pub(super) message: &'a MessageMap,
    pub(super) list: &'a [String],
    pub(super) span: Span,
}

impl Fields<'_> {
    /// The body of a message whose route does not describe it: its parts, the addresses, and the headers that name nobody.
    /// Nothing else passes.
    pub(super) fn message_body(
        &self,
        outbound: Outbound<'_>,
        records: Option<Records>,
        map: &mut ServiceMap,
        reader: &mut Reader,
    ) -> Option<Body> {
        let Outbound { message, list, span } = outbound;
        let address = self.known(ADDRESS, span, map, reader)?;
        let mut leaves = vec![(format!("{}[]", list.join(".")), address)];
        let parts = [&message.from, &message.topic, &message.text, &message.product];
        leaves.extend(parts.into_iter().flatten().map(|path| (path.join("."), Field::Open)));
        let headers = message.headers.iter().flat_map(|path| {
            MessageMap::HEADERS.map(|name| (format!("{}.{name}", path.join(".")), Field::Open))
        });
        leaves.extend(headers);
        let mut builder = records.map_or_else(
            || Some(FieldMap::builder()),
            |records| records.enter(&MediaTypes::json(), FieldMap::builder(), reader),
        )?;
        for (path, field) in leaves {
            match builder.clone().leaf(&path, field) {
                Ok(next) => builder = next,
                Err(error) => reader.error("not-a-path", span, format!("`{path}`: {error}")),
            }
        }
        Some(Body::Fields(Arc::new(builder.build()), MediaTypes::json()))
    }
}
