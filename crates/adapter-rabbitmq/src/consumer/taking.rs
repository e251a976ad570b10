//! What becomes of a delivery: it is stored and acknowledged, waits in a queue, or is given up.

use std::time::Duration;

use lapin::{message::Delivery, options::BasicAckOptions};
use ports::{ErrorClass, StoreError, bus::OutboxEvent, crash};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Consumers, Listener};
use crate::{
    link::{self, Broken},
    message::{self, Given, Message},
    topology::WAITS,
};

/// The longest that storing may take.
const STORE_LIMIT: Duration = Duration::from_secs(10);
/// Pauses between attempts to store while the delivery is held; then it waits in a queue.
const HELD: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// Rounds through wait queues: six of ten seconds, five of a minute, then of ten minutes, a day in all.
const SHORT_ROUNDS: u32 = 6;
const MEDIUM_ROUNDS: u32 = 11;
const ROUNDS: u32 = 155;
/// Rounds for what the inbox refuses and does not expect to take later.
const REFUSED_ROUNDS: u32 = 3;

impl Consumers {
    /// Takes deliveries that arrived together: in one transaction where nothing is wrong with any of them, else one
    /// by one.
    pub(super) async fn take_all(
        &self,
        listener: &Listener,
        batch: Vec<Delivery>,
        stop: &CancellationToken,
    ) -> Result<(), Broken> {
        if let ([_, .., last], true) = (batch.as_slice(), self.store_all(listener, &batch).await) {
            listener.wake.wake();
            crash::point("consume.stored");
            // Whatever came before them on this channel is acknowledged already.
            last.ack(BasicAckOptions { multiple: true }).await?;
            return Ok(());
        }
        for delivery in batch {
            self.take(listener, delivery, stop).await?;
        }
        Ok(())
    }

    /// Stores deliveries together; `false` where they have to be looked at one by one.
    async fn store_all(&self, listener: &Listener, batch: &[Delivery]) -> bool {
        let subscription = &listener.binding.subscription;
        let event = |delivery: &Delivery| {
            let own_copy = message::has_own_copy(&delivery.properties, subscription);
            let event = message::event(&delivery.properties, &delivery.data);
            event.ok().filter(|_| !own_copy)
        };
        let events: Option<Vec<OutboxEvent>> = batch.iter().map(event).collect();
        let Some(events) = events.filter(|events| events.len() > 1) else {
            return false;
        };
        let inbox = &listener.inbox;
        let stored = inbox.deliver_all(subscription, &events, self.clock.now());
        matches!(timeout(STORE_LIMIT, stored).await, Ok(Ok(_)))
    }

    /// Stores a delivery, or sends it to wait or to the dead letters, and acknowledges it. Without any
    /// of these it is held until one succeeds or the connection ends.
    pub(super) async fn take(
        &self,
        listener: &Listener,
        delivery: Delivery,
        stop: &CancellationToken,
    ) -> Result<(), Broken> {
        let mut failures = 0;
        while let Err(problem) = self.settle(listener, &delivery).await {
            tracing::warn!(
                subscription = %listener.binding.subscription,
                problem,
                "a delivery can be neither stored nor put aside"
            );
            failures += 1;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(link::pause(failures)) => {}
            }
        }
        crash::point("consume.stored");
        // Refused when the channel is gone: then the message comes again.
        delivery.ack(BasicAckOptions::default()).await?;
        Ok(())
    }

    async fn settle(&self, listener: &Listener, delivery: &Delivery) -> Result<(), String> {
        let subscription = &listener.binding.subscription;
        let properties = &delivery.properties;
        let from_exchange = delivery.exchange.as_str() == self.topology.names.events();
        if from_exchange && message::has_own_copy(properties, subscription) {
            return Ok(());
        }
        let attempts = message::attempts(properties);
        let event = match message::event(properties, &delivery.data) {
            Ok(event) => event,
            Err(reason) => return self.give_up(listener, delivery, attempts + 1, reason).await,
        };
        let Err(error) = self.store(listener, &event).await else {
            listener.wake.wake();
            return Ok(());
        };
        let limit = match error.class() {
            ErrorClass::Transient => ROUNDS,
            ErrorClass::Permanent => REFUSED_ROUNDS,
        };
        if attempts >= limit {
            let reason = format!("the inbox did not take it: {error}");
            return self
                .give_up(listener, delivery, attempts + 1, &reason)
                .await;
        }
        let wait = match attempts {
            0..SHORT_ROUNDS => WAITS[0].0,
            SHORT_ROUNDS..MEDIUM_ROUNDS => WAITS[1].0,
            _ => WAITS[2].0,
        };
        tracing::warn!(%subscription, %error, wait, "the inbox cannot be reached");
        let queue = self.topology.names.wait_queue(subscription, wait);
        let properties = message::waiting(properties, attempts + 1);
        self.put_aside(Message::to_queue(queue, properties, delivery.data.clone()))
            .await
    }

    async fn store(&self, listener: &Listener, event: &OutboxEvent) -> Result<(), StoreError> {
        let mut pauses = HELD.iter();
        loop {
            let now = self.clock.now();
            let stored = listener
                .inbox
                .deliver(&listener.binding.subscription, event, now);
            let stored = timeout(STORE_LIMIT, stored)
                .await
                .unwrap_or_else(|slow| Err(StoreError::Unavailable(Box::new(slow))));
            match (stored, pauses.next()) {
                (Ok(_), _) => return Ok(()),
                (Err(error), Some(pause)) if error.class() == ErrorClass::Transient => {
                    sleep(*pause).await;
                }
                (Err(error), _) => return Err(error),
            }
        }
    }

    async fn give_up(
        &self,
        listener: &Listener,
        delivery: &Delivery,
        attempts: u32,
        reason: &str,
    ) -> Result<(), String> {
        let subscription = &listener.binding.subscription;
        tracing::error!(%subscription, reason, "a message was given up");
        let why = Given {
            attempts,
            reason: reason.to_owned(),
            at: self.clock.now(),
        };
        let queue = self.topology.names.dead_queue(subscription);
        let properties = message::given_up(&delivery.properties, &why);
        self.put_aside(Message::to_queue(queue, properties, delivery.data.clone()))
            .await
    }

    async fn put_aside(&self, message: Message) -> Result<(), String> {
        match self.outlet.send(&[message]).await.as_deref() {
            Ok([true]) => Ok(()),
            Ok(_) => Err("the queue for it is missing".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
