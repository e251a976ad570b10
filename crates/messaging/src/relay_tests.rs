use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use async_trait::async_trait;
use contract_tests::bus::{BusHarness, End, at, event, memory::MemoryBus};
use ports::bus::{OutboxEvent, OutboxStats, Subscription, WakeUp};

use super::*;

#[derive(Default)]
struct Seconds(AtomicI64);

impl Clock for Seconds {
    fn now(&self) -> Instant {
        at(self.0.load(Ordering::SeqCst))
    }
}

/// Refuses the events it is told to, and remembers the others in order.
#[derive(Default)]
struct Broker {
    refused: Mutex<BTreeSet<&'static str>>,
    published: Mutex<Vec<String>>,
}

#[async_trait]
impl EventPublisher for Broker {
    async fn publish(&self, event: &OutboxEvent) -> Result<(), PublishError> {
        let id = event.event_id.as_str();
        if self.refused.lock().unwrap().contains(id) {
            let missing = vec![Subscription::from_static("test.audit")];
            return Err(PublishError::Unrouted { missing });
        }
        self.published.lock().unwrap().push(id.to_owned());
        Ok(())
    }
}

struct Rig {
    bus: Arc<MemoryBus>,
    broker: Arc<Broker>,
    clock: Arc<Seconds>,
    signal: Signal,
}

impl Rig {
    async fn new(rows: &[(&str, &str)]) -> Self {
        let rig = Self {
            bus: Arc::default(),
            broker: Arc::default(),
            clock: Arc::default(),
            signal: Signal::default(),
        };
        rig.add(rows).await;
        rig
    }

    async fn add(&self, rows: &[(&str, &str)]) {
        let events = rows
            .iter()
            .map(|(id, aggregate)| event(id, aggregate))
            .collect();
        self.bus
            .transact(events, Vec::new(), self.clock.now(), End::Commit)
            .await
            .unwrap();
    }

    fn relay(&self) -> OutboxRelay {
        let signal = self.signal.clone();
        OutboxRelay::new(
            self.bus.clone(),
            self.broker.clone(),
            self.clock.clone(),
            signal,
        )
    }

    fn published(&self) -> Vec<String> {
        self.broker.published.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_failure_holds_back_its_aggregate_only() {
    let rig = Rig::new(&[("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")]).await;
    rig.broker.refused.lock().unwrap().insert("2");
    let relay = rig.relay();
    assert_eq!(relay.pass().await.unwrap(), Relayed { sent: 2, failed: 2 });
    assert_eq!(rig.published(), ["1", "3"]);
    assert_eq!(
        rig.bus.stats().await.unwrap(),
        OutboxStats {
            waiting: 2,
            oldest: Some(at(0))
        }
    );

    rig.broker.refused.lock().unwrap().clear();
    rig.clock.0.store(1, Ordering::SeqCst);
    assert_eq!(relay.pass().await.unwrap(), Relayed { sent: 2, failed: 0 });
    assert_eq!(rig.published(), ["1", "3", "2", "4"]);
    assert_eq!(relay.pass().await.unwrap(), Relayed::default());
}

#[tokio::test]
async fn a_wake_up_publishes_without_a_poll() {
    let rig = Rig::new(&[]).await;
    let never = RelaySettings {
        poll: Duration::from_hours(1),
        ..RelaySettings::default()
    };
    let stop = CancellationToken::new();
    let relay = tokio::spawn(rig.relay().with_settings(never).run(stop.clone()));
    for id in ["1", "2"] {
        rig.add(&[(id, "a")]).await;
        rig.signal.wake();
        while rig.bus.stats().await.unwrap().waiting > 0 {
            tokio::task::yield_now().await;
        }
    }
    stop.cancel();
    relay.await.unwrap();
    assert_eq!(rig.published(), ["1", "2"]);
}

#[tokio::test]
async fn more_than_a_batch_needs_one_wake_up() {
    let ids: Vec<String> = (0..25).map(|n| n.to_string()).collect();
    let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), "a")).collect();
    let rig = Rig::new(&rows).await;
    let settings = RelaySettings {
        batch: 10,
        poll: Duration::from_hours(1),
        ..RelaySettings::default()
    };
    let stop = CancellationToken::new();
    let relay = tokio::spawn(rig.relay().with_settings(settings).run(stop.clone()));
    while rig.published().len() < 25 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    relay.await.unwrap();
    assert_eq!(rig.published(), ids);
}

#[tokio::test]
async fn pauses_double_up_to_the_longest_and_are_jittered_from_zero() {
    let rig = Rig::new(&[]).await;
    let relay = rig.relay();
    let bounds = [1, 2, 3, 9, 10, 1_000_000].map(|attempt| relay.backoff(attempt, 1.0).as_millis());
    assert_eq!(bounds, [200, 400, 800, 51_200, 60_000, 60_000]);
    assert_eq!(relay.backoff(9, 0.0), Duration::ZERO);
}
