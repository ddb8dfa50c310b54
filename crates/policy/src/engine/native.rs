//! Native policies against the bundle's own words and schema, told with their place before anything is compiled.

use std::collections::BTreeMap;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, ValidationWarning, Validator};
use serde_json::Value;

use super::cedar::exchange_id;
use super::cedar_schema::{Groups, schema};
use crate::bundle::{ANYONE, Bundle};
use crate::text::{Reader, Span};

/// Reports what strict validation objects to, what can never fire, and entities that nobody makes: categories and
/// exchanges have parents, so that Cedar's schema cannot list them, and a typo in one would match nothing silently.
pub(crate) fn check_native(bundle: &Bundle, reader: &mut Reader) {
    if bundle.native.is_empty() {
        return;
    }
    let mut set = PolicySet::new();
    for native in &bundle.native {
        let Ok(policy) = Policy::parse(Some(PolicyId::new(native.id.as_str())), &native.text) else {
            let message = format!("the policy `{}` cannot be read by itself", native.id);
            reader.error("cedar-invalid", native.span, message);
            continue;
        };
        match policy.to_json() {
            Ok(json) => known_entities(bundle, &json, native.span, reader),
            Err(error) => reader.error("cedar-invalid", native.span, error.to_string()),
        }
        // One id twice is told already.
        _ = set.add(policy);
    }
    // That the schema itself is wrong is told when the bundle is compiled.
    let Ok((schema, _)) = Schema::from_cedarschema_str(&schema(bundle, &Groups::of(bundle))) else { return };
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let place = |id: &PolicyId| {
        let native = bundle.native.iter().find(|native| native.id.as_str() == AsRef::<str>::as_ref(id));
        native.map(|native| native.span).unwrap_or_default()
    };
    // What is wrong is wrong for every purpose that a policy touches; it is said once, of the first of them by name, whatever
    // the order in which Cedar looked.
    let mut told: BTreeMap<PolicyId, String> = BTreeMap::new();
    for error in result.validation_errors() {
        let text = error.to_string();
        let first = told.entry(error.policy_id().clone()).or_insert_with(|| text.clone());
        if text < *first {
            *first = text;
        }
    }
    for (id, text) in &told {
        reader.error("cedar-invalid", place(id), text);
    }
    for warning in result.validation_warnings().filter(|w| !told.contains_key(w.policy_id())) {
        let span = place(warning.policy_id());
        if matches!(warning, ValidationWarning::ImpossiblePolicy(_)) {
            let message = format!("the policy `{}` never speaks, whatever is asked", warning.policy_id());
            reader.error("cedar-never-matches", span, message);
        } else {
            reader.warning("cedar-doubtful", span, warning.to_string());
        }
    }
}

/// Every entity that a policy names in Cedar's JSON form, looked up where the schema leaves the type open.
fn known_entities(bundle: &Bundle, json: &Value, span: Span, reader: &mut Reader) {
    match json {
        Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            match (text("type"), text("id")) {
                (Some("Data"), Some(id)) => {
                    let known: Vec<&str> = bundle.vocabulary.categories.keys().collect();
                    if !known.contains(&id) {
                        reader.unknown("unknown-category", span, "data category", id, known);
                    }
                }
                (Some("Exchange"), Some(id)) => {
                    let known = exchanges(bundle);
                    if !known.iter().any(|name| name == id) {
                        reader.unknown("unknown-exchange", span, "exchange", id, known.iter().map(|k| &**k));
                    }
                }
                _ => {}
            }
            members.values().for_each(|value| known_entities(bundle, value, span, reader));
        }
        Value::Array(items) => items.iter().for_each(|item| known_entities(bundle, item, span, reader)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn exchanges(bundle: &Bundle) -> Vec<String> {
    let requesters = bundle.requesters.keys().map(|r| r.as_str()).chain([ANYONE]);
    requesters
        .flat_map(|who| bundle.vocabulary.recipients.keys().map(move |to| exchange_id(who, to)))
        .collect()
}
