//! People of outside CRMs become customers, however their batches arrive.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use adapter_local_bus::LocalBus;
use adapter_sql::sqlite::Db;
use audience_service::{
    consumers::SyncCustomers,
    customer::{CustomerResult, MAX_CUSTOMERS},
};
use domain::{
    customer::{Channel, ConsentStatus, Customer},
    shared::WorkspaceId,
};
use events::{
    Attributes, Envelope,
    v1::{CustomersSynced, SyncedCustomer, SyncedTag},
};
use messaging::{EventHandler, OutboxRelay, Router, Signal, outgoing};
use ports::{
    bus::{
        Delivered, Delivery, InboxStore, OutboxEvent, OutboxQueue, Outcome, Subscribers,
        Subscription,
    },
    store::{CustomerFilter, Durability},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;

const CLIENT: &str = "clt_1";
const LEASE: Duration = Duration::from_secs(30);

fn person(id: i64, name: &str, tags: &[&str]) -> SyncedCustomer {
    let tag = |name: &&str| SyncedTag {
        external_id: (*name).to_owned(),
        name: Some((*name).to_owned()),
        color: None,
    };
    SyncedCustomer {
        external_id: id.to_string(),
        name: Some(name.to_owned()),
        phone: Some(format!("55119{id:08}")),
        tags: tags.iter().map(tag).collect(),
        ..SyncedCustomer::default()
    }
}

/// A batch; its number is the aggregate's version.
fn batch(number: i64, customers: Vec<SyncedCustomer>) -> Envelope<CustomersSynced> {
    let attributes = Attributes {
        id: format!("evt_{number}"),
        source: "/plateia/import-job-service".into(),
        time: chrono::DateTime::UNIX_EPOCH,
        workspace: "ws_1".into(),
        version: number,
        traceparent: None,
    };
    let data = CustomersSynced {
        client_id: CLIENT.into(),
        client_slug: "acme".into(),
        operation_id: "op_1".into(),
        customers,
    };
    Envelope::new(attributes, data)
}

fn outbox_event(batch: &Envelope<CustomersSynced>) -> OutboxEvent {
    let workspace = WorkspaceId::parse(&batch.attributes.workspace).unwrap();
    outgoing(batch, &workspace).unwrap()
}

const SUBSCRIPTION: Subscription = Subscription::from_static(events::CUSTOMERS);

impl Rig {
    async fn delivered(&self, event: &OutboxEvent) -> Delivered {
        let now = self.app.clock.now();
        self.db.deliver(&SUBSCRIPTION, event, now).await.unwrap()
    }

    async fn claimed(&self) -> Option<Delivery> {
        let now = self.app.clock.now();
        let claimed = self.db.claim_inbox(now).await;
        claimed.into_iter().next()
    }

    /// Delivers a batch and handles it.
    async fn sync(&self, batch: Envelope<CustomersSynced>) -> Outcome {
        assert_eq!(
            self.delivered(&outbox_event(&batch)).await,
            Delivered::Stored
        );
        let delivery = self.claimed().await.unwrap();
        SyncCustomers(Arc::clone(&self.app))
            .handle(&delivery, batch)
            .await
    }

    async fn customers(&self) -> Vec<Customer> {
        let filter = CustomerFilter {
            limit: 1000,
            ..CustomerFilter::default()
        };
        self.app
            .customers
            .read
            .list(&self.actor(), filter)
            .await
            .unwrap()
            .0
    }

    async fn names(&self) -> Vec<String> {
        let customers = self.customers().await;
        customers.into_iter().filter_map(|c| c.name).collect()
    }

    async fn total(&self) -> i64 {
        self.app
            .customers
            .read
            .counts(&self.actor())
            .await
            .unwrap()
            .total
    }

    async fn tags(&self) -> Vec<(String, i64)> {
        let tags = self
            .app
            .customers
            .read
            .tags(&self.actor(), None, 1000)
            .await
            .unwrap()
            .0;
        tags.into_iter()
            .map(|tag| (tag.label, tag.customers))
            .collect()
    }

    async fn upsert(&self, items: Value) -> Vec<CustomerResult> {
        let items = items.as_array().unwrap().clone();
        let (actor, request_id) = (self.actor(), self.request_id());
        let written = self
            .app
            .customers
            .write
            .upsert(&actor, request_id, items, false)
            .await;
        written
            .unwrap()
            .into_iter()
            .map(|outcome| outcome.result)
            .collect()
    }
}

/// The inbox side of the database, whose methods the outbox's share names with.
trait ClaimInbox {
    async fn claim_inbox(&self, now: domain::shared::Instant) -> Vec<Delivery>;
}

impl ClaimInbox for Db {
    async fn claim_inbox(&self, now: domain::shared::Instant) -> Vec<Delivery> {
        InboxStore::claim(self, &SUBSCRIPTION, 1, now, LEASE)
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_delivered_again_changes_nothing() {
    let rig = Rig::new().await;
    let people = || vec![person(1, "Ana", &["vip"]), person(2, "Bia", &[])];
    assert_eq!(rig.sync(batch(1, people())).await, Outcome::Done);
    let before = rig.customers().await;
    assert_eq!(
        rig.delivered(&outbox_event(&batch(1, people()))).await,
        Delivered::Duplicate
    );
    assert!(rig.claimed().await.is_none(), "it is done");
    // Even where the inbox has forgotten it, as after its retention.
    let mut late = batch(1, people());
    late.attributes.id = "evt_again".into();
    assert_eq!(rig.sync(late).await, Outcome::Done);
    assert!(rig.customers().await == before);
    assert_eq!(
        (rig.total().await, rig.tags().await),
        (2, vec![("vip".into(), 1)])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_batch_changes_nothing() {
    let rig = Rig::new().await;
    rig.sync(batch(5, vec![person(1, "new", &["b"])])).await;
    rig.sync(batch(
        3,
        vec![person(1, "old", &["a"]), person(2, "only", &["a"])],
    ))
    .await;
    assert_eq!(rig.names().await, ["new", "only"]);
    assert_eq!(rig.tags().await, [("a".into(), 1), ("b".into(), 1)]);
    rig.sync(batch(4, vec![person(2, "later", &[])])).await;
    assert_eq!(rig.names().await, ["new", "later"]);
    assert_eq!(rig.tags().await, [("b".into(), 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_never_overwrites_consent_or_what_the_api_knows() {
    let rig = Rig::new().await;
    rig.sync(batch(1, vec![person(1, "Ana", &["crm"])])).await;
    let own = json!([{
        "client_id": CLIENT, "external_id": "1", "document": "123.456.789-09",
        "tags": ["ours"], "plan": "gold",
        "consents": {"sms": {"status": "denied", "source": "call"}},
    }]);
    assert_eq!(rig.upsert(own).await, [CustomerResult::Updated]);
    rig.sync(batch(2, vec![person(1, "Ana Maria", &["crm2"])]))
        .await;
    let customer = rig.customers().await.remove(0);
    assert_eq!(customer.name.as_deref(), Some("Ana Maria"));
    let said = customer.consents.get(Channel::Sms).unwrap();
    assert_eq!(
        (said.status, said.source.as_str()),
        (ConsentStatus::Denied, "call")
    );
    assert_eq!(customer.document.unwrap().as_str(), "12345678909");
    assert_eq!(customer.attributes["plan"], "gold");
    assert_eq!(rig.tags().await, [("crm2".into(), 1), ("ours".into(), 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_two_clients_and_of_the_api_are_not_merged() {
    let rig = Rig::new().await;
    rig.sync(batch(1, vec![person(1, "Ana", &[])])).await;
    let mut other = batch(2, vec![person(1, "Ana", &[])]);
    other.data.client_id = "clt_2".into();
    rig.sync(other).await;
    let same = json!([{"external_id": "1", "name": "Ana", "phone": "5511900000001"}]);
    assert_eq!(rig.upsert(same).await, [CustomerResult::Created]);
    assert_eq!(rig.total().await, 3);
    let counts = rig.app.customers.read.counts(&rig.actor()).await.unwrap();
    let by_client: Vec<_> = counts
        .by_client
        .iter()
        .map(|c| (c.slug.as_str(), c.customers))
        .collect();
    assert_eq!(by_client, [("acme", 1), ("acme", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_was_taken_over_has_no_effect() {
    let rig = Rig::new().await;
    let batch = batch(1, vec![person(1, "Ana", &[])]);
    rig.delivered(&outbox_event(&batch)).await;
    let lapsed = rig.claimed().await.unwrap();
    let later = rig.app.clock.now() + LEASE * 2;
    let taken = rig.db.claim_inbox(later).await.remove(0);
    let handler = SyncCustomers(Arc::clone(&rig.app));
    assert_eq!(handler.handle(&lapsed, batch.clone()).await, Outcome::Done);
    assert_eq!(rig.total().await, 0);
    assert_eq!(handler.handle(&taken, batch).await, Outcome::Done);
    assert_eq!(rig.total().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_batch_is_given_up() {
    let rig = Rig::new().await;
    let mut nameless = batch(1, vec![person(1, "Ana", &[])]);
    nameless.data.client_id = String::new();
    let mut idless = batch(2, vec![person(1, "Ana", &[])]);
    idless.data.customers[0].external_id = String::new();
    let crowd = batch(3, (0..1001).map(|n| person(n, "A", &[])).collect());
    for batch in [nameless, idless, crowd] {
        assert!(matches!(rig.sync(batch).await, Outcome::Reject { .. }));
    }
    assert_eq!(rig.total().await, 0);
}

/// Everybody once for each generation, in batches of `size`, in no order, and some of them twice.
fn shuffled(
    people: i64,
    size: i64,
    generations: &[&'static str],
) -> Vec<Envelope<CustomersSynced>> {
    let mut all = Vec::new();
    for generation in generations {
        for from in (0..people).step_by(size as usize) {
            let everybody = from..(from + size).min(people);
            let tags = [*generation, "all"];
            let people = everybody.map(|id| person(id, generation, &tags)).collect();
            all.push(batch(all.len() as i64 + 1, people));
        }
    }
    // A fixed order that is none.
    all.sort_by_key(|batch| {
        batch
            .attributes
            .version
            .wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64)
    });
    let repeated = all.clone().into_iter().enumerate().map(|(n, mut batch)| {
        if n % 7 == 0 {
            batch.attributes.id.push_str("_again");
        }
        batch
    });
    let repeated: Vec<_> = repeated
        .filter(|b| b.attributes.id.ends_with("_again"))
        .collect();
    all.into_iter().chain(repeated).collect()
}

/// Sends `people` over the bus of the embedded process, and waits until they are customers.
async fn over_the_bus(rig: &Rig, people: i64, size: i64, generations: &[&'static str]) {
    let deps = &rig.ports;
    let batches = shuffled(people, size, generations);
    for some in batches.chunks(100) {
        let mut uow = deps.store.begin(Durability::Derived).await.unwrap();
        for (n, batch) in some.iter().enumerate() {
            // Batches of one client leave in their order; as many aggregates, so that these do not.
            let mut event = outbox_event(batch);
            event.aggregate = format!("{CLIENT}-{n}");
            uow.outbox().add(event, deps.clock.now()).await.unwrap();
        }
        uow.commit().await.unwrap();
    }
    let (stop, store) = (CancellationToken::new(), Arc::new(rig.db.clone()));
    let router = Router::new(store.clone(), Arc::clone(&deps.clock))
        .on(SUBSCRIPTION, SyncCustomers(Arc::clone(&rig.app)));
    let mut bus = LocalBus::new(Arc::clone(&deps.clock), Subscribers::default());
    for (binding, wake) in router.bindings() {
        bus = bus.bind(binding, store.clone(), wake);
    }
    let clock = Arc::clone(&deps.clock);
    let relay = OutboxRelay::new(store, Arc::new(bus), clock, Signal::default());
    let relay = tokio::spawn(relay.run(stop.clone()));
    let router = tokio::spawn(router.run(stop.clone()));
    let all_done = async {
        let done = vec![("all".to_owned(), people), ("new".to_owned(), people)];
        while OutboxQueue::stats(&rig.db).await.unwrap().waiting > 0 || rig.tags().await != done {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(120), all_done).await;
    stop.cancel();
    relay.await.unwrap();
    router.await.unwrap();
    assert!(ended.is_ok(), "{:?}", rig.tags().await);
}

/// Everybody is there once, as the newest batch says.
async fn everybody_once(rig: &Rig, people: i64) {
    assert_eq!(rig.total().await, people);
    let mut filter = CustomerFilter {
        limit: 1000,
        ..CustomerFilter::default()
    };
    let mut seen = BTreeSet::new();
    loop {
        let (page, more) = rig
            .app
            .customers
            .read
            .list(&rig.actor(), filter.clone())
            .await
            .unwrap();
        for customer in &page {
            let id = customer.identity.external_id().unwrap().as_str().to_owned();
            assert_eq!(customer.name.as_deref(), Some("new"), "{id}");
            assert!(seen.insert(id));
        }
        filter.after = page.last().map(|customer| customer.id);
        if !more {
            break;
        }
    }
    assert_eq!(seen.len() as i64, people);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_comes_over_the_bus_once() {
    let rig = Rig::new().await;
    over_the_bus(&rig, 1_010, 50, &["old", "new"]).await;
    everybody_once(&rig, 1_010).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_come_over_the_bus_once() {
    let rig = Rig::new().await;
    let started = std::time::Instant::now();
    over_the_bus(&rig, 50_000, 1_000, &["new"]).await;
    eprintln!("50,000 customers in {:?}", started.elapsed());
    everybody_once(&rig, 50_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_request_is_written_at_once() {
    let rig = Rig::new().await;
    let items: Vec<Value> = (0..MAX_CUSTOMERS)
        .map(|n| json!({"external_id": n, "name": "N", "tags": ["all"], "plan": n % 3}))
        .collect();
    let started = std::time::Instant::now();
    let results = rig.upsert(json!(items)).await;
    eprintln!("{MAX_CUSTOMERS} customers in {:?}", started.elapsed());
    assert!(
        results
            .iter()
            .all(|result| *result == CustomerResult::Created)
    );
    assert_eq!(rig.total().await, MAX_CUSTOMERS as i64);
    let again = rig.upsert(json!(items)).await;
    assert!(
        again
            .iter()
            .all(|result| *result == CustomerResult::Unchanged)
    );
}
