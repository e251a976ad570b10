//! What imports bring.

use domain::{
    customer::{ClientRef, CustomerKey, Identity, Synced, SyncedPerson},
    shared::WorkspaceId,
};
use ports::{
    Clock, StoreError,
    bus::Receipt,
    store::{AudienceStore, Durability, UnitOfWork},
};
use std::sync::Arc;

use super::book::Book;

/// People of a client's CRM, as a batch brings them.
pub struct SyncBatch {
    /// Whose customers they become.
    pub workspace: WorkspaceId,
    /// The client.
    pub client: ClientRef,
    /// By which name it is known.
    pub slug: String,
    /// Grows with every batch of the client: of two that speak of one person, the higher one counts.
    pub number: i64,
    /// The people, each once.
    pub people: Vec<SyncedPerson>,
}

/// What a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// New customers.
    pub created: usize,
    /// Customers that changed.
    pub updated: usize,
    /// Customers of whom it said what is known.
    pub unchanged: usize,
    /// Customers of whom a higher batch spoke before.
    pub older: usize,
}

/// Makes customers of people whom imports bring.
#[derive(Clone)]
pub struct SyncImported {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl SyncImported {
    /// Makes customers of imported people, or changes those they are already, and ends the delivery:
    /// both or neither. What the API knows of them, consent above all, stays.
    ///
    /// # Errors
    /// Store errors; `StaleVersion` when the delivery was taken over, and nothing was done.
    #[tracing::instrument(name = "customer.sync", skip_all)]
    pub async fn execute(
        &self,
        batch: &SyncBatch,
        delivery: &Receipt,
    ) -> Result<SyncCounts, StoreError> {
        let mut uow = self.store.begin(Durability::Full).await?;
        let counts = self.write_batch(uow.as_mut(), batch).await?;
        let now = self.clock.now();
        uow.inbox().complete(delivery, now).await?;
        uow.commit().await?;
        Ok(counts)
    }

    async fn write_batch(
        &self,
        uow: &mut dyn UnitOfWork,
        batch: &SyncBatch,
    ) -> Result<SyncCounts, StoreError> {
        let now = self.clock.now();
        let identity = |person: &SyncedPerson| Identity::Imported {
            client: batch.client.clone(),
            external_id: person.external_id.clone(),
        };
        let keys = batch.people.iter().map(identity).map(CustomerKey::Identity);
        let keys: Vec<_> = keys.collect();
        let mut counts = SyncCounts::default();
        let mut book = Book::open(uow, &batch.workspace, &keys, |_| true).await?;
        for (person, key) in batch.people.iter().zip(&keys) {
            let Some(customer) = book.get(key) else {
                let id = book.next_number();
                book.add(person.create(id, identity(person), batch.number, now));
                counts.created += 1;
                continue;
            };
            match person.apply(customer, batch.number, now) {
                Synced::Updated => counts.updated += 1,
                Synced::Unchanged => counts.unchanged += 1,
                Synced::Older => {
                    counts.older += 1;
                    continue;
                }
            }
            book.changed(key);
        }
        uow.customers()
            .name_client(&batch.workspace, &batch.client, &batch.slug)
            .await?;
        book.write(uow, &batch.workspace).await?;
        Ok(counts)
    }
}
