//! What is known about the request being served, for the code that renders its errors.

use std::fmt;

use actix_web::http::{Method, header::HeaderMap};
use rand::Rng;

use crate::ErrorShape;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// Id that joins an answer, its log line and its trace: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(String);

impl TraceId {
    /// A random one.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::rng().random_range(1..=u128::MAX)))
    }

    /// The one that spans are exported under.
    pub(crate) const fn exported(digits: String) -> Self {
        Self(digits)
    }

    /// The trace that the caller is in, by a valid W3C `traceparent`.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get("traceparent")?.to_str().ok()?.split('-');
        let (version, trace, span) = (fields.next()?, fields.next()?, fields.next()?);
        let hex = |text: &str, len: usize| {
            text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        let valid = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(span, 16);
        (valid && !zero(trace) && !zero(span)).then(|| Self(trace.to_owned()))
    }

    /// The trace as a `traceparent`, where no span is exported that could be named.
    pub(crate) fn unsampled(&self) -> String {
        let span = rand::rng().random_range(1..=u64::MAX);
        format!("00-{}-{span:016x}-00", self.0)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The request being served.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its W3C trace context, for what it leaves to others.
    pub traceparent: String,
    /// Its path, without the query.
    pub path: String,
    /// Its method.
    pub method: Method,
    /// How its errors are written, where they are no problems.
    pub errors: Option<ErrorShape>,
}

impl RequestContext {
    /// Makes this the current request while `future` runs.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        let traceparent = Some(self.traceparent.clone());
        let traced = ports::trace::scope(traceparent, future);
        CURRENT.scope(self, traced).await
    }

    /// The request that the running task serves, if it serves one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn parsed(traceparent: &str) -> Option<TraceId> {
        let name = HeaderName::from_static("traceparent");
        let value = HeaderValue::from_str(traceparent).unwrap();
        TraceId::from_headers(&HeaderMap::from_iter([(name, value)]))
    }

    #[test]
    fn the_trace_id_is_taken_from_a_valid_traceparent_only() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let span = "00f067aa0ba902b7";
        let good = format!("00-{trace}-{span}-01");
        assert_eq!(
            parsed(&good).map(|id| id.to_string()).as_deref(),
            Some(trace)
        );
        for bad in [
            "",
            "00",
            &good.to_uppercase(),
            &good.replace(trace, &"0".repeat(32)),
            &good.replace(span, &"0".repeat(16)),
            &good.replacen("00", "ff", 1),
            &good.replace(span, "xyz"),
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn random_ids_are_well_formed() {
        assert_eq!(TraceId::random().as_str().len(), 32);
        assert_ne!(TraceId::random(), TraceId::random());
    }
}
