//! The arrays and objects that are open, and what is asked of the map about what stands in them.

use consentry_model::{ClassId, FieldMap, NodeId};

use crate::error::BodyFault;
use crate::fate::{Act, Place};
use crate::json::Token;
use crate::keys::Few;
use crate::record::{Records, Sought, identifier};
use crate::shape::{Known, ShapeIx, Shapes, Step, StepIx};
use crate::subject::{Classes, Id, Subject};
use crate::tape::{Kind, Leaf, Tape};

/// What becomes of a child, once it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    Removed,
    Verbatim,
    /// All of it is on the tape.
    Taken,
    /// It was entered; what is left of it begins at this position.
    Entered(usize),
    Value {
        leaf: Leaf,
        kind: Kind,
        start: usize,
        end: usize,
    },
}

/// What a scalar is that stands instead of an array or object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Null {
    Undeclared,
    /// Nothing personal is declared there.
    Open,
    Of(Leaf),
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) place: Place,
    pub(crate) object: bool,
    pub(crate) record: bool,
    /// Whether the children may lie in different windows.
    pub(crate) outside: bool,
    /// Whether a record searches for a member of this object.
    pub(crate) searched: bool,
    /// Whether the member just named is on the way to one that is searched for.
    pub(crate) sought: Sought,
    /// Whether `Names` knows this object, because it has names that its shape does not keep.
    pub(crate) spilled: bool,
    /// Where the text of the next child begins: after the bracket or the comma.
    pub(crate) mark: usize,
    /// The node of the next child, and what becomes of it if it is a scalar.
    pub(crate) node: Option<NodeId>,
    pub(crate) act: Act,
    pub(crate) child: Option<Child>,
    pub(crate) shape: ShapeIx,
    /// The name that was the last.
    pub(crate) step: StepIx,
    /// Whether it is an object of whose members nothing is learnt. Its short names are among the walk's `keys`.
    pub(crate) direct: bool,
    pub(crate) few: Few,
    /// The names that were there, of those that the shape keeps; and how many bytes all of them have.
    pub(crate) seen: u64,
    pub(crate) name_bytes: usize,
}

impl Frame {
    /// A member of this name was taken, with its scalar.
    #[inline]
    pub(crate) fn took(&mut self, ix: StepIx, step: &Step) {
        self.seen |= step.bit;
        self.step = ix;
        self.name_bytes += step.name_bytes;
    }

    /// The member of this name is next.
    pub(crate) fn named(&mut self, step: StepIx, known: Known, name_bytes: usize) {
        (self.step, self.node, self.act, self.sought) = (step, known.node, known.act, known.sought);
        self.name_bytes += name_bytes;
    }
}

/// What is known of a name of this object, which is at this depth. It is kept if there is room.
pub(crate) fn look_up(
    map: &FieldMap,
    frame: &Frame,
    records: &mut Records,
    shapes: &mut Shapes,
    depth: usize,
    name: &str,
) -> (StepIx, Known) {
    let there = shapes.find(frame.shape, name.as_bytes());
    if let Some(step) = shapes.step(there) {
        return (there, step.known);
    }
    let node = match frame.place {
        Place::Inner(node) => map.member(node, name),
        Place::Covered(..) | Place::Opaque => None,
    };
    let sought = if frame.searched { records.name(map, depth, name) } else { Sought::No };
    let known = Known { node, act: frame.place.act(map, node), sought };
    (shapes.keep(frame.shape, name.as_bytes(), known), known)
}

pub(crate) fn undeclared(tape: &mut Tape, outermost: bool) -> Result<Child, BodyFault> {
    if outermost {
        return Err(BodyFault::Undeclared);
    }
    tape.undeclared = tape.undeclared.saturating_add(1);
    Ok(Child::Removed)
}

/// A scalar where each object of the node would be a record; it is one itself where elements name themselves.
pub(crate) fn scalar_element(
    map: &FieldMap,
    tape: &mut Tape,
    node: NodeId,
    class: ClassId,
    view: &[u8],
    token: &Token,
) -> Result<Leaf, BodyFault> {
    if map.names_itself_at(node).is_some() {
        tape.records = tape.records.saturating_add(1);
    }
    element(map, tape, node, class, view, || identifier(view, token))
}

/// Whose a `null` is that stands instead of an array or object in which something personal is declared. Nothing when it holds nothing
/// of the kind, and when it is no `null`: then it is undeclared.
pub(crate) fn null(
    map: &FieldMap,
    records: &mut Records,
    tape: &mut Tape,
    node: NodeId,
    is_null: bool,
) -> Result<Null, BodyFault> {
    let Some(classes) = map.null_of(node).filter(|_| is_null) else { return Ok(Null::Undeclared) };
    let mut owner = None;
    for class in classes {
        owner = Some(records.owner(*class, tape)?);
    }
    Ok(owner.map_or(Null::Open, |owner| Null::Of(Leaf { node, owner })))
}

/// Whether a token is `null`.
pub(crate) fn is_null(view: &[u8], token: &Token) -> bool {
    view.get(token.start..token.end) == Some(b"null")
}

/// A leaf where each object of the node would be a record, and whose it is: it is a record of its own, about whom it
/// names, if elements name themselves there, else about nobody.
pub(crate) fn element(
    map: &FieldMap,
    tape: &mut Tape,
    node: NodeId,
    class: ClassId,
    view: &[u8],
    itself: impl FnOnce() -> Id,
) -> Result<Leaf, BodyFault> {
    let scope = map.scope_at(node).ok_or(BodyFault::Internal)?;
    let id = if map.names_itself_at(node).is_some() { itself() } else { Id::Nobody };
    let captures = map.scope(scope).ok_or(BodyFault::Internal)?.captures.len();
    let owner = tape.owner()?;
    let subject = Subject { scope, id, captured: vec![None; captures] };
    tape.name(owner, subject, &Classes::of(class), view)?;
    Ok(Leaf { node, owner })
}
