//! The connection that messages leave by.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lapin::{
    Channel, Confirmation, Connection,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    RabbitSettings,
    link::{self, Broken},
    message::Message,
    status::Lamp,
    topology::{Topology, short},
};

/// The longest that sending may take, from the wait for a channel to the last confirm: shorter than the
/// relay's own limit.
const SEND_LIMIT: Duration = Duration::from_secs(4);
/// How many may send at once.
const CHANNELS: usize = 32;
/// How long a stop waits for those who are sending.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Why messages were not sent, or not for certain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("not connected to the broker")]
    NotConnected,
    #[error("the broker blocks publishers")]
    Blocked,
    #[error("no confirm within {} s", SEND_LIMIT.as_secs())]
    Late,
    #[error("the broker did not take the message")]
    Nacked,
    #[error("connection to the broker")]
    Lapin(#[from] lapin::Error),
}

/// A connection that works.
struct Live {
    connection: Connection,
    /// Channels in confirm mode that nobody uses. Whoever sends has one alone, so that a returned
    /// message belongs to it for certain.
    idle: Mutex<Vec<Channel>>,
}

impl Live {
    async fn channel(&self) -> Result<Channel, SendError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(channel) = idle.filter(|channel| channel.status().connected()) {
            return Ok(channel);
        }
        let channel = self.connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(channel)
    }

    /// Takes back a channel on which nothing is under way.
    fn put(&self, channel: Channel) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(channel);
    }
}

struct Shared {
    settings: RabbitSettings,
    topology: Topology,
    live: watch::Sender<Option<Arc<Live>>>,
    senders: Semaphore,
    /// Asks for a look at the connection and the queues, now.
    heal: Notify,
    lamp: Lamp,
}

/// Sends messages; all of its clones share one connection.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<Shared>);

impl Outlet {
    pub fn new(settings: RabbitSettings, topology: Topology, lamp: Lamp) -> Self {
        Self(Arc::new(Shared {
            settings,
            topology,
            live: watch::Sender::new(None),
            senders: Semaphore::new(CHANNELS),
            heal: Notify::new(),
            lamp,
        }))
    }

    /// Declares everything soon.
    pub fn heal(&self) {
        self.0.heal.notify_one();
    }

    /// Sends messages, and answers for each whether a queue has it durably. Their targets differ.
    ///
    /// # Errors
    /// When that is not certain; some may have been sent.
    pub async fn send(&self, messages: &[Message]) -> Result<Vec<bool>, SendError> {
        let Some(live) = self.0.live.borrow().clone() else {
            return Err(SendError::NotConnected);
        };
        // What is written to a blocked connection piles up in memory.
        if live.connection.status().blocked() {
            return Err(SendError::Blocked);
        }
        let sent = timeout(SEND_LIMIT, async {
            let _turn = self.0.senders.acquire().await;
            let channel = live.channel().await?;
            let sent = send_on(&channel, messages).await?;
            live.put(channel);
            Ok(sent)
        });
        let sent = sent.await.unwrap_or(Err(SendError::Late));
        if sent.is_err() {
            self.heal();
        }
        sent
    }

    /// Keeps a connection until `stop`, then until nobody sends.
    pub async fn run(&self, stop: CancellationToken) {
        let session = || self.session(&stop);
        link::supervise("publisher", &self.0.lamp, &stop, session).await;
        self.0.lamp.set(false, None);
    }

    async fn session(&self, stop: &CancellationToken) -> Result<(), Broken> {
        let shared = &*self.0;
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = link::open(&shared.settings, "publisher") => opened,
        };
        let connection = opened.map_err(|error| Broken(error.to_string()))?;
        let events = connection.events_listener();
        let problem = link::declare(&shared.topology, &connection).await?;
        let live = Arc::new(Live {
            connection,
            idle: Mutex::default(),
        });
        shared.live.send_replace(Some(Arc::clone(&live)));
        tracing::info!("connected to the broker for publishing");
        // Who sees it lit may send.
        self.show(&live.connection, problem);
        let blocked = |reason: Option<String>| {
            let problem = reason.map(|reason| format!("publishers are blocked: {reason}"));
            shared.lamp.set(true, problem);
        };
        let ended = tokio::select! {
            broken = link::broken(&live.connection, events, blocked) => Err(broken),
            broken = self.heal_again(&live.connection) => Err(broken),
            () = stop.cancelled() => Ok(()),
        };
        if ended.is_ok() {
            let all = u32::try_from(CHANNELS).unwrap_or(u32::MAX);
            let _ = timeout(DRAIN_LIMIT, shared.senders.acquire_many(all)).await;
        }
        shared.live.send_replace(None);
        link::close(&live.connection).await;
        ended
    }

    /// Declares everything at intervals and when asked to, until the connection does not answer.
    async fn heal_again(&self, connection: &Connection) -> Broken {
        let mut every = interval(self.0.settings.healing());
        every.reset();
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = self.0.heal.notified() => every.reset(),
            }
            // A blocked connection does not answer, and is well.
            if connection.status().blocked() {
                continue;
            }
            match link::declare(&self.0.topology, connection).await {
                Err(broken) if !connection.status().blocked() => return broken,
                Err(_) => {}
                Ok(problem) => self.show(connection, problem),
            }
        }
    }

    fn show(&self, connection: &Connection, problem: Option<String>) {
        if connection.status().blocked() {
            return;
        }
        let text = problem.clone().unwrap_or_default();
        if self.0.lamp.set(true, problem) && !text.is_empty() {
            tracing::error!(problem = text, "the broker refuses a declaration");
        }
    }
}

/// Sends on a channel that nobody else uses, and waits for all confirms.
async fn send_on(channel: &Channel, messages: &[Message]) -> Result<Vec<bool>, SendError> {
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            ..BasicPublishOptions::default()
        };
        let (exchange, key) = (short(&message.exchange), short(&message.routing_key));
        let properties = message.properties.clone();
        let confirm = channel
            .basic_publish(exchange, key, options, &message.body, properties)
            .await?;
        confirms.push(confirm);
    }
    // A returned message arrives with a confirm, not always with its own.
    let mut returned = Vec::new();
    for confirm in confirms {
        match confirm.await? {
            Confirmation::Ack(message) => returned.extend(message),
            Confirmation::Nack(_) | Confirmation::NotRequested => return Err(SendError::Nacked),
        }
    }
    let came_back = |message: &Message| {
        returned.iter().any(|back: &BasicReturnMessage| {
            back.exchange.as_str() == message.exchange
                && back.routing_key.as_str() == message.routing_key
        })
    };
    Ok(messages.iter().map(|m| !came_back(m)).collect())
}
