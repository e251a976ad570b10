//! The bus inside one process: the relay's events go straight into durable inboxes.
//!
//! Retries, delays, dead letters and crash safety come from the inbox, as with a broker; only the
//! broker is missing.

use std::sync::Arc;

use async_trait::async_trait;
use ports::{
    Clock,
    bus::{
        Binding, EventPublisher, InboxStore, OutboxEvent, PublishError, Subscribers, Subscription,
        WakeUp,
    },
};

/// A subscription, where its events are stored, and who then works on them.
struct Listener {
    binding: Binding,
    inbox: Arc<dyn InboxStore>,
    wake: Arc<dyn WakeUp>,
}

/// Publishes into the inboxes of this process.
pub struct LocalBus {
    clock: Arc<dyn Clock>,
    required: Subscribers,
    listeners: Vec<Listener>,
}

impl LocalBus {
    /// A bus that holds back events whose `required` subscribers are not bound.
    pub const fn new(clock: Arc<dyn Clock>, required: Subscribers) -> Self {
        Self {
            clock,
            required,
            listeners: Vec::new(),
        }
    }

    /// Lets a subscription hear what it is bound to: events are stored in `inbox`, then `wake` is
    /// called.
    #[must_use]
    pub fn bind(
        mut self,
        binding: Binding,
        inbox: Arc<dyn InboxStore>,
        wake: Arc<dyn WakeUp>,
    ) -> Self {
        self.listeners.push(Listener {
            binding,
            inbox,
            wake,
        });
        self
    }

    fn listeners(&self, event_type: &str) -> impl Iterator<Item = &Listener> {
        self.listeners
            .iter()
            .filter(move |l| l.binding.event_types.contains(event_type))
    }

    /// Required subscriptions that do not listen.
    fn missing(&self, event_type: &str) -> Vec<Subscription> {
        let listens = |wanted: &Subscription| {
            self.listeners(event_type)
                .any(|l| l.binding.subscription == *wanted)
        };
        self.required
            .required(event_type)
            .filter(|s| !listens(s))
            .cloned()
            .collect()
    }
}

#[async_trait]
impl EventPublisher for LocalBus {
    async fn publish(&self, event: &OutboxEvent) -> Result<(), PublishError> {
        let now = self.clock.now();
        for Listener {
            binding,
            inbox,
            wake,
        } in self.listeners(&event.event_type)
        {
            inbox.deliver(&binding.subscription, event, now).await?;
            wake.wake();
        }
        // Those who listen need not wait for those who are missing.
        let missing = self.missing(&event.event_type);
        if missing.is_empty() {
            Ok(())
        } else {
            Err(PublishError::Unrouted { missing })
        }
    }
}

#[cfg(test)]
mod tests;
