//! One attempt to handle one delivery.

use std::sync::Arc;

use ports::{
    StoreError,
    bus::{Delivery, Handler, Outcome, Settlement},
    trace,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;

use super::{Consumer, Shared};
use crate::{Handled, after};

/// Longest reason kept, in characters.
const MAX_REASON: usize = 500;

pub(super) struct Attempt {
    pub shared: Arc<Shared>,
    pub consumer: Arc<Consumer>,
    pub cut: CancellationToken,
}

impl Attempt {
    pub async fn run(self, delivery: Delivery) {
        let span = tracing::info_span!(
            "bus.handle",
            subscription = %delivery.receipt.subscription,
            event_type = delivery.event.event_type,
            event_id = %delivery.event.event_id,
            attempt = delivery.attempt,
        );
        let traceparent = events::traceparent(&delivery.event.payload);
        let header = |name: &str| traceparent.as_deref().filter(|_| name == "traceparent");
        telemetry::continue_trace(&span, &header);
        // What the handler tells others comes of this delivery.
        let own = telemetry::traceparent(&span).or(traceparent);
        let handled = self.handle_and_settle(delivery);
        trace::scope(own, handled.instrument(span)).await;
    }

    async fn handle_and_settle(self, delivery: Delivery) {
        let Shared { clock, metrics, .. } = &*self.shared;
        let delivery = Arc::new(delivery);
        let started = clock.now();
        let outcome = self.outcome(&delivery).await;
        let took = (clock.now() - started).to_std().unwrap_or_default();
        match self.settle(&delivery, outcome).await {
            Ok(end) => {
                let event_type = &delivery.event.event_type;
                metrics.handled(&delivery.receipt.subscription, event_type, end, took);
            }
            // The claim lapses, and the delivery comes again.
            Err(error) => tracing::error!(%error, "a delivery cannot be settled"),
        }
    }

    async fn outcome(&self, delivery: &Arc<Delivery>) -> Outcome {
        // Attempts are counted at the claim: a handler that takes the process down ends here too.
        if delivery.attempt > self.shared.settings.attempts {
            return Outcome::reject("every attempt ended without an answer");
        }
        match self.consumer.handlers.get(&delivery.event.event_type) {
            Some(handler) => {
                self.guarded(Arc::clone(handler), Arc::clone(delivery))
                    .await
            }
            None => Outcome::reject("no handler for this type of event"),
        }
    }

    /// Runs the handler in a task of its own, where a panic ends nothing else.
    async fn guarded(&self, handler: Arc<dyn Handler>, delivery: Arc<Delivery>) -> Outcome {
        let call = async move { handler.handle(&delivery).await };
        let call = trace::scope(trace::current(), call);
        let mut task = AbortOnDropHandle::new(tokio::spawn(call.in_current_span()));
        let reason = tokio::select! {
            ended = &mut task => {
                return ended.unwrap_or_else(|_| Outcome::retry("the handler panicked"));
            }
            () = tokio::time::sleep(self.shared.settings.time_limit) => "the handler took too long",
            () = self.cut.cancelled() => "the process stopped",
        };
        // Dropped before the row is settled, so that its unit of work can no longer commit.
        task.abort();
        match task.await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::retry(reason),
        }
    }

    async fn settle(&self, delivery: &Delivery, outcome: Outcome) -> Result<Handled, StoreError> {
        let Shared {
            inbox,
            clock,
            settings,
            ..
        } = &*self.shared;
        let receipt = &delivery.receipt;
        let now = clock.now();
        let (settlement, end) = match outcome {
            Outcome::Done => (inbox.complete(receipt, now).await?, Handled::Done),
            Outcome::Retry {
                after: pause,
                reason,
            } if delivery.attempt < settings.attempts => {
                let pause = pause.unwrap_or_else(|| settings.delay(delivery.attempt));
                tracing::warn!(%reason, ?pause, "a delivery is tried again");
                let due = after(now, pause);
                (
                    inbox.retry(receipt, due, &bounded(&reason)).await?,
                    Handled::Retried,
                )
            }
            Outcome::Retry { reason, .. } | Outcome::Reject { reason } => {
                tracing::error!(%reason, "a delivery is given up");
                (
                    inbox.bury(receipt, &bounded(&reason), now).await?,
                    Handled::Dead,
                )
            }
        };
        // The handler's own transaction is the truth, even if it heard of no commit.
        Ok(match settlement {
            Settlement::Applied => end,
            Settlement::AlreadyDone => Handled::Done,
            Settlement::Lost => {
                tracing::warn!("the claim lapsed before the handler ended");
                Handled::Retried
            }
        })
    }
}

fn bounded(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}
