//! What the bus of a process counts.

use std::time::Duration;

use messaging::{BusMetrics, Handled};
use ports::bus::Subscription;
use telemetry::{IntCounterVec as Counter, IntGaugeVec as Gauge, Metrics, MetricsError};

/// Counts what one service does, into the registry of the process.
pub(crate) struct Counted {
    service: &'static str,
    published: Counter,
    failed: Counter,
    waiting: Gauge,
    oldest: Gauge,
    handled: Counter,
    took: Counter,
}

impl Counted {
    pub fn new(metrics: &Metrics, service: &'static str) -> Result<Self, MetricsError> {
        Ok(Self {
            service,
            published: metrics.counter(
                "bus_published_total",
                "Events that were published.",
                &["event"],
            )?,
            failed: metrics.counter(
                "bus_publish_failures_total",
                "Attempts to publish an event that failed; it is tried again.",
                &["event"],
            )?,
            waiting: metrics.gauge(
                "bus_outbox_events",
                "Events that wait in the outbox.",
                &["service"],
            )?,
            oldest: metrics.gauge(
                "bus_outbox_oldest_seconds",
                "How long the oldest event has waited in the outbox.",
                &["service"],
            )?,
            handled: metrics.counter(
                "bus_handled_total",
                "Attempts to handle an event: done, retried or dead.",
                &["subscription", "event", "end"],
            )?,
            took: metrics.counter(
                "bus_handling_milliseconds_total",
                "Time that handlers took.",
                &["subscription", "event"],
            )?,
        })
    }
}

impl BusMetrics for Counted {
    fn published(&self, event_type: &str) {
        self.published.with_label_values(&[event_type]).inc();
    }

    fn publish_failed(&self, event_type: &str) {
        self.failed.with_label_values(&[event_type]).inc();
    }

    fn outbox(&self, waiting: u64, oldest: Duration) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let service = [self.service];
        self.waiting
            .with_label_values(&service)
            .set(number(waiting));
        self.oldest
            .with_label_values(&service)
            .set(number(oldest.as_secs()));
    }

    fn handled(&self, subscription: &Subscription, event_type: &str, end: Handled, took: Duration) {
        let end = match end {
            Handled::Done => "done",
            Handled::Retried => "retried",
            Handled::Dead => "dead",
        };
        let subscription = subscription.as_str();
        self.handled
            .with_label_values(&[subscription, event_type, end])
            .inc();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.took
            .with_label_values(&[subscription, event_type])
            .inc_by(millis);
    }
}
