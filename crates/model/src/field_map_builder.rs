//! Builds a map path by path.

use crate::field_map::{FieldMap, Memo, Node};
use crate::fields::{ClassId, Field, NodeId, PathError, RecordScope, ScopeId, Wrap};
use crate::member::Members;

/// Builds a [`FieldMap`] path by path.
#[derive(Clone, Debug)]
pub struct FieldMapBuilder {
    /// The first is the whole body's.
    pub(crate) nodes: Vec<Node>,
    pub(crate) scopes: Vec<RecordScope>,
}

const ROOT: NodeId = NodeId(0);
/// Of more classes than this no `null` is a value.
const NULL_CLASSES_MAX: usize = 16;

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
        let (path_to, subtree) = head(path);
        let at = self.walk(path_to)?;
        let node = self.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.leaf.is_some_and(|there| there != field || node.subtree != subtree) {
            return Err(PathError::Twice);
        }
        if !node.children.is_empty()
            || node.any.is_some()
            || node.items.is_some()
            || node.wrap.is_some_and(|wrap| subtree || is_json(wrap))
        {
            return Err(PathError::Overlap);
        }
        node.leaf = Some(field);
        node.subtree = subtree;
        Ok(self)
    }

    /// Declares that the strings at a path hold what is declared below it, or the leaf's value, in this way. A leaf's value
    /// is a text, and no JSON.
    ///
    /// # Errors
    /// When the path is not one, or was given before, or leads to a leaf and the strings hold JSON, or to one that covers
    /// everything below.
    pub fn wrapped(mut self, path: &str, wrap: Wrap) -> Result<Self, PathError> {
        let at = self.walk(path)?;
        let node = self.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.leaf.is_some() && (node.subtree || is_json(wrap)) {
            return Err(PathError::Overlap);
        }
        if path.is_empty() || node.wrap.replace(wrap).is_some() {
            return Err(if path.is_empty() { PathError::Syntax } else { PathError::Twice });
        }
        Ok(self)
    }

    /// Declares that `null` stands where a value of the leaf at this path is withheld. Whoever receives it learns that
    /// there is one.
    ///
    /// # Errors
    /// When the path is the whole body's, or has no leaf.
    pub fn null_when_withheld(mut self, path: &str) -> Result<Self, PathError> {
        let at = self.walk_to_leaf(path)?;
        let node = self.nodes.get_mut(at.0 as usize).filter(|node| at != ROOT && node.leaf.is_some());
        node.ok_or(PathError::Syntax)?.null_when_withheld = true;
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
        let id = ScopeId(u16::try_from(self.scopes.len() + 1).map_err(|_| PathError::Syntax)?);
        let node = self.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
        if node.scope.is_some() {
            return Err(PathError::Twice);
        }
        node.scope = Some(id);
        self.scopes.push(scope);
        Ok(self)
    }

    /// The finished map.
    #[must_use]
    pub fn build(mut self) -> FieldMap {
        for node in &mut self.nodes {
            node.members = Members::new(&node.children);
        }
        note_nulls(&mut self.nodes);
        let Self { nodes, scopes } = self;
        let wraps = nodes.iter().any(|node| node.wrap.is_some());
        FieldMap { root: ROOT, nodes: nodes.into(), scopes: scopes.into(), wraps, memo: Memo::default() }
    }

    /// The node of a leaf that is there.
    fn walk_to_leaf(&mut self, path: &str) -> Result<NodeId, PathError> {
        let (path_to, _) = head(path);
        let mut at = ROOT;
        for step in steps(path_to)? {
            let node = self.nodes.get(at.0 as usize).ok_or(PathError::Syntax)?;
            let next = match step {
                Step::Name(name) => node.children.get(name).copied(),
                Step::Any => node.any,
                Step::Items => node.items,
            };
            at = next.ok_or(PathError::Syntax)?;
        }
        Ok(at)
    }

    fn walk(&mut self, path: &str) -> Result<NodeId, PathError> {
        let mut at = ROOT;
        for step in steps(path)? {
            at = self.child(at, &step)?;
        }
        Ok(at)
    }

    fn child(&mut self, at: NodeId, step: &Step<'_>) -> Result<NodeId, PathError> {
        let next = NodeId(u32::try_from(self.nodes.len()).map_err(|_| PathError::Syntax)?);
        let node = self.nodes.get_mut(at.0 as usize).ok_or(PathError::Syntax)?;
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
            self.nodes.push(Node { path, ..Node::default() });
        }
        Ok(found)
    }
}

/// Notes of what a `null` is a value, from the innermost nodes outwards: each comes after the one in which it stands.
fn note_nulls(nodes: &mut [Node]) {
    let mut below: Vec<Option<Vec<ClassId>>> = vec![None; nodes.len()];
    for (at, node) in nodes.iter_mut().enumerate().rev() {
        let all = of_null(node, &below);
        if node.leaf.is_none() && at != ROOT.0 as usize {
            node.null_of = all.clone().map(Vec::into_boxed_slice);
        }
        if let Some(place) = below.get_mut(at) {
            *place = all;
        }
    }
}

/// The classes of everything at a node and below it, of which those below are known.
fn of_null(node: &Node, below: &[Option<Vec<ClassId>>]) -> Option<Vec<ClassId>> {
    if node.scope.is_some() || node.wrap.is_some() {
        return None;
    }
    match node.leaf {
        Some(Field::Open) => return Some(Vec::new()),
        Some(Field::Class(class, _)) => return Some(vec![class]),
        None => {}
    }
    let mut inner = node.children.values().chain(&node.any).chain(&node.items).peekable();
    inner.peek()?;
    let mut all = Vec::new();
    for id in inner {
        all.extend(below.get(id.0 as usize)?.as_ref()?);
        all.sort_unstable();
        all.dedup();
    }
    (all.len() <= NULL_CLASSES_MAX).then_some(all)
}

const fn is_json(wrap: Wrap) -> bool {
    match wrap {
        Wrap::Json | Wrap::Base64Json => true,
        Wrap::Base64 => false,
    }
}

/// A path without what says that it covers everything below, and whether it said so.
fn head(path: &str) -> (&str, bool) {
    match path.strip_suffix(".**") {
        Some(head) => (head, true),
        None if path == "**" => ("", true),
        None => (path, false),
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
    use crate::{ClassId, Emptied, Ladder, Space};

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
        // A body may ask for a map with each of its strings: nothing is copied.
        assert!(std::ptr::eq(inner.path(email), map.path(email)));
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
    fn law_1_the_text_of_a_leaf_is_no_json() {
        for (leaf, path, wrap, refused) in [
            ("doc", "doc", Wrap::Json, true),
            ("doc", "doc", Wrap::Base64Json, true),
            ("doc.**", "doc", Wrap::Json, true),
            ("doc.*", "doc.*", Wrap::Json, true),
            ("doc[]", "doc[]", Wrap::Base64Json, true),
            ("**", "", Wrap::Json, true),
            ("doc.**", "doc", Wrap::Base64, true),
            ("doc", "doc", Wrap::Base64, false),
            ("doc[]", "doc[]", Wrap::Base64, false),
            ("doc[]", "doc", Wrap::Json, false),
            ("doc.*", "doc", Wrap::Base64Json, false),
            ("doc.a.**", "doc", Wrap::Json, false),
        ] {
            for field in [Field::Open, class(1)] {
                let map = FieldMap::builder;
                let leaf_first = map().leaf(leaf, field).and_then(|b| b.wrapped(path, wrap));
                let wrap_first = map().wrapped(path, wrap).and_then(|b| b.leaf(leaf, field));
                assert_eq!((leaf_first.is_err(), wrap_first.is_err()), (refused, refused), "{leaf} {path}");
            }
        }
    }

    #[test]
    fn null_stands_for_leaves_that_are_there_and_for_no_whole_body() {
        let map = || FieldMap::builder().leaf("a.b[]", class(1)).unwrap().leaf("c.**", class(2)).unwrap();
        let built = map().null_when_withheld("a.b[]").unwrap().null_when_withheld("c.**").unwrap().build();
        let at = |name| built.member(built.root(), name).unwrap();
        let items = built.items(built.member(at("a"), "b").unwrap()).unwrap();
        let said: Vec<bool> = [at("a"), items, at("c")].map(|id| built.is_null_when_withheld(id)).into();
        assert_eq!(said, [false, true, true]);
        for path in ["", "**", "a", "a.b", "d", "a..b"] {
            assert!(map().null_when_withheld(path).is_err(), "{path}");
        }
        let whole = FieldMap::builder().leaf("**", class(1)).unwrap();
        assert_eq!(whole.null_when_withheld("**").unwrap_err(), PathError::Syntax);
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
