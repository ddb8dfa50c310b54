//! Finding requests.

use consentry_audit::{End, Found, OpenError, RecordId, Search};
use consentry_model::{Moment, Outcome, Purpose, Reason, RequesterId, SubjectRef};
use serde_json::{Value, json};

use super::words::{Ticket, raw};
use super::{Log, unreadable};
use crate::args::{Format, read};
use crate::output::{self, DIM, NAME, PLAIN, Table, count, when};
use crate::stop::{Exit, Stop};

/// How many more than the requests that are wanted are looked at to begin with.
const AT_FIRST_BESIDES: usize = 100;

/// Find requests by who, what for, outcome, reason, clause, person or time
///
/// Every filter given must be met by some record of the request. Records that belong to no request (that the log was
/// opened, a policy installed, strangers counted) are shown where --id, --reason or --subject names them, and counted
/// apart. Exits with 1 when nothing is found.
#[derive(clap::Args)]
pub(super) struct Find {
    #[command(flatten)]
    log: Log,
    /// Who asked
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// For this purpose, or one below it
    #[arg(long, value_name = "PURPOSE", value_parser = read::purpose)]
    purpose: Option<Purpose>,
    /// What became of it, as it is shown: allow, redact, refuse, failed, abandoned, undecided
    #[arg(long, value_name = "OUTCOME", value_parser = read::shown_outcome)]
    outcome: Option<&'static str>,
    /// The true reason, of the whole or of one verdict
    #[arg(long, value_name = "CODE", value_parser = read::reason)]
    reason: Option<Reason>,
    /// A clause that a verdict rests on
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    /// Whose data was asked for: the ledger's reference, as `consentry consent show` prints it
    #[arg(long, value_name = "REF", value_parser = read::subject_ref)]
    subject: Option<SubjectRef>,
    /// The id of a record or of a request's ticket; finds records that belong to no request too
    #[arg(long, value_name = "ID", value_parser = super::show::id)]
    id: Option<RecordId>,
    /// Written at or after this: a day, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    since: Option<Moment>,
    /// Written before this
    #[arg(long, value_name = "TIME", value_parser = output::read_moment)]
    until: Option<Moment>,
    /// At most so many, newest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Find {
    pub(super) fn run(&self) -> Result<Exit, Stop> {
        let mut search = Search::default();
        search.requester = self.requester.as_deref().map(RequesterId::new);
        search.purpose.clone_from(&self.purpose);
        // What is shown is made of head and closing; what one of them settles need not be collected first.
        match self.outcome {
            Some("allow") => search.outcome = Some(Outcome::Allow),
            Some("failed") => search.end = Some(End::Failed),
            Some("abandoned") => search.end = Some(End::Abandoned),
            Some(_) | None => {}
        }
        search.reason = self.reason;
        search.clause.clone_from(&self.clause);
        search.subject = self.subject;
        search.since = self.since;
        search.until = self.until;
        search.id = self.id;
        let reader = self.log.reader()?;
        let found = self.most(search, |s| s.run(&reader)).map_err(|e| unreadable(&self.log.log, &e))?;
        match self.format {
            Format::Text => tell(&found)?,
            Format::Json => output::say_json(&json!({ "found": found.iter().map(one).collect::<Vec<_>>() }))?,
        }
        Ok(if found.is_empty() { Exit::NO } else { Exit::OK })
    }
}

impl Find {
    /// Looks further back until there are as many requests as wanted, or nothing more is there.
    fn most(
        &self,
        mut search: Search,
        run: impl Fn(&Search) -> Result<Vec<Found>, OpenError>,
    ) -> Result<Vec<Found>, OpenError> {
        search.limit = self.limit.saturating_add(AT_FIRST_BESIDES);
        loop {
            let found = run(&search)?;
            let exhausted = found.len() < search.limit;
            let mut requests = 0;
            let kept: Vec<Found> = found
                .into_iter()
                .filter(|one| {
                    let wanted = self.wants(one) && requests < self.limit;
                    requests += usize::from(wanted && one.ticket.is_some());
                    wanted
                })
                .collect();
            if exhausted || requests >= self.limit {
                return Ok(kept);
            }
            search.limit = search.limit.saturating_mul(4);
        }
    }

    fn wants(&self, found: &Found) -> bool {
        if found.ticket.is_none() {
            return self.outcome.is_none()
                && (self.id.is_some() || self.reason.is_some() || self.subject.is_some());
        }
        self.outcome.is_none_or(|wanted| Ticket::of(&found.records).outcome().1 == wanted)
    }
}

fn one(found: &Found) -> Value {
    let records: Vec<Value> = found.records.iter().map(raw).collect();
    json!({ "ticket": found.ticket.map(|id| id.to_string()), "records": records })
}

fn tell(found: &[Found]) -> Result<(), Stop> {
    let mut table =
        Table::new(["evidence", "time", "outcome", "requester", "purpose", "route", "reason and clauses"]);
    for one in found {
        let ticket = Ticket::of(&one.records);
        let Some(first) = one.records.first() else { continue };
        let id = one.ticket.unwrap_or(first.id()).to_string();
        if one.ticket.is_none() {
            let kind = first.kind().code().to_owned();
            let empty = || (PLAIN, String::new());
            table.row([(DIM, id), (DIM, when(first.ts())), (DIM, kind), empty(), empty(), empty(), empty()]);
            continue;
        }
        let (style, outcome) = ticket.outcome_in_words();
        let mut why: Vec<String> = ticket.reasons().iter().map(|r| r.code().to_owned()).collect();
        why.extend(ticket.deciding_clauses());
        table.row([
            (DIM, id),
            (DIM, when(first.ts())),
            (style, outcome),
            (NAME, ticket.requester()),
            (PLAIN, ticket.purpose().unwrap_or_default()),
            (PLAIN, ticket.route()),
            (PLAIN, why.join(" ")),
        ]);
    }
    if !found.is_empty() {
        output::say(&table.render(0, usize::MAX))?;
    }
    let requests = found.iter().filter(|one| one.ticket.is_some()).count();
    let others = found.len() - requests;
    let others =
        if others > 0 { format!(", {} of no request", count(others, "record")) } else { String::new() };
    output::note(&format!("{}{others}", count(requests, "request")));
    Ok(())
}
