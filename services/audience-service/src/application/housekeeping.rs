//! Keeping tables short.

use super::{App, AppResult};

/// Rows of one table deleted in one step, so that requests do not wait.
const STEP: usize = 500;

impl App {
    /// Deletes the answers, receipts and feed events that nobody can ask for any more, step by step.
    ///
    /// # Errors
    /// Store errors.
    pub async fn purge_expired(&self) -> AppResult<u64> {
        let now = self.deps.clock.now();
        let mut purged = 0;
        loop {
            let counts = self.deps.store.purge(now, STEP).await?;
            purged += counts.idempotency + counts.receipts + counts.user_events;
            if counts.most() < STEP as u64 {
                return Ok(purged);
            }
        }
    }
    /// Deletes the events of customers that have been kept long enough, step by step.
    ///
    /// # Errors
    /// Store errors.
    pub async fn purge_customer_events(&self) -> AppResult<u64> {
        let before = self.deps.clock.now() - self.deps.customer_events_kept;
        let mut purged = 0;
        loop {
            let deleted = self.deps.store.purge_customer_events(before, STEP).await?;
            purged += deleted;
            if deleted < STEP as u64 {
                return Ok(purged);
            }
        }
    }
}
