//! Whatever happens to connections, queues and bindings: nothing that was published is lost.

use std::{sync::Arc, time::Duration};

use contract_tests::bus::{
    AUDIT, BusHarness, End, MAIL, at, event, memory::MemoryBus, travel::Arrivals,
};
use lapin::types::FieldTable;
use messaging::{OutboxRelay, RelaySettings, Signal};
use ports::{
    Clock, ErrorClass, StoreError,
    bus::{OutboxQueue, PublishError, Subscribers, Subscription},
};
use test_kit::proxy::{Proxy, Rules};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::rig::{TYPE, publish, with, within};

/// `connection.blocked` with an empty reason, and `connection.unblocked`, as frames.
const BLOCKED: &[u8] = &[1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 60, 0, 0xce];
const UNBLOCKED: &[u8] = &[1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, 0xce];

#[tokio::test]
async fn without_a_queue_a_required_event_is_not_published_and_the_queue_heals() {
    with(async |rig| {
        let required = Subscribers::default().require(TYPE, AUDIT);
        let bus = rig.run(rig.bus(required)).await;
        rig.delete_queue(&rig.queue(&AUDIT)).await;
        // It may heal before the first try: then delete it again.
        let error = within(async {
            loop {
                match bus.publisher.publish(&event("1", "a")).await {
                    Err(error) => break error,
                    Ok(()) => rig.delete_queue(&rig.queue(&AUDIT)).await,
                }
            }
        })
        .await;
        assert!(
            matches!(&error, PublishError::Unrouted { missing } if *missing == [AUDIT]),
            "{error}"
        );
        assert_eq!(error.class(), ErrorClass::Permanent);
        publish(&*bus.publisher, &event("1", "a")).await;
        assert!(rig.ready(&rig.queue(&AUDIT)).await >= 1);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_binding_heals_and_costs_a_required_listener_nothing() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        let exchange = format!("{}.events", rig.prefix);
        for subscription in [AUDIT, MAIL] {
            let (queue, key) = (rig.queue(&subscription), events::routing_key(TYPE));
            rig.channel
                .queue_unbind(
                    queue.as_str().into(),
                    exchange.as_str().into(),
                    key.into(),
                    FieldTable::default(),
                )
                .await
                .unwrap();
        }
        let mut published = 0;
        within(async {
            while inbox.ids(&MAIL).is_empty() {
                let id = published.to_string();
                bus.publisher.publish(&event(&id, "a")).await.unwrap();
                published += 1;
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let healed = inbox.ids(&MAIL).len();
        inbox.count(published + healed).await;
        assert_eq!(inbox.ids(&AUDIT).len(), published, "none is missing");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_queue_is_consumed_again() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        let mut published = 0;
        for _ in 0..3 {
            for subscription in [AUDIT, MAIL] {
                rig.delete_queue(&rig.queue(&subscription)).await;
            }
            let begun = published;
            let back = |name: Subscription| {
                let ids = inbox.ids(&name).into_iter();
                ids.map(|id| id.parse::<u32>().unwrap())
                    .any(|id| id >= begun)
            };
            within(async {
                while !(back(AUDIT) && back(MAIL)) {
                    publish(&*bus.publisher, &event(&published.to_string(), "a")).await;
                    published += 1;
                    sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
            within(bus.status.wait(true)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_exchange_heals() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        let exchange = format!("{}.events", rig.prefix);
        let deleted = rig
            .channel
            .exchange_delete(exchange.as_str().into(), Default::default());
        deleted.await.unwrap();
        let mut published = 0;
        within(async {
            while inbox.ids(&MAIL).is_empty() {
                publish(&*bus.publisher, &event(&published.to_string(), "a")).await;
                published += 1;
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        inbox
            .until(|all| all.iter().filter(|(name, _)| *name == AUDIT).count() == published)
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_nothing_of_what_a_relay_publishes() {
    const EVENTS: usize = 600;
    with(async |rig| {
        let proxy = Proxy::before(&rig.url).await.unwrap();
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.both_listen(&proxy.url(&rig.url), inbox.clone());
        let bus = rig.run(bus).await;
        let outbox = Arc::new(MemoryBus::default());
        let clock: Arc<dyn Clock> = Arc::new(Running(Instant::now()));
        let stop = CancellationToken::new();
        let signal = Signal::default();
        let relay = OutboxRelay::new(outbox.clone(), bus.publisher, clock.clone(), signal)
            .with_settings(RelaySettings {
                poll: Duration::from_millis(10),
                longest_backoff: Duration::from_millis(200),
                ..RelaySettings::default()
            });
        let relay = tokio::spawn(relay.run(stop.clone()));
        for round in 0..6 {
            let events = (0..EVENTS / 6)
                .map(|n| event(&format!("{round}-{n}"), &format!("aggregate-{}", n % 10)))
                .collect();
            outbox
                .transact(events, Vec::new(), clock.now(), End::Commit)
                .await
                .unwrap();
            inbox.count(round * EVENTS / 6 + 10).await;
            proxy.cut();
        }
        inbox.count(2 * EVENTS).await;
        within(async {
            while outbox.stats().await.unwrap().waiting > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        stop.cancel();
        relay.await.unwrap();
        assert_eq!(inbox.ids(&AUDIT).len(), EVENTS);
        assert_eq!(inbox.ids(&MAIL).len(), EVENTS);
        assert!(
            proxy.connections() >= 12,
            "{} connections",
            proxy.connections()
        );
    })
    .await;
}

/// Goes on, from the beginning of the case.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> domain::shared::Instant {
        at(0) + self.0.elapsed()
    }
}

#[tokio::test]
async fn a_broker_that_comes_later_is_found() {
    with(async |rig| {
        let proxy = Proxy::before(&rig.url).await.unwrap();
        proxy.set(Rules::REFUSE);
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.launch(rig.both_listen(&proxy.url(&rig.url), inbox.clone()));
        let error = bus.publisher.publish(&event("1", "a")).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
        assert!(!bus.status.is_healthy());
        proxy.heal();
        within(bus.status.wait(true)).await;
        publish(&*bus.publisher, &event("1", "a")).await;
        inbox.count(2).await;
    })
    .await;
}

#[tokio::test]
async fn a_silent_connection_is_given_up_in_bounded_time() {
    with(async |rig| {
        let proxy = Proxy::before(&rig.url).await.unwrap();
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.both_listen(&proxy.url(&rig.url), inbox.clone());
        let bus = rig.run(bus).await;
        proxy.set(Rules::STALL);
        let begun = Instant::now();
        let error = bus.publisher.publish(&event("1", "a")).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        within(bus.status.wait(false)).await;
        proxy.heal();
        within(bus.status.wait(true)).await;
        publish(&*bus.publisher, &event("1", "a")).await;
        inbox.count(2).await;
    })
    .await;
}

#[tokio::test]
async fn blocked_publishers_are_told_so_and_consumers_go_on() {
    with(async |rig| {
        let proxy = Proxy::before(&rig.url).await.unwrap();
        let inbox = Arc::new(Arrivals::default());
        let required = Subscribers::default().require(TYPE, AUDIT);
        let settings = rig
            .settings_at(&proxy.url(&rig.url))
            .heal_every(Duration::from_hours(1));
        let blocked =
            adapter_rabbitmq::RabbitBus::new(settings, Arc::new(crate::rig::Still), required);
        let blocked = rig.run(blocked).await;
        rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        publish(&*blocked.publisher, &event("1", "a")).await;

        proxy.inject(BLOCKED);
        within(blocked.status.wait(false)).await;
        assert!(blocked.status.publisher().connected);
        let problem = blocked.status.publisher().problem.unwrap();
        assert!(problem.contains("blocked"), "{problem}");
        let begun = Instant::now();
        let error = blocked
            .publisher
            .publish(&event("2", "a"))
            .await
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(1), "it does not hang");

        proxy.inject(UNBLOCKED);
        within(blocked.status.wait(true)).await;
        assert_eq!(publish(&*blocked.publisher, &event("2", "a")).await, 0);
        inbox.count(4).await;
        assert_eq!(inbox.ids(&AUDIT), ["1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn an_inbox_that_is_away_a_moment_is_tried_again_at_once() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let bus = rig.run(rig.both_listen(&rig.url, inbox.clone())).await;
        inbox.fail(vec![StoreError::DiskFull]);
        publish(&*bus.publisher, &event("1", "a")).await;
        inbox.count(2).await;
        assert_eq!(inbox.calls(), 3);
    })
    .await;
}

#[tokio::test]
async fn while_the_inbox_is_away_events_wait_and_come_back() {
    with(async |rig| {
        let inbox = Arc::new(Arrivals::default());
        let audit = rig.bus(Subscribers::default()).bind(
            crate::rig::happened(AUDIT),
            inbox.clone(),
            Arc::new(contract_tests::bus::travel::NoWake),
        );
        let bus = rig.run(audit).await;
        inbox.fail((0..3).map(|_| StoreError::DiskFull).collect());
        publish(&*bus.publisher, &event("1", "a")).await;
        publish(&*bus.publisher, &event("2", "a")).await;
        inbox.count(1).await;
        assert_eq!(inbox.ids(&AUDIT), ["2"], "others go on");
        assert_eq!(
            rig.ready(&format!("{}.wait.10s", rig.queue(&AUDIT))).await,
            1
        );
        inbox.count(2).await;
        assert_eq!(inbox.ids(&AUDIT), ["2", "1"]);
    })
    .await;
}
