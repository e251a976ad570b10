//! The operator's view of what was given up.

use std::sync::Arc;

use async_trait::async_trait;
use domain::shared::Instant;
use ports::{
    Clock, StoreError,
    bus::{DeadLetter, DeadLetterCursor, DeadLetters, Redrive, Subscription, WakeUp},
};

/// Lists dead letters and sends them again.
#[derive(Clone)]
pub struct DeadLetterQueue {
    store: Arc<dyn DeadLetters>,
    clock: Arc<dyn Clock>,
    wake: Vec<Arc<dyn WakeUp>>,
}

impl DeadLetterQueue {
    /// The dead letters in `store`; a redrive wakes `wake`.
    pub const fn new(
        store: Arc<dyn DeadLetters>,
        clock: Arc<dyn Clock>,
        wake: Vec<Arc<dyn WakeUp>>,
    ) -> Self {
        Self { store, clock, wake }
    }

    /// Up to `limit` dead letters after `after`, oldest first, of one subscription or all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.list(subscription, after, limit).await
    }

    /// Sends dead letters again, with all their attempts before them, and answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn redrive(&self, which: &Redrive) -> Result<u64, StoreError> {
        let sent = self.store.redrive(which, self.clock.now()).await?;
        tracing::info!(sent, "dead letters were sent again");
        self.wake.iter().for_each(|wake| wake.wake());
        Ok(sent)
    }
}

/// Several places that keep dead letters, seen as one: an inbox and a broker.
#[derive(Clone)]
pub struct AllDeadLetters(Vec<Arc<dyn DeadLetters>>);

impl AllDeadLetters {
    /// All that are in `places`.
    pub const fn new(places: Vec<Arc<dyn DeadLetters>>) -> Self {
        Self(places)
    }
}

#[async_trait]
impl DeadLetters for AllDeadLetters {
    async fn list(
        &self,
        subscription: Option<&Subscription>,
        after: Option<&DeadLetterCursor>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut letters = Vec::new();
        for place in &self.0 {
            letters.extend(place.list(subscription, after, limit).await?);
        }
        letters.sort_by_cached_key(DeadLetter::cursor);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for place in &self.0 {
            count += place.count().await?;
        }
        Ok(count)
    }

    async fn redrive(&self, which: &Redrive, now: Instant) -> Result<u64, StoreError> {
        let mut sent = 0;
        for place in &self.0 {
            sent += place.redrive(which, now).await?;
        }
        Ok(sent)
    }
}
