//! Finishing writes that a crash interrupted: the exact count is derived from what was stored.

use std::{collections::HashMap, sync::Arc};

use domain::{contact::Document, shared::RemovalNo};
use futures::{StreamExt, stream};
use ports::{
    Clock, StoreError,
    contacts::{ContactStore, Order},
    store::{AudienceQueries, AudienceStore, ContentDelta, Durability, WriteIntent},
};

use super::classify::{Marks, account};
use crate::{AppResult, contact::view_of};

/// After this time without an end, yet another process may take the repair over.
const LEASE_SECONDS: u32 = 60;
/// Abandoned writes looked for at once.
const PAGE: i64 = 100;
/// Repairs under way at once: each waits for the stores most of the time.
const AT_ONCE: usize = 4;
/// How a write changed a content, by what it stored.
async fn delta_of(
    contacts: &dyn ContactStore,
    intent: &WriteIntent,
    view: &ports::contacts::View,
    stored: &[(Document, Option<Order>)],
) -> Result<ContentDelta, StoreError> {
    let documents: Vec<Document> = stored.iter().map(|(d, _)| d.clone()).collect();
    let marks = Marks::new(contacts.tombstones(intent.key, &documents).await?, view);
    let now: HashMap<Document, Order> = contacts
        .get(intent.key, &documents)
        .await?
        .into_iter()
        .map(|c| (c.document, c.order))
        .collect();
    let mut delta = ContentDelta {
        contacts: -removed_by(contacts, intent).await?,
        revived: Vec::new(),
    };
    for (document, previous) in stored {
        if let Some(order) = now.get(document) {
            account(&marks, document, *order, *previous, &mut delta);
        }
    }
    Ok(delta)
}

/// How many contacts the write has removed for good. Its tombstones have its place in the order of
/// acceptance, and it wrote them only for who was visible.
async fn removed_by(contacts: &dyn ContactStore, intent: &WriteIntent) -> Result<i64, StoreError> {
    let (first, count) = intent.requests;
    if count == 0 {
        return Ok(0);
    }
    let stones = contacts.tombstones(intent.key, &intent.documents).await?;
    let own = stones.iter().filter(|stone| {
        stone.removal == RemovalNo::PERMANENT
            && (first..first + count).contains(&stone.order.request())
    });
    Ok(i64::try_from(own.count()).unwrap_or(i64::MAX))
}

/// Finishes writes that a crash interrupted.
#[derive(Clone)]
pub struct Repair {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) contacts: Arc<dyn ContactStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: String,
}

impl Repair {
    /// Repairs an abandoned write; `false` when another process was quicker.
    pub(super) async fn one(&self, intent: &WriteIntent) -> Result<bool, StoreError> {
        match self.adopt(intent).await {
            Ok(()) => Ok(true),
            Err(StoreError::StaleVersion) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Adopts an abandoned write, counts what it stored, and closes it.
    async fn adopt(&self, intent: &WriteIntent) -> Result<(), StoreError> {
        let mut uow = self.store.begin(Durability::Full).await?;
        uow.contents()
            .adopt_write(intent, &self.owner, LEASE_SECONDS)
            .await?;
        let content = uow.contents().get(intent.key).await?;
        uow.commit().await?;
        let delta = match &content {
            Some(content) => {
                let stored = self
                    .contacts
                    .stored_by(intent.key, intent.write, &intent.documents)
                    .await?;
                delta_of(self.contacts.as_ref(), intent, &view_of(content), &stored).await?
            }
            None => ContentDelta::default(),
        };
        let mut uow = self.store.begin(Durability::Full).await?;
        let now = self.clock.now();
        uow.contents()
            .close_write(intent.key, intent.write, &self.owner, &delta, now)
            .await?;
        uow.commit().await?;
        tracing::info!(
            audience = %intent.key.audience,
            documents = intent.documents.len(),
            counted = delta.contacts,
            "repaired an interrupted write"
        );
        Ok(())
    }

    /// Repairs every open write and ends every lease. At the start of a process that owns its stores alone, all of them are abandoned; afterwards counts
    /// are exact, and interrupted operations go on at once.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "contact.repair.all", skip_all)]
    pub async fn all(&self) -> AppResult<usize> {
        let mut uow = self.store.begin(Durability::Full).await?;
        uow.operations().release_leases().await?;
        uow.creations().release().await?;
        uow.live().release_leases().await?;
        uow.commit().await?;
        let mut repaired = 0;
        loop {
            let open = self.queries.open_writes(PAGE).await?;
            if open.is_empty() {
                return Ok(repaired);
            }
            for intent in &open {
                repaired += usize::from(self.one(intent).await?);
            }
        }
    }

    /// Repairs writes whose process is gone, so that counts are exact again where nobody writes.
    ///
    /// # Errors
    /// Store errors.
    pub async fn lapsed(&self) -> AppResult<u64> {
        let lapsed = self.queries.lapsed_writes(PAGE).await?;
        let repairs = lapsed
            .into_iter()
            .map(|intent| async move { self.one(&intent).await });
        // All to their end, also beside one that fails.
        let repaired: Vec<_> = stream::iter(repairs)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut count = 0;
        for repaired in repaired {
            count += u64::from(repaired?);
        }
        Ok(count)
    }
}
