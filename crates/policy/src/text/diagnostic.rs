//! What is wrong with a bundle, and how it is told: file, line, column, the source line, the word, *did you mean*.

use std::collections::BTreeSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::{Sources, Span};

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

/// Everything that was found in one bundle, with the texts it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    found: BTreeSet<Diagnostic>,
    sources: Sources,
}

impl Diagnostics {
    pub(crate) fn new(sources: Sources) -> Self {
        Self { found: BTreeSet::new(), sources }
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
        let place = span.and_then(|s| self.place(s));
        let (message, label) = (message.into(), label.into());
        self.found.insert(Diagnostic { place, severity, code, message, label, help });
    }

    fn place(&self, span: Span) -> Option<Place> {
        let file = self.sources.file(span.file)?;
        let start = file.text.floor_char_boundary(span.start);
        let (line, column) = span.line_column(&file.text);
        Some(Place { file: file.name.clone(), line, column, offset: start, length: span.len })
    }

    /// The findings, by place.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Whether anything found keeps the bundle from being loaded.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many errors and how many warnings.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.found.iter().filter(|d| d.severity == Severity::Error).count();
        (errors, self.found.len() - errors)
    }

    /// The findings as a compiler prints them, in colour or plain.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for diagnostic in &self.found {
            out.push_str(&self.render_one(diagnostic, &renderer));
            out.push_str("\n\n");
        }
        out
    }

    /// The findings as JSON, one object with a list.
    #[must_use]
    pub fn to_json(&self) -> String {
        let list: Vec<_> = self.found.iter().collect();
        serde_json::to_string_pretty(&serde_json::json!({ "diagnostics": list })).unwrap_or_default()
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&*diagnostic.message).id(diagnostic.code));
        let text = diagnostic.place.as_ref().and_then(|place| {
            let (_, text) = self.sources.iter().find(|(name, _)| *name == place.file)?;
            Some((place, text))
        });
        if let Some((place, text)) = text {
            let start = text.floor_char_boundary(place.offset);
            let end = text.ceil_char_boundary(place.offset.saturating_add(place.length.max(1)));
            let mark = AnnotationKind::Primary.span(start..end).label(&*diagnostic.label);
            group = group.element(Snippet::source(text).path(&*place.file).annotation(mark));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(&**help));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
