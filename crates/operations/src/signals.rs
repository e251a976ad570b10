//! What the heartbeat of a job has learned.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::Stop;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whether work should go on, and whether it does.
#[derive(Debug)]
pub struct Signals {
    stop: watch::Sender<Option<Stop>>,
    stopping: CancellationToken,
    progress: AtomicU64,
}

impl Default for Signals {
    /// Of work that nobody stops.
    fn default() -> Self {
        Self::new(CancellationToken::new())
    }
}

impl Signals {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self {
            stop: watch::Sender::new(None),
            stopping,
            progress: AtomicU64::new(0),
        }
    }

    /// Whether work should go on.
    ///
    /// # Errors
    /// Why it should not.
    pub fn check(&self) -> Result<(), Stop> {
        if let Some(stop) = *self.stop.borrow() {
            return Err(stop);
        }
        if self.stopping.is_cancelled() {
            return Err(Stop::Stopping);
        }
        Ok(())
    }

    /// Waits until work should not go on; answers why.
    pub async fn stopped(&self) -> Stop {
        let mut told = self.stop.subscribe();
        tokio::select! {
            biased;
            told = told.wait_for(Option::is_some) => told.ok().and_then(|told| *told).unwrap_or(Stop::LeaseLost),
            () = self.stopping.cancelled() => Stop::Stopping,
        }
    }

    /// Notes that more is done than when the last failure came: retries begin anew.
    pub fn progressed(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// A lost lease is stronger than a cancel.
    pub(crate) fn tell(&self, stop: Stop) {
        self.stop.send_if_modified(|told| {
            let news = *told != Some(Stop::LeaseLost) && *told != Some(stop);
            if news {
                *told = Some(stop);
            }
            news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lost_lease_outweighs_a_cancel_and_a_cancel_a_stop() {
        let stopping = CancellationToken::new();
        let signals = Signals::new(stopping.clone());
        assert_eq!(signals.check(), Ok(()));
        stopping.cancel();
        assert_eq!(signals.stopped().await, Stop::Stopping);
        for stop in [Stop::Cancelled, Stop::LeaseLost] {
            signals.tell(stop);
            assert_eq!(signals.check(), Err(stop));
            assert_eq!(signals.stopped().await, stop);
        }
        signals.tell(Stop::Cancelled);
        assert_eq!(signals.check(), Err(Stop::LeaseLost));
    }
}
