//! The answer of a service that says everything the service map knows of.

use consentry_model::{FactType, Field, FieldMap, MaskForm, Moment, NodeId, RecordScope, TruncateForm};
use consentry_policy::{BuiltIn, Bundle, Case, FactBook, FactTarget, OperandType, Route, SubjectSource};
use serde_json::{Map, Value};

use super::people::address;

/// How many people a made-up group is of: enough for any rule.
const GROUP: i64 = 10_000;
/// Of whom a figure is that is about nobody in particular.
const EVERYBODY: &str = "everybody";

/// One step of a path in a field map.
#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Items,
}

/// What a route's service answers to a case: what the case says, or one value for each declared leaf, with one record for
/// each of the people in each list of records, which the body itself may be. Where the case says nothing but some
/// people's members, these stand in place of the made-up ones.
pub(super) fn answer(
    bundle: &Bundle,
    route: &Route,
    (map, is_records): (&FieldMap, bool),
    case: &Case,
    at: Moment,
) -> Value {
    let personal = said_of_people(case);
    if let (Some(said), None) = (&case.answer, &personal) {
        return said.clone();
    }
    let population =
        route.about.as_ref().is_some_and(|a| matches!(a.subject, SubjectSource::Population { .. }));
    let everybody = [EVERYBODY.to_owned()];
    let people = if population { &everybody[..] } else { &case.about[..] };
    let said = personal.unwrap_or_default();
    let answer = |people: &[String]| {
        Stage { map, people, captured: &route.item_facts, book: &bundle.facts, at, said: &said }.answer()
    };
    if is_records {
        people.iter().map(|one| answer(std::slice::from_ref(one))).collect()
    } else {
        answer(people)
    }
}

/// What the case says of each person's record, if that is what its answer is: a mapping by name.
fn said_of_people(case: &Case) -> Option<Map<String, Value>> {
    let said = case.answer.as_ref()?.as_object()?;
    let of_people = said.iter().all(|(name, members)| case.about.contains(name) && members.is_object());
    (of_people && !said.is_empty()).then(|| said.clone())
}

/// The record scopes of a map.
pub(super) fn scopes(map: &FieldMap) -> Vec<RecordScope> {
    let mut out: Vec<RecordScope> = Vec::new();
    let mut enter = |at: Option<NodeId>| {
        let scope = at.and_then(|at| map.scope_at(at)).and_then(|id| map.scope(id));
        if let Some(scope) = scope.filter(|s| !out.contains(s)) {
            out.push(scope.clone());
        }
    };
    enter(Some(map.root()));
    for (path, _) in map.leaves() {
        let mut at = Some(map.root());
        for step in steps(path) {
            at = at.and_then(|at| down(map, at, step));
            enter(at);
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

/// What an answer is made up from.
struct Stage<'a> {
    map: &'a FieldMap,
    people: &'a [String],
    /// What the members of each record state, in the order of a scope's captures.
    captured: &'a [FactTarget],
    book: &'a FactBook,
    at: Moment,
    /// What the case says of each person's record.
    said: &'a Map<String, Value>,
}

impl Stage<'_> {
    fn answer(&self) -> Value {
        let mut out = Value::Object(Map::new());
        let somebody = self.people.first().map_or("somebody", String::as_str);
        for (path, field) in self.map.leaves() {
            let name = path.rsplit('.').next().unwrap_or(path);
            self.put(&mut out, &steps(path), self.map.root(), &Leaf { field, name, person: somebody });
        }
        self.complete(&mut out, self.map.root(), somebody);
        // Without records the whole answer is about the first of them.
        if !self.map.has_records() {
            self.overlay(&mut out, somebody);
        }
        out
    }

    fn put(&self, into: &mut Value, steps: &[Step<'_>], at: NodeId, leaf: &Leaf<'_>) {
        let Some((step, rest)) = steps.split_first() else {
            *into = leaf.value();
            return;
        };
        let Some(next) = down(self.map, at, *step) else { return };
        match step {
            Step::Member(name) => {
                // A wildcard stands for any name.
                let name = if *name == "*" { "any" } else { name };
                let Some(members) = object(into) else { return };
                self.put(members.entry(name).or_insert(Value::Null), rest, next, leaf);
            }
            Step::Items => {
                if !into.is_array() {
                    *into = Value::Array(Vec::new());
                }
                let Some(items) = into.as_array_mut() else { return };
                let several =
                    self.map.scope_at(next).map(|_| self.people.iter().map(String::as_str).collect());
                let people: Vec<&str> = several.unwrap_or_else(|| vec![leaf.person]);
                items.resize(people.len(), Value::Null);
                for (item, person) in items.iter_mut().zip(people) {
                    self.put(item, rest, next, &Leaf { person, ..*leaf });
                    self.complete(item, next, person);
                }
            }
        }
    }

    /// Writes into a record whom it is about, what its members state, and what the case says of it.
    fn complete(&self, record: &mut Value, at: NodeId, person: &str) {
        let Some(scope) = self.map.scope_at(at).and_then(|id| self.map.scope(id)) else { return };
        for (target, path) in self.captured.iter().zip(&scope.captures) {
            if let Some(value) = self.stated(*target) {
                put_member(record, path.iter().map(AsRef::as_ref), value);
            }
        }
        let name = if scope.space.as_str() == "email" { address(person) } else { person.to_owned() };
        if !scope.subject.is_empty() {
            put_member(record, scope.subject.iter().map(AsRef::as_ref), Value::String(name));
        } else if !record.is_object() {
            *record = Value::String(name);
        }
        self.overlay(record, person);
    }

    fn overlay(&self, record: &mut Value, person: &str) {
        let Some(said) = self.said.get(person).and_then(Value::as_object) else { return };
        for (path, value) in said {
            put_member(record, path.split('.'), value.clone());
        }
    }

    /// A value that reads as what the member states: a large group, today. Nothing is made up for anything else.
    fn stated(&self, target: FactTarget) -> Option<Value> {
        match target {
            FactTarget::Fact(id) => {
                let size = self.book.built_in(&BuiltIn::GroupSize) == Some(id);
                let is_int = self.book.schema.def(id).is_some_and(|def| def.ty == FactType::Int);
                (size && is_int).then(|| GROUP.into())
            }
            FactTarget::Operand(id) => {
                let is_time = self.book.operands.def(id).is_some_and(|def| def.ty == OperandType::Time);
                let time = jiff::Timestamp::from_millisecond(self.at.unix_millis()).ok()?;
                is_time.then(|| Value::String(time.to_string()))
            }
        }
    }
}

/// The members of an object; what is none becomes one.
fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn put_member<'p>(record: &mut Value, path: impl IntoIterator<Item = &'p str>, value: Value) {
    let mut at = record;
    for name in path {
        let Some(members) = object(at) else { return };
        at = members.entry(name).or_insert(Value::Null);
    }
    *at = value;
}

/// One leaf of somebody's record.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    field: Field,
    name: &'a str,
    person: &'a str,
}

impl Leaf<'_> {
    /// A value that its ladder can read.
    fn value(&self) -> Value {
        let ladder = match self.field {
            Field::Open => return Value::String("open".to_owned()),
            Field::Class(_, ladder) => ladder,
        };
        Value::String(match ladder.truncated {
            Some(TruncateForm::Ip) => "192.0.2.7".to_owned(),
            Some(TruncateForm::Date) => "2026-05-04".to_owned(),
            Some(TruncateForm::Postcode) => "10115".to_owned(),
            None if ladder.masked == Some(MaskForm::Email) => address(self.person),
            None => format!("{} of {}", self.name, self.person),
        })
    }
}

#[cfg(test)]
mod tests {
    use consentry_policy::Sources;
    use serde_json::json;

    use super::*;

    const AT: Moment = Moment::from_unix_millis(0);

    /// The answer to `GET /x` on a route that is about these people, has this response and states these facts.
    fn made(about: &str, facts: &str, response: &str, people: &str, says: &str) -> Value {
        let route = format!(
            "{{route: GET /x, public: true, purpose: essential.service, about: {about}, facts: {facts}, response: {response}}}"
        );
        let case = format!(
            "{{case: c, clause: c-1, who: anyone, asks: GET /x, about: {people}, {says} then: allow}}"
        );
        let text = format!(
            "bundle: {{controller: Example, policy: {{version: v1, from: 2026-01-01}}}}\nroutes:\n  - {route}\n\
             clauses:\n  - {{id: c-1, section: s, line: 1, says: x, status: {{organisational: x}}}}\ncases:\n  - {case}\n"
        );
        let bundle = Bundle::read(&Sources::from_texts([("bundle.yaml", text.as_str())]));
        let bundle = bundle.unwrap_or_else(|found| panic!("{}", found.render(false)));
        let route = &bundle.service.routes[0];
        let map = route.response_body.fields().unwrap();
        answer(&bundle, route, (map, false), &bundle.cases[0], AT)
    }

    #[test]
    fn every_leaf_has_a_value_and_everybody_a_record() {
        let about = "{type: customer, space: customer, id: item.who.id}";
        let response = r#"{records: "rows[]", body: {"rows[].who.id": user.unique_id, "rows[].tags[]": user.name, total: none}}"#;
        let made = |people: &str, says: &str| made(about, "{}", response, people, says);
        let row = |name: &str| json!({"who": {"id": name}, "tags": [format!("tags[] of {name}")]});
        let whole = json!({"rows": [row("ann"), row("bob")], "total": "open"});
        assert_eq!(made("[ann, bob]", ""), whole);
        let said = made("[ann, bob]", "answer: {bob: {who.note: 1, tags: null}},");
        assert_eq!(said["rows"], json!([row("ann"), {"who": {"id": "bob", "note": 1}, "tags": null}]));
        assert_eq!(made("[ann]", "answer: {rows: []},"), json!({"rows": []}));
        assert_eq!(made("[ann]", "answer: {cy: {}},"), json!({"cy": {}}), "cy is nobody of the case");
    }

    #[test]
    fn a_body_that_is_one_record_names_its_subject_and_states_what_is_asked_of_it() {
        let about = "{type: customer, space: email, id: item.person}";
        let response = "{body: {person: user.contact.email, on: none}}";
        let made = made(about, "{datum.collected_at: item.on}", response, "ann", "");
        assert_eq!(made, json!({"person": "ann@example.org", "on": "1970-01-01T00:00:00Z"}));
    }

    #[test]
    fn figures_are_about_one_large_group() {
        let response = r#"{records: "groups[]", size: n, body: {"groups[].n": none, "groups[].page": none}}"#;
        let made = made("{type: visitor, population: all}", "{}", response, "everybody", "");
        assert_eq!(made, json!({"groups": [{"n": GROUP, "page": "open"}]}));
    }
}
