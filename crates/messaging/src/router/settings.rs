//! How a router works.

use std::time::Duration;

/// How a router works.
#[derive(Debug, Clone)]
pub struct RouterSettings {
    /// Deliveries of one subscription handled at once.
    pub concurrency: usize,
    /// How long a claim holds, after which another router takes over. Longer than `time_limit`.
    pub lease: Duration,
    /// How long a handler may take.
    pub time_limit: Duration,
    /// Longest sleep without a wake-up, and so the precision of delays.
    pub poll: Duration,
    /// Pause after the first failed attempt, the second and so on; the last one repeats.
    pub delays: Vec<Duration>,
    /// Attempts before a delivery is given up.
    pub attempts: u32,
    /// How long running handlers have at a stop.
    pub grace: Duration,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_secs(15),
            time_limit: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            delays: [1, 10, 60, 600].map(Duration::from_secs).to_vec(),
            attempts: 5,
            grace: Duration::from_secs(5),
        }
    }
}

impl RouterSettings {
    /// The pause after failed attempt `attempt`, counted from 1.
    pub(super) fn delay(&self, attempt: u32) -> Duration {
        let nth = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.delays
            .get(nth)
            .or(self.delays.last())
            .copied()
            .unwrap_or_default()
    }
}
