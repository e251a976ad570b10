//! The connection that messages arrive by. A consumer stores and acknowledges, nothing else: the inbox
//! has the handlers, their retries and their dead letters.

mod taking;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::join_all};
use lapin::{
    Connection, Consumer,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use ports::{
    Clock,
    bus::{Binding, InboxStore, Subscription, WakeUp},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    RabbitSettings,
    link::{self, Broken},
    outlet::Outlet,
    status::Lamp,
    topology::{Topology, short},
};

/// Deliveries that a consumer may hold.
const PREFETCH: u16 = 64;
/// As many as it may hold at first. The broker counts whatever a lost connection held as a failed
/// delivery, and gives up what failed too often: who has just come holds little.
const FIRST_PREFETCH: u16 = 1;
/// So many times what it may hold a consumer takes, before it may hold so many times more.
const WIDENING: u16 = 4;
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
                    let batch = arrived(delivery?, &mut deliveries)?;
                    let count = u16::try_from(batch.len()).unwrap_or(u16::MAX);
                    self.take_all(listener, batch, stop).await?;
                    taken = taken.saturating_add(count);
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

/// A delivery, and those that are there by now as well.
fn arrived(first: Delivery, deliveries: &mut Consumer) -> Result<Vec<Delivery>, lapin::Error> {
    let mut batch = vec![first];
    while batch.len() < usize::from(PREFETCH) {
        match deliveries.next().now_or_never().flatten() {
            Some(delivery) => batch.push(delivery?),
            None => break,
        }
    }
    Ok(batch)
}
