//! Deleting files that nothing needs any more.

use domain::shared::Instant;
use ports::store::Durability;

use crate::application::{App, AppResult};

/// Files forgotten per step.
const STEP: i64 = 100;

impl App {
    /// Deletes uploaded files that arrived before `before`, and what crashes left unfinished.
    ///
    /// # Errors
    /// Store and file errors.
    pub async fn sweep_files(&self, before: Instant) -> AppResult<u64> {
        let mut swept = self.deps.blobs.remove_unfinished(before).await?;
        loop {
            let mut uow = self.deps.store.begin(Durability::Derived).await?;
            let old = uow.uploads().older_than(before, STEP).await?;
            if old.is_empty() {
                return Ok(swept);
            }
            for upload in old {
                self.deps.blobs.remove(&upload.blob).await?;
                uow.uploads().forget(upload.id).await?;
                swept += 1;
            }
            uow.commit().await?;
        }
    }
}
