//! What is wrong with a bundle, and how it is told: file, line, column, the source line, the word, *did you mean*.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{Lines, Sources, Span};

/// How many errors are kept, and how many warnings; further ones are counted.
const FINDINGS_MAX: usize = 500;
/// How long a sentence about a finding may be, in bytes: a bundle's words may be longer than anybody reads.
const SENTENCE_BYTES_MAX: usize = 2_000;
/// How much of a text is shown around a place, in bytes. Whole lines where they are shorter.
const EXCERPT_BYTES_MAX: usize = 2_000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The bundle cannot be loaded.
    Error,
    /// It can be loaded, but somebody should look.
    Warning,
}

/// Where it is; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file's name within the bundle.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// Bytes from the start of the file.
    pub offset: usize,
    /// Length in bytes.
    pub length: usize,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Diagnostic {
    /// Where; `None` when it concerns the bundle as a whole.
    pub place: Option<Place>,
    /// How bad.
    pub severity: Severity,
    /// A stable code, for example `unknown-purpose`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What stands at the place, said shortly.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Everything that was found in one bundle, with the texts it was found in. Of errors and of warnings so many are kept
/// that nobody reads further; the others are counted, and a last finding says how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    found: BTreeSet<Diagnostic>,
    errors: Tally,
    warnings: Tally,
    /// What says how many are not shown.
    closing: Vec<Diagnostic>,
    sources: Sources,
    lines: BTreeMap<usize, Lines>,
}

/// How many findings of one severity there are, each counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    seen: HashSet<Finding>,
    kept: usize,
    dropped: usize,
}

/// What a finding is known by; texts may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Finding {
    code: &'static str,
    span: Option<Span>,
    message: u64,
}

impl Tally {
    fn is_new(&mut self, code: &'static str, span: Option<Span>, message: &str) -> bool {
        let mut hash = DefaultHasher::new();
        message.hash(&mut hash);
        self.seen.insert(Finding { code, span, message: hash.finish() })
    }

    fn is_full(&self) -> bool {
        self.kept >= FINDINGS_MAX
    }
}

impl Diagnostics {
    pub(crate) fn new(sources: Sources) -> Self {
        Self { sources, ..Self::default() }
    }

    pub(crate) fn sources_mut(&mut self) -> &mut Sources {
        &mut self.sources
    }

    pub(crate) fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Option<Span>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let message = cut(message.into());
        let tally = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if !tally.is_new(code, span, &message) {
            return;
        }
        if tally.is_full() {
            tally.dropped += 1;
            return;
        }
        tally.kept += 1;
        let place = span.and_then(|s| self.place(s));
        let (label, help) = (cut(label.into()), help.map(cut));
        self.found.insert(Diagnostic { place, severity, code, message, label, help });
    }

    /// Whether further errors are only counted, so that nothing need be sought that would help with them.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.is_full()
    }

    /// Ends the search: what was left out is told, and what served to find is let go.
    pub(crate) fn closed(mut self) -> Self {
        let told = [
            (Severity::Error, &mut self.errors, "more-errors", "errors"),
            (Severity::Warning, &mut self.warnings, "more-warnings", "warnings"),
        ];
        for (severity, tally, code, what) in told {
            tally.seen = HashSet::new();
            if tally.dropped > 0 {
                let (kept, more) = (tally.kept, tally.dropped);
                let message = format!("{more} more {what} were found; the first {kept} are shown");
                let label = String::new();
                self.closing.push(Diagnostic { place: None, severity, code, message, label, help: None });
            }
        }
        self
    }

    fn place(&mut self, span: Span) -> Option<Place> {
        let file = self.sources.file(span.file)?;
        let lines = self.lines.entry(span.file).or_insert_with(|| Lines::of(&file.text));
        let start = file.text.floor_char_boundary(span.start);
        let (line, column) = lines.line_column(&file.text, span.start);
        Some(Place { file: file.name.to_string(), line, column, offset: start, length: span.len })
    }

    /// The findings, by place; the last ones say how many are not among them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter().chain(&self.closing)
    }

    /// Whether anything found keeps the bundle from being loaded.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors.kept > 0
    }

    /// How many errors and how many warnings, shown or not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.errors.kept + self.errors.dropped, self.warnings.kept + self.warnings.dropped)
    }

    /// The findings as a compiler prints them, in colour or plain.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for diagnostic in self.iter() {
            out.push_str(&self.render_one(diagnostic, &renderer));
            out.push_str("\n\n");
        }
        out
    }

    /// The findings as JSON, one object with a list.
    #[must_use]
    pub fn to_json(&self) -> String {
        let list: Vec<_> = self.iter().collect();
        serde_json::to_string_pretty(&serde_json::json!({ "diagnostics": list })).unwrap_or_default()
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&*diagnostic.message).id(diagnostic.code));
        if let Some(place) = &diagnostic.place {
            group = match self.excerpt(place) {
                Some(Excerpt { text, mark }) => {
                    let mark = AnnotationKind::Primary.span(mark).label(&*diagnostic.label);
                    let snippet = Snippet::source(text).line_start(place.line).path(&*place.file);
                    group.element(snippet.annotation(mark))
                }
                None => group
                    .element(Origin::path(&*place.file).line(place.line).char_column(place.column))
                    .element(Level::NOTE.message("the line is too long to be shown")),
            };
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(&**help));
        }
        renderer.render(&[group])
    }

    /// The lines that a place takes up; the first one where they are many, and nothing where that one is too long.
    fn excerpt(&self, place: &Place) -> Option<Excerpt<'_>> {
        let (at, (_, text)) = self.sources.iter().enumerate().find(|(_, (name, _))| *name == place.file)?;
        let lines = self.lines.get(&at)?;
        let end = text.ceil_char_boundary(place.offset.saturating_add(place.length.max(1)));
        let (last, _) = lines.line_column(text, end);
        let line = lines.start_of(place.line)..lines.end_of(last, text);
        let (line, end) = if line.len() > EXCERPT_BYTES_MAX {
            let first_end = lines.end_of(place.line, text);
            (line.start..first_end, end.min(first_end))
        } else {
            (line, end)
        };
        let mark = place.offset.checked_sub(line.start)?..end.checked_sub(line.start)?;
        text.get(line).filter(|text| text.len() <= EXCERPT_BYTES_MAX).map(|text| Excerpt { text, mark })
    }
}

/// Whole lines of a text, and what is meant in them.
struct Excerpt<'t> {
    text: &'t str,
    mark: Range<usize>,
}

/// A sentence that is no longer than one reads.
fn cut(mut sentence: String) -> String {
    if sentence.len() > SENTENCE_BYTES_MAX {
        sentence.truncate(sentence.floor_char_boundary(SENTENCE_BYTES_MAX));
        sentence.push('…');
    }
    sentence
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
