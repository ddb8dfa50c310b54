//! Records in words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anstyle::Style;
use consentry_audit::{Closing, End, Entry, FactWord, Head, PathCount, Record, VerdictLine};
use consentry_model::{Category, Outcome, Reason, Treatment};
use serde_json::Value;

use crate::commands::consent::words::Line;
use crate::output::{self, BOLD, DIM, ERROR, FAIR, GOOD, NAME, PLAIN, Table, paint, when};

/// The records of one request, looked at as one thing.
pub(crate) struct Ticket<'a> {
    head: Option<&'a Head>,
    closing: Option<&'a Closing>,
    lines: Vec<&'a VerdictLine>,
}

impl<'a> Ticket<'a> {
    /// Of these records.
    pub(crate) fn of(records: &'a [Record]) -> Self {
        let mut out = Self { head: None, closing: None, lines: Vec::new() };
        for record in records {
            out.lines.extend(record.entry().verdicts());
            if let Entry::Head(head) = record.entry() {
                out.head = Some(head);
            }
            if let Entry::Outcome(closing) = record.entry() {
                out.closing = Some(closing);
            }
        }
        out
    }

    /// What became of it, and how bad that is.
    pub(crate) fn outcome(&self) -> (Style, &'static str) {
        match (self.closing.map(|c| c.end), self.head.map(|h| h.outcome)) {
            (Some(End::Refused), _) | (_, Some(Outcome::Refuse)) => (ERROR, "refuse"),
            (Some(End::Failed), _) => (ERROR, "failed"),
            (Some(End::Abandoned), _) => (FAIR, "abandoned"),
            (_, Some(Outcome::Redact)) => (FAIR, "redact"),
            (_, Some(Outcome::Allow)) if self.something_is_missing() => (FAIR, "redact"),
            (_, Some(Outcome::Allow)) => (GOOD, "allow"),
            (_, None) => (FAIR, "undecided"),
        }
    }

    /// The same in words, and whether it went on all the same: on a route that only reports, a ruling is recorded and not
    /// carried out, unless something was wrong that is refused there, too.
    pub(crate) fn outcome_in_words(&self) -> (Style, String) {
        let (style, outcome) = self.outcome();
        let reported = self.head.is_some_and(|h| match h.outcome {
            Outcome::Refuse => h.report_only,
            // What nobody declared is taken out there, too.
            Outcome::Redact => h.report_only && self.lines.iter().any(|l| l.treatment != Treatment::Clear),
            Outcome::Allow => false,
        });
        let delivered = self.closing.is_some_and(|c| c.end == End::Delivered);
        let more = if reported && delivered { ", let through" } else { "" };
        (style, format!("{outcome}{more}"))
    }

    fn something_is_missing(&self) -> bool {
        self.closing.is_some_and(|c| {
            !c.withheld.is_empty()
                || c.withheld_more > 0
                || c.omitted > 0
                || c.altered > 0
                || c.undeclared > 0
        })
    }

    /// The true reason.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.closing
            .and_then(|c| c.reason)
            .or_else(|| self.head.and_then(|h| h.reason))
            .or_else(|| self.lines.iter().find_map(|line| line.reason))
    }

    /// Who asked.
    pub(crate) fn requester(&self) -> String {
        self.head.and_then(|h| h.requester.as_ref()).map(ToString::to_string).unwrap_or_default()
    }

    /// What for.
    pub(crate) fn purpose(&self) -> Option<String> {
        self.head.and_then(|h| h.purpose.as_ref()).map(ToString::to_string)
    }

    /// By which route.
    pub(crate) fn route(&self) -> String {
        self.head.and_then(|h| h.route.as_deref()).unwrap_or_default().to_owned()
    }

    /// Every reason why something was not left clear, the deciding one first.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut out: Vec<Reason> = self.reason().into_iter().collect();
        if self.outcome().1 != "refuse" {
            for reason in self.lines.iter().filter_map(|line| line.reason) {
                if !out.contains(&reason) {
                    out.push(reason);
                }
            }
        }
        out
    }

    /// The clauses that decided. Of a refusal: those that most answers with its reason rest on, or the rules where one
    /// without a clause decided more of them. Of anything else: the clauses of what was not left clear, or of
    /// everything when all was.
    pub(crate) fn deciding_clauses(&self) -> BTreeSet<String> {
        if self.outcome().1 == "refuse" {
            // What is refused whoever the person is has a reason that need not be any answer's own.
            let given = |l: &&&VerdictLine| l.reason.is_some() && l.reason == self.reason();
            let own = self.lines.iter().any(|l| given(&l));
            // What stands against the exchange for what it is needs no answer.
            if let Some(unmet) = self.head.and_then(|head| head.unmet.as_ref()).filter(|_| !own) {
                let clauses: BTreeSet<_> = unmet.clauses.iter().map(ToString::to_string).collect();
                return if clauses.is_empty() { [unmet.rule.to_string()].into() } else { clauses };
            }
            let decisive = || self.lines.iter().filter(move |l| !own || given(l));
            let (most, clauses) =
                most_often(decisive().flat_map(|l| l.clauses.iter().map(ToString::to_string)));
            let (more, rules) = most_often(decisive().flat_map(|l| l.rules.iter().map(ToString::to_string)));
            return if more > most { rules } else { clauses };
        }
        let of = |clear: bool| {
            let lines = self.lines.iter().filter(move |l| (l.treatment == Treatment::Clear) == clear);
            lines.flat_map(|l| l.clauses.iter().map(ToString::to_string)).collect::<BTreeSet<_>>()
        };
        let against = of(false);
        if against.is_empty() { of(true) } else { against }
    }

    /// The fields that are missing in what was delivered, by path: what is missing only because its whole record was
    /// left out is not counted again.
    pub(crate) fn withheld(&self) -> Vec<String> {
        let omitted = self.closing.map_or(0, |c| c.omitted);
        let paths =
            self.closing.iter().flat_map(|c| &c.withheld).filter(|PathCount(_, times)| *times > omitted);
        let mut out: Vec<String> = paths.map(|PathCount(path, _)| path.to_string()).collect();
        out.sort();
        out
    }

    /// What was taken away, in one line; nothing when nothing was. `delivered` adds how many records were not.
    pub(crate) fn taken(&self, delivered: Option<usize>) -> Option<String> {
        let closing = self.closing?;
        let mut parts = Vec::new();
        let withheld = self.withheld();
        if !withheld.is_empty() {
            parts.push(format!("withheld {}", withheld.join(", ")));
        }
        for (number, one, several) in [
            (closing.withheld_more, "more path withheld", "more paths withheld"),
            (closing.undeclared, "undeclared value withheld", "undeclared values withheld"),
            (closing.altered, "value shortened", "values shortened"),
            (closing.omitted, "record left out", "records left out"),
        ] {
            match number {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                n => parts.push(format!("{n} {several}")),
            }
        }
        parts.extend(delivered.map(|n| format!("{} delivered", output::count(n, "record"))));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// What is named most often, and how often.
fn most_often(names: impl Iterator<Item = String>) -> (usize, BTreeSet<String>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    (most, counts.into_iter().filter(|(_, n)| *n == most).map(|(name, _)| name).collect())
}

/// A record as it was written, with what a head leaves to another one.
pub(super) fn raw(record: &Record) -> Value {
    // A record was read as JSON before it got here.
    record.to_json().unwrap_or(Value::Null)
}

/// Records one after the other.
pub(super) fn in_words(records: &[Record]) -> String {
    let mut out = String::new();
    if records.iter().any(|r| r.ticket().is_some()) && records.len() > 1 {
        let ticket = Ticket::of(records);
        let (style, outcome) = ticket.outcome_in_words();
        let reason = ticket.reason().map(|r| format!(", {r}")).unwrap_or_default();
        out.push_str(&format!("{}{reason}\n\n", paint(style, outcome)));
    }
    for record in records {
        let title = format!("record {} {}", record.seq(), record.kind().code());
        out.push_str(&format!("{} {}\n", paint(BOLD, title), paint(DIM, when(record.ts()))));
        let mut facts = Facts::default();
        facts.add("id", record.id());
        facts.maybe("ticket", record.ticket());
        one(record.entry(), &mut facts);
        out.push_str(&facts.0.render(2, output::width()));
        for line in record.entry().verdicts() {
            out.push_str(&verdict(line));
        }
        out.push('\n');
    }
    out
}

#[derive(Default)]
struct Facts(Table);

impl Facts {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.0.row([(DIM, name.to_owned()), (PLAIN, value.to_string())]);
    }

    fn maybe<T: ToString>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn nonzero(&mut self, name: &str, value: u64) {
        self.maybe(name, (value > 0).then_some(value));
    }
}

fn one(entry: &Entry, facts: &mut Facts) {
    match entry {
        Entry::Head(head) => of_head(head, facts),
        Entry::Verdicts(verdicts) => {
            facts.maybe("window", verdicts.window);
            facts.maybe("bundle", verdicts.bundle.as_ref());
            facts.maybe("ledger revision", verdicts.ledger);
            facts.maybe("decided as of", verdicts.at.map(when));
        }
        Entry::Outcome(closing) => of_closing(closing, facts),
        Entry::ConsentChanged(change) => {
            facts.add("subject", change.subject);
            facts.add("ledger revision", change.revision);
            facts.maybe("said by", change.request);
            let Line { effective, what, about, until, notice } = Line::of(&change.change);
            facts.add("what", what);
            facts.maybe("for", Some(about).filter(|about| !about.is_empty()));
            facts.add("counts from", when(effective));
            facts.maybe("until", until.map(when));
            facts.maybe("notice", notice);
        }
        Entry::PolicyInstalled(installed) => {
            facts.add("controller", format!("{} {}", installed.controller, installed.version));
            facts.add("bundle", &installed.bundle);
        }
        Entry::PolicyRefused(refused) => facts.add("why", &refused.why),
        Entry::Summary(summary) => {
            facts.add("from", format!("{} until {}", summary.since, summary.until));
            for (reason, number) in &summary.counts {
                facts.add(reason.code(), number);
            }
        }
        Entry::LogOpened(opened) => facts.add("records before", opened.previous_size),
        Entry::LogRecovered(recovered) => facts.add("bytes cut off", recovered.bytes_dropped),
        Entry::LogOutage(outage) => {
            facts.add("from", format!("{} until {}", outage.since, outage.until));
            facts.add("requests refused", outage.requests_refused);
            facts.add("closings lost", outage.closings_lost);
            facts.add("commits failed", outage.commits_failed);
        }
    }
}

fn of_head(head: &Head, facts: &mut Facts) {
    facts.add("outcome", head.outcome);
    facts.maybe("reason", head.reason);
    if let Some(unmet) = &head.unmet {
        facts.add("unmet", &unmet.rule);
        facts.maybe("clauses", (!unmet.clauses.is_empty()).then(|| unmet.clauses.join(", ")));
    }
    facts.maybe(
        "spelled out in",
        head.precedent.as_ref().map(|followed| format!("record {}", followed.record)),
    );
    facts.maybe("requester", head.requester.as_ref());
    facts.maybe("recipient", head.recipient.as_ref());
    facts.maybe("purpose", head.purpose.as_ref());
    facts.maybe("route", head.route.as_deref());
    facts.maybe("act", head.act);
    facts.maybe("bundle", head.bundle.as_ref());
    facts.maybe("ledger revision", head.ledger);
    facts.maybe("decided as of", head.at.map(when));
    facts.maybe("decided by", head.pending_body.then_some("the verdicts on the body, which follow"));
    facts.maybe(
        "report only",
        head.report_only.then_some("what is ruled on this route is recorded and not carried out"),
    );
    if !head.facts.is_empty() {
        facts.add("facts", known(&head.facts));
    }
}

fn of_closing(closing: &Closing, facts: &mut Facts) {
    facts.add("end", closing.end.code());
    facts.maybe("status", closing.status);
    facts.maybe("reason", closing.reason);
    facts.nonzero("bytes", closing.bytes);
    facts.nonzero("records", closing.records);
    facts.nonzero("records left out", closing.omitted);
    facts.nonzero("values altered", closing.altered);
    facts.nonzero("undeclared values", closing.undeclared);
    for PathCount(path, times) in &closing.withheld {
        facts.add("withheld", format!("{path} ({times}×)"));
    }
    facts.nonzero("more withheld paths", closing.withheld_more);
}

fn verdict(line: &VerdictLine) -> String {
    let style = match line.treatment {
        Treatment::Clear => GOOD,
        Treatment::Truncated | Treatment::Masked | Treatment::Pseudonymised => FAIR,
        Treatment::Withheld => ERROR,
    };
    let reason = line.reason.map(|r| format!(" because {r}")).unwrap_or_default();
    let mut out = format!(
        "  {} of a {} {} {}{reason}\n",
        paint(NAME, listed(&line.categories)),
        line.subject_type.as_str(),
        if line.categories.len() > 1 { "are" } else { "is" },
        paint(style, line.treatment)
    );
    let mut facts = Facts::default();
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
    facts.maybe("subjects", list(line.subjects.iter().map(ToString::to_string).collect()));
    facts.nonzero("unresolved", line.unresolved);
    facts.maybe("rules", list(line.rules.iter().map(ToString::to_string).collect()));
    facts.maybe("clauses", list(line.clauses.iter().map(ToString::to_string).collect()));
    facts.maybe("nearly", list(line.near.iter().map(|(rule, lacks)| format!("{rule} ({lacks})")).collect()));
    facts.maybe("assumed", list(line.assumed.iter().map(ToString::to_string).collect()));
    facts.maybe("facts", line.facts.as_ref().filter(|all| !all.is_empty()).map(|all| known(all)));
    out.push_str(&facts.0.render(4, output::width()));
    out
}

/// Some words as one names them in a sentence.
fn listed(words: &[Category]) -> String {
    let words: Vec<&str> = words.iter().map(Category::as_str).collect();
    match &words[..] {
        [several @ .., last] if !several.is_empty() => format!("{} and {last}", several.join(", ")),
        _ => words.concat(),
    }
}

fn known(facts: &BTreeMap<Arc<str>, FactWord>) -> String {
    let word = |value: &FactWord| match value {
        FactWord::Bool(value) => value.to_string(),
        FactWord::Int(value) => value.to_string(),
        FactWord::Word(word) => word.to_string(),
    };
    facts.iter().map(|(name, value)| format!("{name}={}", word(value))).collect::<Vec<_>>().join(", ")
}
