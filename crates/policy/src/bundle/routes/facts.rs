//! What a route states: constants of its data, and where in an exchange further facts stand.

use consentry_model::{FactDef, FactId, FactSource, FactType, FactValue};

use super::route::RouteContext;
use super::words::{looks_like_a_place, reference};
use crate::bundle::facts::may_state;
use crate::bundle::service::{FactTarget, Reference};
use crate::rules::{BuiltIn, FactBook};
use crate::text::{Kind, Node, Reader, Span};

/// What a section `facts` states.
#[derive(Default)]
pub(super) struct Stated {
    /// Facts of the data that never change: the controller's attestation.
    pub(super) constants: Vec<(FactId, FactValue)>,
    /// Facts that a value of the request states.
    pub(super) places: Vec<(FactTarget, Reference)>,
    /// Facts that a member of each record states.
    pub(super) items: Vec<(FactTarget, Vec<String>)>,
}

/// The kinds of facts that a route may know. What a requester, a recipient or the bundle's configuration is, is not for
/// a route to say.
const KINDS: [&str; 4] = ["datum", "subject", "request", "message"];

/// Facts of the product's own that a route may state all the same. Every other is worked out, or the ledger's alone.
const LENT: [&str; 4] = ["subject.region", "subject.age", "subject.born", "datum.collected_at"];

impl Stated {
    fn places(&self, target: FactTarget) -> bool {
        self.places.iter().any(|(there, _)| *there == target) || self.items.iter().any(|(t, _)| *t == target)
    }

    /// States a fact by a place, unless the route did so in its own words.
    pub(super) fn also(&mut self, target: FactTarget, at: Reference) {
        if !self.places(target) {
            self.places.push((target, at));
        }
    }
}

impl RouteContext<'_> {
    /// Reads a route's `facts`.
    pub(super) fn stated(&self, node: &Node, reader: &mut Reader) -> Stated {
        let mut out = Stated::default();
        let Some(object) = reader.mapping(node) else { return out };
        for (key, span, value) in object.entries() {
            let Some(target) = self.target(key, *span, reader) else { continue };
            if !self.is_place(target, value) {
                out.constants.extend(self.constant(target, key, value, reader));
                continue;
            }
            match reference(value, reader) {
                Some(Reference::Item(_)) if self.is_told_before_records(target) => {
                    let message = "what follows from it is worked out before records are read";
                    reader.error("reference-out-of-place", value.span, message);
                }
                Some(Reference::Item(path)) => out.items.push((target, path)),
                Some(Reference::Addressees(_)) => {
                    let message = "a fact is one value, and the addressees of a message are several";
                    reader.error("reference-out-of-place", value.span, message);
                }
                Some(at) if may_state(&at, value.span, reader) => out.places.push((target, at)),
                Some(_) | None => {}
            }
        }
        out.constants.sort_unstable();
        out
    }

    /// Whether the age, the law that governs or what a consent counts for follows from a fact.
    fn is_told_before_records(&self, target: FactTarget) -> bool {
        let book = self.book.borrow();
        let born = FactTarget::Operand(book.core_operands.born);
        let worked_out = [BuiltIn::Age, BuiltIn::Region].map(|fact| book.built_in(&fact));
        target == born || worked_out.into_iter().flatten().any(|fact| FactTarget::Fact(fact) == target)
    }

    /// Reads a field's `facts`: constants alone.
    pub(super) fn constants(&self, node: &Node, reader: &mut Reader) -> Vec<(FactId, FactValue)> {
        let stated = self.stated(node, reader);
        if !stated.places.is_empty() || !stated.items.is_empty() {
            let message =
                "a field states what is always so; a value that changes stands in the facts of the route";
            reader.error("reference-in-field", node.span, message);
        }
        stated.constants
    }

    /// Everything that the map states of a datum: the field's own word, the route's, the bundle's default. A fact that
    /// the exchange itself states has no default.
    pub(super) fn all_of(
        &self,
        own: Vec<(FactId, FactValue)>,
        route: &Stated,
        aggregate: bool,
    ) -> Vec<(FactId, FactValue)> {
        let book = self.book.borrow();
        let mut facts = own;
        let shape = (book.core.shape, FactValue::Word(u16::from(aggregate)));
        let defaults = book.defaults.iter().filter(|(id, _)| !route.places(FactTarget::Fact(*id)));
        for (id, value) in route.constants.iter().chain([&shape]).chain(defaults) {
            if facts.iter().all(|(there, _)| there != id) {
                facts.push((*id, *value));
            }
        }
        facts.sort_unstable();
        facts
    }

    fn target(&self, name: &str, span: Span, reader: &mut Reader) -> Option<FactTarget> {
        let mut book = self.book.borrow_mut();
        let own = FactBook::new(book.regimes.clone(), Vec::new()).names();
        let kind = name.split('.').next().unwrap_or_default();
        let known = book.names();
        if !known.iter().any(|there| there == name) {
            let may = |n: &&str| !own.iter().any(|o| o == n) || LENT.contains(n);
            reader.unknown("unknown-fact", span, "fact", name, known.iter().map(String::as_str).filter(may));
            return None;
        }
        if !KINDS.contains(&kind) || own.iter().any(|there| there == name) && !LENT.contains(&name) {
            let message = format!("a route cannot state `{name}`");
            let help =
                "routes state facts that the bundle defines of a datum, a subject, a request or a message";
            reader.error_help("fact-out-of-place", span, message, "not a route's to say", help);
            return None;
        }
        book.target(name)
    }

    /// Whether a value says where the fact stands. A word that the fact itself knows is that word.
    fn is_place(&self, target: FactTarget, value: &Node) -> bool {
        let Kind::Text(text) = &value.kind else { return false };
        let known = match target {
            FactTarget::Fact(id) => {
                self.book.borrow().schema.def(id).is_some_and(|d| d.ty.words().iter().any(|w| **w == **text))
            }
            FactTarget::Operand(_) => false,
        };
        !known && looks_like_a_place(text)
    }

    fn constant(
        &self,
        target: FactTarget,
        name: &str,
        value: &Node,
        reader: &mut Reader,
    ) -> Option<(FactId, FactValue)> {
        let book = self.book.borrow();
        let of_a_datum = |def: &&FactDef| def.source == FactSource::Datum;
        let found = match target {
            FactTarget::Fact(id) => book.schema.def(id).filter(of_a_datum).map(|def| (id, def)),
            FactTarget::Operand(_) => None,
        };
        let Some((id, def)) = found else {
            let message = format!("`{name}` is no fact of a datum, and cannot be the same for every request");
            let help = "say where it stands, for example `body.NAME` or `item.NAME`";
            reader.error_help("constant-out-of-place", value.span, message, "always this?", help);
            return None;
        };
        let read = match &def.ty {
            FactType::Bool => FactValue::Bool(reader.boolean(value)?),
            FactType::Int => FactValue::Int(reader.integer(value)?),
            FactType::Word(words) | FactType::Level(words) => {
                let word = reader.word(value)?;
                let at = words.iter().position(|w| **w == *word).and_then(|at| u16::try_from(at).ok());
                let Some(at) = at else {
                    let known = words.iter().map(|w| &**w);
                    reader.unknown("unknown-value", value.span, "value of this fact", word, known);
                    return None;
                };
                FactValue::Word(at)
            }
        };
        Some((id, read))
    }
}
