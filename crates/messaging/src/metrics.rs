//! What a metrics backend may count.

use std::time::Duration;

use ports::bus::Subscription;

/// How an attempt to handle an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Done.
    Done,
    /// Tried again later.
    Retried,
    /// Given up.
    Dead,
}

/// Hooks for metrics. Called on hot paths: must not block.
pub trait BusMetrics: Send + Sync {
    /// An event was published.
    fn published(&self, event_type: &str);
    /// An event could not be published and will be tried again.
    fn publish_failed(&self, event_type: &str);
    /// Events wait in the outbox, the oldest for that long.
    fn outbox(&self, waiting: u64, oldest: Duration);
    /// A handler ended after that long.
    fn handled(&self, subscription: &Subscription, event_type: &str, end: Handled, took: Duration);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMetrics;

impl BusMetrics for NoMetrics {
    fn published(&self, _: &str) {}
    fn publish_failed(&self, _: &str) {}
    fn outbox(&self, _: u64, _: Duration) {}
    fn handled(&self, _: &Subscription, _: &str, _: Handled, _: Duration) {}
}
