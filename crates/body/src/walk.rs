//! From tokens and the map to the tape: what each value is, whose it is, and what may become of it.

use std::sync::Arc;

use consentry_model::{ClassId, Field, FieldMap, NodeId, ScopeId};

use crate::RecordSubject;
use crate::error::{BodyFault, Fault};
use crate::json::{Container, Token, TokenKind, unescape};
use crate::names::Names;
use crate::record::{Records, identifier};
use crate::tape::{Kind, Leaf, Op, Tape, at};

/// What the map says about the inside of an array or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Its children are at this node's children.
    Inner(NodeId),
    /// It is an array that the leaf at this node covers.
    Covered(NodeId, Field),
    /// It is removed or passed as a whole; only its grammar matters, and where it names a record's subject.
    Opaque,
}

/// What becomes of a child, once it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Removed,
    Verbatim,
    /// It was entered; what is left of it begins at this position.
    Entered(usize),
    Value {
        leaf: Leaf,
        kind: Kind,
        start: usize,
        end: usize,
    },
}

#[derive(Debug)]
struct Frame {
    place: Place,
    object: bool,
    record: bool,
    /// Whether the children may lie in different windows.
    outside: bool,
    /// Where the text of the next child begins: after the bracket or the comma.
    mark: usize,
    /// The node of the next child.
    node: Option<NodeId>,
    child: Option<Child>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Scalar,
    Array,
    Object,
}

/// What becomes of a value.
enum Fate {
    Undeclared,
    Verbatim,
    Value(NodeId, ClassId),
    Enter(Place),
}

/// The walk over one body. The frame at the bottom stands for the body, whose one child is the root value.
#[derive(Debug)]
pub(crate) struct Walk {
    map: Arc<FieldMap>,
    frames: Vec<Frame>,
    records: Records,
    names: Names,
    pub(crate) tape: Tape,
}

impl Walk {
    pub(crate) fn new(map: Arc<FieldMap>) -> Self {
        let body = Frame {
            place: Place::Inner(map.root()),
            object: false,
            record: false,
            outside: map.has_records(),
            mark: 0,
            node: Some(map.root()),
            child: None,
        };
        Self {
            map,
            frames: vec![body],
            records: Records::default(),
            names: Names::default(),
            tape: Tape::new(),
        }
    }

    pub(crate) fn map(&self) -> &FieldMap {
        &self.map
    }

    /// How many bytes of member names are held.
    pub(crate) const fn name_bytes(&self) -> usize {
        self.names.bytes()
    }

    /// Takes a token. Answers whether a window may end after it.
    pub(crate) fn token(&mut self, view: &[u8], token: &Token) -> Result<bool, Fault> {
        let here = |kind| Fault::new(kind, token.start);
        match token.kind {
            TokenKind::Open(container) => self.open(container, token).map_err(here)?,
            TokenKind::Close => self.close(token)?,
            TokenKind::Comma => {
                self.finish_child(token.start)?;
                self.top().map_err(here)?.mark = token.end;
            }
            TokenKind::Name => self.name(view, token).map_err(here)?,
            TokenKind::Text | TokenKind::Number { .. } | TokenKind::Literal => {
                self.scalar(view, token).map_err(here)?;
            }
        }
        let between = matches!(token.kind, TokenKind::Open(_) | TokenKind::Comma);
        Ok(between && self.top().map_err(here)?.outside)
    }

    /// The body ended, complete, at `end`.
    pub(crate) fn end(&mut self, end: usize) -> Result<(), Fault> {
        self.finish_child(end)
    }

    /// A window ended where the last token did, and its bytes are gone.
    pub(crate) fn forget(&mut self) {
        self.tape.clear();
        // The marks further out are of children that have begun: they are not looked at again.
        if let Some(frame) = self.frames.last_mut() {
            frame.mark = 0;
        }
    }

    fn top(&mut self) -> Result<&mut Frame, BodyFault> {
        self.frames.last_mut().ok_or(BodyFault::Internal)
    }

    fn depth(&self) -> usize {
        self.frames.len().saturating_sub(1)
    }

    fn name(&mut self, view: &[u8], token: &Token) -> Result<(), BodyFault> {
        let inside = view.get(token.start + 1..token.end - 1).ok_or(BodyFault::Internal)?;
        let raw = std::str::from_utf8(inside).map_err(|_| BodyFault::InvalidUtf8)?;
        let name = unescape(raw).map_err(|_| BodyFault::Malformed)?;
        if !self.names.insert(&name) {
            return Err(BodyFault::DuplicateKey);
        }
        self.records.name(&self.map, self.depth(), &name);
        let node = match self.top()?.place {
            Place::Inner(node) => self.map.member(node, &name),
            Place::Covered(..) | Place::Opaque => None,
        };
        self.top()?.node = node;
        Ok(())
    }

    fn scalar(&mut self, view: &[u8], token: &Token) -> Result<(), BodyFault> {
        self.records.scalar(&self.map, self.depth(), view, token);
        let fate = self.fate(Shape::Scalar)?;
        if matches!(fate, Some(Fate::Verbatim | Fate::Value(..)))
            && self.top()?.node.is_some_and(|node| self.map.names_itself_at(node).is_some())
        {
            self.tape.records = self.tape.records.saturating_add(1);
        }
        let child = match fate {
            Some(Fate::Undeclared) => Some(self.undeclared()?),
            Some(Fate::Verbatim) => Some(Child::Verbatim),
            Some(Fate::Value(node, class)) => {
                let leaf = self.element(node, class, || identifier(view, token))?;
                let kind = match token.kind {
                    TokenKind::Text => Kind::Text,
                    TokenKind::Number { .. } => Kind::Number,
                    TokenKind::Literal
                    | TokenKind::Name
                    | TokenKind::Open(_)
                    | TokenKind::Close
                    | TokenKind::Comma => Kind::Literal,
                };
                Some(Child::Value { leaf, kind, start: token.start, end: token.end })
            }
            Some(Fate::Enter(_)) => return Err(BodyFault::Internal),
            None => None,
        };
        self.top()?.child = child;
        Ok(())
    }

    fn open(&mut self, container: Container, token: &Token) -> Result<(), BodyFault> {
        let object = container == Container::Object;
        let fate = self.fate(if object { Shape::Object } else { Shape::Array })?;
        let depth = self.frames.len();
        if object {
            self.names.open();
            self.records.enter(depth);
        }
        let removed = matches!(fate, None | Some(Fate::Undeclared));
        let parent = self.top()?;
        let (node, outside) = (parent.node, parent.outside);
        let scope = node.and_then(|n| self.map.scope_at(n)).filter(|_| object && !removed);
        if let Some(scope) = scope {
            self.records.open(&self.map, scope, depth);
            self.tape.records = self.tape.records.saturating_add(1);
        }
        let (child, place) = match fate {
            None => (None, Place::Opaque),
            Some(Fate::Undeclared) => (Some(self.undeclared()?), Place::Opaque),
            Some(Fate::Verbatim) => (Some(Child::Verbatim), Place::Opaque),
            Some(Fate::Value(node, class)) => {
                // Arrays are entered: it is an object, and its record, if it is one, is open.
                let (leaf, kind) = (self.leaf(node, class)?, Kind::Object);
                (Some(Child::Value { leaf, kind, start: token.start, end: token.end }), Place::Opaque)
            }
            Some(Fate::Enter(place)) => {
                self.enter(place, scope, token)?;
                (Some(Child::Entered(token.end)), place)
            }
        };
        self.top()?.child = child;
        let inner = match place {
            Place::Inner(node) if !object => self.map.items(node),
            Place::Covered(node, _) => Some(node),
            Place::Inner(_) | Place::Opaque => None,
        };
        self.frames.push(Frame {
            place,
            object,
            record: scope.is_some(),
            outside: outside && matches!(place, Place::Inner(_)) && self.records.is_empty(),
            mark: token.end,
            node: inner,
            child: None,
        });
        Ok(())
    }

    /// Writes on the tape that a child is entered.
    fn enter(&mut self, place: Place, scope: Option<ScopeId>, token: &Token) -> Result<(), BodyFault> {
        let parent = self.top()?;
        // Within the leaf's own array, inner arrays are plain: the leaf has been entered.
        let first = !matches!(parent.place, Place::Covered(..));
        let start = at(parent.mark).map_err(|f| f.kind)?;
        let open_end = at(token.end).map_err(|f| f.kind)?;
        let op = match (place, scope) {
            (Place::Covered(node, Field::Class(class, _)), _) if first => {
                Op::EnterLeaf { start, open_end, leaf: self.element(node, class, || None)? }
            }
            (_, Some(scope)) => Op::EnterRecord { start, open_end, scope },
            (_, None) => Op::Enter { start, open_end },
        };
        self.tape.push(op);
        Ok(())
    }

    fn close(&mut self, token: &Token) -> Result<(), Fault> {
        let here = |kind| Fault::new(kind, token.start);
        let any = self.top().map_err(here)?.child.is_some();
        self.finish_child(token.start)?;
        let depth = self.depth();
        let frame = self.frames.pop().ok_or(Fault::internal(token.start))?;
        if frame.object {
            self.names.close();
            self.records.leave(depth);
        }
        if frame.record {
            self.records.close(&mut self.tape).map_err(here)?;
        }
        match &mut self.top().map_err(here)?.child {
            // The white space of an empty array or object is its own; else it is the last child's.
            Some(Child::Entered(from)) => *from = if any { token.start } else { frame.mark },
            Some(Child::Value { end, .. }) => *end = token.end,
            Some(Child::Removed | Child::Verbatim) | None => {}
        }
        Ok(())
    }

    /// The child of the innermost container ends, with the white space after it, at `end`.
    fn finish_child(&mut self, end: usize) -> Result<(), Fault> {
        let frame = self.top().map_err(|kind| Fault::new(kind, end))?;
        let (start, child) = (frame.mark, frame.child.take());
        let end = at(end)?;
        match child {
            None | Some(Child::Removed) => {}
            Some(Child::Verbatim) => self.tape.push(Op::Verbatim { start: at(start)?, end }),
            Some(Child::Entered(from)) => self.tape.push(Op::Leave { from: at(from)?, end }),
            Some(Child::Value { leaf, kind, start: value, end: value_end }) => {
                let (start, value, value_end) = (at(start)?, at(value)?, at(value_end)?);
                self.tape.push(Op::Value { start, value, value_end, end, kind, leaf });
            }
        }
        Ok(())
    }

    /// What becomes of the value that begins here; `None` inside of what is handled as a whole.
    fn fate(&mut self, shape: Shape) -> Result<Option<Fate>, BodyFault> {
        let frame = self.top()?;
        let (place, node) = (frame.place, frame.node);
        Ok(match place {
            Place::Opaque => None,
            Place::Covered(node, field) => Some(self.covered(node, field, shape)),
            Place::Inner(_) => Some(node.map_or(Fate::Undeclared, |node| self.declared(node, shape))),
        })
    }

    fn declared(&self, node: NodeId, shape: Shape) -> Fate {
        if node == self.map.root() && shape != Shape::Object && self.map.scope_at(node).is_some() {
            // The body as a whole is a record, and this is none.
            return Fate::Undeclared;
        }
        if let Some(field) = self.map.field(node) {
            return self.covered(node, field, shape);
        }
        let expected = match shape {
            Shape::Scalar => false,
            Shape::Array => self.map.items(node).is_some(),
            Shape::Object => self.map.has_members(node) || self.map.scope_at(node).is_some(),
        };
        if expected { Fate::Enter(Place::Inner(node)) } else { Fate::Undeclared }
    }

    /// A value in the hold of a leaf: its own, or an element of its array.
    fn covered(&self, node: NodeId, field: Field, shape: Shape) -> Fate {
        let subtree = self.map.covers_subtree(node);
        match (shape, field) {
            (Shape::Object, _) if !subtree => Fate::Undeclared,
            (Shape::Array, Field::Open) if subtree => Fate::Verbatim,
            (Shape::Array, _) => Fate::Enter(Place::Covered(node, field)),
            (Shape::Scalar | Shape::Object, Field::Open) => Fate::Verbatim,
            (Shape::Scalar | Shape::Object, Field::Class(class, _)) => Fate::Value(node, class),
        }
    }

    fn undeclared(&mut self) -> Result<Child, BodyFault> {
        if self.frames.len() == 1 {
            return Err(BodyFault::Undeclared);
        }
        self.tape.undeclared = self.tape.undeclared.saturating_add(1);
        Ok(Child::Removed)
    }

    /// A leaf with a data class, and whose it is: the innermost record's.
    fn leaf(&mut self, node: NodeId, class: ClassId) -> Result<Leaf, BodyFault> {
        Ok(Leaf { node, owner: self.records.owner(class, &mut self.tape)? })
    }

    /// The same of what is no object. Where each object of the node would be a record, it is one of its own: about
    /// whom it names, if elements name themselves there, else about nobody.
    fn element(
        &mut self,
        node: NodeId,
        class: ClassId,
        itself: impl FnOnce() -> Option<Box<str>>,
    ) -> Result<Leaf, BodyFault> {
        let Some(scope) = self.map.scope_at(node) else { return self.leaf(node, class) };
        let id = self.map.names_itself_at(node).and_then(|_| itself());
        let captures = self.map.scope(scope).ok_or(BodyFault::Internal)?.captures.len();
        let owner = self.tape.owner()?;
        let subject = RecordSubject::Record { scope, id, captured: vec![None; captures] };
        self.tape.name(owner, subject, &[class])?;
        Ok(Leaf { node, owner })
    }
}
