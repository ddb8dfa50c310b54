//! Who may ask and who may receive.

use std::collections::BTreeMap;

use consentry_model::{Purpose, RecipientClass, RecipientId, RequesterId};

use super::vocabulary::Vocabulary;
use crate::text::{Node, Reader};

/// The requester of routes that are open to everybody.
pub(crate) const ANYONE: &str = "anyone";

/// A requester that the bundle registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequesterDef {
    /// What it may ask for; a token narrows it, never widens it.
    pub purposes: Vec<Purpose>,
    /// In which capacity it receives what it reads: the bundle's word, `internal` when it says nothing.
    pub receives_as: RecipientId,
    /// Whether it may be told reasons that depend on a person.
    pub told_reasons: bool,
}

/// A recipient that the bundle registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientDef {
    /// The class it was registered under, as the bundle writes it.
    pub class: String,
    /// ISO 3166-1 alpha-2 country.
    pub country: String,
}

pub(crate) type Requesters = BTreeMap<RequesterId, RequesterDef>;
pub(crate) type Recipients = BTreeMap<RecipientId, RecipientDef>;

pub(crate) fn read_recipients(node: &Node, vocabulary: &mut Vocabulary, reader: &mut Reader) -> Recipients {
    let mut out = Recipients::new();
    let Some(section) = reader.mapping(node) else { return out };
    for (name, span, value) in section.entries() {
        let Some(entry) = reader.object(value, &["class", "country"], "a recipient") else { continue };
        if vocabulary.recipients.contains(name) {
            reader.error("defined-twice", *span, format!("`{name}` is a recipient or a class already"));
            continue;
        }
        let class = reader.need(&entry, "class", "a recipient").and_then(|n| Some((reader.word(n)?, n.span)));
        let country = reader.need(&entry, "country", "a recipient").and_then(|n| {
            let word = reader.word(n)?;
            let iso = word.len() == 2 && word.bytes().all(|b| b.is_ascii_uppercase());
            if !iso {
                reader.error("not-a-country", n.span, format!("`{word}` is not a two-letter country code"));
            }
            iso.then(|| word.to_owned())
        });
        let Some((class, class_span)) = class else { continue };
        if !vocabulary.recipients.contains(class) {
            let known: Vec<_> = vocabulary.recipients.keys().map(str::to_owned).collect();
            let known = known.iter().map(String::as_str);
            reader.unknown("unknown-recipient-class", class_span, "recipient class", class, known);
            continue;
        }
        vocabulary.add_recipient(name, class);
        if let Some(country) = country {
            out.insert(RecipientId::new(name), RecipientDef { class: class.to_owned(), country });
        }
    }
    out
}

pub(crate) fn read_requesters(
    node: &Node,
    vocabulary: &Vocabulary,
    out: &mut Requesters,
    reader: &mut Reader,
) {
    let Some(section) = reader.mapping(node) else { return };
    for (name, span, value) in section.entries() {
        let keys = ["purposes", "receives_as", "told_reasons"];
        let Some(entry) = reader.object(value, &keys, "a requester") else { continue };
        if name == ANYONE {
            reader.error("reserved-name", *span, "`anyone` is everybody who calls a public route");
            continue;
        }
        if out.contains_key(&RequesterId::new(name)) {
            reader.error("defined-twice", *span, format!("the requester `{name}` is registered already"));
            continue;
        }
        let mut purposes = Vec::new();
        if let Some(list) = reader.need(&entry, "purposes", "a requester") {
            for (word, at) in reader.words(list) {
                purposes.extend(vocabulary.purpose(word, at, reader));
            }
        }
        let told_reasons = entry.get("told_reasons").and_then(|n| reader.boolean(n)).unwrap_or(false);
        let receives_as = match entry.get("receives_as") {
            None => Some(RecipientClass::Internal.code()),
            Some(node) => reader.word(node).filter(|word| {
                let known = vocabulary.recipients.contains(word);
                if !known {
                    let keys = vocabulary.recipients.keys();
                    reader.unknown("unknown-recipient", node.span, "recipient", word, keys);
                }
                known
            }),
        };
        if let Some(receives_as) = receives_as.map(RecipientId::new) {
            out.insert(RequesterId::new(name), RequesterDef { purposes, receives_as, told_reasons });
        }
    }
}
