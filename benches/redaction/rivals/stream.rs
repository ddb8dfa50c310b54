//! From the parser into the writer, without a document between them.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq, Serializer};
use serde::{Serialize, de};

use super::{Fate, Place, area, last_four};
use crate::Failure;

pub(super) fn redact(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(body.len());
    let mut reader = serde_json::Deserializer::from_slice(body);
    let mut writer = serde_json::Serializer::new(&mut out);
    Piped::new(&mut reader, Fate::Inside(Place::Person)).serialize(&mut writer)?;
    reader.end()?;
    Ok(out)
}

/// A value that is read when it is written.
struct Piped<D> {
    reader: RefCell<Option<D>>,
    fate: Fate,
}

impl<D> Piped<D> {
    const fn new(reader: D, fate: Fate) -> Self {
        Self { reader: RefCell::new(Some(reader)), fate }
    }
}

impl<'de, D: Deserializer<'de>> Serialize for Piped<D> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let reader = self.reader.borrow_mut().take().ok_or_else(|| S::Error::custom("read twice"))?;
        reader.deserialize_any(Pipe { writer, fate: self.fate }).map_err(S::Error::custom)
    }
}

struct Pipe<S> {
    writer: S,
    fate: Fate,
}

impl<'de, S: Serializer> Visitor<'de> for Pipe<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<S::Ok, E> {
        self.writer.serialize_bool(value).map_err(E::custom)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<S::Ok, E> {
        self.writer.serialize_i64(value).map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<S::Ok, E> {
        self.writer.serialize_u64(value).map_err(E::custom)
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<S::Ok, E> {
        self.writer.serialize_f64(value).map_err(E::custom)
    }
    fn visit_unit<E: de::Error>(self) -> Result<S::Ok, E> {
        self.writer.serialize_unit().map_err(E::custom)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<S::Ok, E> {
        match self.fate {
            Fate::LastFour => self.writer.serialize_str(&last_four(text)),
            Fate::Area => self.writer.serialize_str(area(text)),
            Fate::Keep | Fate::Remove | Fate::Inside(_) => self.writer.serialize_str(text),
        }
        .map_err(E::custom)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<S::Ok, A::Error> {
        let mut writer = self.writer.serialize_seq(None).map_err(A::Error::custom)?;
        let fate = self.fate;
        while elements.next_element_seed(Into(&mut Element(&mut writer), fate))?.is_some() {}
        writer.end().map_err(A::Error::custom)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<S::Ok, A::Error> {
        let mut writer = self.writer.serialize_map(None).map_err(A::Error::custom)?;
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            let fate = if let Fate::Inside(place) = self.fate { place.fate(&name) } else { Fate::Keep };
            if fate == Fate::Remove {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            writer.serialize_key(&name).map_err(A::Error::custom)?;
            members.next_value_seed(Into(&mut Member(&mut writer), fate))?;
        }
        writer.end().map_err(A::Error::custom)
    }
}

/// Where a value goes that is read next.
trait Sink {
    fn put<T: Serialize>(&mut self, value: &T) -> Result<(), String>;
}

struct Element<'a, S>(&'a mut S);

impl<S: SerializeSeq> Sink for Element<'_, S> {
    fn put<T: Serialize>(&mut self, value: &T) -> Result<(), String> {
        self.0.serialize_element(value).map_err(|e| e.to_string())
    }
}

struct Member<'a, S>(&'a mut S);

impl<S: SerializeMap> Sink for Member<'_, S> {
    fn put<T: Serialize>(&mut self, value: &T) -> Result<(), String> {
        self.0.serialize_value(value).map_err(|e| e.to_string())
    }
}

struct Into<'a, S>(&'a mut S, Fate);

impl<'de, S: Sink> DeserializeSeed<'de> for Into<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        self.0.put(&Piped::new(reader, self.1)).map_err(D::Error::custom)
    }
}
