//! Deletes what nobody needs any more.

use async_trait::async_trait;
use domain::shared::Instant;
use ports::{
    StoreError,
    store::{EVENTS_KEPT_FOR, Housekeeping},
};

use super::{Db, customer, direct, feed};

#[async_trait]
impl Housekeeping for Db {
    async fn purge_user_events(&self, now: Instant, limit: usize) -> Result<u64, StoreError> {
        direct::purge_alone(self, feed::PURGE, now - EVENTS_KEPT_FOR, limit).await
    }

    async fn purge_customer_events(
        &self,
        before: Instant,
        limit: usize,
    ) -> Result<u64, StoreError> {
        direct::purge_alone(self, customer::PURGE_EVENTS, before, limit).await
    }
}
