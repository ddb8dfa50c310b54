//! What may be asked for on a route, and where its requests go.

use std::collections::BTreeMap;

use consentry_model::{Purpose, RecipientId};

use super::route::RouteContext;
use super::words::{of_the_request, reference};
use crate::bundle::service::{Destination, PurposeRule, Right};
use crate::text::{Node, Object, Reader};

impl RouteContext<'_> {
    pub(super) fn purpose(
        &self,
        object: &Object<'_>,
        right: Option<Right>,
        reader: &mut Reader,
    ) -> Option<PurposeRule> {
        let ways = ["purpose", "purposes", "purpose_by", "right"];
        if ways.iter().filter(|way| object.get(way).is_some()).count() != 1 {
            let message = "a route has exactly one of `purpose`, `purposes`, `purpose_by` and `right`";
            reader.error("one-purpose", object.span, message);
            return None;
        }
        if object.get("right").is_some() {
            let right = right?;
            return Purpose::new(&format!("custom.rights.{}", right.code())).ok().map(PurposeRule::Fixed);
        }
        if let Some(node) = object.get("purpose_by") {
            return self.purpose_by(node, reader);
        }
        if let Some(node) = object.get("purpose") {
            let word = reader.word(node)?;
            return self.vocabulary.purpose(word, node.span, reader).map(PurposeRule::Fixed);
        }
        let words = reader.words(object.get("purposes")?);
        let several: Vec<_> =
            words.into_iter().filter_map(|(w, at)| self.vocabulary.purpose(w, at, reader)).collect();
        (!several.is_empty()).then_some(PurposeRule::OneOf(several))
    }

    /// Reads `{body.topic: {court-news: P, …}}`.
    fn purpose_by(&self, node: &Node, reader: &mut Reader) -> Option<PurposeRule> {
        let object = reader.mapping(node)?;
        let [(key, span, table)] = object.entries() else {
            let message = "`purpose_by` names one place in the request, and what each value there means";
            reader.error("wrong-shape", node.span, message);
            return None;
        };
        let at = Node { kind: crate::text::Kind::Text(key.clone()), span: *span };
        let at = reference(&at, reader)?;
        if !of_the_request(&at) {
            let message = "the purpose is known before the answer is, and is one for the whole request";
            reader.error("reference-out-of-place", *span, message);
            return None;
        }
        let table = reader.mapping(table)?;
        if table.entries().is_empty() {
            reader.error(
                "empty-list",
                *span,
                "`purpose_by` gives no value a meaning; nothing could be asked for",
            );
        }
        let mut values = BTreeMap::new();
        for (value, _, purpose) in table.entries() {
            let Some(word) = reader.word(purpose) else { continue };
            if let Some(purpose) = self.vocabulary.purpose(word, purpose.span, reader) {
                values.insert(value.clone(), purpose);
            }
        }
        Some(PurposeRule::By { at, values })
    }

    /// Reads `to`: a recipient that the bundle registers, or the variable of the path that names one.
    pub(super) fn destination(&self, node: &Node, reader: &mut Reader) -> Option<Destination> {
        let word = reader.word(node)?;
        if let Some(variable) = word.strip_prefix("path.").filter(|name| !name.is_empty()) {
            return Some(Destination::Path(variable.to_owned()));
        }
        let recipient = RecipientId::new(word);
        if self.recipients.contains_key(&recipient) {
            return Some(Destination::Fixed(recipient));
        }
        let known: Vec<&str> = self.recipients.keys().map(RecipientId::as_str).collect();
        reader.unknown("unknown-recipient", node.span, "recipient that the bundle registers", word, known);
        None
    }
}
