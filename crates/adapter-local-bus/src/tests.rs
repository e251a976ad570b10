use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use contract_tests::bus::{BusHarness, End, at, event, memory::MemoryBus};
use domain::shared::Instant;
use messaging::{OutboxRelay, RelaySettings, Router, RouterSettings, Signal};
use ports::bus::{Delivery, Handler, Outcome, Receipt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;

const AUDIT: Subscription = Subscription::from_static("test.audit");
const MAIL: Subscription = Subscription::from_static("test.mail");
const TYPE: &str = "plateia.test.happened.v1";

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        at(0)
    }
}

#[derive(Default)]
struct Bell(AtomicU32);

impl WakeUp for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn binding(subscription: Subscription, event_type: &str) -> Binding {
    Binding {
        subscription,
        event_types: [event_type.to_owned()].into(),
    }
}

async fn arrived(bus: &MemoryBus, subscription: &Subscription) -> usize {
    bus.claim(subscription, 10, at(0), Duration::from_secs(1))
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn an_event_reaches_everyone_bound_to_its_type_once() {
    let (inbox, bell) = (Arc::new(MemoryBus::default()), Arc::new(Bell::default()));
    let bus = LocalBus::new(Arc::new(Still), Subscribers::default())
        .bind(binding(AUDIT, TYPE), inbox.clone(), bell.clone())
        .bind(
            binding(MAIL, "plateia.test.other.v1"),
            inbox.clone(),
            bell.clone(),
        );
    bus.publish(&event("1", "a")).await.unwrap();
    bus.publish(&event("1", "a")).await.unwrap();
    assert_eq!(bell.0.load(Ordering::SeqCst), 2);
    assert_eq!(
        (arrived(&inbox, &AUDIT).await, arrived(&inbox, &MAIL).await),
        (1, 0)
    );
}

#[tokio::test]
async fn a_missing_required_subscriber_holds_the_event_but_not_the_others() {
    let inbox = Arc::new(MemoryBus::default());
    let required = Subscribers::default()
        .require(TYPE, AUDIT)
        .require(TYPE, MAIL);
    let bus = LocalBus::new(Arc::new(Still), required).bind(
        binding(AUDIT, TYPE),
        inbox.clone(),
        Arc::new(Bell::default()),
    );
    let error = bus.publish(&event("1", "a")).await.unwrap_err();
    assert!(matches!(&error, PublishError::Unrouted { missing } if *missing == [MAIL]));
    assert_eq!(
        error.to_string(),
        "required subscribers are missing: test.mail"
    );
    assert_eq!(arrived(&inbox, &AUDIT).await, 1);

    let bus = bus.bind(
        binding(MAIL, TYPE),
        inbox.clone(),
        Arc::new(Bell::default()),
    );
    bus.publish(&event("1", "a")).await.unwrap();
    assert_eq!(
        (arrived(&inbox, &AUDIT).await, arrived(&inbox, &MAIL).await),
        (0, 1)
    );
}

#[tokio::test]
async fn a_type_that_nobody_must_hear_may_go_unheard() {
    let bus = LocalBus::new(
        Arc::new(Still),
        Subscribers::default().require("t.v1", AUDIT),
    );
    assert!(bus.publish(&event("1", "a")).await.is_ok());
}

/// Stores an effect together with the receipt, as handlers must.
struct Effect {
    bus: Arc<MemoryBus>,
    done: mpsc::UnboundedSender<String>,
}

#[async_trait]
impl Handler for Effect {
    async fn handle(&self, Delivery { receipt, .. }: &Delivery) -> Outcome {
        let id = receipt.event_id.to_string();
        let receipts: Vec<Receipt> = vec![receipt.clone()];
        match self
            .bus
            .transact(Vec::new(), receipts, at(0), End::Commit)
            .await
        {
            Ok(()) => {
                self.done.send(id).unwrap();
                Outcome::Done
            }
            Err(error) => Outcome::retry(error.to_string()),
        }
    }
}

#[tokio::test]
async fn from_commit_to_effect_by_wake_ups_alone() {
    let store = Arc::new(MemoryBus::default());
    let clock: Arc<dyn Clock> = Arc::new(Still);
    let (done, mut effects) = mpsc::unbounded_channel();
    let never = Duration::from_hours(1);
    let router = Router::new(store.clone(), clock.clone())
        .with_settings(RouterSettings {
            poll: never,
            ..RouterSettings::default()
        })
        .on_type(
            AUDIT,
            TYPE,
            Arc::new(Effect {
                bus: store.clone(),
                done,
            }),
        );
    let mut bus = LocalBus::new(clock.clone(), Subscribers::default().require(TYPE, AUDIT));
    for (binding, wake) in router.bindings() {
        bus = bus.bind(binding, store.clone(), wake);
    }
    let signal = Signal::default();
    let relay = OutboxRelay::new(store.clone(), Arc::new(bus), clock, signal.clone())
        .with_settings(RelaySettings {
            poll: never,
            ..RelaySettings::default()
        });
    let stop = CancellationToken::new();
    let tasks = [
        tokio::spawn(relay.run(stop.clone())),
        tokio::spawn(router.run(stop.clone())),
    ];

    let ids: Vec<String> = (100..200).map(|n| n.to_string()).collect();
    for id in &ids {
        let events = vec![event(id, id)];
        store
            .transact(events, Vec::new(), at(0), End::Commit)
            .await
            .unwrap();
        signal.wake();
        assert_eq!(effects.recv().await.as_ref(), Some(id));
    }
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(effects.try_recv().is_err(), "each effect happened once");
}

mod contract {
    use contract_tests::bus::travel::TravelHarness;

    use super::*;

    struct Local;

    #[async_trait]
    impl TravelHarness for Local {
        async fn start(
            &self,
            required: Subscribers,
            listeners: Vec<Binding>,
            inbox: Arc<dyn InboxStore>,
            wake: Arc<dyn WakeUp>,
        ) -> Arc<dyn EventPublisher> {
            let bus = LocalBus::new(Arc::new(Still), required);
            let bind = |bus: LocalBus, b| bus.bind(b, Arc::clone(&inbox), Arc::clone(&wake));
            Arc::new(listeners.into_iter().fold(bus, bind))
        }
    }

    async fn with(case: impl AsyncFnOnce(&Local)) {
        case(&Local).await;
    }

    contract_tests::travel_contract!(with);
}
