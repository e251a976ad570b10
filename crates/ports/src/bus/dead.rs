//! Deliveries that were given up, for an operator to look at and to send again.

use async_trait::async_trait;
use domain::shared::Instant;

use super::{EventId, OutboxEvent, Subscription};
use crate::StoreError;

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Who should have handled it.
    pub subscription: Subscription,
    /// The event.
    pub event: OutboxEvent,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// When it was given up, in whole milliseconds.
    pub buried_at: Instant,
}

impl DeadLetter {
    /// Where a list goes on after this one.
    pub fn cursor(&self) -> DeadLetterCursor {
        DeadLetterCursor {
            buried_at: self.buried_at,
            subscription: self.subscription.clone(),
            event_id: self.event.event_id.clone(),
        }
    }
}

/// A place in the list of dead letters, which is ordered by these members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadLetterCursor {
    /// When the last one seen was given up.
    pub buried_at: Instant,
    /// Its subscription.
    pub subscription: Subscription,
    /// Its event.
    pub event_id: EventId,
}

/// Which dead letters to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redrive {
    /// One.
    One(Subscription, EventId),
    /// All of a subscription.
    Subscription(Subscription),
    /// All.
    All,
}

/// The dead letters of one inbox database.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Up to `limit` dead letters, oldest first, after `after`; of all subscriptions if none is named.
    async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// How many there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Makes dead letters ready at `now`, with no attempts counted, and answers how many.
    async fn redrive(&self, which: &Redrive, now: Instant) -> Result<u64, StoreError>;
}
