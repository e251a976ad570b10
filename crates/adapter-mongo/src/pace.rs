//! Who goes first: bulk work takes the whole server only while nobody waits for an answer.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use ports::contacts::Priority;

/// Commands of one call under way at a time.
const IN_FLIGHT: usize = 4;
/// The same of bulk work while somebody waits.
const BESIDE: usize = 1;
/// How long after a request bulk work takes another to be near.
const NEAR: Duration = Duration::from_millis(500);

/// When somebody last waited for an answer.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Instant,
    /// Milliseconds since the start; 0 for never.
    waited: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            waited: AtomicU64::new(0),
        }
    }
}

impl Pace {
    /// Notes a request that somebody waits for.
    pub fn somebody_waits(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waited.store(now.max(1), Ordering::Relaxed);
    }

    /// How many commands a call may have under way.
    pub fn in_flight(&self, priority: Priority) -> usize {
        if priority == Priority::Interactive {
            self.somebody_waits();
            return IN_FLIGHT;
        }
        match self.waited.load(Ordering::Relaxed) {
            0 => IN_FLIGHT,
            at if self.start.elapsed() > Duration::from_millis(at) + NEAR => IN_FLIGHT,
            _ => BESIDE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_work_stands_back_while_somebody_waits() {
        let mut pace = Pace::default();
        assert_eq!(pace.in_flight(Priority::Bulk), IN_FLIGHT);
        assert_eq!(pace.in_flight(Priority::Interactive), IN_FLIGHT);
        assert_eq!(pace.in_flight(Priority::Bulk), BESIDE);
        pace.start -= NEAR * 2;
        assert_eq!(pace.in_flight(Priority::Bulk), IN_FLIGHT);
    }
}
