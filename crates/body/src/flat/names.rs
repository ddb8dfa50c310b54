//! Names of a form's fields or a table's columns, as paths of the map.

use consentry_model::{Field, FieldMap, NodeId};

/// What the map says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    /// What it carries; nothing when what lies in it is declared instead.
    pub(crate) field: Option<Field>,
    /// Whether the name may come more than once.
    pub(crate) many: bool,
}

impl Place {
    /// Looks a name up: `a.b` is the path `a.b`; `a` and `a[]` are both the path `a[]`, where that is declared. A bracket
    /// anywhere else means something to somebody, and nothing here.
    pub(crate) fn find(map: &FieldMap, name: &str) -> Option<Self> {
        let (path, listed) = name.strip_suffix("[]").map_or((name, false), |path| (path, true));
        let node = Self::node(map, path)?;
        let covered = map.covers_subtree(node);
        let field = map.field(node);
        if field.is_some() {
            // A list may be spelled where everything is declared; it is one where it is declared as such.
            return (covered || !listed).then_some(Self { node, field, many: false });
        }
        match map.items(node) {
            Some(items) if map.field(items).is_some() => {
                Some(Self { node: items, field: map.field(items), many: true })
            }
            _ if map.has_members(node) && !listed => Some(Self { node, field: None, many: false }),
            _ => None,
        }
    }

    /// Looks up the name of a JSON text, which is read as the member of that name: an object or a list as a whole, from its
    /// root on. `a[]` is an element of `a`.
    pub(crate) fn find_json(map: &FieldMap, name: &str) -> Option<Self> {
        let found = if name.ends_with("[]") {
            Self::find(map, name)
        } else {
            Self::node(map, name).map(|node| Self { node, field: None, many: false })
        };
        found.map(|place| Self { field: None, ..place })
    }

    fn node(map: &FieldMap, path: &str) -> Option<NodeId> {
        if path.contains(['[', ']']) {
            return None;
        }
        let mut node = map.root();
        let mut covered = map.covers_subtree(node);
        for segment in path.split('.') {
            if segment.is_empty() {
                return None;
            }
            if !covered {
                node = map.member(node, segment)?;
                covered = map.covers_subtree(node);
            }
        }
        Some(node)
    }
}

/// The names of one body so far, to notice a second of the same: `a[]` is another spelling of `a`. With each is kept whether
/// it may come more than once.
#[derive(Debug, Default)]
pub(crate) struct Places(std::collections::HashMap<Box<str>, bool>);

impl Places {
    /// Adds a name; `false` when it is there already and either may come once alone.
    pub(crate) fn insert(&mut self, name: &str, place: Option<Place>) -> bool {
        let many = place.is_some_and(|place| place.many);
        let before = self.0.insert(name.strip_suffix("[]").unwrap_or(name).into(), many);
        before.is_none_or(|before| before && many)
    }

    /// Whether one name lies below another, as `a.b` does below `a`: a part may hold what others name.
    pub(crate) fn overlap(&self) -> bool {
        let mut names: Vec<&str> = self.0.keys().map(|name| &**name).collect();
        // Segment by segment: between a name and those below it there is nothing else.
        names.sort_unstable_by(|a, b| a.split('.').cmp(b.split('.')));
        let below =
            |(name, next): (&&str, &&str)| next.strip_prefix(*name).is_some_and(|r| r.starts_with('.'));
        names.iter().zip(names.iter().skip(1)).any(below)
    }
}

#[cfg(test)]
mod tests {
    use consentry_model::{ClassId, Ladder};

    use super::*;

    #[test]
    fn law_1_a_name_is_a_path_that_is_declared_or_nothing() {
        let class = Field::Class(ClassId(0), Ladder::default());
        let map = FieldMap::builder().leaf("a.b", class).unwrap().leaf("tags[]", Field::Open).unwrap();
        let map = map.leaf("any.**", class).unwrap().leaf("plain", Field::Open).unwrap().build();
        for (name, found) in [
            ("a.b", Some((Some(class), false))),
            ("a", Some((None, false))),
            ("tags[]", Some((Some(Field::Open), true))),
            ("tags", Some((Some(Field::Open), true))),
            ("plain", Some((Some(Field::Open), false))),
            ("any.x.y", Some((Some(class), false))),
            ("any.x[]", Some((Some(class), false))),
            ("any", Some((Some(class), false))),
            ("plain[]", None),
            ("a.b[]", None),
            ("a[]", None),
            ("a[b]", None),
            ("any[x]", None),
            ("any..x", None),
            ("tags[0]", None),
            ("tags[][]", None),
            ("a..b", None),
            (".a", None),
            ("A.b", None),
            ("a.b ", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(Place::find(&map, name).map(|p| (p.field, p.many)), found, "{name}");
        }
    }
    #[test]
    fn law_1_a_name_below_another_is_noticed_in_either_order() {
        for (names, overlap) in [
            (&["o", "o.x"][..], true),
            (&["o.x.y", "a", "o!", "o.x", "o-"], true),
            (&["o", "o!.x", "o-", "o.x.y.z"], true),
            (&["o[]", "o.x"], true),
            (&["o", "o.x[]"], true),
            (&["o", "o."], true),
            (&["", ".x"], true),
            (&["o", "ox", "O.x", "a.o", "o!.x"], false),
            (&["o.x", "o.y", "o.x!"], false),
            (&["o", "o[x]"], false),
            (&["o"], false),
            (&[], false),
        ] {
            let (mut places, mut back) = (Places::default(), Places::default());
            names.iter().for_each(|name| _ = places.insert(name, None));
            names.iter().rev().for_each(|name| _ = back.insert(name, None));
            assert_eq!((places.overlap(), back.overlap()), (overlap, overlap), "{names:?}");
        }
    }
    #[test]
    fn law_1_a_name_comes_once_in_whatever_spelling() {
        let map =
            FieldMap::builder().leaf("tags[]", Field::Open).unwrap().leaf("any.**", Field::Open).unwrap();
        let map = map.build();
        for (names, all) in [
            (&["any.x", "any.y", "any[]"][..], true),
            (&["tags", "tags[]", "tags[]"], true),
            (&["any.x", "any.x"], false),
            (&["any.x", "any.x[]"], false),
            (&["any.x[]", "any.x"], false),
            (&["any.x[]", "any.x[]"], false),
            (&["x", "x[]"], false),
            (&["x[]", "x[]"], false),
        ] {
            let mut places = Places::default();
            assert_eq!(
                names.iter().all(|name| places.insert(name, Place::find(&map, name))),
                all,
                "{names:?}"
            );
        }
    }
}
