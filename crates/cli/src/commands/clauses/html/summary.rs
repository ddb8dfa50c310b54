//! The head and the foot of the page: what it all comes to, and what somebody should look at.

use std::fmt::Write as _;

use consentry_model::Moment;
use consentry_policy::{ClauseFooting, Coverage, Footing, Sentence};

use super::super::view::{STATUSES, View, trouble};
use super::escape;
use crate::output::{count, when};

/// What the statuses mean, in their order.
const MEANINGS: [&str; 4] = [
    "Rules, routes or settings hold it on every request.",
    "They hold what can be seen on a request; the rest is said, and is left to people.",
    "Its mechanism does not exist yet. Everything it governs is refused meanwhile.",
    "No request can meet or miss it; people keep it.",
];

pub(super) fn header(view: &View<'_>) -> String {
    let bundle = view.bundle;
    let mut out = format!(
        "<header>\n<p class=\"kind\">What holds the policy</p>\n<h1>{}</h1>\n<p class=\"facts\">Version {}",
        escape(&bundle.controller),
        escape(&bundle.version)
    );
    if let Some(from) = bundle.from {
        out.push_str(&format!(", in force since {}", day(view, from)));
    }
    if let Some(document) = view.document {
        out.push_str(&format!("; held against {}", escape(document)));
    }
    out.push_str("</p>\n");
    out.push_str(&format!("<p class=\"lead\">{}</p>\n", lead(view)));
    numbers(&mut out, view);
    out.push_str("<dl class=\"legend\">\n");
    for (status, meaning) in STATUSES.iter().zip(MEANINGS) {
        _ = writeln!(out, "<dt><span class=\"status {status}\">{status}</span></dt><dd>{meaning}</dd>");
    }
    out.push_str("</dl>\n</header>\n");
    if let Some(coverage) = view.coverage {
        attention(&mut out, view, coverage);
    }
    out
}

/// A moment as a day of the bundle's own calendar.
fn day(view: &View<'_>, at: Moment) -> String {
    let zone = view.bundle.settings.zone.clone();
    match jiff::Timestamp::from_millisecond(at.unix_millis()) {
        Ok(time) => time.to_zoned(zone).date().to_string(),
        Err(_) => when(at),
    }
}

fn lead(view: &View<'_>) -> String {
    let clauses = count(view.bundle.clauses.len(), "clause");
    let Some(coverage) = view.coverage else {
        return format!("The bundle lists {clauses}. Each is shown with what holds it.");
    };
    let n = coverage.totals();
    let sentences = if n.uncovered == 0 {
        format!(
            "Every one of the document\u{2019}s {} is covered by a clause",
            count(n.sentences, "sentence")
        )
    } else {
        let verb = if n.covered == 1 { "is" } else { "are" };
        format!(
            "{} of the document\u{2019}s {} {verb} covered by a clause",
            n.covered,
            count(n.sentences, "sentence")
        )
    };
    let footing = match (n.changed, n.not_taken) {
        (0, 0) => "Every clause rests on sentences that stand as they were last read".to_owned(),
        (0, open) => format!("{} not been tied to a sentence yet", has(open)),
        (changed, _) => format!("What {} on has changed or is gone", rests(changed)),
    };
    format!("{sentences}. {footing}.")
}

fn has(n: usize) -> String {
    format!("{} {}", count(n, "clause"), if n == 1 { "has" } else { "have" })
}

fn rests(n: usize) -> String {
    format!("{} {}", count(n, "clause"), if n == 1 { "rests" } else { "rest" })
}

fn numbers(out: &mut String, view: &View<'_>) {
    out.push_str("<ul class=\"numbers\">\n");
    if let Some(n) = view.coverage.map(Coverage::totals) {
        number(out, &format!("{}/{}", n.covered, n.sentences), "sentences covered", n.uncovered > 0);
        number(out, &n.changed.to_string(), "clauses changed or gone", n.changed > 0);
    }
    for (status, n) in view.statuses() {
        let bad = status == "pending" && n > 0;
        number(out, &n.to_string(), &format!("clauses {status}"), bad);
    }
    out.push_str("</ul>\n");
}

fn number(out: &mut String, n: &str, what: &str, bad: bool) {
    let class = if bad { " class=\"bad\"" } else { "" };
    _ = writeln!(out, "<li{class}><span class=\"number\">{n}</span> {what}</li>");
}

/// What somebody should look at.
fn attention(out: &mut String, view: &View<'_>, coverage: &Coverage<'_>) {
    let n = coverage.totals();
    if (n.uncovered, n.changed, n.moved, n.not_taken) == (0, 0, 0, 0) {
        out.push_str(
            "<section class=\"attention none\">\n<h2>Nothing needs to be looked at</h2>\n</section>\n",
        );
        return;
    }
    let class = if n.changed > 0 { "attention worse" } else { "attention" };
    _ = writeln!(out, "<section class=\"{class}\">\n<h2>What needs to be looked at</h2>");
    let moved = |c: &&ClauseFooting<'_>| matches!(c.footing, Footing::Moved { .. });
    clauses(
        out,
        view,
        "Clauses whose sentence has changed or is gone",
        &coverage.changed().collect::<Vec<_>>(),
    );
    clauses(out, view, "Clauses that name no sentence yet", &coverage.not_taken().collect::<Vec<_>>());
    clauses(
        out,
        view,
        "Clauses whose sentence has moved",
        &coverage.clauses.iter().filter(moved).collect::<Vec<_>>(),
    );
    let uncovered: Vec<&Sentence> = coverage.uncovered().collect();
    if !uncovered.is_empty() {
        out.push_str("<h3>Sentences that no clause covers</h3>\n<ul>\n");
        for sentence in uncovered {
            let (line, text) = (sentence.line, escape(&sentence.text));
            _ = writeln!(out, "<li><a href=\"#line-{line}\">Line {line}</a>: {text}</li>");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn clauses(out: &mut String, view: &View<'_>, title: &str, clauses: &[&ClauseFooting<'_>]) {
    if clauses.is_empty() {
        return;
    }
    _ = writeln!(out, "<h3>{title}</h3>\n<ul>");
    for clause in clauses {
        let (id, says) = (escape(&clause.clause.id), escape(&clause.clause.says));
        let trouble = escape(&trouble(clause).unwrap_or_default());
        let now = match &clause.footing {
            Footing::Changed { nearest: Some(s), .. } => {
                format!(" <a href=\"#line-{0}\">Line {0}</a> reads: {1}", s.line, escape(&s.text))
            }
            Footing::Changed { nearest: None, .. }
            | Footing::Moved { .. }
            | Footing::NotTaken
            | Footing::Stands => String::new(),
        };
        let held: Vec<String> =
            view.enforcers(clause.clause).iter().map(|by| escape(&by.to_string())).collect();
        let held = if held.is_empty() { String::new() } else { format!(" Held by {}.", held.join(", ")) };
        _ = writeln!(out, "<li><span class=\"id\">{id}</span> {says} <i>({trouble})</i>{now}{held}</li>");
    }
    out.push_str("</ul>\n");
}

pub(super) fn footer(view: &View<'_>) -> String {
    let digest = view.bundle.digest.as_str();
    let short = digest.get(..16).unwrap_or(digest);
    let source = if view.coverage.is_none() {
        ""
    } else {
        " The bundle holds fingerprints of sentences and none of their words; the sentences on this page come from the \
         document it was held against."
    };
    format!("<footer><p>Bundle {short}.{source}</p></footer>\n")
}
