//! The answer of a service that says everything the service map knows of.

use consentry_model::{Field, FieldMap, NodeId, RecordScope, TruncateForm};
use serde_json::{Map, Value};

use super::people::address;

/// One step of a path in a field map.
#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Items,
}

/// One value for each declared leaf; one record for each of the people in each list of records.
pub(super) fn answer(map: &FieldMap, people: &[String]) -> Value {
    let mut out = Value::Object(Map::new());
    let somebody = people.first().map_or("somebody", String::as_str);
    for (path, field) in map.leaves() {
        let made = Made { map, people, field, name: path.rsplit('.').next().unwrap_or(path) };
        made.put(&mut out, &steps(path), map.root(), somebody);
    }
    out
}

/// The record scopes of a map.
pub(super) fn scopes(map: &FieldMap) -> Vec<RecordScope> {
    let mut out: Vec<RecordScope> = Vec::new();
    for (path, _) in map.leaves() {
        let mut at = Some(map.root());
        for step in steps(path) {
            at = at.and_then(|at| down(map, at, step));
            let scope = at.and_then(|at| map.scope_at(at)).and_then(|id| map.scope(id));
            out.extend(scope.filter(|s| !out.contains(s)).cloned());
        }
    }
    out
}

fn down(map: &FieldMap, at: NodeId, step: Step<'_>) -> Option<NodeId> {
    match step {
        Step::Member(name) => map.member(at, name),
        Step::Items => map.items(at),
    }
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut out = Vec::new();
    for segment in path.split('.') {
        let name = segment.trim_end_matches("[]");
        if !name.is_empty() {
            out.push(Step::Member(name));
        }
        out.extend((0..(segment.len() - name.len()) / 2).map(|_| Step::Items));
    }
    out
}

struct Made<'a> {
    map: &'a FieldMap,
    people: &'a [String],
    field: Field,
    name: &'a str,
}

impl Made<'_> {
    fn put(&self, into: &mut Value, steps: &[Step<'_>], at: NodeId, person: &str) {
        let Some((step, rest)) = steps.split_first() else {
            *into = self.value(person);
            return;
        };
        let Some(next) = down(self.map, at, *step) else { return };
        match step {
            Step::Member(name) => {
                if !into.is_object() {
                    *into = Value::Object(Map::new());
                }
                let Some(members) = into.as_object_mut() else { return };
                // A wildcard stands for any name.
                let name = if *name == "*" { "any" } else { name };
                self.put(members.entry(name).or_insert(Value::Null), rest, next, person);
            }
            Step::Items => {
                if !into.is_array() {
                    *into = Value::Array(Vec::new());
                }
                let Some(items) = into.as_array_mut() else { return };
                let scope = self.map.scope_at(next).and_then(|id| self.map.scope(id));
                let several = scope.map(|_| self.people.iter().map(String::as_str).collect());
                let people: Vec<&str> = several.unwrap_or_else(|| vec![person]);
                items.resize(people.len(), Value::Null);
                for (item, person) in items.iter_mut().zip(people) {
                    self.put(item, rest, next, person);
                    if let Some(scope) = scope {
                        name_subject(item, scope, person);
                    }
                }
            }
        }
    }

    /// A value that its ladder can read.
    fn value(&self, person: &str) -> Value {
        let ladder = match self.field {
            Field::Open => return Value::String("open".to_owned()),
            Field::Class(_, ladder) => ladder,
        };
        Value::String(match ladder.truncated {
            Some(TruncateForm::Ip) => "192.0.2.7".to_owned(),
            Some(TruncateForm::Date) => "2026-05-04".to_owned(),
            Some(TruncateForm::Postcode) => "10115".to_owned(),
            None if ladder.masked == Some(consentry_model::MaskForm::Email) => address(person),
            None => format!("{} of {person}", self.name),
        })
    }
}

/// Writes whom a record is about into the member that says so.
fn name_subject(record: &mut Value, scope: &RecordScope, person: &str) {
    let name = if scope.space.as_str() == "email" { address(person) } else { person.to_owned() };
    let mut at = record;
    for member in &scope.subject {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(&**member).or_insert(Value::Null);
    }
    *at = Value::String(name);
}

#[cfg(test)]
mod tests {
    use consentry_model::{ClassId, Emptied, Ladder, Space};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_leaf_has_a_value_and_everybody_a_record() {
        let class = Field::Class(ClassId(0), Ladder::default());
        let scope = RecordScope {
            subject: vec!["who".into(), "id".into()],
            space: Space::new("customer"),
            emptied: Emptied::Omit,
        };
        let map = FieldMap::builder()
            .records("rows[]", scope.clone())
            .and_then(|b| b.leaf("rows[].who.id", class))
            .and_then(|b| b.leaf("rows[].tags[]", class))
            .and_then(|b| b.leaf("total", Field::Open))
            .unwrap()
            .build();
        let row = |name: &str| json!({"who": {"id": name}, "tags": [format!("rows[].tags[] of {name}").replace("rows[].", "")]});
        let made = answer(&map, &["ann".to_owned(), "bob".to_owned()]);
        assert_eq!(made, json!({"rows": [row("ann"), row("bob")], "total": "open"}));
        assert_eq!(scopes(&map), [scope]);
    }
}
