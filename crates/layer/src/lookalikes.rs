//! Names in a request's body that go on because any name does, and that another reader takes for one that is decided on.

use std::collections::{BTreeMap, BTreeSet};

use consentry_body::Said;
use consentry_model::{FieldMap, Format, NodeId};

use crate::target::fold;

/// Whether the body has a name that is no declared one and goes on, and that is a declared one to whoever does not look closely:
/// some readers take the last of both. In a form or a table, where a name is a whole path, its parts may be divided in
/// another way.
pub(crate) fn has_lookalike(said: &Said, map: &FieldMap, format: Format) -> bool {
    let takes_any = |node: NodeId| map.path(node).ends_with('*') || map.covers_subtree(node);
    if !map.nodes().any(takes_any) {
        return false;
    }
    let flat = format.is_flat();
    let mut declared = Declared::new();
    for node in map.nodes() {
        let path = map.path(node);
        let (above, name) = if flat { ("", path) } else { path.rsplit_once('.').unwrap_or(("", path)) };
        // A list is declared with its elements.
        if !name.is_empty() && !path.ends_with("[]") && !path.ends_with('*') {
            let name = if flat { name.replace("[]", "") } else { name.to_owned() };
            declared.entry(above).or_default().entry(folded(&name)).or_default().insert(name);
        }
    }
    let signs = declared.values().flatten().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let look = Look { map, declared, bytes_max: signs.saturating_mul(char::MAX_LEN_UTF8) };
    match (said, format) {
        (Said::List(texts), Format::JsonLines | Format::JsonSequence) => {
            texts.iter().any(|text| look.within(text, map.root()))
        }
        _ if flat => look.flat(said, map.root(), ""),
        _ => look.within(said, map.root()),
    }
}

/// The declared names by where they are declared, folded.
type Declared<'m> = BTreeMap<&'m str, BTreeMap<String, BTreeSet<String>>>;

struct Look<'m> {
    map: &'m FieldMap,
    declared: Declared<'m>,
    /// No longer name, in bytes, is another spelling of a declared one: a sign stands for one sign.
    bytes_max: usize,
}

impl Look<'_> {
    fn is_alike(&self, above: &str, name: &str) -> bool {
        if name.trim().len() > self.bytes_max {
            return false;
        }
        let names = self.declared.get(above).and_then(|names| names.get(&folded(name)));
        names.is_some_and(|names| !names.contains(name))
    }

    /// Whether there is such a name in a JSON text, by the names that are declared beside it. What is undeclared goes nowhere.
    fn within(&self, said: &Said, at: NodeId) -> bool {
        match said {
            Said::Object(members) => members.iter().any(|(name, member)| {
                let Some(inside) = self.map.member(at, name) else { return false };
                let any = self.map.path(inside).ends_with('*');
                (any && self.is_alike(self.map.path(at), name)) || self.within(member, inside)
            }),
            Said::List(items) => {
                let inside = self.map.items(at);
                inside.is_some_and(|inside| items.iter().any(|item| self.within(item, inside)))
            }
            Said::Null | Said::Bool(_) | Said::Integer(_) | Said::Number(_) | Said::Text(_) => false,
        }
    }

    /// The same of a form or a table, by whole names, whatever a part is: a text, JSON, or something else. What lies in a name
    /// that is too long has one that is longer.
    fn flat(&self, said: &Said, at: NodeId, above: &str) -> bool {
        let covered = self.map.covers_subtree(at).then_some(at);
        match said {
            Said::Object(members) if above.trim_start().len() <= self.bytes_max => {
                members.iter().any(|(name, member)| {
                    let Some(inside) = covered.or_else(|| self.map.member(at, name)) else { return false };
                    let name = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
                    self.is_alike("", &name) || self.flat(member, inside, &name)
                })
            }
            Said::List(items) => {
                let inside = covered.or_else(|| self.map.items(at));
                inside.is_some_and(|inside| items.iter().any(|item| self.flat(item, inside, above)))
            }
            Said::Object(_) => false,
            Said::Null | Said::Bool(_) | Said::Integer(_) | Said::Number(_) | Said::Text(_) => false,
        }
    }
}

/// What a lenient reader may make of a name: blanks around it do not count.
fn folded(name: &str) -> String {
    fold(name.trim())
}

#[cfg(test)]
mod tests {
    use consentry_model::Field;

    use super::*;

    #[test]
    fn law_1_what_another_reader_takes_for_a_declared_name_is_noticed() {
        let leaf = |paths: &[&str]| {
            let builder = paths.iter().try_fold(FieldMap::builder(), |map, path| map.leaf(path, Field::Open));
            builder.unwrap().build()
        };
        let map = leaf(&["customer_id", "a.b", "list[].id", "list[].*", "*", "x_y"]);
        let text = |text: &str| Said::one(text.as_bytes(), 8).unwrap();
        for (said, found) in [
            (r#"{"customer_id":1,"other":2,"a":{"b":1,"B":2},"list":[{"id":1,"n":2}]}"#, false),
            (r#"{"customer_id":1,"Customer_Id":2}"#, true),
            (r#"{"CUSTOMER-ID":2}"#, true),
            (r#"{"customer.id":2}"#, true),
            (r#"{" customer_id":2}"#, true),
            (r#"{"cu\u017ftomer_id":2}"#, true),
            (r#"{"customerid":2,"customer_id_":3}"#, false),
            (r#"{"A":{"b":1}}"#, true),
            (r#"{"list":[{"n":1},{"ID":2}]}"#, true),
            (r#"{"n":{"customer_Id":2}}"#, false),
            // Another one is declared, and its own name.
            (r#"{"x_y":1,"a":1}"#, false),
            ("[]", false),
        ] {
            assert_eq!(has_lookalike(&text(said), &map, Format::Json), found, "{said}");
        }
        let lines = Said::List(vec![text(r#"{"customer_id":1}"#), text(r#"{"Customer_id":1}"#)]);
        assert!(has_lookalike(&lines, &map, Format::JsonLines));
        assert!(
            !has_lookalike(&text(r#"{"Customer_Id":1}"#), &leaf(&["customer_id"]), Format::Json),
            "dropped"
        );
        let map = leaf(&["customer_id", "a.b", "c_d", "tags[]", "c.**", "*"]);
        for (said, found) in [
            (r#"{"customer_id":"1","a":{"b":"2"},"tags":["3"],"c":"4","c_d":"5"}"#, false),
            (r#"{"customer id":"1"}"#, true),
            (r#"{"a_b":"1"}"#, true),
            (r#"{"Tags":"1"}"#, true),
            (r#"{"c":{"d":"1"}}"#, true),
            (r#"{"c":{"e":"1"},"f":{"customer_id":"1"}}"#, false),
            (r#"{"customer":{"id":"1"}}"#, false),
            // A part that is neither text nor JSON.
            (r#"{"Customer_Id":{"":"<p>"}}"#, true),
            (r#"{"n":{"":"<p>"}}"#, false),
            (r#"{"Tags":["1"]}"#, true),
            (r#"{"tags":[{"x":"1"}]}"#, false),
        ] {
            assert_eq!(has_lookalike(&text(said), &map, Format::Form), found, "{said}");
        }
        let map = leaf(&["items[].email", "items[].*"]);
        for (said, found) in [
            (r#"{"items":[{"email":"a","n":"b"}]}"#, false),
            (r#"{"items":[{"email":"a","Email":"b"}]}"#, true),
        ] {
            assert_eq!(has_lookalike(&text(said), &map, Format::Multipart), found, "{said}");
        }
        let long = "n".repeat(500_000);
        let zeros = ["0"; 100_000].join(",");
        let objects = [r#"{"a":0}"#; 50_000].join(",");
        for inside in [zeros, objects] {
            let said = text(&format!(r#"{{"upload":{{"{long}":[{inside}]}}}}"#));
            assert!(!has_lookalike(&said, &leaf(&["upload.**", "id"]), Format::Multipart), "and soon");
        }
        assert!(has_lookalike(&text(r#"{"Email":{"n":1}}"#), &leaf(&["email", "*.**"]), Format::Multipart));
        let map = leaf(&["customer_id", "*.**"]);
        assert!(has_lookalike(&text(r#"{"customer":{"id":"1"}}"#), &map, Format::Form));
    }
}
