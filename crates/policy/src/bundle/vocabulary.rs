//! The keys that may be used: purposes, categories, subject types, recipient classes.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{
    Category, Ladder, Lineage, MaskForm, Purpose, RecipientClass, SubjectType, TruncateForm,
    VocabularyRevision,
};
use sha2::{Digest, Sha256};

use crate::text::{Node, Reader};

const PURPOSES: &str = include_str!("../../vocabulary/data_uses.tsv");
const CATEGORIES: &str = include_str!("../../vocabulary/data_categories.tsv");
const SUBJECTS: &str = include_str!("../../vocabulary/data_subjects.tsv");
const ADDITIONS: &str = include_str!("../../vocabulary/additions.tsv");
const LADDERS: &str = include_str!("../../vocabulary/ladders.tsv");

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
}

impl Hierarchy {
    fn add(&mut self, key: &str, further: impl IntoIterator<Item = String>) {
        let dotted = key.rsplit_once('.').map(|(head, _)| head.to_owned());
        let entry = self.entries.entry(key.to_owned()).or_default();
        for parent in dotted.into_iter().chain(further) {
            if !entry.parents.contains(&parent) {
                entry.parents.push(parent);
            }
        }
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn replaced_by(&self, key: &str) -> Option<&str> {
        self.entries.get(key)?.replaced_by.as_deref()
    }

    /// The keys above one, nearest first, without itself.
    pub(crate) fn ancestors(&self, key: &str) -> Vec<&str> {
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
        self.keys().filter(|k| *k != key && self.ancestors(k).contains(&key)).collect()
    }

    pub(crate) fn is_within(&self, key: &str, above: &str) -> bool {
        key == above || self.ancestors(key).contains(&above)
    }

    pub(crate) fn touches(&self, key: &str, other: &str) -> bool {
        self.is_within(key, other) || self.is_within(other, key)
    }
}

/// Every key that a bundle may use: the shipped vocabulary and the bundle's additions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    pub(crate) purposes: Hierarchy,
    pub(crate) categories: Hierarchy,
    pub(crate) recipients: Hierarchy,
    pub(crate) subjects: BTreeSet<String>,
    ladders: BTreeMap<String, Ladder>,
    additions: BTreeSet<String>,
}

impl Vocabulary {
    /// The shipped vocabulary without any addition.
    #[must_use]
    pub fn shipped() -> Self {
        let mut out = Self {
            purposes: table(PURPOSES),
            categories: table(CATEGORIES),
            recipients: Hierarchy::default(),
            subjects: rows(SUBJECTS).filter_map(|r| r.first().map(|k| (*k).to_owned())).collect(),
            ladders: ladders(),
            additions: BTreeSet::new(),
        };
        for row in rows(ADDITIONS) {
            match row[..] {
                ["purpose", key] => out.purposes.add(key, None),
                ["category", key] => out.categories.add(key, None),
                _ => {}
            }
        }
        for class in RecipientClass::ALL {
            let above = (class.is_external() && class != RecipientClass::External)
                .then(|| RecipientClass::External.code().to_owned());
            out.recipients.add(class.code(), above);
        }
        out
    }

    /// Reads a bundle's `vocabulary` section into this vocabulary.
    pub(crate) fn extend(&mut self, node: &Node, reader: &mut Reader) {
        let keys = ["purposes", "categories", "subjects", "recipients"];
        let Some(section) = reader.object(node, &keys, "vocabulary") else { return };
        for (name, dotted) in [("purposes", true), ("categories", true), ("recipients", false)] {
            let Some(entries) = section.get(name).and_then(|n| reader.mapping(n)) else { continue };
            for (key, span, value) in entries.entries() {
                let parents = addition_parents(value, reader);
                if dotted && Purpose::new(key).is_err() {
                    reader.error(
                        "not-a-key",
                        *span,
                        format!(
                            "`{key}` is not a key: small letters, digits and `_`, in parts divided by dots"
                        ),
                    );
                    continue;
                }
                let dotted_parent = dotted.then(|| key.rsplit_once('.')).flatten().map(|(head, _)| head);
                let hierarchy = match name {
                    "purposes" => &mut self.purposes,
                    "categories" => &mut self.categories,
                    _ => &mut self.recipients,
                };
                if hierarchy.contains(key) {
                    // New parents would put what is permitted above it within reach.
                    reader.error("defined-twice", *span, format!("the vocabulary has `{key}` already"));
                    continue;
                }
                if !dotted && parents.is_empty() {
                    reader.error_help(
                        "key-missing",
                        *span,
                        format!("the recipient class `{key}` needs `parents`"),
                        "neither inside nor outside",
                        "say what it is a kind of, for example `{parents: [third_party]}`",
                    );
                    continue;
                }
                for parent in dotted_parent.into_iter().chain(parents.iter().map(String::as_str)) {
                    if !hierarchy.contains(parent) {
                        let known = hierarchy.keys().map(str::to_owned).collect::<Vec<_>>();
                        let known = known.iter().map(String::as_str);
                        reader.unknown("unknown-parent", *span, "parent", parent, known);
                    }
                }
                hierarchy.add(key, parents);
                self.additions.insert(format!("{name} {key}"));
            }
        }
        if let Some(subjects) = section.get("subjects") {
            for (subject, _) in reader.words(subjects) {
                self.subjects.insert(subject.to_owned());
                self.additions.insert(format!("subjects {subject}"));
            }
        }
    }

    /// SHA-256 over the shipped tables and the additions, in hex.
    #[must_use]
    pub fn revision(&self) -> VocabularyRevision {
        let mut hasher = Sha256::new();
        for text in [PURPOSES, CATEGORIES, SUBJECTS, ADDITIONS, LADDERS] {
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        for addition in &self.additions {
            hasher.update(addition.as_bytes());
            hasher.update([0]);
        }
        VocabularyRevision::new(&super::hex(&hasher.finalize()))
    }

    /// A purpose with everything above and below it; `None` when the vocabulary does not know it.
    #[must_use]
    pub fn lineage(&self, purpose: &Purpose) -> Option<Lineage> {
        let key = purpose.as_str();
        if !self.purposes.contains(key) {
            return None;
        }
        let read = |keys: Vec<&str>| keys.into_iter().filter_map(|k| Purpose::new(k).ok()).collect();
        let (above, below) = (self.purposes.ancestors(key), self.purposes.descendants(key));
        Some(Lineage::new(purpose.clone(), read(above), read(below)))
    }

    /// Whether a purpose is another or stands below it, by any of its parents.
    #[must_use]
    pub fn covers(&self, above: &Purpose, purpose: &Purpose) -> bool {
        self.purposes.contains(purpose.as_str()) && self.purposes.is_within(purpose.as_str(), above.as_str())
    }

    /// Whether the recipient named `name` is `above` or belongs to it.
    #[must_use]
    pub fn recipient_is(&self, name: &str, above: &str) -> bool {
        self.recipients.contains(name) && self.recipients.is_within(name, above)
    }

    /// The treatments that a category knows between clear and withheld: its own, or its nearest ancestor's.
    #[must_use]
    pub fn ladder(&self, category: &Category) -> Ladder {
        let key = category.as_str();
        let above = self.categories.ancestors(key);
        std::iter::once(key).chain(above).find_map(|k| self.ladders.get(k).copied()).unwrap_or_default()
    }

    /// Whether the vocabulary knows a purpose.
    #[must_use]
    pub fn knows_purpose(&self, purpose: &Purpose) -> bool {
        self.purposes.contains(purpose.as_str())
    }

    pub(crate) fn add_recipient(&mut self, name: &str, class: &str) {
        self.recipients.add(name, Some(class.to_owned()));
    }

    /// Reads a purpose; `any` is the caller's.
    pub(crate) fn purpose(
        &self,
        word: &str,
        span: crate::text::Span,
        reader: &mut Reader,
    ) -> Option<Purpose> {
        if !self.purposes.contains(word) {
            reader.unknown("unknown-purpose", span, "purpose", word, self.purposes.keys());
            return None;
        }
        self.warn_deprecated(&self.purposes, word, span, reader);
        Purpose::new(word).ok()
    }

    /// Reads a category.
    pub(crate) fn category(
        &self,
        word: &str,
        span: crate::text::Span,
        reader: &mut Reader,
    ) -> Option<Category> {
        if !self.categories.contains(word) {
            reader.unknown("unknown-category", span, "data category", word, self.categories.keys());
            return None;
        }
        self.warn_deprecated(&self.categories, word, span, reader);
        Category::new(word).ok()
    }

    /// Reads a subject type.
    pub(crate) fn subject(
        &self,
        word: &str,
        span: crate::text::Span,
        reader: &mut Reader,
    ) -> Option<SubjectType> {
        if !self.subjects.contains(word) {
            let known = self.subjects.iter().map(String::as_str);
            reader.unknown("unknown-subject-type", span, "subject type", word, known);
            return None;
        }
        Some(SubjectType::new(word))
    }

    fn warn_deprecated(
        &self,
        hierarchy: &Hierarchy,
        word: &str,
        span: crate::text::Span,
        reader: &mut Reader,
    ) {
        if let Some(new) = hierarchy.replaced_by(word) {
            reader.warning("deprecated-key", span, format!("`{word}` was replaced by `{new}`"));
        }
    }
}

fn addition_parents(node: &Node, reader: &mut Reader) -> Vec<String> {
    let Some(entry) = reader.object(node, &["parents"], "a vocabulary addition") else { return Vec::new() };
    let Some(parents) = entry.get("parents") else { return Vec::new() };
    reader.words(parents).into_iter().map(|(word, _)| word.to_owned()).collect()
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

fn table(text: &'static str) -> Hierarchy {
    let mut out = Hierarchy::default();
    for row in rows(text) {
        let Some(key) = row.first() else { continue };
        out.add(key, None);
        if let (Some(&"deprecated"), Some(new)) = (row.get(2), row.get(3))
            && let Some(entry) = out.entries.get_mut(*key)
        {
            entry.replaced_by = Some((*new).to_owned());
        }
    }
    out
}

fn ladders() -> BTreeMap<String, Ladder> {
    let mut out = BTreeMap::new();
    for row in rows(LADDERS) {
        let [key, truncated, masked] = row[..] else { continue };
        let truncated = match truncated {
            "ip" => Some(TruncateForm::Ip),
            "date" => Some(TruncateForm::Date),
            "postcode" => Some(TruncateForm::Postcode),
            _ => None,
        };
        let masked = match masked {
            "email" => Some(MaskForm::Email),
            "last_four" => Some(MaskForm::LastFour),
            "initials" => Some(MaskForm::Initials),
            _ => None,
        };
        out.insert(key.to_owned(), Ladder { truncated, masked });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_are_whole() {
        let vocabulary = Vocabulary::shipped();
        for hierarchy in [&vocabulary.purposes, &vocabulary.categories] {
            for key in hierarchy.keys() {
                assert!(Purpose::new(key).is_ok(), "{key}");
                for parent in hierarchy.ancestors(key) {
                    assert!(hierarchy.contains(parent), "{parent} above {key}");
                }
            }
        }
        assert_eq!(vocabulary.subjects.len(), 15);
        assert!(ladders().keys().all(|k| vocabulary.categories.contains(k)));
        assert!(vocabulary.recipient_is("third_party", "external"));
        assert!(!vocabulary.recipient_is("subject", "external"));
    }

    #[test]
    fn an_inner_key_touches_what_is_below_it() {
        let purposes = Vocabulary::shipped().purposes;
        assert!(purposes.touches("marketing", "marketing.communications.email"));
        assert!(!purposes.touches("marketing.advertising", "marketing.communications.email"));
    }
}
