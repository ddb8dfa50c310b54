//! The compiled map of a body: a small trie over JSON paths.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::field_map_builder::FieldMapBuilder;
use crate::fields::{ClassId, Field, NodeId, RecordScope, ScopeId, Wrap};
use crate::member::Members;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) path: String,
    pub(crate) children: BTreeMap<Box<str>, NodeId>,
    /// The same, for finding; made when the map is built.
    pub(crate) members: Members,
    pub(crate) any: Option<NodeId>,
    pub(crate) items: Option<NodeId>,
    pub(crate) leaf: Option<Field>,
    pub(crate) subtree: bool,
    pub(crate) scope: Option<ScopeId>,
    pub(crate) wrap: Option<Wrap>,
    pub(crate) null_when_withheld: bool,
    /// The classes of what is declared below it, where `null` may stand for all of that.
    pub(crate) null_of: Option<Box<[ClassId]>>,
}

/// What is kept with a map.
#[derive(Default)]
pub(crate) struct Memo(OnceLock<Box<dyn Any + Send + Sync>>);

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

/// The compiled map. Walk it from [`root`](Self::root) by [`member`](Self::member) and [`items`](Self::items).
///
/// ```
/// use consentry_model::{ClassId, Field, FieldMap, Ladder};
///
/// let email = Field::Class(ClassId(0), Ladder::default());
/// let map = FieldMap::builder().leaf("rows[].email", email)?.leaf("total", Field::Open)?.build();
/// let row = map.items(map.member(map.root(), "rows").unwrap()).unwrap();
/// assert_eq!(map.field(map.member(row, "email").unwrap()), Some(email));
/// assert_eq!(map.member(row, "ssn"), None); // undeclared
/// # Ok::<(), consentry_model::PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMap {
    pub(crate) root: NodeId,
    /// They are shared with what lies [`below`](Self::below), and never change.
    pub(crate) nodes: Arc<[Node]>,
    pub(crate) scopes: Arc<[RecordScope]>,
    /// Whether some node has a wrap: each line of a body asks.
    pub(crate) wraps: bool,
    pub(crate) memo: Memo,
}

impl FieldMap {
    /// Starts an empty map.
    #[must_use]
    pub fn builder() -> FieldMapBuilder {
        FieldMapBuilder { nodes: vec![Node::default()], scopes: Vec::new() }
    }

    /// What whoever reads bodies by this map keeps with it: one value of one type, made when it is first asked for. `None`
    /// when a value of another type is kept. It is no part of the map, and a copy of the map has none.
    #[must_use]
    pub fn memo<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        self.memo.0.get_or_init(|| Box::new(T::default())).downcast_ref()
    }

    /// The node of the whole body.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        self.root
    }

    /// The map of what lies at a node, as a body of its own. Nodes keep their ids and their paths. It costs next to nothing:
    /// a body may ask for one with each of its strings.
    #[must_use]
    pub fn below(&self, node: NodeId) -> Self {
        Self { root: node, ..self.clone() }
    }

    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// The node of a member of an object: the member's own, else the wildcard's; `None` when undeclared.
    #[must_use]
    pub fn member(&self, of: NodeId, name: &str) -> Option<NodeId> {
        self.member_bytes(of, name.as_bytes())
    }

    /// [`member`](Self::member), by the name's bytes. Bytes that are no UTF-8 are the name of no declared member.
    #[must_use]
    #[inline]
    pub fn member_bytes(&self, of: NodeId, name: &[u8]) -> Option<NodeId> {
        let node = self.node(of)?;
        node.members.find(name).or(node.any)
    }

    /// The node of an array's elements; `None` when undeclared.
    #[must_use]
    #[inline]
    pub fn items(&self, of: NodeId) -> Option<NodeId> {
        self.node(of)?.items
    }

    /// Whether the map expects an object here: some member is declared, by name or by wildcard.
    #[must_use]
    #[inline]
    pub fn has_members(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|n| !n.children.is_empty() || n.any.is_some())
    }

    /// Whether some list of the body is declared as records, or the body as one.
    #[must_use]
    pub fn has_records(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// How a string is written whose inside is declared at this node, or whose text is a leaf's value.
    #[must_use]
    pub fn wrap_at(&self, id: NodeId) -> Option<Wrap> {
        self.node(id)?.wrap
    }

    /// Whether `null` stands in the place of a value of this leaf that is withheld, instead of nothing. Who is a record of
    /// a list of names is left out all the same.
    #[must_use]
    #[inline]
    pub fn is_null_when_withheld(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|n| n.null_when_withheld) && self.names_itself_at(id).is_none()
    }

    /// The data classes of which a `null` is a value that stands here instead of the object or array that is declared: those of
    /// everything declared below. `None` where it is none: a leaf, the whole body, a string whose inside is declared, or
    /// where records are declared at it or below it.
    #[must_use]
    #[inline]
    pub fn null_of(&self, id: NodeId) -> Option<&[ClassId]> {
        self.node(id)?.null_of.as_deref()
    }

    /// Whether something is declared inside of a string.
    #[must_use]
    pub const fn has_wraps(&self) -> bool {
        self.wraps
    }

    /// What the node carries as a leaf.
    #[must_use]
    #[inline]
    pub fn field(&self, id: NodeId) -> Option<Field> {
        self.node(id)?.leaf
    }

    /// The data class that the node carries as a leaf.
    #[must_use]
    #[inline]
    pub fn class(&self, id: NodeId) -> Option<ClassId> {
        match self.field(id)? {
            Field::Class(class, _) => Some(class),
            Field::Open => None,
        }
    }

    /// What is declared of the value at the end of these names, each of a member of the one before: the leaf there, or of a list's
    /// elements there, or one above that covers everything below it; `None` when undeclared.
    #[must_use]
    pub fn field_at(&self, names: &[String]) -> Option<Field> {
        let step = |at, name: &String| {
            if self.covers_subtree(at) { Some(at) } else { self.member(at, name) }
        };
        let at = names.iter().try_fold(self.root, step)?;
        self.field(at).or_else(|| self.field(self.items(at)?))
    }

    /// Whether a leaf covers objects and everything below them (`path.**`); otherwise it covers a scalar, or an
    /// array of scalars, and a deeper structure under it is undeclared.
    #[must_use]
    #[inline]
    pub fn covers_subtree(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|n| n.subtree)
    }

    /// The record scope that begins at each object of this node, if one does.
    #[must_use]
    #[inline]
    pub fn scope_at(&self, id: NodeId) -> Option<ScopeId> {
        self.node(id)?.scope
    }

    /// The record scope whose records are the scalars of this node, each the name of its own subject.
    #[must_use]
    #[inline]
    pub fn names_itself_at(&self, id: NodeId) -> Option<ScopeId> {
        self.scope_at(id).filter(|scope| self.scope(*scope).is_some_and(|s| s.subject.is_empty()))
    }

    /// A record scope; `None` for [`ScopeId::REQUEST`].
    #[must_use]
    #[inline]
    pub fn scope(&self, id: ScopeId) -> Option<&RecordScope> {
        id.index().checked_sub(1).and_then(|at| self.scopes.get(at))
    }

    /// The path of a node as the bundle writes it, for evidence: `rows[].email`.
    #[must_use]
    pub fn path(&self, id: NodeId) -> &str {
        self.node(id).map_or("", |n| &n.path)
    }

    /// Every node, in the order of their positions.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..).take(self.nodes.len()).map(NodeId)
    }

    /// Every leaf with its path, in no particular order.
    pub fn leaves(&self) -> impl Iterator<Item = (&str, Field)> {
        self.nodes.iter().filter_map(|n| Some((&*n.path, n.leaf?)))
    }

    /// Whether some leaf holds a data class.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.leaves().any(|(_, f)| matches!(f, Field::Class(..)))
    }
}
