//! Finding requests in a log.

use std::collections::HashMap;

use consentry_model::{Moment, Outcome, Purpose, Reason, RequesterId, SubjectRef};

use crate::error::OpenError;
use crate::id::RecordId;
use crate::reader::Reader;
use crate::record::{End, Entry, Head, Record, VerdictLine};

/// What to look for. A criterion that is `None` asks nothing; of the others each must be met by some record of the
/// request, not all by the same one: the subject may stand in a window's verdicts, the purpose in the head.
///
/// ```no_run
/// # use consentry_audit::{OpenError, Reader, Search};
/// # use consentry_model::Reason;
/// # fn main() -> Result<(), OpenError> {
/// let reader = Reader::open("evidence".as_ref())?;
/// let mut search = Search::default();
/// search.reason = Some(Reason::ConsentWithdrawn);
/// for found in search.run(&reader)? {
///     println!("{:?}", found.ticket);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Search {
    /// Who asked.
    pub requester: Option<RequesterId>,
    /// For this purpose, or one below it.
    pub purpose: Option<Purpose>,
    /// The ruling in the head.
    pub outcome: Option<Outcome>,
    /// How it ended.
    pub end: Option<End>,
    /// The reason, of the whole or of one verdict, or counted in a summary.
    pub reason: Option<Reason>,
    /// A clause that a verdict rests on.
    pub clause: Option<String>,
    /// Whose data was asked for, or whose consent changed.
    pub subject: Option<SubjectRef>,
    /// Written at or after this moment.
    pub since: Option<Moment>,
    /// Written before this moment.
    pub until: Option<Moment>,
    /// A record's or a ticket's id.
    pub id: Option<RecordId>,
    /// Most requests to find. Default 100.
    pub limit: usize,
    /// Whether the newest come first. Default true.
    pub newest_first: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            requester: None,
            purpose: None,
            outcome: None,
            end: None,
            reason: None,
            clause: None,
            subject: None,
            since: None,
            until: None,
            id: None,
            limit: 100,
            newest_first: true,
        }
    }
}

/// A request that was found, or a record that belongs to none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The request's ticket.
    pub ticket: Option<RecordId>,
    /// All of its records, oldest first.
    pub records: Vec<Record>,
}

/// What is known of a request on the way.
#[derive(Clone, Copy)]
struct Seen {
    criteria: u16,
    first_seq: u64,
}

impl Search {
    /// Goes through the log twice: to see which requests meet the criteria, and to collect their records.
    ///
    /// # Errors
    /// When the log cannot be read to its end.
    pub fn run(&self, reader: &Reader) -> Result<Vec<Found>, OpenError> {
        let wanted = self.wanted();
        let mut seen: HashMap<RecordId, Seen> = HashMap::new();
        for record in reader.records() {
            let record = record?;
            let first = Seen { criteria: 0, first_seq: record.seq() };
            seen.entry(key(&record)).or_insert(first).criteria |= self.met(&record);
        }
        let mut hits: Vec<(u64, RecordId)> = seen
            .into_iter()
            .filter(|(_, seen)| seen.criteria & wanted == wanted)
            .map(|(id, seen)| (seen.first_seq, id))
            .collect();
        hits.sort_unstable();
        if self.newest_first {
            hits.reverse();
        }
        hits.truncate(self.limit);
        let places: HashMap<RecordId, usize> =
            hits.iter().enumerate().map(|(at, (_, id))| (*id, at)).collect();
        let mut found = vec![Found { ticket: None, records: Vec::new() }; hits.len()];
        for record in reader.records() {
            let record = record?;
            if let Some(place) = places.get(&key(&record)).and_then(|at| found.get_mut(*at)) {
                place.ticket = record.ticket();
                place.records.push(record);
            }
        }
        Ok(found)
    }

    /// One bit for each criterion that is asked.
    fn wanted(&self) -> u16 {
        bits([
            self.requester.is_some(),
            self.purpose.is_some(),
            self.outcome.is_some(),
            self.end.is_some(),
            self.reason.is_some(),
            self.clause.is_some(),
            self.subject.is_some(),
            self.since.is_some() || self.until.is_some(),
            self.id.is_some(),
        ])
    }

    /// The bits of the criteria that this record meets.
    fn met(&self, record: &Record) -> u16 {
        let entry = record.entry();
        let head = if let Entry::Head(head) = entry { Some(head) } else { None };
        let lines = entry.verdicts();
        bits([
            head.is_some_and(|h| h.requester == self.requester),
            head.and_then(|h| h.purpose.as_ref())
                .zip(self.purpose.as_ref())
                .is_some_and(|(p, of)| p.is_within(of)),
            head.is_some_and(|h| Some(h.outcome) == self.outcome),
            matches!(entry, Entry::Outcome(closing) if Some(closing.end) == self.end),
            self.reason.is_some_and(|reason| names_reason(entry, lines, reason)),
            self.clause.as_deref().is_some_and(|clause| names_clause(head, lines, clause)),
            self.subject.is_some_and(|subject| {
                lines.iter().any(|l| l.subjects.contains(&subject))
                    || matches!(entry, Entry::ConsentChanged(change) if change.subject == subject)
            }),
            self.since.is_none_or(|since| record.ts() >= since)
                && self.until.is_none_or(|until| record.ts() < until),
            self.id.is_some_and(|id| record.id() == id || key(record) == id),
        ])
    }
}

fn names_clause(head: Option<&Head>, lines: &[VerdictLine], clause: &str) -> bool {
    let of_head = head.and_then(|head| head.unmet.as_ref()).into_iter().flat_map(|unmet| &unmet.clauses);
    of_head.chain(lines.iter().flat_map(|line| line.clauses.iter())).any(|named| **named == *clause)
}

fn names_reason(entry: &Entry, lines: &[VerdictLine], reason: Reason) -> bool {
    lines.iter().any(|line| line.reason == Some(reason))
        || match entry {
            Entry::Head(head) => head.reason == Some(reason),
            Entry::Outcome(closing) => closing.reason == Some(reason),
            Entry::Summary(summary) => summary.counts.contains_key(&reason),
            Entry::LogOpened(_)
            | Entry::LogRecovered(_)
            | Entry::LogOutage(_)
            | Entry::PolicyInstalled(_)
            | Entry::PolicyRefused(_)
            | Entry::Verdicts(_)
            | Entry::ConsentChanged(_) => false,
        }
}

/// What a record is found with: the request that it tells of.
fn key(record: &Record) -> RecordId {
    let said_by = if let Entry::ConsentChanged(change) = record.entry() { change.request } else { None };
    record.ticket().or(said_by).unwrap_or(record.id())
}

fn bits<const N: usize>(criteria: [bool; N]) -> u16 {
    criteria.into_iter().rev().fold(0, |bits, met| bits << 1 | u16::from(met))
}
