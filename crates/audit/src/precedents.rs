//! Heads that leave what they say to an earlier one of their segment: which ones those are as the log is written, and what
//! they say as it is read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::frame::Frame;
use crate::record::{Entry, Head, ReadError, Record, Wording};

/// How many wordings of a segment are remembered. When there are more, all are spelled out anew.
const WORDINGS_MAX: usize = 1_024;

/// Which head of the segment that is written to spelled a wording out.
#[derive(Debug, Default)]
pub(crate) struct Precedents {
    /// By the address of the wording, which stays where it is as long as it is held here.
    by_wording: HashMap<usize, (Arc<Wording>, u64)>,
}

impl Precedents {
    /// The number of the head that spelled this wording out.
    pub(crate) fn of(&self, wording: &Arc<Wording>) -> Option<u64> {
        self.by_wording.get(&address(wording)).map(|(_, seq)| *seq)
    }

    /// Remembers that the head of this number spelled it out.
    pub(crate) fn spelled_out(&mut self, wording: &Arc<Wording>, seq: u64) {
        if self.by_wording.len() >= WORDINGS_MAX {
            self.forget();
        }
        self.by_wording.insert(address(wording), (Arc::clone(wording), seq));
    }

    /// Another segment begins, in which nothing is spelled out.
    pub(crate) fn forget(&mut self) {
        self.by_wording.clear();
    }
}

fn address(wording: &Arc<Wording>) -> usize {
    Arc::as_ptr(wording).addr()
}

/// Reads the records of one segment.
pub(crate) struct SegmentRecords<'a> {
    content: &'a [u8],
    frames: &'a [Frame],
    precedents: HashMap<u64, Arc<Head>>,
}

impl<'a> SegmentRecords<'a> {
    /// Of the segment that has these bytes and these frames.
    pub(crate) fn new(content: &'a [u8], frames: &'a [Frame]) -> Self {
        Self { content, frames, precedents: HashMap::new() }
    }

    /// Reads a record that must have this number, with what it leaves to an earlier one.
    pub(crate) fn read(&mut self, bytes: &[u8], seq: u64) -> Result<Record, &'static str> {
        let record = parse_numbered(bytes, seq)?;
        let Entry::Head(Head { precedent: Some(followed), .. }) = record.entry() else { return Ok(record) };
        let precedent = self.precedent(followed.record, seq)?;
        record.following(&precedent).ok_or("a head that says other than the one that it follows")
    }

    /// The head of this number, which comes before another one.
    fn precedent(&mut self, wanted: u64, before: u64) -> Result<Arc<Head>, &'static str> {
        const NONE: &str = "a head that follows no earlier one of its segment";
        if wanted >= before {
            return Err(NONE);
        }
        if let Some(head) = self.precedents.get(&wanted) {
            return Ok(Arc::clone(head));
        }
        // A marker has the number of the record that comes next.
        let number = |frame: &Frame| match frame {
            Frame::Record { seq, .. } => *seq,
            Frame::Marker { size, .. } => *size,
        };
        let from = self.frames.partition_point(|frame| number(frame) < wanted);
        let here = self.frames.iter().skip(from).take_while(|frame| number(frame) == wanted);
        let bytes = here.into_iter().find_map(|frame| match frame {
            Frame::Record { bytes, .. } => self.content.get(bytes.clone()),
            Frame::Marker { .. } => None,
        });
        let record = parse_numbered(bytes.ok_or(NONE)?, wanted)?;
        let Entry::Head(head) = record.entry() else { return Err(NONE) };
        let head = Arc::new(head.clone());
        self.precedents.insert(wanted, Arc::clone(&head));
        Ok(head)
    }
}

/// Reads a record that must have this number.
fn parse_numbered(bytes: &[u8], seq: u64) -> Result<Record, &'static str> {
    let record = Record::parse(bytes.to_vec()).map_err(|error| match error {
        ReadError::Malformed => "a record that is not well-formed JSON, or names a member twice",
        ReadError::Version => "a record of another version",
        ReadError::Kind => "a record of an unknown type",
        ReadError::Content => "a record without the members of its type",
    })?;
    if record.seq() == seq { Ok(record) } else { Err("a record that names another number than its frame") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{parse_segment, put_marker, put_record};

    const WHOLE: &str = r#""requester":"shop","bundle":"d","vocabulary":"v","outcome":"redact","verdicts":[{"categories":["user.name"],"subject_type":"customer","treatment":"clear","rules":[],"clauses":[],"subjects":["01010101010101010101010101010101"]}]"#;
    const OWN: &str = r#""bundle":"d","vocabulary":"v","ledger":4,"outcome":"allow""#;

    /// A segment with these records, the first of which has the number 7, and what reading each of them gives.
    fn read(records: &[(&str, String)]) -> Vec<Result<Record, &'static str>> {
        let mut content = Vec::new();
        for (seq, (kind, members)) in (7..).zip(records) {
            let id = "0190a0a0-0000-7000-8000-000000000000";
            let text = format!(
                r#"{{"v":1,"type":"{kind}","id":"{id}","seq":{seq},"ts":"2026-11-22T00:00:00.000Z",{members}}}"#
            );
            put_record(&mut content, seq, |out| out.extend_from_slice(text.as_bytes()));
            // A marker has the number of the record behind it.
            put_marker(&mut content, seq + 1, &[0; 32]);
        }
        let parsed = parse_segment(&content, 7);
        let mut segment = SegmentRecords::new(&content, &parsed.frames);
        let bytes = |frame: &Frame| {
            if let Frame::Record { seq, bytes } = frame { Some((*seq, bytes.clone())) } else { None }
        };
        let all: Vec<_> = parsed.frames.iter().filter_map(bytes).collect();
        all.into_iter().map(|(seq, bytes)| segment.read(&content[bytes], seq)).collect()
    }

    #[test]
    fn law_1_a_head_that_follows_what_is_no_precedent_for_it_is_damage() {
        let whole = || ("head", WHOLE.to_owned());
        let following =
            |number: u64, own: &str| ("head", format!(r#""precedent":{{"record":{number}}},{own}"#));
        let none = Some("a head that follows no earlier one of its segment");
        let other = Some("a head that says other than the one that it follows");
        let content = Some("a record without the members of its type");
        for (name, records, expected) in [
            ("what went before", vec![whole(), following(7, OWN)], None),
            ("what went before another", vec![whole(), following(7, OWN), following(7, OWN)], None),
            ("what another follows", vec![whole(), following(7, OWN), following(8, OWN)], other),
            ("itself", vec![whole(), following(8, OWN)], none),
            ("what comes after it", vec![following(8, OWN), whole()], none),
            ("what stands in no segment", vec![whole(), following(99, OWN)], none),
            ("what stands in an earlier segment", vec![whole(), following(6, OWN)], none),
            (
                "a record of another type",
                vec![("outcome", r#""end":"delivered""#.to_owned()), following(7, OWN)],
                none,
            ),
            ("one of another bundle", vec![whole(), following(7, &OWN.replace(r#""d""#, r#""e""#))], other),
            (
                "one of another vocabulary",
                vec![whole(), following(7, &OWN.replace(r#""v""#, r#""w""#))],
                other,
            ),
            ("without a bundle", vec![whole(), following(7, r#""outcome":"allow""#)], other),
            (
                "and names a requester",
                vec![whole(), following(7, &format!(r#"{OWN},"requester":"shop""#))],
                other,
            ),
            (
                "and states a fact",
                vec![whole(), following(7, &format!(r#"{OWN},"facts":{{"own":true}}"#))],
                other,
            ),
            ("and is continued", vec![whole(), following(7, &format!(r#"{OWN},"parts":1"#))], other),
            (
                "and names an obligation",
                vec![whole(), following(7, &format!(r#"{OWN},"unmet":{{"rule":"r","clauses":[]}}"#))],
                other,
            ),
            (
                "one that names an obligation",
                vec![("head", format!(r#"{WHOLE},"unmet":{{"rule":"r","clauses":[]}}"#)), following(7, OWN)],
                other,
            ),
            (
                "one that is continued",
                vec![("head", format!(r#"{WHOLE},"parts":1"#)), following(7, OWN)],
                other,
            ),
            (
                "one about several people",
                vec![
                    (
                        "head",
                        WHOLE
                            .replace(r#""subjects":["#, r#""subjects":["02020202020202020202020202020202","#),
                    ),
                    following(7, OWN),
                ],
                other,
            ),
            ("no number", vec![whole(), ("head", format!(r#""precedent":{{"record":"7"}},{OWN}"#))], content),
            ("nothing", vec![whole(), ("head", format!(r#""precedent":{{}},{OWN}"#))], content),
        ] {
            let found: Vec<_> = read(&records).into_iter().filter_map(Result::err).collect();
            assert_eq!(found.first().copied(), expected, "{name}");
        }
    }

    #[test]
    fn a_head_is_about_its_own_person_and_not_about_that_of_its_precedent() {
        let subject = r#","subject":"02020202020202020202020202020202""#;
        for (own, subjects) in [(subject, 1), ("", 0)] {
            let records = read(&[
                ("head", WHOLE.to_owned()),
                ("head", format!(r#""precedent":{{"record":7{own}}},{OWN}"#)),
            ]);
            let record = records[1].as_ref().unwrap();
            let shown = record.to_json().unwrap();
            let told =
                (&shown["requester"], &shown["precedent"]["record"], &shown["verdicts"][0]["categories"][0]);
            assert_eq!(told, (&"shop".into(), &7.into(), &"user.name".into()));
            let Entry::Head(head) = record.entry() else { panic!() };
            assert_eq!(head.verdicts[0].subjects.len(), subjects);
            let followed = head.precedent.as_ref().unwrap();
            assert_eq!(head.verdicts[0].subjects.first(), followed.subject.as_ref());
            assert_eq!(head.requester.as_ref().map(|r| r.as_str()), Some("shop"));
        }
    }

    #[test]
    fn very_many_wordings_are_spelled_out_anew() {
        let mut precedents = Precedents::default();
        let wording = || {
            Arc::new(
                Wording::new(Head::new(consentry_model::Outcome::Allow), Default::default(), vec![]).unwrap(),
            )
        };
        let all: Vec<_> = (0..=WORDINGS_MAX).map(|_| wording()).collect();
        for (seq, wording) in (0..).zip(&all) {
            assert_eq!(precedents.of(wording), None);
            precedents.spelled_out(wording, seq);
            assert_eq!(precedents.of(wording), Some(seq));
        }
        assert_eq!(precedents.of(&all[0]), None);
    }
}
