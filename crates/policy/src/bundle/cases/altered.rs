//! The bundle of a case that asks what would be if the bundle said something else.

use serde_json::{Map, Value};

use super::case::Case;
use crate::text::{Kind, Node, Sources};

/// The name under which the addition stands among the files.
const ADDITION: &str = "if_bundle_had.yaml";

impl Case {
    /// The bundle's files with what the case adds, if it adds something: members of `bundle` are put into that section,
    /// or replace what it says; every other section is one more file.
    #[must_use]
    pub fn altered(&self, sources: &Sources) -> Option<Sources> {
        let Ok(Value::Object(mut addition)) = serde_json::from_str(self.if_bundle_had.as_deref()?) else {
            // What is no mapping is no file of a bundle either, and will be said to be none.
            return Some(with(sources, self.if_bundle_had.as_deref()?));
        };
        let mut files: Vec<(String, String)> = owned(sources);
        if let Some(members) = addition.get("bundle").cloned()
            && let Some((file, merged)) = sources.iter().enumerate().find_map(|(at, (_, text))| {
                let mut whole = tree(&Node::parse(text, at).ok()?)?;
                merge(whole.get_mut("bundle")?, members.clone());
                Some((at, whole))
            })
        {
            addition.remove("bundle");
            if let Some((_, text)) = files.get_mut(file) {
                *text = Value::Object(merged).to_string();
            }
        }
        if !addition.is_empty() {
            files.push((ADDITION.to_owned(), Value::Object(addition).to_string()));
        }
        Some(Sources::from_texts(files.iter().map(|(name, text)| (&**name, &**text))))
    }
}

fn owned(sources: &Sources) -> Vec<(String, String)> {
    sources.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn with(sources: &Sources, addition: &str) -> Sources {
    Sources::from_texts(sources.iter().chain([(ADDITION, addition)]))
}

/// A file as a tree of values; none for one that no bundle could have.
fn tree(node: &Node) -> Option<Map<String, Value>> {
    match value(node)? {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn value(node: &Node) -> Option<Value> {
    Some(match &node.kind {
        Kind::Null => Value::Null,
        // Nobody kept what it was.
        Kind::Float => return None,
        Kind::Bool(b) => (*b).into(),
        Kind::Int(i) => (*i).into(),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(items) => Value::Array(items.iter().map(value).collect::<Option<_>>()?),
        Kind::Map(entries) => {
            let read = entries.iter().map(|(key, _, v)| Some((key.clone(), value(v)?)));
            Value::Object(read.collect::<Option<_>>()?)
        }
    })
}

/// Mappings are joined, member by member; anything else replaces what was there.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(there), Value::Object(more)) => {
            for (key, value) in more {
                match there.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => _ = there.insert(key, value),
                }
            }
        }
        (there, new) => *there = new,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::read_cases;
    use super::*;
    use crate::text::{Diagnostics, Reader};

    fn case(text: &str) -> Case {
        let mut reader = Reader::new(Diagnostics::default());
        let cases = read_cases(&Node::parse(text, 0).unwrap(), &mut reader);
        assert!(!reader.found.has_errors(), "{}", reader.found);
        cases[0].0.clone()
    }

    fn merged(addition: &str) -> Vec<(String, Value)> {
        let sources = Sources::from_texts([
            ("a.yaml", "bundle: {controller: C, policy: {version: \"1\", from: 2026-01-01}}\nrules: []\n"),
            ("b.yaml", "routes:\n  - {route: GET /x}\n"),
        ]);
        let case =
            case(&format!("- {{case: c, clause: c-1, if_bundle_had: {addition}, then: load error x-y}}"));
        let altered = case.altered(&sources).unwrap();
        altered
            .iter()
            .map(|(name, text)| (name.to_owned(), value(&Node::parse(text, 0).unwrap()).unwrap()))
            .collect()
    }

    #[test]
    fn members_of_the_bundle_section_are_joined_and_other_sections_are_one_more_file() {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (a, b) = (
            r#"{"bundle": {"controller": "C", "policy": {"version": "1", "from": "2026-01-01"}}, "rules": []}"#,
            r#"{"routes": [{"route": "GET /x"}]}"#,
        );
        let rows: [(&str, &[(&str, &str)]); 4] = [
            (
                "{rules: [{id: x}]}",
                &[("a.yaml", a), ("b.yaml", b), ("if_bundle_had.yaml", r#"{"rules": [{"id": "x"}]}"#)],
            ),
            (
                "{bundle: {excess: refuse}}",
                &[
                    (
                        "a.yaml",
                        r#"{"bundle": {"controller": "C", "policy": {"version": "1", "from": "2026-01-01"}, "excess": "refuse"}, "rules": []}"#,
                    ),
                    ("b.yaml", b),
                ],
            ),
            (
                "{bundle: {policy: {version: \"2\"}}}",
                &[
                    (
                        "a.yaml",
                        r#"{"bundle": {"controller": "C", "policy": {"version": "2", "from": "2026-01-01"}}, "rules": []}"#,
                    ),
                    ("b.yaml", b),
                ],
            ),
            ("nonsense", &[("a.yaml", a), ("b.yaml", b), ("if_bundle_had.yaml", "\"nonsense\"")]),
        ];
        for (addition, expected) in rows {
            let expected: Vec<_> = expected.iter().map(|(n, t)| ((*n).to_owned(), json(t))).collect();
            assert_eq!(merged(addition), expected, "{addition}");
        }
    }

    #[test]
    fn a_case_that_adds_nothing_alters_nothing() {
        let plain = case("- {case: c, clause: c-1, who: anyone, asks: GET /x, about: nobody, then: allow}");
        assert!(plain.altered(&Sources::from_texts([("a.yaml", "rules: []")])).is_none());
    }
}
