//! The records that are open, and the search for the members that name each one's subject or bear on the decision.

use consentry_model::{ClassId, FieldMap, Scalar, ScopeId};

use crate::error::BodyFault;
use crate::json::{Token, TokenKind, is_exact, plain, scalar_at, unescape};
use crate::subject::{Classes, Id, Subject};
use crate::tape::{Owner, Tape};

/// Whether a member is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    No,
    /// It, or something below it.
    Somehow,
    /// It names the subject of the innermost record, and is nothing else.
    Subject,
}

/// The search for a member by its path. `on` is the depth of the object in which the next segment is looked for;
/// `next` says that the member just named is that segment.
#[derive(Clone, Debug)]
struct Search {
    on: usize,
    next: bool,
}

impl Search {
    fn name(&mut self, from: usize, frame: usize, path: &[Box<str>], name: &str) -> bool {
        if self.on != frame {
            return false;
        }
        self.next = path.get(frame - from).is_some_and(|want| **want == *name);
        self.next
    }

    /// Whether the scalar in the object at depth `frame` is what is searched for.
    fn is_found(&self, from: usize, frame: usize, path: &[Box<str>]) -> bool {
        self.next && self.on == frame && frame - from + 1 == path.len()
    }

    fn enter(&mut self, frame: usize) {
        if self.next && self.on + 1 == frame {
            self.on = frame;
            self.next = false;
        }
    }

    fn leave(&mut self, from: usize, frame: usize) {
        if self.on == frame && frame > from {
            self.on -= 1;
            self.next = false;
        }
    }
}

/// One open record. `frame` is the depth of its object.
#[derive(Debug)]
struct Record {
    scope: ScopeId,
    frame: usize,
    subject: Search,
    id: Id,
    /// As many as the scope has captures, like what they found.
    captures: Vec<Search>,
    captured: Vec<Option<Scalar>>,
    classes: Classes,
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
    pub(crate) fn open(&mut self, map: &FieldMap, scope: ScopeId, frame: usize) {
        let subject = Search { on: frame, next: false };
        let captures = map.scope(scope).map_or(0, |s| s.captures.len());
        self.0.push(Record {
            scope,
            frame,
            captures: vec![subject.clone(); captures],
            captured: vec![None; captures],
            subject,
            id: Id::Nobody,
            classes: Classes::default(),
            owner: None,
        });
    }

    /// The innermost record ends: its subject is known now, or is nobody.
    pub(crate) fn close(&mut self, view: &[u8], tape: &mut Tape) -> Result<(), BodyFault> {
        let Record { scope, id, captured, classes, owner, .. } = self.0.pop().ok_or(BodyFault::Internal)?;
        let Some(owner) = owner else { return Ok(()) };
        tape.name(owner, Subject { scope, id, captured }, &classes, view)
    }

    /// Whose a value of this class is that occurs here: the innermost record's, else the request's subject's.
    pub(crate) fn owner(&mut self, class: ClassId, tape: &mut Tape) -> Result<Owner, BodyFault> {
        let Some(record) = self.0.last_mut() else { return tape.request(class) };
        record.classes.insert(class);
        let owner = match record.owner {
            Some(owner) => owner,
            None => tape.owner()?,
        };
        record.owner = Some(owner);
        Ok(owner)
    }

    /// The object at depth `frame` names a member. Answers whether it is searched for.
    pub(crate) fn name(&mut self, map: &FieldMap, frame: usize, name: &str) -> Sought {
        let mut sought = 0_usize;
        for record in self.0.iter_mut().filter(|r| r.subject.on == frame || !r.captures.is_empty()) {
            let Some(scope) = map.scope(record.scope) else { continue };
            sought += usize::from(record.subject.name(record.frame, frame, &scope.subject, name));
            for (search, path) in record.captures.iter_mut().zip(&scope.captures) {
                sought += usize::from(search.name(record.frame, frame, path, name));
            }
        }
        let subject = self.0.last().is_some_and(|record| {
            let scope = map.scope(record.scope);
            scope.is_some_and(|scope| record.subject.is_found(record.frame, frame, &scope.subject))
        });
        match sought {
            0 => Sought::No,
            1 if subject => Sought::Subject,
            _ => Sought::Somehow,
        }
    }

    /// The innermost record's subject is named by this scalar.
    #[inline]
    pub(crate) fn subject(&mut self, view: &[u8], token: &Token) {
        if let Some(record) = self.0.last_mut() {
            record.id = identifier(view, token);
        }
    }

    /// The member just named in the object at depth `frame` has a scalar value.
    pub(crate) fn scalar(&mut self, map: &FieldMap, frame: usize, view: &[u8], token: &Token) {
        for record in self.0.iter_mut().filter(|r| r.subject.next || !r.captures.is_empty()) {
            let Some(scope) = map.scope(record.scope) else { continue };
            if record.subject.is_found(record.frame, frame, &scope.subject) {
                record.id = identifier(view, token);
            }
            let searches = record.captures.iter().zip(&mut record.captured).zip(&scope.captures);
            for ((search, found), path) in searches {
                if search.is_found(record.frame, frame, path) {
                    *found = captured(view, token);
                }
            }
        }
    }

    /// The object at depth `frame` begins, as the value of the member just named one level above.
    pub(crate) fn enter(&mut self, frame: usize) {
        for record in &mut self.0 {
            record.subject.enter(frame);
            record.captures.iter_mut().for_each(|search| search.enter(frame));
        }
    }

    /// Whether a member of the object at depth `frame` is searched for.
    pub(crate) fn search_on(&self, frame: usize) -> bool {
        self.0.iter().any(|r| r.subject.on == frame || r.captures.iter().any(|search| search.on == frame))
    }

    /// The container at depth `frame` ends.
    pub(crate) fn leave(&mut self, frame: usize) {
        for record in &mut self.0 {
            record.subject.leave(record.frame, frame);
            record.captures.iter_mut().for_each(|search| search.leave(record.frame, frame));
        }
    }
}

/// The text that names a subject: a string that is not empty, or an integer as it is written that every reader takes for the same.
pub(crate) fn identifier(view: &[u8], token: &Token) -> Id {
    match token.kind {
        TokenKind::Text if token.end - token.start > 2 => {
            if plain(view, token.start + 1).0 == token.end - 1 {
                return Id::There(token.start + 1, token.end - 1);
            }
            string(view, token).map_or(Id::Nobody, Id::Read)
        }
        TokenKind::Number { integer: true } if raw(view, token).is_some_and(is_exact) => {
            Id::There(token.start, token.end)
        }
        TokenKind::Text
        | TokenKind::Number { .. }
        | TokenKind::Literal
        | TokenKind::Name
        | TokenKind::Open(_)
        | TokenKind::Close
        | TokenKind::Comma => Id::Nobody,
    }
}

/// The text of the scalar from here to there, which names a subject.
pub(crate) fn name_at(view: &[u8], start: usize, end: usize) -> Id {
    let inside = (start.wrapping_add(1), end.wrapping_sub(1));
    if view.get(start) == Some(&b'"') && inside.0 < inside.1 && plain(view, inside.0).0 == inside.1 {
        return Id::There(inside.0, inside.1);
    }
    scalar_at(view, start).map_or(Id::Nobody, |(kind, end)| identifier(view, &Token { kind, start, end }))
}

/// The scalar that bears on a decision; a number that is no integer, or one that does not fit, is none.
fn captured(view: &[u8], token: &Token) -> Option<Scalar> {
    match token.kind {
        TokenKind::Text => string(view, token).map(Scalar::Text),
        // Minus zero is no way to write a whole number.
        TokenKind::Number { integer: true } => {
            let written = raw(view, token)?;
            written.parse().ok().filter(|number: &i64| number.to_string() == written).map(Scalar::Int)
        }
        TokenKind::Literal => match raw(view, token)? {
            "null" => Some(Scalar::Null),
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            _ => None,
        },
        TokenKind::Number { integer: false }
        | TokenKind::Name
        | TokenKind::Open(_)
        | TokenKind::Close
        | TokenKind::Comma => None,
    }
}

fn raw<'a>(view: &'a [u8], token: &Token) -> Option<&'a str> {
    std::str::from_utf8(view.get(token.start..token.end)?).ok()
}

fn string(view: &[u8], token: &Token) -> Option<Box<str>> {
    let text = raw(view, token)?;
    Some(unescape(text.get(1..text.len().checked_sub(1)?)?).ok()?.into())
}
