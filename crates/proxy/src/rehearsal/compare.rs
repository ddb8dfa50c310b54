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
    /// The elements of lists that are missing.
    pub(super) omitted: Vec<Value>,
    /// Fields that nobody handed over.
    pub(super) added: BTreeSet<String>,
}

impl Taken {
    /// How far what arrived is from what was handed over. Something that nobody handed over is the least likely.
    fn distance(&self) -> usize {
        self.missing.len() + 2 * self.altered.len() + OMITTED * self.omitted.len() + ADDED * self.added.len()
    }
}

/// How much a missing element weighs among missing fields, and a field that nobody handed over.
const OMITTED: usize = 50;
const ADDED: usize = 1_000;

/// How a pseudonym begins, and how long it is.
const PSEUDONYM: (&str, usize) = ("ps_", 29);

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
            out.altered.insert(path.to_owned(), treatment(after));
        }
    }
}

fn treatment(after: &Value) -> Treatment {
    let text = after.as_str().unwrap_or_default();
    if text.contains('*') {
        Treatment::Masked
    } else if text.starts_with(PSEUDONYM.0) && text.len() == PSEUDONYM.1 {
        Treatment::Pseudonymised
    } else {
        Treatment::Truncated
    }
}

/// Elements keep their order; they are paired so that the least was taken.
fn lists(before: &[Value], after: &[Value], path: &str, out: &mut Taken) {
    // The least distance between the first elements of either list, and the last step to it.
    let mut best: Vec<Vec<(usize, Step)>> = vec![vec![(0, Step::Pair); after.len() + 1]; before.len() + 1];
    for at in 0..=before.len() {
        for to in 0..=after.len() {
            if (at, to) == (0, 0) {
                continue;
            }
            let so_far = |at: Option<usize>, to: Option<usize>| {
                best.get(at?).and_then(|row| row.get(to?)).map(|(distance, _)| *distance)
            };
            let (last, end) = (at.checked_sub(1), to.checked_sub(1));
            let pair =
                so_far(last, end).zip(last.and_then(|i| before.get(i)).zip(end.and_then(|i| after.get(i))));
            let pair = pair.map(|(d, (a, b))| (d + taken(a, b).distance(), Step::Pair));
            let omit = so_far(last, Some(to)).map(|d| (d + OMITTED, Step::Omit));
            let add = so_far(Some(at), end).map(|d| (d + ADDED, Step::Add));
            let least = [pair, omit, add].into_iter().flatten().min_by_key(|(distance, _)| *distance);
            if let (Some(least), Some(place)) = (least, best.get_mut(at).and_then(|row| row.get_mut(to))) {
                *place = least;
            }
        }
    }
    let (mut at, mut to) = (before.len(), after.len());
    while (at, to) != (0, 0) {
        let step = best.get(at).and_then(|row| row.get(to)).map_or(Step::Pair, |(_, step)| *step);
        at -= usize::from(step != Step::Add && at > 0);
        to -= usize::from(step != Step::Omit && to > 0);
        match (step, before.get(at), after.get(to)) {
            (Step::Pair, Some(from), Some(there)) => compare(from, there, path, out),
            (Step::Omit, Some(from), _) => out.omitted.push(from.clone()),
            (Step::Add, _, Some(there)) => leaves(there, path, &mut out.added),
            (Step::Pair | Step::Omit | Step::Add, ..) => {}
        }
    }
}

/// How two lists go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Both by one element, the one having become the other.
    Pair,
    /// The first by one that did not arrive.
    Omit,
    /// The second by one that nobody handed over.
    Add,
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

/// Whether some text of a value is one of these.
pub(super) fn says(value: &Value, texts: &[&str]) -> bool {
    match value {
        Value::String(text) => texts.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|item| says(item, texts)),
        Value::Object(members) => members.values().any(|member| says(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_missing_altered_or_new_is_found() {
        let (ann, bob) = (
            json!({"id": "ann", "mail": "ann@x", "card": {"a": 1, "b": 2}}),
            json!({"id": "bob", "mail": "bob@x", "ip": "192.0.2.7"}),
        );
        let before = json!({"rows": [ann, bob], "n": 2});
        let altered = |pairs: &[(&str, Treatment)]| {
            pairs.iter().map(|(path, treatment)| ((*path).to_owned(), *treatment)).collect::<BTreeMap<_, _>>()
        };
        let code = "ps_abcdefghijklmnopqrstuvwxyz";
        for (after, expected) in [
            (before.clone(), Taken::default()),
            (
                json!({"rows": [{"id": "bob", "mail": "b***@x", "ip": "192.0.2.0"}], "n": 2}),
                Taken {
                    altered: altered(&[
                        ("rows[].mail", Treatment::Masked),
                        ("rows[].ip", Treatment::Truncated),
                    ]),
                    omitted: vec![ann.clone()],
                    ..Taken::default()
                },
            ),
            (
                json!({"rows": [{"id": code, "ip": "192.0.2.0"}], "n": 2}),
                Taken {
                    missing: ["rows[].mail".to_owned()].into(),
                    altered: altered(&[
                        ("rows[].id", Treatment::Pseudonymised),
                        ("rows[].ip", Treatment::Truncated),
                    ]),
                    omitted: vec![ann.clone()],
                    ..Taken::default()
                },
            ),
            (
                json!({"rows": [{"id": "ann", "mail": "ann@x"}], "n": 2, "x": 1}),
                Taken {
                    missing: ["rows[].card.a".to_owned(), "rows[].card.b".to_owned()].into(),
                    added: ["x".to_owned()].into(),
                    omitted: vec![bob.clone()],
                    ..Taken::default()
                },
            ),
            (
                json!({"rows": []}),
                Taken {
                    missing: ["n".to_owned()].into(),
                    omitted: vec![bob.clone(), ann.clone()],
                    ..Taken::default()
                },
            ),
            (
                json!({"rows": [ann, bob, {"id": "cy"}], "n": 2}),
                Taken { added: ["rows[].id".to_owned()].into(), ..Taken::default() },
            ),
        ] {
            let found = taken(&before, &after);
            assert_eq!(found, expected, "{after}");
        }
    }
}
