//! Deletion of what has served its time.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::Instant;

use crate::StoreError;

/// How long an event of a user's feed can be resumed from.
pub const EVENTS_KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// Keeps the tables short that streams and customers fill; requests, outbox and inbox have their own
/// retention.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Deletes at most `limit` events of users' feeds that are out of date at `now`; answers how many.
    async fn purge_user_events(&self, now: Instant, limit: usize) -> Result<u64, StoreError>;

    /// Deletes at most `limit` events of customers that happened before `before`, the oldest first;
    /// answers how many.
    async fn purge_customer_events(&self, before: Instant, limit: usize)
    -> Result<u64, StoreError>;
}
