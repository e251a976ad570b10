//! W3C trace context of incoming requests.

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Headers<F>(F);

impl<'a, F: Fn(&str) -> Option<&'a str>> Extractor for Headers<F> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0(key)
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Makes the caller's span, named by `traceparent`, the parent of `span`. Call it before the span
/// is entered. Without an exporter, or without a valid header, nothing changes.
pub fn continue_trace<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    if header("traceparent").is_some() {
        let parent = TraceContextPropagator::new().extract(&Headers(header));
        // Fails when traces are not exported: there is no parent to have then.
        let _ = span.set_parent(parent);
    }
}
