//! What was taken from a JSON document on its way.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::Treatment;
use serde_json::Value;

/// What differs between what was handed over and what arrived.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Fields that are missing, by their path; `[]` stands for each element.
    pub(super) missing: BTreeSet<String>,
    /// Fields that arrived altered.
    pub(super) altered: BTreeMap<String, Treatment>,
    /// How many elements of lists are missing.
    pub(super) omitted: u64,
    /// Fields that nobody handed over.
    pub(super) added: BTreeSet<String>,
}

/// Compares two documents.
pub(super) fn taken(before: &Value, after: &Value) -> Taken {
    let mut out = Taken::default();
    compare(before, after, "", &mut out);
    out
}

fn compare(before: &Value, after: &Value, path: &str, out: &mut Taken) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                let path = member(path, name);
                match after.get(name) {
                    Some(there) => compare(value, there, &path, out),
                    None => leaves(value, &path, &mut out.missing),
                }
            }
            for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
                leaves(value, &member(path, name), &mut out.added);
            }
        }
        (Value::Array(before), Value::Array(after)) => lists(before, after, &format!("{path}[]"), out),
        (before, after) if before == after => {}
        (_, after) => {
            let masked = after.as_str().is_some_and(|text| text.contains('*'));
            let treatment = if masked { Treatment::Masked } else { Treatment::Truncated };
            out.altered.insert(path.to_owned(), treatment);
        }
    }
}

/// Elements keep their order; each that arrived is held against the first that it can have come from.
fn lists(before: &[Value], after: &[Value], path: &str, out: &mut Taken) {
    let mut rest = before.iter();
    let mut arrived = after.iter();
    let mut to_skip = before.len().saturating_sub(after.len());
    out.omitted += to_skip as u64;
    for there in &mut arrived {
        loop {
            let Some(candidate) = rest.next() else {
                leaves(there, path, &mut out.added);
                break;
            };
            if to_skip > 0 && !may_stem_from(there, candidate) {
                to_skip -= 1;
                continue;
            }
            compare(candidate, there, path, out);
            break;
        }
    }
}

/// Whether every text that arrived stands in the candidate, unless it was altered there.
fn may_stem_from(there: &Value, candidate: &Value) -> bool {
    match (there, candidate) {
        (Value::Object(there), Value::Object(candidate)) => there
            .iter()
            .all(|(name, value)| candidate.get(name).is_some_and(|from| may_stem_from(value, from))),
        (Value::Array(_), Value::Array(_)) => true,
        (there, candidate) => there == candidate || there.as_str().is_some_and(|text| text.contains('*')),
    }
}

fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn leaves(value: &Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                leaves(value, &member(path, name), out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                leaves(item, &format!("{path}[]"), out);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            out.insert(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_missing_altered_or_new_is_found() {
        let before = json!({
            "rows": [{"id": "ann", "mail": "ann@x", "card": {"a": 1, "b": 2}}, {"id": "bob", "mail": "bob@x", "ip": "192.0.2.7"}],
            "n": 2,
        });
        for (after, expected) in [
            (before.clone(), Taken::default()),
            (
                json!({"rows": [{"id": "bob", "mail": "b***@x", "ip": "192.0.2.0"}], "n": 2}),
                Taken {
                    altered: [
                        ("rows[].mail".to_owned(), Treatment::Masked),
                        ("rows[].ip".to_owned(), Treatment::Truncated),
                    ]
                    .into(),
                    omitted: 1,
                    ..Taken::default()
                },
            ),
            (
                json!({"rows": [{"id": "ann", "mail": "ann@x"}], "n": 2, "x": 1}),
                Taken {
                    missing: ["rows[].card.a".to_owned(), "rows[].card.b".to_owned()].into(),
                    added: ["x".to_owned()].into(),
                    omitted: 1,
                    ..Taken::default()
                },
            ),
            (json!({"rows": []}), Taken { missing: ["n".to_owned()].into(), omitted: 2, ..Taken::default() }),
        ] {
            let found = taken(&before, &after);
            assert_eq!(found, expected, "{after}");
        }
    }
}
