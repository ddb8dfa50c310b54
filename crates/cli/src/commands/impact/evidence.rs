//! Decisions on record, under a new bundle.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use consentry_audit::{Entry, FactWord, Head, Reader, RecordId, VerdictLine};
use consentry_model::{
    BundleDigest, Category, Moment, Purpose, RecipientId, RequesterId, SubjectType, Treatment,
};
use consentry_policy::{Engine, NotReplayable, Recorded, RecordedFact, Replay};
use serde_json::{Value, json};

use crate::output::count;
use crate::stop::{Exit, Stop};

/// The other reasons not to replay a decision: the replay itself is never asked.
const OTHER_BUNDLE: &str = "it was made under another bundle than OLD";
const INCOMPLETE: &str = "its record names no requester, recipient or purpose";

/// How many records of a kind are named: enough to look into, however long the log is.
const EXAMPLES: usize = 3;

/// What became of the decisions on record. A line of evidence that is about several people is as many decisions.
#[derive(Default)]
pub(super) struct Replayed {
    same: u64,
    changed: BTreeMap<(Treatment, Treatment), BTreeMap<Kind, Found>>,
    not_replayable: BTreeMap<&'static str, u64>,
}

/// What a decision was about, as far as the log names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    category: Category,
    subject_type: SubjectType,
    purpose: Purpose,
    requester: RequesterId,
    recipient: RecipientId,
}

/// The decisions of a kind.
#[derive(Default)]
struct Found {
    decisions: u64,
    /// The first records that hold them.
    examples: Vec<RecordId>,
}

impl Replayed {
    /// Whether some decision would let more through.
    pub(super) fn widens(&self) -> bool {
        self.changed.keys().any(|(from, to)| to < from)
    }

    /// It in words, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let decisions = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX), "decision");
        let mut out = vec![format!("{} as before", decisions(self.same))];
        for ((from, to), kinds) in &self.changed {
            out.push(format!("{} {to} instead of {from}", decisions(total(kinds))));
            out.extend(kinds.iter().map(|(kind, found)| format!("{}: {kind}, {found}", found.decisions)));
        }
        let all: u64 = self.not_replayable.values().sum();
        out.push(format!("{} not replayable", decisions(all)));
        out.extend(self.not_replayable.iter().map(|(why, n)| format!("{n}: {why}")));
        out
    }

    /// It for programs.
    pub(super) fn report(&self) -> Value {
        let which = |(kind, found): (&Kind, &Found)| {
            json!({
                "category": kind.category.as_str(),
                "subject_type": kind.subject_type.as_str(),
                "purpose": kind.purpose.as_str(),
                "requester": kind.requester.as_str(),
                "recipient": kind.recipient.as_str(),
                "decisions": found.decisions,
                "examples": found.examples.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        };
        let changed: Vec<Value> = self
            .changed
            .iter()
            .map(|((from, to), kinds)| {
                let which: Vec<Value> = kinds.iter().map(which).collect();
                json!({ "from": from.code(), "to": to.code(), "decisions": total(kinds), "which": which })
            })
            .collect();
        let all: u64 = self.not_replayable.values().sum();
        json!({
            "same": self.same,
            "changed": changed,
            "not_replayable": { "decisions": all, "why": self.not_replayable },
        })
    }

    fn skip(&mut self, why: &'static str, decisions: u64) {
        *self.not_replayable.entry(why).or_default() += decisions;
    }
}

fn total(kinds: &BTreeMap<Kind, Found>) -> u64 {
    kinds.values().map(|found| found.decisions).sum()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, purpose, .. } = self;
        let [subject_type, requester, recipient] =
            [self.subject_type.as_str(), self.requester.as_str(), self.recipient.as_str()];
        write!(f, "{category} of {subject_type} for {purpose}, asked by {requester} for {recipient}")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.examples.iter().map(ToString::to_string).collect();
        write!(f, "first in {}", ids.join(", "))
    }
}

/// Replays every decision that a log retains.
pub(super) fn replay(log: &Path, old: &Engine, new: &Engine) -> Result<Replayed, Stop> {
    let unreadable = |error: &dyn fmt::Display| {
        Stop::because(Exit::UNASKED, format!("the log {}: {error}", log.display()))
            .help("`consentry audit verify` says what is wrong with it, and where")
    };
    let reader = Reader::open(log).map_err(|error| unreadable(&error))?;
    let mut replayer = Replayer {
        replay: Replay::new(old, new),
        digest: &old.bundle().digest,
        heads: HashMap::new(),
        out: Replayed::default(),
    };
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        replayer.entry(record.ticket(), record.entry(), record.ts());
    }
    Ok(replayer.out)
}

struct Replayer<'e> {
    replay: Replay<'e>,
    digest: &'e BundleDigest,
    /// The heads of requests that are not closed yet.
    heads: HashMap<RecordId, Head>,
    out: Replayed,
}

impl Replayer<'_> {
    fn entry(&mut self, ticket: Option<RecordId>, entry: &Entry, at: Moment) {
        match entry {
            Entry::Head(head) => {
                // Records are written after what they tell of was decided.
                let at = head.at.unwrap_or(at);
                self.lines(ticket, Some(head), head.bundle.as_ref(), &head.verdicts, at);
                if let Some(ticket) = ticket {
                    let mut head = head.clone();
                    head.verdicts.clear();
                    self.heads.insert(ticket, head);
                }
            }
            Entry::Verdicts(verdicts) => {
                let head = ticket.and_then(|ticket| self.heads.get(&ticket)).cloned();
                let at = verdicts.at.unwrap_or(at);
                let bundle = verdicts.bundle.clone().or_else(|| head.as_ref()?.bundle.clone());
                self.lines(ticket, head.as_ref(), bundle.as_ref(), &verdicts.verdicts, at);
            }
            Entry::Outcome(_) => {
                if let Some(ticket) = ticket {
                    self.heads.remove(&ticket);
                }
            }
            Entry::LogOpened(_)
            | Entry::LogRecovered(_)
            | Entry::LogOutage(_)
            | Entry::PolicyInstalled(_)
            | Entry::PolicyRefused(_)
            | Entry::Summary(_)
            | Entry::ConsentChanged(_) => {}
        }
    }

    fn lines(
        &mut self,
        ticket: Option<RecordId>,
        head: Option<&Head>,
        bundle: Option<&BundleDigest>,
        lines: &[VerdictLine],
        at: Moment,
    ) {
        for line in lines {
            let people =
                u64::try_from(line.subjects.len()).unwrap_or(u64::MAX).saturating_add(line.unresolved);
            let decisions = people.max(1);
            for category in &line.categories {
                if bundle != Some(self.digest) {
                    self.out.skip(OTHER_BUNDLE, decisions);
                    continue;
                }
                match head.and_then(|head| recorded(head, line, category, at)) {
                    None => self.out.skip(INCOMPLETE, decisions),
                    Some(recorded) => self.one(ticket, &recorded, decisions),
                }
            }
        }
    }

    fn one(&mut self, ticket: Option<RecordId>, recorded: &Recorded<'_>, decisions: u64) {
        match self.replay.answer(recorded) {
            Ok(now) if now == recorded.treatment => self.out.same += decisions,
            Ok(now) => {
                let kinds = self.out.changed.entry((recorded.treatment, now)).or_default();
                let found = kinds.entry(Kind::of(recorded)).or_default();
                found.decisions += decisions;
                let unseen =
                    ticket.filter(|id| found.examples.len() < EXAMPLES && !found.examples.contains(id));
                found.examples.extend(unseen);
            }
            Err(why) => self.out.skip(NotReplayable::words(why), decisions),
        }
    }
}

impl Kind {
    fn of(recorded: &Recorded<'_>) -> Self {
        Self {
            category: recorded.category.clone(),
            subject_type: recorded.subject_type.clone(),
            purpose: recorded.purpose.clone(),
            requester: recorded.requester.clone(),
            recipient: recorded.recipient.clone(),
        }
    }
}

fn recorded<'r>(
    head: &'r Head,
    line: &'r VerdictLine,
    category: &'r Category,
    at: Moment,
) -> Option<Recorded<'r>> {
    let fact = |word: &FactWord| match word {
        FactWord::Bool(b) => RecordedFact::Bool(*b),
        FactWord::Int(n) => RecordedFact::Int(*n),
        FactWord::Word(word) => RecordedFact::Word(std::sync::Arc::clone(word)),
    };
    Some(Recorded {
        requester: head.requester.as_ref()?,
        recipient: head.recipient.as_ref()?,
        purpose: head.purpose.as_ref()?,
        category,
        subject_type: &line.subject_type,
        origin: line.origin.as_deref(),
        facts: line.known().map(|(name, word)| (&**name, fact(word))).collect(),
        treatment: line.treatment,
        at,
    })
}
