//! The members of a node by name: read for every member of every body, written once.

use std::collections::BTreeMap;

use crate::NodeId;

/// The first eight bytes of a name, which tell most names apart.
fn head(name: &[u8]) -> u64 {
    match name.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => name.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    }
}

/// So many are looked through one by one.
const FEW: usize = 16;

/// The members, sorted by the heads of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(Vec<(u64, Box<str>, NodeId)>);

impl Members {
    pub(crate) fn new(children: &BTreeMap<Box<str>, NodeId>) -> Self {
        let mut all: Vec<_> =
            children.iter().map(|(name, node)| (head(name.as_bytes()), name.clone(), *node)).collect();
        all.sort_by_key(|(head, ..)| *head);
        Self(all)
    }

    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<NodeId> {
        let head = head(name);
        let from = if self.0.len() > FEW { self.0.partition_point(|(there, ..)| *there < head) } else { 0 };
        for (there, full, node) in self.0.get(from..)? {
            if *there == head && full.as_bytes() == name {
                return Some(*node);
            }
            if *there > head {
                break;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{Field, FieldMap};

    #[test]
    fn names_are_found_whole_and_not_by_their_heads() {
        let names = [
            "",
            "a",
            "b",
            "a\0",
            "address1",
            "address1 ",
            "address12",
            "address2",
            "\u{e9}\u{e9}\u{e9}\u{e9}x",
        ];
        let mut map = FieldMap::builder();
        for name in names.iter().filter(|name| !name.is_empty()) {
            map = map.leaf(name, Field::Open).unwrap();
        }
        let map = map.build();
        for name in names.iter().chain(&[
            "address",
            "address123",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
            "\u{e9}\u{e9}\u{e9}\u{e9}y",
        ]) {
            let found = map.member(map.root(), name).map(|node| map.path(node));
            let declared = names.contains(name) && !name.is_empty();
            assert_eq!(found, declared.then_some(*name), "{name:?}");
        }
    }
}
