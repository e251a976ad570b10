//! Deletes old batches.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::AppError;
use ports::{Clock, importing::ImportStore};

/// How long a batch can be asked about.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Most batches deleted in one transaction.
const AT_A_TIME: i64 = 1_000;

/// Deletes batches.
#[derive(Clone)]
pub struct PurgeBatches {
    pub store: Arc<dyn ImportStore>,
    pub clock: Arc<dyn Clock>,
}

impl PurgeBatches {
    /// Deletes old batches, and answers how many.
    #[tracing::instrument(name = "batch.purge", skip_all)]
    pub async fn execute(&self) -> Result<u64, AppError> {
        let before = self.clock.now() - KEPT;
        let mut unit = self.store.begin_import().await?;
        let gone = unit.batches().purge(before, AT_A_TIME).await?;
        unit.commit().await?;
        Ok(gone)
    }
}
