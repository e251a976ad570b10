//! The broker as an outsider sees it: a subscriber of its own, and hands that meddle.

use std::time::Duration;

use anyhow::{Context, ensure};
use lapin::{
    BasicProperties, Channel, Connection, ExchangeKind,
    options::{
        BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
        ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::time::timeout;

use crate::servers::Servers;

/// Longest wait for the broker to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message as it is in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    pub properties: BasicProperties,
    pub body: Vec<u8>,
}

impl Message {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<String> {
        match self.properties.headers().as_ref()?.inner().get(name)? {
            AMQPValue::LongString(text) => Some(text.to_string()),
            _ => None,
        }
    }
}

/// A connection of this rig to the broker.
pub struct Broker {
    prefix: String,
    channel: Channel,
    /// Keeps the channel open.
    _connection: Connection,
}

async fn soon<T>(what: impl Future<Output = lapin::Result<T>>) -> anyhow::Result<T> {
    let done = timeout(PATIENCE, what).await;
    Ok(done.context("the broker does not answer")??)
}

const fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions {
        passive: false,
        durable: true,
        exclusive: false,
        auto_delete: false,
        nowait: false,
    }
}

impl Broker {
    /// Connects for the queues under `prefix`.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn connect(servers: &Servers, prefix: &str) -> anyhow::Result<Self> {
        let connection = servers.rabbitmq().await?;
        let channel = soon(connection.create_channel()).await?;
        soon(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self {
            prefix: prefix.to_owned(),
            channel,
            _connection: connection,
        })
    }

    /// The queue of the service's notifications.
    pub fn notifications(&self) -> String {
        format!("{}.audience.notifications.v1", self.prefix)
    }

    /// Where an event may be that is not in the inbox yet.
    pub fn moving(&self) -> [String; 4] {
        ["", ".wait.10s", ".wait.1m", ".wait.10m"]
            .map(|end| format!("{}{end}", self.notifications()))
    }

    /// Where the service's dead letters are.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.notifications())
    }

    fn outside(&self) -> String {
        format!("{}.outside", self.prefix)
    }

    fn events(&self) -> String {
        format!("{}.events", self.prefix)
    }

    /// Subscribes to every event, in a queue that outlives everything.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn subscribe(&self) -> anyhow::Result<()> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let (events, none) = (self.events(), FieldTable::default);
        let declared = self.channel.exchange_declare(
            events.as_str().into(),
            ExchangeKind::Topic,
            options,
            none(),
        );
        soon(declared).await?;
        let mut quorum = FieldTable::default();
        quorum.insert(
            "x-queue-type".into(),
            AMQPValue::LongString("quorum".into()),
        );
        let outside = self.outside();
        soon(
            self.channel
                .queue_declare(outside.as_str().into(), durable(), quorum),
        )
        .await?;
        let bound = self.channel.queue_bind(
            outside.as_str().into(),
            events.as_str().into(),
            "#".into(),
            QueueBindOptions::default(),
            none(),
        );
        soon(bound).await
    }

    /// Everything that the subscriber has heard since the last call, in order.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn heard(&self) -> anyhow::Result<Vec<Message>> {
        self.drain(&self.outside()).await
    }

    /// Takes everything out of a queue.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn drain(&self, queue: &str) -> anyhow::Result<Vec<Message>> {
        let mut messages = Vec::new();
        loop {
            let got = self
                .channel
                .basic_get(queue.into(), BasicGetOptions::default());
            let Some(message) = soon(got).await? else {
                return Ok(messages);
            };
            soon(message.ack(BasicAckOptions::default())).await?;
            messages.push(Message {
                properties: message.delivery.properties,
                body: message.delivery.data,
            });
        }
    }

    /// Puts a message into a queue.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn put(&self, queue: &str, message: &Message) -> anyhow::Result<()> {
        let published = self.channel.basic_publish(
            "".into(),
            queue.into(),
            BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            },
            &message.body,
            message.properties.clone().with_delivery_mode(2),
        );
        let confirmed = soon(async { published.await?.await }).await?;
        ensure!(confirmed.is_ack(), "the broker refused a message");
        Ok(())
    }

    /// Messages in a queue; an error also where there is no such queue, and then the channel is gone.
    ///
    /// # Errors
    /// When there is no such queue.
    pub async fn depth(&self, queue: &str) -> anyhow::Result<u64> {
        let options = QueueDeclareOptions {
            passive: true,
            ..durable()
        };
        let declared = self
            .channel
            .queue_declare(queue.into(), options, FieldTable::default());
        Ok(soon(declared).await?.message_count().into())
    }

    /// Deletes a queue with what is in it; how many messages that were.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn delete(&self, queue: &str) -> anyhow::Result<u64> {
        let deleted = self
            .channel
            .queue_delete(queue.into(), QueueDeleteOptions::default());
        Ok(soon(deleted).await?.into())
    }

    /// Takes a binding to the events away.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn unbind(&self, queue: &str, routing_key: &str) -> anyhow::Result<()> {
        let unbound = self.channel.queue_unbind(
            queue.into(),
            self.events().as_str().into(),
            routing_key.into(),
            FieldTable::default(),
        );
        soon(unbound).await
    }

    /// Deletes all queues of the prefix, as far as they are there.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn clean(&self) -> anyhow::Result<()> {
        let queue = self.notifications();
        let waits = ["wait.10s", "wait.1m", "wait.10m", "dead"];
        self.delete(&self.outside()).await?;
        self.delete(&queue).await?;
        for wait in waits {
            self.delete(&format!("{queue}.{wait}")).await?;
        }
        Ok(())
    }
}
