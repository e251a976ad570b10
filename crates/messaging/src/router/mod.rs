//! The consumer runtime: claims deliveries, hands them to handlers, and settles them.

mod attempt;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use ports::{
    Clock, StoreError,
    bus::{Binding, Handler, InboxStore, Subscription, WakeUp},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use settings::RouterSettings;

use crate::{BusMetrics, EventHandler, NoMetrics, Signal, alarm::Alarms, typed::Decoding};
use attempt::Attempt;

/// A subscription's handlers, by event type.
#[derive(Clone, Default)]
struct Consumer {
    handlers: BTreeMap<String, Arc<dyn Handler>>,
    signal: Signal,
}

/// What all consumers of a router share.
struct Shared {
    inbox: Arc<dyn InboxStore>,
    clock: Arc<dyn Clock>,
    metrics: Arc<dyn BusMetrics>,
    settings: RouterSettings,
    alarms: Alarms,
}

/// Works off the subscriptions of one inbox. Several may run, in several processes.
pub struct Router {
    shared: Shared,
    consumers: BTreeMap<Subscription, Consumer>,
}

impl Router {
    /// A router without subscriptions.
    pub fn new(inbox: Arc<dyn InboxStore>, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared {
            inbox,
            clock,
            metrics: Arc::new(NoMetrics),
            settings: RouterSettings::default(),
            alarms: Alarms::default(),
        };
        Self {
            shared,
            consumers: BTreeMap::new(),
        }
    }

    /// Counts into `metrics`.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<dyn BusMetrics>) -> Self {
        self.shared.metrics = metrics;
        self
    }

    /// Works as `settings` say.
    #[must_use]
    pub fn with_settings(mut self, settings: RouterSettings) -> Self {
        self.shared.settings = settings;
        self
    }

    /// Lets `subscription` hear events of type `E`.
    #[must_use]
    pub fn on<E>(self, subscription: Subscription, handler: impl EventHandler<E> + 'static) -> Self
    where
        E: events::IntegrationEvent + Send + 'static,
    {
        self.on_type(subscription, E::TYPE, Arc::new(Decoding::new(handler)))
    }

    /// Lets `subscription` hear events of a type, undecoded.
    #[must_use]
    pub fn on_type(
        mut self,
        subscription: Subscription,
        event_type: &str,
        handler: Arc<dyn Handler>,
    ) -> Self {
        let consumer = self.consumers.entry(subscription).or_default();
        consumer.handlers.insert(event_type.to_owned(), handler);
        self
    }

    /// What its subscriptions want to hear, and what wakes each: for whoever fills the inbox.
    pub fn bindings(&self) -> Vec<(Binding, Arc<dyn WakeUp>)> {
        let binding = |(subscription, consumer): (&Subscription, &Consumer)| {
            let event_types = consumer.handlers.keys().cloned().collect();
            let wake: Arc<dyn WakeUp> = Arc::new(consumer.signal.clone());
            (
                Binding {
                    subscription: subscription.clone(),
                    event_types,
                },
                wake,
            )
        };
        self.consumers.iter().map(binding).collect()
    }

    /// Works until `stop`, then lets running handlers end within the grace period; what does not is
    /// dropped and made ready again.
    pub async fn run(self, stop: CancellationToken) {
        let shared = Arc::new(self.shared);
        let mut consumers = JoinSet::new();
        for (subscription, consumer) in self.consumers {
            let worker = Worker {
                shared: Arc::clone(&shared),
                subscription,
                consumer: Arc::new(consumer),
                cut: CancellationToken::new(),
                running: JoinSet::new(),
            };
            consumers.spawn(worker.run(stop.clone()));
        }
        consumers.join_all().await;
    }
}

/// Works off one subscription.
struct Worker {
    shared: Arc<Shared>,
    subscription: Subscription,
    consumer: Arc<Consumer>,
    /// Ends running handlers when the grace period is over.
    cut: CancellationToken,
    running: JoinSet<()>,
}

impl Worker {
    async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let free = self
                .shared
                .settings
                .concurrency
                .saturating_sub(self.running.len());
            let full = free == 0 || self.claim(free).await >= free;
            let poll = self.shared.settings.poll;
            tokio::select! {
                () = stop.cancelled() => break,
                // A handler that ends makes room; while there is room it changes nothing.
                Some(_) = self.running.join_next(), if full => {}
                () = self.consumer.signal.wait(poll), if !full => {}
            }
            while self.running.try_join_next().is_some() {}
        }
        self.drain().await;
    }

    /// Starts handling up to `free` deliveries and answers how many.
    async fn claim(&mut self, free: usize) -> usize {
        let Shared {
            inbox,
            clock,
            settings,
            ..
        } = &*self.shared;
        let claimed = inbox
            .claim(&self.subscription, free, clock.now(), settings.lease)
            .await;
        let deliveries = match claimed {
            Ok(deliveries) => deliveries,
            Err(error) => {
                self.report(&error);
                return 0;
            }
        };
        let count = deliveries.len();
        for delivery in deliveries {
            let attempt = Attempt {
                shared: Arc::clone(&self.shared),
                consumer: Arc::clone(&self.consumer),
                cut: self.cut.clone(),
            };
            self.running.spawn(attempt.run(delivery));
        }
        count
    }

    fn report(&self, error: &StoreError) {
        if self
            .shared
            .alarms
            .due(self.subscription.as_str(), self.shared.clock.now())
        {
            tracing::error!(subscription = %self.subscription, %error, "the inbox cannot be read");
        }
    }

    async fn drain(&mut self) {
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shared.settings.grace, ended)
            .await
            .is_err()
        {
            self.cut.cancel();
            while self.running.join_next().await.is_some() {}
        }
    }
}

#[cfg(test)]
mod tests;
