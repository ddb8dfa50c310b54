//! The OpenTelemetry side of [`Telemetry`](crate::Telemetry).

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use consentry_model::Moment;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracer, SdkTracerProvider};

use crate::otlp_client::PlainClient;
use crate::receipt::Receipt;
use crate::telemetry::{SpanFacts, TelemetryError};

/// How long shutting down may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Spans on their way out.
#[derive(Clone)]
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Exporter {
    pub(crate) fn otlp(endpoint: &str, service_name: &str) -> Result<Self, TelemetryError> {
        let base = endpoint.trim_end_matches('/');
        // What stands behind the port would come before the path on which collectors listen.
        let is_bare = base.parse::<http::Uri>().is_ok_and(|uri| uri.path() == "/") && !base.contains('#');
        let client = PlainClient::new(base).filter(|_| is_bare).ok_or(TelemetryError::Endpoint)?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(format!("{base}/v1/traces"))
            .build()
            .map_err(|_| TelemetryError::Exporter)?;
        let resource = Resource::builder().with_service_name(service_name.to_owned()).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_id_generator(GivenIds)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self::of(provider))
    }

    fn of(provider: SdkTracerProvider) -> Self {
        Self { tracer: provider.tracer("consentry"), provider }
    }

    pub(crate) fn shutdown(&self) {
        if self.provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT).is_err() {
            tracing::warn!("not every span reached the collector");
        }
    }

    pub(crate) fn emit(&self, span: &SpanFacts, receipt: &Receipt, origin: &str) {
        let own = span.context();
        NEXT.set((TraceId::from_bytes(own.trace_id), SpanId::from_bytes(own.span_id)));
        let parent = span.parent.map_or_else(Context::new, |parent| {
            let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
            let (trace, span) = (TraceId::from_bytes(parent.trace_id), SpanId::from_bytes(parent.span_id));
            Context::new().with_remote_span_context(SpanContext::new(
                trace,
                span,
                flags,
                true,
                TraceState::NONE,
            ))
        });
        let builder = self
            .tracer
            .span_builder("privacy.enforce")
            .with_kind(SpanKind::Internal)
            .with_start_time(system_time(span.start))
            .with_attributes(attributes(span, receipt, origin));
        let mut started = self.tracer.build_with_context(builder, &parent);
        started.end_with_timestamp(system_time(receipt.ts.max(span.start)));
    }
}

fn attributes(span: &SpanFacts, receipt: &Receipt, origin: &str) -> Vec<KeyValue> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let clauses: Vec<StringValue> = span.clauses.iter().map(|c| c.to_string().into()).collect();
    let mut attributes = vec![
        KeyValue::new("privacy.end", span.end.code()),
        KeyValue::new("privacy.redaction.count", count(span.redactions)),
        KeyValue::new("privacy.clause", Value::Array(Array::String(clauses))),
        KeyValue::new("audit.record.id", receipt.id.to_string()),
        KeyValue::new("audit.sequence.number", count(receipt.seq)),
        KeyValue::new("audit.log.origin", origin.to_owned()),
    ];
    attributes.extend(span.outcome.map(|o| KeyValue::new("privacy.decision", o.code())));
    attributes.extend(span.purpose.as_ref().map(|p| KeyValue::new("privacy.purpose", p.to_string())));
    attributes.extend(span.reason.map(|r| KeyValue::new("privacy.reason", r.told_to_strangers().code())));
    attributes.extend(span.report_only.then(|| KeyValue::new("privacy.report_only", true)));
    attributes.extend(receipt.ticket.map(|t| KeyValue::new("audit.ticket.id", t.to_string())));
    attributes
}

fn system_time(at: Moment) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(at.unix_millis()).unwrap_or(0));
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

thread_local! {
    /// The ids of the span about to be started on this thread: the record and the service behind us know them already.
    static NEXT: Cell<(TraceId, SpanId)> = const { Cell::new((TraceId::INVALID, SpanId::INVALID)) };
}

#[derive(Debug)]
struct GivenIds;

impl IdGenerator for GivenIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().0
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().1
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use consentry_model::{
        Category, Outcome, Purpose, Reason, RuleId, SubjectRef, SubjectType, Treatment, Verdict,
    };
    use opentelemetry::Key;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};

    use super::*;
    use crate::{
        AuditLog, Closing, End, Head, LogOptions, PathCount, Reader, Telemetry, TraceParent, VerdictLine,
    };

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";

    fn withheld() -> Head {
        let verdict = Verdict {
            treatment: Treatment::Withheld,
            rules: [RuleId::new("r")].into(),
            clauses: ["panopta-05".into()].into(),
            reason: Some(Reason::ConsentWithdrawn),
            near: [].into(),
        };
        let category = Category::new("user.contact.email").unwrap();
        let mut line = VerdictLine::new(category, SubjectType::new("customer"), &verdict);
        line.subjects = vec![SubjectRef::from_bytes([0xab; 16])];
        let mut head = Head::new(Outcome::Refuse);
        head.purpose = Purpose::new("marketing").ok();
        head.reason = Some(Reason::ConsentWithdrawn);
        head.verdicts = vec![line];
        head.report_only = true;
        head
    }

    /// Records one request whose caller samples or does not; gives the spans and the `traceparent` sent on.
    async fn one(caller: Option<&str>) -> (Vec<SpanData>, TraceParent, Vec<crate::Record>) {
        let memory = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_id_generator(GivenIds)
            .with_simple_exporter(memory.clone())
            .build();
        let dir = tempfile::tempdir().unwrap();
        let options =
            LogOptions { telemetry: Telemetry::with(Exporter::of(provider)), ..LogOptions::default() };
        let log = AuditLog::open(dir.path(), options).unwrap();
        let mut ticket = log.reserve(Moment::from_unix_millis(1_000)).unwrap();
        if let Some(parent) = caller.and_then(TraceParent::parse) {
            ticket.join_trace(parent);
        }
        let sent_on = ticket.traceparent().and_then(|t| TraceParent::parse(&t)).unwrap();
        ticket.commit(withheld()).await.unwrap();
        assert!(memory.get_finished_spans().unwrap().is_empty(), "a span comes after the last record");
        let mut closing = Closing::new(End::Refused);
        closing.withheld = vec![PathCount("email".into(), 3)];
        closing.altered = 2;
        ticket.close(&closing);
        log.flush().await.unwrap();
        let records = Reader::open(dir.path()).unwrap().records().map(Result::unwrap).collect();
        (memory.get_finished_spans().unwrap(), sent_on, records)
    }

    #[tokio::test]
    async fn a_span_joins_the_caller_names_the_record_and_nobody() {
        let (spans, sent_on, records) = one(Some(&format!("{CALLER}1"))).await;
        let [span] = spans.as_slice() else { panic!("{}", spans.len()) };
        let text = |key: &'static str| {
            let found = span.attributes.iter().find(|a| a.key == Key::new(key));
            found.map(|a| a.value.to_string()).unwrap_or_default()
        };
        let last = records.last().unwrap();
        for (key, value) in [
            ("privacy.decision", "refuse".to_owned()),
            ("privacy.end", "refused".to_owned()),
            ("privacy.purpose", "marketing".to_owned()),
            ("privacy.reason", "not-permitted".to_owned()),
            ("privacy.clause", r#"["panopta-05"]"#.to_owned()),
            ("privacy.redaction.count", "5".to_owned()),
            ("privacy.report_only", "true".to_owned()),
            ("audit.record.id", last.id().to_string()),
            ("audit.sequence.number", last.seq().to_string()),
            ("audit.ticket.id", last.ticket().unwrap().to_string()),
        ] {
            assert_eq!(text(key), value, "{key}");
        }
        assert!(text("audit.log.origin").starts_with("consentry/"));
        assert_eq!(span.name, "privacy.enforce");
        assert_eq!(span.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(span.span_context.span_id().to_bytes(), sent_on.span_id);
        assert!(sent_on.sampled);
        let all = format!("{span:?}");
        assert!(
            !all.contains("abababab") && !all.contains("consent-withdrawn") && !all.contains("email"),
            "{all}"
        );
    }

    #[tokio::test]
    async fn without_a_caller_a_trace_begins_here() {
        let (spans, sent_on, _) = one(None).await;
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].span_context.trace_id().to_bytes(), sent_on.trace_id);
        assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    }

    #[tokio::test]
    async fn a_caller_that_does_not_sample_gets_no_span_and_evidence_is_kept_all_the_same() {
        let (spans, sent_on, records) = one(Some(&format!("{CALLER}0"))).await;
        assert!(spans.is_empty());
        assert!(!sent_on.sampled);
        assert_eq!(records.len(), 3);
    }

    /// Takes one POST and gives its head and the length of its body.
    fn collector(listener: &TcpListener) -> (String, usize) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let n = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..n]);
            let Some(end) = request.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(request[..end].to_vec()).unwrap().to_lowercase();
            let length =
                head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
            if n == 0 || request.len() - end - 4 >= length {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                return (head, length);
            }
        }
    }

    #[tokio::test]
    async fn a_batch_reaches_a_collector_as_protobuf() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || collector(&listener));
        let dir = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::otlp(&endpoint, "consentry-test").unwrap();
        let options = LogOptions { telemetry: telemetry.clone(), ..LogOptions::default() };
        let log = AuditLog::open(dir.path(), options).unwrap();
        drop(log.reserve(Moment::from_unix_millis(1_000)).unwrap());
        log.shutdown();
        telemetry.shutdown();
        let (head, length) = server.join().unwrap();
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        assert!(length > 50, "{length}");
        for wrong in ["https://x", "http://x/v1/traces", "http://x?a=b", "http://x/#a", "x"] {
            assert_eq!(Telemetry::otlp(wrong, "s").unwrap_err(), TelemetryError::Endpoint, "{wrong}");
        }
    }
}
