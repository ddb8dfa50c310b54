//! One clause on the page.

use consentry_policy::Clause;

use super::super::view::{View, trouble, why};
use super::escape;
use crate::output::count;

/// Where a clause is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Beside the sentence it rests on.
    BesideItsSentence,
    /// In a list of clauses.
    Alone,
}

/// A clause: what it says, what became of it, what holds it, what shows it.
pub(super) fn clause(view: &View<'_>, clause: &Clause, shown: Shown) -> String {
    let id = escape(&clause.id);
    let status = clause.status.code();
    // A clause that rests on two sentences stands on the page twice; links lead to the list above the tables.
    let anchor = if shown == Shown::Alone { format!(" id=\"c-{id}\"") } else { String::new() };
    let mut out = format!(
        "<div class=\"clause\"{anchor}><p class=\"head\"><span class=\"id\">{id}</span> \
         <span class=\"status {status}\">{status}</span></p><p>{}</p>",
        escape(&clause.says)
    );
    if let Some(why) = why(&clause.status) {
        out.push_str(&format!("<p class=\"why\">{}: {}</p>", lead(status), escape(why)));
    }
    let footing = view.coverage.into_iter().flat_map(|c| &c.clauses).find(|c| c.clause.id == clause.id);
    if let Some(trouble) = footing.and_then(trouble) {
        out.push_str(&format!("<p class=\"trouble\">Look again: {}.</p>", escape(&trouble)));
    }
    let held: String = view
        .enforcers(clause)
        .iter()
        .map(|by| format!("<li><b>{}</b> {}</li>", by.kind.code(), escape(&by.name)))
        .collect();
    if !held.is_empty() {
        out.push_str(&format!("<ul class=\"by\">{held}</ul>"));
    }
    let cases = view.cases(clause);
    if !cases.is_empty() {
        let names: String = cases.iter().map(|name| format!("<li>{}</li>", escape(name))).collect();
        let number = count(cases.len(), "case");
        out.push_str(&format!(
            "<details class=\"cases\"><summary>Shown by {number}</summary><ul>{names}</ul></details>"
        ));
    }
    out.push_str("</div>");
    out
}

/// How the text that comes with a status is introduced.
fn lead(status: &str) -> &'static str {
    match status {
        "partly" => "As far as can be seen",
        "pending" => "Waits for",
        _ => "Why",
    }
}
