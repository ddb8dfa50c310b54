//! A plain text document as sentences.

use std::sync::Arc;

use super::fold::fingerprint;
use super::headings::promote;
use super::markup::{self, LineKind};
use super::pieces::split;

/// A line from here to there, in characters, may have been broken for its width alone.
const WRAPPED: std::ops::RangeInclusive<usize> = 60..=120;

/// What a sentence is in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentenceKind {
    /// A title: it says what follows is about, and promises nothing by itself.
    Heading,
    /// A sentence, or an item of a list.
    Sentence,
}

impl SentenceKind {
    /// The word in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Heading => "heading",
            Self::Sentence => "sentence",
        }
    }
}

/// One sentence of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The line on which it begins, from 1.
    pub line: u32,
    /// The line on which it ends.
    pub last_line: u32,
    /// The heading under which it stands; empty before the first.
    pub section: Arc<str>,
    /// What it is.
    pub kind: SentenceKind,
    /// Its words, without the marks of headings, lists and emphasis.
    pub text: String,
    /// Its fingerprint.
    pub fingerprint: Arc<str>,
}

impl Sentence {
    /// Whether it stands on a line, wholly or in part.
    #[must_use]
    pub fn is_on(&self, line: u32) -> bool {
        (self.line..=self.last_line).contains(&line)
    }
}

/// A document as its sentences, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    sentences: Vec<Sentence>,
}

/// A line as it is read.
pub(super) struct Line {
    pub(super) kind: LineKind,
    pub(super) words: String,
    /// How wide it is as written.
    width: usize,
    /// Whether it asks not to be joined with the next.
    is_broken: bool,
}

impl Document {
    /// Reads a plain text document, with or without Markdown's marks. A title, an item of a list and a line that stands
    /// alone are sentences even without a full stop; lines that were broken for their width are joined first.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut lines: Vec<Line> = text.lines().map(read_line).collect();
        promote(&mut lines);
        let mut document = Self::default();
        let mut section: Arc<str> = Arc::from("");
        let mut paragraph = Paragraph::default();
        for (number, line) in (1..).zip(&lines) {
            if !paragraph.goes_on_with(line) {
                document.extend(&paragraph, &section);
                paragraph = Paragraph::default();
            }
            match line.kind {
                LineKind::Blank => {}
                LineKind::Heading => {
                    section = Arc::from(line.words.as_str());
                    document.push(&section, SentenceKind::Heading, (number, number), &line.words);
                }
                LineKind::Item | LineKind::Plain => paragraph.add(number, line),
            }
        }
        document.extend(&paragraph, &section);
        document
    }

    /// Its sentences, in order.
    #[must_use]
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The sentences that stand on a line.
    pub fn on_line(&self, line: u32) -> impl Iterator<Item = &Sentence> {
        self.sentences.iter().filter(move |s| s.is_on(line))
    }

    fn extend(&mut self, paragraph: &Paragraph, section: &Arc<str>) {
        for (at, piece) in split(&paragraph.text) {
            let lines = (paragraph.line_of(at), paragraph.line_of(at + piece.len().saturating_sub(1)));
            self.push(section, SentenceKind::Sentence, lines, piece);
        }
    }

    fn push(&mut self, section: &Arc<str>, kind: SentenceKind, lines: (u32, u32), text: &str) {
        let (line, last_line) = lines;
        let (section, fingerprint) = (Arc::clone(section), fingerprint(text));
        self.sentences.push(Sentence { line, last_line, section, kind, text: text.to_owned(), fingerprint });
    }
}

fn read_line(raw: &str) -> Line {
    let (kind, words) = markup::line(raw);
    let is_broken = raw.ends_with("  ") || raw.ends_with('\\');
    Line { kind, words, width: raw.trim_end().chars().count(), is_broken }
}

/// Lines that read on, joined.
#[derive(Default)]
struct Paragraph {
    text: String,
    /// Where in the text each line begins.
    starts: Vec<(usize, u32)>,
    /// Whether the last line may have been broken for its width.
    is_wrapped: bool,
    /// Whether it asked not to be joined.
    is_broken: bool,
}

impl Paragraph {
    fn goes_on_with(&self, line: &Line) -> bool {
        if self.text.is_empty() || line.kind != LineKind::Plain || self.is_broken {
            return false;
        }
        let is_closed = self.text.ends_with(['.', '!', '?', ':', ';']);
        line.words.starts_with(char::is_lowercase) || (self.is_wrapped && !is_closed)
    }

    fn add(&mut self, number: u32, line: &Line) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.starts.push((self.text.len(), number));
        self.text.push_str(&line.words);
        self.is_wrapped = WRAPPED.contains(&line.width);
        self.is_broken = line.is_broken;
    }

    fn line_of(&self, at: usize) -> u32 {
        self.starts.iter().rev().find(|(start, _)| *start <= at).map_or(1, |(_, line)| *line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(u32, u32, &str, &str)]) {
        let document = Document::read(text);
        let found: Vec<_> = document
            .sentences()
            .iter()
            .map(|s| (s.line, s.last_line, &*s.section, s.text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sentences_keep_their_lines_and_headings() {
        check(
            "# Hive\n\nBees fly. They sting.\n\n**Honey**\n\nWe sell honey, namely:\n\n\u{2022} acacia\n\u{2022} Lime\n",
            &[
                (1, 1, "Hive", "Hive"),
                (3, 3, "Hive", "Bees fly."),
                (3, 3, "Hive", "They sting."),
                (5, 5, "Honey", "Honey"),
                (7, 7, "Honey", "We sell honey, namely:"),
                (9, 9, "Honey", "acacia"),
                (10, 10, "Honey", "Lime"),
            ],
        );
    }

    #[test]
    fn lines_broken_for_their_width_are_joined_and_others_are_not() {
        let wide = "Everything that the bees bring home in spring and in summer belongs to";
        check(
            &format!(
                "{wide}\nBee Lee. It is\nsold.\nOnce.\n\nShort line\nAnother line\n\u{2013} To keep bees  \nwe do this\n"
            ),
            &[
                (1, 2, "", &format!("{wide} Bee Lee.")),
                (2, 3, "", "It is sold."),
                (4, 4, "", "Once."),
                (6, 6, "", "Short line"),
                (7, 7, "", "Another line"),
                (8, 8, "", "To keep bees"),
                (9, 9, "", "we do this"),
            ],
        );
    }

    #[test]
    fn headings_without_marks_are_found_and_addresses_are_not_taken_for_them() {
        check(
            "Our Hive\n\nWhat bees do\n\nThey fly.\n\nDo bees sleep?\n\nYes.\n\nHive Lane\n\nTown\n\nHoney County\n\nThe end of it.\n",
            &[
                (1, 1, "Our Hive", "Our Hive"),
                (3, 3, "What bees do", "What bees do"),
                (5, 5, "What bees do", "They fly."),
                (7, 7, "Do bees sleep?", "Do bees sleep?"),
                (9, 9, "Do bees sleep?", "Yes."),
                (11, 11, "Do bees sleep?", "Hive Lane"),
                (13, 13, "Town", "Town"),
                (15, 15, "Honey County", "Honey County"),
                (17, 17, "Honey County", "The end of it."),
            ],
        );
    }

    proptest! {
        #[test]
        fn every_word_is_in_exactly_one_sentence(lines in proptest::collection::vec("[A-Za-z0-9 ,.?!:;()-]{0,90}", 0..12)) {
            let text = lines.join("\n");
            let document = Document::read(&text);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
            let found: usize = document.sentences().iter().map(|s| letters(&s.text)).sum();
            // The number of an item is a mark and no word: `a)` and `iv.` have letters.
            let marks = lines.len() * 5;
            prop_assert!(found <= letters(&text) && found + marks >= letters(&text));
            prop_assert!(document.sentences().is_sorted_by_key(|s| s.line));
        }
    }
}
