//! Answers that are given again and again, put into words once.
//!
//! What a record says of a request is mostly what the record of the last such request said: who asks for what under
//! which bundle, the facts, the answers, the rules and the clauses are the same, and the person is another one. A
//! [`Wording`] is that text, with room for the person. The first record of a segment that is written with it has the same
//! bytes as one that is put into words afresh; those after it name that one, and say only what is their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use consentry_model::{Purpose, SubjectRef};

use super::request::Head;
use super::verdict_line::{FactWords, VerdictLine, leave_out_repeated};
use crate::error::LogError;
use crate::id::timestamp;

/// The first member of a head that is not the same each time; what stands before it is.
const CHANGES_FROM: &str = r#""outcome":"#;

/// Who asks for what under which bundle, the facts of the request and the answers to it, in words, about anybody.
#[derive(Debug)]
pub struct Wording {
    asked: Head,
    facts: FactWords,
    lines: Vec<VerdictLine>,
    clauses: BTreeSet<Arc<str>>,
    /// The members up to the revision of the ledger, with a comma after each.
    asked_text: String,
    /// Those of them that every head says itself: under which bundle and vocabulary.
    under_text: String,
    /// The member `facts`; empty where there are none.
    facts_text: String,
    /// Each line, up to its subjects: they come last.
    line_texts: Vec<String>,
}

impl Wording {
    /// Puts answers into words, which name no subjects: each time they are given they are about somebody else, or about
    /// nobody. Of `asked` counts who asks, with what proof, as and for whom, why, on which route, and under which bundle
    /// and vocabulary; everything else of it changes from one request to the next.
    ///
    /// # Errors
    /// When a line names a subject, or is none that can be written.
    pub fn new(asked: Head, facts: FactWords, lines: Vec<VerdictLine>) -> Result<Self, LogError> {
        if lines.iter().any(|line| !line.subjects.is_empty()) {
            return Err(LogError::Encode);
        }
        let asked = asked.into_asked();
        let (asked_text, under_text) = (members(&asked)?, members(&asked.under())?);
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
        Ok(Self { asked, facts, lines, clauses, asked_text, under_text, facts_text, line_texts })
    }

    /// Who asks for what under which bundle: a head that says nothing else.
    #[must_use]
    pub const fn asked(&self) -> &Head {
        &self.asked
    }

    /// Why it is asked.
    pub(crate) const fn purpose(&self) -> Option<&Purpose> {
        self.asked.purpose.as_ref()
    }

    /// How many bytes it takes at most to spell it out about somebody.
    pub(crate) fn bytes(&self) -> usize {
        let lines: usize = self.line_texts.iter().map(|line| line.len() + SUBJECTS_BYTES).sum();
        self.asked_text.len() + self.facts_text.len() + lines
    }

    /// The clauses that the answers rest on.
    pub(crate) const fn clauses(&self) -> &BTreeSet<Arc<str>> {
        &self.clauses
    }
}

/// The members of a head that stand before those that change, with a comma after each.
fn members(head: &Head) -> Result<String, LogError> {
    let whole = serde_json::to_string(head).map_err(|_| LogError::Encode)?;
    // Within a text its quotes would be escaped.
    let (before, _) = whole.split_once(CHANGES_FROM).ok_or(LogError::Encode)?;
    Ok(before.strip_prefix('{').ok_or(LogError::Encode)?.to_owned())
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

    /// The head that says all of this in members of its own, with what else `head` says.
    #[must_use]
    pub fn spelled_out(&self, head: Head) -> Head {
        let about =
            |line: &VerdictLine| VerdictLine { subjects: self.subject.into_iter().collect(), ..line.clone() };
        let Wording { asked, facts, lines, .. } = &*self.wording;
        let (facts, verdicts) = (facts.clone(), lines.iter().map(about).collect());
        Head { facts, verdicts, worded: None, ..head.asking(asked.clone()) }
    }

    /// The record of a head that says nothing in members of its own that stands here.
    pub(crate) fn head(&self, head: &Head) -> WordedHead {
        let mut changing = String::with_capacity(CHANGING_BYTES);
        write_changing(head, &mut changing);
        WordedHead { wording: Arc::clone(&self.wording), subject: self.subject, changing }
    }
}

/// A head of which most is in words already.
#[derive(Debug)]
pub(crate) struct WordedHead {
    wording: Arc<Wording>,
    subject: Option<SubjectRef>,
    /// The members that change.
    changing: String,
}

impl WordedHead {
    /// What it says beside what changes.
    pub(crate) const fn wording(&self) -> &Arc<Wording> {
        &self.wording
    }

    /// How many bytes it has at most, spelled out and without the envelope.
    pub(crate) fn bytes(&self) -> usize {
        self.own_bytes() + self.wording.bytes()
    }

    /// How many of them are its own at most.
    pub(crate) fn own_bytes(&self) -> usize {
        self.changing.len() + self.wording.under_text.len() + PRECEDENT_BYTES
    }

    /// Writes all of its members, and the brace behind them.
    pub(crate) fn spell_out(&self, mut put: impl FnMut(&str)) {
        let Wording { asked_text, facts_text, line_texts, .. } = &*self.wording;
        let subject = self.subject.map(|subject| format!(r#","subjects":["{subject}"]}}"#));
        let end = subject.as_deref().unwrap_or("}");
        [asked_text, &self.changing, facts_text].into_iter().for_each(|text| put(text));
        for (at, line) in line_texts.iter().enumerate() {
            [if at == 0 { VERDICTS } else { "," }, line, end].into_iter().for_each(&mut put);
        }
        put(if line_texts.is_empty() { "}" } else { "]}" });
    }

    /// Writes only what is its own, and which head of the same wording was spelled out.
    pub(crate) fn follow(&self, precedent: u64, mut put: impl FnMut(&str)) {
        [r#""precedent":{"record":"#, &precedent.to_string()].into_iter().for_each(&mut put);
        if let Some(subject) = self.subject {
            [r#","subject":""#, &subject.to_string(), "\""].into_iter().for_each(&mut put);
        }
        put("},");
        [&*self.wording.under_text, &self.changing, "}"].into_iter().for_each(&mut put);
    }
}

/// Writes the members that change from one request to the next, from the ledger's revision to the span.
fn write_changing(head: &Head, json: &mut String) {
    // Whoever found that the others say nothing here looked at each of them. The ids are digits.
    let Head { ledger, at, outcome, pending_body, reason, report_only, trace_id, span_id, .. } = head;
    if let Some(ledger) = ledger {
        [r#""ledger":"#, &ledger.to_string(), ","].into_iter().for_each(|text| json.push_str(text));
    }
    if let Some(at) = at {
        [r#""at":""#, &timestamp(*at), "\","].into_iter().for_each(|text| json.push_str(text));
    }
    let reason = reason.map(|reason| [r#","reason":""#, reason.code(), "\""]);
    let texts = [r#""outcome":""#, outcome.code(), "\""]
        .into_iter()
        .chain(pending_body.then_some(r#","pending_body":true"#))
        .chain(reason.into_iter().flatten())
        .chain(report_only.then_some(r#","report_only":true"#))
        .chain([r#","trace_id":""#, trace_id, r#"","span_id":""#, span_id, "\""]);
    texts.for_each(|text| json.push_str(text));
}

impl PartialEq for Worded {
    fn eq(&self, other: &Self) -> bool {
        let (one, another) = (&*self.wording, &*other.wording);
        let same = one.asked == another.asked && one.facts == another.facts && one.lines == another.lines;
        same && self.subject == other.subject
    }
}

impl Eq for Worded {}

const VERDICTS: &str = r#","verdicts":["#;

/// More than the members take that change.
const CHANGING_BYTES: usize = 256;

/// What one subject takes of a line, and what stands between two lines.
const SUBJECTS_BYTES: usize = r#","subjects":["00000000000000000000000000000000"]},"#.len();

/// What a precedent takes, or the list of lines beside them.
const PRECEDENT_BYTES: usize =
    r#""precedent":{"record":18446744073709551615,"subject":"00000000000000000000000000000000"},}"#.len();
