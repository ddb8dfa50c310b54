//! JSON read strictly: an object that names a member twice is an error, at any depth.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value whose objects name each member once.
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// An integer between 0 and `u64::MAX`, written without fraction or exponent.
    Natural(u64),
    /// An integer between `i64::MIN` and -1, written likewise.
    Negative(i64),
    /// Any other number.
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// The members of one object.
pub(crate) type Object = BTreeMap<String, Json>;

/// Reads one object with nothing around it but white space.
pub(crate) fn object(bytes: &[u8]) -> Option<Object> {
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(members)) => Some(members),
        Ok(
            Json::Null
            | Json::Bool(_)
            | Json::Natural(_)
            | Json::Negative(_)
            | Json::Number
            | Json::Text(_)
            | Json::List(_),
        ) => None,
        // The parser's message quotes its input.
        Err(_) => None,
    }
}

impl Json {
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A scalar as it is written: a text, a whole number, true or false.
    pub(crate) fn written(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Natural(number) => Some(number.to_string()),
            Self::Negative(number) => Some(number.to_string()),
            Self::Bool(truth) => Some(truth.to_string()),
            Self::Null | Self::Number | Self::List(_) | Self::Object(_) => None,
        }
    }

    pub(crate) fn natural(&self) -> Option<u64> {
        if let Self::Natural(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(crate) fn members(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Natural(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Negative(number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Object::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for (text, read) in [
            (r#"{"a":1,"b":{"a":1}}"#, true),
            (r#" {"a":[{"b":1},{"b":2}]} "#, true),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"a":{"b":1,"b":1}}"#, false),
            (r#"{"a":[{"b":1,"b":1}]}"#, false),
            (r#"{"a":1}{"#, false),
            (r#"{"a":1} x"#, false),
            (r#"{"a":1,}"#, false),
            (r#"[{"a":1}]"#, false),
            ("\u{feff}{}", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(object(text.as_bytes()).is_some(), read, "{text}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
        assert!(object(format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500)).as_bytes()).is_none());
    }
}
