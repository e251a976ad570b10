//! Deletes what nobody needs any more.

use async_trait::async_trait;
use domain::shared::Instant;
use ports::{
    StoreError,
    idempotency::KEPT_FOR,
    store::{EVENTS_KEPT_FOR, Housekeeping, PurgeCounts, RECEIPTS_KEPT_FOR},
};

use super::{Db, customer, dialect, direct, feed, operations};

/// Deletes from one table. The writer is let go after each, so that requests do not wait for all of them.
async fn purge(db: &Db, text: &str, before: Instant, limit: usize) -> Result<u64, StoreError> {
    let mut held = direct::writer(db).await?;
    direct::purge(dialect::conn(&mut held), text, before, limit).await
}

#[async_trait]
impl Housekeeping for Db {
    async fn purge(&self, now: Instant, limit: usize) -> Result<PurgeCounts, StoreError> {
        let (reserved, done) = (now - KEPT_FOR, now - RECEIPTS_KEPT_FOR);
        Ok(PurgeCounts {
            idempotency: purge(self, operations::PURGE_IDEMPOTENCY, reserved, limit).await?,
            receipts: purge(self, operations::PURGE_RECEIPTS, done, limit).await?,
            user_events: purge(self, feed::PURGE, now - EVENTS_KEPT_FOR, limit).await?,
        })
    }

    async fn purge_customer_events(
        &self,
        before: Instant,
        limit: usize,
    ) -> Result<u64, StoreError> {
        purge(self, customer::PURGE_EVENTS, before, limit).await
    }
}
