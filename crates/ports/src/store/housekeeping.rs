//! Deletion of what has served its time.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::shared::Instant;

use crate::StoreError;

/// How long an event of a user's feed can be resumed from.
pub const EVENTS_KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// How long refreshes of audiences are kept, and contents that are no longer shown.
pub const REFRESHES_KEPT_FOR: TimeDelta = TimeDelta::days(90);

/// How many refreshes of an audience are kept however old they are.
pub const REFRESHES_KEPT: i64 = 3;

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

    /// Deletes at most `limit` refreshes that had a successor before `before` already, but for each audience's
    /// last [`REFRESHES_KEPT`], and the departures by them; answers how many.
    async fn purge_refreshes(&self, before: Instant, limit: usize) -> Result<u64, StoreError>;
}
