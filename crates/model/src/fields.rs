//! Which field of a body carries what: the service map's answer for one direction of one route.
//!
//! A map is a small trie over JSON paths. A leaf says either *no personal datum* ([`Field::Open`]) or a data class.
//! Whatever no leaf names is undeclared, and undeclared fields never pass. Each part of the tree belongs to a *scope*:
//! the request as a whole, or the records of a list, each of which names its own subject.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use crate::member::Members;
use crate::{Ladder, Space};

/// The position of a data class in its service map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

/// The position of a node in its field map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The position of a record scope in its field map; 0 is the request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(u16);

impl ScopeId {
    /// The scope of everything outside any record: the subject that the request names.
    pub const REQUEST: Self = Self(0);

    /// The position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a leaf carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// No personal datum.
    Open,
    /// A datum of this class, with the treatments that its category knows.
    Class(ClassId, Ladder),
}

/// How what a string holds is written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrap {
    /// As JSON text.
    Json,
    /// As base64 of a text (RFC 4648, section 4).
    Base64,
    /// As base64 of a JSON text.
    Base64Json,
}

/// What becomes of a record of which no personal datum is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Emptied {
    /// It is left out.
    #[default]
    Omit,
    /// What is not personal stays.
    Keep,
}

/// A list of records, each about a subject of its own; or the body as a whole, as one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordScope {
    /// The path of the member, from the record, that names the subject; it must hold a string or an integer. Empty
    /// when each element is itself the identifier: a list of addresses. An object names nobody then.
    pub subject: Vec<Box<str>>,
    /// The identifier space of that member.
    pub space: Space,
    /// What becomes of a record of which nothing personal is left. An element that is itself the identifier goes in
    /// any case: there is nothing else to keep.
    pub emptied: Emptied,
    /// The paths of further members, from the record and through objects only, whose values bear on the decision.
    /// They need not be declared as fields.
    pub captures: Vec<Vec<Box<str>>>,
}

/// A scalar that a body holds, as far as a decision needs it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// `null`: known to be absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A string, as it reads.
    Text(Box<str>),
    /// An integer that fits.
    Int(i64),
}

/// It may be personal data, and is never printed.
impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Why a path cannot be added to a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The path is empty, has an empty segment, or `[]`, `*` or `**` in a wrong place.
    Syntax,
    /// The path was given before with another meaning.
    Twice,
    /// The path leads below or above a leaf that was given before.
    Overlap,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "a path is made of member names divided by dots; `[]` after a name stands for each element, `*` for any name, `.**` at the end for everything below",
            Self::Twice => "the path is given twice",
            Self::Overlap => "the path leads into a field that is declared as a whole",
        })
    }
}

impl std::error::Error for PathError {}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    path: String,
    children: BTreeMap<Box<str>, NodeId>,
    /// The same, for finding; made when the map is built.
    members: Members,
    any: Option<NodeId>,
    items: Option<NodeId>,
    leaf: Option<Field>,
    subtree: bool,
    scope: Option<ScopeId>,
    wrap: Option<Wrap>,
}

/// What is kept with a map.
#[derive(Default)]
struct Memo(OnceLock<Box<dyn Any + Send + Sync>>);

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
    root: NodeId,
    nodes: Vec<Node>,
    scopes: Vec<RecordScope>,
    memo: Memo,
}

impl FieldMap {
    /// Starts an empty map.
    #[must_use]
    pub fn builder() -> FieldMapBuilder {
        FieldMapBuilder {
            map: Self {
                root: NodeId(0),
                nodes: vec![Node::default()],
                scopes: Vec::new(),
                memo: Memo::default(),
            },
        }
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

    /// The map of what lies at a node, as a body of its own. Nodes keep their ids and their paths.
    #[must_use]
    pub fn below(&self, node: NodeId) -> Self {
        Self { root: node, ..self.clone() }
    }

    #[inline]
    fn node(&self, id: NodeId) -> Option<&Node> {
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

    /// Whether something is declared inside of a string.
    #[must_use]
    pub fn has_wraps(&self) -> bool {
        self.nodes.iter().any(|node| node.wrap.is_some())
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

/// Builds a [`FieldMap`] path by path.
#[derive(Clone, Debug)]
pub struct FieldMapBuilder {
    map: FieldMap,
}

enum Step<'a> {
    Name(&'a str),
    Any,
    Items,
}

impl FieldMapBuilder {
    /// Declares the leaf at a path. The path `[]` alone, or leading, stands for the elements of a root array.
    ///
    /// # Errors
    /// When the path is not one, or clashes with one given before; see [`PathError`].
    pub fn leaf(mut self, path: &str, field: Field) -> Result<Self, PathError> {
        let (path_to, subtree) = match path.strip_suffix(".**") {
            Some(head) => (head, true),
            None if path == "**" => ("", true),
            None => (path, false),
        };
        let at = self.walk(path_to)?;
        let node = self.map.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.leaf.is_some_and(|there| there != field || node.subtree != subtree) {
            return Err(PathError::Twice);
        }
        if !node.children.is_empty() || node.any.is_some() || node.items.is_some() {
            return Err(PathError::Overlap);
        }
        node.leaf = Some(field);
        node.subtree = subtree;
        Ok(self)
    }

    /// Declares that the strings at a path hold what is declared below it, or the leaf's value, in this way.
    ///
    /// # Errors
    /// When the path is not one, or was given before.
    pub fn wrapped(mut self, path: &str, wrap: Wrap) -> Result<Self, PathError> {
        let at = self.walk(path)?;
        let node = self.map.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if path.is_empty() || node.wrap.replace(wrap).is_some() {
            return Err(if path.is_empty() { PathError::Syntax } else { PathError::Twice });
        }
        Ok(self)
    }

    /// Declares that each object at `path` (which ends in `[]`) is a record about a subject of its own; the empty path
    /// makes the whole body one record. When the scope's own path is empty, each scalar at `path` is a record too.
    ///
    /// # Errors
    /// When the path is not one of array elements, or was given before, or a capture has no name.
    pub fn records(self, path: &str, scope: RecordScope) -> Result<Self, PathError> {
        let is_list = path.is_empty() || path.ends_with("[]");
        if !is_list || scope.captures.iter().any(Vec::is_empty) {
            return Err(PathError::Syntax);
        }
        self.scope(path, scope)
    }

    /// Declares that the object at `path` is one record, as the data of an event is. Its members are named from there.
    ///
    /// # Errors
    /// When the path is not one, or was given before, or a capture has no name.
    pub fn record(self, path: &str, scope: RecordScope) -> Result<Self, PathError> {
        if scope.captures.iter().any(Vec::is_empty) {
            return Err(PathError::Syntax);
        }
        self.scope(path, scope)
    }

    fn scope(mut self, path: &str, scope: RecordScope) -> Result<Self, PathError> {
        let at = self.walk(path)?;
        let id = ScopeId(u16::try_from(self.map.scopes.len() + 1).map_err(|_| PathError::Syntax)?);
        let node = self.map.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.scope.is_some() {
            return Err(PathError::Twice);
        }
        node.scope = Some(id);
        self.map.scopes.push(scope);
        Ok(self)
    }

    /// The finished map.
    #[must_use]
    pub fn build(mut self) -> FieldMap {
        for node in &mut self.map.nodes {
            node.members = Members::new(&node.children);
        }
        self.map
    }

    fn walk(&mut self, path: &str) -> Result<NodeId, PathError> {
        let mut at = self.map.root();
        for step in steps(path)? {
            at = self.child(at, &step)?;
        }
        Ok(at)
    }

    fn child(&mut self, at: NodeId, step: &Step<'_>) -> Result<NodeId, PathError> {
        let next = NodeId(u32::try_from(self.map.nodes.len()).map_err(|_| PathError::Syntax)?);
        let node = self.map.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.leaf.is_some() {
            return Err(PathError::Overlap);
        }
        let slot = match step {
            Step::Name(name) => node.children.entry((*name).into()).or_insert(next),
            Step::Any => node.any.get_or_insert(next),
            Step::Items => node.items.get_or_insert(next),
        };
        let found = *slot;
        if found == next {
            let path = match step {
                Step::Items => format!("{}[]", node.path),
                Step::Name(name) if node.path.is_empty() => (*name).to_owned(),
                Step::Name(name) => format!("{}.{name}", node.path),
                Step::Any if node.path.is_empty() => "*".to_owned(),
                Step::Any => format!("{}.*", node.path),
            };
            self.map.nodes.push(Node { path, ..Node::default() });
        }
        Ok(found)
    }
}

fn steps(path: &str) -> Result<Vec<Step<'_>>, PathError> {
    let mut out = Vec::new();
    if path.is_empty() {
        return Ok(out);
    }
    for (at, segment) in path.split('.').enumerate() {
        let name = segment.trim_end_matches("[]");
        let arrays = (segment.len() - name.len()) / 2;
        match name {
            "" if at == 0 && arrays > 0 => {}
            "" | "**" => return Err(PathError::Syntax),
            "*" => out.push(Step::Any),
            _ if name.contains(['[', ']', '*']) => return Err(PathError::Syntax),
            _ => out.push(Step::Name(name)),
        }
        out.extend((0..arrays).map(|_| Step::Items));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(n: u16) -> Field {
        Field::Class(ClassId(n), Ladder::default())
    }

    #[test]
    fn paths_that_are_none_or_that_clash_are_refused() {
        for path in ["", "a..b", "a[", "a[]b", "a.**.b", "[]..a", "a*"] {
            assert!(FieldMap::builder().leaf(path, Field::Open).is_err() || path.is_empty(), "{path}");
        }
        let map = || FieldMap::builder().leaf("a.b", class(1)).unwrap();
        assert_eq!(map().leaf("a.b", class(2)).unwrap_err(), PathError::Twice);
        assert_eq!(map().leaf("a.b.c", class(2)).unwrap_err(), PathError::Overlap);
        assert_eq!(map().leaf("a", class(2)).unwrap_err(), PathError::Overlap);
        assert!(map().leaf("a.b", class(1)).is_ok());
    }

    #[test]
    fn a_root_array_has_records_too() {
        let scope = RecordScope {
            subject: vec!["email".into()],
            space: Space::new("email"),
            emptied: Emptied::Omit,
            captures: Vec::new(),
        };
        let map =
            FieldMap::builder().leaf("[].email", class(1)).unwrap().records("[]", scope).unwrap().build();
        let row = map.items(map.root()).unwrap();
        assert!(map.scope_at(row).is_some());
        assert_eq!(map.path(map.member(row, "email").unwrap()), "[].email");
    }

    #[test]
    fn records_are_list_elements_or_the_body_and_captures_have_names() {
        let scope = |captures: &[&[&str]]| {
            let names = |path: &&[&str]| path.iter().map(|name| (*name).into()).collect();
            let captures = captures.iter().map(names).collect();
            let (subject, space) = (Vec::new(), Space::new("email"));
            RecordScope { subject, space, emptied: Emptied::Omit, captures }
        };
        for (path, captures, is_one) in [
            ("", &[][..], true),
            ("to[]", &[&["a", "b"][..]], true),
            ("to", &[], false),
            ("to[].a", &[], false),
            ("to[]", &[&["a"], &[]], false),
        ] {
            assert_eq!(FieldMap::builder().records(path, scope(captures)).is_ok(), is_one, "{path}");
        }
        let map =
            FieldMap::builder().leaf("to[]", class(1)).unwrap().records("to[]", scope(&[])).unwrap().build();
        let to = map.member(map.root(), "to").unwrap();
        assert_eq!(
            (map.names_itself_at(to), map.names_itself_at(map.items(to).unwrap())),
            (None, Some(ScopeId(1)))
        );
    }

    #[test]
    fn what_lies_at_a_node_is_a_map_of_its_own() {
        let scope = RecordScope {
            subject: vec!["id".into()],
            space: Space::new("customer"),
            emptied: Emptied::Omit,
            captures: Vec::new(),
        };
        let map = FieldMap::builder().leaf("data.email", class(1)).unwrap().leaf("id", Field::Open).unwrap();
        let map = map.record("data", scope.clone()).unwrap().build();
        let inner = map.below(map.member(map.root(), "data").unwrap());
        assert_eq!(inner.scope_at(inner.root()).and_then(|id| inner.scope(id)), Some(&scope));
        let email = inner.member(inner.root(), "email").unwrap();
        assert_eq!((inner.field(email), inner.path(email)), (Some(class(1)), "data.email"));
        assert_eq!(inner.member(inner.root(), "id"), None);
        let nameless = RecordScope { captures: vec![Vec::new()], ..scope };
        assert_eq!(FieldMap::builder().record("data", nameless).unwrap_err(), PathError::Syntax);
    }

    #[test]
    fn what_is_kept_with_a_map_is_no_part_of_it() {
        let map = FieldMap::builder().leaf("a", Field::Open).unwrap().build();
        let kept = map.memo::<std::sync::Mutex<u8>>().unwrap();
        *kept.lock().unwrap() = 7;
        let again = *map.memo::<std::sync::Mutex<u8>>().unwrap().lock().unwrap();
        assert_eq!((again, map.memo::<u8>()), (7, None));
        assert_eq!(map.clone(), map);
        assert_eq!(map.clone().memo::<u8>(), Some(&0));
    }

    #[test]
    fn a_members_own_declaration_wins_over_the_wildcard() {
        let map = FieldMap::builder()
            .leaf("tags.*", class(1))
            .unwrap()
            .leaf("tags.colour", Field::Open)
            .unwrap()
            .build();
        let tags = map.member(map.root(), "tags").unwrap();
        assert_eq!(map.field(map.member(tags, "colour").unwrap()), Some(Field::Open));
        assert_eq!(map.field(map.member(tags, "x").unwrap()), Some(class(1)));
    }
}
