//! Snowflake ids: 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of sequence.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ports::{Clock, IdGenerator};

/// 2024-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: i64 = 1_704_067_200_000;
const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;
const SEQUENCE_MASK: i64 = (1 << SEQUENCE_BITS) - 1;

/// The node number does not fit into its ten bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("node {0} is not below 1024")]
pub struct InvalidNode(pub u16);

/// Ids that grow strictly within the process, also when the clock steps back or a millisecond
/// has more than 4096 of them: the counter then runs ahead of the clock.
pub struct Snowflakes {
    clock: Arc<dyn Clock>,
    node: i64,
    /// Milliseconds and sequence of the last id, without the node between them.
    last: AtomicI64,
}

impl Snowflakes {
    /// A generator for one process; `node` tells replicas apart.
    ///
    /// # Errors
    /// When `node` is 1024 or more.
    pub fn new(node: u16, clock: Arc<dyn Clock>) -> Result<Self, InvalidNode> {
        if node >> NODE_BITS != 0 {
            return Err(InvalidNode(node));
        }
        Ok(Self {
            clock,
            node: i64::from(node),
            last: AtomicI64::new(0),
        })
    }
}

impl IdGenerator for Snowflakes {
    fn next(&self) -> i64 {
        let elapsed = (self.clock.now().timestamp_millis() - EPOCH_MS).max(1);
        let earliest = elapsed << SEQUENCE_BITS;
        let advance = |last: i64| earliest.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(advance(last))
            });
        let tick = advance(last.unwrap_or_else(|last| last));
        let (ms, sequence) = (tick >> SEQUENCE_BITS, tick & SEQUENCE_MASK);
        ms << (NODE_BITS + SEQUENCE_BITS) | self.node << SEQUENCE_BITS | sequence
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> domain::shared::Instant {
            chrono::DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    fn at(ms: i64) -> (Arc<Hands>, Snowflakes) {
        let clock = Arc::new(Hands(AtomicI64::new(EPOCH_MS + ms)));
        let ids = Snowflakes::new(5, clock.clone()).unwrap();
        (clock, ids)
    }

    #[test]
    fn carries_time_node_and_sequence() {
        let (_, ids) = at(1000);
        assert_eq!(ids.next(), 1000 << 22 | 5 << 12);
        assert_eq!(ids.next(), 1000 << 22 | 5 << 12 | 1);
    }

    #[test]
    fn grows_when_the_clock_steps_back() {
        let (clock, ids) = at(1000);
        let before = ids.next();
        clock.0.store(EPOCH_MS + 10, Ordering::SeqCst);
        assert!(ids.next() > before);
        clock.0.store(EPOCH_MS - 10, Ordering::SeqCst);
        assert!(ids.next() > before + 1);
    }

    #[test]
    fn a_full_millisecond_runs_into_the_next_and_keeps_the_node() {
        let (_, ids) = at(1000);
        let made: Vec<i64> = (0..5000).map(|_| ids.next()).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id >> 12 & 0x3ff == 5));
        assert_eq!(made.last().map(|id| id >> 22), Some(1001));
    }

    #[test]
    fn threads_never_share_an_id() {
        let (_, ids) = at(1);
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..2000).map(|_| ids.next()).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|t| t.join().unwrap())
                .collect::<HashSet<_>>()
        });
        assert_eq!(made.len(), 8000);
    }

    #[test]
    fn the_node_has_ten_bits() {
        let clock: Arc<dyn Clock> = Arc::new(Hands(AtomicI64::new(EPOCH_MS)));
        assert!(Snowflakes::new(1023, clock.clone()).is_ok());
        assert_eq!(Snowflakes::new(1024, clock).err(), Some(InvalidNode(1024)));
    }
}
