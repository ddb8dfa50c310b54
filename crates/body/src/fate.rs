//! What becomes of a value, by the map alone.

use consentry_model::{ClassId, Field, FieldMap, NodeId};

/// What the map says about the inside of an array or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its children are at this node's children.
    Inner(NodeId),
    /// It is an array that the leaf at this node covers.
    Covered(NodeId, Field),
    /// It is removed or passed as a whole; only its grammar matters, and where it names a record's subject.
    Opaque,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Scalar,
    Array,
    Object,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Undeclared,
    Verbatim,
    Value(NodeId, ClassId),
    Enter(Place),
}

/// What becomes of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing of its own: what it stands in is handled as a whole.
    Nothing,
    Remove,
    Keep,
    /// It stays, and is a record: an identifier and no more.
    KeepRecord,
    Value(NodeId, ClassId),
    /// The same where each object would be a record: whom it is about, it says itself, or nobody does.
    Element(NodeId, ClassId),
    /// An object or array is declared here: `null` is a value of all that is declared below, anything else is removed.
    Null(NodeId),
}

impl Place {
    /// What becomes of a value at this node that stands in this place; `None` inside of what is handled as a whole.
    pub(crate) fn fate(self, map: &FieldMap, node: Option<NodeId>, shape: Shape) -> Option<Fate> {
        Some(match self {
            Self::Opaque => return None,
            Self::Covered(node, field) => covered(map, node, field, shape),
            Self::Inner(_) => node.map_or(Fate::Undeclared, |node| declared(map, node, shape)),
        })
    }

    /// What becomes of a scalar at this node that stands in this place. Whether it is a record is asked of `node`.
    pub(crate) fn act(self, map: &FieldMap, node: Option<NodeId>) -> Act {
        let itself = || node.is_some_and(|node| map.names_itself_at(node).is_some());
        match self.fate(map, node, Shape::Scalar) {
            // A scalar is not entered: `covered` and `declared` say so.
            None | Some(Fate::Enter(_)) => Act::Nothing,
            Some(Fate::Undeclared) => match node.filter(|node| map.null_of(*node).is_some()) {
                Some(node) => Act::Null(node),
                None => Act::Remove,
            },
            Some(Fate::Verbatim) if itself() => Act::KeepRecord,
            Some(Fate::Verbatim) => Act::Keep,
            Some(Fate::Value(at, class)) if map.scope_at(at).is_some() => Act::Element(at, class),
            Some(Fate::Value(at, class)) => Act::Value(at, class),
        }
    }
}

fn declared(map: &FieldMap, node: NodeId, shape: Shape) -> Fate {
    if node == map.root() && shape != Shape::Object && map.scope_at(node).is_some() {
        // The body as a whole is a record, and this is none.
        return Fate::Undeclared;
    }
    if let Some(field) = map.field(node) {
        return covered(map, node, field, shape);
    }
    let expected = match shape {
        Shape::Scalar => false,
        Shape::Array => map.items(node).is_some(),
        Shape::Object => map.has_members(node) || map.scope_at(node).is_some(),
    };
    if expected { Fate::Enter(Place::Inner(node)) } else { Fate::Undeclared }
}

/// A value in the hold of a leaf: its own, or an element of its array.
fn covered(map: &FieldMap, node: NodeId, field: Field, shape: Shape) -> Fate {
    let subtree = map.covers_subtree(node);
    match (shape, field) {
        (Shape::Object, _) if !subtree => Fate::Undeclared,
        (Shape::Array, Field::Open) if subtree => Fate::Verbatim,
        (Shape::Array, _) => Fate::Enter(Place::Covered(node, field)),
        (Shape::Scalar | Shape::Object, Field::Open) => Fate::Verbatim,
        (Shape::Scalar | Shape::Object, Field::Class(class, _)) => Fate::Value(node, class),
    }
}
