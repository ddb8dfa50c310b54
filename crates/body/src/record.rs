//! The records that are open, and the search for the member that names each one's subject.

use consentry_model::{ClassId, FieldMap, ScopeId};

use crate::RecordSubject;
use crate::error::BodyFault;
use crate::json::{Token, TokenKind, unescape};
use crate::tape::{Owner, Tape};

/// One open record. `frame` is the depth of its object; `on` the depth of the object in which the next segment of the
/// subject's path is looked for; `next` says that the member just named is that segment.
#[derive(Debug)]
struct Record {
    scope: ScopeId,
    frame: usize,
    on: usize,
    next: bool,
    id: Option<Box<str>>,
    classes: Vec<ClassId>,
    owner: Option<Owner>,
}

/// The open records, innermost last.
#[derive(Debug, Default)]
pub(crate) struct Records(Vec<Record>);

impl Records {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A record begins with the object at depth `frame`.
    pub(crate) fn open(&mut self, scope: ScopeId, frame: usize) {
        let (classes, owner, id) = (Vec::new(), None, None);
        self.0.push(Record { scope, frame, on: frame, next: false, id, classes, owner });
    }

    /// The innermost record ends: its subject is known now, or is nobody.
    pub(crate) fn close(&mut self, tape: &mut Tape) -> Result<(), BodyFault> {
        let record = self.0.pop().ok_or(BodyFault::Internal)?;
        let subject = RecordSubject::Record { scope: record.scope, id: record.id };
        record.owner.map_or(Ok(()), |owner| tape.name(owner, subject, &record.classes))
    }

    /// Whose a value of this class is that occurs here: the innermost record's, else the request's subject's.
    pub(crate) fn owner(&mut self, class: ClassId, tape: &mut Tape) -> Result<Owner, BodyFault> {
        let Some(record) = self.0.last_mut() else { return tape.request(class) };
        if !record.classes.contains(&class) {
            record.classes.push(class);
        }
        let owner = match record.owner {
            Some(owner) => owner,
            None => tape.owner()?,
        };
        record.owner = Some(owner);
        Ok(owner)
    }

    /// The object at depth `frame` names a member.
    pub(crate) fn name(&mut self, map: &FieldMap, frame: usize, name: &str) {
        for record in self.0.iter_mut().filter(|r| r.on == frame) {
            let path = map.scope(record.scope).map(|s| &*s.subject).unwrap_or_default();
            record.next = path.get(frame - record.frame).is_some_and(|want| **want == *name);
        }
    }

    /// The member just named in the object at depth `frame` has a scalar value.
    pub(crate) fn scalar(&mut self, map: &FieldMap, frame: usize, view: &[u8], token: &Token) {
        for record in self.0.iter_mut().filter(|r| r.next && r.on == frame) {
            let segments = map.scope(record.scope).map_or(0, |s| s.subject.len());
            if frame - record.frame + 1 == segments {
                record.id = identifier(view, token);
            }
        }
    }

    /// The object at depth `frame` begins, as the value of the member just named one level above.
    pub(crate) fn enter(&mut self, frame: usize) {
        for record in self.0.iter_mut().filter(|r| r.next && r.on + 1 == frame) {
            record.on = frame;
            record.next = false;
        }
    }

    /// The container at depth `frame` ends.
    pub(crate) fn leave(&mut self, frame: usize) {
        for record in self.0.iter_mut().filter(|r| r.on == frame && r.on > r.frame) {
            record.on -= 1;
            record.next = false;
        }
    }
}

/// The text that names a subject: a string that is not empty, or an integer as it is written.
fn identifier(view: &[u8], token: &Token) -> Option<Box<str>> {
    let text = std::str::from_utf8(view.get(token.start..token.end)?).ok()?;
    let text = match token.kind {
        TokenKind::Text => unescape(text.get(1..text.len().checked_sub(1)?)?).ok()?,
        TokenKind::Number { integer: true } => text.into(),
        TokenKind::Number { integer: false }
        | TokenKind::Literal
        | TokenKind::Name
        | TokenKind::Open(_)
        | TokenKind::Close
        | TokenKind::Comma => return None,
    };
    (!text.is_empty()).then(|| text.into())
}
