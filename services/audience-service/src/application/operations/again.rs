//! When an operation is tried again whose store is away.

use std::time::Duration;

use tokio::time::Instant;

/// How long it may stay away before the operation is failed for it.
const PATIENCE: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The failures in a row without any progress between them.
pub(super) struct Failures {
    since: Option<Instant>,
    pause: Duration,
}

impl Failures {
    pub const fn none() -> Self {
        Self {
            since: None,
            pause: FIRST_PAUSE,
        }
    }

    /// One more. Answers the pause before the next run, or `None` when that would be of no use.
    pub fn another(&mut self, progressed: bool, now: Instant) -> Option<Duration> {
        if progressed {
            *self = Self::none();
        }
        let since = *self.since.get_or_insert(now);
        let pause = self.pause;
        self.pause = LONGEST_PAUSE.min(pause * 3);
        (now - since < PATIENCE).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_stays_away_is_asked_for_ten_minutes() {
        let (mut failures, begun) = (Failures::none(), Instant::now());
        let mut now = begun;
        let mut pauses = Vec::new();
        while let Some(pause) = failures.another(false, now) {
            pauses.push(pause.as_millis());
            now += pause;
        }
        assert_eq!(pauses[..5], [200, 600, 1_800, 5_000, 5_000]);
        assert_eq!((now - begun).as_secs(), 602);
    }

    #[test]
    fn progress_begins_the_count_anew() {
        let (mut failures, begun) = (Failures::none(), Instant::now());
        assert!(failures.another(false, begun).is_some());
        let late = begun + PATIENCE;
        assert_eq!(failures.another(true, late), Some(FIRST_PAUSE));
        assert!(failures.another(false, late + PATIENCE).is_none());
    }
}
