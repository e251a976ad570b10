//! When an operation is tried again whose store is away.

use std::time::{Duration, Instant};

use super::Stall;

/// How long it may stay away before the operation is failed for it.
const PATIENCE: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// From this pause on, whoever looks is told that the operation waits.
const TOLD: Duration = Duration::from_secs(1);

/// The failures of an operation in a row, without any progress between them.
#[derive(Debug)]
pub struct Failures {
    since: Option<Instant>,
    pause: Duration,
}

impl Failures {
    /// No failure yet.
    pub const fn none() -> Self {
        Self {
            since: None,
            pause: FIRST_PAUSE,
        }
    }

    /// One more, `progressed` or not since the one before. Answers what comes before the next run, or
    /// `None` when that would be of no use: after ten minutes. A full disk is waited for as long as it
    /// lasts: an end could not be stored either.
    pub fn another(&mut self, stall: Stall, progressed: bool, now: Instant) -> Option<Rest> {
        if progressed {
            *self = Self::none();
        }
        if stall == Stall::DiskFull {
            self.since = None;
            return Some(self.rest());
        }
        let since = *self.since.get_or_insert(now);
        (now - since < PATIENCE).then(|| self.rest())
    }

    fn rest(&mut self) -> Rest {
        let pause = self.pause;
        self.pause = LONGEST_PAUSE.min(pause * 3);
        Rest {
            pause,
            told: pause >= TOLD,
        }
    }
}

/// What comes before the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// How long it is.
    pub pause: Duration,
    /// Whether the operation shows that it waits: not at every short failure.
    pub told: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Stall = Stall::StoreAway;

    #[test]
    fn a_full_disk_is_waited_for_as_long_as_it_lasts() {
        let (mut failures, begun) = (Failures::none(), Instant::now());
        let mut now = begun;
        while now - begun < 10 * PATIENCE {
            now += failures.another(Stall::DiskFull, false, now).unwrap().pause;
        }
        // What comes after it has its own ten minutes.
        assert!(failures.another(AWAY, false, now).is_some());
        assert!(failures.another(AWAY, false, now + PATIENCE).is_none());
    }

    #[test]
    fn a_store_that_stays_away_is_asked_for_ten_minutes() {
        let (mut failures, begun) = (Failures::none(), Instant::now());
        let mut now = begun;
        let mut pauses = Vec::new();
        while let Some(rest) = failures.another(AWAY, false, now) {
            pauses.push((rest.pause.as_millis(), rest.told));
            now += rest.pause;
        }
        let first = [
            (200, false),
            (600, false),
            (1_800, true),
            (5_000, true),
            (5_000, true),
        ];
        assert_eq!(pauses[..5], first);
        assert_eq!((now - begun).as_secs(), 602);
    }

    #[test]
    fn progress_begins_the_count_anew() {
        let (mut failures, begun) = (Failures::none(), Instant::now());
        assert!(failures.another(AWAY, false, begun).is_some());
        let late = begun + PATIENCE;
        assert_eq!(
            failures.another(AWAY, true, late).unwrap().pause,
            FIRST_PAUSE
        );
        assert!(failures.another(AWAY, false, late + PATIENCE).is_none());
    }
}
