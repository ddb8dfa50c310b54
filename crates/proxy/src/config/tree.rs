//! The configuration's YAML as a tree in which every value knows its line and column.

use consentry_policy::yaml::{Kind, Lines, Node, Span};

/// Lines and columns, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl At {
    fn of(span: Span, lines: &Lines, text: &str) -> Self {
        let (line, column) = lines.line_column(text, span.start);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self { line: count(line), column: count(column) }
    }
}

/// A value and its place.
pub(crate) struct Tree {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// What a value is. Numbers other than whole ones from 0 up have no use here.
pub(crate) enum Value {
    Null,
    Bool(bool),
    Count(u64),
    OtherNumber,
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, At, Tree)>),
}

impl Value {
    /// What a person calls it.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Count(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document, as strictly as a bundle is read.
pub(crate) fn parse(text: &str) -> Result<Tree, (At, String)> {
    let lines = Lines::of(text);
    match Node::parse(text, 0) {
        Ok(node) => Ok(tree(node, &lines, text)),
        Err(fault) => {
            let span = Span { file: 0, start: fault.start, len: fault.len };
            Err((At::of(span, &lines, text), fault.message))
        }
    }
}

fn tree(node: Node, lines: &Lines, text: &str) -> Tree {
    let value = match node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Int(value) => u64::try_from(value).map_or(Value::OtherNumber, Value::Count),
        Kind::Float => Value::OtherNumber,
        Kind::Text(value) => Value::Text(value),
        Kind::List(items) => Value::List(items.into_iter().map(|item| tree(item, lines, text)).collect()),
        Kind::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, span, value)| (key, At::of(span, lines, text), tree(value, lines, text)))
                .collect(),
        ),
    };
    Tree { at: At::of(node.span, lines, text), value }
}
