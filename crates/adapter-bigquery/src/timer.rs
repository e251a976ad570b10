//! Time that passes.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// What limits are measured and pauses are made with.
#[async_trait]
pub trait Timer: Send + Sync {
    /// The present.
    fn now(&self) -> Instant;
    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The time of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

#[async_trait]
impl Timer for SystemTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
