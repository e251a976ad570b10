//! One lane per content: requests of this process queue up there and are written together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ports::contacts::ContentKey;
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard},
    time::{Duration, timeout},
};

/// How long a batch waits for as many requests as the one before it had. Clients that were answered
/// together send together; without this, one of them alone makes the others wait for a batch of its own.
const GATHER: Duration = Duration::from_millis(5);

/// Queue and turn of one content.
pub(crate) struct Lane<T> {
    turn: Arc<AsyncMutex<()>>,
    queue: Mutex<Queue<T>>,
    joined: Notify,
}

struct Queue<T> {
    items: Vec<T>,
    /// How many were taken the last time.
    taken: usize,
}

impl<T> Lane<T> {
    /// Waits for the turn. Fair: first come, first served.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    fn new(items: Vec<T>) -> Self {
        Self {
            turn: Arc::default(),
            queue: Mutex::new(Queue { items, taken: 0 }),
            joined: Notify::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the queue.
    pub fn push(&self, item: T) {
        self.queue().items.push(item);
        self.joined.notify_one();
    }

    /// Takes those out of the queue who have gone.
    pub fn leave(&self, gone: impl Fn(&T) -> bool) {
        self.queue().items.retain(|item| !gone(item));
    }

    fn is_full(&self) -> bool {
        let queue = self.queue();
        queue.items.len() >= queue.taken
    }

    /// Waits a moment until the queue is as long as it was the last time. For who has the turn.
    pub async fn gather(&self) {
        let gathered = async {
            loop {
                let joined = self.joined.notified();
                if self.is_full() {
                    return;
                }
                joined.await;
            }
        };
        let _ = timeout(GATHER, gathered).await;
    }

    /// Takes those of the kind of the first, in their order, while their weights sum up to at most
    /// `room`; at least one.
    pub fn drain<K: PartialEq>(
        &self,
        room: usize,
        weight: impl Fn(&T) -> usize,
        kind: impl Fn(&T) -> K,
    ) -> Vec<T> {
        let mut queue = self.queue();
        let Some(wanted) = queue.items.first().map(&kind) else {
            return Vec::new();
        };
        let (mut batch, mut left, mut used) = (Vec::new(), Vec::new(), 0);
        for item in std::mem::take(&mut queue.items) {
            if kind(&item) != wanted {
                left.push(item);
                continue;
            }
            used += weight(&item);
            if batch.is_empty() || used <= room {
                batch.push(item);
            } else {
                left.push(item);
            }
        }
        queue.items = left;
        queue.taken = batch.len();
        batch
    }
}

/// The lanes in use.
pub(crate) struct Lanes<T> {
    lanes: Mutex<HashMap<ContentKey, Arc<Lane<T>>>>,
}

impl<T> Lanes<T> {
    pub fn new() -> Self {
        Self {
            lanes: Mutex::new(HashMap::new()),
        }
    }

    /// The lane of a content. Lanes that nobody holds are dropped on the way, so that the map stays
    /// as small as the number of audiences being written.
    pub fn of(&self, key: ContentKey) -> Arc<Lane<T>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() > 64 && !lanes.contains_key(&key) {
            let in_use = |lane: &Arc<Lane<T>>| {
                Arc::strong_count(lane) > 1 || Arc::strong_count(&lane.turn) > 1
            };
            lanes.retain(|_, lane| in_use(lane));
        }
        let new = || Arc::new(Lane::new(Vec::new()));
        Arc::clone(lanes.entry(key).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use domain::shared::{AudienceId, Epoch};

    use super::*;

    #[test]
    fn draining_fills_the_room_and_always_moves_on() {
        let lane = Lane::new(vec![7, 3, 3, 9]);
        assert_eq!(lane.drain(5, |n| *n, |_| ()), [7]);
        assert_eq!(lane.drain(6, |n| *n, |_| ()), [3, 3]);
        assert_eq!(lane.drain(6, |n| *n, |_| ()), [9]);
        assert!(lane.drain(6, |n| *n, |_| ()).is_empty());
    }

    #[test]
    fn a_batch_is_of_one_kind_and_nobody_of_it_is_overtaken() {
        let lane = Lane::new(vec![1, 2, 3, 5, 1]);
        let odd = |n: &usize| n % 2 == 1;
        assert_eq!(lane.drain(5, |n| *n, odd), [1, 3]);
        assert_eq!(lane.drain(5, |n| *n, odd), [2]);
        assert_eq!(lane.drain(6, |n| *n, odd), [5, 1]);
    }

    fn key(audience: i64) -> ContentKey {
        ContentKey {
            audience: AudienceId::from_raw(audience),
            epoch: Epoch(1),
        }
    }

    #[tokio::test]
    async fn a_lane_whose_turn_is_held_stays_while_those_of_nobody_go() {
        let lanes = Lanes::<u8>::new();
        let held = lanes.of(key(0)).turn().await;
        for other in 1..=100 {
            lanes.of(key(other));
        }
        assert!(lanes.lanes.lock().unwrap().len() <= 65);
        assert!(lanes.of(key(0)).turn.try_lock().is_err());
        drop(held);
        assert!(lanes.of(key(0)).turn.try_lock().is_ok());
    }

    #[test]
    fn who_has_gone_is_not_taken() {
        let lane = Lane::new(vec![1, 2, 3]);
        lane.leave(|n| *n == 2);
        assert_eq!(lane.drain(9, |_| 1, |_| ()), [1, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_for_as_many_as_the_last_but_not_for_long() {
        let lane = Arc::new(Lane::new(vec![1, 1]));
        let begun = tokio::time::Instant::now();
        lane.gather().await;
        assert_eq!(lane.drain(9, |n| *n, |_| ()).len(), 2);
        lane.push(1);
        let (other, soon) = (Arc::clone(&lane), Duration::from_millis(2));
        tokio::spawn(async move {
            tokio::time::sleep(soon).await;
            other.push(1);
        });
        lane.gather().await;
        assert_eq!(begun.elapsed(), soon);
        assert_eq!(lane.drain(9, |n| *n, |_| ()).len(), 2);
        lane.push(1);
        lane.gather().await;
        assert_eq!(begun.elapsed(), soon + GATHER);
        assert_eq!(lane.drain(9, |n| *n, |_| ()).len(), 1);
    }
}
