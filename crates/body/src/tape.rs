//! What was found in the window: what to do with which stretch, and what must be decided.

use consentry_model::{ClassId, NodeId, ScopeId};

use crate::error::{BodyFault, Fault};
use crate::json::TokenKind;
use crate::subject::{Classes, Subject, Subjects};
use crate::template::Row;
use crate::{SubjectIx, Window};

/// Whose a value is, before its record has named the subject: a position in [`Tape::owners`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

/// A leaf with a data class, and whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) node: NodeId,
    pub(crate) owner: Owner,
}

/// What a value is that is treated as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// `true`, `false` or `null`.
    Literal,
    Object,
}

impl Kind {
    /// What a scalar is.
    pub(crate) const fn of(token: TokenKind) -> Self {
        match token {
            TokenKind::Text => Self::Text,
            TokenKind::Number { .. } => Self::Number,
            TokenKind::Literal
            | TokenKind::Name
            | TokenKind::Open(_)
            | TokenKind::Close
            | TokenKind::Comma => Self::Literal,
        }
    }
}

/// A position from the start of the window.
pub(crate) type At = u32;

/// One step of the output, in the order of the body. A *child* is a member or an element with the white space around
/// it, without commas; children that are removed have no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// One child or several that stay as they are.
    Verbatim { start: At, end: At },
    /// A child that is an array or object begins; its bracket ends at `open_end`.
    Enter { start: At, open_end: At },
    /// A child that is a record begins.
    EnterRecord { start: At, open_end: At, scope: ScopeId },
    /// A child that is an array covered by a leaf with a data class begins.
    EnterLeaf { start: At, open_end: At, leaf: Leaf },
    /// The innermost array or object that was entered ends, and with it the child.
    Leave { from: At, end: At },
    /// A child that is one value of a leaf with a data class.
    Value { start: At, value: At, value_end: At, end: At, kind: Kind, leaf: Leaf },
    /// A child that is a record like one that is remembered, or all of it up to where its closing bracket begins.
    Row(Row),
}

/// What was found in the window so far.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) ops: Vec<Op>,
    pub(crate) undeclared: u64,
    pub(crate) records: u64,
    /// Positions in records that are like others.
    pub(crate) marks: Vec<At>,
    owners: Vec<Option<SubjectIx>>,
    request: Option<Owner>,
    subjects: Subjects,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self {
            ops: Vec::new(),
            undeclared: 0,
            records: 0,
            marks: Vec::new(),
            owners: Vec::new(),
            request: None,
            subjects: Subjects::new(),
        }
    }

    /// Starts the next window.
    pub(crate) fn clear(&mut self) {
        self.ops.clear();
        self.marks.clear();
        (self.undeclared, self.records) = (0, 0);
        self.owners.clear();
        self.request = None;
        self.subjects.clear();
    }

    #[inline]
    pub(crate) fn push(&mut self, op: Op) {
        if let (Op::Verbatim { start, end }, Some(Op::Verbatim { end: before, .. })) =
            (op, self.ops.last_mut())
            && before.checked_add(1) == Some(start)
        {
            // Only the comma between two children of one container lies between.
            *before = end;
            return;
        }
        self.ops.push(op);
    }

    /// A new owner whose subject is not known yet.
    pub(crate) fn owner(&mut self) -> Result<Owner, BodyFault> {
        let owner = Owner(u32::try_from(self.owners.len()).map_err(|_| BodyFault::RecordTooLarge)?);
        self.owners.push(None);
        Ok(owner)
    }

    /// The owner that is the subject named by the request, of whom a value of this class is there.
    pub(crate) fn request(&mut self, class: ClassId) -> Result<Owner, BodyFault> {
        let owner = match self.request {
            Some(owner) => owner,
            None => self.owner()?,
        };
        self.request = Some(owner);
        let ix = self.subjects.request(class)?;
        self.is(owner, ix)?;
        Ok(owner)
    }

    /// Says who an owner is, and of which classes values are there.
    pub(crate) fn name(
        &mut self,
        owner: Owner,
        subject: Subject,
        classes: &Classes,
        view: &[u8],
    ) -> Result<(), BodyFault> {
        let ix = self.subjects.record(subject, classes, view)?;
        self.is(owner, ix)
    }

    fn is(&mut self, owner: Owner, ix: SubjectIx) -> Result<(), BodyFault> {
        *self.owners.get_mut(owner.0 as usize).ok_or(BodyFault::Internal)? = Some(ix);
        Ok(())
    }

    /// The subject that an owner turned out to be.
    pub(crate) fn subject(&self, owner: Owner) -> Option<SubjectIx> {
        self.owners.get(owner.0 as usize).copied().flatten()
    }

    pub(crate) fn subjects_len(&self) -> usize {
        self.subjects.len()
    }

    /// What must be decided on the window that begins this text.
    pub(crate) fn window(&self, text: &[u8]) -> Window {
        self.subjects.window(text)
    }
}

/// A position as the tape keeps it.
pub(crate) fn at(position: usize) -> Result<At, Fault> {
    At::try_from(position).map_err(|_| Fault::new(BodyFault::RecordTooLarge, position))
}
