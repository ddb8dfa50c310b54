//! The keys that may be used: purposes, categories, subject types, recipient classes.

use std::collections::{BTreeMap, BTreeSet};

use consentry_model::{
    Category, Ladder, Lineage, MaskForm, Purpose, RecipientClass, RecipientId, SubjectType, TruncateForm,
    VocabularyRevision,
};
use sha2::{Digest, Sha256};

use super::derived::Derived;
use super::hierarchy::Hierarchy;
use crate::engine::Hashed;
use crate::text::{Node, Reader, Span};

const PURPOSES: &str = include_str!("../../vocabulary/data_uses.tsv");
const CATEGORIES: &str = include_str!("../../vocabulary/data_categories.tsv");
const SUBJECTS: &str = include_str!("../../vocabulary/data_subjects.tsv");
const ADDITIONS: &str = include_str!("../../vocabulary/additions.tsv");
const LADDERS: &str = include_str!("../../vocabulary/ladders.tsv");

/// A sort of keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Purposes,
    Categories,
    Recipients,
}

impl Sort {
    const fn code(self) -> &'static str {
        match self {
            Self::Purposes => "purposes",
            Self::Categories => "categories",
            Self::Recipients => "recipients",
        }
    }

    const fn dotted(self) -> bool {
        !matches!(self, Self::Recipients)
    }

    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Purposes => &["parents", "aliases", "since"],
            Self::Categories => &["parents", "aliases"],
            Self::Recipients => &["parents"],
        }
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
    /// Former keys and the keys they stand for.
    aliases: BTreeMap<String, String>,
    /// With which version of the policy a purpose came.
    since: BTreeMap<String, String>,
    lineages: Derived<Hashed<String, Lineage>>,
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
            aliases: BTreeMap::new(),
            since: BTreeMap::new(),
            lineages: Derived::default(),
        };
        for row in rows(ADDITIONS) {
            match row[..] {
                ["purpose", key] => out.purposes.add(key, None),
                ["category", key] => out.categories.add(key, None),
                ["subject", key] => _ = out.subjects.insert(key.to_owned()),
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
        self.lineages.forget();
        let keys = ["purposes", "categories", "subjects", "recipients"];
        let Some(section) = reader.object(node, &keys, "vocabulary") else { return };
        for sort in [Sort::Purposes, Sort::Categories, Sort::Recipients] {
            let Some(entries) = section.get(sort.code()).and_then(|n| reader.mapping(n)) else { continue };
            for (key, span, value) in entries.entries() {
                self.addition(sort, key, *span, value, reader);
            }
        }
        if let Some(subjects) = section.get("subjects") {
            for (subject, _) in reader.words(subjects) {
                self.subjects.insert(subject.to_owned());
                self.additions.insert(format!("subjects {subject}"));
            }
        }
    }

    fn addition(&mut self, sort: Sort, key: &str, span: Span, value: &Node, reader: &mut Reader) {
        let Some(entry) = reader.object(value, sort.keys(), "a vocabulary addition") else { return };
        let named = |name: &str, reader: &mut Reader| -> Vec<String> {
            let read = entry.get(name).map(|n| reader.words(n)).unwrap_or_default();
            read.into_iter().map(|(word, _)| word.to_owned()).collect()
        };
        let (parents, aliases) = (named("parents", reader), named("aliases", reader));
        let since = entry.get("since").and_then(|n| reader.word(n)).map(str::to_owned);
        if sort.dotted() && Purpose::new(key).is_err() {
            let message =
                format!("`{key}` is not a key: small letters, digits and `_`, in parts divided by dots");
            reader.error("not-a-key", span, message);
            return;
        }
        let there = self.of(sort).contains(key);
        if there && (!parents.is_empty() || (aliases.is_empty() && since.is_none())) {
            // New parents would put what is permitted above it within reach.
            reader.error("defined-twice", span, format!("the vocabulary has `{key}` already"));
            return;
        }
        if !there && !self.add(sort, key, span, parents, reader) {
            return;
        }
        for alias in aliases {
            let taken = self.of(sort).contains(&alias) || self.aliases.contains_key(&alias);
            if taken || Purpose::new(&alias).is_err() {
                reader.error("alias-taken", span, format!("`{alias}` cannot be another name of `{key}`"));
                continue;
            }
            self.additions.insert(format!("alias {alias} {key}"));
            self.aliases.insert(alias, key.to_owned());
        }
        if let Some(version) = since {
            self.additions.insert(format!("since {key} {version}"));
            self.since.insert(key.to_owned(), version);
        }
    }

    fn add(&mut self, sort: Sort, key: &str, span: Span, parents: Vec<String>, reader: &mut Reader) -> bool {
        if !sort.dotted() && parents.is_empty() {
            reader.error_help(
                "key-missing",
                span,
                format!("the recipient class `{key}` needs `parents`"),
                "neither inside nor outside",
                "say what it is a kind of, for example `{parents: [third_party]}`",
            );
            return false;
        }
        let dotted_parent = sort.dotted().then(|| key.rsplit_once('.')).flatten().map(|(head, _)| head);
        for parent in dotted_parent.into_iter().chain(parents.iter().map(String::as_str)) {
            if !self.of(sort).contains(parent) {
                reader.unknown("unknown-parent", span, "parent", parent, self.of(sort).keys());
            }
        }
        self.additions.insert(format!("{} {key}", sort.code()));
        match sort {
            Sort::Purposes => &mut self.purposes,
            Sort::Categories => &mut self.categories,
            Sort::Recipients => &mut self.recipients,
        }
        .add(key, parents);
        true
    }

    const fn of(&self, sort: Sort) -> &Hierarchy {
        match sort {
            Sort::Purposes => &self.purposes,
            Sort::Categories => &self.categories,
            Sort::Recipients => &self.recipients,
        }
    }

    /// The version of the policy with which a purpose came: its own, or that of the nearest purpose above it that has
    /// one.
    #[must_use]
    pub fn since(&self, purpose: &Purpose) -> Option<&str> {
        let key = purpose.as_str();
        let above = self.purposes.ancestors(key);
        std::iter::once(key).chain(above).find_map(|k| self.since.get(k)).map(String::as_str)
    }

    /// The versions that purposes came with.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.since.iter().map(|(key, version)| (key.as_str(), version.as_str()))
    }

    /// The purpose that a key means: itself, or the one that it is a former name of.
    #[must_use]
    pub fn resolve(&self, purpose: &Purpose) -> Option<Purpose> {
        let key = purpose.as_str();
        if self.purposes.contains(key) {
            return Some(purpose.clone());
        }
        let meant = self.aliases.get(key).filter(|meant| self.purposes.contains(meant))?;
        Purpose::new(meant).ok()
    }

    /// The keys that the bundle adds to those that are shipped, for whoever looks for unused ones.
    pub(crate) fn added_purposes(&self) -> impl Iterator<Item = &str> {
        self.additions.iter().filter_map(|addition| addition.strip_prefix("purposes "))
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
        let all = self.lineages.get_or(|| {
            let known = self.purposes.keys().filter_map(|key| Some((key, Purpose::new(key).ok()?)));
            known.map(|(key, purpose)| (key.to_owned(), self.work_out_lineage(purpose))).collect()
        });
        all.get(purpose.as_str()).cloned()
    }

    fn work_out_lineage(&self, purpose: Purpose) -> Lineage {
        let key = purpose.as_str();
        // What the ledger holds under a former name bears on the purpose all the same, as what stands above it does.
        let with_former = |keys: Vec<&str>| -> Vec<Purpose> {
            let former = |k: &str| {
                let k = k.to_owned();
                self.aliases.iter().filter(move |(_, meant)| **meant == k).map(|(alias, _)| alias.as_str())
            };
            let all = keys.iter().flat_map(|k| std::iter::once(*k).chain(former(k)));
            all.filter(|k| *k != key).filter_map(|k| Purpose::new(k).ok()).collect()
        };
        let above: Vec<&str> = std::iter::once(key).chain(self.purposes.ancestors(key)).collect();
        let below = self.purposes.descendants(key);
        let (above, below) = (with_former(above), with_former(below));
        Lineage::new(purpose, above, below)
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

    /// Whether a recipient is outside: what reaches it is disclosed to it.
    #[must_use]
    pub fn is_outside(&self, recipient: &RecipientId) -> bool {
        self.recipient_is(recipient.as_str(), RecipientClass::External.code())
    }

    /// Whether what names a recipient speaks of the one that is asked about. Nothing where nobody knows whom it names.
    #[must_use]
    pub fn speaks_of(&self, named: &str, asked: &str) -> Option<bool> {
        self.recipients.contains(named).then(|| self.recipient_is(asked, named))
    }

    /// The purposes above which there is none.
    #[must_use]
    pub fn topmost_purposes(&self) -> Vec<Purpose> {
        let topmost = self.purposes.keys().filter(|key| self.purposes.ancestors(key).is_empty());
        topmost.filter_map(|key| Purpose::new(key).ok()).collect()
    }

    /// Whether a category is another or stands below it.
    #[must_use]
    pub fn category_is(&self, category: &Category, above: &Category) -> bool {
        self.categories.is_within(category.as_str(), above.as_str())
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
    pub(crate) fn purpose(&self, word: &str, span: Span, reader: &mut Reader) -> Option<Purpose> {
        let word = self.aliases.get(word).filter(|k| self.purposes.contains(k)).map_or(word, String::as_str);
        if !self.purposes.contains(word) {
            reader.unknown("unknown-purpose", span, "purpose", word, self.purposes.keys());
            return None;
        }
        self.warn_deprecated(&self.purposes, word, span, reader);
        Purpose::new(word).ok()
    }

    /// Reads a category.
    pub(crate) fn category(&self, word: &str, span: Span, reader: &mut Reader) -> Option<Category> {
        let word =
            self.aliases.get(word).filter(|k| self.categories.contains(k)).map_or(word, String::as_str);
        if !self.categories.contains(word) {
            reader.unknown("unknown-category", span, "data category", word, self.categories.keys());
            return None;
        }
        self.warn_deprecated(&self.categories, word, span, reader);
        Category::new(word).ok()
    }

    /// Reads a subject type.
    pub(crate) fn subject(&self, word: &str, span: Span, reader: &mut Reader) -> Option<SubjectType> {
        if !self.subjects.contains(word) {
            let known = self.subjects.iter().map(String::as_str);
            reader.unknown("unknown-subject-type", span, "subject type", word, known);
            return None;
        }
        Some(SubjectType::new(word))
    }

    fn warn_deprecated(&self, hierarchy: &Hierarchy, word: &str, span: Span, reader: &mut Reader) {
        if let Some(new) = hierarchy.replaced_by(word) {
            reader.warning("deprecated-key", span, format!("`{word}` was replaced by `{new}`"));
        }
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

fn table(text: &'static str) -> Hierarchy {
    let mut out = Hierarchy::default();
    for row in rows(text) {
        let Some(key) = row.first() else { continue };
        out.add(key, None);
        if let (Some(&"deprecated"), Some(new)) = (row.get(2), row.get(3)) {
            out.replace(key, new);
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
        out.insert(key.to_owned(), Ladder { truncated, masked, pseudonymised: false });
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
        assert_eq!(vocabulary.subjects.len(), 17);
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
