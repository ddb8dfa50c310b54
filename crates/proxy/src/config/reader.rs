//! Reading values with everything that is wrong collected on the way: nothing found stops the rest.

use std::path::{Path, PathBuf};

use super::error::{ConfigProblem, PROBLEMS_MAX};
use super::tree::{At, Tree, Value};

/// How alike a word and a known key must be to be suggested.
const ALIKE: f64 = 0.8;
/// How long a word may be that is likened to known keys, in bytes.
const WORD_BYTES_MAX: usize = 200;

/// Collects what is wrong.
pub(crate) struct Reader<'a> {
    base: &'a Path,
    pub(crate) problems: Vec<ConfigProblem>,
}

/// A mapping whose keys are all known.
pub(crate) struct Section<'a> {
    pub(crate) at: At,
    name: &'static str,
    entries: &'a [(String, At, Tree)],
}

impl<'a> Section<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&'a Tree> {
        self.entries.iter().find(|(k, ..)| k == key).map(|(.., tree)| tree)
    }

    /// The dotted name of one of its keys.
    pub(crate) fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(base: &'a Path) -> Self {
        Self { base, problems: Vec::new() }
    }

    pub(crate) fn error(&mut self, at: At, message: impl Into<String>) {
        self.problems.push(ConfigProblem { line: at.line, column: at.column, message: message.into() });
    }

    /// A mapping; `name` is its dotted name, empty for the whole file.
    pub(crate) fn section<'t>(
        &mut self,
        tree: &'t Tree,
        name: &'static str,
        keys: &[&str],
    ) -> Option<Section<'t>> {
        let Value::Map(entries) = &tree.value else {
            let named = if name.is_empty() { "the configuration".to_owned() } else { format!("`{name}`") };
            self.error(tree.at, format!("{named} is a mapping, not {}", tree.value.what()));
            return None;
        };
        let section = Section { at: tree.at, name, entries };
        for (key, at, _) in entries {
            if !keys.contains(&key.as_str()) {
                self.unknown(*at, &section.full(key), key, keys);
            }
        }
        Some(section)
    }

    fn unknown(&mut self, at: At, full: &str, key: &str, known: &[&str]) {
        // Nobody reads what would help with a problem that is only counted, or with a word without end.
        let known =
            if self.problems.len() < PROBLEMS_MAX && key.len() <= WORD_BYTES_MAX { known } else { &[] };
        let near = known
            .iter()
            .map(|k| (strsim::jaro_winkler(key, k), *k))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = near.map_or_else(String::new, |(_, k)| format!("; did you mean `{k}`?"));
        self.error(at, format!("there is no option `{full}`{hint}"));
    }

    fn wrong(&mut self, section: &Section<'_>, key: &str, tree: &Tree, expected: &str) {
        let full = section.full(key);
        self.error(tree.at, format!("`{full}` is {expected}, not {}", tree.value.what()));
    }

    /// A value that must be there.
    pub(crate) fn need<'t>(&mut self, section: &Section<'t>, key: &str) -> Option<&'t Tree> {
        let found = section.get(key);
        if found.is_none() {
            self.error(section.at, format!("`{}` is missing", section.full(key)));
        }
        found
    }

    /// A text that is not empty.
    pub(crate) fn text<'t>(&mut self, section: &Section<'t>, key: &str) -> Option<(&'t str, At)> {
        let tree = section.get(key)?;
        match &tree.value {
            Value::Text(text) if !text.trim().is_empty() => Some((text.as_str(), tree.at)),
            Value::Text(_) => {
                self.error(tree.at, format!("`{}` is empty", section.full(key)));
                None
            }
            Value::Null
            | Value::Bool(_)
            | Value::Count(_)
            | Value::OtherNumber
            | Value::List(_)
            | Value::Map(_) => {
                self.wrong(section, key, tree, "a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn need_text<'t>(&mut self, section: &Section<'t>, key: &str) -> Option<(&'t str, At)> {
        self.need(section, key)?;
        self.text(section, key)
    }

    /// A path that must be there; a relative one starts at the configuration's folder.
    pub(crate) fn need_path(&mut self, section: &Section<'_>, key: &str) -> Option<PathBuf> {
        self.need(section, key)?;
        self.path(section, key)
    }

    /// A path; a relative one starts at the configuration's folder.
    pub(crate) fn path(&mut self, section: &Section<'_>, key: &str) -> Option<PathBuf> {
        self.text(section, key).map(|(text, _)| self.base.join(text))
    }

    /// A list of texts, none of them empty; nothing when the option is left out.
    pub(crate) fn texts<'t>(&mut self, section: &Section<'t>, key: &str) -> Vec<(&'t str, At)> {
        let Some(tree) = section.get(key) else { return Vec::new() };
        let Value::List(items) = &tree.value else {
            self.wrong(section, key, tree, "a list of texts");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in items {
            if let Value::Text(text) = &item.value
                && !text.trim().is_empty()
            {
                out.push((text.as_str(), item.at));
                continue;
            }
            let (full, what) = (section.full(key), item.value.what());
            self.error(item.at, format!("`{full}` lists texts, not {what}"));
        }
        out
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, section: &Section<'_>, key: &str, default: bool) -> bool {
        let Some(tree) = section.get(key) else { return default };
        if let Value::Bool(value) = tree.value {
            return value;
        }
        self.wrong(section, key, tree, "true or false");
        default
    }

    /// A whole number within its range.
    pub(crate) fn count(
        &mut self,
        section: &Section<'_>,
        key: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> u64 {
        let Some(tree) = section.get(key) else { return default };
        match tree.value {
            Value::Count(value) if range.contains(&value) => return value,
            Value::Count(value) => {
                let (min, max) = range.into_inner();
                let full = section.full(key);
                self.error(tree.at, format!("`{full}` is {value}, and must lie between {min} and {max}"));
            }
            Value::OtherNumber => {
                let full = section.full(key);
                self.error(tree.at, format!("`{full}` is a whole number that is not negative"));
            }
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                self.wrong(section, key, tree, "a number");
            }
        }
        default
    }
}
