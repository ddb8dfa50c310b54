//! A bundle held against a document: what rests on each sentence, and on what each clause rests.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::overlap::likeness;
use super::sentences::{Document, Sentence, SentenceKind};
use crate::bundle::{Bundle, Clause};

/// How far from the line of a sentence that is gone its successor is looked for.
const NEAR_LINES: u32 = 5;

/// Where a clause stands with regard to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footing<'a> {
    /// All its sentences are there, one of them at least on its line.
    Stands,
    /// All its sentences are there, but none on the line that it says.
    Moved {
        /// The line of the first of them.
        line: u32,
    },
    /// A sentence has changed since somebody last read it, or is gone.
    Changed {
        /// The fingerprints that the document does not have.
        gone: Vec<Arc<str>>,
        /// The sentence nearest to it on which no clause rests: what it may have become.
        nearest: Option<&'a Sentence>,
    },
    /// Nobody has taken its fingerprints yet.
    NotTaken,
}

impl Footing<'_> {
    /// The word in reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Moved { .. } => "moved",
            Self::Changed { .. } => "changed",
            Self::NotTaken => "not-taken",
        }
    }
}

/// A clause and the sentences it rests on.
#[derive(Clone, Debug)]
pub struct ClauseFooting<'a> {
    /// The clause.
    pub clause: &'a Clause,
    /// Where it stands.
    pub footing: Footing<'a>,
    /// The sentences of the document that it rests on.
    pub rests_on: Vec<&'a Sentence>,
    /// The line on which its sentences are to be expected, going by the clauses around it.
    pub expected_line: u32,
}

/// A sentence and the clauses that rest on it.
#[derive(Clone, Debug)]
pub struct SentenceCoverage<'a> {
    /// The sentence.
    pub sentence: &'a Sentence,
    /// The clauses, in the bundle's order.
    pub clauses: Vec<&'a Clause>,
}

impl SentenceCoverage<'_> {
    /// Whether no clause rests on it although it is no heading.
    #[must_use]
    pub fn is_uncovered(&self) -> bool {
        self.clauses.is_empty() && self.sentence.kind == SentenceKind::Sentence
    }
}

/// A bundle held against a document.
#[derive(Clone, Debug)]
pub struct Coverage<'a> {
    /// Every sentence, in the document's order.
    pub sentences: Vec<SentenceCoverage<'a>>,
    /// Every clause, in the bundle's order.
    pub clauses: Vec<ClauseFooting<'a>>,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverageTotals {
    /// Sentences, headings among them only where a clause rests on one.
    pub sentences: usize,
    /// Sentences on which a clause rests.
    pub covered: usize,
    /// Sentences on which none does.
    pub uncovered: usize,
    /// Headings on which no clause rests.
    pub headings: usize,
    /// Clauses.
    pub clauses: usize,
    /// Clauses all of whose sentences are there, on their line.
    pub stands: usize,
    /// Clauses all of whose sentences are there, elsewhere.
    pub moved: usize,
    /// Clauses of which a sentence has changed or is gone.
    pub changed: usize,
    /// Clauses without fingerprints.
    pub not_taken: usize,
}

impl<'a> Coverage<'a> {
    /// Holds a bundle against a document.
    #[must_use]
    pub fn of(bundle: &'a Bundle, document: &'a Document) -> Self {
        let rests_on: Vec<Vec<&Sentence>> = bundle.clauses.iter().map(|c| found(c, document)).collect();
        let sentences: Vec<SentenceCoverage<'a>> = document
            .sentences()
            .iter()
            .map(|sentence| {
                let rows = bundle.clauses.iter().zip(&rests_on);
                let here = rows.filter(|(_, found)| found.iter().any(|s| std::ptr::eq(*s, sentence)));
                SentenceCoverage { sentence, clauses: here.map(|(clause, _)| clause).collect() }
            })
            .collect();
        let shifts = Shifts::of(&bundle.clauses, &rests_on);
        let clauses = bundle
            .clauses
            .iter()
            .zip(rests_on)
            .map(|(clause, rests_on)| {
                let expected_line = shifts.expect(clause.line);
                let footing = footing(clause, &rests_on, expected_line, &sentences);
                ClauseFooting { clause, footing, rests_on, expected_line }
            })
            .collect();
        Self { sentences, clauses }
    }

    /// The sentences that no clause covers.
    pub fn uncovered(&self) -> impl Iterator<Item = &'a Sentence> {
        self.sentences.iter().filter(|s| s.is_uncovered()).map(|s| s.sentence)
    }

    /// The clauses that no longer stand as they were read.
    pub fn changed(&self) -> impl Iterator<Item = &ClauseFooting<'a>> {
        self.clauses.iter().filter(|c| matches!(c.footing, Footing::Changed { .. }))
    }

    /// The clauses without fingerprints.
    pub fn not_taken(&self) -> impl Iterator<Item = &ClauseFooting<'a>> {
        self.clauses.iter().filter(|c| c.footing == Footing::NotTaken)
    }

    /// How many there are of what.
    #[must_use]
    pub fn totals(&self) -> CoverageTotals {
        let mut out = CoverageTotals { clauses: self.clauses.len(), ..CoverageTotals::default() };
        for sentence in &self.sentences {
            if sentence.is_uncovered() {
                out.uncovered += 1;
            } else if sentence.clauses.is_empty() {
                out.headings += 1;
            } else {
                out.covered += 1;
            }
        }
        out.sentences = out.covered + out.uncovered;
        for clause in &self.clauses {
            match clause.footing {
                Footing::Stands => out.stands += 1,
                Footing::Moved { .. } => out.moved += 1,
                Footing::Changed { .. } => out.changed += 1,
                Footing::NotTaken => out.not_taken += 1,
            }
        }
        out
    }
}

/// The sentences that a clause names. A document may say the same twice: what stands on the clause's line comes first.
fn found<'a>(clause: &Clause, document: &'a Document) -> Vec<&'a Sentence> {
    let mut out: Vec<&Sentence> = Vec::new();
    for fingerprint in &clause.fingerprint {
        let same: Vec<&Sentence> =
            document.sentences().iter().filter(|s| s.fingerprint == *fingerprint).collect();
        let on_line = same.iter().any(|s| s.is_on(clause.line));
        out.extend(same.into_iter().filter(|s| !on_line || s.is_on(clause.line)));
    }
    out
}

fn footing<'a>(
    clause: &Clause,
    rests_on: &[&'a Sentence],
    expected_line: u32,
    sentences: &[SentenceCoverage<'a>],
) -> Footing<'a> {
    if clause.fingerprint.is_empty() {
        return Footing::NotTaken;
    }
    let lost = |fingerprint: &&Arc<str>| !rests_on.iter().any(|s| s.fingerprint == **fingerprint);
    let gone: Vec<Arc<str>> = clause.fingerprint.iter().filter(lost).cloned().collect();
    if !gone.is_empty() {
        let new = sentences.iter().filter(|s| s.is_uncovered()).map(|s| s.sentence);
        let near = new.filter(|s| s.line.abs_diff(expected_line) <= NEAR_LINES);
        let nearest = near.min_by_key(|s| {
            let distance = if s.is_on(expected_line) { 0 } else { s.line.abs_diff(expected_line) };
            (distance, Reverse(likeness(&clause.says, &s.text)))
        });
        return Footing::Changed { gone, nearest };
    }
    // What a clause rests on may go on over several lines: it is where it says as long as one of them is that line.
    match rests_on.first() {
        Some(first) if !rests_on.iter().any(|s| s.is_on(clause.line)) => Footing::Moved { line: first.line },
        Some(_) | None => Footing::Stands,
    }
}

/// By how much the lines of the document have shifted, where clauses that still rest on something can tell.
struct Shifts(BTreeMap<u32, i64>);

impl Shifts {
    fn of(clauses: &[Clause], rests_on: &[Vec<&Sentence>]) -> Self {
        let known = clauses.iter().zip(rests_on).filter_map(|(clause, found)| {
            let line =
                if found.iter().any(|s| s.is_on(clause.line)) { clause.line } else { found.first()?.line };
            Some((clause.line, i64::from(line) - i64::from(clause.line)))
        });
        Self(known.collect())
    }

    /// Where the line of a clause is now: shifted as the nearest line that is known.
    fn expect(&self, line: u32) -> u32 {
        let nearest = self.0.iter().min_by_key(|(known, _)| known.abs_diff(line));
        let shift = nearest.map_or(0, |(_, shift)| *shift);
        u32::try_from(i64::from(line) + shift).unwrap_or(line)
    }
}
