//! Deleting files that nothing needs any more.

use std::{collections::HashMap, sync::Arc};

use domain::shared::{Instant, OperationId};
use ports::{
    files::{BlobStore, Spool},
    store::{AudienceQueries, AudienceStore, Durability},
};

use super::receive::blocking;
use crate::AppResult;

/// Files forgotten per step.
const STEP: i64 = 100;
/// The folder of what sets of documents were made of.
const SETS: &str = "recycle";
/// Operations looked up at once.
const LOOK_UP: usize = 500;

/// Deletes files that nothing needs any more.
#[derive(Clone)]
pub struct SweepFiles {
    pub(crate) store: Arc<dyn AudienceStore>,
    pub(crate) queries: Arc<dyn AudienceQueries>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) spool: Arc<dyn Spool>,
}

impl SweepFiles {
    /// Deletes uploaded files that arrived before `before`, and what crashes left unfinished.
    ///
    /// # Errors
    /// Store and file errors.
    #[tracing::instrument(name = "upload.sweep.uploads", skip_all)]
    pub async fn uploads(&self, before: Instant) -> AppResult<u64> {
        let mut swept = self.blobs.remove_unfinished(before).await?;
        loop {
            let mut uow = self.store.begin(Durability::Derived).await?;
            let old = uow.uploads().older_than(before, STEP).await?;
            if old.is_empty() {
                return Ok(swept);
            }
            for upload in old {
                self.blobs.remove(&upload.blob).await?;
                uow.uploads().forget(upload.id).await?;
                swept += 1;
            }
            uow.commit().await?;
        }
    }

    /// Deletes scratch files, and what sets of documents were made of, that nobody has written to since
    /// `untouched_since` and whose operation has ended or never came to be. What a retry would go on
    /// from is kept while the operation ended after `retried_since`.
    ///
    /// # Errors
    /// Store and file errors.
    #[tracing::instrument(name = "upload.sweep.scratch", skip_all)]
    pub async fn scratch(
        &self,
        untouched_since: Instant,
        retried_since: Instant,
    ) -> AppResult<u64> {
        let spool = Arc::clone(&self.spool);
        let names = blocking(move || Ok(spool.names(untouched_since)?)).await?;
        let (names, mut removed) = (self.unneeded(names, retried_since).await?, 0);
        let spool = Arc::clone(&self.spool);
        removed += blocking(move || {
            let mut removed = 0;
            for name in names {
                spool.remove(&name)?;
                removed += 1;
            }
            Ok(removed)
        })
        .await?;
        let sources = self.blobs.list(SETS, Some(untouched_since)).await?;
        for name in self.unneeded(sources, retried_since).await? {
            self.blobs.remove(&name).await?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Those of these files whose operation needs them no more.
    async fn unneeded(&self, names: Vec<String>, retried_since: Instant) -> AppResult<Vec<String>> {
        let mut files: HashMap<OperationId, Vec<String>> = HashMap::new();
        for name in names {
            if let Some(operation) = operation_of(&name) {
                files.entry(operation).or_default().push(name);
            }
        }
        let all: Vec<OperationId> = files.keys().copied().collect();
        for ids in all.chunks(LOOK_UP) {
            for (id, state, finished_at) in self.queries.ends_of(ids).await? {
                let again =
                    state.is_retryable() && finished_at.is_some_and(|at| at > retried_since);
                if again || !state.is_terminal() {
                    files.remove(&id);
                }
            }
        }
        Ok(files.into_values().flatten().collect())
    }
}

/// The operation in the name of a scratch file: `uploads/1.rows`, `recycle/1.keep`.
fn operation_of(name: &str) -> Option<OperationId> {
    let (_, file) = name.rsplit_once('/')?;
    let (operation, _) = file.split_once('.')?;
    operation.parse().ok().map(OperationId::from_raw)
}
