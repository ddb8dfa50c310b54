//! YAML as a tree in which every value knows its place: the one strict reading of YAML, for bundles and configurations.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

use super::source::FILE_BYTES_MAX;

/// How deep one document may nest.
const DEPTH_MAX: usize = 32;
/// How many values one document may hold, keys among them: several times what the longest bundles do.
const NODES_MAX: usize = 28_000;
/// How many values all documents of a bundle may hold.
pub(crate) const BUNDLE_NODES_MAX: usize = 80_000;

/// A stretch of one file's text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file, among those that are read together.
    pub file: usize,
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub len: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nothing, or the word for it.
    Null,
    /// `true` or `false`; no other word.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number, whose value nobody has a use for.
    Float,
    /// A word.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, with the place of each key.
    Map(Vec<(String, Span, Node)>),
}

impl Kind {
    /// What a person calls it.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float => "a number",
            Self::Text(_) => "a word",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// What the YAML reader objects to, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlFault {
    /// What it says, in plain words.
    pub message: String,
    /// Where, in bytes from the start.
    pub start: usize,
    /// How much of the text it means, in bytes.
    pub len: usize,
}

impl Node {
    /// Reads one document. Anchors, aliases, merge keys, duplicate keys, several documents and YAML 1.1's other words
    /// for true and false are refused or read as plain words. Bounded are the bytes (1 MiB), the depth (32) and the
    /// number of values (28,000).
    ///
    /// # Errors
    /// The first thing that the YAML reader objects to.
    pub fn parse(text: &str, file: usize) -> Result<Self, YamlFault> {
        Self::parse_within(text, file, NODES_MAX)
    }

    /// The same with fewer values.
    pub(crate) fn parse_within(text: &str, file: usize, nodes_max: usize) -> Result<Self, YamlFault> {
        if text.len() > FILE_BYTES_MAX {
            let message = format!("the file is over {FILE_BYTES_MAX} bytes");
            return Err(YamlFault { message, start: 0, len: 0 });
        }
        let options = serde_yaml::options! {
            strict_booleans: true,
            merge_keys: serde_yaml::options::MergeKeyPolicy::Error,
            with_snippet: false,
            budget: serde_yaml::budget! {
                max_anchors: 0,
                max_aliases: 0,
                max_depth: DEPTH_MAX,
                max_nodes: nodes_max.min(NODES_MAX),
            },
        };
        let tree: Tree = serde_yaml::from_str_with_options(text, options).map_err(|e| fault(&e, text))?;
        Ok(tree.into_node(file))
    }

    /// How many values it is, itself among them.
    pub(crate) fn count(&self) -> usize {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) => 1,
            Kind::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Kind::Map(entries) => 1 + entries.iter().map(|(.., value)| 1 + value.count()).sum::<usize>(),
        }
    }
}

fn fault(error: &serde_yaml::Error, text: &str) -> YamlFault {
    let message = error.to_string();
    let first = plain_words(message.lines().next().unwrap_or_default());
    let (start, len) = error.location().map_or((0, 0), |at| match at.span().byte_offset() {
        Some(_) => bytes(&at),
        // Of a fault the reader may know the place in characters alone.
        None => {
            let chars = to_usize(at.span().offset());
            (text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte), 0)
        }
    });
    YamlFault { message: first, start: start.min(text.len()), len }
}

/// What the reader's message means to somebody who writes bundles; the place is told by the diagnostic itself.
fn plain_words(message: &str) -> String {
    let message = match message.split_once(": ") {
        Some((head, rest)) if head.contains("line ") => rest,
        _ => message,
    };
    let message = message.split(" at line ").next().unwrap_or(message);
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        let key = key.split(", set ").next().unwrap_or(key);
        return format!("the key `{key}` stands here for the second time");
    }
    let known = [
        ("multiple YAML documents", "a file holds one document; take the `---` out"),
        ("Anchors", "anchors and aliases are not read; write the value out where it is used"),
        ("Aliases", "anchors and aliases are not read; write the value out where it is used"),
        ("merge keys", "merge keys are not read; write the members out"),
        ("budget breached", "the file nests too deep, or is too large"),
        ("tabs disallowed", "a tab cannot indent; use spaces"),
    ];
    let plain = known.iter().find(|(sign, _)| message.contains(sign)).map(|(_, plain)| *plain);
    plain.unwrap_or(if message.is_empty() { "the YAML cannot be read" } else { message }).to_owned()
}

fn bytes(at: &Location) -> (usize, usize) {
    let span = at.span();
    let start = span.byte_offset().unwrap_or_else(|| span.offset());
    let len = span.byte_len().unwrap_or_else(|| span.len());
    (to_usize(start), to_usize(len))
}

fn to_usize<N: TryInto<usize>>(n: N) -> usize {
    n.try_into().unwrap_or(usize::MAX)
}

struct Tree(Spanned<TreeKind>);

enum TreeKind {
    Null,
    Bool(bool),
    Int(i64),
    Float,
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Spanned<String>, Tree)>),
}

impl Tree {
    fn into_node(self, file: usize) -> Node {
        let span_of = |at: &Location| {
            let (start, len) = bytes(at);
            Span { file, start, len }
        };
        let span = span_of(&self.0.referenced);
        let kind = match self.0.value {
            TreeKind::Null => Kind::Null,
            TreeKind::Bool(b) => Kind::Bool(b),
            TreeKind::Int(i) => Kind::Int(i),
            TreeKind::Float => Kind::Float,
            TreeKind::Text(t) => Kind::Text(t),
            TreeKind::List(items) => Kind::List(items.into_iter().map(|t| t.into_node(file)).collect()),
            TreeKind::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.value, span_of(&key.referenced), value.into_node(file)))
                    .collect(),
            ),
        };
        Node { kind, span }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Tree)
    }
}

impl<'de> Deserialize<'de> for TreeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = TreeKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<TreeKind, E> {
        Ok(TreeKind::Null)
    }

    fn visit_none<E>(self) -> Result<TreeKind, E> {
        Ok(TreeKind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<TreeKind, E> {
        Ok(TreeKind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<TreeKind, E> {
        Ok(TreeKind::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<TreeKind, E> {
        Ok(i64::try_from(value).map_or(TreeKind::Float, TreeKind::Int))
    }

    fn visit_f64<E>(self, _: f64) -> Result<TreeKind, E> {
        Ok(TreeKind::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<TreeKind, E> {
        Ok(TreeKind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<TreeKind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(TreeKind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<TreeKind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(TreeKind::Map(entries))
    }
}
