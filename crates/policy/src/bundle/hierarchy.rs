//! Hierarchies of dotted keys.

use std::collections::BTreeMap;

use super::derived::Derived;
use crate::engine::Hashed;

/// A key with its parents, and what replaced it if it is no longer to be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    parents: Vec<String>,
    replaced_by: Option<String>,
}

/// A hierarchy of dotted keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    entries: BTreeMap<String, Entry>,
    /// The keys above each, nearest first.
    above: Derived<Hashed<String, Vec<String>>>,
}

impl Hierarchy {
    pub(super) fn add(&mut self, key: &str, further: impl IntoIterator<Item = String>) {
        self.above.forget();
        let dotted = key.rsplit_once('.').map(|(head, _)| head.to_owned());
        let entry = self.entries.entry(key.to_owned()).or_default();
        for parent in dotted.into_iter().chain(further) {
            if !entry.parents.contains(&parent) {
                entry.parents.push(parent);
            }
        }
    }

    /// States that a key is no longer to be used.
    pub(super) fn replace(&mut self, key: &str, new: &str) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.replaced_by = Some(new.to_owned());
        }
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.all_above().contains_key(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The key that replaced one.
    pub(super) fn replaced_by(&self, key: &str) -> Option<&str> {
        self.entries.get(key)?.replaced_by.as_deref()
    }

    /// The keys above one, nearest first, without itself.
    pub(crate) fn ancestors(&self, key: &str) -> Vec<&str> {
        self.above(key).iter().map(String::as_str).collect()
    }

    fn above(&self, key: &str) -> &[String] {
        self.all_above().get(key).map_or(&[], Vec::as_slice)
    }

    fn all_above(&self) -> &Hashed<String, Vec<String>> {
        self.above.get_or(|| {
            let above = |key: &String| self.climb(key).into_iter().map(str::to_owned).collect();
            self.entries.keys().map(|key| (key.clone(), above(key))).collect()
        })
    }

    fn climb(&self, key: &str) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        let mut at = 0;
        let parents = |k: &str| self.entries.get(k).map_or(&[][..], |e| &e.parents[..]);
        out.extend(parents(key).iter().map(String::as_str));
        while let Some(next) = out.get(at).copied() {
            at += 1;
            for parent in parents(next) {
                if !out.contains(&parent.as_str()) {
                    out.push(parent);
                }
            }
        }
        out
    }

    /// The keys below one, without itself.
    pub(crate) fn descendants(&self, key: &str) -> Vec<&str> {
        self.keys().filter(|k| *k != key && self.is_within(k, key)).collect()
    }

    pub(crate) fn is_within(&self, key: &str, above: &str) -> bool {
        key == above || self.above(key).iter().any(|there| there == above)
    }

    pub(crate) fn touches(&self, key: &str, other: &str) -> bool {
        self.is_within(key, other) || self.is_within(other, key)
    }
}
