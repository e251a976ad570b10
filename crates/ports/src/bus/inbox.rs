//! The consumer's side: one row per subscription and event, from arrival to its end.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::Instant;

use super::{EventId, OutboxEvent, Subscription};
use crate::StoreError;

/// Proof of a claim. It ends when the row is settled, or claimed by someone else after its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The subscription.
    pub subscription: Subscription,
    /// The event.
    pub event_id: EventId,
    /// Grows with every claim of the row and is never reset, so an older claim cannot settle it.
    pub fence: i64,
}

/// An event claimed for handling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Proof of the claim, to complete the row with.
    pub receipt: Receipt,
    /// The event.
    pub event: OutboxEvent,
    /// Which try this is, 1 for the first; counted at the claim, so a crash counts as a try.
    pub attempt: u32,
    /// When the event arrived in the inbox.
    pub received_at: Instant,
}

/// What became of an event that was put into an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It is new.
    Stored,
    /// It was there already, in whatever state; nothing changed.
    Duplicate,
}

/// What became of an attempt to settle a claimed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The row was settled by this call.
    Applied,
    /// The row is done already; nothing changed.
    AlreadyDone,
    /// The claim no longer stands; nothing changed.
    Lost,
}

/// Completes deliveries in the handler's own unit of work, which makes its effects happen once.
#[async_trait]
pub trait InboxLog: Send {
    /// Marks the delivery done with this transaction.
    ///
    /// # Errors
    /// [`StoreError::StaleVersion`] when the claim no longer stands; the unit of work must not be
    /// committed then.
    async fn complete(&mut self, receipt: &Receipt, now: Instant) -> Result<(), StoreError>;
}

/// The inbox of one database. Safe for several routers at once.
///
/// A row is `ready` (from a due time on), `running` (until its lease ends), `done` or `dead`.
#[async_trait]
pub trait InboxStore: Send + Sync {
    /// Puts an event into a subscription's inbox, durably, ready at once.
    async fn deliver(
        &self,
        subscription: &Subscription,
        event: &OutboxEvent,
        now: Instant,
    ) -> Result<Delivered, StoreError>;

    /// As [`Self::deliver`] of each of several events; answers how many were new. Where it fails, some of them may
    /// be stored.
    async fn deliver_all(
        &self,
        subscription: &Subscription,
        events: &[OutboxEvent],
        now: Instant,
    ) -> Result<usize, StoreError> {
        let mut stored = 0;
        for event in events {
            let delivered = self.deliver(subscription, event, now).await?;
            stored += usize::from(delivered == Delivered::Stored);
        }
        Ok(stored)
    }

    /// Claims up to `limit` rows that are due, or running with a lapsed lease, until `now + lease`;
    /// the longest due come first.
    ///
    /// Owed: two callers never get the same row unless its lease lapsed; each claim counts one
    /// attempt. When nothing is due, nothing is written.
    async fn claim(
        &self,
        subscription: &Subscription,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Marks a delivery done whose handler had no effect to store.
    async fn complete(&self, receipt: &Receipt, now: Instant) -> Result<Settlement, StoreError>;

    /// Makes a delivery ready again at `due`. `reason` carries no personal data.
    async fn retry(
        &self,
        receipt: &Receipt,
        due: Instant,
        reason: &str,
    ) -> Result<Settlement, StoreError>;

    /// Moves a delivery to the dead letters. `reason` carries no personal data.
    async fn bury(
        &self,
        receipt: &Receipt,
        reason: &str,
        now: Instant,
    ) -> Result<Settlement, StoreError>;

    /// Deletes up to `limit` rows done before `done_before` and answers how many. Dead letters
    /// stay until someone redrives them.
    ///
    /// An inbox is kept longer than any outbox keeps an event, or a late repetition would be new.
    async fn purge(&self, done_before: Instant, limit: usize) -> Result<u64, StoreError>;
}
