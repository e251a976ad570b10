//! A subscriber and a publisher of RabbitMQ, with nothing around them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::DateTime;
use futures::{StreamExt, stream};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::source::now_millis;

/// Messages that a publisher has in flight.
const IN_FLIGHT: usize = 256;

/// A connection.
pub struct Broker {
    runtime: Runtime,
    connection: Connection,
    prefix: String,
}

/// A dispatch that arrived, in milliseconds since 1970.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub scheduled: i64,
    pub arrived: i64,
}

/// A queue of dispatches that is read from now on.
pub struct Listening {
    seen: Arc<Mutex<Vec<Arrival>>>,
    bytes: Arc<AtomicUsize>,
}

fn short(text: &str) -> ShortString {
    ShortString::from(text)
}

impl Broker {
    pub fn connect(url: &str, prefix: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let properties = ConnectionProperties::default();
        let connection = runtime.block_on(Connection::connect(url, properties))?;
        Ok(Self {
            runtime,
            connection,
            prefix: prefix.to_owned(),
        })
    }

    /// Hears every dispatch from now on.
    pub fn listen(&self) -> anyhow::Result<Listening> {
        let exchange = format!("{}.events", self.prefix);
        let mut messages = self.runtime.block_on(async {
            let channel = self.connection.create_channel().await?;
            let own = QueueDeclareOptions {
                exclusive: true,
                ..QueueDeclareOptions::default()
            };
            let queue = channel
                .queue_declare(short(""), own, FieldTable::default())
                .await?;
            let (queue, none) = (queue.name().clone(), FieldTable::default());
            let key = short("dispatch.requested.v1.#");
            let bind = QueueBindOptions::default();
            channel
                .queue_bind(queue.clone(), short(&exchange), key, bind, none.clone())
                .await?;
            let all = BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            };
            let messages = channel.basic_consume(queue, short(""), all, none).await?;
            anyhow::Ok(messages)
        })?;
        let listening = Listening {
            seen: Arc::default(),
            bytes: Arc::default(),
        };
        let (seen, bytes) = (Arc::clone(&listening.seen), Arc::clone(&listening.bytes));
        self.runtime.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let (Ok(arrived), Some(scheduled)) = (now_millis(), scheduled(&message.data))
                else {
                    continue;
                };
                bytes.store(message.data.len(), Ordering::Relaxed);
                let arrival = Arrival { scheduled, arrived };
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(arrival);
            }
        });
        Ok(listening)
    }

    /// Publishes so many messages of a size to a queue as durable as ours, and waits until all are confirmed.
    pub fn publish(&self, bytes: usize, count: usize) -> anyhow::Result<()> {
        let body = vec![b'x'; bytes];
        self.runtime
            .block_on(async {
                let channel = self.connection.create_channel().await?;
                channel
                    .confirm_select(ConfirmSelectOptions::default())
                    .await?;
                let mut quorum = FieldTable::default();
                let kind = AMQPValue::LongString("quorum".into());
                quorum.insert(short("x-queue-type"), kind);
                let durable = QueueDeclareOptions {
                    durable: true,
                    ..QueueDeclareOptions::default()
                };
                let name = format!("{}.bare", self.prefix);
                channel.queue_declare(short(&name), durable, quorum).await?;
                let publish = |_| {
                    let (channel, body, name) = (&channel, &body, &name);
                    async move {
                        let properties = BasicProperties::default().with_delivery_mode(2);
                        let options = BasicPublishOptions::default();
                        let sent = channel.basic_publish(
                            short(""),
                            short(name),
                            options,
                            body,
                            properties,
                        );
                        sent.await?.await?;
                        anyhow::Ok(())
                    }
                };
                let mut sent = stream::iter(0..count)
                    .map(publish)
                    .buffer_unordered(IN_FLIGHT);
                while let Some(sent) = sent.next().await {
                    sent?;
                }
                anyhow::Ok(())
            })
            .context("the bare broker")
    }
}

/// When a dispatch was to leave.
fn scheduled(payload: &[u8]) -> Option<i64> {
    let event: Value = serde_json::from_slice(payload).ok()?;
    let at = event.pointer("/data/scheduledFor")?.as_str()?;
    Some(DateTime::parse_from_rfc3339(at).ok()?.timestamp_millis())
}

impl Listening {
    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of the last one.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits for so many, for so long at most; answers those that came.
    pub fn wait(&self, count: u64, longest: Duration) -> Vec<Arrival> {
        let begun = Instant::now();
        while (self.seen().len() as u64) < count && begun.elapsed() < longest {
            thread::sleep(Duration::from_millis(50));
        }
        self.seen().clone()
    }
}
