//! What must be decided before a window's bytes are released.

use std::fmt;

use consentry_model::{ClassId, Scalar, ScopeId, Treatment};

use crate::RecordId;

/// The position of a subject in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectIx(pub u32);

impl SubjectIx {
    /// The position in [`Window::subjects`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whose a value is. The identifier and what was captured are personal data and are never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordSubject {
    /// The subject that the request names.
    Request,
    /// The subject that a record names.
    Record {
        /// The record's scope, which knows the identifier space.
        scope: ScopeId,
        /// The text of the naming member: a string as it reads, or an integer as it is written. `None` when the
        /// record names nobody (the member is missing, empty, null, or of another shape): nobody can be resolved.
        id: Option<RecordId>,
        /// The scope's [captures](consentry_model::RecordScope::captures), in its order. `None` when the member is
        /// missing, or is no scalar that a decision can use: an array, an object, a fraction, an integer too large.
        captured: Vec<Option<Scalar>>,
    },
}

impl fmt::Debug for RecordSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("Request"),
            Self::Record { scope, id, .. } => {
                let id = if id.is_some() { "<redacted>" } else { "<nobody>" };
                write!(f, "Record({}, {id})", scope.index())
            }
        }
    }
}

/// What must be decided before the window's bytes can be released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Every subject of whom the window holds a personal value, once.
    pub subjects: Vec<RecordSubject>,
    /// Every pair of a subject and a data class that occurs, once, in order.
    pub groups: Vec<(SubjectIx, ClassId)>,
}

impl Window {
    /// A subject of the window.
    #[must_use]
    pub fn subject(&self, ix: SubjectIx) -> Option<&RecordSubject> {
        self.subjects.get(ix.index())
    }
}

/// The verdicts on a window. They are asked for the pairs in [`Window::groups`] and no others, any number of times
/// each; the answer must not change meanwhile. Answer [`Treatment::Withheld`] for what was not decided.
///
/// A closure from subject and class to treatment is one.
pub trait Decide {
    /// How the values of a class of a subject leave.
    fn treatment(&self, subject: SubjectIx, class: ClassId) -> Treatment;
}

impl<F: Fn(SubjectIx, ClassId) -> Treatment> Decide for F {
    fn treatment(&self, subject: SubjectIx, class: ClassId) -> Treatment {
        self(subject, class)
    }
}
