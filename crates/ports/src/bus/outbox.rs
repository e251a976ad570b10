//! The producer's side: events stored with the change that caused them, then handed to the relay.

use std::time::Duration;

use async_trait::async_trait;
use domain::shared::Instant;

use super::{EventId, OutboxEvent};
use crate::StoreError;

/// Stores events in a unit of work.
///
/// Owed: an event exists if and only if the unit of work commits, in the order of the calls.
/// Writers of one aggregate serialise on the aggregate's row, so that order is the commit order.
/// Whoever commits [wakes](super::WakeUp) the relay afterwards; without it, the relay polls.
#[async_trait]
pub trait OutboxWriter: Send {
    /// Adds an event.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the event id exists.
    async fn add(&mut self, event: OutboxEvent, now: Instant) -> Result<(), StoreError>;

    /// Adds events, in their order.
    ///
    /// # Errors
    /// As [`Self::add`].
    async fn add_all(&mut self, events: Vec<OutboxEvent>, now: Instant) -> Result<(), StoreError> {
        for event in events {
            self.add(event, now).await?;
        }
        Ok(())
    }
}

/// An event that a relay holds until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxClaim {
    /// The event.
    pub event: OutboxEvent,
    /// Which try this is, 1 for the first; counted at the claim.
    pub attempt: u32,
    /// When the event was added.
    pub added_at: Instant,
}

/// A further try of an event that could not be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The event.
    pub event_id: EventId,
    /// The attempt that failed; a claim that was taken over since is left alone.
    pub attempt: u32,
    /// Not to be claimed before.
    pub due: Instant,
    /// Why it failed, without personal data.
    pub error: String,
}

/// What waits in an outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxStats {
    /// Events that are not published.
    pub waiting: u64,
    /// When the oldest of them was added.
    pub oldest: Option<Instant>,
}

/// The relay's side of the outbox. Safe for several relays at once.
#[async_trait]
pub trait OutboxQueue: Send + Sync {
    /// Claims up to `limit` events in the order they were added, until `now + lease`.
    ///
    /// Owed: events of one aggregate come in order, and none comes while an earlier one of its
    /// aggregate is unpublished and held back, be it leased to another relay or waiting for its
    /// next try. Several of one aggregate may come in one batch. Two callers never get the same
    /// event unless its lease lapsed. When nothing is due, nothing is written.
    async fn claim(
        &self,
        limit: usize,
        now: Instant,
        lease: Duration,
    ) -> Result<Vec<OutboxClaim>, StoreError>;

    /// Records that events are published, whoever holds them; repeated calls change nothing.
    async fn mark_sent(&self, events: &[EventId], now: Instant) -> Result<(), StoreError>;

    /// Gives back events whose claims still stand, for a later try.
    async fn reschedule(&self, retries: &[Retry]) -> Result<(), StoreError>;

    /// What waits.
    async fn stats(&self) -> Result<OutboxStats, StoreError>;

    /// Deletes up to `limit` events published before `sent_before` and answers how many.
    async fn purge(&self, sent_before: Instant, limit: usize) -> Result<u64, StoreError>;
}
