//! Deletes what nobody needs any more.

use async_trait::async_trait;
use domain::shared::Instant;
use ports::{
    StoreError,
    store::{EVENTS_KEPT_FOR, Housekeeping},
};

use super::{Db, audience, customer, direct};

#[async_trait]
impl Housekeeping for Db {
    async fn purge_user_events(&self, now: Instant, limit: usize) -> Result<u64, StoreError> {
        direct::purge_alone(self, audience::PURGE_FEEDS, now - EVENTS_KEPT_FOR, limit).await
    }

    async fn purge_customer_events(
        &self,
        before: Instant,
        limit: usize,
    ) -> Result<u64, StoreError> {
        direct::purge_alone(self, customer::PURGE_EVENTS, before, limit).await
    }

    async fn purge_refreshes(&self, before: Instant, limit: usize) -> Result<u64, StoreError> {
        let departures = audience::purge_departures();
        let deleted = direct::purge_alone(self, &departures, before, limit).await?;
        if deleted >= limit as u64 {
            return Ok(deleted);
        }
        let refreshes = audience::purge_refreshes();
        Ok(deleted + direct::purge_alone(self, &refreshes, before, limit).await?)
    }
}
