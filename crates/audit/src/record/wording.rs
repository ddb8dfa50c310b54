//! Answers that are given again and again, put into words once.
//!
//! What a record says of a request is mostly what the record of the last such request said: the facts, the answers, the
//! rules and the clauses are the same, and the person is another one. A [`Wording`] is that text, with room for the
//! person. A record that is written with it has the same bytes as one that is put into words afresh.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::SubjectRef;

use super::verdict_line::{FactWords, VerdictLine, leave_out_repeated};
use crate::error::LogError;

/// The facts of a request and the answers to it, in words, about anybody.
#[derive(Debug)]
pub struct Wording {
    facts: FactWords,
    lines: Vec<VerdictLine>,
    clauses: BTreeSet<Arc<str>>,
    /// The member `facts`; empty where there are none.
    facts_text: String,
    /// Each line, up to its subjects: they come last.
    line_texts: Vec<String>,
}

impl Wording {
    /// Puts answers into words, which name no subjects: each time they are given they are about somebody else, or about
    /// nobody.
    ///
    /// # Errors
    /// When a line names a subject, or is none that can be written.
    pub fn new(facts: FactWords, lines: Vec<VerdictLine>) -> Result<Self, LogError> {
        if lines.iter().any(|line| !line.subjects.is_empty()) {
            return Err(LogError::Encode);
        }
        let text = |facts: &FactWords| serde_json::to_string(facts).map_err(|_| LogError::Encode);
        let facts_text =
            if facts.is_empty() { String::new() } else { format!(r#","facts":{}"#, text(&facts)?) };
        let mut written = lines.clone();
        leave_out_repeated(&mut written);
        let open = |line: &VerdictLine| {
            let text = serde_json::to_string(line).ok()?;
            Some(text.strip_suffix('}')?.to_owned())
        };
        let line_texts = written.iter().map(open).collect::<Option<_>>().ok_or(LogError::Encode)?;
        let clauses = lines.iter().flat_map(|line| line.clauses.iter().cloned()).collect();
        Ok(Self { facts, lines, clauses, facts_text, line_texts })
    }

    /// The clauses that the answers rest on.
    pub(crate) const fn clauses(&self) -> &BTreeSet<Arc<str>> {
        &self.clauses
    }
}

/// A wording, and whom it is about this time.
#[derive(Clone, Debug)]
pub struct Worded {
    wording: Arc<Wording>,
    subject: Option<SubjectRef>,
}

impl Worded {
    /// The answers about one person, or about nobody whom the ledger knows.
    #[must_use]
    pub const fn new(wording: Arc<Wording>, subject: Option<SubjectRef>) -> Self {
        Self { wording, subject }
    }

    /// What it says.
    #[must_use]
    pub fn wording(&self) -> &Wording {
        &self.wording
    }

    /// The facts of the request.
    #[must_use]
    pub fn facts(&self) -> FactWords {
        self.wording.facts.clone()
    }

    /// The lines, each about whom it is about.
    #[must_use]
    pub fn lines(&self) -> Vec<VerdictLine> {
        let about =
            |line: &VerdictLine| VerdictLine { subjects: self.subject.into_iter().collect(), ..line.clone() };
        self.wording.lines.iter().map(about).collect()
    }

    /// Writes the members `facts` and `verdicts` of an object that has members before them.
    pub(crate) fn write(&self, json: &mut String) {
        let Wording { facts_text, line_texts, .. } = &*self.wording;
        let subject = self.subject.map(|subject| format!(r#","subjects":["{subject}"]}}"#));
        let end = subject.as_deref().unwrap_or("}");
        let bytes: usize = line_texts.iter().map(|line| line.len() + end.len() + 1).sum();
        json.reserve(facts_text.len() + bytes + VERDICTS.len() + 2);
        json.push_str(facts_text);
        for (at, line) in line_texts.iter().enumerate() {
            json.push_str(if at == 0 { VERDICTS } else { "," });
            json.push_str(line);
            json.push_str(end);
        }
        if !line_texts.is_empty() {
            json.push(']');
        }
    }
}

impl PartialEq for Worded {
    fn eq(&self, other: &Self) -> bool {
        let (one, another) = (&*self.wording, &*other.wording);
        self.subject == other.subject && one.facts == another.facts && one.lines == another.lines
    }
}

impl Eq for Worded {}

const VERDICTS: &str = r#","verdicts":["#;
