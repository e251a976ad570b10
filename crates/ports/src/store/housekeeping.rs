//! Deletion of what has served its time.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::Instant;

use crate::StoreError;

const DAY: Duration = Duration::from_hours(24);

/// How long the result of a request is kept for a repetition.
pub const RECEIPTS_KEPT_FOR: Duration = DAY;

/// How long an event of a user's feed can be resumed from.
pub const EVENTS_KEPT_FOR: Duration = DAY.saturating_mul(7);

/// How many rows a purge deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgeCounts {
    /// Reservations of requests, answered or not.
    pub idempotency: u64,
    /// Results of requests.
    pub receipts: u64,
    /// Events of users' feeds.
    pub user_events: u64,
}

impl PurgeCounts {
    /// The most rows that one table lost; as many as the limit when there may be more to delete.
    pub fn most(&self) -> u64 {
        self.idempotency.max(self.receipts).max(self.user_events)
    }
}

/// Keeps the tables short that requests and streams fill; outbox and inbox have their own retention.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Deletes at most `limit` rows of each table that are out of date at `now`, each table in a
    /// transaction of its own.
    async fn purge(&self, now: Instant, limit: usize) -> Result<PurgeCounts, StoreError>;

    /// Deletes at most `limit` events of customers that happened before `before`, the oldest first;
    /// answers how many.
    async fn purge_customer_events(&self, before: Instant, limit: usize)
    -> Result<u64, StoreError>;
}
