//! The connection that messages arrive by. A consumer stores and acknowledges, nothing else: the inbox
//! has the handlers, their retries and their dead letters.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, future::join_all};
use lapin::{
    Connection, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use ports::{
    Clock, ErrorClass, StoreError,
    bus::{Binding, InboxStore, OutboxEvent, Subscription, WakeUp},
    crash,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    RabbitSettings,
    link::{self, Broken},
    message::{self, Given, Message},
    outlet::Outlet,
    status::Lamp,
    topology::{Topology, WAITS, short},
};

/// Deliveries that a consumer may hold.
const PREFETCH: u16 = 32;
/// As many as it may hold at first. The broker counts whatever a lost connection held as a failed
/// delivery, and gives up what failed too often: who has just come holds little.
const FIRST_PREFETCH: u16 = 1;
/// So many times what it may hold a consumer takes, before it may hold so many times more.
const WIDENING: u16 = 4;
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
/// Rounds of healing without a delivery after which a consumer is made anew: where a queue is deleted
/// and declared again at once, the broker goes on listing its consumer and delivers nothing to it.
const IDLE_ROUNDS: u32 = 2;
/// How long a stop waits for what was delivered already.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// Why a consumer ended in order.
enum Ended {
    Stopped,
    /// Nothing came for a while.
    Idle,
    /// The connection has proved itself.
    Proven,
}

/// A subscription, where its events are stored, and who then works on them.
pub(crate) struct Listener {
    pub binding: Binding,
    pub inbox: Arc<dyn InboxStore>,
    pub wake: Arc<dyn WakeUp>,
}

/// Fills the inboxes of this process.
pub(crate) struct Consumers {
    settings: RabbitSettings,
    topology: Topology,
    listeners: Vec<Listener>,
    outlet: Outlet,
    clock: Arc<dyn Clock>,
    lamp: Lamp,
    /// Subscriptions that do not consume, and why.
    silent: Mutex<BTreeMap<Subscription, String>>,
}

impl Consumers {
    pub fn new(
        settings: RabbitSettings,
        topology: Topology,
        listeners: Vec<Listener>,
        outlet: Outlet,
        clock: Arc<dyn Clock>,
        lamp: Lamp,
    ) -> Self {
        Self {
            settings,
            topology,
            listeners,
            outlet,
            clock,
            lamp,
            silent: Mutex::default(),
        }
    }

    /// Consumes until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        if self.listeners.is_empty() {
            return;
        }
        link::supervise("consumers", &self.lamp, &stop, || self.session(&stop)).await;
        self.lamp.set(false, None);
    }

    async fn session(&self, stop: &CancellationToken) -> Result<(), Broken> {
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = link::open(&self.settings, "consumers") => opened,
        };
        let connection = opened.map_err(|error| Broken(error.to_string()))?;
        let events = connection.events_listener();
        // Refusals are found again, and told, by the listener that they concern.
        link::declare(&self.topology, &connection).await?;
        {
            let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            silent.clear();
            for listener in &self.listeners {
                let name = listener.binding.subscription.clone();
                silent.insert(name, "not consuming yet".to_owned());
            }
        }
        let listening = self
            .listeners
            .iter()
            .map(|l| self.listen(&connection, l, stop));
        let ended = tokio::select! {
            broken = link::broken(&connection, events, |_| {}) => Err(broken),
            broken = self.heal_again(&connection) => Err(broken),
            // All of them end when they are stopped.
            _ = join_all(listening) => Ok(()),
        };
        link::close(&connection).await;
        ended
    }

    /// Declares everything at intervals, until the connection does not answer.
    async fn heal_again(&self, connection: &Connection) -> Broken {
        loop {
            sleep(self.settings.healing()).await;
            if let Err(broken) = link::declare(&self.topology, connection).await {
                return broken;
            }
        }
    }

    /// Consumes for one subscription until `stop`; whatever ends it meanwhile, it begins again.
    async fn listen(&self, connection: &Connection, listener: &Listener, stop: &CancellationToken) {
        let name = &listener.binding.subscription;
        let mut failures = 0;
        let mut prefetch = FIRST_PREFETCH;
        while !stop.is_cancelled() {
            let consumed = self.consume(connection, listener, prefetch, stop).await;
            let Broken(problem) = match consumed {
                Ok(Ended::Stopped) => return,
                Ok(Ended::Idle) => continue,
                Ok(Ended::Proven) => {
                    prefetch = prefetch.saturating_mul(WIDENING).min(PREFETCH);
                    continue;
                }
                Err(broken) => broken,
            };
            prefetch = FIRST_PREFETCH;
            failures = if self.is_silent(name) {
                failures + 1
            } else {
                0
            };
            let pause = link::pause(failures);
            if self.silence(name, Some(problem.clone())) {
                tracing::warn!(subscription = %name, problem, "consuming ended");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn consume(
        &self,
        connection: &Connection,
        listener: &Listener,
        prefetch: u16,
        stop: &CancellationToken,
    ) -> Result<Ended, Broken> {
        let name = &listener.binding.subscription;
        let declared = self.topology.declare_queues(connection, name).await;
        declared.map_err(|u| Broken(format!("{} cannot be declared: {}", u.name, u.error)))?;
        let channel = connection.create_channel().await?;
        channel
            .basic_qos(prefetch, BasicQosOptions::default())
            .await?;
        let mut deliveries = channel
            .basic_consume(
                short(&self.topology.names.queue(name)),
                short(""),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        if self.silence(name, None) {
            tracing::info!(subscription = %name, "consuming");
        }
        let idle = self.settings.healing() * IDLE_ROUNDS;
        let mut taken = 0;
        let ended = loop {
            if prefetch < PREFETCH && taken >= prefetch.saturating_mul(WIDENING) {
                break Ended::Proven;
            }
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => break Ended::Stopped,
                delivery = deliveries.next() => delivery,
                () = sleep(idle) => break Ended::Idle,
            };
            match delivery {
                Some(delivery) => {
                    self.take(listener, delivery?, stop).await?;
                    taken = taken.saturating_add(1);
                }
                None => return Err(Broken("the broker cancelled the consumer".to_owned())),
            }
        };
        let tag = deliveries.tag();
        channel
            .basic_cancel(tag, BasicCancelOptions::default())
            .await?;
        let rest = self.drain(listener, &mut deliveries, stop);
        timeout(DRAIN_LIMIT, rest).await.unwrap_or(Ok(()))?;
        channel.close(200, short("done")).await?;
        Ok(ended)
    }

    /// Takes what was delivered before the consumer was cancelled; without it, the broker would count
    /// these deliveries as failed.
    async fn drain(
        &self,
        listener: &Listener,
        deliveries: &mut Consumer,
        stop: &CancellationToken,
    ) -> Result<(), Broken> {
        while let Some(delivery) = deliveries.next().await {
            self.take(listener, delivery?, stop).await?;
        }
        Ok(())
    }

    /// Stores a delivery, or sends it to wait or to the dead letters, and acknowledges it. Without any
    /// of these it is held until one succeeds or the connection ends.
    async fn take(
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

    fn is_silent(&self, name: &Subscription) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.contains_key(name)
    }

    /// Notes that a subscription consumes, or why not, and answers whether that is new. Shows it when
    /// all consume.
    fn silence(&self, name: &Subscription, problem: Option<String>) -> bool {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match problem.clone() {
            Some(problem) => silent.insert(name.clone(), problem),
            None => silent.remove(name),
        };
        let first = silent.iter().next();
        let shown = first.map(|(name, problem)| format!("{name}: {problem}"));
        self.lamp.set(shown.is_none(), shown);
        before != problem
    }
}
