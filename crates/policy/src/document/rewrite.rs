//! Writing fingerprints into YAML without touching what else stands there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::text::{Kind, Node, Sources, Span};

/// One change: a stretch of the text, and what takes its place.
type Edit = (Range<usize>, String);

/// The files in which clauses get their fingerprints, edited.
///
/// # Errors
/// The first clause that is not found, or is written in a way that cannot be edited.
pub(super) fn rewrite(
    sources: &Sources,
    wanted: &BTreeMap<Arc<str>, Vec<Arc<str>>>,
) -> Result<Vec<(String, String)>, Arc<str>> {
    let mut left = wanted.clone();
    let mut out = Vec::new();
    for (name, text) in sources.iter().filter(|(name, _)| name.ends_with(".yaml")) {
        let Ok(root) = Node::parse(text, 0) else { continue };
        let mut edits = Vec::new();
        for clause in entry(&root, "clauses").map(|(_, list)| items(list)).unwrap_or_default() {
            let Some((_, Kind::Text(id))) = entry(clause, "id").map(|(span, node)| (span, &node.kind)) else {
                continue;
            };
            let Some((id, fingerprints)) = left.remove_entry(id.as_str()) else { continue };
            edits.push(edit(text, clause, &fingerprints).ok_or(id)?);
        }
        if !edits.is_empty() {
            out.push((name.to_owned(), apply(text, edits)));
        }
    }
    match left.into_keys().next() {
        Some(id) => Err(id),
        None => Ok(out),
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<(Span, &'n Node)> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(k, ..)| k == key).map(|(_, span, value)| (*span, value))
}

fn items(node: &Node) -> &[Node] {
    if let Kind::List(items) = &node.kind { items } else { &[] }
}

fn edit(text: &str, clause: &Node, fingerprints: &[Arc<str>]) -> Option<Edit> {
    let list =
        format!("[{}]", fingerprints.iter().map(|f| format!("\"{f}\"")).collect::<Vec<_>>().join(", "));
    if let Some((key, value)) = entry(clause, "fingerprint") {
        let colon = key.start + key.len + text.get(key.start + key.len..)?.find(':')?;
        return Some((colon + 1..end(text, colon + 1, value)?, format!(" {list}")));
    }
    let (key, value) = entry(clause, "line")?;
    let after = value.span.start + value.span.len;
    if text.get(clause.span.start..)?.starts_with('{') {
        return Some((after..after, format!(", fingerprint: {list}")));
    }
    let rest = text.get(after..)?;
    let line_start = text.get(..key.start)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = " ".repeat(text.get(line_start..key.start)?.chars().count());
    Some(match rest.find('\n') {
        Some(newline) => {
            let at = after + newline + 1;
            let ending = if rest.get(..newline)?.ends_with('\r') { "\r\n" } else { "\n" };
            (at..at, format!("{indent}fingerprint: {list}{ending}"))
        }
        None => (text.len()..text.len(), format!("\n{indent}fingerprint: {list}\n")),
    })
}

/// Where the value of a `fingerprint` ends that begins somewhere after `from`.
fn end(text: &str, from: usize, value: &Node) -> Option<usize> {
    let rest = text.get(from..)?;
    if rest.trim_start().starts_with('[') {
        return Some(from + rest.find(']')? + 1);
    }
    match &value.kind {
        Kind::Null => Some(from),
        Kind::List(items) => items.last().map(|item| item.span.start + item.span.len),
        Kind::Bool(_) | Kind::Int(_) | Kind::Float | Kind::Text(_) => Some(value.span.start + value.span.len),
        Kind::Map(_) => None,
    }
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        out.replace_range(range, &new);
    }
    out
}
