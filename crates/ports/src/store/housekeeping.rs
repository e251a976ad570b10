//! Deletion of what has served its time.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::Instant;

use crate::StoreError;

const DAY: Duration = Duration::from_hours(24);

/// How long a published event is kept, for a look at what left.
pub const OUTBOX_KEPT_FOR: Duration = DAY;

/// How long a handled event is kept against late repetitions: longer than any outbox keeps one.
pub const INBOX_KEPT_FOR: Duration = DAY.saturating_mul(14);

/// How long the result of a request is kept for a repetition.
pub const RECEIPTS_KEPT_FOR: Duration = DAY;

/// How long an event of a user's feed can be resumed from.
pub const EVENTS_KEPT_FOR: Duration = DAY.saturating_mul(7);

/// How many rows a purge deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgeCounts {
    /// Published events.
    pub outbox: u64,
    /// Handled events.
    pub inbox: u64,
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
        [
            self.outbox,
            self.inbox,
            self.idempotency,
            self.receipts,
            self.user_events,
        ]
        .into_iter()
        .fold(0, u64::max)
    }
}

/// Keeps the tables short.
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Deletes at most `limit` rows of each table that are out of date at `now`, each table in a
    /// transaction of its own.
    async fn purge(&self, now: Instant, limit: usize) -> Result<PurgeCounts, StoreError>;
}
