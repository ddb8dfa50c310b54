//! From structures to the bytes of a record; what does not fit one record is spread over several.

use std::sync::Arc;

use serde::Serialize;

use super::closing::Closing;
use super::read::Kind;
use super::request::{Head, Step, Verdicts};
use super::system::Note;
use super::verdict_line::{VerdictLine, fill_in_repeated, leave_out_repeated};
use super::wording::{Worded, WordedHead, Wording};
use crate::error::LogError;
use crate::frame::RECORD_BYTES_MAX;
use crate::id::RecordId;

/// Room kept for the envelope.
const ENVELOPE_BYTES_MAX: usize = 256;
/// The largest record without its envelope.
const BODY_BYTES_MAX: usize = RECORD_BYTES_MAX - ENVELOPE_BYTES_MAX;
/// Room kept for the `parts` member and the brackets of the list.
const PARTS_BYTES_MAX: usize = 64;

/// A record without its envelope, which the writer puts in front.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) kind: Kind,
    text: Text,
}

#[derive(Debug)]
enum Text {
    Json(String),
    Worded(WordedHead),
}

impl Body {
    fn of<T: Serialize>(kind: Kind, content: &T) -> Result<Self, LogError> {
        let json = serde_json::to_string(content).map_err(|_| LogError::Encode)?;
        let fits = json.len() <= BODY_BYTES_MAX;
        fits.then_some(Self { kind, text: Text::Json(json) }).ok_or(LogError::TooLarge)
    }

    /// A head most of which is in words already; nothing where it has to be spelled out.
    fn worded(head: &Head, worded: &Worded) -> Result<Option<Self>, LogError> {
        if !head.leaves_to_words() {
            return Err(LogError::Encode);
        }
        if head.unmet.is_some() {
            return Ok(None);
        }
        let (kind, text) = (Kind::Head, worded.head(head));
        Ok((text.bytes() <= BODY_BYTES_MAX).then_some(Self { kind, text: Text::Worded(text) }))
    }

    /// How many bytes it has without the envelope, and without what a precedent spells out.
    pub(crate) fn bytes(&self) -> usize {
        match &self.text {
            Text::Json(json) => json.len(),
            Text::Worded(head) => head.own_bytes(),
        }
    }

    /// In which words most of it is.
    pub(crate) const fn wording(&self) -> Option<&Arc<Wording>> {
        match &self.text {
            Text::Json(_) => None,
            Text::Worded(head) => Some(head.wording()),
        }
    }

    /// Appends the bytes that are stored and hashed, of a record that is written at this time. What a head of the same
    /// wording, its precedent, spells out is left to that one.
    pub(crate) fn seal(
        &self,
        out: &mut Vec<u8>,
        (id, seq, at): (RecordId, u64, &str),
        ticket: Option<RecordId>,
        precedent: Option<u64>,
    ) {
        let spelled_out = self.wording().filter(|_| precedent.is_none()).map_or(0, |wording| wording.bytes());
        out.reserve(ENVELOPE_BYTES_MAX + self.bytes() + spelled_out);
        let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
        [r#"{"v":1,"type":""#, self.kind.code(), r#"","id":""#, &id.text()].into_iter().for_each(&mut put);
        [r#"","seq":"#, &seq.to_string(), r#","ts":""#, at, "\""].into_iter().for_each(&mut put);
        if let Some(ticket) = ticket {
            [r#","ticket":""#, &ticket.text(), "\""].into_iter().for_each(&mut put);
        }
        match (&self.text, precedent) {
            (Text::Json(json), _) => {
                // What serde writes for a structure begins with a brace; an empty one has no member to put a comma before.
                let members = json.strip_prefix('{').unwrap_or(json);
                put(if members == "}" { "" } else { "," });
                put(members);
            }
            (Text::Worded(head), None) => {
                put(",");
                head.spell_out(put);
            }
            (Text::Worded(head), Some(precedent)) => {
                put(",");
                head.follow(precedent, put);
            }
        }
    }
}

/// The records of a step, the first one first.
pub(crate) fn encode_step(mut step: Step) -> Result<Vec<Body>, LogError> {
    match &mut step {
        // Only the writer knows which record spells something out: one that is none would be damage.
        Step::Head(head) if head.precedent.is_some() => Err(LogError::Encode),
        Step::Head(head) => {
            if let Some(worded) = head.worded.take() {
                if let Some(body) = Body::worded(head, &worded)? {
                    return Ok(vec![body]);
                }
                *head = worded.spelled_out(std::mem::replace(head, Head::new(head.outcome)));
            }
            leave_out_repeated(&mut head.verdicts);
            one_or(Body::of(Kind::Head, head), || split_head(head))
        }
        Step::Verdicts(verdicts) => {
            leave_out_repeated(&mut verdicts.verdicts);
            one_or(Body::of(Kind::Verdicts, verdicts), || split_verdicts(verdicts))
        }
    }
}

/// The last record of a ticket. It always fits: paths that do not are counted instead.
pub(crate) fn encode_closing(closing: &Closing) -> Result<Body, LogError> {
    let mut closing = closing.clone();
    loop {
        match Body::of(Kind::Outcome, &closing) {
            Err(LogError::TooLarge) if !closing.withheld.is_empty() => {
                let kept = closing.withheld.len() / 2;
                let cut = closing.withheld.len() - kept;
                closing.withheld_more = closing.withheld_more.saturating_add(cut as u64);
                closing.withheld.truncate(kept);
            }
            body => return body,
        }
    }
}

/// The record of a note.
pub(crate) fn encode_note(note: &Note) -> Result<Body, LogError> {
    match note {
        Note::PolicyInstalled(note) => Body::of(Kind::PolicyInstalled, note),
        Note::PolicyRefused(note) => Body::of(Kind::PolicyRefused, note),
        Note::ConsentChanged(note) => Body::of(Kind::ConsentChanged, note),
    }
}

/// A record of the log about itself.
pub(crate) fn encode_system<T: Serialize>(kind: Kind, content: &T) -> Result<Body, LogError> {
    Body::of(kind, content)
}

fn one_or(
    whole: Result<Body, LogError>,
    split: impl FnOnce() -> Result<Vec<Body>, LogError>,
) -> Result<Vec<Body>, LogError> {
    match whole {
        Ok(body) => Ok(vec![body]),
        Err(LogError::TooLarge) => split(),
        Err(other) => Err(other),
    }
}

/// A head without its verdicts, and the verdicts in records of their own.
fn split_head(head: &Head) -> Result<Vec<Body>, LogError> {
    let rest = Verdicts {
        direction: None,
        window: None,
        bundle: head.bundle.clone(),
        ledger: head.ledger,
        at: head.at,
        report_only: head.report_only,
        verdicts: head.verdicts.clone(),
        parts: 0,
    };
    let rest = split_verdicts(&rest)?;
    let head = Head { verdicts: Vec::new(), parts: rest.len() as u64, ..head.clone() };
    let mut bodies = vec![Body::of(Kind::Head, &head)?];
    bodies.extend(rest);
    Ok(bodies)
}

fn split_verdicts(whole: &Verdicts) -> Result<Vec<Body>, LogError> {
    let empty = Verdicts { verdicts: Vec::new(), ..whole.clone() };
    let taken = Body::of(Kind::Verdicts, &empty)?.bytes() + PARTS_BYTES_MAX;
    let room = BODY_BYTES_MAX.checked_sub(taken).ok_or(LogError::TooLarge)?;
    let mut chunks: Vec<Vec<VerdictLine>> = vec![Vec::new()];
    let mut used = 0;
    let mut whole = whole.verdicts.clone();
    fill_in_repeated(&mut whole);
    for line in &whole {
        for (piece, bytes) in split_line(line, room)? {
            if used + bytes > room {
                chunks.push(Vec::new());
                used = 0;
            }
            used += bytes;
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(piece);
            }
        }
    }
    // Each record tells its facts by itself.
    chunks.iter_mut().for_each(|chunk| leave_out_repeated(chunk));
    let after = (0..chunks.len() as u64).rev();
    chunks
        .into_iter()
        .zip(after)
        .map(|(verdicts, parts)| Body::of(Kind::Verdicts, &Verdicts { verdicts, parts, ..empty.clone() }))
        .collect()
}

/// A line, or several that share its subjects, each with its length and a comma's.
fn split_line(line: &VerdictLine, room: usize) -> Result<Vec<(VerdictLine, usize)>, LogError> {
    let bytes = serde_json::to_string(line).map_err(|_| LogError::Encode)?.len() + 1;
    if bytes <= room {
        return Ok(vec![(line.clone(), bytes)]);
    }
    let (left, right) = line.subjects.split_at(line.subjects.len() / 2);
    if left.is_empty() {
        return Err(LogError::TooLarge);
    }
    let first = VerdictLine { subjects: left.to_vec(), ..line.clone() };
    let second = VerdictLine { subjects: right.to_vec(), unresolved: 0, ..line.clone() };
    let mut pieces = split_line(&first, room)?;
    pieces.extend(split_line(&second, room)?);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use consentry_model::{
        Act, BundleDigest, Category, LedgerRevision, Moment, Outcome, Proof, Purpose, Reason, RecipientId,
        RequesterId, RuleId, SubjectRef, SubjectType, Treatment, Verdict, VocabularyRevision,
    };

    use super::super::closing::{End, PathCount};
    use super::super::read::{Entry, Record};
    use super::super::request::{Precedent, PurposeSource, Unmet};
    use super::super::verdict_line::{Direction, FactWord, FactWords};
    use super::super::wording::Wording;
    use super::*;
    use crate::id::timestamp;

    fn line(subjects: u32) -> VerdictLine {
        let verdict = Verdict {
            treatment: Treatment::Clear,
            rules: [].into(),
            clauses: [].into(),
            reason: None,
            near: [].into(),
        };
        let refs = (0..subjects).map(|n| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            SubjectRef::from_bytes(bytes)
        });
        let category = Category::new("user.contact.email").unwrap();
        let mut line = VerdictLine::new(category, SubjectType::new("customer"), &verdict);
        line.subjects = refs.collect();
        line.unresolved = 3;
        line
    }

    /// The bytes of a record, which leaves to a precedent what it can.
    fn sealed(body: &Body, precedent: Option<u64>) -> Vec<u8> {
        let at = Moment::from_unix_millis(1);
        let (id, mut out) = (RecordId::at(at, [7; 10]), Vec::new());
        body.seal(&mut out, (id, 9, &timestamp(at)), Some(id), precedent);
        out
    }

    fn read_all(bodies: &[Body]) -> Vec<Record> {
        bodies.iter().map(|body| Record::parse(sealed(body, None)).unwrap()).collect()
    }

    #[test]
    fn ten_thousand_subjects_are_spread_over_records_and_none_is_lost_or_doubled() {
        let lines = vec![line(10_000), line(1)];
        let mut head = Head::new(Outcome::Allow);
        head.verdicts = lines.clone();
        let whole = Verdicts::new(Direction::Response, 0, BundleDigest::new("d"), LedgerRevision(4), lines);
        for (step, heads) in [(Step::Head(head), 1), (Step::Verdicts(whole), 0)] {
            let records = read_all(&encode_step(step).unwrap());
            assert!(records.iter().all(|r| r.bytes().len() <= RECORD_BYTES_MAX));
            let mut found = Vec::new();
            let mut unresolved = 0;
            for (n, record) in records.iter().enumerate() {
                let lines = record.entry().verdicts();
                let parts = if let Entry::Verdicts(verdicts) = record.entry() {
                    verdicts.parts
                } else {
                    records.len() as u64 - 1
                };
                if let Entry::Head(head) = record.entry() {
                    assert_eq!(head.parts, parts);
                }
                assert_eq!(parts as usize, records.len() - n - 1);
                found.extend(lines.iter().flat_map(|l| l.subjects.iter().copied()));
                unresolved += lines.iter().map(|l| l.unresolved).sum::<u64>();
            }
            assert_eq!(records.iter().filter(|r| matches!(r.entry(), Entry::Head(_))).count(), heads);
            found.sort_unstable();
            let mut expected = [line(10_000).subjects, line(1).subjects].concat();
            expected.sort_unstable();
            assert!(found == expected);
            assert_eq!(unresolved, 6);
        }
    }

    #[test]
    fn facts_are_written_where_they_change_and_read_with_every_line() {
        let facts = |words: &[(&str, bool)]| {
            let word = |(name, value): &(&str, bool)| ((*name).into(), FactWord::Bool(*value));
            Some(Arc::new(words.iter().map(word).collect::<FactWords>()))
        };
        let (one, other) = (facts(&[("own", true)]), facts(&[("own", false), ("said_no", true)]));
        // Equal facts are the same, whoever made them; a line without any has none, and not those of the line before.
        let given = [&one, &one, &facts(&[("own", true)]), &other, &None, &facts(&[]), &one];
        let written = [true, false, false, true, true, false, true];
        let read = [&one, &one, &one, &other, &facts(&[]), &facts(&[]), &one];
        let lines: Vec<_> = given.iter().map(|f| VerdictLine { facts: (*f).clone(), ..line(1) }).collect();
        let mut head = Head::new(Outcome::Allow);
        head.verdicts.clone_from(&lines);
        let whole = Verdicts::new(Direction::Response, 0, BundleDigest::new("d"), LedgerRevision(4), lines);
        for step in [Step::Head(head), Step::Verdicts(whole)] {
            let bodies = encode_step(step).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&sealed(&bodies[0], None)).unwrap();
            let there = json["verdicts"].as_array().unwrap().iter().map(|line| line.get("facts").is_some());
            assert_eq!(there.collect::<Vec<_>>(), written);
            let records = read_all(&bodies);
            let found: Vec<_> = records[0].entry().verdicts().iter().map(|line| &line.facts).collect();
            assert_eq!(found, read);
        }
    }

    #[test]
    fn what_is_in_words_already_is_written_as_if_it_were_not() {
        let fact = |name: &str, value| ((*name).into(), FactWord::Bool(value));
        let facts: FactWords = [fact("own", true), fact("a \"b\"", false)].into();
        let about = |n| SubjectRef::from_bytes([n; 16]);
        let mut other = line(0);
        other.facts = Some(Arc::new([fact("own", false)].into()));
        other.assumed = vec!["subject.age".into()];
        let same = VerdictLine { unresolved: 0, origin: Some("web".into()), ..other.clone() };
        for facts in [FactWords::new(), facts] {
            for lines in [vec![], vec![line(0)], vec![line(0), other.clone(), same.clone(), line(0)]] {
                for subject in [None, Some(about(0)), Some(about(7))] {
                    for (asked, changing) in heads() {
                        let mut plain = changing.clone().asking(asked.clone());
                        plain.facts.clone_from(&facts);
                        plain.verdicts.clone_from(&lines);
                        plain
                            .verdicts
                            .iter_mut()
                            .for_each(|line| line.subjects = subject.into_iter().collect());
                        let wording = Wording::new(asked, facts.clone(), lines.clone()).unwrap();
                        let worded = Some(Worded::new(Arc::new(wording), subject));
                        let head = Head { worded, ..changing };
                        let [plain, head] = [plain, head].map(|head| encode_step(head.into()).unwrap());
                        let spelled_out = sealed(&head[0], None);
                        assert_eq!(spelled_out, sealed(&plain[0], None));
                        let bytes = head[0].bytes() + head[0].wording().map_or(0, |wording| wording.bytes());
                        assert!(spelled_out.len() <= bytes + ENVELOPE_BYTES_MAX);
                        assert_eq!((head.len(), plain.len()), (1, 1));
                        follows(&head[0], &plain[0]);
                    }
                }
            }
        }
    }

    /// A head that leaves to a precedent what it can says the same, and little itself.
    fn follows(head: &Body, plain: &Body) {
        let Entry::Head(plain) = Record::parse(sealed(plain, None)).unwrap().entry().clone() else {
            panic!()
        };
        let precedent = Head { ledger: None, outcome: Outcome::Allow, ..plain.clone() };
        let short = sealed(head, Some(3));
        if head.wording().is_none() {
            return assert_eq!(short, sealed(head, None), "what stands against it is said each time");
        }
        assert!(short.len() <= head.bytes() + ENVELOPE_BYTES_MAX);
        let read = Record::parse(short).unwrap();
        let Entry::Head(own) = read.entry() else { panic!() };
        let followed = own.precedent.clone().unwrap();
        let said = (followed.record, &own.requester, &own.purpose, own.facts.len(), own.verdicts.len());
        assert_eq!(said, (3, &None, &None, 0, 0));
        assert_eq!(
            (&own.bundle, &own.vocabulary, own.ledger),
            (&plain.bundle, &plain.vocabulary, plain.ledger)
        );
        let Entry::Head(read) = read.following(&precedent).unwrap().entry().clone() else { panic!() };
        assert!(plain.verdicts.iter().all(|line| line.subjects.first() == followed.subject.as_ref()));
        assert_eq!(Head { precedent: None, ..read }, plain);
    }

    /// Who asks for what, and what changes from one request to the next.
    fn heads() -> Vec<(Head, Head)> {
        let mut asked = Head::new(Outcome::Allow);
        asked.requester = Some(RequesterId::new("\"outcome\":"));
        asked.proof = Some(Proof::Token);
        asked.recipient = Some(RecipientId::new("internal"));
        asked.purpose = Some(Purpose::new("essential.service").unwrap());
        asked.purpose_source = Some(PurposeSource::Header);
        asked.route = Some("GET /customers/{id}".into());
        asked.act = Some(Act::Read);
        asked.bundle = Some(BundleDigest::new("d"));
        asked.vocabulary = Some(VocabularyRevision::new("v"));
        let plain = Head::new(Outcome::Redact);
        let full = Head {
            ledger: Some(LedgerRevision(7)),
            pending_body: true,
            reason: Some(Reason::ConsentWithdrawn),
            report_only: true,
            trace_id: "a0".into(),
            span_id: "b1".into(),
            ..Head::new(Outcome::Allow)
        };
        let unmet = Some(Box::new(Unmet { rule: RuleId::new("r"), clauses: vec!["c".into()] }));
        let unmet = Head { unmet, ..full.clone() };
        let refused = Head::new(Outcome::Refuse);
        let reasons = Reason::ALL.iter().map(|reason| Head { reason: Some(*reason), ..refused.clone() });
        let late = Head { ledger: Some(LedgerRevision(u64::MAX)), ..refused.clone() };
        let changing: Vec<_> = [plain, full, unmet, late].into_iter().chain(reasons).collect();
        [Head::new(Outcome::Refuse), asked]
            .iter()
            .flat_map(|a| changing.iter().map(|c| (a.clone(), c.clone())))
            .collect()
    }

    #[test]
    fn law_12_nothing_is_said_twice_or_lost_where_words_are_there_already() {
        let wording =
            Arc::new(Wording::new(Head::new(Outcome::Allow), FactWords::new(), vec![line(0)]).unwrap());
        let worded = || Some(Worded::new(Arc::clone(&wording), None));
        let precedent = || Some(Box::new(Precedent { record: 0, subject: None }));
        for head in [
            Head { route: Some("GET /".into()), worded: worded(), ..Head::new(Outcome::Allow) },
            Head { verdicts: vec![line(1)], worded: worded(), ..Head::new(Outcome::Allow) },
            Head { parts: 1, worded: worded(), ..Head::new(Outcome::Allow) },
            Head { precedent: precedent(), worded: worded(), ..Head::new(Outcome::Allow) },
            Head { precedent: precedent(), ..Head::new(Outcome::Allow) },
        ] {
            assert_eq!(encode_step(head.into()).unwrap_err(), LogError::Encode);
        }
    }

    #[test]
    fn what_is_in_words_already_and_too_long_is_spread_like_anything_else() {
        let lines = vec![VerdictLine { origin: Some("x".repeat(40_000).into()), ..line(0) }; 3];
        let mut head = Head::new(Outcome::Allow);
        let wording = Wording::new(Head::new(Outcome::Allow), FactWords::new(), lines.clone()).unwrap();
        head.worded = Some(Worded::new(Arc::new(wording), Some(SubjectRef::from_bytes([1; 16]))));
        let records = read_all(&encode_step(head.into()).unwrap());
        let found: Vec<_> = records.iter().flat_map(|r| r.entry().verdicts()).collect();
        assert!(records.len() > 1);
        assert!(found.iter().all(|line| line.subjects == [SubjectRef::from_bytes([1; 16])]));
        assert_eq!(found.len(), lines.len());
    }

    #[test]
    fn words_about_anybody_name_nobody() {
        assert_eq!(
            Wording::new(Head::new(Outcome::Allow), FactWords::new(), vec![line(1)]).unwrap_err(),
            LogError::Encode
        );
    }

    #[test]
    fn each_of_several_records_tells_its_facts_by_itself() {
        let facts: FactWords = [("own".into(), FactWord::Bool(true))].into();
        let facts = Some(Arc::new(facts));
        let lines = vec![VerdictLine { facts: facts.clone(), ..line(3_000) }; 4];
        let mut head = Head::new(Outcome::Allow);
        head.verdicts = lines;
        let records = read_all(&encode_step(head.into()).unwrap());
        let all: Vec<_> = records.iter().flat_map(|r| r.entry().verdicts()).collect();
        assert!(records.len() > 3 && all.len() > 3);
        assert!(all.iter().all(|line| line.facts == facts), "{all:?}");
    }

    #[test]
    fn what_cannot_be_split_is_an_error() {
        let mut endless = line(0);
        endless.origin = Some("x".repeat(70_000).into());
        let mut head = Head::new(Outcome::Allow);
        head.verdicts = vec![endless];
        assert_eq!(encode_step(head.into()).unwrap_err(), LogError::TooLarge);
    }

    #[test]
    fn a_closing_always_fits() {
        let mut closing = Closing::new(End::Delivered);
        closing.withheld = (0..9000).map(|n| PathCount(format!("a.long.path.{n}").into(), 1)).collect();
        let records = read_all(&[encode_closing(&closing).unwrap()]);
        let Entry::Outcome(read) = records[0].entry() else { panic!() };
        assert_eq!(read.withheld.len() as u64 + read.withheld_more, 9000);
        assert!(read.withheld_more > 0);
    }
}
