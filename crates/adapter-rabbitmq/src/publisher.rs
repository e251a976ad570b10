//! The relay's side.

use async_trait::async_trait;
use ports::{
    StoreError,
    bus::{EventPublisher, OutboxEvent, PublishError, Subscribers, Subscription},
};

use crate::{
    message::{MAX_BODY, Message, properties},
    outlet::Outlet,
    topology::{Names, routing_key},
};

/// Publishes events: one copy straight into the queue of every subscription that must have it, whose
/// absence is thereby certain, and one to the exchange for whoever else listens.
pub(crate) struct RabbitPublisher {
    pub outlet: Outlet,
    pub names: Names,
    pub required: Subscribers,
}

impl RabbitPublisher {
    fn messages(
        &self,
        event: &OutboxEvent,
        required: &[&Subscription],
    ) -> Result<Vec<Message>, PublishError> {
        let routing_key = routing_key(event)
            .map_err(|_| PublishError::Inbox(StoreError::Corrupt("where an event is routed to")))?;
        let own = properties(event, std::iter::empty());
        let mut messages: Vec<Message> = required
            .iter()
            .map(|s| Message::to_queue(self.names.queue(s), own.clone(), event.payload.clone()))
            .collect();
        messages.push(Message {
            exchange: self.names.events(),
            routing_key,
            mandatory: false,
            properties: properties(event, required.iter().copied()),
            body: event.payload.clone(),
        });
        Ok(messages)
    }
}

#[async_trait]
impl EventPublisher for RabbitPublisher {
    async fn publish(&self, event: &OutboxEvent) -> Result<(), PublishError> {
        if event.payload.len() > MAX_BODY {
            let reason = "the event is larger than a message may be";
            return Err(PublishError::Inbox(StoreError::Corrupt(reason)));
        }
        let required: Vec<&Subscription> = self.required.required(&event.event_type).collect();
        let arrived = self
            .outlet
            .send(&self.messages(event, &required)?)
            .await
            .map_err(|error| PublishError::Unavailable(Box::new(error)))?;
        let missing: Vec<Subscription> = required
            .iter()
            .zip(arrived)
            .filter(|(_, arrived)| !arrived)
            .map(|(subscription, _)| (*subscription).clone())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.outlet.heal();
        Err(PublishError::Unrouted { missing })
    }
}
