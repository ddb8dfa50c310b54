//! The report as JSON.
//!
//! ```text
//! {
//!   "controller", "version", "digest",
//!   "clauses": [{
//!     "id", "line", "section", "says",
//!     "status":      "enforced" | "partly" | "pending" | "organisational",
//!     "why":         what is left to people, or null,
//!     "enforced_by": ["rule NAME", "route NAME", ...],
//!     "cases":       [names],
//!     "fingerprint": [16 hex digits],
//!     with a document also
//!     "footing":     "stands" | "moved" | "changed" | "not-taken",
//!     "rests_on":    [{"line", "fingerprint"}],
//!     "gone":        [fingerprints that the document does not have],
//!     "nearest":     {"line", "fingerprint"} of what a changed sentence may have become, or null
//!   }],
//!   with a document also
//!   "document": {
//!     "file",
//!     "sentences": [{"line", "last_line", "section", "kind": "sentence" | "heading", "text", "fingerprint",
//!                    "clauses": [ids], "uncovered": bool}]
//!   },
//!   "totals": {"sentences", "covered", "uncovered", "headings", "clauses", "stands", "moved", "changed", "not_taken"}
//! }
//! ```

use std::io;

use consentry_policy::{Clause, ClauseFooting, Coverage, Footing, Sentence};
use serde_json::{Value, json};

use super::view::{View, why};
use crate::stop::Stop;

pub(super) fn report(view: &View<'_>) -> Result<String, Stop> {
    let bundle = view.bundle;
    let mut clauses: Vec<Value> = bundle.clauses.iter().map(|clause| one(view, clause)).collect();
    let mut out = json!({
        "controller": bundle.controller,
        "version": bundle.version,
        "digest": bundle.digest.as_str(),
    });
    if let Some(coverage) = view.coverage {
        for (value, clause) in clauses.iter_mut().zip(&coverage.clauses) {
            join(value, footing(clause));
        }
        let document = json!({ "file": view.document, "sentences": sentences(coverage) });
        join(&mut out, json!({ "document": document, "totals": totals(coverage) }));
    }
    join(&mut out, json!({ "clauses": clauses }));
    Ok(serde_json::to_string_pretty(&out).map_err(io::Error::other)? + "\n")
}

/// Adds the members of one object to another.
fn join(to: &mut Value, from: Value) {
    if let (Value::Object(to), Value::Object(from)) = (to, from) {
        to.extend(from);
    }
}

fn one(view: &View<'_>, clause: &Clause) -> Value {
    json!({
        "id": &*clause.id,
        "line": clause.line,
        "section": clause.section,
        "says": clause.says,
        "status": clause.status.code(),
        "why": why(&clause.status),
        "enforced_by": view.enforcers(clause).iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cases": view.cases(clause),
        "fingerprint": clause.fingerprint,
    })
}

fn footing(clause: &ClauseFooting<'_>) -> Value {
    let place = |s: &Sentence| json!({ "line": s.line, "fingerprint": s.fingerprint });
    let (gone, nearest) = match &clause.footing {
        Footing::Changed { gone, nearest } => (gone.clone(), nearest.map(place)),
        Footing::Stands | Footing::Moved { .. } | Footing::NotTaken => (Vec::new(), None),
    };
    json!({
        "footing": clause.footing.code(),
        "rests_on": clause.rests_on.iter().map(|s| place(s)).collect::<Vec<_>>(),
        "gone": gone,
        "nearest": nearest,
    })
}

fn sentences(coverage: &Coverage<'_>) -> Vec<Value> {
    let rows = coverage.sentences.iter().map(|row| {
        let sentence = row.sentence;
        json!({
            "line": sentence.line,
            "last_line": sentence.last_line,
            "section": sentence.section,
            "kind": sentence.kind.code(),
            "text": sentence.text,
            "fingerprint": sentence.fingerprint,
            "clauses": row.clauses.iter().map(|c| &*c.id).collect::<Vec<_>>(),
            "uncovered": row.is_uncovered(),
        })
    });
    rows.collect()
}

fn totals(coverage: &Coverage<'_>) -> Value {
    let n = coverage.totals();
    json!({
        "sentences": n.sentences,
        "covered": n.covered,
        "uncovered": n.uncovered,
        "headings": n.headings,
        "clauses": n.clauses,
        "stands": n.stands,
        "moved": n.moved,
        "changed": n.changed,
        "not_taken": n.not_taken,
    })
}
