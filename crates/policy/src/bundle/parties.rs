//! Who may ask and who may receive.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Moment, Purpose, RecipientClass, RecipientId, RequesterId};

use super::countries::country;
use super::dates::Dates;
use super::vocabulary::Vocabulary;
use crate::rules::SAFEGUARDS;
use crate::text::{Kind, Node, Reader};

/// The requester of routes that are open to everybody.
pub(crate) const ANYONE: &str = "anyone";

/// A requester that the bundle registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequesterDef {
    /// What it may ask for; a token narrows it, never widens it.
    pub purposes: Vec<Purpose>,
    /// The roles by which rules may name it.
    pub roles: Vec<String>,
    /// In which capacity it receives what it reads: the bundle's word, `internal` when it says nothing.
    pub receives_as: RecipientId,
    /// Whether it may be told reasons that depend on a person.
    pub told_reasons: bool,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
}

/// A recipient that the bundle registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientDef {
    /// The class it was registered under, as the bundle writes it.
    pub class: String,
    /// ISO 3166-1 alpha-2 country.
    pub country: &'static str,
    /// The safeguard of transfers to it, `none`, `scc`, `idta` or `bcr`, and when it holds.
    pub(crate) safeguard: (&'static str, Dates),
    /// When a processing agreement with it is in force; never without one.
    pub(crate) agreement: Option<Dates>,
    /// What it does for the controller; nothing else is its task.
    pub tasks: Vec<Purpose>,
    /// The clauses it rests on.
    pub clauses: Vec<Arc<str>>,
}

/// What there is without any safeguard, and outside of the dates of one.
pub(crate) const NO_SAFEGUARD: &str = "none";

impl RecipientDef {
    /// The safeguard of transfers to it at a moment: `none`, `scc`, `idta` or `bcr`.
    #[must_use]
    pub fn safeguard(&self, at: Moment) -> &'static str {
        let (kind, dates) = &self.safeguard;
        if dates.hold(at) { kind } else { NO_SAFEGUARD }
    }

    /// Whether a processing agreement with it is in force at a moment.
    #[must_use]
    pub fn agreement(&self, at: Moment) -> bool {
        self.agreement.is_some_and(|dates| dates.hold(at))
    }

    /// Whether its safeguard or its agreement begins or ends some day.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.safeguard.1.bounds().chain(self.agreement.iter().flat_map(Dates::bounds)).next().is_some()
    }
}

pub(crate) type Requesters = BTreeMap<RequesterId, RequesterDef>;
pub(crate) type Recipients = BTreeMap<RecipientId, RecipientDef>;

/// Reads a `recipients` section.
pub(crate) fn read_recipients(node: &Node, vocabulary: &mut Vocabulary, reader: &mut Reader) -> Recipients {
    let mut out = Recipients::new();
    let Some(section) = reader.mapping(node) else { return out };
    let keys = ["class", "country", "safeguard", "agreement", "tasks", "clauses"];
    for (name, span, value) in section.entries() {
        let Some(entry) = reader.object(value, &keys, "a recipient") else { continue };
        if vocabulary.recipients.contains(name) {
            reader.error("defined-twice", *span, format!("`{name}` is a recipient or a class already"));
            continue;
        }
        let class = reader.need(&entry, "class", "a recipient").and_then(|n| Some((reader.word(n)?, n.span)));
        let country = reader.need(&entry, "country", "a recipient").and_then(|n| read_country(n, reader));
        let safeguard = match entry.get("safeguard") {
            Some(node) => read_safeguard(node, reader),
            None => Some((NO_SAFEGUARD, Dates::ALWAYS)),
        };
        let mut tasks = Vec::new();
        for (word, at) in entry.get("tasks").map(|n| reader.words(n)).unwrap_or_default() {
            tasks.extend(vocabulary.purpose(word, at, reader));
        }
        let agreement = entry.get("agreement").and_then(|n| read_agreement(n, reader));
        let clauses = super::routes::clauses(&entry, reader);
        let Some((class, class_span)) = class else { continue };
        if !vocabulary.recipients.contains(class) {
            let known = vocabulary.recipients.keys();
            reader.unknown("unknown-recipient-class", class_span, "recipient class", class, known);
            continue;
        }
        vocabulary.add_recipient(name, class);
        if let (Some(country), Some(safeguard)) = (country, safeguard) {
            let class = class.to_owned();
            out.insert(
                RecipientId::new(name),
                RecipientDef { class, country, safeguard, agreement, tasks, clauses },
            );
        }
    }
    out
}

/// Reads a safeguard: a word, or the word with the dates between which it holds.
fn read_safeguard(node: &Node, reader: &mut Reader) -> Option<(&'static str, Dates)> {
    let words = SAFEGUARDS.map(|word| (word, word));
    if !matches!(node.kind, Kind::Map(_)) {
        return reader.one_of(node, "safeguard", &words).map(|kind| (kind, Dates::ALWAYS));
    }
    let entry = reader.object(node, &["kind", "from", "until"], "a safeguard")?;
    let words: Vec<_> = words.into_iter().filter(|(word, _)| *word != NO_SAFEGUARD).collect();
    let kind = reader.need(&entry, "kind", "a safeguard");
    let kind = kind.and_then(|node| reader.one_of(node, "safeguard with dates", &words));
    let dates = Dates::need(&entry, "a safeguard", reader);
    kind.zip(dates)
}

/// Reads when a processing agreement is in force: always, never, or between dates.
fn read_agreement(node: &Node, reader: &mut Reader) -> Option<Dates> {
    if !matches!(node.kind, Kind::Map(_)) {
        return reader.boolean(node).filter(|there| *there).map(|_| Dates::ALWAYS);
    }
    let entry = reader.object(node, &["from", "until"], "an agreement")?;
    Dates::need(&entry, "an agreement", reader)
}

/// Reads a country's two-letter code.
pub(crate) fn read_country(node: &Node, reader: &mut Reader) -> Option<&'static str> {
    let word = reader.word(node)?;
    let found = country(word);
    if found.is_none() {
        reader.error("not-a-country", node.span, format!("`{word}` is not a two-letter country code"));
    }
    found
}

pub(crate) fn read_requesters(
    node: &Node,
    vocabulary: &Vocabulary,
    out: &mut Requesters,
    reader: &mut Reader,
) {
    let Some(section) = reader.mapping(node) else { return };
    for (name, span, value) in section.entries() {
        let keys = ["purposes", "roles", "receives_as", "told_reasons", "clauses"];
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
        let roles = entry.get("roles").map(|n| reader.words(n)).unwrap_or_default();
        let roles = roles.into_iter().map(|(word, _)| word.to_owned()).collect();
        let clauses = super::routes::clauses(&entry, reader);
        if let Some(receives_as) = receives_as.map(RecipientId::new) {
            let found = RequesterDef { purposes, roles, receives_as, told_reasons, clauses };
            out.insert(RequesterId::new(name), found);
        }
    }
}
