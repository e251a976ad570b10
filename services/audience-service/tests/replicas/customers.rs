//! People of an outside CRM, over the broker, become customers once each.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use adapter_rabbitmq::{RabbitBus, RabbitSettings};
use api_types::{
    List,
    customers::{CountJson, TagJson},
};
use domain::shared::WorkspaceId;
use events::{
    Attributes, Envelope, IntegrationEvent,
    v1::{CustomersSynced, SyncedCustomer, SyncedTag},
};
use futures::{StreamExt, stream};
use messaging::outgoing;
use ports::bus::{EventPublisher, OutboxEvent, Subscribers, Subscription};
use runtime::SystemClock;
use test_kit::{rabbitmq_url, scenario::Service};
use tokio_util::sync::CancellationToken;

use super::stack::Stack;

const PEOPLE: i64 = 50_000;
/// As imports send them.
const BATCH: i64 = 50;
/// Publications at a time.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

fn person(id: i64, generation: &str) -> SyncedCustomer {
    let tag = |name: &str| SyncedTag {
        external_id: name.to_owned(),
        name: Some(name.to_owned()),
        color: None,
    };
    SyncedCustomer {
        external_id: id.to_string(),
        name: Some(generation.to_owned()),
        tags: vec![tag("all"), tag(generation)],
        ..SyncedCustomer::default()
    }
}

/// Everybody in batches from number `first` on.
fn batches(people: i64, first: i64, generation: &str) -> Vec<OutboxEvent> {
    let batch = |(number, from): (i64, i64)| {
        let attributes = Attributes {
            id: format!("cli_1.customers.{number}"),
            source: "/plateia/import-job-service".into(),
            time: chrono::DateTime::UNIX_EPOCH,
            workspace: "ws_demo".into(),
            version: number,
            traceparent: None,
        };
        let everybody = from..(from + BATCH).min(people);
        let data = CustomersSynced {
            client_id: "cli_1".into(),
            client_slug: "acme".into(),
            operation_id: "op_1".into(),
            customers: everybody.map(|id| person(id, generation)).collect(),
        };
        let workspace = WorkspaceId::parse("ws_demo").unwrap();
        outgoing(&Envelope::new(attributes, data), &workspace).unwrap()
    };
    let starts = (0..people).step_by(BATCH as usize);
    (first..).zip(starts).map(batch).collect()
}

/// Publishes in no order, some of them twice.
async fn publish(publisher: &Arc<dyn EventPublisher>, events: Vec<OutboxEvent>) {
    let again: Vec<_> = events.iter().step_by(9).cloned().collect();
    let sent = stream::iter(events.into_iter().chain(again)).map(|event| async move {
        let begun = Instant::now();
        while let Err(error) = publisher.publish(&event).await {
            assert!(begun.elapsed() < PATIENCE, "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    sent.buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// Waits until these labels, and no others, are carried by so many.
fn wait_for(service: &Service, expected: &[TagJson]) {
    let begun = Instant::now();
    loop {
        let tags: List<TagJson> = service.get("/api/v1/customers/tags");
        if tags.data == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{tags:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Everybody comes twice; the second time with other names and labels.
#[test]
fn fifty_thousand_people_of_a_crm_become_customers_once() {
    let stack = Stack::start(2);
    let service = stack.service();
    let subscription = Subscription::from_static("audience.customers");
    let required = Subscribers::default().require(CustomersSynced::TYPE, subscription);
    let url = rabbitmq_url();
    let settings = RabbitSettings::new(&url, stack.name()).unwrap();
    let bus = RabbitBus::new(settings, Arc::new(SystemClock), required);
    let (publisher, stop) = (bus.publisher(), CancellationToken::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.spawn(bus.run(stop.clone()));
    let begun = Instant::now();
    let mut number = 1;
    for generation in ["old", "new"] {
        let events = batches(PEOPLE, number, generation);
        number += events.len() as i64;
        runtime.block_on(publish(&publisher, events));
        let carried = |tag: &str| TagJson {
            tag: tag.to_owned(),
            customers: PEOPLE,
        };
        wait_for(&service, &[carried("all"), carried(generation)]);
        eprintln!(
            "{PEOPLE} customers {generation} after {:?}",
            begun.elapsed()
        );
    }
    let count: CountJson = service.get("/api/v1/customers/count");
    assert_eq!(count.total, PEOPLE);
    assert_eq!(count.by_client[0].customers, PEOPLE);
    stop.cancel();
    runtime.block_on(running).unwrap();
}
