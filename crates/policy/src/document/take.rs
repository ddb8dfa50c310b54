//! Taking fingerprints: which sentences of its line a clause comes from, written into the bundle's files.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coverage::{ClauseFooting, Coverage, Footing};
use super::overlap::choose;
use super::rewrite::rewrite;
use super::sentences::{Document, Sentence};
use crate::bundle::Bundle;
use crate::text::Sources;

/// Why a clause's fingerprints were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// The document has no sentence on its line.
    EmptyLine,
    /// Its sentence changed, and the lines around it have moved: its line must be set right first.
    LineMoved {
        /// Where its line is now, going by the clauses around it.
        to: u32,
    },
}

/// A clause whose fingerprints were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The clause.
    pub clause: Arc<str>,
    /// Why.
    pub why: WhyLeftOut,
}

/// What taking fingerprints comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The files that change: name and new text.
    pub files: Vec<(String, String)>,
    /// The clauses that had no fingerprints.
    pub new: Vec<Arc<str>>,
    /// The clauses of which a sentence had changed.
    pub changed: Vec<Arc<str>>,
    /// The clauses that were left as they are although something is missing.
    pub left_out: Vec<LeftOut>,
}

/// Why no fingerprints can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// A clause is written in a way that cannot be edited.
    #[error("the clause `{0}` is written in a way that cannot be edited; give it a `fingerprint` by hand")]
    Uneditable(Arc<str>),
    /// The edited files are no bundle, or another one.
    #[error("with the fingerprints the bundle would not be the same any more; nothing is written")]
    NotTheSame,
}

/// Takes the fingerprints of all clauses that have none, or of which a sentence has changed; those that stand are left
/// as they are. Of the sentences on a clause's line those are taken that share most words with its paraphrase, in the
/// order of the clauses. Only files that change are returned; what they say besides stays as it was written.
///
/// # Errors
/// When a clause cannot be edited, or the edited files would not read as the same bundle.
pub fn take_fingerprints(
    sources: &Sources,
    bundle: &Bundle,
    document: &Document,
) -> Result<Taken, TakeError> {
    let coverage = Coverage::of(bundle, document);
    let mut taken = Taken::default();
    let mut wanted: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    let mut lines: BTreeMap<u32, Vec<&ClauseFooting<'_>>> = BTreeMap::new();
    for clause in &coverage.clauses {
        lines.entry(clause.clause.line).or_default().push(clause);
    }
    for (line, clauses) in lines {
        let sentences: Vec<&Sentence> = document.on_line(line).collect();
        let texts: Vec<&str> = sentences.iter().map(|s| s.text.as_str()).collect();
        let says: Vec<&str> = clauses.iter().map(|c| c.clause.says.as_str()).collect();
        for (clause, chosen) in clauses.iter().zip(choose(&says, &texts)) {
            let id = &clause.clause.id;
            let is_new = match &clause.footing {
                Footing::Stands | Footing::Moved { .. } => continue,
                Footing::NotTaken => true,
                Footing::Changed { .. } => false,
            };
            if let Some(why) = left_out(clause, is_new, &sentences) {
                taken.left_out.push(LeftOut { clause: Arc::clone(id), why });
                continue;
            }
            let mut fingerprints = Vec::new();
            for sentence in chosen.iter().filter_map(|at| sentences.get(*at)) {
                if !fingerprints.contains(&sentence.fingerprint) {
                    fingerprints.push(Arc::clone(&sentence.fingerprint));
                }
            }
            wanted.insert(Arc::clone(id), fingerprints);
            if is_new { &mut taken.new } else { &mut taken.changed }.push(Arc::clone(id));
        }
    }
    taken.files = rewrite(sources, &wanted).map_err(TakeError::Uneditable)?;
    is_the_same(sources, bundle, &wanted, &taken.files).then_some(taken).ok_or(TakeError::NotTheSame)
}

fn left_out(clause: &ClauseFooting<'_>, is_new: bool, sentences: &[&Sentence]) -> Option<WhyLeftOut> {
    if !is_new && clause.expected_line != clause.clause.line {
        return Some(WhyLeftOut::LineMoved { to: clause.expected_line });
    }
    sentences.is_empty().then_some(WhyLeftOut::EmptyLine)
}

/// Whether the edited files read as the same bundle, with the fingerprints that were wanted.
fn is_the_same(
    sources: &Sources,
    bundle: &Bundle,
    wanted: &BTreeMap<Arc<str>, Vec<Arc<str>>>,
    files: &[(String, String)],
) -> bool {
    let text = |name: &str| files.iter().find(|(changed, _)| changed == name).map(|(_, text)| text.as_str());
    let edited = Sources::from_texts(sources.iter().map(|(name, old)| (name, text(name).unwrap_or(old))));
    let Ok(edited) = Bundle::read(&edited) else { return false };
    let mut expected = bundle.clauses.clone();
    for clause in &mut expected {
        if let Some(fingerprints) = wanted.get(&clause.id) {
            clause.fingerprint.clone_from(fingerprints);
        }
    }
    edited.clauses == expected
        && edited.rules.len() == bundle.rules.len()
        && edited.cases.len() == bundle.cases.len()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]

    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str =
        "# The hive\n\nBees fly by day. They sleep by night.\n\n- Honey is sold\n- Wax is kept\n";

    const BUNDLE: &str = "bundle: {controller: Hive, policy: {version: '1', from: 2026-01-01}}\n";

    /// Every way to write a clause.
    const CLAUSES: &str = "# What we promise.\nclauses:\n  - id: c-1   # first\n    line: 3 # the day\n    section: The hive\n    \
        says: In daylight the bees are out, by day.\n    status: {organisational: \"bees\"}\n\n  - line: 3\n    id: c-2\n    \
        section: The hive\n    says: \"When it is night all of them sleep.\"\n    status: {organisational: bees}\n  \
        - {id: c-3, line: 5, section: The hive, says: Honey goes., status: {organisational: bees}}\n  - id: c-4\n    \
        fingerprint:   # old\n      - \"0000000000000000\"\n      - \"1111111111111111\"\n    line: 6\n    section: The hive\n    \
        says: Wax stays.\n    status: {organisational: bees}\n  - {id: c-5, fingerprint: \"0000000000000000\", line: 6, \
        section: S, says: Wax., status: {organisational: bees}}\n";

    fn sources(clauses: &str) -> Sources {
        Sources::from_texts([("bundle.yaml", BUNDLE), ("clauses.yaml", clauses)])
    }

    #[track_caller]
    fn take(clauses: &str, document: &str) -> (Taken, String) {
        let sources = sources(clauses);
        let bundle = Bundle::read(&sources).map_err(|e| e.render(false)).unwrap();
        let taken = take_fingerprints(&sources, &bundle, &Document::read(document)).unwrap();
        let text = taken.files.first().map_or(clauses, |(_, text)| text).to_owned();
        (taken, text)
    }

    #[test]
    fn fingerprints_are_written_and_nothing_else_is_touched() {
        let (taken, text) = take(CLAUSES, DOCUMENT);
        insta::assert_snapshot!(text);
        assert_eq!(taken.new.iter().map(|c| &**c).collect::<Vec<_>>(), ["c-1", "c-2", "c-3"]);
        assert_eq!(taken.changed.iter().map(|c| &**c).collect::<Vec<_>>(), ["c-4", "c-5"]);
        assert_eq!(taken.left_out, []);
        assert!(
            !text.contains("Bees fly") && !text.contains("Honey is sold"),
            "no word of the document is written"
        );
    }

    #[test]
    fn taking_twice_writes_nothing_the_second_time() {
        let (_, text) = take(CLAUSES, DOCUMENT);
        assert_eq!(take(&text, DOCUMENT), (Taken::default(), text));
    }

    #[test]
    fn lines_keep_their_ends() {
        let windows = CLAUSES.replace('\n', "\r\n");
        let (_, text) = take(&windows, DOCUMENT);
        assert_eq!(text, take(CLAUSES, DOCUMENT).1.replace('\n', "\r\n"));
        let cut = "clauses:\n  - id: c-1\n    section: S\n    says: Bees fly.\n    status: {organisational: bees}\n    line: 3";
        let (_, text) = take(cut, DOCUMENT);
        assert_eq!(
            text,
            format!("{cut}\n    fingerprint: [\"{}\"]\n", super::super::fingerprint("Bees fly by day."))
        );
    }

    #[test]
    fn law_1_a_changed_clause_is_not_taken_from_a_line_that_has_moved() {
        let (_, text) = take(CLAUSES, DOCUMENT);
        let moved = DOCUMENT
            .replace("The hive\n", "The hive\n\nA new paragraph.\n")
            .replace("Honey is", "Honey may be");
        let (taken, _) = take(&text, &moved);
        assert_eq!(
            taken.left_out,
            [LeftOut { clause: Arc::from("c-3"), why: WhyLeftOut::LineMoved { to: 7 } }]
        );
        assert_eq!(taken.files, []);
    }

    #[test]
    fn law_1_a_line_without_a_sentence_gives_nothing() {
        let clauses = "clauses:\n  - {id: c-1, line: 4, section: S, says: Bees., status: {organisational: bees}}\n  \
            - {id: c-2, line: 99, section: S, says: Bees., status: {organisational: bees}}\n";
        let (taken, _) = take(clauses, DOCUMENT);
        let whys: Vec<_> = taken.left_out.iter().map(|l| (&*l.clause, l.why)).collect();
        assert_eq!(whys, [("c-1", WhyLeftOut::EmptyLine), ("c-2", WhyLeftOut::EmptyLine)]);
        assert_eq!(taken.files, []);
    }

    #[test]
    fn where_clauses_stand_is_told() {
        let (_, text) = take(CLAUSES, DOCUMENT);
        let changed = DOCUMENT
            .replace("Wax is kept", "All wax is kept")
            .replace("Bees fly", "One more thing is said.\n\nBees fly");
        let sources = sources(&format!(
            "{text}  - {{id: c-6, line: 3, section: S, says: New., status: {{organisational: bees}}}}\n"
        ));
        let (bundle, document) = (Bundle::read(&sources).unwrap(), Document::read(&changed));
        let coverage = Coverage::of(&bundle, &document);
        let footings: Vec<_> = coverage
            .clauses
            .iter()
            .map(|c| match &c.footing {
                Footing::Changed { gone, nearest } => {
                    format!("changed {} {:?}", gone.len(), nearest.map(|s| s.text.as_str()))
                }
                Footing::Moved { line } => format!("moved {line}"),
                Footing::Stands | Footing::NotTaken => c.footing.code().to_owned(),
            })
            .collect();
        let wax = "changed 1 Some(\"All wax is kept\")";
        assert_eq!(footings, ["moved 5", "moved 5", "moved 7", wax, wax, "not-taken"]);
        let uncovered: Vec<_> = coverage.uncovered().map(|s| s.text.as_str()).collect();
        assert_eq!(uncovered, ["One more thing is said.", "All wax is kept"]);
        let totals = coverage.totals();
        assert_eq!((totals.sentences, totals.covered, totals.uncovered, totals.headings), (5, 3, 2, 1));
        assert_eq!((totals.clauses, totals.moved, totals.changed, totals.not_taken), (6, 3, 2, 1));
    }

    #[test]
    fn a_sentence_that_stands_twice_is_taken_for_the_one_on_the_clauses_line() {
        let document = Document::read("Bees sting.\n\nBees sting.\n");
        let (_, text) = take(
            "clauses: [{id: c-1, line: 3, section: S, says: Bees., status: {organisational: bees}}]\n",
            "\n\nBees sting.\n",
        );
        let bundle = Bundle::read(&sources(&text)).unwrap();
        let coverage = Coverage::of(&bundle, &document);
        let lines: Vec<_> = coverage.clauses.iter().flat_map(|c| &c.rests_on).map(|s| s.line).collect();
        assert_eq!(lines, [3]);
        assert_eq!(coverage.uncovered().map(|s| s.line).collect::<Vec<_>>(), [1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn taking_is_idempotent_and_the_bundle_still_loads(words in proptest::collection::vec("[a-z]{1,9}", 12), lines in proptest::collection::vec(1..8u32, 1..5)) {
            let sentence = |w: &[String]| w.join(" ");
            let document = words.chunks(3).map(|w| format!("Then {}. And {}.\n", sentence(w), sentence(&w[1..]))).collect::<Vec<_>>().join("\n");
            let clause = |(n, line): (usize, &u32)| format!("  - id: c-{n}\n    line: {line}\n    section: S\n    says: \"{}\"\n    status: {{organisational: x}}\n", words[n]);
            let clauses = format!("clauses:\n{}", lines.iter().enumerate().map(clause).collect::<String>());
            let (first, text) = take(&clauses, &document);
            prop_assert!(Bundle::read(&sources(&text)).is_ok());
            prop_assert_eq!(first.new.len() + first.left_out.len(), lines.len());
            let (second, again) = take(&text, &document);
            prop_assert_eq!(again, text);
            prop_assert_eq!(second.left_out, first.left_out);
            prop_assert!(second.new.is_empty() && second.changed.is_empty());
        }
    }
}
