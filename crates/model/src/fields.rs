//! Which field of a body carries what: the service map's answer for one direction of one route.
//!
//! A map is a small trie over JSON paths. A leaf says either *no personal datum* ([`Field::Open`]) or a data class.
//! Whatever no leaf names is undeclared, and undeclared fields never pass. Each part of the tree belongs to a *scope*:
//! the request as a whole, or the records of a list, each of which names its own subject.

use std::fmt;

use crate::{Ladder, Space};

/// The position of a data class in its service map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

/// The position of a node in its field map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The position of a record scope in its field map; 0 is the request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub(crate) u16);

impl ScopeId {
    /// The scope of everything outside any record: the subject that the request names.
    pub const REQUEST: Self = Self(0);

    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a leaf carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// No personal datum.
    Open,
    /// A datum of this class, with the treatments that its category knows.
    Class(ClassId, Ladder),
}

/// How what a string holds is written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrap {
    /// As JSON text.
    Json,
    /// As base64 of a text (RFC 4648, section 4).
    Base64,
    /// As base64 of a JSON text.
    Base64Json,
}

/// What becomes of a record of which no personal datum is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Emptied {
    /// It is left out.
    #[default]
    Omit,
    /// What is not personal stays.
    Keep,
}

/// A list of records, each about a subject of its own; or the body as a whole, as one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordScope {
    /// The path of the member, from the record, that names the subject; it must hold a string or an integer. Empty
    /// when each element is itself the identifier: a list of addresses. An object names nobody then.
    pub subject: Vec<Box<str>>,
    /// The identifier space of that member.
    pub space: Space,
    /// What becomes of a record of which nothing personal is left. An element that is itself the identifier goes in
    /// any case: there is nothing else to keep.
    pub emptied: Emptied,
    /// The paths of further members, from the record and through objects only, whose values bear on the decision.
    /// They need not be declared as fields.
    pub captures: Vec<Vec<Box<str>>>,
}

/// A scalar that a body holds, as far as a decision needs it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// `null`: known to be absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A string, as it reads.
    Text(Box<str>),
    /// An integer that fits.
    Int(i64),
}

/// It may be personal data, and is never printed.
impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Why a path cannot be added to a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The path is empty, has an empty segment, or `[]`, `*` or `**` in a wrong place.
    Syntax,
    /// The path was given before with another meaning.
    Twice,
    /// The path leads below or above a leaf that was given before.
    Overlap,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "a path is made of member names divided by dots; `[]` after a name stands for each element, `*` for any name, `.**` at the end for everything below",
            Self::Twice => "the path is given twice",
            Self::Overlap => "the path leads into a field that is declared as a whole",
        })
    }
}

impl std::error::Error for PathError {}
