//! One lane per content: requests of this process queue up there and are written together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ports::contacts::ContentKey;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Queue and turn of one content.
pub(crate) struct Lane<T> {
    turn: Arc<AsyncMutex<()>>,
    queue: Mutex<Vec<T>>,
}

impl<T> Lane<T> {
    /// Waits for the turn. Fair: first come, first served.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Joins the queue.
    pub fn push(&self, item: T) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(item);
    }

    /// Takes from the front while `weight` sums up to at most `room`, at least one.
    pub fn drain(&self, room: usize, weight: impl Fn(&T) -> usize) -> Vec<T> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut used = 0;
        let fits = |item: &T| {
            used += weight(item);
            used <= room
        };
        let count = queue.iter().map(fits).take_while(|fit| *fit).count().max(1);
        let count = count.min(queue.len());
        queue.drain(..count).collect()
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
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        let new = || {
            Arc::new(Lane {
                turn: Arc::default(),
                queue: Mutex::new(Vec::new()),
            })
        };
        Arc::clone(lanes.entry(key).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_fills_the_room_and_always_moves_on() {
        let lane = Lane {
            turn: Arc::default(),
            queue: Mutex::new(vec![7, 3, 3, 9]),
        };
        assert_eq!(lane.drain(5, |n| *n), [7]);
        assert_eq!(lane.drain(6, |n| *n), [3, 3]);
        assert_eq!(lane.drain(6, |n| *n), [9]);
        assert!(lane.drain(6, |n| *n).is_empty());
    }
}
