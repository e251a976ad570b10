//! Dead letters that the broker keeps: what could not be decoded, or not stored for a day.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::{Instant, WorkspaceId};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use ports::{
    StoreError,
    bus::{DeadLetter, DeadLetterCursor, DeadLetters, EventId, OutboxEvent, Redrive, Subscription},
};
use sha2::{Digest, Sha256};
use tokio::time::{sleep, timeout};

use crate::{
    RabbitSettings, link,
    message::{self, Message},
    outlet::Outlet,
    topology::{Names, short},
};

/// The longest that a look may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The most messages of a queue that one look sees.
const SEEN: u32 = 10_000;
/// How often and how long to wait for another who looks.
const TURNS: u32 = 25;
const TURN: Duration = Duration::from_millis(200);
/// The most that are put back at once. The broker keeps no order among more than 32 returns that a
/// quorum queue has not confirmed to it (`quorum_commands_soft_limit`).
const IN_ORDER: usize = 16;
/// How often and how long to wait until they are there.
const GLANCES: u32 = 200;
const GLANCE: Duration = Duration::from_millis(5);
/// Stands for what a message does not say. No workspace has this name.
const UNREADABLE: &str = "unreadable";

/// The messages of a dead queue, oldest first. They stay with the channel until they are put back, sent
/// again, or the channel closes.
struct Look {
    channel: Channel,
    queue: ShortString,
    left: u32,
    /// Delivery tags of what is neither put back nor taken, oldest first.
    held: Vec<u64>,
}

impl Look {
    async fn next(&mut self) -> Result<Option<Delivery>, StoreError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let (queue, options) = (self.queue.clone(), BasicGetOptions::default());
        let message = self.channel.basic_get(queue, options).await;
        let delivery = message.map_err(unavailable)?.map(|m| m.delivery);
        self.held.extend(delivery.as_ref().map(|d| d.delivery_tag));
        Ok(delivery)
    }

    /// Takes the message seen last off its queue.
    async fn take(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        let taken = delivery.acker.ack(BasicAckOptions::default());
        taken.await.map_err(unavailable)?;
        self.held.pop();
        Ok(())
    }

    /// Puts back what was only looked at, in its order, and waits until it is there: the queue does so
    /// some time after it was told, and who looks next would miss it.
    async fn put_back(self) -> Result<(), StoreError> {
        // Nobody answers an acknowledgement, but a question that comes after it: the end of the
        // connection might overtake it, and then what was taken would be dead once more.
        ready(&self.channel, &self.queue).await?;
        let again = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        for some in self.held.chunks(IN_ORDER) {
            let mut there = ready(&self.channel, &self.queue).await?;
            for tag in some {
                there += 1;
                let told = self.channel.basic_nack(*tag, again).await;
                told.map_err(unavailable)?;
            }
            self.until_ready(there).await?;
        }
        Ok(())
    }

    /// Waits until nobody holds so many messages of the queue. Gives up in bounded time: somebody else
    /// may take messages off, and then nothing tells that all are back.
    async fn until_ready(&self, there: u32) -> Result<(), StoreError> {
        for _ in 0..GLANCES {
            if ready(&self.channel, &self.queue).await? >= there {
                break;
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }
}

/// The messages of a queue that nobody holds.
async fn ready(channel: &Channel, queue: &ShortString) -> Result<u32, StoreError> {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.clone(), passive, FieldTable::default())
        .await
        .map(|queue| queue.message_count())
        .map_err(unavailable)
}

/// The dead letters of some subscriptions, in their dead queues.
pub(crate) struct RabbitDeadLetters {
    settings: RabbitSettings,
    names: Names,
    subscriptions: Vec<Subscription>,
    outlet: Outlet,
}

impl RabbitDeadLetters {
    pub const fn new(
        settings: RabbitSettings,
        names: Names,
        subscriptions: Vec<Subscription>,
        outlet: Outlet,
    ) -> Self {
        Self {
            settings,
            names,
            subscriptions,
            outlet,
        }
    }

    fn wanted<'a>(
        &'a self,
        subscription: Option<&'a Subscription>,
    ) -> impl Iterator<Item = &'a Subscription> {
        let all = self.subscriptions.iter();
        all.filter(move |s| subscription.is_none_or(|wanted| wanted == *s))
    }

    /// A connection of its own, whose end puts back what was only looked at.
    async fn open(&self) -> Result<Connection, StoreError> {
        link::open(&self.settings, "dead letters")
            .await
            .map_err(unavailable)
    }

    /// Waits for its turn: two who look at once would each see a part. The lock ends with the
    /// connection.
    async fn locked(&self) -> Result<Connection, StoreError> {
        let connection = self.open().await?;
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        for turn in 1.. {
            let channel = connection.create_channel().await.map_err(unavailable)?;
            let name = short(&self.names.dead_lock());
            let lock = channel.queue_declare(name, options, FieldTable::default());
            match lock.await {
                Ok(_) => break,
                Err(error) if turn == TURNS => return Err(unavailable(error)),
                Err(_) => sleep(TURN).await,
            }
        }
        Ok(connection)
    }

    async fn look(
        &self,
        connection: &Connection,
        subscription: &Subscription,
    ) -> Result<Look, StoreError> {
        let channel = connection.create_channel().await.map_err(unavailable)?;
        let queue = short(&self.names.dead_queue(subscription));
        let left = ready(&channel, &queue).await?.min(SEEN);
        Ok(Look {
            channel,
            queue,
            left,
            held: Vec::new(),
        })
    }

    async fn resend(&self, of: &Subscription, delivery: &mut Delivery) -> Result<(), StoreError> {
        let properties = message::renewed(&delivery.properties);
        let body = std::mem::take(&mut delivery.data);
        let message = Message::to_queue(self.names.queue(of), properties, body);
        match self.outlet.send(&[message]).await.map_err(unavailable)?[..] {
            [true] => Ok(()),
            _ => Err(unavailable("the subscription has no queue")),
        }
    }

    async fn redrive_of(
        &self,
        connection: &Connection,
        subscription: &Subscription,
        only: Option<&EventId>,
    ) -> Result<u64, StoreError> {
        let mut look = self.look(connection, subscription).await?;
        let mut sent = 0;
        while let Some(mut delivery) = look.next().await? {
            match only {
                None => {}
                Some(id) if event(&delivery).event_id == *id => look.left = 0,
                Some(_) => continue,
            }
            self.resend(subscription, &mut delivery).await?;
            look.take(&delivery).await?;
            sent += 1;
        }
        look.put_back().await?;
        Ok(sent)
    }
}

#[async_trait]
impl DeadLetters for RabbitDeadLetters {
    async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        in_time(async {
            let connection = self.locked().await?;
            let mut letters = Vec::new();
            for subscription in self.wanted(subscription) {
                let mut look = self.look(&connection, subscription).await?;
                while let Some(delivery) = look.next().await? {
                    let letter = letter(subscription, &delivery);
                    if after.is_none_or(|after| letter.cursor() > *after) {
                        letters.push(letter);
                    }
                    // Keeps no more in memory than it needs.
                    if letters.len() >= 2 * limit.max(1) {
                        shorten(&mut letters, limit);
                    }
                }
                look.put_back().await?;
            }
            link::close(&connection).await;
            shorten(&mut letters, limit);
            Ok(letters)
        })
        .await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        in_time(async {
            let connection = self.locked().await?;
            let channel = connection.create_channel().await.map_err(unavailable)?;
            let mut count = 0;
            for subscription in &self.subscriptions {
                let queue = short(&self.names.dead_queue(subscription));
                count += u64::from(ready(&channel, &queue).await?);
            }
            link::close(&connection).await;
            Ok(count)
        })
        .await
    }

    async fn redrive(&self, which: &Redrive, _now: Instant) -> Result<u64, StoreError> {
        let (subscription, only) = match which {
            Redrive::One(subscription, id) => (Some(subscription), Some(id)),
            Redrive::Subscription(subscription) => (Some(subscription), None),
            Redrive::All => (None, None),
        };
        in_time(async {
            let connection = self.locked().await?;
            let mut sent = 0;
            for subscription in self.wanted(subscription) {
                sent += self.redrive_of(&connection, subscription, only).await?;
            }
            link::close(&connection).await;
            Ok(sent)
        })
        .await
    }
}

async fn in_time<T>(look: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(LIMIT, look)
        .await
        .unwrap_or_else(|slow| Err(unavailable(slow)))
}

fn shorten(letters: &mut Vec<DeadLetter>, limit: usize) {
    letters.sort_by_cached_key(DeadLetter::cursor);
    letters.truncate(limit);
}

fn letter(subscription: &Subscription, delivery: &Delivery) -> DeadLetter {
    let why = message::why_given_up(&delivery.properties);
    DeadLetter {
        subscription: subscription.clone(),
        event: event(delivery),
        attempts: why.attempts,
        reason: why.reason,
        buried_at: why.at,
    }
}

/// The event of a message, or what stands for one that cannot be decoded: the same at every look.
fn event(delivery: &Delivery) -> OutboxEvent {
    message::event(&delivery.properties, &delivery.data)
        .unwrap_or_else(|_| unreadable(&delivery.data))
}

fn unreadable(body: &[u8]) -> OutboxEvent {
    let digest = Sha256::digest(body);
    let id: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
    OutboxEvent {
        event_id: EventId::new(format!("{UNREADABLE}-{id}")),
        event_type: UNREADABLE.to_owned(),
        aggregate: UNREADABLE.to_owned(),
        aggregate_version: 0,
        workspace: WorkspaceId::parse(UNREADABLE).unwrap_or_else(|_| unreachable!()),
        payload: body.to_vec(),
    }
}

fn unavailable(error: impl Into<ports::BoxError>) -> StoreError {
    StoreError::Unavailable(error.into())
}
