//! The Merkle tree of RFC 6962 over the records, kept as a compact range: one hash per set bit of its size.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 of a zero byte and the record as stored.
#[must_use]
pub fn leaf_hash(record: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(record).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A growing tree of which only the roots of its complete subtrees are kept, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompactTree {
    size: u64,
    subtrees: Vec<Hash>,
}

impl CompactTree {
    /// How many leaves there are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            node = node_hash(&left, &node);
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    /// The root; of the empty tree, the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut rest = self.subtrees.iter().rev();
        match rest.next() {
            None => Sha256::digest([]).into(),
            Some(last) => rest.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use consentry_model::hex;

    /// The definition of RFC 6962, section 2.1, word by word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            more => {
                let split = more.len().next_power_of_two() / 2;
                node_hash(&naive(&more[..split]), &naive(&more[split..]))
            }
        }
    }

    proptest! {
        #[test]
        fn the_compact_tree_is_the_recursive_tree(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..300)) {
            let leaves: Vec<Hash> = records.iter().map(|r| leaf_hash(r)).collect();
            let mut tree = CompactTree::default();
            for (n, leaf) in leaves.iter().enumerate() {
                prop_assert_eq!(tree.root(), naive(&leaves[..n]));
                tree.push(*leaf);
            }
            prop_assert_eq!(tree.root(), naive(&leaves));
            prop_assert_eq!(tree.size(), leaves.len() as u64);
        }
    }

    #[test]
    fn known_roots() {
        let mut tree = CompactTree::default();
        assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        tree.push(leaf_hash(b""));
        assert_eq!(hex(&tree.root()), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
