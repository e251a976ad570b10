//! Prometheus metrics.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

const PREFIX: &str = "plateia";
/// Seconds. A page of contacts takes milliseconds, `Prefer: wait` a minute.
const BUCKETS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0,
];

/// A metric was asked for again with other labels, or its name is not valid.
#[derive(Debug, thiserror::Error)]
#[error("metric {name}: {source}")]
pub struct MetricsError {
    name: String,
    source: prometheus::Error,
}

/// The registry of a process; clones share it.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Option<HistogramVec>,
    counters: Mutex<HashMap<String, IntCounterVec>>,
    gauges: Mutex<HashMap<String, IntGaugeVec>>,
}

impl Metrics {
    /// An empty registry, but for the requests.
    pub fn new() -> Self {
        let registry = Registry::new_custom(Some(PREFIX.to_owned()), None).unwrap_or_default();
        let options = HistogramOpts::new("http_request_duration_seconds", "Time to answer.")
            .buckets(BUCKETS.to_vec());
        let requests = HistogramVec::new(options, &["method", "route", "status"]).ok();
        if let Some(requests) = &requests {
            let _ = registry.register(Box::new(requests.clone()));
        }
        Self(Arc::new(Inner {
            registry,
            requests,
            counters: Mutex::default(),
            gauges: Mutex::default(),
        }))
    }

    /// Records an answered request; `route` is the template, never the path.
    pub fn http_request(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        if let Some(requests) = &self.0.requests {
            let labels = [method, route, &status.to_string()];
            requests
                .with_label_values(&labels)
                .observe(elapsed.as_secs_f64());
        }
    }

    /// The counter of this name (ending in `_total`, without prefix), made when first asked for.
    ///
    /// # Errors
    /// When the name is not valid or already stands for another metric.
    pub fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, MetricsError> {
        let mut known = self
            .0
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(name) {
            return Ok(counter.clone());
        }
        let counter = IntCounterVec::new(Opts::new(name, help), labels);
        let counter = counter.map_err(|source| error(name, source))?;
        self.0
            .registry
            .register(Box::new(counter.clone()))
            .map_err(|e| error(name, e))?;
        known.insert(name.to_owned(), counter.clone());
        Ok(counter)
    }

    /// The gauge of this name (without prefix), made when first asked for.
    ///
    /// # Errors
    /// When the name is not valid or already stands for another metric.
    pub fn gauge(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, MetricsError> {
        let mut known = self.0.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gauge) = known.get(name) {
            return Ok(gauge.clone());
        }
        let gauge = IntGaugeVec::new(Opts::new(name, help), labels);
        let gauge = gauge.map_err(|source| error(name, source))?;
        self.0
            .registry
            .register(Box::new(gauge.clone()))
            .map_err(|e| error(name, e))?;
        known.insert(name.to_owned(), gauge.clone());
        Ok(gauge)
    }

    /// Everything in Prometheus's text format.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.0.registry.gather())
            .unwrap_or_else(|error| {
                tracing::error!(%error, "metrics cannot be written");
                String::new()
            })
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn error(name: &str, source: prometheus::Error) -> MetricsError {
    MetricsError {
        name: name.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_counters_and_gauges_are_rendered() {
        let metrics = Metrics::new();
        metrics.http_request("GET", "/list/{id}", 200, Duration::from_millis(3));
        let retries = metrics
            .counter("retries_total", "Retries.", &["queue"])
            .unwrap();
        retries.with_label_values(&["imports"]).inc_by(2);
        let again = metrics
            .clone()
            .counter("retries_total", "Retries.", &["queue"])
            .unwrap();
        again.with_label_values(&["imports"]).inc();
        metrics
            .gauge("depth", "Depth.", &[])
            .unwrap()
            .with_label_values::<&str>(&[])
            .set(9);
        let text = metrics.render();
        for line in [
            r#"plateia_http_request_duration_seconds_count{method="GET",route="/list/{id}",status="200"} 1"#,
            r#"plateia_retries_total{queue="imports"} 3"#,
            "plateia_depth 9",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
        }
    }

    #[test]
    fn a_name_stands_for_one_metric() {
        let metrics = Metrics::new();
        metrics.counter("x_total", "X.", &[]).unwrap();
        assert!(metrics.gauge("x_total", "X.", &[]).is_err());
        assert!(metrics.counter("no good", "X.", &[]).is_err());
    }
}
