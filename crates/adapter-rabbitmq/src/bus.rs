//! Both ends of the bus in one process.

use std::sync::Arc;

use ports::{
    Clock,
    bus::{Binding, DeadLetters, EventPublisher, InboxStore, Subscribers, Subscription, WakeUp},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    BusStatus, RabbitSettings, RabbitStartError,
    consumer::{Consumers, Listener},
    dead::RabbitDeadLetters,
    link,
    outlet::Outlet,
    publisher::RabbitPublisher,
    status::Lamp,
    topology::{Names, Topology},
};

/// The bus of one process: publishes its events, and stores those it listens to in inboxes.
///
/// Made without touching the broker. [`check`](Self::check) tells whether it would work;
/// [`run`](Self::run) makes it work and keeps it working.
pub struct RabbitBus {
    settings: RabbitSettings,
    clock: Arc<dyn Clock>,
    required: Subscribers,
    listeners: Vec<Listener>,
    outlet: Outlet,
    status: BusStatus,
}

impl RabbitBus {
    /// A bus that holds back events whose `required` subscribers have no queue.
    pub fn new(settings: RabbitSettings, clock: Arc<dyn Clock>, required: Subscribers) -> Self {
        let status = BusStatus {
            publisher: Lamp::new(Arc::clone(&clock), false),
            consumers: Lamp::new(Arc::clone(&clock), true),
        };
        let topology = Topology::of_required(names(&settings), &required);
        Self {
            outlet: Outlet::new(settings.clone(), topology, status.publisher.clone()),
            settings,
            clock,
            required,
            listeners: Vec::new(),
            status,
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
        self.status.consumers.set(false, None);
        self.listeners.push(Listener {
            binding,
            inbox,
            wake,
        });
        self
    }

    /// Tries once whether the broker lets us in and has, or takes, our exchanges and queues.
    ///
    /// # Errors
    /// See [`RabbitStartError`]; within seconds.
    pub async fn check(&self) -> Result<(), RabbitStartError> {
        let limit = link::OPEN_LIMIT;
        let connection = link::open(&self.settings, "check").await?;
        let names = names(&self.settings);
        let declared = timeout(limit, async {
            let required = Topology::of_required(names.clone(), &self.required);
            required.declare(&connection).await?;
            self.consumed(names).declare(&connection).await
        })
        .await;
        link::close(&connection).await;
        match declared {
            Ok(Ok(())) => Ok(()),
            Ok(Err(undeclared)) => Err(RabbitStartError::declaring(&self.settings, undeclared)),
            Err(_) => Err(RabbitStartError::late(&self.settings, limit)),
        }
    }

    /// The relay's side. Answers with an error at once while there is no connection.
    pub fn publisher(&self) -> Arc<dyn EventPublisher> {
        Arc::new(RabbitPublisher {
            outlet: self.outlet.clone(),
            names: names(&self.settings),
            required: self.required.clone(),
        })
    }

    /// What the broker keeps of what could not be delivered to these subscriptions.
    pub fn dead_letters(
        &self,
        subscriptions: impl IntoIterator<Item = Subscription>,
    ) -> Arc<dyn DeadLetters> {
        Arc::new(RabbitDeadLetters::new(
            self.settings.clone(),
            names(&self.settings),
            subscriptions.into_iter().collect(),
            self.outlet.clone(),
        ))
    }

    /// Whether it works.
    pub fn status(&self) -> BusStatus {
        self.status.clone()
    }

    /// Works until `stop`: then ends consuming, and publishing when nobody publishes any more.
    pub async fn run(self, stop: CancellationToken) {
        let topology = self.consumed(names(&self.settings));
        let outlet = self.outlet.clone();
        let consumers = Consumers::new(
            self.settings,
            topology,
            self.listeners,
            self.outlet,
            self.clock,
            self.status.consumers,
        );
        // Consumers put aside through the outlet what they cannot store.
        let consumed = CancellationToken::new();
        let consuming = async {
            consumers.run(stop.clone()).await;
            stop.cancelled().await;
            consumed.cancel();
        };
        tokio::join!(consuming, outlet.run(consumed.clone()));
    }

    fn consumed(&self, names: Names) -> Topology {
        Topology::of_bindings(names, self.listeners.iter().map(|l| &l.binding))
    }
}

fn names(settings: &RabbitSettings) -> Names {
    Names::new(settings.prefix().to_owned())
}
