//! Spans: a copy for operators, never the record. One `privacy.enforce` for each closed ticket, after its last
//! record is durable.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use consentry_model::{Moment, Outcome, Purpose, Reason};

use crate::receipt::Receipt;
use crate::record::{Closing, End, Step, VerdictLine, Worded, Wording};
use crate::trace_context::TraceParent;

/// Most clauses that a span names.
const SPAN_CLAUSES_MAX: usize = 64;

/// What a ticket's span will say. Nothing in it is about a person.
#[derive(Debug)]
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "no exporter reads it"))]
pub(crate) struct SpanFacts {
    pub(crate) start: Moment,
    own: TraceParent,
    pub(crate) parent: Option<TraceParent>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) reason: Option<Reason>,
    pub(crate) clauses: BTreeSet<Arc<str>>,
    pub(crate) redactions: u64,
    /// Whether the ruling was only reported, not carried out.
    pub(crate) report_only: bool,
    pub(crate) end: End,
}

impl SpanFacts {
    pub(crate) fn new(start: Moment, own: TraceParent) -> Self {
        Self {
            start,
            own,
            parent: None,
            outcome: None,
            purpose: None,
            reason: None,
            clauses: BTreeSet::new(),
            redactions: 0,
            report_only: false,
            end: End::Abandoned,
        }
    }

    /// Our span, as its children see it.
    pub(crate) fn context(&self) -> TraceParent {
        self.own
    }

    pub(crate) fn join(&mut self, parent: TraceParent) {
        self.own = TraceParent { span_id: self.own.span_id, ..parent };
        self.parent = Some(parent);
    }

    pub(crate) fn note(&mut self, step: &Step) {
        match step {
            Step::Head(head) => {
                self.outcome = Some(head.outcome);
                self.report_only |= head.report_only;
                let worded = head.worded.as_ref().map(Worded::wording);
                self.purpose = head.purpose.as_ref().or(worded.and_then(Wording::purpose)).cloned();
                self.reason = head.reason;
                if let Some(wording) = worded {
                    self.name_clauses(wording.clauses().iter());
                }
                self.name_clauses(clauses_of(&head.verdicts));
            }
            Step::Verdicts(verdicts) => self.name_clauses(clauses_of(&verdicts.verdicts)),
        }
    }

    /// A span that nobody will see names none.
    fn name_clauses<'a>(&mut self, clauses: impl Iterator<Item = &'a Arc<str>>) {
        if !self.own.sampled {
            return;
        }
        for clause in clauses {
            if self.clauses.len() < SPAN_CLAUSES_MAX {
                self.clauses.insert(Arc::clone(clause));
            }
        }
    }

    pub(crate) fn end(&mut self, closing: &Closing) {
        self.end = closing.end;
        self.redactions = closing.redactions();
        self.report_only |= closing.report_only;
        self.reason = closing.reason.or(self.reason);
        self.outcome = match (closing.end, self.outcome) {
            (End::Refused, _) => Some(Outcome::Refuse),
            (_, Some(Outcome::Allow)) if self.redactions + closing.omitted > 0 => Some(Outcome::Redact),
            (_, outcome) => outcome,
        };
    }
}

fn clauses_of(lines: &[VerdictLine]) -> impl Iterator<Item = &Arc<str>> {
    lines.iter().flat_map(|line| line.clauses.iter())
}

/// Where spans go.
#[derive(Clone, Default)]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    exporter: Option<crate::otel::Exporter>,
}

impl Telemetry {
    /// Nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// To an OpenTelemetry collector, as OTLP over HTTP: `http://host:port`, to which `/v1/traces` is added. There is
    /// no TLS; the collector belongs on the same host or behind a local forwarder. Spans leave in batches on a thread
    /// of their own; when its queue is full, spans are dropped. Evidence is not: it does not go this way.
    ///
    /// # Errors
    /// When the endpoint is not an `http` address.
    #[cfg(feature = "otlp")]
    pub fn otlp(endpoint: &str, service_name: &str) -> Result<Self, TelemetryError> {
        Ok(Self { exporter: Some(crate::otel::Exporter::otlp(endpoint, service_name)?) })
    }

    /// Whether spans go anywhere.
    #[must_use]
    pub fn is_on(&self) -> bool {
        #[cfg(feature = "otlp")]
        return self.exporter.is_some();
        #[cfg(not(feature = "otlp"))]
        false
    }

    /// Sends what is waiting and stops. To be called after [`AuditLog::shutdown`](crate::AuditLog::shutdown); it
    /// blocks for as long as the collector takes, five seconds at most.
    pub fn shutdown(&self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.shutdown();
        }
    }

    /// Sends the span of a ticket whose last record is durable. Never waits.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(unused_variables, clippy::unused_self, reason = "no exporter is there")
    )]
    pub(crate) fn emit(&self, span: &SpanFacts, receipt: &Receipt, origin: &str) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.emit(span, receipt, origin);
        }
    }

    #[cfg(all(test, feature = "otlp"))]
    pub(crate) fn with(exporter: crate::otel::Exporter) -> Self {
        Self { exporter: Some(exporter) }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "Telemetry(otlp)" } else { "Telemetry(none)" })
    }
}

/// Why spans cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The endpoint is not of the form `http://host:port`.
    #[error("the endpoint is not an address of the form http://host:port")]
    Endpoint,
    /// The exporter cannot be made.
    #[error("the exporter cannot be made")]
    Exporter,
}
