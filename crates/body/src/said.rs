//! What a JSON text says, for whoever decides by it: its scalars as they are written, nothing that is worked out of them.

use std::collections::BTreeMap;

use consentry_model::{FieldMap, NodeId, Wrap};

use crate::json::{Container, Grammar, TokenKind, space, unescape};
use crate::nested::decode_text;

/// A value of a JSON text. It may be personal data, and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, as it is written: it may have more digits than any type holds.
    Integer(Box<str>),
    /// A number with a fraction or an exponent, as it is written.
    Number(Box<str>),
    /// A string, as it reads.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Members),
}

/// The members of an object in the order of their names, each name once. An object of a few bytes takes little more memory:
/// a body may hold a hundred thousand of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Members(Box<[(String, Said)]>);

impl Members {
    /// In order; nothing where a name comes twice.
    fn of(mut members: Vec<(String, Said)>) -> Option<Self> {
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let twice = members.windows(2).any(|two| matches!(two, [(one, _), (other, _)] if one == other));
        (!twice).then(|| Self(members.into_boxed_slice()))
    }

    /// What a member says.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Said> {
        let at = self.0.binary_search_by(|(there, _)| there.as_str().cmp(name)).ok()?;
        self.0.get(at).map(|(_, said)| said)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Said)> {
        self.0.iter().map(|(name, said)| (name, said))
    }
}

impl From<BTreeMap<String, Said>> for Members {
    fn from(members: BTreeMap<String, Said>) -> Self {
        Self(members.into_iter().collect())
    }
}

/// An array or object that has begun.
enum Begun {
    List(Vec<Said>),
    /// With the name of the next member.
    Object(Vec<(String, Said)>, String),
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Said {
    /// The JSON texts that stand here one after the other, with nothing but white space between them. `None` when one of them
    /// is broken, has a name twice or nests deeper than `depth_max`.
    #[must_use]
    pub fn each(text: &[u8], depth_max: usize) -> Option<Vec<Self>> {
        let mut out = Vec::new();
        let mut rest = text.get(space(text, 0)..)?;
        while !rest.is_empty() {
            let (value, end) = first(rest, depth_max)?;
            out.push(value);
            rest = rest.get(space(rest, end)..)?;
        }
        Some(out)
    }

    /// The same of one text.
    #[must_use]
    pub fn one(text: &[u8], depth_max: usize) -> Option<Self> {
        let mut all = Self::each(text, depth_max)?;
        all.pop().filter(|_| all.is_empty())
    }

    /// The same with what the map declares inside of strings in their place: what goes on is decided on so. A string that
    /// holds nothing of the kind goes nowhere; whoever reads it otherwise may find a name in it, so that it stands in a list
    /// of lists, which has no plain reading.
    #[must_use]
    pub fn opened(self, map: &FieldMap, depth_max: usize) -> Self {
        if map.has_wraps() { self.opened_at(map, Some(map.root()), depth_max) } else { self }
    }

    fn opened_at(self, map: &FieldMap, node: Option<NodeId>, depth_max: usize) -> Self {
        let Some(node) = node else { return self };
        let value = match (self, map.wrap_at(node)) {
            (Self::Text(text), Some(wrap)) => {
                let inside = match wrap {
                    Wrap::Json => Self::one(text.as_bytes(), depth_max),
                    Wrap::Base64 => decode_text(&text).map(Self::Text),
                    Wrap::Base64Json => {
                        decode_text(&text).and_then(|json| Self::one(json.as_bytes(), depth_max))
                    }
                };
                let Some(inside) = inside else {
                    return Self::List(vec![Self::List(vec![Self::Text(text)])]);
                };
                inside
            }
            (value, _) => value,
        };
        match value {
            Self::List(items) => {
                let at = map.items(node);
                Self::List(items.into_iter().map(|item| item.opened_at(map, at, depth_max)).collect())
            }
            Self::Object(members) => {
                let one = |(name, member): (String, Self)| {
                    let at = map.member(node, &name);
                    (name, member.opened_at(map, at, depth_max))
                };
                Self::Object(Members(members.0.into_iter().map(one).collect()))
            }
            scalar @ (Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Number(_) | Self::Text(_)) => {
                scalar
            }
        }
    }

    /// The member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::List(_) => None,
        }
    }

    /// The string that it is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Number(_)
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }
}

/// The text that stands first, and where it ends.
fn first(view: &[u8], depth_max: usize) -> Option<(Said, usize)> {
    let mut grammar = Grammar::new(depth_max);
    let mut begun: Vec<Begun> = Vec::new();
    loop {
        let token = grammar.next(view, true).ok()??;
        let raw = std::str::from_utf8(view.get(token.start..token.end)?).ok()?;
        let inside = || raw.get(1..raw.len().checked_sub(1)?).and_then(|text| unescape(text).ok());
        let value = match token.kind {
            TokenKind::Open(Container::Array) => {
                begun.push(Begun::List(Vec::new()));
                continue;
            }
            TokenKind::Open(Container::Object) => {
                begun.push(Begun::Object(Vec::new(), String::new()));
                continue;
            }
            TokenKind::Comma => continue,
            TokenKind::Name => {
                let Some(Begun::Object(_, name)) = begun.last_mut() else { return None };
                *name = inside()?.into_owned();
                continue;
            }
            TokenKind::Close => match begun.pop()? {
                Begun::List(mut items) => {
                    items.shrink_to_fit();
                    Said::List(items)
                }
                Begun::Object(members, _) => Said::Object(Members::of(members)?),
            },
            TokenKind::Text => Said::Text(inside()?.into_owned()),
            TokenKind::Number { integer: true } => Said::Integer(raw.into()),
            TokenKind::Number { integer: false } => Said::Number(raw.into()),
            TokenKind::Literal if raw == "null" => Said::Null,
            TokenKind::Literal => Said::Bool(raw == "true"),
        };
        match begun.last_mut() {
            None => return Some((value, grammar.at())),
            Some(Begun::List(items)) => items.push(value),
            Some(Begun::Object(members, name)) => members.push((std::mem::take(name), value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(said: &Said) -> String {
        let all = |all: Vec<String>| all.join(",");
        match said {
            Said::Null => "null".to_owned(),
            Said::Bool(b) => b.to_string(),
            Said::Integer(text) => format!("i{text}"),
            Said::Number(text) => format!("n{text}"),
            Said::Text(text) => format!("{text:?}"),
            Said::List(items) => format!("[{}]", all(items.iter().map(spelled).collect())),
            Said::Object(members) => {
                format!("{{{}}}", all(members.iter().map(|(k, v)| format!("{k}:{}", spelled(v))).collect()))
            }
        }
    }

    #[test]
    fn a_number_is_what_is_written_however_large_it_is() {
        for (text, expected) in [
            ("18446744073709551616", Some("i18446744073709551616")),
            (" [-0, 1e400, 1.50, 007]", None),
            ("[-0, 1e400, 1.50, 7]\n", Some("[i-0,n1e400,n1.50,i7]")),
            (
                r#"{"b":{"x":2},"a":"\u00e9\n","c":null,"d":[true,false]}"#,
                Some(r#"{a:"é\n",b:{x:i2},c:null,d:[true,false]}"#),
            ),
            ("[[1]]", Some("[[i1]]")),
            ("[[[1]]]", None),
            (r#"{"a":1,"\u0061":2}"#, None),
            ("{\"a\":1", None),
            ("[1] [2]", None),
            ("nul", None),
            ("", None),
        ] {
            assert_eq!(Said::one(text.as_bytes(), 2).as_ref().map(spelled).as_deref(), expected, "{text}");
        }
        let all = |text: &str| {
            Said::each(text.as_bytes(), 2).map(|all| all.iter().map(spelled).collect::<Vec<_>>())
        };
        assert_eq!(all(" 1 2\n\n{}\n"), Some(vec!["i1".to_owned(), "i2".to_owned(), "{}".to_owned()]));
        assert_eq!((all(" \n"), all("1,2"), all("\u{a0}")), (Some(Vec::new()), None, None));
        assert_eq!(format!("{:?}", Said::one(b"1", 1)), "Some(<redacted>)");
    }

    /// What is held of a value beside itself, in bytes.
    fn held(said: &Said) -> usize {
        match said {
            Said::Null | Said::Bool(_) => 0,
            Said::Integer(text) | Said::Number(text) => text.len(),
            Said::Text(text) => text.capacity(),
            Said::List(items) => items.capacity() * size_of::<Said>() + items.iter().map(held).sum::<usize>(),
            Said::Object(members) => {
                let inside = |(name, member): (&String, &Said)| name.capacity() + held(member);
                members.0.len() * size_of::<(String, Said)>() + members.iter().map(inside).sum::<usize>()
            }
        }
    }

    #[test]
    fn law_1_of_tiny_objects_little_more_is_held_than_is_there() {
        for tiny in [r#"{"":0}"#, "{}", "[]", r#"{"a":{}}"#, "0", r#""""#, r#"{"":[{}]}"#] {
            let text = format!("[{}]", [tiny; 10_000].join(","));
            let said = Said::one(text.as_bytes(), 8).unwrap();
            assert!(held(&said) <= 20 * text.len(), "{tiny}: {} of {}", held(&said), text.len());
        }
    }

    #[test]
    fn what_lies_in_a_string_is_said_in_its_place_where_the_map_says_so() {
        let open = consentry_model::Field::Open;
        let map = FieldMap::builder().leaf("doc.a", open).and_then(|map| map.wrapped("doc", Wrap::Json));
        let map = map.and_then(|map| map.leaf("doc.b", open)?.wrapped("doc.b", Wrap::Base64));
        let map = map.and_then(|map| map.leaf("all[].c", open)?.wrapped("all[]", Wrap::Base64Json));
        let map = map.unwrap().build();
        for (text, expected) in [
            (r#"{"doc":"{\"a\":\"YQ==\",\"b\":\"YQ==\"}"}"#, r#"{doc:{a:"YQ==",b:"a"}}"#),
            (r#"{"doc":"{\"a\":1} "}"#, "{doc:{a:i1}}"),
            (r#"{"doc":"[{}]","x":"{}"}"#, r#"{doc:[{}],x:"{}"}"#),
            // `{"c":1}`, and the same without the sign that fills up.
            (r#"{"all":["eyJjIjoxfQ==","eyJjIjoxfQ",7]}"#, r#"{all:[{c:i1},[["eyJjIjoxfQ"]],i7]}"#),
            (r#"{"doc":"{\"a\":1,\"a\":2}"}"#, r#"{doc:[["{\"a\":1,\"a\":2}"]]}"#),
            (r#"{"doc":"{\"b\":\"YR==\"}"}"#, r#"{doc:{b:[["YR=="]]}}"#),
            (r#"{"doc":null}"#, "{doc:null}"),
        ] {
            let said = Said::one(text.as_bytes(), 8).unwrap().opened(&map, 8);
            assert_eq!(spelled(&said), expected, "{text}");
        }
    }
}
