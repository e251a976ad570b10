//! The outbox relay: publishes what transactions stored, in order per aggregate, at least once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::shared::Instant;
use futures::{StreamExt, stream};
use ports::{
    Clock, StoreError,
    bus::{EventId, EventPublisher, OutboxClaim, OutboxQueue, PublishError, Retry},
    crash,
};
use tokio_util::sync::CancellationToken;

use crate::{BusMetrics, NoMetrics, Signal, after, alarm::Alarms};

/// How the relay works.
#[derive(Debug, Clone, Copy)]
pub struct RelaySettings {
    /// Events claimed at once.
    pub batch: usize,
    /// Aggregates published at once.
    pub concurrency: usize,
    /// How long a claim holds, after which another relay takes over.
    pub lease: Duration,
    /// How long one publication may take.
    pub publish_timeout: Duration,
    /// Longest sleep without a wake-up.
    pub poll: Duration,
    /// Upper bound of the pause after the first failure; doubles with each further one.
    pub first_backoff: Duration,
    /// Upper bound of any pause.
    pub longest_backoff: Duration,
    /// Age of the oldest unpublished event from which an alarm is raised.
    pub alarm_age: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            batch: 500,
            concurrency: 64,
            lease: Duration::from_secs(15),
            publish_timeout: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            first_backoff: Duration::from_millis(200),
            longest_backoff: Duration::from_mins(1),
            alarm_age: Duration::from_mins(1),
        }
    }
}

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Events published and marked.
    pub sent: usize,
    /// Events to be tried again.
    pub failed: usize,
}

/// Publishes the events of one outbox. Several may run, in several processes.
pub struct OutboxRelay {
    queue: Arc<dyn OutboxQueue>,
    publisher: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
    signal: Signal,
    metrics: Arc<dyn BusMetrics>,
    settings: RelaySettings,
    alarms: Alarms,
}

impl OutboxRelay {
    /// A relay that `signal` wakes.
    pub fn new(
        queue: Arc<dyn OutboxQueue>,
        publisher: Arc<dyn EventPublisher>,
        clock: Arc<dyn Clock>,
        signal: Signal,
    ) -> Self {
        Self {
            queue,
            publisher,
            clock,
            signal,
            metrics: Arc::new(NoMetrics),
            settings: RelaySettings::default(),
            alarms: Alarms::default(),
        }
    }

    /// Counts into `metrics`.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<dyn BusMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Works as `settings` say.
    #[must_use]
    pub const fn with_settings(mut self, settings: RelaySettings) -> Self {
        self.settings = settings;
        self
    }

    /// Works until `stop`; a pass that has begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.pass().await {
                // A full batch: there may be more.
                Ok(relayed) if relayed.sent + relayed.failed >= self.settings.batch => continue,
                Ok(_) => {}
                Err(error) => {
                    self.alarm("store", &format!("the outbox cannot be worked: {error}"));
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.signal.wait(self.settings.poll) => {}
            }
        }
    }

    /// Claims one batch and publishes it.
    ///
    /// # Errors
    /// When the outbox cannot be read or written. What was published meanwhile is published again
    /// once its lease ends, and the inboxes ignore it.
    pub async fn pass(&self) -> Result<Relayed, StoreError> {
        let now = self.clock.now();
        let claims = self
            .queue
            .claim(self.settings.batch, now, self.settings.lease)
            .await?;
        let idle = claims.is_empty();
        let mut aggregates: BTreeMap<String, Vec<OutboxClaim>> = BTreeMap::new();
        for claim in claims {
            aggregates
                .entry(claim.event.aggregate.clone())
                .or_default()
                .push(claim);
        }
        let (mut sent, mut retries) = (Vec::new(), Vec::new());
        let mut published = stream::iter(aggregates.into_values().map(|run| self.publish(run)))
            .buffer_unordered(self.settings.concurrency);
        while let Some((published, failed)) = published.next().await {
            sent.extend(published);
            retries.extend(failed);
        }
        if !sent.is_empty() {
            crash::point("relay.delivered");
            self.queue.mark_sent(&sent, self.clock.now()).await?;
            crash::point("relay.marked");
        }
        if !retries.is_empty() {
            self.queue.reschedule(&retries).await?;
        }
        if idle || !retries.is_empty() {
            self.check_age().await?;
        }
        Ok(Relayed {
            sent: sent.len(),
            failed: retries.len(),
        })
    }

    /// Publishes the events of one aggregate in order, up to the first that fails.
    async fn publish(&self, run: Vec<OutboxClaim>) -> (Vec<EventId>, Vec<Retry>) {
        let mut sent = Vec::new();
        for (done, claim) in run.iter().enumerate() {
            let event = &claim.event;
            let limit = self.settings.publish_timeout;
            let result = tokio::time::timeout(limit, self.publisher.publish(event))
                .await
                .unwrap_or_else(|slow| Err(PublishError::Unavailable(Box::new(slow))));
            let Err(error) = result else {
                self.metrics.published(&event.event_type);
                sent.push(event.event_id.clone());
                continue;
            };
            self.metrics.publish_failed(&event.event_type);
            self.alarm(
                &event.event_type,
                &format!("an event cannot be published: {error}"),
            );
            let due = after(
                self.clock.now(),
                self.backoff(claim.attempt, rand::random()),
            );
            // The events behind it wait for it, or they would overtake it.
            let rest = run.get(done..).unwrap_or_default();
            return (
                sent,
                rest.iter().map(|claim| retry(claim, due, &error)).collect(),
            );
        }
        (sent, Vec::new())
    }

    /// The pause after a failed attempt: exponential, capped, with full jitter from `unit`, 0 to 1.
    fn backoff(&self, attempt: u32, unit: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(30);
        let bound = self.settings.first_backoff.saturating_mul(1 << doublings);
        bound.min(self.settings.longest_backoff).mul_f64(unit)
    }

    /// Reports what waits, and raises an alarm when it has waited too long.
    async fn check_age(&self) -> Result<(), StoreError> {
        let stats = self.queue.stats().await?;
        let now = self.clock.now();
        let age = stats
            .oldest
            .and_then(|at: Instant| (now - at).to_std().ok())
            .unwrap_or_default();
        self.metrics.outbox(stats.waiting, age);
        if age >= self.settings.alarm_age {
            let (waiting, seconds) = (stats.waiting, age.as_secs());
            self.alarm(
                "age",
                &format!("{waiting} events wait, the oldest for {seconds} s"),
            );
        }
        Ok(())
    }

    fn alarm(&self, key: &str, text: &str) {
        if self.alarms.due(key, self.clock.now()) {
            tracing::error!(alarm = key, "{text}");
        }
    }
}

fn retry(claim: &OutboxClaim, due: Instant, error: &PublishError) -> Retry {
    Retry {
        event_id: claim.event.event_id.clone(),
        attempt: claim.attempt,
        due,
        error: error.to_string(),
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
