//! Workers delete what has served its time, without being asked.

use std::{sync::Arc, time::Duration};

use audience_service::workers;
use chrono::TimeDelta;
use domain::{
    customer::{CustomerEvent, CustomerId, EventName},
    shared::Instant,
};
use ports::{
    Clock,
    store::{Durability, EventFilter},
};
use runtime::Lifecycle;
use serde_json::json;

use crate::rig::Rig;

struct DaysAgo(i64, Arc<dyn Clock>);

impl Clock for DaysAgo {
    fn now(&self) -> Instant {
        self.1.now() - TimeDelta::days(self.0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_events_of_feeds_go_and_young_ones_stay() {
    let rig = Rig::new().await;
    let (deps, actor) = (&rig.ports, rig.actor());
    let clock = |days| Arc::new(DaysAgo(days, Arc::clone(&deps.clock)));
    let mut uow = deps.store.begin(Durability::Full).await.unwrap();
    for days in [8, 2, 0] {
        let (payload, now) = (serde_json::json!(days), clock(days).now());
        uow.notifications()
            .append_event(&actor.workspace, &actor.user, "test", &payload, now)
            .await
            .unwrap();
    }
    uow.commit().await.unwrap();

    let life = Lifecycle::new(tokio::runtime::Handle::current());
    workers::start(&rig.app, &life, 1);
    let events = || deps.queries.event_range(&actor.workspace, &actor.user);
    let swept = async {
        while events().await.unwrap() != Some((2, 3)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept)
        .await
        .unwrap();
    life.shutdown();
    assert!(life.drain().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_customers_are_kept_as_long_as_configured() {
    let kept = TimeDelta::days(30);
    let rig = Rig::with(|deps| deps.customer_events_kept = kept).await;
    let (deps, actor) = (&rig.ports, rig.actor());
    let customer = vec![json!({"external_id": "a"})];
    let written = rig
        .app
        .customers
        .write
        .upsert(&actor, rig.request_id(), customer, true);
    let id = CustomerId::from_raw(written.await.unwrap()[0].id.unwrap());
    let event = |days: i64| CustomerEvent {
        id: deps.ids.next(),
        customer: id,
        key: None,
        name: EventName::parse("seen").unwrap(),
        time: deps.clock.now() - TimeDelta::days(days),
        properties: serde_json::Map::new(),
        amount: None,
        received_at: deps.clock.now(),
    };
    let mut uow = deps.store.begin(Durability::Full).await.unwrap();
    // More than one step of a purge.
    let events: Vec<_> = (0..1_200)
        .map(|n| event(31 + n % 9))
        .chain([event(29)])
        .collect();
    uow.customer_events()
        .add(&actor.workspace, &events)
        .await
        .unwrap();
    uow.commit().await.unwrap();
    assert_eq!(
        rig.app.upkeep.expired.customer_events().await.unwrap(),
        1_200
    );
    let filter = EventFilter {
        limit: 10,
        ..EventFilter::default()
    };
    let (left, more) = rig
        .app
        .customers
        .read
        .events(&actor, id, filter)
        .await
        .unwrap();
    assert!(left.len() == 1 && !more);
}
