//! W3C trace context of requests and events.

use std::collections::HashMap;

use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Headers<'a>(&'a dyn Fn(&str) -> Option<&'a str>);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0(key)
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Makes the caller's span, named by `traceparent`, the parent of `span`, and answers the trace that
/// `span` is exported in; `None` without an exporter. Call it before the span is entered.
pub fn continue_trace<'a>(
    span: &Span,
    header: &'a dyn Fn(&str) -> Option<&'a str>,
) -> Option<String> {
    if header("traceparent").is_some() {
        let parent = TraceContextPropagator::new().extract(&Headers(header));
        // Fails when traces are not exported: there is no parent to have then.
        let _ = span.set_parent(parent);
    }
    let context = span.context();
    let exported = context.span().span_context().clone();
    exported.is_valid().then(|| exported.trace_id().to_string())
}

/// The W3C `traceparent` that names `span` to others; `None` without an exporter.
pub fn traceparent(span: &Span) -> Option<String> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.remove("traceparent")
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn continued(traceparent: Option<&str>) -> Option<String> {
        continue_trace(&tracing::info_span!("request"), &|name| {
            traceparent.filter(|_| name == "traceparent")
        })
    }

    #[test]
    fn an_exported_span_is_in_the_callers_trace_or_in_one_of_its_own() {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let exporting =
            tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(exporting, || {
            let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
            assert_eq!(continued(Some(&traceparent)).as_deref(), Some(TRACE));
            let own = continued(Some("nonsense")).unwrap();
            assert_eq!(own.len(), 32);
            assert_ne!(continued(None), Some(own));
            let span = tracing::info_span!("request");
            let trace = continue_trace(&span, &|_| Some(&traceparent));
            let told = super::traceparent(&span).unwrap();
            assert!(
                told.starts_with(&format!("00-{}-", trace.unwrap())),
                "{told}"
            );
            assert_ne!(told, traceparent, "the span is one of its own");
        });
    }

    #[test]
    fn without_an_exporter_there_is_no_trace() {
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            assert_eq!(continued(None), None);
            assert_eq!(super::traceparent(&tracing::info_span!("request")), None);
        });
    }
}
