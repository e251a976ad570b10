//! Keeping tables short.

use std::sync::Arc;

use chrono::TimeDelta;
use ports::{
    Clock,
    store::{AudienceStore, REFRESHES_KEPT_FOR},
};

use super::AppResult;

/// Rows of one table deleted in one step, so that requests do not wait.
const STEP: usize = 500;

/// Keeps tables short.
#[derive(Clone)]
pub struct PurgeExpired {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) kept: TimeDelta,
}

impl PurgeExpired {
    /// Deletes the events of feeds that nobody can ask for any more, step by step.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "housekeeping.user_events", skip_all)]
    pub async fn user_events(&self) -> AppResult<u64> {
        let now = self.clock.now();
        let mut purged = 0;
        loop {
            let deleted = self.store.purge_user_events(now, STEP).await?;
            purged += deleted;
            if deleted < STEP as u64 {
                return Ok(purged);
            }
        }
    }

    /// Deletes refreshes that nobody can ask for any more, and who left by them, step by step.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "housekeeping.refreshes", skip_all)]
    pub async fn refreshes(&self) -> AppResult<u64> {
        let before = self.clock.now() - REFRESHES_KEPT_FOR;
        let mut purged = 0;
        loop {
            let deleted = self.store.purge_refreshes(before, STEP).await?;
            purged += deleted;
            if deleted < STEP as u64 {
                return Ok(purged);
            }
        }
    }

    /// Deletes the events of customers that have been kept long enough, step by step.
    ///
    /// # Errors
    /// Store errors.
    #[tracing::instrument(name = "housekeeping.customer_events", skip_all)]
    pub async fn customer_events(&self) -> AppResult<u64> {
        let before = self.clock.now() - self.kept;
        let mut purged = 0;
        loop {
            let deleted = self.store.purge_customer_events(before, STEP).await?;
            purged += deleted;
            if deleted < STEP as u64 {
                return Ok(purged);
            }
        }
    }
}
