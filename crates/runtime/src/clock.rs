//! The wall clock.

use std::{
    sync::{PoisonError, RwLock},
    time,
};

use chrono::{SubsecRound, TimeDelta};
use domain::shared::Instant;
use ports::Clock;

/// What the clock of this process follows, where it follows one.
static FOLLOWED: RwLock<Option<Followed>> = RwLock::new(None);

/// Another clock, as it was read last.
#[derive(Clone, Copy)]
struct Followed {
    /// What it said.
    at: Instant,
    /// When that was, by a clock that nobody sets.
    read: time::Instant,
}

impl Followed {
    fn now(self) -> Instant {
        self.at + TimeDelta::from_std(self.read.elapsed()).unwrap_or_default()
    }
}

/// The clock of the process, in UTC and whole milliseconds: the machine's, or the one that it [follows](follow).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let followed = *FOLLOWED.read().unwrap_or_else(PoisonError::into_inner);
        let now = followed.map_or_else(machine, Followed::now);
        now.trunc_subsecs(3)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where wall-clock time is read"
)]
fn machine() -> Instant {
    chrono::Utc::now()
}

/// Lets the clock of this process follow another one, that of its database: processes whose machines disagree about
/// the time agree all the same. `at` is what it said at `read`. Answers by how many milliseconds the machine's clock is
/// ahead of it.
pub fn follow(at: Instant, read: time::Instant) -> i64 {
    let followed = Followed { at, read };
    *FOLLOWED.write().unwrap_or_else(PoisonError::into_inner) = Some(followed);
    (machine() - followed.now()).num_milliseconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whole_milliseconds_of_the_clock_that_it_follows() {
        let now = SystemClock.now();
        assert_eq!(now.timestamp_subsec_nanos() % 1_000_000, 0);
        assert!(now.timestamp() > 1_700_000_000);
        let other = now + TimeDelta::minutes(5);
        let ahead = follow(other, time::Instant::now());
        assert!((ahead + 300_000).abs() < 1_000);
        let now = SystemClock.now();
        assert!(now >= other && now < other + TimeDelta::minutes(1));
        assert_eq!(now.timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
