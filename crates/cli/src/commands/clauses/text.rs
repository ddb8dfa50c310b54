//! The report for terminals.

use anstyle::Style;
use consentry_policy::{Clause, ClauseFooting, ClauseStatus, Coverage, Footing};

use super::view::{View, trouble, why};
use crate::output::{BOLD, DIM, ERROR, FAIR, GOOD, NAME, PLAIN, Table, count, paint, wrap};

/// Where sentences begin, behind the number of their line.
const INDENT: usize = 8;

pub(super) fn report(view: &View<'_>, width: usize) -> String {
    let mut lines = Vec::new();
    match view.coverage {
        Some(coverage) => {
            for (name, rows) in view.sections() {
                lines.push(paint(BOLD, name));
                for row in rows {
                    lines.push(sentence(row.sentence.line, &row.sentence.text, width));
                    if row.clauses.is_empty() {
                        lines.push(format!(
                            "{}{}",
                            " ".repeat(INDENT),
                            paint(ERROR, "no clause covers this")
                        ));
                    } else {
                        lines.push(clauses(view, &row.clauses, INDENT, width));
                    }
                }
                lines.push(String::new());
            }
            lines.extend(attention(view, coverage, width));
            lines.push(closing(view, Some(coverage)));
        }
        None => {
            for (name, rows) in view.sections_of_clauses() {
                lines.push(paint(BOLD, name));
                lines.push(clauses(view, &rows, 2, width));
                lines.push(String::new());
            }
            lines.push(closing(view, None));
        }
    }
    lines.join("\n") + "\n"
}

fn sentence(line: u32, text: &str, width: usize) -> String {
    let wrapped = wrap(text, width.saturating_sub(INDENT));
    let join = format!("\n{}", " ".repeat(INDENT));
    format!("{}  {}", paint(DIM, format!("{line:>6}")), wrapped.join(&join))
}

fn clauses(view: &View<'_>, clauses: &[&Clause], indent: usize, width: usize) -> String {
    let ids = view.bundle.clauses.iter().map(|c| c.id.chars().count()).max().unwrap_or_default();
    let mut table = Table::bare();
    for clause in clauses {
        let (id, status) = (format!("{:<ids$}", clause.id), format!("{:<14}", clause.status.code()));
        table.row([(NAME, id), (style(&clause.status), status), (PLAIN, clause.says.clone())]);
        let held: Vec<String> = view.enforcers(clause).iter().map(ToString::to_string).collect();
        for text in [why(&clause.status).map(str::to_owned), Some(held.join(", "))].into_iter().flatten() {
            if !text.is_empty() {
                table.row([
                    (PLAIN, String::new()),
                    (PLAIN, String::new()),
                    (DIM, format!("\u{21b3} {text}")),
                ]);
            }
        }
    }
    table.render(indent, width).trim_end().to_owned()
}

fn attention(view: &View<'_>, coverage: &Coverage<'_>, width: usize) -> Vec<String> {
    let is = |wanted: fn(&Footing<'_>) -> bool| coverage.clauses.iter().filter(move |c| wanted(&c.footing));
    let parts: [(&str, Style, Vec<&ClauseFooting<'_>>); 3] = [
        ("Changed or gone", ERROR, coverage.changed().collect()),
        ("Moved", FAIR, is(|f| matches!(f, Footing::Moved { .. })).collect()),
        ("Without a fingerprint (--write takes them)", FAIR, coverage.not_taken().collect()),
    ];
    let mut out = Vec::new();
    for (title, style, clauses) in parts.into_iter().filter(|(.., clauses)| !clauses.is_empty()) {
        out.push(paint(style, title));
        let mut table = Table::bare();
        for clause in clauses {
            let says = trouble(clause).unwrap_or_default();
            table.row([(NAME, clause.clause.id.to_string()), (PLAIN, says)]);
            let held: Vec<String> = view.enforcers(clause.clause).iter().map(ToString::to_string).collect();
            if !held.is_empty() {
                table.row([(PLAIN, String::new()), (DIM, format!("\u{21b3} {}", held.join(", ")))]);
            }
        }
        out.push(table.render(2, width));
    }
    out
}

fn closing(view: &View<'_>, coverage: Option<&Coverage<'_>>) -> String {
    let bundle = view.bundle;
    let statuses = view.statuses().map(|(code, n)| format!("{n} {code}")).join(", ");
    let clauses = count(bundle.clauses.len(), "clause");
    let mut out = paint(BOLD, format!("{} {}: {clauses}: {statuses}", bundle.controller, bundle.version));
    if let Some(coverage) = coverage {
        let n = coverage.totals();
        let sentences = count(n.sentences, "sentence");
        let held = format!("{sentences}: {} covered, {} uncovered", n.covered, n.uncovered);
        let footing = format!(
            "{} stand, {} moved, {} changed or gone, {} without a fingerprint",
            n.stands, n.moved, n.changed, n.not_taken
        );
        out = format!("{out}\n{}", paint(BOLD, format!("{held}; of the clauses {footing}")));
    }
    out
}

fn style(status: &ClauseStatus) -> Style {
    match status {
        ClauseStatus::Enforced => GOOD,
        ClauseStatus::Partly(_) => FAIR,
        ClauseStatus::Pending(_) => ERROR,
        ClauseStatus::Organisational(_) => DIM,
    }
}
