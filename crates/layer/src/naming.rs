//! Whom a request names, or seems to.

use consentry_body::{Said, is_exact};
use consentry_model::Identifier;
use consentry_policy::{Reference, SubjectSource};

use crate::describe::Access;
use crate::head::Head;
use crate::request::Brought;
use crate::said::Astray;
use crate::target::is_unseen;

/// What stands at a place that may name somebody.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named<T> {
    /// Nothing.
    Absent,
    /// Something, and nobody can tell for sure what: whoever reads it otherwise may find a name in it.
    Unreadable,
    /// A name.
    As(T),
}

impl Named<String> {
    /// A text; an empty one names nobody. What has white space around it, or signs in it that nobody sees, may name somebody
    /// else to whoever takes them off.
    pub(crate) fn of(text: String) -> Self {
        if text.is_empty() {
            Self::Absent
        } else if text.trim() != text || text.contains(is_unseen) {
            Self::Unreadable
        } else {
            Self::As(text)
        }
    }
}

impl<T> Named<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Named<U> {
        match self {
            Self::Absent => Named::Absent,
            Self::Unreadable => Named::Unreadable,
            Self::As(name) => Named::As(change(name)),
        }
    }

    /// The name, if there is one.
    pub(crate) fn known(self) -> Option<T> {
        match self {
            Self::As(name) => Some(name),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

impl Brought {
    /// The identifier by which the request names its subject. What stands at its place and cannot be read in one way
    /// only may be somebody's all the same to whoever reads it behind us.
    pub(crate) fn identifier(&self, access: &Access, head: &Head) -> Named<Identifier> {
        let Some(SubjectSource::Named { space, at, .. }) = access.about().map(|about| &about.subject) else {
            return Named::Absent;
        };
        let or_unreadable = |text: Option<&str>| text.map_or(Named::Unreadable, |t| Named::of(t.to_owned()));
        let name = match at {
            Reference::Path(name) => or_unreadable(access.variables.get(name).map(String::as_str)),
            Reference::Query(name) => match head.parameter(name) {
                None => Named::Absent,
                Some(parameter) => or_unreadable(parameter.value.as_deref()),
            },
            Reference::Header(name) if !head.has(name) => Named::Absent,
            Reference::Header(name) => or_unreadable(head.header(name)),
            Reference::Cookie(name) => head.cookie(name),
            Reference::Body(path) => self.name(path),
            // The person whom the token names, if it names one in this space.
            Reference::Token(_) => {
                let person = access.claims.as_ref().and_then(|c| c.person.clone());
                let person = person.filter(|person| person.space() == space);
                return person.map_or(Named::Absent, Named::As);
            }
            Reference::Item(_) | Reference::Addressees(_) => Named::Absent,
        };
        name.map(|name| Identifier::new(space.clone(), &name))
    }

    /// The name at a path of the body: a text, a whole number that every reader takes for the same, or what may be a name to
    /// somebody else.
    fn name(&self, path: &[String]) -> Named<String> {
        match self.reach(path) {
            Err(Astray) => Named::Unreadable,
            Ok(None | Some(Said::Null)) => Named::Absent,
            Ok(Some(Said::Text(text))) => Named::of(text.clone()),
            Ok(Some(Said::Integer(digits))) if is_exact(digits) => Named::of(digits.to_string()),
            Ok(Some(
                Said::Bool(_) | Said::Integer(_) | Said::Number(_) | Said::List(_) | Said::Object(_),
            )) => Named::Unreadable,
        }
    }
}
