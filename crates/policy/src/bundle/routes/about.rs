//! Whom a route is about.

use consentry_model::{Space, SubjectType};

use super::route::RouteContext;
use super::words::{of_the_request, reference};
use crate::bundle::service::{About, LEDGER_TYPE, Reference, SubjectSource};
use crate::text::{Node, Object, Reader};

/// Whom a route is about, and what the field maps need to know of it.
pub(super) struct Whose {
    pub(super) about: About,
    /// The space of the identifier; none where nobody is named.
    pub(super) space: Option<Space>,
    /// Where it stands; none where nobody is named.
    pub(super) at: Option<Reference>,
}

impl Whose {
    /// Whether they are figures about groups.
    pub(super) fn is_population(&self) -> bool {
        matches!(self.about.subject, SubjectSource::Population { .. })
    }

    /// The list of the message's addressees, if they are whom the route is about.
    pub(super) fn addressees(&self) -> Option<&[String]> {
        match &self.at {
            Some(Reference::Addressees(list)) => Some(list),
            Some(
                Reference::Path(_)
                | Reference::Query(_)
                | Reference::Header(_)
                | Reference::Cookie(_)
                | Reference::Token(_)
                | Reference::Body(_)
                | Reference::Item(_),
            )
            | None => None,
        }
    }
}

impl RouteContext<'_> {
    /// Reads `about`.
    pub(super) fn about(&self, node: &Node, reader: &mut Reader) -> Option<Whose> {
        let keys = ["type", "space", "id", "anonymous", "token", "population"];
        let object = reader.object(node, &keys, "about")?;
        let subject_type = reader.need(&object, "type", "about").and_then(|n| self.subject_type(n, reader));
        if let Some(node) = object.get("population") {
            let choices = [("all", true), ("some", false)];
            let all = reader.one_of(node, "population", &choices);
            unnamed(
                &object,
                &["space", "id", "anonymous", "token"],
                "figures about groups name nobody",
                reader,
            );
            return Some(nobody(subject_type?, SubjectSource::Population { all: all? }));
        }
        let anonymous = object.get("anonymous").and_then(|n| reader.boolean(n)).unwrap_or(false);
        if anonymous && object.get("id").is_none() {
            let message = "nobody is named on a route about anonymous people";
            unnamed(&object, &["space", "token"], message, reader);
            return Some(nobody(subject_type?, SubjectSource::Anonymous));
        }
        let space = reader.need(&object, "space", "about").and_then(|n| reader.word(n)).map(Space::new);
        let at = reader.need(&object, "id", "about").and_then(|n| identifier(n, reader));
        link(&object, at.as_ref(), reader);
        let (subject_type, space, at) = (subject_type?, space?, at?);
        if anonymous && !of_the_request(&at) {
            let message = "only a request may name nobody in particular; a record or an addressee that names nobody is unknown";
            reader.error("anonymous-record", object.span, message);
        }
        let subject = match &at {
            Reference::Item(_) => SubjectSource::PerRecord,
            Reference::Addressees(_) => SubjectSource::Addressees,
            Reference::Path(_)
            | Reference::Query(_)
            | Reference::Header(_)
            | Reference::Cookie(_)
            | Reference::Token(_)
            | Reference::Body(_) => {
                SubjectSource::Named { space: space.clone(), at: at.clone(), or_anonymous: anonymous }
            }
        };
        Some(Whose { about: About { subject_type, subject }, space: Some(space), at: Some(at) })
    }

    fn subject_type(&self, node: &Node, reader: &mut Reader) -> Option<SubjectType> {
        let word = reader.word(node)?;
        if word == LEDGER_TYPE {
            return Some(SubjectType::new(LEDGER_TYPE));
        }
        self.vocabulary.subject(word, node.span, reader)
    }
}

/// `token: true` says that whoever holds the identifier is the person: a link that only they were sent. So the request
/// brings it, and it is no claim of a sign-in.
fn link(object: &Object<'_>, at: Option<&Reference>, reader: &mut Reader) {
    let Some(node) = object.get("token") else { return };
    let brought = at.is_none_or(|at| of_the_request(at) && !matches!(at, Reference::Token(_)));
    if reader.boolean(node) == Some(true) && !brought {
        reader.error("misplaced-key", node.span, "an opaque token is an identifier that the request brings");
    }
}

fn nobody(subject_type: SubjectType, subject: SubjectSource) -> Whose {
    Whose { about: About { subject_type, subject }, space: None, at: None }
}

fn unnamed(object: &Object<'_>, keys: &[&str], message: &str, reader: &mut Reader) {
    for node in keys.iter().filter_map(|key| object.get(key)) {
        reader.error("misplaced-key", node.span, message);
    }
}

/// The reference that names a subject. Of a token's claims only `sub` names a person.
fn identifier(node: &Node, reader: &mut Reader) -> Option<Reference> {
    let at = reference(node, reader)?;
    if matches!(&at, Reference::Token(claim) if claim != "sub") {
        let message = "the person of a token is `token.sub`; another claim identifies nobody";
        reader.error("reference-out-of-place", node.span, message);
        return None;
    }
    Some(at)
}
