//! From the bytes of a record to structures. Strict: another version, an unknown type, a member named twice or
//! anything after the record is an error.

use std::collections::HashSet;
use std::fmt;

use consentry_model::Moment;
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::closing::Closing;
use super::request::{Head, Verdicts};
use super::system::{
    ConsentChanged, LogOpened, LogOutage, LogRecovered, PolicyInstalled, PolicyRefused, Summary,
};
use super::verdict_line::{VerdictLine, fill_in_repeated, leave_out_repeated};
use crate::id::{RecordId, parse_timestamp};
use crate::merkle::{Hash, leaf_hash};

/// Why the bytes of a record cannot be read. It names no part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or an object names a member twice.
    #[error("the record is not well-formed JSON, or names a member twice")]
    Malformed,
    /// Another version of the format.
    #[error("the record has another version than 1")]
    Version,
    /// A type that version 1 does not have.
    #[error("the record has an unknown type")]
    Kind,
    /// The envelope or the content is not that of its type.
    #[error("the record has not the members of its type")]
    Content,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($content:ident) = $code:literal,)*) => {
        /// The type of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// The word in records.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }

        /// What a record says.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Entry {
            $($(#[$doc])* $name($content),)*
        }

        impl Entry {
            /// Its type.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)* }
            }

            fn read(kind: Kind, bytes: &[u8]) -> Result<Self, ReadError> {
                match kind { $(Kind::$name => content(bytes).map(Self::$name),)* }
            }
        }
    };
}

kinds! {
    /// A process opened the log.
    LogOpened(LogOpened) = "log.opened",
    /// An incomplete group was cut off.
    LogRecovered(LogRecovered) = "log.recovered",
    /// The log could not be written for a while.
    LogOutage(LogOutage) = "log.outage",
    /// A bundle came into force.
    PolicyInstalled(PolicyInstalled) = "policy.installed",
    /// A bundle was not installed.
    PolicyRefused(PolicyRefused) = "policy.refused",
    /// Nameless or malformed requests, counted.
    Summary(Summary) = "summary",
    /// The ruling on a request.
    Head(Head) = "head",
    /// The verdicts on a window of a body.
    Verdicts(Verdicts) = "verdicts",
    /// How a request ended.
    Outcome(Closing) = "outcome",
    /// A consent changed, or something else that binds what is decided about a person.
    ConsentChanged(ConsentChanged) = "consent.changed",
}

impl Entry {
    /// The verdict lines in it.
    #[must_use]
    pub fn verdicts(&self) -> &[VerdictLine] {
        match self {
            Self::Head(head) => &head.verdicts,
            Self::Verdicts(verdicts) => &verdicts.verdicts,
            Self::LogOpened(_)
            | Self::LogRecovered(_)
            | Self::LogOutage(_)
            | Self::PolicyInstalled(_)
            | Self::PolicyRefused(_)
            | Self::Summary(_)
            | Self::Outcome(_)
            | Self::ConsentChanged(_) => &[],
        }
    }
}

impl Entry {
    fn fill_in_repeated(&mut self) {
        if let Self::Head(head) = self {
            fill_in_repeated(&mut head.verdicts);
        } else if let Self::Verdicts(verdicts) = self {
            fill_in_repeated(&mut verdicts.verdicts);
        }
    }
}

/// A record as read, with the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    bytes: Vec<u8>,
    id: RecordId,
    seq: u64,
    ts: Moment,
    ticket: Option<RecordId>,
    entry: Entry,
}

#[derive(Deserialize)]
struct Envelope {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
    id: RecordId,
    seq: u64,
    ts: String,
    #[serde(default)]
    ticket: Option<RecordId>,
}

impl Record {
    /// Reads a record from its bytes. A head that follows a precedent says nothing here of what that one spells out; a
    /// [`Reader`](crate::Reader) finds it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ReadError> {
        let mut strict = serde_json::Deserializer::from_slice(&bytes);
        NoMemberTwice.deserialize(&mut strict).map_err(|_| ReadError::Malformed)?;
        strict.end().map_err(|_| ReadError::Malformed)?;
        let version = content::<Version>(&bytes)?;
        if version.v != 1 {
            return Err(ReadError::Version);
        }
        let envelope: Envelope = content(&bytes)?;
        let kind = Kind::parse(&envelope.kind).ok_or(ReadError::Kind)?;
        let ts = parse_timestamp(&envelope.ts).ok_or(ReadError::Content)?;
        let mut entry = Entry::read(kind, &bytes)?;
        entry.fill_in_repeated();
        debug_assert_eq!(envelope.v, 1);
        Ok(Self { bytes, id: envelope.id, seq: envelope.seq, ts, ticket: envelope.ticket, entry })
    }

    /// A head with what it leaves to its precedent; nothing where that is none for it.
    pub(crate) fn following(self, precedent: &Head) -> Option<Self> {
        let Entry::Head(head) = self.entry else { return None };
        Some(Self { entry: Entry::Head(head.following(precedent)?), ..self })
    }

    /// What it says, as JSON: its members as they were written, and beside them those that a head leaves to its precedent.
    ///
    /// # Errors
    /// When it cannot be written, which no record is that was read.
    pub fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        let mut written: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&self.bytes)?;
        if let Entry::Head(head @ Head { precedent: Some(_), .. }) = &self.entry {
            let mut head = head.clone();
            leave_out_repeated(&mut head.verdicts);
            if let serde_json::Value::Object(whole) = serde_json::to_value(&head)? {
                whole.into_iter().for_each(|(name, value)| _ = written.entry(name).or_insert(value));
            }
        }
        Ok(written.into())
    }

    /// The bytes as stored and hashed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// Its number in the log, from 0.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// When it was written.
    #[must_use]
    pub const fn ts(&self) -> Moment {
        self.ts
    }

    /// The request it belongs to.
    #[must_use]
    pub const fn ticket(&self) -> Option<RecordId> {
        self.ticket
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.entry.kind()
    }

    /// What it says.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The hash of its leaf in the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.bytes)
    }
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}

fn content<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|_| ReadError::Content)
}

/// Walks JSON of any shape and refuses an object that names a member twice.
struct NoMemberTwice;

impl<'de> DeserializeSeed<'de> for NoMemberTwice {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoMemberTwice {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose objects name no member twice")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom("records hold no fractions"))
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member is named twice"));
            }
            members.next_value_seed(Self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_1_without_doubles_is_read() {
        const ID: &str = "0190a0a0-0000-7000-8000-000000000000";
        let record = |v: &str, kind: &str, rest: &str| {
            format!(
                r#"{{"v":{v},"type":"{kind}","id":"{ID}","seq":1,"ts":"2026-11-22T00:00:00.000Z"{rest}}}"#
            )
        };
        let good = r#","end":"delivered""#;
        for (text, expected) in [
            (record("1", "outcome", good), Ok(Kind::Outcome)),
            (record("2", "outcome", good), Err(ReadError::Version)),
            (record("1", "other", good), Err(ReadError::Kind)),
            (record("1", "outcome", ""), Err(ReadError::Content)),
            (record("1", "outcome", r#","end":"lost""#), Err(ReadError::Content)),
            (record("1", "outcome", r#","end":"delivered","seq":2"#), Err(ReadError::Malformed)),
            (record("1", "outcome", r#","end":"delivered","x":{"a":1,"a":1}"#), Err(ReadError::Malformed)),
            (record("1", "outcome", r#","end":"delivered","x":1.5"#), Err(ReadError::Malformed)),
            (record("1", "outcome", r#","end":"delivered","ticket":"me""#), Err(ReadError::Content)),
            (record("1", "outcome", good) + "{}", Err(ReadError::Malformed)),
            ("[]".into(), Err(ReadError::Content)),
            (String::new(), Err(ReadError::Malformed)),
        ] {
            assert_eq!(Record::parse(text.clone().into_bytes()).map(|r| r.kind()), expected, "{text}");
        }
    }
}
