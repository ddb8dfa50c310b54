//! Whom a route is about, and where in an exchange a value stands.

use consentry_model::{FactId, Space, SubjectType};

use crate::rules::OperandId;

/// A fact of the word, or an operand of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactTarget {
    /// A fact.
    Fact(FactId),
    /// An operand.
    Operand(OperandId),
}

/// Where in an exchange a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A variable of the route.
    Path(String),
    /// A query parameter.
    Query(String),
    /// A header, in lower case.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A claim of the token; `sub` is the person whom it names.
    Token(String),
    /// A member of the request's body, by its path.
    Body(Vec<String>),
    /// A member of each record of the answer, or of the answer itself when it has no records.
    Item(Vec<String>),
    /// Each element of a list in the request's body, by the path of the list: the addressees of a message.
    Addressees(Vec<String>),
}

/// The type of a subject whose capacity only the ledger knows.
pub const LEDGER_TYPE: &str = "ledger";

/// Whom a route is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// In which capacity they gave what the route carries; [`LEDGER_TYPE`] when the ledger knows it of each person.
    pub subject_type: SubjectType,
    /// How they are found.
    pub subject: SubjectSource,
}

/// How the subject of a route is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectSource {
    /// Nobody is identified; the ledger cannot know them.
    Anonymous,
    /// By an identifier that the request names.
    Named {
        /// Its space.
        space: Space,
        /// Where it stands.
        at: Reference,
        /// Whether somebody who names nobody, or whom the ledger does not know, is nobody in particular.
        or_anonymous: bool,
    },
    /// Each record of the response names its own; the field map knows where.
    PerRecord,
    /// Each addressee of the message that the request is; the request's field map knows where.
    Addressees,
    /// Nobody's own data: figures about groups of people.
    Population {
        /// Whether they are about everybody; otherwise about some.
        all: bool,
    },
}
