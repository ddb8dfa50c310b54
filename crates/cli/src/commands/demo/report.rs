//! One request and its answer as lines: every word is read from the response or from the evidence.

use consentry_audit::Record;

use super::ask::Ask;
use super::client::Answer;
use crate::commands::audit::Ticket;
use crate::output::{DIM, ERROR, FAIR, GOOD, NAME, paint, wrap};

/// Widths of the columns of a request's first line, and of the line as a whole, in characters.
const WHO: usize = 16;
const WHAT: usize = 40;
const LINE: usize = 78;
/// How many reasons are named.
const REASONS: usize = 3;

/// A request that was sent, its answer, and its evidence.
pub(super) struct Played {
    pub(super) ask: Ask,
    pub(super) answer: Answer,
    pub(super) records: Vec<Record>,
}

impl Played {
    /// What became of it: as the evidence says, or as the problem says where a stranger left none.
    fn outcome(&self) -> &'static str {
        match (self.records.is_empty(), self.answer.status) {
            (true, 400..) => "refuse",
            (true, _) => "allow",
            (false, _) => Ticket::of(&self.records).outcome().1,
        }
    }

    fn reason(&self) -> Option<String> {
        if self.records.is_empty() {
            return self.told();
        }
        Ticket::of(&self.records).reason().map(|r| r.code().to_owned())
    }

    /// The true reasons, and what the caller was told instead.
    fn why(&self) -> Option<String> {
        let mut reasons: Vec<_> = Ticket::of(&self.records).reasons().iter().map(|r| r.code()).collect();
        let more = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        let told = self.told().filter(|told| !reasons.contains(&told.as_str()));
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        match (reasons.is_empty(), told) {
            (true, told) => told,
            (false, None) => Some(format!("{}{more}", reasons.join(", "))),
            (false, Some(told)) => Some(format!("{}{more}, told {told}", reasons.join(", "))),
        }
    }

    /// The code that the caller was told.
    fn told(&self) -> Option<String> {
        self.answer.json()?.get("code")?.as_str().map(str::to_owned)
    }

    fn clauses(&self) -> Vec<String> {
        Ticket::of(&self.records).deciding_clauses().into_iter().collect()
    }

    fn withheld(&self) -> Vec<String> {
        Ticket::of(&self.records).withheld()
    }

    fn evidence(&self) -> Option<String> {
        self.records.iter().find_map(|r| r.ticket()).map(|id| id.to_string())
    }

    /// The names of the cookies that the answer sets.
    fn cookies(&self) -> Vec<String> {
        let lines = self.answer.headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
        lines.filter_map(|line| line.split_once('=').map(|(name, _)| name.to_owned())).collect()
    }

    /// How many records were delivered: of the one list that the answer holds.
    pub(super) fn rows(&self) -> usize {
        let list = self
            .answer
            .json()
            .and_then(|body| body.as_object()?.values().find_map(|v| v.as_array().map(Vec::len)));
        list.unwrap_or(0)
    }

    /// What is not as it should be.
    pub(super) fn mismatches(&self) -> Vec<String> {
        let expect = &self.ask.expect;
        let mut out = Vec::new();
        let mut differ = |what: &str, expected: &str, got: &str| {
            if expected != got {
                out.push(format!("{what}: expected {expected}, got {got}"));
            }
        };
        differ("outcome", expect.outcome, self.outcome());
        differ("status", &expect.status.to_string(), &self.answer.status.to_string());
        if let Some(reason) = expect.reason {
            differ("reason", reason, &self.reason().unwrap_or_default());
        }
        differ("withheld", &expect.withheld.join(", "), &self.withheld().join(", "));
        if let Some(rows) = expect.rows {
            differ("rows", &rows.to_string(), &self.rows().to_string());
        }
        if let Some(clause) = expect.clause
            && !self.clauses().iter().any(|c| c == clause)
        {
            out.push(format!("clause: expected {clause}, got {}", self.clauses().join(", ")));
        }
        if let Some(cookies) = expect.cookies {
            let got = self.cookies();
            if got != cookies {
                out.push(format!("cookies: expected {}, got {}", cookies.join(", "), got.join(", ")));
            }
        }
        if let (Some(told), Some(id)) = (self.instance(), self.evidence())
            && told != format!("urn:uuid:{id}")
        {
            out.push("the problem names other evidence than the log".to_owned());
        }
        out
    }

    /// The evidence that the caller was told of.
    fn instance(&self) -> Option<String> {
        self.answer.json()?.get("instance")?.as_str().map(str::to_owned)
    }

    /// The lines.
    pub(super) fn row(&self, number: usize, mismatches: &[String]) -> String {
        let outcome = self.outcome();
        let style = match outcome {
            "allow" => GOOD,
            "redact" => FAIR,
            _ => ERROR,
        };
        let what = format!("{} {}", self.ask.method, self.ask.path);
        let mut out = format!(
            "{number:>2}  {} {what:<WHAT$} {} {}{}",
            paint(NAME, format!("{:<WHO$}", self.ask.who)),
            paint(style, format!("{:<6}", outcome.to_uppercase())),
            self.answer.status,
            if self.ask.http2 { "  h2" } else { "" },
        );
        let purpose = self.purpose().unwrap_or_else(|| "no purpose".to_owned());
        let mut second = vec![purpose];
        second.extend(self.why());
        second.extend(Some(self.clauses().join(", ")).filter(|clauses| !clauses.is_empty()));
        let rows = self.ask.expect.rows.map(|_| self.rows());
        let taken = Ticket::of(&self.records).taken(rows);
        let cookies = Some(self.cookies()).filter(|names| !names.is_empty());
        let cookies = cookies.map(|names| format!("cookies set: {}", names.join(", ")));
        let evidence = self
            .evidence()
            .map_or_else(|| "counted, no evidence slot".to_owned(), |id| format!("evidence {id}"));
        for text in [Some(second.join(" · ")), taken, cookies, Some(evidence)].into_iter().flatten() {
            for line in wrap(&text, LINE - 4) {
                out.push_str(&format!("\n    {}", paint(DIM, line)));
            }
        }
        for mismatch in mismatches {
            out.push_str(&format!("\n    {}", paint(ERROR, mismatch)));
        }
        out
    }

    fn purpose(&self) -> Option<String> {
        Ticket::of(&self.records).purpose()
    }
}
