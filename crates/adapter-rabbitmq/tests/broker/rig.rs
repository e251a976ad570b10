//! A broker with a prefix of its own, and what a test does to it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use adapter_rabbitmq::{BusStatus, RabbitBus, RabbitSettings};
use contract_tests::bus::{AUDIT, MAIL, at, travel::NoWake};
use domain::shared::Instant;
use futures::FutureExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use ports::{
    Clock,
    bus::{
        Binding, DeadLetters, EventPublisher, InboxStore, OutboxEvent, Subscribers, Subscription,
    },
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The longest wait for what must come.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// The type of the suite's events.
pub const TYPE: &str = "plateia.test.happened.v1";

/// Shows the beginning of every case.
pub struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        at(0)
    }
}

/// A bus at work.
pub struct Running {
    pub publisher: Arc<dyn EventPublisher>,
    pub dead: Arc<dyn DeadLetters>,
    pub status: BusStatus,
    pub stop: CancellationToken,
}

/// A broker with a prefix of its own.
pub struct Rig {
    pub url: String,
    pub prefix: String,
    pub channel: Channel,
    /// Keeps the channel open.
    _connection: Connection,
    tasks: Mutex<Vec<(CancellationToken, JoinHandle<()>)>>,
}

/// Runs a test on a broker, and removes what it left there, however it ends.
///
/// # Panics
/// When the test does, and without a broker.
pub async fn with(test: impl AsyncFnOnce(&Rig)) {
    let rig = Rig::new().await;
    let ended = AssertUnwindSafe(test(&rig)).catch_unwind().await;
    rig.clean().await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

impl Rig {
    async fn new() -> Self {
        let url = test_kit::rabbitmq_url();
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&url, properties)
            .await
            .unwrap_or_else(|error| panic!("no broker answers: {error}"));
        let channel = connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        Self {
            url,
            prefix: format!("test-{:016x}", rand::random::<u64>()),
            channel,
            _connection: connection,
            tasks: Mutex::default(),
        }
    }

    pub fn settings(&self) -> RabbitSettings {
        self.settings_at(&self.url)
    }

    /// Settings with which what was deleted heals soon.
    pub fn settings_at(&self, url: &str) -> RabbitSettings {
        RabbitSettings::new(url, &self.prefix)
            .unwrap()
            .heal_every(Duration::from_millis(300))
    }

    pub fn bus(&self, required: Subscribers) -> RabbitBus {
        RabbitBus::new(self.settings(), Arc::new(Still), required)
    }

    /// A bus through `url` on which AUDIT listens and must, and MAIL listens.
    pub fn both_listen(&self, url: &str, inbox: Arc<dyn InboxStore>) -> RabbitBus {
        let required = Subscribers::default().require(TYPE, AUDIT);
        RabbitBus::new(self.settings_at(url), Arc::new(Still), required)
            .bind(happened(AUDIT), inbox.clone(), Arc::new(NoWake))
            .bind(happened(MAIL), inbox, Arc::new(NoWake))
    }

    /// Runs a bus and waits until it works.
    pub async fn run(&self, bus: RabbitBus) -> Running {
        let running = self.launch(bus);
        within(running.status.wait(true)).await;
        running
    }

    /// Runs a bus, whether it works or not.
    pub fn launch(&self, bus: RabbitBus) -> Running {
        let running = Running {
            publisher: bus.publisher(),
            dead: bus.dead_letters([AUDIT, MAIL]),
            status: bus.status(),
            stop: CancellationToken::new(),
        };
        let task = tokio::spawn(bus.run(running.stop.clone()));
        let mut tasks = self.tasks.lock().unwrap();
        tasks.push((running.stop.clone(), task));
        running
    }

    /// Waits until every bus has stopped.
    pub async fn stopped(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        for (stop, task) in tasks {
            stop.cancel();
            within(task).await.unwrap();
        }
    }

    pub fn queue(&self, subscription: &Subscription) -> String {
        format!("{}.{subscription}.v1", self.prefix)
    }

    pub fn dead_queue(&self, subscription: &Subscription) -> String {
        format!("{}.dead", self.queue(subscription))
    }

    pub async fn delete_queue(&self, name: &str) {
        let deleted = self.channel.queue_delete(name.into(), Default::default());
        deleted.await.unwrap();
    }

    /// Messages that are ready in a queue that exists.
    pub async fn ready(&self, name: &str) -> u32 {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self
            .channel
            .queue_declare(name.into(), passive, FieldTable::default());
        queue.await.unwrap().message_count()
    }

    /// Waits until so many messages are ready.
    pub async fn until_ready(&self, name: &str, count: u32) {
        within(async {
            while self.ready(name).await != count {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Takes a message off a queue, which must have one.
    pub async fn get(&self, name: &str) -> Delivery {
        let options = BasicGetOptions { no_ack: true };
        let message = self.channel.basic_get(name.into(), options).await.unwrap();
        message.unwrap().delivery
    }

    /// Puts a message into a queue as another program would.
    pub async fn put(&self, queue: &str, properties: BasicProperties, body: &[u8]) {
        let options = BasicPublishOptions::default();
        self.channel
            .basic_publish("".into(), queue.into(), options, body, properties)
            .await
            .unwrap()
            .await
            .unwrap();
    }

    async fn clean(&self) {
        self.stopped().await;
        let connection = Connection::connect(&self.url, ConnectionProperties::default());
        let connection = connection.await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        for subscription in [AUDIT, MAIL] {
            for end in ["", ".dead", ".wait.10s", ".wait.1m", ".wait.10m"] {
                let name = format!("{}{end}", self.queue(&subscription));
                let deleted = channel.queue_delete(name.as_str().into(), Default::default());
                deleted.await.unwrap();
            }
        }
        for end in ["events", "dead"] {
            let name = format!("{}.{end}", self.prefix);
            let deleted = channel.exchange_delete(name.as_str().into(), Default::default());
            deleted.await.unwrap();
        }
    }
}

/// What AUDIT or MAIL listens to.
pub fn happened(subscription: Subscription) -> Binding {
    contract_tests::bus::travel::binding(subscription, [TYPE])
}

/// Waits for what must come.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.unwrap()
}

/// Publishes as a relay does: until it succeeds. Answers how often it failed.
pub async fn publish(publisher: &dyn EventPublisher, event: &OutboxEvent) -> u32 {
    within(async {
        let mut failures = 0;
        while publisher.publish(event).await.is_err() {
            failures += 1;
            sleep(Duration::from_millis(50)).await;
        }
        failures
    })
    .await
}
