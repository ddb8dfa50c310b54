//! The clauses of the source document, and what became of each.

use std::sync::Arc;

use crate::text::{Kind, Node, Reader, Span};

/// What became of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClauseStatus {
    /// Rules, routes or settings that cite it hold it fully.
    Enforced,
    /// They hold what can be seen at this edge; the text says what is left to people.
    Partly(String),
    /// Its mechanism does not exist yet: everything it governs is refused meanwhile.
    Pending(String),
    /// There is nothing to enforce at this edge; the text says why.
    Organisational(String),
}

impl ClauseStatus {
    /// The word in bundles and reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Partly(_) => "partly",
            Self::Pending(_) => "pending",
            Self::Organisational(_) => "organisational",
        }
    }
}

/// One clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its id, for example `panopta-05`.
    pub id: Arc<str>,
    /// The line of the source document.
    pub line: u32,
    /// The section of the source document.
    pub section: String,
    /// A paraphrase; the document's own words stay out of the bundle.
    pub says: String,
    /// What became of it.
    pub status: ClauseStatus,
    /// The fingerprints of the sentences that it comes from, as they were when somebody last read them: 16 lower-case
    /// hex digits each. None where nobody has taken them yet.
    pub fingerprint: Vec<Arc<str>>,
}

/// Reads a `clauses` section.
pub(crate) fn read_clauses(node: &Node, reader: &mut Reader) -> Vec<(Clause, Span)> {
    let mut out: Vec<(Clause, Span)> = Vec::new();
    for item in reader.sequence(node) {
        let keys = ["id", "line", "section", "says", "status", "fingerprint"];
        let Some(entry) = reader.object(item, &keys, "a clause") else { continue };
        let mut word =
            |key| reader.need(&entry, key, "a clause").and_then(|n| Some((reader.word(n)?, n.span)));
        let (id, section, says) = (word("id"), word("section"), word("says"));
        let line = reader.need(&entry, "line", "a clause").and_then(|n| {
            let line = reader.integer(n).and_then(|i| u32::try_from(i).ok()).filter(|line| *line > 0);
            if line.is_none() {
                reader.error("out-of-range", n.span, "a line counts from 1");
            }
            line
        });
        let status = reader.need(&entry, "status", "a clause").and_then(|n| read_status(n, reader));
        let fingerprint = entry.get("fingerprint").map(|n| read_fingerprints(n, reader)).unwrap_or_default();
        let (Some((id, span)), Some(line), Some((section, _)), Some((says, _)), Some(status)) =
            (id, line, section, says, status)
        else {
            continue;
        };
        let (id, section, says) = (id.into(), section.into(), says.into());
        out.push((Clause { id, line, section, says, status, fingerprint }, span));
    }
    out
}

fn read_fingerprints(node: &Node, reader: &mut Reader) -> Vec<Arc<str>> {
    let hex = |text: &str| {
        text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut out = Vec::new();
    for item in reader.list(node) {
        if let Kind::Text(text) = &item.kind
            && hex(text)
        {
            out.push(Arc::from(text.as_str()));
            continue;
        }
        reader.error_help(
            "not-a-fingerprint",
            item.span,
            "a fingerprint is 16 hex digits in small letters",
            "not one",
            "put it in quotes, so that it is read as text even if it looks like a number",
        );
    }
    out
}

fn read_status(node: &Node, reader: &mut Reader) -> Option<ClauseStatus> {
    if let Kind::Text(_) = node.kind {
        return reader
            .one_of(
                node,
                "status that stands alone; `partly`, `pending` and `organisational` come with a text",
                &[("enforced", ())],
            )
            .map(|()| ClauseStatus::Enforced);
    }
    let object = reader.object(node, &["partly", "pending", "organisational"], "a status")?;
    let [(key, _, value)] = object.entries() else {
        reader.error(
            "wrong-shape",
            node.span,
            "a status is `enforced`, or one of `partly`, `pending`, `organisational` with its text",
        );
        return None;
    };
    let text = reader.word(value)?.to_owned();
    match key.as_str() {
        "partly" => Some(ClauseStatus::Partly(text)),
        "pending" => Some(ClauseStatus::Pending(text)),
        "organisational" => Some(ClauseStatus::Organisational(text)),
        _ => None,
    }
}
