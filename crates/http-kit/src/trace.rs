//! One span, one log line and one measurement per request, and an end for each that reads.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web::Data,
};
use futures::FutureExt;
use telemetry::Metrics;
use tracing::Instrument;

use crate::{
    ErrorShape, ErrorShapes, Problem,
    context::{RequestContext, TraceId},
};

/// Route of a request that no route matched. A raw path is never logged: it is the client's text.
const UNMATCHED: &str = "unmatched";
/// How long a reader may wait for the head of the answer: longer than `Prefer: wait` lasts. A store that
/// stands still would not let it go.
const READ_WITHIN: Duration = Duration::from_secs(90);
/// After how long a reader that was sent away may come again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Middleware for `actix_web::middleware::from_fn`, outermost of all. Gives the request its trace
/// id, turns a panic into a 500 and a read without an end into a 503, and records the outcome; measures
/// where `Data<Metrics>` is there.
///
/// # Errors
/// Those of the wrapped service.
pub async fn requests(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let method = known_method(request.method());
    let route = request.match_pattern();
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let shapes = request.app_data::<Data<ErrorShapes>>();
    // Of the highest level, so that no filter takes the trace id off the lines within.
    let span = tracing::error_span!("http_request", method, trace_id = tracing::field::Empty);
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let trace_id = telemetry::continue_trace(&span, &header)
        .map(TraceId::exported)
        .or_else(|| TraceId::from_headers(request.headers()))
        .unwrap_or_else(TraceId::random);
    span.record("trace_id", trace_id.as_str());
    let context = RequestContext {
        traceparent: telemetry::traceparent(&span).unwrap_or_else(|| trace_id.unsampled()),
        trace_id,
        path: request.path().to_owned(),
        method: request.method().clone(),
        errors: shapes.and_then(|shapes| ErrorShape::of(request.path(), &shapes.0)),
    };

    let reads = request.method().is_safe();
    let served = AssertUnwindSafe(next.call(request)).catch_unwind();
    let served = async {
        let served = if reads {
            // A reader that is dropped has changed nothing.
            let ended = tokio::time::timeout(READ_WITHIN, served).await;
            ended.unwrap_or_else(|_| Ok(Err(Problem::unavailable(RETRY_AFTER).into())))
        } else {
            served.await
        };
        served.unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Err(Problem::internal().into())
        })
    };
    let served = context.scope(served.instrument(span.clone())).await;

    let status = match &served {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let route = route.as_deref().unwrap_or(UNMATCHED);
    let elapsed = started.elapsed();
    if let Some(metrics) = metrics {
        metrics.http_request(method, route, status.as_u16(), elapsed);
    }
    span.in_scope(|| log(method, route, status, elapsed.as_millis()));
    served
}

fn log(method: &str, route: &str, status: StatusCode, duration_ms: u128) {
    let duration_ms = u64::try_from(duration_ms).unwrap_or(u64::MAX);
    let status = status.as_u16();
    if status >= 500 {
        tracing::error!(method, route, status, duration_ms, "request");
    } else if matches!(route, "/livez" | "/readyz" | "/metrics") {
        tracing::debug!(method, route, status, duration_ms, "request");
    } else {
        tracing::info!(method, route, status, duration_ms, "request");
    }
}

/// The method, from a closed set: any other text of the client becomes `OTHER`.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
