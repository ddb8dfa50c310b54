//! The configuration's YAML as a tree in which every value knows its line and column.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

/// Lines and columns, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl At {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(location: &Location) -> Self {
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

/// A value and its place.
pub(crate) struct Tree {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// What a value is. Numbers other than whole ones from 0 up have no use here.
pub(crate) enum Value {
    Null,
    Bool(bool),
    Count(u64),
    OtherNumber,
    Text(String),
    List,
    Map(Vec<(String, At, Tree)>),
}

impl Value {
    /// What a person calls it.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Count(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a text",
            Self::List => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document. Anchors, aliases, merge keys, keys given twice and a second document are refused.
pub(crate) fn parse(text: &str) -> Result<Tree, (At, String)> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        merge_keys: serde_yaml::options::MergeKeyPolicy::Error,
        with_snippet: false,
        budget: serde_yaml::budget! { max_anchors: 0, max_aliases: 0, max_depth: 8 },
    };
    let read: Raw = serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map_or(At::START, |location| At::of(&location));
        let message = error.to_string();
        // The place is told beside it; only what is wrong is kept.
        let message = match message.split_once(": ") {
            Some((head, rest)) if head.contains("line ") => rest.to_owned(),
            Some(_) | None => message,
        };
        (at, message.lines().next().unwrap_or("the YAML cannot be read").to_owned())
    })?;
    Ok(read.into_tree())
}

struct Raw(Spanned<RawValue>);

enum RawValue {
    Plain(Value),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn into_tree(self) -> Tree {
        let at = At::of(&self.0.referenced);
        let value = match self.0.value {
            RawValue::Plain(value) => value,
            RawValue::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.value, At::of(&key.referenced), value.into_tree()))
                    .collect(),
            ),
        };
        Tree { at, value }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::Null))
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Plain(u64::try_from(value).map_or(Value::OtherNumber, Value::Count)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::Count(value)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::OtherNumber))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Plain(Value::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        while access.next_element::<Raw>()?.is_some() {}
        Ok(RawValue::Plain(Value::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Map(entries))
    }
}
