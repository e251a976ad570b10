//! Cases of events.

use chrono::TimeDelta;
use domain::{
    customer::{Amount, CustomerEvent, CustomerId, CustomerKey, EventName, Identity},
    shared::WorkspaceId,
};
use ports::store::EventFilter;
use serde_json::{Value, json};

use super::{add, external, imported};
use crate::store::{StoreHarness, at, begin, number, workspace};

pub(crate) fn event(customer: i64, name: &str, seconds: i64) -> CustomerEvent {
    CustomerEvent {
        id: number(),
        customer: CustomerId::from_raw(customer),
        key: None,
        name: EventName::parse(name).unwrap(),
        time: at(seconds),
        properties: serde_json::Map::new(),
        amount: None,
        received_at: at(100),
    }
}

fn keyed(customer: i64, key: &str, seconds: i64) -> CustomerEvent {
    CustomerEvent {
        key: Some(external(key)),
        ..event(customer, "order.paid", seconds)
    }
}

pub(crate) async fn report(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    events: &[CustomerEvent],
) -> Vec<bool> {
    let mut uow = begin(h).await;
    let new = uow.customer_events().add(ws, events).await.unwrap();
    uow.commit().await.unwrap();
    new
}

async fn listed(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    customer: i64,
    filter: EventFilter,
) -> Vec<CustomerEvent> {
    let filter = EventFilter {
        limit: filter.limit.max(10),
        ..filter
    };
    let id = CustomerId::from_raw(customer);
    h.queries().customer_events(ws, id, &filter).await.unwrap()
}

pub async fn events_come_back_newest_first(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let full = CustomerEvent {
        properties: json!({"items": [{"sku": "é"}], "n": 1.5})
            .as_object()
            .unwrap()
            .clone(),
        amount: Some(Amount::parse(&json!("-129.90")).unwrap()),
        ..keyed(1, "k", 5)
    };
    let events = [
        event(1, "seen", 3),
        full.clone(),
        event(1, "seen", 5),
        event(2, "seen", 9),
    ];
    assert_eq!(report(h, &ws, &events).await, [true; 4]);
    let expected = [events[2].clone(), full, events[0].clone()];
    assert_eq!(listed(h, &ws, 1, EventFilter::default()).await, expected);
    let after_first = EventFilter {
        before: Some((expected[0].time, expected[0].id)),
        ..EventFilter::default()
    };
    assert_eq!(listed(h, &ws, 1, after_first).await, expected[1..]);
    let seen = EventFilter {
        name: EventName::parse("seen"),
        ..EventFilter::default()
    };
    assert_eq!(listed(h, &ws, 1, seen).await.len(), 2);
    assert!(
        listed(h, &other, 1, EventFilter::default())
            .await
            .is_empty()
    );
}

pub async fn a_key_is_reported_once_in_its_workspace(h: &dyn StoreHarness) {
    let (ws, other) = (workspace("ws"), workspace("other"));
    let events = [
        keyed(1, "a", 1),
        keyed(1, "a", 2),
        keyed(2, "a", 3),
        keyed(1, "b", 1),
    ];
    assert_eq!(report(h, &ws, &events).await, [true, false, false, true]);
    assert_eq!(report(h, &ws, &[keyed(1, "a", 1)]).await, [false]);
    assert_eq!(report(h, &other, &[keyed(1, "a", 1)]).await, [true]);
    assert_eq!(listed(h, &ws, 1, EventFilter::default()).await.len(), 2);
    assert!(report(h, &ws, &[]).await.is_empty());
}

pub async fn customers_are_identified(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let people: Vec<Value> = vec![json!({"external_id": "a"}), json!({"document": "9"})];
    let made = add(h, &ws, people).await;
    let keys = [
        CustomerKey::Identity(made[1].identity.clone()),
        CustomerKey::Id(made[0].id),
        CustomerKey::Id(CustomerId::from_raw(99)),
        CustomerKey::Identity(imported("clt_1", "a")),
    ];
    let mut uow = begin(h).await;
    let mut found = uow.customer_events().identify(&ws, &keys).await.unwrap();
    found.sort();
    let expected = [
        (made[0].id, Identity::External(external("a"))),
        (made[1].id, made[1].identity.clone()),
    ];
    assert_eq!(found, expected);
}

pub async fn old_events_go_in_batches(h: &dyn StoreHarness) {
    let ws = workspace("ws");
    let events: Vec<_> = (0..5).map(|n| event(1, "seen", n)).collect();
    report(h, &ws, &events).await;
    let before = at(3);
    for gone in [2, 1, 0] {
        assert_eq!(
            h.store().purge_customer_events(before, 2).await.unwrap(),
            gone
        );
    }
    assert_eq!(listed(h, &ws, 1, EventFilter::default()).await.len(), 2);
    let tick = TimeDelta::milliseconds(1);
    assert_eq!(
        h.store()
            .purge_customer_events(before + tick, 2)
            .await
            .unwrap(),
        1
    );
}
