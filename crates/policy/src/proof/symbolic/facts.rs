//! Which facts can be together: what the ledger says of one purpose's consents is one statement, and a level is one of
//! its words.

use std::collections::BTreeMap;

use consentry_model::{ConsentKind, FactId, FactType};

use super::worlds::joined;
use crate::bundle::Bundle;
use crate::engine::attribute;
use crate::rules::BuiltIn;

/// The consents to each purpose, the asked one being `None`.
fn consents(bundle: &Bundle) -> Vec<Vec<(ConsentKind, FactId)>> {
    let mut by_purpose: BTreeMap<_, Vec<(ConsentKind, FactId)>> = BTreeMap::new();
    for (built_in, id) in &bundle.facts.built_in {
        if let BuiltIn::ConsentTo(purpose, kind) = built_in {
            by_purpose.entry(purpose.clone()).or_default().push((*kind, *id));
        }
    }
    let asked = ConsentKind::ALL.map(|kind| (kind, bundle.facts.core.consent_of(kind)));
    std::iter::once(asked.into()).chain(by_purpose.into_values()).collect()
}

/// Attributes that are known together or not at all.
pub(super) fn together(bundle: &Bundle) -> Vec<Vec<String>> {
    let name = |(_, id): &(ConsentKind, FactId)| bundle.facts.schema.def(*id).map(attribute);
    consents(bundle).iter().map(|group| group.iter().filter_map(name).collect()).collect()
}

/// That a request's facts can be together, as a Cedar expression.
pub(super) fn expression(bundle: &Bundle) -> String {
    let schema = &bundle.facts.schema;
    let mut parts = Vec::new();
    for group in consents(bundle) {
        let named: Vec<(ConsentKind, String)> =
            group.iter().filter_map(|(kind, id)| Some((*kind, attribute(schema.def(*id)?)))).collect();
        for ((_, one), (_, next)) in named.iter().zip(named.iter().skip(1)) {
            parts.push(format!("((context has {one}) == (context has {next}))"));
        }
        for (stronger, one) in &named {
            for (_, other) in named.iter().filter(|(kind, _)| kind != stronger && stronger.satisfies(*kind)) {
                parts.push(format!("(!{} || {})", yes(one), yes(other)));
            }
        }
    }
    for (_, def) in schema.iter() {
        if let FactType::Level(words) = &def.ty {
            let name = attribute(def);
            let level = format!("context.{name} >= 0 && context.{name} < {}", words.len());
            parts.push(format!("(if context has {name} then {level} else true)"));
        }
    }
    joined(&parts, "&&", "true")
}

fn yes(name: &str) -> String {
    format!("(context has {name} && context.{name})")
}
