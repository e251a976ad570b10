//! Every exchange and queue there is: names, arguments, declarations.
//!
//! ```text
//! PREFIX.events ──event type──▶ PREFIX.SUB.v1 ──given up──▶ PREFIX.dead ──SUB──▶ PREFIX.SUB.v1.dead
//!                                 ▲        │ inbox away
//!                                 └─ later ─┘ PREFIX.SUB.v1.wait.10s, .wait.1m, .wait.10m
//! ```
//!
//! Arguments of a queue can never change: a new set of them needs a new version in the name.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lapin::{
    Channel, Connection, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use ports::bus::{Binding, OutboxEvent, Subscribers, Subscription};

/// Deliveries without an acknowledgement after which the broker gives a message up: a net for
/// consumers that crash on it. Attempts are counted in the inbox.
pub(crate) const DELIVERY_LIMIT: u32 = 8;

/// A limit that nobody reaches: dead letters come back as often as they are looked at.
const NO_LIMIT: i32 = 1_000_000_000;

/// How long a message waits before it comes back, and what its wait queue is called.
pub(crate) const WAITS: [(&str, Duration); 3] = [
    ("10s", Duration::from_secs(10)),
    ("1m", Duration::from_mins(1)),
    ("10m", Duration::from_mins(10)),
];

/// The exchange that routes to the queue whose name is the routing key.
pub(crate) const TO_QUEUE: &str = "";

/// Names that begin with one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The exchange that events are published to.
    pub fn events(&self) -> String {
        format!("{}.events", self.prefix)
    }

    /// The exchange that the broker gives messages up to.
    fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// Where a subscription's events wait for it.
    pub fn queue(&self, subscription: &Subscription) -> String {
        format!("{}.{subscription}.v1", self.prefix)
    }

    /// Where what was given up stays.
    pub fn dead_queue(&self, subscription: &Subscription) -> String {
        format!("{}.dead", self.queue(subscription))
    }

    /// Where messages wait until they come back; `wait` is a name in [`WAITS`].
    pub fn wait_queue(&self, subscription: &Subscription, wait: &str) -> String {
        format!("{}.wait.{wait}", self.queue(subscription))
    }

    /// An exclusive queue that serves as a lock: one at a time reads dead queues.
    pub fn dead_lock(&self) -> String {
        format!("{}.dead.lock", self.prefix)
    }
}

/// The key of an event. What it is routed by comes last: whoever listens to some events only binds to the whole of it.
///
/// # Errors
/// When the event does not say where it is routed to.
pub(crate) fn routing_key(event: &OutboxEvent) -> Result<String, events::DecodeError> {
    let key = events::routing_key(&event.event_type);
    Ok(match events::route(&event.event_type, &event.payload)? {
        Some(route) => format!("{key}.{route}"),
        None => key.to_owned(),
    })
}

/// What a subscription to all events of a type is bound to.
fn binding_key(event_type: &str) -> String {
    let key = events::routing_key(event_type);
    match events::routed_by(event_type) {
        // None, one or several words: events that were published before they were routed have none.
        Some(_) => format!("{key}.#"),
        None => key.to_owned(),
    }
}

/// What cannot be declared.
#[derive(Debug)]
pub(crate) struct Undeclared {
    /// The exchange or queue.
    pub name: String,
    pub error: lapin::Error,
}

impl Undeclared {
    /// Whether the broker refused, and the connection still works.
    pub fn is_refusal(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::ProtocolError(e) if matches!(
            e.kind(), lapin::protocol::AMQPErrorKind::Soft(_)
        ))
    }
}

/// The queues that one end of the bus needs, and what they hear.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    pub names: Names,
    queues: BTreeMap<Subscription, BTreeSet<String>>,
}

impl Topology {
    /// What a publisher needs: the queues of all that must hear.
    pub fn of_required(names: Names, required: &Subscribers) -> Self {
        let mut queues: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (event_type, subscription) in required.pairs() {
            queues
                .entry(subscription.clone())
                .or_default()
                .insert(event_type.to_owned());
        }
        Self { names, queues }
    }

    /// What consumers need.
    pub fn of_bindings<'a>(names: Names, bindings: impl Iterator<Item = &'a Binding>) -> Self {
        let queues = bindings
            .map(|b| (b.subscription.clone(), b.event_types.clone()))
            .collect();
        Self { names, queues }
    }

    /// Declares all of it, as far as it can: a refusal does not keep the rest from being declared.
    ///
    /// # Errors
    /// The first failure.
    pub async fn declare(&self, connection: &Connection) -> Result<(), Undeclared> {
        let mut failure = self.declare_exchanges(connection).await.err();
        for subscription in self.queues.keys() {
            if failure.as_ref().is_some_and(|f| !f.is_refusal()) {
                break;
            }
            let declared = self.declare_queues(connection, subscription).await;
            failure = failure.or(declared.err());
        }
        failure.map_or(Ok(()), Err)
    }

    async fn declare_exchanges(&self, connection: &Connection) -> Result<(), Undeclared> {
        let channel = open(connection, &self.names.events()).await?;
        for (name, kind) in [
            (self.names.events(), ExchangeKind::Topic),
            (self.names.dead(), ExchangeKind::Direct),
        ] {
            let options = ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            };
            channel
                .exchange_declare(short(&name), kind, options, FieldTable::default())
                .await
                .map_err(|error| Undeclared { name, error })?;
        }
        Ok(())
    }

    /// Declares the queues of a subscription and binds them.
    pub async fn declare_queues(
        &self,
        connection: &Connection,
        subscription: &Subscription,
    ) -> Result<(), Undeclared> {
        let queue = self.names.queue(subscription);
        let dead_queue = self.names.dead_queue(subscription);
        let channel = open(connection, &queue).await?;
        // Targets first: what is given up meanwhile must not be kept waiting.
        declare(&channel, &dead_queue, self.dead_arguments()).await?;
        let key = subscription.as_str();
        bind(&channel, &dead_queue, &self.names.dead(), key).await?;
        declare(&channel, &queue, self.arguments(subscription)).await?;
        for (wait, delay) in WAITS {
            let name = self.names.wait_queue(subscription, wait);
            declare(&channel, &name, self.wait_arguments(subscription, delay)).await?;
        }
        let events = self.names.events();
        for event_type in self.queues.get(subscription).into_iter().flatten() {
            bind(&channel, &queue, &events, &binding_key(event_type)).await?;
        }
        Ok(())
    }

    fn arguments(&self, subscription: &Subscription) -> FieldTable {
        quorum([
            ("x-delivery-limit", AMQPValue::LongUInt(DELIVERY_LIMIT)),
            ("x-dead-letter-exchange", text(&self.names.dead())),
            ("x-dead-letter-routing-key", text(subscription.as_str())),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ])
    }

    fn dead_arguments(&self) -> FieldTable {
        quorum([("x-delivery-limit", AMQPValue::LongInt(NO_LIMIT))])
    }

    fn wait_arguments(&self, subscription: &Subscription, delay: Duration) -> FieldTable {
        let millis = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        quorum([
            ("x-message-ttl", AMQPValue::LongUInt(millis)),
            ("x-dead-letter-exchange", text(TO_QUEUE)),
            (
                "x-dead-letter-routing-key",
                text(&self.names.queue(subscription)),
            ),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ])
    }
}

fn quorum<const N: usize>(arguments: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// A name for the protocol. Ours are short by construction; a longer one would name nothing.
pub(crate) fn short(name: &str) -> ShortString {
    ShortString::try_new(name).unwrap_or_default()
}

async fn open(connection: &Connection, name: &str) -> Result<Channel, Undeclared> {
    connection
        .create_channel()
        .await
        .map_err(|error| Undeclared {
            name: name.to_owned(),
            error,
        })
}

async fn declare(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), Undeclared> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(short(name), options, arguments)
        .await
        .map(drop)
        .map_err(|error| Undeclared {
            name: name.to_owned(),
            error,
        })
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Undeclared> {
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(
            short(queue),
            short(exchange),
            short(key),
            options,
            arguments,
        )
        .await
        .map_err(|error| Undeclared {
            name: queue.to_owned(),
            error,
        })
}
