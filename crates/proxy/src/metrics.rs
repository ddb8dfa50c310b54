//! What `/metrics` says, in the text format of Prometheus (version 0.0.4). The little that is needed of it is written by
//! hand: counters, gauges and two histograms are shorter than the glue to a library that would write them.
//!
//! Labels come from closed lists: routes of the bundle, outcomes, reason codes. None is about a person, and none is free
//! text that a caller could choose.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use consentry_audit::End;
use consentry_layer::Account;
use consentry_model::Outcome;

use crate::counters::Counts;
use crate::state::{State, last};

/// The media type of the text format.
pub(crate) const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many different rows are counted; further ones are counted together. It is reached only by bundles that follow one
/// another with ever other routes.
const ROWS_MAX: usize = 8_192;

/// Upper bounds of the histograms, in microseconds.
const BOUNDS: [u64; 14] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// Route, outcome, reason.
type Row = (Arc<str>, &'static str, &'static str);

/// What is counted while serving, beside [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    rows: Mutex<BTreeMap<Row, u64>>,
    decided: Histogram,
    answered: Histogram,
}

/// How many took how long.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Metrics {
    /// Counts an answer of which the layer said what became of it.
    pub(crate) fn count(&self, account: &Account, took: Duration) {
        let outcome = match (account.end, account.outcome) {
            (End::Failed | End::Abandoned, _) => "fail",
            (End::Refused, _) | (End::Delivered, None) => "refuse",
            // It went through all the same, whole.
            (End::Delivered, Some(Outcome::Refuse)) => "report-only",
            (End::Delivered, Some(Outcome::Redact)) if account.report_only => "report-only",
            (End::Delivered, Some(Outcome::Allow)) => "allow",
            (End::Delivered, Some(Outcome::Redact)) => "redact",
        };
        let route = account.route.clone().unwrap_or_default();
        let reason = account.reason.map_or("", |reason| reason.code());
        self.answered.note(took);
        if let Some(decided) = account.decided_after {
            self.decided.note(decided);
        }
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let full = rows.len() >= ROWS_MAX;
        let row = (route, outcome, reason);
        let row = if full && !rows.contains_key(&row) { ("other".into(), outcome, "") } else { row };
        *rows.entry(row).or_default() += 1;
    }
}

impl Histogram {
    fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) =
            BOUNDS.iter().position(|bound| micros <= *bound).and_then(|at| self.buckets.get(at))
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, out: &mut Text, name: &str, help: &str) {
        out.head(name, "histogram", help);
        let mut below = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            out.line(&format!("{name}_bucket"), &[("le", &seconds(*bound))], below);
        }
        // Read last: what is noted meanwhile is in it too.
        let count = self.count.load(Ordering::Relaxed).max(below);
        out.line(&format!("{name}_bucket"), &[("le", "+Inf")], count);
        out.line(&format!("{name}_sum"), &[], seconds(self.micros.load(Ordering::Relaxed)));
        out.line(&format!("{name}_count"), &[], count);
    }
}

/// The whole page.
pub(crate) async fn exposition(state: &State) -> String {
    let mut out = Text::default();
    let Metrics { rows, decided, answered } = &*state.metrics;
    out.head(
        "consentry_requests_total",
        "counter",
        "Answers, by route of the bundle, outcome and reason code.",
    );
    let rows = rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for ((route, outcome, reason), count) in &rows {
        let labels = [("route", &**route), ("outcome", *outcome), ("reason", *reason)];
        out.line("consentry_requests_total", &labels, count);
    }
    answered.write(
        &mut out,
        "consentry_request_duration_seconds",
        "From the head of a request to that of its answer.",
    );
    decided.write(
        &mut out,
        "consentry_decision_duration_seconds",
        "From the head of a request to its permit, the durable record included.",
    );
    counts(&mut out, &state.counters.counts());
    parts(&mut out, state);
    let revision = state.ledger_revision().await.ok();
    out.one("consentry_ledger_up", "gauge", "Whether the ledger answers.", u64::from(revision.is_some()));
    if let Some(revision) = revision {
        out.one("consentry_ledger_revision", "gauge", "How many entries the ledger holds.", revision.0);
    }
    out.0
}

fn counts(out: &mut Text, counts: &Counts) {
    for (name, kind, help, value) in [
        ("connections_total", "counter", "Connections that were accepted.", counts.connections),
        ("connections_open", "gauge", "Connections that are open.", counts.connections_open),
        (
            "connections_turned_away_total",
            "counter",
            "Connections closed at once because their address has its number.",
            counts.connections_turned_away,
        ),
        ("tls_handshakes_failed_total", "counter", "Handshakes that failed.", counts.handshakes_failed),
        ("requests_received_total", "counter", "Requests that came.", counts.requests),
        (
            "answers_broken_off_total",
            "counter",
            "Answers that are counted by their head and broke off later because what was to follow failed or was refused.",
            counts.broken_off,
        ),
    ] {
        out.one(&format!("consentry_{name}"), kind, help, value);
    }
}

fn parts(out: &mut Text, state: &State) {
    let health = state.evidence.health();
    let used = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let refused = |slot| u64::from(last(slot).is_some());
    let reported = used(state.config.dangerous_report_only.len());
    for (name, kind, help, value) in [
        ("evidence_up", "gauge", "Whether the evidence log is written.", u64::from(health.failure.is_none())),
        ("evidence_records_total", "counter", "Records that are durable.", health.records),
        ("evidence_slots_used", "gauge", "Requests that are being recorded.", used(health.slots_used)),
        ("evidence_slots_max", "gauge", "How many can be at a time.", used(health.slots_max)),
        ("evidence_full_total", "counter", "Requests refused because no slot was free.", health.full_total),
        ("draining", "gauge", "Whether the sidecar is stopping.", u64::from(state.is_draining())),
        (
            "bundle_refused",
            "gauge",
            "Whether a bundle on disk is not taken over.",
            refused(&state.bundle_refused),
        ),
        ("keys_refused", "gauge", "Whether keys on disk are not taken over.", refused(&state.keys_refused)),
        (
            "tls_refused",
            "gauge",
            "Whether a certificate on disk is not taken over.",
            refused(&state.tls_refused),
        ),
        ("report_only_routes", "gauge", "Routes whose verdicts are not carried out.", reported),
    ] {
        out.one(&format!("consentry_{name}"), kind, help, value);
    }
    if let Some(age_ms) = state.bundle_age_ms() {
        let help = "How long ago the bundle in force was found sealed.";
        out.one("consentry_bundle_age_seconds", "gauge", help, age_ms / 1000);
    }
    if let Some(tls) = &state.tls {
        let help = "When the certificate in force ends, in Unix time.";
        let ends = tls.current().ends.unix_millis() / 1000;
        out.one("consentry_tls_certificate_ends_seconds", "gauge", help, ends);
    }
}

/// Microseconds as seconds, without rounding.
fn seconds(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{whole}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text that grows line by line.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            _ = write!(self.0, "{open}{label}=\"{escaped}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        _ = writeln!(self.0, "{close} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_up_and_labels_are_escaped() {
        let histogram = Histogram::default();
        for micros in [50, 51, 20_000_000] {
            histogram.note(Duration::from_micros(micros));
        }
        let mut out = Text::default();
        histogram.write(&mut out, "x", "what");
        out.line("y", &[("route", "GET /\"a\\\n")], 1);
        let lines: Vec<&str> = out.0.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "# HELP x what",
                "# TYPE x histogram",
                "x_bucket{le=\"0.00005\"} 1",
                "x_bucket{le=\"0.0001\"} 2"
            ]
        );
        assert!(out.0.ends_with("x_bucket{le=\"10\"} 2\nx_bucket{le=\"+Inf\"} 3\nx_sum 20.000101\nx_count 3\ny{route=\"GET /\\\"a\\\\\\n\"} 1\n"), "{}", out.0);
    }
}
