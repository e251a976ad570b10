//! People of outside CRMs become customers.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    customer::{ClientRef, ImportedTag, SyncedPerson},
    importing::ExternalId,
    shared::WorkspaceId,
};
use events::{
    Envelope,
    v1::{CustomersSynced, SyncedCustomer},
};
use messaging::EventHandler;
use ports::bus::{Delivery, Outcome};
use serde_json::Value;

use crate::{UseCases, customer::SyncBatch};

/// Most people of a batch: its work ends well within a handler's time.
const MAX_PEOPLE: usize = 1_000;

/// Writes the people of a batch as customers.
pub struct SyncCustomers(pub Arc<UseCases>);

#[async_trait]
impl EventHandler<CustomersSynced> for SyncCustomers {
    async fn handle(&self, delivery: &Delivery, event: Envelope<CustomersSynced>) -> Outcome {
        if event.data.customers.len() > MAX_PEOPLE {
            return Outcome::reject("the batch has too many people");
        }
        let Some(batch) = batch(event) else {
            return Outcome::reject("an id of the event is malformed");
        };
        let sync = &self.0.customers.sync;
        let synced = sync.execute(&batch, &delivery.receipt).await;
        Outcome::of(synced.map(drop))
    }
}

fn batch(event: Envelope<CustomersSynced>) -> Option<SyncBatch> {
    let people = event.data.customers.into_iter().map(person);
    Some(SyncBatch {
        workspace: WorkspaceId::parse(&event.attributes.workspace).ok()?,
        client: ClientRef::parse(&event.data.client_id).ok()?,
        slug: event.data.client_slug,
        number: event.attributes.version,
        people: people.collect::<Option<_>>()?,
    })
}

fn person(person: SyncedCustomer) -> Option<SyncedPerson> {
    let tags = person.tags.into_iter().map(|tag| {
        Some(ImportedTag {
            external_id: external_id(tag.external_id)?,
            name: tag.name,
            color: tag.color,
        })
    });
    let tags: Vec<_> = tags.collect::<Option<_>>()?;
    Some(SyncedPerson::new(
        external_id(person.external_id)?,
        person.name.as_deref(),
        person.phone.as_deref(),
        person.email.as_deref(),
        tags,
    ))
}

fn external_id(text: String) -> Option<ExternalId> {
    ExternalId::parse(&Value::String(text)).ok()
}
