//! What a relational store owes for customers and their events.
//!
//! An adapter expands [`customers_contract!`](crate::customers_contract) over the harness of the
//! [store's contract](crate::store).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, for other crates to run"
)]

pub mod events;
pub mod reading;
pub mod sources;
pub mod writing;

use domain::{
    customer::{
        ClientRef, Customer, CustomerId, CustomerItem, CustomerKey, Identity, ImportedTag,
        SyncedPerson, parse_customer,
    },
    importing::ExternalId,
    shared::WorkspaceId,
};
use serde_json::{Value, json};

use crate::store::{StoreHarness, at, begin};

/// Expands to one test per case; `$harness` is an expression that awaits to an `Option` of a
/// [`StoreHarness`], `None` to skip.
#[macro_export]
macro_rules! customers_contract {
    ($harness:expr) => {
        $crate::customers_contract!(@ $harness;
            writing: a_customer_comes_back_as_it_was,
                customers_are_read_as_contacts,
                customers_are_found_by_number_and_identity_once_each,
                an_identity_is_there_once_in_its_workspace,
                numbers_are_given_per_workspace,
                saving_replaces_values_and_keeps_consent,
                writers_of_a_workspace_take_turns,
                a_rollback_leaves_nothing,
                large_batches_are_written_whole;
            reading: lists_go_by_number_and_filters_combine,
                look_ups_find_all_who_share,
                counts_are_exact,
                labels_are_counted_as_they_come_and_go,
                customers_stay_in_their_workspace;
            events: events_come_back_newest_first,
                a_key_is_reported_once_in_its_workspace,
                customers_are_identified,
                old_events_go_in_batches;
            sources: a_source_is_kept_written_over_and_deleted,
                bytes_are_counted_by_month;
        );
    };
    (@ $harness:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(harness) = $harness.await {
                    $crate::customers::$module::$case(&harness).await;
                }
            })+
        })+
    };
}

/// An id of another system.
pub fn external(id: &str) -> ExternalId {
    ExternalId::parse(&json!(id)).unwrap()
}

/// A client.
pub fn client(id: &str) -> ClientRef {
    ClientRef::parse(id).unwrap()
}

/// A person in the CRM of a client.
pub fn imported(client_id: &str, id: &str) -> Identity {
    Identity::Imported {
        client: client(client_id),
        external_id: external(id),
    }
}

/// A person as an import brings it, with labels.
pub fn person(id: &str, name: &str, tags: &[&str]) -> SyncedPerson {
    let tag = |name: &&str| ImportedTag {
        external_id: external(name),
        name: Some((*name).to_owned()),
        color: Some("#fff".into()),
    };
    SyncedPerson::new(external(id), Some(name), None, None, tags.iter().map(tag))
}

/// An item of a request.
pub fn item(value: Value) -> CustomerItem {
    parse_customer(value, at(0)).unwrap()
}

/// The customer that an item makes.
pub fn made(id: CustomerId, value: Value) -> Customer {
    let CustomerItem { key, patch } = item(value);
    let CustomerKey::Identity(identity) = key else {
        panic!("an identity")
    };
    patch.create(id, identity, at(1)).unwrap()
}

/// Adds a customer for each item, in a unit of work of their own.
pub async fn add(h: &dyn StoreHarness, ws: &WorkspaceId, items: Vec<Value>) -> Vec<Customer> {
    let mut uow = begin(h).await;
    let first = uow.customers().take_numbers(ws, items.len()).await.unwrap();
    let numbers = (first.raw()..).map(CustomerId::from_raw);
    let customers: Vec<_> = numbers
        .zip(items)
        .map(|(id, item)| made(id, item))
        .collect();
    uow.customers().add(ws, &customers).await.unwrap();
    uow.commit().await.unwrap();
    customers
}

/// Adds people of a CRM, in a unit of work of their own.
pub async fn import(
    h: &dyn StoreHarness,
    ws: &WorkspaceId,
    client_id: &str,
    people: &[SyncedPerson],
) -> Vec<Customer> {
    let mut uow = begin(h).await;
    let first = uow
        .customers()
        .take_numbers(ws, people.len())
        .await
        .unwrap();
    let numbers = (first.raw()..).map(CustomerId::from_raw);
    let create = |(id, person): (CustomerId, &SyncedPerson)| {
        let identity = imported(client_id, person.external_id.as_str());
        person.create(id, identity, 1, at(1))
    };
    let customers: Vec<_> = numbers.zip(people).map(create).collect();
    uow.customers().add(ws, &customers).await.unwrap();
    uow.commit().await.unwrap();
    customers
}

/// Saves customers, in a unit of work of their own.
pub async fn save(h: &dyn StoreHarness, ws: &WorkspaceId, customers: &[Customer]) {
    let mut uow = begin(h).await;
    uow.customers().save(ws, customers).await.unwrap();
    uow.commit().await.unwrap();
}

/// What is stored of a customer.
pub async fn stored(h: &dyn StoreHarness, ws: &WorkspaceId, id: CustomerId) -> Customer {
    h.queries().customer(ws, id).await.unwrap().unwrap()
}
