//! What every bus owes between a publisher and the inboxes, as cases that run on any of them.
//!
//! An adapter implements [`TravelHarness`] and expands [`travel_contract!`](crate::travel_contract) in
//! its tests.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use domain::shared::Instant;
use futures::future::join_all;
use ports::{
    StoreError,
    bus::{
        Binding, Delivered, Delivery, EventPublisher, InboxStore, OutboxEvent, Receipt, Settlement,
        Subscribers, Subscription, WakeUp,
    },
};
use tokio::{sync::Notify, time::timeout};

use super::{AUDIT, MAIL, event};

/// The type of [`event`]'s events.
const TYPE: &str = "plateia.test.happened.v1";
/// The longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bus under test.
#[async_trait]
pub trait TravelHarness: Send + Sync {
    /// Starts a bus on which `listeners` listen and store in `inbox`, each with `wake`.
    async fn start(
        &self,
        required: Subscribers,
        listeners: Vec<Binding>,
        inbox: Arc<dyn InboxStore>,
        wake: Arc<dyn WakeUp>,
    ) -> Arc<dyn EventPublisher>;
}

/// Expands to one test per case; `$with` is an expression that takes an `async` closure and calls it with a
/// reference to a [`TravelHarness`].
#[macro_export]
macro_rules! travel_contract {
    ($with:expr) => {
        $crate::travel_contract!(@ $with;
            an_event_arrives_as_it_was,
            everyone_bound_to_a_type_has_it_once,
            a_required_listener_has_it_once,
            a_repeated_event_arrives_once,
            events_published_in_order_arrive_in_order,
            many_at_once_arrive,
            a_type_that_nobody_must_hear_may_go_unheard,
        );
    };
    (@ $with:expr; $($case:ident),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $with(async |harness| $crate::bus::travel::$case(harness).await).await;
        })+
    };
}

#[derive(Default)]
struct Arrived {
    events: Vec<(Subscription, OutboxEvent)>,
    calls: usize,
    /// Errors to answer with before anything is stored.
    failures: Vec<StoreError>,
}

/// The receiving half of an inbox, which shows what arrived in which order, and can fail.
#[derive(Default)]
pub struct Arrivals {
    arrived: Mutex<Arrived>,
    changed: Notify,
}

impl Arrivals {
    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap()
    }

    /// Lets the next deliveries fail with these errors, the last first.
    pub fn fail(&self, errors: Vec<StoreError>) {
        self.arrived().failures = errors;
    }

    /// How often something was delivered, repetitions and failures included.
    pub fn calls(&self) -> usize {
        self.arrived().calls
    }

    /// Everything that arrived, in this order, repetitions left out.
    pub fn all(&self) -> Vec<(Subscription, OutboxEvent)> {
        self.arrived().events.clone()
    }

    /// Ids of what arrived for one subscription.
    pub fn ids(&self, subscription: &Subscription) -> Vec<String> {
        let all = self.all().into_iter();
        all.filter(|(name, _)| name == subscription)
            .map(|(_, event)| event.event_id.to_string())
            .collect()
    }

    /// Waits until `enough` says so of all that arrived.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn until(&self, enough: impl Fn(&[(Subscription, OutboxEvent)]) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if enough(&self.arrived().events) {
                    return;
                }
                changed.await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            let count = self.arrived().events.len();
            panic!("only {count} events arrived in {PATIENCE:?}");
        }
    }

    /// Waits until so many arrived.
    pub async fn count(&self, count: usize) {
        self.until(|all| all.len() >= count).await;
    }
}

#[async_trait]
impl InboxStore for Arrivals {
    async fn deliver(
        &self,
        subscription: &Subscription,
        event: &OutboxEvent,
        _: Instant,
    ) -> Result<Delivered, StoreError> {
        let mut arrived = self.arrived();
        arrived.calls += 1;
        if let Some(error) = arrived.failures.pop() {
            return Err(error);
        }
        let known = |(name, old): &(Subscription, OutboxEvent)| {
            name == subscription && old.event_id == event.event_id
        };
        if arrived.events.iter().any(known) {
            return Ok(Delivered::Duplicate);
        }
        arrived.events.push((subscription.clone(), event.clone()));
        self.changed.notify_waiters();
        Ok(Delivered::Stored)
    }

    async fn claim(
        &self,
        _: &Subscription,
        _: usize,
        _: Instant,
        _: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(Vec::new())
    }

    async fn complete(&self, _: &Receipt, _: Instant) -> Result<Settlement, StoreError> {
        Ok(Settlement::Lost)
    }

    async fn retry(&self, _: &Receipt, _: Instant, _: &str) -> Result<Settlement, StoreError> {
        Ok(Settlement::Lost)
    }

    async fn bury(&self, _: &Receipt, _: &str, _: Instant) -> Result<Settlement, StoreError> {
        Ok(Settlement::Lost)
    }

    async fn purge(&self, _: Instant, _: usize) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Rings in vain.
pub struct NoWake;

impl WakeUp for NoWake {
    fn wake(&self) {}
}

/// A binding to some event types.
pub fn binding<const N: usize>(subscription: Subscription, types: [&str; N]) -> Binding {
    Binding {
        subscription,
        event_types: types.map(str::to_owned).into(),
    }
}

async fn start(
    harness: &dyn TravelHarness,
    required: Subscribers,
    listeners: Vec<Binding>,
) -> (Arc<dyn EventPublisher>, Arc<Arrivals>) {
    let arrivals = Arc::new(Arrivals::default());
    let publisher = harness
        .start(required, listeners, arrivals.clone(), Arc::new(NoWake))
        .await;
    (publisher, arrivals)
}

pub async fn an_event_arrives_as_it_was(harness: &dyn TravelHarness) {
    let listeners = vec![binding(AUDIT, [TYPE])];
    let (publisher, arrivals) = start(harness, Subscribers::default(), listeners).await;
    publisher.publish(&event("1", "a")).await.unwrap();
    arrivals.count(1).await;
    assert_eq!(arrivals.all(), [(AUDIT, event("1", "a"))]);
}

pub async fn everyone_bound_to_a_type_has_it_once(harness: &dyn TravelHarness) {
    let other = "plateia.test.other.v1";
    let listeners = vec![binding(AUDIT, [TYPE]), binding(MAIL, [TYPE, other])];
    let (publisher, arrivals) = start(harness, Subscribers::default(), listeners).await;
    publisher.publish(&event("1", "a")).await.unwrap();
    let mut second = event("2", "a");
    second.event_type = other.to_owned();
    publisher.publish(&second).await.unwrap();
    publisher.publish(&event("3", "a")).await.unwrap();
    arrivals.count(5).await;
    assert_eq!(arrivals.ids(&AUDIT), ["1", "3"]);
    assert_eq!(arrivals.ids(&MAIL), ["1", "2", "3"]);
    assert_eq!(arrivals.calls(), 5);
}

pub async fn a_required_listener_has_it_once(harness: &dyn TravelHarness) {
    let required = Subscribers::default().require(TYPE, AUDIT);
    let listeners = vec![binding(AUDIT, [TYPE]), binding(MAIL, [TYPE])];
    let (publisher, arrivals) = start(harness, required, listeners).await;
    for id in ["1", "2", "3"] {
        publisher.publish(&event(id, "a")).await.unwrap();
    }
    arrivals.count(6).await;
    assert_eq!(arrivals.ids(&AUDIT), ["1", "2", "3"]);
    assert_eq!(arrivals.ids(&MAIL), ["1", "2", "3"]);
    assert_eq!(arrivals.calls(), 6);
}

pub async fn a_repeated_event_arrives_once(harness: &dyn TravelHarness) {
    let listeners = vec![binding(AUDIT, [TYPE])];
    let (publisher, arrivals) = start(harness, Subscribers::default(), listeners).await;
    for id in ["1", "1", "1", "2"] {
        publisher.publish(&event(id, "a")).await.unwrap();
    }
    arrivals.count(2).await;
    assert_eq!(arrivals.ids(&AUDIT), ["1", "2"]);
    assert_eq!(arrivals.calls(), 4, "the inbox is what knows repetitions");
}

pub async fn events_published_in_order_arrive_in_order(harness: &dyn TravelHarness) {
    let listeners = vec![binding(AUDIT, [TYPE])];
    let (publisher, arrivals) = start(harness, Subscribers::default(), listeners).await;
    let ids: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    for id in &ids {
        publisher.publish(&event(id, "a")).await.unwrap();
    }
    arrivals.count(ids.len()).await;
    assert_eq!(arrivals.ids(&AUDIT), ids);
}

pub async fn many_at_once_arrive(harness: &dyn TravelHarness) {
    let required = Subscribers::default().require(TYPE, MAIL);
    let listeners = vec![binding(AUDIT, [TYPE]), binding(MAIL, [TYPE])];
    let (publisher, arrivals) = start(harness, required, listeners).await;
    let events: Vec<OutboxEvent> = (0..200).map(|n| event(&n.to_string(), "a")).collect();
    for published in join_all(events.iter().map(|e| publisher.publish(e))).await {
        published.unwrap();
    }
    arrivals.count(2 * events.len()).await;
    let mut ids = arrivals.ids(&MAIL);
    ids.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(ids, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
}

pub async fn a_type_that_nobody_must_hear_may_go_unheard(harness: &dyn TravelHarness) {
    let required = Subscribers::default().require("plateia.test.other.v1", AUDIT);
    let (publisher, arrivals) = start(harness, required, Vec::new()).await;
    publisher.publish(&event("1", "a")).await.unwrap();
    assert_eq!(arrivals.calls(), 0);
}
