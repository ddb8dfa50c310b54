//! The report as a page for people who read policies and not terminals. It holds everything it needs, and no script.

mod clause;
mod summary;

use std::fmt::Write as _;

use consentry_policy::{Clause, SentenceCoverage};

use self::clause::{Shown, clause};
use super::view::View;
use crate::output::count;

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded from anywhere, and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn report(view: &View<'_>) -> String {
    let title = escape(&format!("{} {}", view.bundle.controller, view.bundle.version));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"generator\" content=\"consentry\">\n<title>{title}: what holds the policy</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    out.push_str(&summary::header(view));
    let sections: Vec<Section<'_>> = match view.coverage {
        Some(_) => view.sections().into_iter().map(Section::of_sentences).collect(),
        None => view.sections_of_clauses().into_iter().map(Section::of_clauses).collect(),
    };
    contents(&mut out, &sections);
    out.push_str("<main>\n");
    for (number, section) in (1..).zip(&sections) {
        section.write(&mut out, number, view);
    }
    out.push_str("</main>\n");
    out.push_str(&summary::footer(view));
    out.push_str("</body>\n</html>\n");
    out
}

/// What stands below one heading.
struct Section<'a> {
    name: &'a str,
    rows: Vec<Row<'a>>,
}

enum Row<'a> {
    Sentence(&'a SentenceCoverage<'a>),
    Clause(&'a Clause),
}

impl<'a> Section<'a> {
    fn of_sentences((name, rows): (&'a str, Vec<&'a SentenceCoverage<'a>>)) -> Self {
        Self { name, rows: rows.into_iter().map(Row::Sentence).collect() }
    }

    fn of_clauses((name, rows): (&'a str, Vec<&'a Clause>)) -> Self {
        Self { name, rows: rows.into_iter().map(Row::Clause).collect() }
    }

    /// What it comes to, for the table of contents.
    fn tally(&self) -> String {
        let open = self.rows.iter().filter(|row| matches!(row, Row::Sentence(s) if s.is_uncovered())).count();
        let noun =
            if self.rows.iter().any(|row| matches!(row, Row::Sentence(_))) { "sentence" } else { "clause" };
        let all = count(self.rows.len(), noun);
        if open == 0 { all } else { format!("{all}, {open} open") }
    }

    fn write(&self, out: &mut String, number: usize, view: &View<'_>) {
        let heads = match self.rows.first() {
            Some(Row::Sentence(_)) => "<th class=\"says\">The document</th><th>What holds it</th>",
            Some(Row::Clause(_)) | None => "<th>The clause, and what holds it</th>",
        };
        // A string takes whatever is written.
        _ = writeln!(
            out,
            "<section id=\"s-{number}\">\n<h2>{}</h2>\n<table>\n<thead><tr><th class=\"line\">Line</th>{heads}</tr></thead>\n<tbody>",
            escape(self.name)
        );
        let mut before = None;
        for row in &self.rows {
            match row {
                Row::Clause(one) => {
                    let shown = clause(view, one, Shown::Alone);
                    _ = writeln!(out, "<tr><td class=\"line\">{}</td><td>{shown}</td></tr>", one.line);
                }
                Row::Sentence(one) => {
                    // The first sentence of a line is what links to the line lead to.
                    let line = one.sentence.line;
                    let id =
                        if before == Some(line) { String::new() } else { format!(" id=\"line-{line}\"") };
                    before = Some(line);
                    _ = writeln!(out, "{}", sentence(view, one, &id));
                }
            }
        }
        out.push_str("</tbody>\n</table>\n</section>\n");
    }
}

fn sentence(view: &View<'_>, row: &SentenceCoverage<'_>, id: &str) -> String {
    let class = if row.is_uncovered() { " class=\"uncovered\"" } else { "" };
    let held: String = if row.clauses.is_empty() {
        "<p class=\"open\">No clause covers this sentence.</p>".to_owned()
    } else {
        row.clauses.iter().map(|one| clause(view, one, Shown::BesideItsSentence)).collect()
    };
    format!(
        "<tr{id}{class}><td class=\"line\">{}</td><td>{}</td><td>{held}</td></tr>",
        row.sentence.line,
        escape(&row.sentence.text)
    )
}

fn contents(out: &mut String, sections: &[Section<'_>]) {
    out.push_str("<nav aria-label=\"Sections\">\n<h2>Sections</h2>\n<ul>\n");
    for (number, section) in (1..).zip(sections) {
        let name = escape(section.name);
        _ = writeln!(out, "<li><a href=\"#s-{number}\">{name}</a> <span>{}</span></li>", section.tally());
    }
    out.push_str("</ul>\n</nav>\n");
}

/// Text that a page shows as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && !c.is_whitespace() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_of_a_document_is_never_markup() {
        let text = "<script>alert(\"1\")</script> & 'x' \u{1b}[0m";
        let shown = super::escape(text);
        assert_eq!(shown, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; \u{fffd}[0m");
    }
}
