//! Invariants: what must hold whatever the rules say, for every value of every fact that is not named.

use std::sync::Arc;

use super::ast::{Basis, Cure, Rule, Verb};
use super::parse::RuleContext;
use crate::text::{Node, Reader, Span};
use consentry_model::Treatment;

/// A promise about the rules as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    /// Its scope and conditions, as a rule's. A permission means that it is always so, a prohibition that it is never so;
    /// basis, cure and treatments mean nothing.
    pub rule: Rule,
    /// Whether it promises that the access is always allowed; otherwise that it never is.
    pub always: bool,
    /// Where it stands.
    pub(crate) span: Span,
}

impl Invariant {
    /// The clauses that promise it.
    #[must_use]
    pub fn clauses(&self) -> &[Arc<str>] {
        &self.rule.clauses
    }
}

/// Reads an `invariants` section.
pub(crate) fn read_invariants(node: &Node, context: &RuleContext<'_>, reader: &mut Reader) -> Vec<Invariant> {
    let mut out = Vec::new();
    for item in reader.sequence(node) {
        let (errors, _) = reader.found.counts();
        let read = context.rule_of(item, true, reader);
        match read {
            Some(rule) => {
                let always = matches!(rule.verb, Verb::Permit { .. });
                out.push(Invariant { rule, always, span: item.span });
            }
            None if reader.found.counts().0 == errors => {
                reader.error("rule-unreadable", item.span, "this invariant cannot be read whole");
            }
            None => {}
        }
    }
    out
}

/// The verb of an invariant: what a rule says beyond its scope means nothing here.
pub(super) fn bare_verb(permits: bool, treatments: Vec<Treatment>) -> Verb {
    if permits { Verb::Permit { basis: Basis::Aggregate, treatments } } else { Verb::Forbid(Cure::Never) }
}
