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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract_tests::bus::{AUDIT, at, event, memory::MemoryBus};
    use ports::bus::{EventId, InboxStore};

    use super::*;

    /// A place in which some events died at some second.
    async fn place(dead: &[(&str, i64)]) -> Arc<dyn DeadLetters> {
        let bus = MemoryBus::default();
        for (id, second) in dead {
            let lease = Duration::from_secs(1);
            bus.deliver(&AUDIT, &event(id, "a"), at(0)).await.unwrap();
            let delivery = bus.claim(&AUDIT, 1, at(0), lease).await.unwrap().remove(0);
            let buried = bus.bury(&delivery.receipt, "poison", at(*second)).await;
            buried.unwrap();
        }
        Arc::new(bus)
    }

    #[tokio::test]
    async fn several_places_are_seen_as_one() {
        let (one, two) = (
            place(&[("1", 1), ("4", 4)]).await,
            place(&[("2", 2), ("3", 3)]).await,
        );
        let all = AllDeadLetters::new(vec![one, two]);
        let ids = |letters: &[DeadLetter]| -> Vec<String> {
            letters
                .iter()
                .map(|l| l.event.event_id.to_string())
                .collect()
        };
        let first = all.list(None, None, 3).await.unwrap();
        assert_eq!(ids(&first), ["1", "2", "3"]);
        let after = first.last().map(DeadLetter::cursor);
        let rest = all.list(None, after.as_ref(), 3).await.unwrap();
        assert_eq!(ids(&rest), ["4"]);
        let one = Redrive::One(AUDIT, EventId::new("3"));
        assert_eq!(all.redrive(&one, at(9)).await.unwrap(), 1);
        assert_eq!(all.count().await.unwrap(), 3);
        assert_eq!(all.redrive(&Redrive::All, at(9)).await.unwrap(), 3);
        assert_eq!(all.count().await.unwrap(), 0);
    }
}
