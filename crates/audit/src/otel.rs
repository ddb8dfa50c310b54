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
        let client = PlainClient::new(base).ok_or(TelemetryError::Endpoint)?;
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
