//! Facts that a bundle adds: what the service map states, what a request or the ledger carries, and what is assumed where
//! nothing is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{FactDef, FactSource, FactType, FactValue, Purpose};

use super::routes::reference;
use super::service::{FactTarget, Reference};
use crate::rules::{Assumption, BuiltIn, FactBook, FactFrom, OperandDef, OperandType};
use crate::text::{Kind, Node, Object, Reader, Span};

/// The two core facts whose place in a request is the bundle's to say.
const PLACED_BY_BUNDLE: [&str; 2] = ["request.legal", "request.approver"];

/// What may be said of a fact.
const KEYS: [&str; 6] = ["type", "values", "from", "if_unknown", "because", "clauses"];

/// The switches of a bundle.
pub(crate) type Switches = BTreeMap<String, FactValue>;

/// Reads a `facts` section.
pub(crate) fn read_facts(node: &Node, book: &mut FactBook, switches: &Switches, reader: &mut Reader) {
    let Some(section) = reader.mapping(node) else { return };
    for (name, span, value) in section.entries() {
        let Some(entry) = reader.object(value, &KEYS, "a fact") else { continue };
        if entry.get("if_unknown").is_some() {
            assume(name, *span, &entry, book, reader);
        } else if may_be_named(name, *span, book, reader) {
            declare(name, *span, &entry, book, switches, reader);
        }
    }
}

/// Whether a bundle may define a fact of this name. Names that differ in their punctuation alone are one name.
fn may_be_named(name: &str, span: Span, book: &mut FactBook, reader: &mut Reader) -> bool {
    if Purpose::new(name).is_err() || !name.contains('.') {
        let message = format!("`{name}` is not a fact's name: two or more words divided by dots");
        reader.error("not-a-key", span, message);
        return false;
    }
    let flat = |name: &str| name.replace('.', "_");
    let placed_already =
        book.from.iter().any(|(target, _)| book.schema.id(name).map(FactTarget::Fact) == Some(*target));
    if PLACED_BY_BUNDLE.contains(&name) && !placed_already {
        return true;
    }
    let there = book.names().iter().any(|there| flat(there) == flat(name));
    if there {
        reader.error("defined-twice", span, format!("the fact `{name}` is defined already"));
    }
    !there
}

/// What a fact is.
enum Sort {
    Fact(FactType),
    /// A Boolean that says whether something is there.
    Reference,
    Operand(OperandType),
}

fn declare(
    name: &str,
    span: Span,
    entry: &Object<'_>,
    book: &mut FactBook,
    switches: &Switches,
    reader: &mut Reader,
) {
    let Some(sort) = sort_of(entry, reader) else { return };
    let Some(source) = source_of(name, entry) else {
        reader.error_help(
            "unknown-fact-source",
            span,
            format!("nobody states `{name}`"),
            "without a source",
            "begin its name with `datum.` and state it on routes, or say `from:` where it comes from",
        );
        return;
    };
    let from = match entry.get("from") {
        Some(node) => match fact_from(node, &sort, switches, reader) {
            Some(from) => Some(from),
            None => return,
        },
        None => None,
    };
    let target = match sort {
        Sort::Fact(ty) => FactTarget::Fact(book.schema.add(FactDef { name: name.into(), ty, source })),
        Sort::Reference => {
            let def = FactDef { name: name.into(), ty: FactType::Bool, source };
            FactTarget::Fact(book.schema.add(def))
        }
        Sort::Operand(ty) => FactTarget::Operand(book.operands.add(OperandDef { name: name.into(), ty })),
    };
    book.from.extend(from.map(|from| (target, from)));
}

fn sort_of(entry: &Object<'_>, reader: &mut Reader) -> Option<Sort> {
    match (entry.get("type"), entry.get("values")) {
        (Some(node), None) => {
            let sorts = [("bool", 0_u8), ("int", 1), ("reference", 2), ("id", 3), ("ids", 4), ("time", 5)];
            Some(match reader.one_of(node, "type of a fact", &sorts)? {
                0 => Sort::Fact(FactType::Bool),
                1 => Sort::Fact(FactType::Int),
                2 => Sort::Reference,
                3 => Sort::Operand(OperandType::Id),
                4 => Sort::Operand(OperandType::Ids),
                _ => Sort::Operand(OperandType::Time),
            })
        }
        (None, Some(node)) => {
            let words: Arc<[Arc<str>]> = reader.words(node).into_iter().map(|(w, _)| Arc::from(w)).collect();
            if words.is_empty() {
                let message = "`values` names nothing; leave the fact out or name its words";
                reader.error("empty-list", node.span, message);
                return None;
            }
            Some(Sort::Fact(FactType::Word(words)))
        }
        _ => {
            reader.error("key-missing", entry.span, "a fact says exactly one of `type` and `values`");
            None
        }
    }
}

/// Which turn of a decision a fact belongs to.
fn source_of(name: &str, entry: &Object<'_>) -> Option<FactSource> {
    let from = entry.get("from").and_then(|n| match &n.kind {
        Kind::Text(text) => text.split_once('.').map(|(head, _)| head),
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::List(_) | Kind::Map(_) => None,
    });
    match (from, name.split_once('.').map(|(head, _)| head)) {
        (Some("ledger"), _) => Some(FactSource::Person),
        (Some(_), _) | (None, Some("message")) => Some(FactSource::Request),
        (None, Some("datum")) => Some(FactSource::Datum),
        // Stated by the routes that know it.
        (None, Some("subject")) => Some(FactSource::Person),
        (None, _) => None,
    }
}

fn fact_from(node: &Node, sort: &Sort, switches: &Switches, reader: &mut Reader) -> Option<FactFrom> {
    let word = reader.word(node)?;
    if let Some(attribute) = word.strip_prefix("ledger.") {
        return Some(FactFrom::Attribute(attribute.into()));
    }
    if let Some(name) = word.strip_prefix("config.") {
        let value = switches.get(name).copied();
        if value.is_none() {
            let known = switches.keys().map(String::as_str);
            reader.unknown("unknown-switch", node.span, "switch of `bundle.config`", name, known);
        }
        return value.map(FactFrom::Constant);
    }
    let found = reference(node, reader)?;
    if matches!(found, Reference::Item(_) | Reference::Path(_) | Reference::Addressees(_)) {
        let message =
            "a fact of every request stands in a header, a query parameter, a cookie, the token or the body";
        reader.error("not-a-reference", node.span, message);
        return None;
    }
    if !may_state(&found, node.span, reader) {
        return None;
    }
    Some(match sort {
        Sort::Reference => FactFrom::Presence(found),
        Sort::Fact(_) | Sort::Operand(_) => FactFrom::Request(found),
    })
}

/// Whether what stands at a place may state a fact. By `token.sub` a bundle means the person whom a token names, for `about` to say of
/// whom data are: as a fact the same words would mean a claim, by which nobody here is known.
pub(crate) fn may_state(at: &Reference, span: Span, reader: &mut Reader) -> bool {
    let Reference::Token(claim) = at else { return true };
    if !["sub", "person"].contains(&claim.as_str()) {
        return true;
    }
    let message = format!("`token.{claim}` is the person whom a token names, and states no fact");
    let help = "`about: {id: token.sub}` says whose data it is; a fact stands in another claim";
    reader.error_help("reference-out-of-place", span, message, "whom, and not what", help);
    false
}

/// The one construct that widens: what is assumed of people of whom nothing is known.
fn assume(name: &str, span: Span, entry: &Object<'_>, book: &mut FactBook, reader: &mut Reader) {
    if name != "subject.age" {
        let message = format!("nothing may be assumed of `{name}`; only of `subject.age`");
        reader.error("assumption-not-allowed", span, message);
        return;
    }
    let fact = book.ask_for(BuiltIn::Age);
    let value = entry.get("if_unknown").and_then(|n| reader.integer(n)).map(FactValue::Int);
    let because = reader.need(entry, "because", "an assumption").and_then(|n| reader.word(n));
    let clauses = super::routes::clauses(entry, reader);
    if let (Some(value), Some(because)) = (value, because) {
        book.assumed.push(Assumption { fact, value, because: because.to_owned(), clauses });
    }
}

/// Reads `bundle.defaults`: what data facts are where no route says it.
pub(crate) fn read_defaults(node: &Node, book: &mut FactBook, reader: &mut Reader) {
    let Some(section) = reader.mapping(node) else { return };
    for (name, span, value) in section.entries() {
        let id = book.ask(name);
        let def =
            id.and_then(|id| book.schema.def(id)).filter(|def| def.source == FactSource::Datum).cloned();
        let (Some(id), Some(def)) = (id, def) else {
            let known: Vec<_> = book.names().into_iter().filter(|n| n.starts_with("datum.")).collect();
            reader.unknown("unknown-fact", *span, "fact of a datum", name, known.iter().map(String::as_str));
            continue;
        };
        if let Some(value) = constant(&def, value, reader) {
            book.defaults.push((id, value));
        }
    }
}

/// A fact's value as a bundle writes it.
pub(crate) fn constant(def: &FactDef, node: &Node, reader: &mut Reader) -> Option<FactValue> {
    match &def.ty {
        FactType::Bool => reader.boolean(node).map(FactValue::Bool),
        FactType::Int => reader.integer(node).map(FactValue::Int),
        FactType::Word(words) | FactType::Level(words) => {
            let word = reader.word(node)?;
            let at = words.iter().position(|w| **w == *word);
            if at.is_none() {
                let known = words.iter().map(|w| &**w);
                reader.unknown("unknown-value", node.span, "value of this fact", word, known);
            }
            at.and_then(|at| u16::try_from(at).ok()).map(FactValue::Word)
        }
    }
}
