//! Takes what is due: communications at their instants, and dispatches that waited.

use std::sync::Arc;

use domain::shared::Instant;
use kernel::AppError;
use ports::{Clock, scheduling::ScheduleQueries};

use super::{ClaimDue, ReleaseWaiting};

/// Takes what is due.
#[derive(Clone)]
pub struct Engine {
    pub claim: ClaimDue,
    pub release: ReleaseWaiting,
    pub queries: Arc<dyn ScheduleQueries>,
    pub clock: Arc<dyn Clock>,
}

impl Engine {
    /// Takes all that is due, and answers the next instant that something waits for.
    ///
    /// # Errors
    /// Store errors.
    pub async fn round(&self) -> Result<Option<Instant>, AppError> {
        loop {
            let next = self.queries.next_due().await?;
            if next.is_none_or(|next| next > self.clock.now()) {
                return Ok(next);
            }
            // Neither keeps the other waiting: both have a bounded turn.
            let taken = self.claim.batch().await? + self.release.round().await?;
            if taken == 0 {
                // Another process has it in hand.
                return Ok(next);
            }
        }
    }
}
